"""The command line: ``sktextcnn train``, ``predict``, ``evaluate``, ``explain``, ``demo``.

torch and the like are imported by the commands that need them, so that ``--help`` is quick.
"""

import argparse
import contextlib
import difflib
import io
import json
import os
import re
import signal
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from sktextcnn._cli.arguments import parse
from sktextcnn._cli.tables import (
    Chunk,
    Dialect,
    InputError,
    Table,
    Writer,
    format_of_name,
    json_line,
    open_output,
    open_table,
)

if TYPE_CHECKING:
    import numpy as np
    from sklearn.pipeline import Pipeline

    from sktextcnn._inspection import Explanation

_FAILED, _INTERRUPTED, _PIPE_CLOSED = 1, 130, 141

# More classes than this are too many for a line or a table.
_FEW_CLASSES = 12

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str or None, default=None
        The arguments; None for those of the process.

    Returns
    -------
    int
        0; 1 for what the user can mend, which is said in one line on stderr; 130 if
        interrupted; 141 if whoever read the output has closed it.

    Raises
    ------
    SystemExit
        With 2 for wrong usage, with 0 for ``--help`` and ``--version``, with 143 or 129
        where SIGTERM or SIGHUP tells the process to end.
    """
    # None where the process began with them closed; a file must not get their numbers.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    args = parse(argv, _COMMANDS)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal may not know all characters; data are always written as UTF-8.
        sys.stdout.reconfigure(errors="backslashreplace")
    with warnings.catch_warnings(), _ended_by_exceptions():
        warnings.showwarning = _show_warning
        try:
            args.run(args)
            sys.stdout.flush()
        except InputError as error:
            _say(str(error))
        except BrokenPipeError:
            _forget_stdout()
            return _PIPE_CLOSED
        except OSError as error:
            _forget_stdout()
            reason = error.strerror or str(error)
            _say(f"{error.filename}: {reason}" if error.filename else reason)
        except KeyboardInterrupt:
            _say("interrupted")
            return _INTERRUPTED
        else:
            return 0
    return _FAILED


@contextlib.contextmanager
def _ended_by_exceptions() -> Iterator[None]:
    """Let a process that is told to end clear away what it has half written."""

    def end(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            # One that is ignored, as by nohup, stays so; Windows has one of them.
            if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) == signal.SIG_DFL:
                before[getattr(signal, name)] = signal.signal(getattr(signal, name), end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(message: str) -> None:
    print("sktextcnn:", _one_line(message), file=sys.stderr)


def _one_line(text: str) -> str:
    """Without line ends, and what would steer a terminal as an escape."""
    text = " ".join(text.split())
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    _say(f"warning: {message}")


def _forget_stdout() -> None:
    """Keep Python from writing once more, at its end, to a pipe or a disk that takes nothing."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def _mendable(what: str = "") -> Iterator[None]:
    """Errors of the library about what the user gave, as one line."""
    try:
        yield
    except (ValueError, ImportError) as error:
        raise InputError(f"{what}{error}") from error


# Rows ---------------------------------------------------------------------------------


def _dialect(args: argparse.Namespace) -> Dialect:
    return Dialect(args.format, args.encoding, args.delimiter, not args.no_quotes)


def _texts(chunk: Chunk, args: argparse.Namespace) -> list[str]:
    """The texts of some rows."""
    texts = chunk.values(args.text)
    # An empty field of csv is how a missing text looks there.
    fields = chunk.form in ("csv", "tsv")
    for i, text in enumerate(texts):
        if text is None or (fields and not text):
            if not args.empty_ok:
                raise InputError(
                    f"{chunk.where(i, args.text)}: the text is missing. Give --empty-ok to take "
                    f"such texts as empty."
                )
            texts[i] = ""
        elif not isinstance(text, str):
            raise InputError(
                f"{chunk.where(i, args.text)}: expected a text; got {text!r:.40} of type "
                f"{type(text).__name__}."
            )
    return texts


def _labels(chunk: Chunk, column: str) -> list[Any]:
    """The labels of some rows."""
    labels = chunk.values(column)
    for i, label in enumerate(labels):
        if label is None or label == "" or label != label:
            raise InputError(f"{chunk.where(i, column)}: the label is missing.")
        if not isinstance(label, str | int | float):
            raise InputError(
                f"{chunk.where(i, column)}: a label is a string or a number; got {label!r:.40} of "
                f"type {type(label).__name__}."
            )
    return labels


def _check_numbers(labels: list[Any], chunk: Chunk, column: str) -> None:
    """Refuse numbers that are no classes for scikit-learn."""
    for i, label in enumerate(labels):
        if not isinstance(label, str) and not (label % 1 == 0 and -(2**63) <= label < 2**63):
            raise InputError(
                f"{chunk.where(i, column)}: a label that is a number must be a whole one, of at "
                f"most 64 bits; got {label!r:.40}. Write others as strings."
            )


def _known_labels(chunk: Chunk, column: str, known: Mapping[str, Any]) -> list[Any]:
    """The labels of some rows as a model has them: csv has 1 as a string."""
    labels = _labels(chunk, column)
    for i, label in enumerate(labels):
        if str(label) not in known:
            raise InputError(
                f"{chunk.where(i, column)}: the model does not know the label {label!r}; it has "
                f"{_listed(known)}."
            )
    return [known[str(label)] for label in labels]


def _by_name(classes: Iterable[Any]) -> dict[str, Any]:
    return {str(label): label for label in classes}


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:_FEW_CLASSES]) + (", ..." if len(names) > _FEW_CLASSES else "")


def _examples(
    path: str | None, args: argparse.Namespace, known: Mapping[str, Any] | None = None
) -> tuple[list[str], list[Any]]:
    """All texts and labels of a file."""
    texts: list[str] = []
    labels: list[Any] = []
    with open_table(path, _dialect(args)) as table:
        table.check_column(args.text, "--text")
        table.check_column(args.label, "--label")
        for chunk in table.chunks(args.chunk_size):
            texts += _texts(chunk, args)
            if known is not None:
                labels += _known_labels(chunk, args.label, known)
                continue
            new = _labels(chunk, args.label)
            _check_numbers(new, chunk, args.label)
            first = (labels or new)[0]
            for i, label in enumerate(new):
                if type(label) is not type(first):
                    raise InputError(
                        f"{chunk.where(i, args.label)}: the label {label!r} is of type "
                        f"{type(label).__name__}, but that of row 1 of {type(first).__name__}."
                    )
            labels += new
        if not texts:
            raise InputError(f"{table.name} has no rows.")
    return texts, labels


def _progress(chunks: Iterable[Chunk], args: argparse.Namespace) -> Iterator[Chunk]:
    """Count the rows on stderr, if that is a terminal that nothing else is written to."""
    from tqdm import tqdm

    shown = sys.stderr.isatty() and not (args.output is None and sys.stdout.isatty())
    with tqdm(unit=" rows", disable=args.quiet or not shown) as bar:
        for chunk in chunks:
            yield chunk
            bar.update(len(chunk))


def _load(path: str) -> "Pipeline":
    from sktextcnn._files import load
    from sktextcnn._pipeline import fitted_parts

    with _mendable():
        model = load(path)
    try:
        fitted_parts(model, "the command line")
    except TypeError as error:
        raise InputError(f"{path}: {error}") from error
    return model


# train --------------------------------------------------------------------------------


def _train(args: argparse.Namespace) -> None:
    from sktextcnn._files import save

    _check_target(args.output, args.data, args.test, args.vectors)
    model = _new_model(args)
    texts, labels = _examples(args.data, args)
    counts = Counter(labels)
    if len(counts) < 2:
        raise InputError(
            f"{args.data or 'stdin'}, column {args.label!r}: all labels are {labels[0]!r}; a "
            f"classifier needs at least two to tell apart."
        )
    test: tuple[list[str], list[Any]] = ([], [])
    if args.test is not None:
        test = _examples(args.test, args, _by_name(counts))
    elif args.test_size is not None:
        texts, labels, test = _hold_out(texts, labels, args)
    _tell(args, _summary(Counter(labels)))
    start = time.perf_counter()
    with _mendable():
        model.fit(texts, labels)
    seconds = time.perf_counter() - start
    vectorizer, classifier = (step for _, step in model.steps)
    if (coverage := vectorizer.coverage_) is not None:
        missing = ", ".join(repr(word) for word, _ in coverage.missing[:5])
        _tell(
            args,
            f"The vectors cover {coverage.tokens:.1%} of the tokens and {coverage.types:.1%} of "
            f"the words{f'; not {missing}' if missing else ''}.",
        )
    _tell(
        args,
        f"Of each text the first {vectorizer.max_length_} tokens are read, which cuts "
        f"{vectorizer.truncated_fraction_:.1%} of them.",
    )
    _tell(args, f"{classifier.n_iter_} epochs in {seconds:.1f} s.")
    if test[0]:
        accuracy = model.score(*test)
        _tell(args, f"Accuracy on {len(test[0]):,} other texts: {accuracy:.3f}.")
    with _mendable():
        save(model, args.output)
    size = os.path.getsize(args.output)
    _tell(args, f"Saved {args.output} ({size / 1e6:.1f} MB).")


def _tell(args: argparse.Namespace, line: str) -> None:
    if not args.quiet:
        print(_one_line(line), file=sys.stderr)


def _summary(counts: Mapping[Any, int]) -> str:
    total = f"{sum(counts.values()):,} texts of {len(counts)} classes"
    if len(counts) > _FEW_CLASSES:
        return f"{total}, with {min(counts.values()):,} to {max(counts.values()):,} texts each."
    return f"{total}: {', '.join(f'{label} {n:,}' for label, n in sorted(counts.items()))}."


def _check_target(path: str, *read: str | None) -> None:
    """Find trouble with the file to be written before the training."""
    _keep_inputs(path, *read)
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder; give the path of a file.")
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path} is a device or a pipe; a model needs a file.")
    if not os.path.isdir(folder):
        raise InputError(f"{path}: there is no folder {folder}.")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{path}: the folder {folder} is not writable.")


def _keep_inputs(path: str, *read: str | None) -> None:
    """Refuse to replace a file that is read by something else than its rows again."""
    for each in read:
        if each and os.path.isfile(path) and os.path.exists(each) and os.path.samefile(path, each):
            raise InputError(f"{path}: -o would replace this file, which is read here.")


# Parameters with an option of their own, and those that are no data.
_NOT_SET = {
    "vectorizer.embeddings": "--vectors",
    "vectorizer.random_state": "--seed",
    "vectorizer.preprocessor": None,
    "classifier.finetune": "--finetune",
    "classifier.max_epochs": "--max-epochs",
    "classifier.random_state": "--seed",
    "classifier.verbose": "--quiet",
    "classifier.callbacks": None,
    "classifier.pretrained": None,
    "classifier.warm_start": None,
}


def _new_model(args: argparse.Namespace) -> "Pipeline":
    from sklearn.pipeline import Pipeline

    from sktextcnn._classifier import TextCNNClassifier
    from sktextcnn._vectorizer import TextVectorizer
    from sktextcnn._vectors import TRAINED, as_embeddings

    if args.vectors is not None and args.vectors not in TRAINED:
        # A file that is not there is found before the texts are read.
        as_embeddings(args.vectors)
    vectorizer = TextVectorizer(embeddings=args.vectors, random_state=args.seed)
    classifier = TextCNNClassifier(
        finetune=args.finetune,
        max_epochs=args.max_epochs,
        random_state=args.seed,
        verbose=0 if args.quiet else 1,
    )
    steps: dict[str, Any] = {"vectorizer": vectorizer, "classifier": classifier}
    for name, value in args.settings:
        step, _, parameter = name.partition(".")
        known = [f"{key}.{each}" for key, one in steps.items() for each in one.get_params()]
        settable = [each for each in known if each not in _NOT_SET]
        if name not in settable:
            instead = _NOT_SET.get(name)
            there = [each for each in settable if each.startswith(f"{step}.")] or settable
            # Without the step, which would be half of what is alike.
            close = difflib.get_close_matches(parameter, [e.partition(".")[2] for e in there], n=1)
            hint = f"It is one of {', '.join(there)}."
            if close:
                hint = next(f"Did you mean {e}?" for e in there if e.endswith(f".{close[0]}"))
            if name in _NOT_SET:
                hint = f"Give {instead}." if instead else "That is for Python."
            raise InputError(f"--set {name}: it cannot be set here. {hint}")
        # A bool is an int in Python, so that the step would take true for 1.
        if (
            isinstance(value, bool)
            and "boolean" not in steps[step]._parameter_constraints[parameter]
        ):
            raise InputError(f"--set {name}: expected another value than {json.dumps(value)}.")
        steps[step].set_params(**{parameter: value})
    with _mendable("--set: "):
        for one in steps.values():
            one._validate_params()
    return Pipeline([("textvectorizer", vectorizer), ("textcnnclassifier", classifier)])


def _hold_out(
    texts: list[str], labels: list[Any], args: argparse.Namespace
) -> tuple[list[str], list[Any], tuple[list[str], list[Any]]]:
    from sklearn.model_selection import train_test_split

    with _mendable(f"--test-size {args.test_size:g}: "):
        train, test, y_train, y_test = train_test_split(
            texts, labels, test_size=args.test_size, random_state=args.seed, stratify=labels
        )
    return train, y_train, (test, y_test)


# predict ------------------------------------------------------------------------------


def _predict(args: argparse.Namespace) -> None:
    if args.output is not None:
        _keep_inputs(args.output, args.model)
    dialect = _dialect(args)
    with open_table(args.data, dialect) as table:
        table.check_column(args.text, "--text")
        form = _output_format(args, table)
        model = _load(args.model)
        labelling = _Labelling(model, args.proba, args.prefix)
        for name in labelling.columns:
            if name in table.columns:
                raise InputError(
                    f"{table.name} has a column {name!r} already; give --prefix to name the new "
                    f"ones otherwise."
                )
        start, n_rows = time.perf_counter(), 0
        with (
            open_output(args.output) as file,
            Writer(file, form, table, labelling.columns, dialect) as writer,
        ):
            for chunk in _progress(table.chunks(args.chunk_size), args):
                writer.write(chunk, labelling(_texts(chunk, args)))
                n_rows += len(chunk)
    if args.output not in (None, "-"):
        seconds = time.perf_counter() - start
        _tell(args, f"Labelled {n_rows:,} rows in {seconds:.1f} s: {args.output}.")


def _output_format(args: argparse.Namespace, table: Table) -> str:
    form = args.output_format
    if form is None:
        to_stdout = args.output in (None, "-")
        form = None if to_stdout else format_of_name(args.output)
        if form is None:
            if not to_stdout and (suffix := os.path.splitext(args.output)[1]):
                raise InputError(
                    f"{args.output}: the format {suffix} is not known; predict writes .csv .tsv "
                    f".jsonl .parquet, or what --output-format says."
                )
            return "csv" if table.format == "txt" else table.format
    if form == "txt":
        raise InputError(f"{args.output}: predict writes csv, tsv, jsonl or parquet.")
    if form == "parquet" and args.output in (None, "-") and sys.stdout.isatty():
        raise InputError("Parquet is not for a terminal; give -o or --output-format.")
    return form


@dataclass
class _Labelling:
    """From texts to the columns that predict adds."""

    model: Any
    proba: bool
    prefix: str

    def __post_init__(self) -> None:
        classifier = self.model.steps[-1][1]
        self.multilabel = classifier.net_.multilabel
        self.classes = classifier.classes_.tolist()
        self.prediction = f"{self.prefix}prediction"
        self.probability = f"{self.prefix}probability"
        self.columns: dict[str, type] = {
            self.prediction: str if self.multilabel else type(self.classes[0])
        }
        if self.proba:
            self.columns |= {f"{self.probability}_{label}": float for label in self.classes}
        else:
            self.columns[self.probability] = str if self.multilabel else float

    def __call__(self, texts: list[str]) -> dict[str, list[Any]]:
        proba = self.model.predict_proba(texts)
        added: list[list[Any]]
        if self.multilabel:
            chosen = [(row > 0.5).nonzero()[0].tolist() for row in proba]
            added = [[" ".join(str(self.classes[i]) for i in row) for row in chosen]]
        else:
            best = proba.argmax(axis=1).tolist()
            added = [[self.classes[i] for i in best]]
        if self.proba:
            added += proba.T.tolist()
        elif self.multilabel:
            pairs = zip(proba.tolist(), chosen, strict=True)
            added.append([" ".join(str(row[i]) for i in places) for row, places in pairs])
        else:
            added.append(proba.max(axis=1).tolist())
        return dict(zip(self.columns, added, strict=True))


# evaluate -----------------------------------------------------------------------------


def _evaluate(args: argparse.Namespace) -> None:
    with open_table(args.data, _dialect(args)) as table:
        table.check_column(args.text, "--text")
        table.check_column(args.label, "--label")
        model = _load(args.model)
        classifier = model.steps[-1][1]
        if classifier.net_.multilabel:
            raise InputError(f"{args.model}: evaluate is for models that give a text one label.")
        known = _by_name(classifier.classes_.tolist())
        place = {name: i for i, name in enumerate(known)}
        true: list[int] = []
        predicted: list[int] = []
        for chunk in _progress(table.chunks(args.chunk_size), args):
            labels = _known_labels(chunk, args.label, known)
            true += [place[str(label)] for label in labels]
            predicted += model.predict_proba(_texts(chunk, args)).argmax(axis=1).tolist()
        if not true:
            raise InputError(f"{table.name} has no rows.")
    _report(true, predicted, list(known), as_json=args.json)


def _report(true: list[int], predicted: list[int], names: list[str], *, as_json: bool) -> None:
    from sklearn.metrics import (
        accuracy_score,
        classification_report,
        confusion_matrix,
        precision_recall_fscore_support,
    )

    numbers = range(len(names))
    accuracy = accuracy_score(true, predicted)
    matrix = confusion_matrix(true, predicted, labels=numbers).tolist()
    if as_json:
        measures = precision_recall_fscore_support(
            true, predicted, labels=numbers, zero_division=0.0
        )
        keys = ("precision", "recall", "f1", "support")
        rows = zip(*(values.tolist() for values in measures), strict=True)
        classes = {
            name: dict(zip(keys, row, strict=True)) for name, row in zip(names, rows, strict=True)
        }
        result = {
            "n_texts": len(true),
            "accuracy": accuracy,
            "macro_f1": sum(measures[2].tolist()) / len(names),
            "classes": classes,
            "confusion_matrix": matrix,
        }
        print(json.dumps(result, indent=2))
        return
    names = [_one_line(name) for name in names]
    print(f"accuracy {accuracy:.4f} on {len(true):,} texts\n")
    print(
        classification_report(
            true, predicted, labels=numbers, target_names=names, digits=3, zero_division=0.0
        )
    )
    if len(names) <= _FEW_CLASSES:
        print("Rows are true classes, columns predicted ones:\n")
        cells = [["", *names]]
        cells += [[name, *map(str, row)] for name, row in zip(names, matrix, strict=True)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for line in cells:
            print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


# explain ------------------------------------------------------------------------------


def _explain(args: argparse.Namespace) -> None:
    if bool(args.texts) == (args.file is not None):
        args.usage("give texts, or --file")
    if args.output is not None:
        _keep_inputs(args.output, args.model, args.file)
    model = _load(args.model)
    classes = _by_name(model.steps[-1][1].classes_.tolist())
    if args.label is not None and args.label not in classes:
        raise InputError(f"--label {args.label}: the model has the classes {_listed(classes)}.")
    label = None if args.label is None else classes[args.label]
    colour = _wants_colour(args.color, sys.stdout) and args.output is None
    with open_output(args.output) as file:
        is_page = args.output is not None and not args.json
        if is_page:
            file.write(_PAGE_HEAD)
        for explanation in _explanations(model, args):
            if args.json:
                file.write(json_line(_as_json(explanation)))
            elif is_page:
                html = explanation.to_html(label, n=args.n)
                file.write(html.encode("utf-8", "replace") + b"\n<hr>\n")
            else:
                print(_in_terminal(explanation, label, args.n, colour=colour), end="\n\n")
        if is_page:
            file.write(_PAGE_END)


def _explanations(model: Any, args: argparse.Namespace) -> Iterator["Explanation"]:
    from sktextcnn._inspection import explain

    try:
        if args.file is None:
            yield from explain(model, args.texts)
            return
        with open_table(args.file, _dialect(args)) as table:
            table.check_column(args.text, "--text")
            for chunk in table.chunks(args.chunk_size):
                yield from explain(model, _texts(chunk, args))
    except ImportError as error:  # Captum, which other networks need.
        raise InputError(str(error)) from error


def _wants_colour(choice: str, stream: TextIO) -> bool:
    if choice == "auto":
        return stream.isatty() and not os.environ.get("NO_COLOR")
    return choice == "always"


def _in_terminal(explanation: "Explanation", label: Any, n: int, *, colour: bool) -> str:
    text = explanation.to_ansi(label, n=n)
    # What a text has of such sequences was replaced, so that these are ours.
    return text if colour else _ANSI.sub("", text)


_PAGE_HEAD = b"""<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>What speaks for each class</title>
<style>
:root { color-scheme: light dark }
body { margin: 2em auto; max-width: 60em; padding: 0 1em }
hr { border: 0; border-top: 1px solid; opacity: .3 }
</style>
</head>
<body>
"""
_PAGE_END = b"</body>\n</html>\n"


def _as_json(explanation: "Explanation") -> dict[str, Any]:
    classes = [str(label) for label in explanation.classes.tolist()]

    def by_class(values: "np.ndarray") -> dict[str, float]:
        return dict(zip(classes, values.tolist(), strict=True))

    def pieces(spans: "np.ndarray", contributions: "np.ndarray") -> list[dict[str, Any]]:
        return [
            {
                "text": explanation.text[start:end],
                "start": start,
                "end": end,
                "contributions": by_class(values),
            }
            for (start, end), values in zip(spans.tolist(), contributions, strict=True)
        ]

    prediction = explanation.prediction
    return {
        "text": explanation.text,
        "prediction": prediction.tolist() if hasattr(prediction, "tolist") else prediction,
        "probabilities": by_class(explanation.probabilities),
        "logits": by_class(explanation.logits),
        "spans": pieces(explanation.spans, explanation.contributions),
        "remainder": by_class(explanation.remainder),
        "tokens": pieces(explanation.token_spans, explanation.token_contributions),
        "token_remainder": by_class(explanation.token_remainder),
        "method": explanation.method,
    }


# demo ---------------------------------------------------------------------------------

_DEMO_TEXTS = (
    "Returns a tensor on the CUDA device, filled with zeros.",
    "Fit a linear model with coordinate descent.",
)


def _demo(args: argparse.Namespace) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline

    from sktextcnn import datasets
    from sktextcnn._classifier import TextCNNClassifier
    from sktextcnn._files import save
    from sktextcnn._inspection import explain
    from sktextcnn._vectorizer import TextVectorizer

    if args.output is not None:
        _check_target(args.output)
    texts, libraries = datasets.load_docstrings()
    train, test, y_train, y_test = train_test_split(
        texts, libraries, test_size=0.2, random_state=0, stratify=libraries
    )
    print(f"Which library is a docstring from? {_summary(Counter(libraries))}")
    print(f"  e.g. {texts[0]!r} is of {libraries[0]}", flush=True)
    tfidf = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )
    classifier = TextCNNClassifier(random_state=0, verbose=0 if args.quiet else 1)
    model = make_pipeline(TextVectorizer(), classifier)
    for name, one in (("TF-IDF and logistic regression", tfidf), ("sktextcnn", model)):
        start = time.perf_counter()
        one.fit(train, y_train)
        seconds = time.perf_counter() - start
        score = one.score(test, y_test)
        print(f"{name}: accuracy {score:.3f} on {len(test):,} others, {seconds:.1f} s", flush=True)
    print("\nWhy? Each word by what it speaks for, and the n-grams that matter most:")
    for explanation in explain(model, _DEMO_TEXTS):
        colour = _wants_colour(args.color, sys.stdout)
        print(f"\n{_in_terminal(explanation, None, 4, colour=colour)}")
    if args.output is not None:
        save(model, args.output)
        print(f"\nSaved {args.output}; try: sktextcnn explain {args.output} 'Solve an equation.'")


_COMMANDS = {
    "train": _train,
    "predict": _predict,
    "evaluate": _evaluate,
    "explain": _explain,
    "demo": _demo,
}
