"""``sktextcnn train``."""

import argparse
import json
import os
import time
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sktextcnn._cli.arguments import (
    Commands,
    add_command,
    add_data,
    add_quiet,
    add_rows,
    positive_integer,
)
from sktextcnn._cli.errors import InputError, as_input_error
from sktextcnn._cli.labels import Classes
from sktextcnn._cli.messages import class_counts, counted, listed, print_summary, size_of
from sktextcnn._cli.models import save_model
from sktextcnn._cli.new_model import new_model
from sktextcnn._cli.outputs import check_model_path
from sktextcnn._cli.scores import measured
from sktextcnn._cli.stored_samples import StoredSamples, StoredTexts
from sktextcnn._cli.texts_and_labels import read_training_rows, rows_of_classes
from sktextcnn._progress import waiting

if TYPE_CHECKING:
    import numpy as np
    from sklearn.pipeline import Pipeline

_EPILOG = """\
Labels in csv and tsv are strings; JSON and Parquet keep their types. A text can have several labels
or none, and the model is multilabel: as lists in JSON and Parquet, by --label-separator in a field
of csv and tsv, as columns of 0 and 1 by several --label, and in files of fastText.

examples:
  sktextcnn train reviews.csv --text review --label sentiment --vectors glove.txt -o m.sktextcnn
  sktextcnn train reviews.csv --text review --label sentiment \\
      --vectors glove-wiki-gigaword-100 -o m.sktextcnn
  sktextcnn train reviews.csv --text review --label sentiment --test-size 0.2 -o m.sktextcnn
  sktextcnn train reviews.csv --text review --label sentiment --vectors word2vec --seed 1 \\
      --set vectorizer.min_df=2 --set 'classifier.kernel_sizes=[2,3]' -o m.sktextcnn
  sktextcnn train rows.csv --no-header --label 1 --text 2 --text 3 -o m.sktextcnn
  sktextcnn train tags.csv --text review --label tags --label-separator ';' -o m.sktextcnn
  cat reviews.csv | sktextcnn train --text review --label sentiment -o m.sktextcnn --quiet
"""

# Texts that are tokenized at a time.
_TEXTS_AT_ONCE = 4_000

# Arguments ----------------------------------------------------------------------------


def add_to(commands: Commands) -> None:
    """Add the command to the program."""
    parser = add_command(commands, "train", "train a model on labelled texts", _EPILOG, train)
    add_data(parser)
    add_rows(parser, label=True)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="file to save the model to, such as m.sktextcnn",
    )
    training = parser.add_argument_group("training")
    training.add_argument(
        "--vectors",
        action="append",
        default=[],
        metavar="VECTORS",
        help="word vectors: a file of word2vec, GloVe or fastText; the name of some to download, "
        "such as glove-wiki-gigaword-100 (sktextcnn vectors list shows the names); or word2vec or "
        "fasttext, to train vectors on the texts; given several times, the vectors are put side by "
        "side (default: random vectors)",
    )
    training.add_argument(
        "--vectors-word",
        metavar="PATTERN",
        help="regular expression of the words of the vector files, whose one group is the word of "
        "the texts, to remove tags and prefixes: '/c/en/(.+)', '(.+)_[A-Z]+'",
    )
    training.add_argument(
        "--finetune",
        type=_finetune,
        default=True,
        metavar="HOW",
        help="how the word vectors are trained: true, false, the number of epochs to freeze them "
        "for, gradual or multichannel (default true)",
    )
    training.add_argument(
        "--max-epochs",
        type=_max_epochs,
        default="auto",
        metavar="N",
        help="number of epochs; auto: by the number and length of texts (default %(default)s)",
    )
    training.add_argument(
        "--seed",
        type=_seed,
        default=0,
        metavar="N",
        help="random_state of the model (default %(default)s)",
    )
    training.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        type=_setting,
        metavar="STEP.NAME=VALUE",
        help="set another parameter of the vectorizer or the classifier; VALUE is JSON, or else "
        "a string",
    )
    test = training.add_mutually_exclusive_group()
    test.add_argument(
        "--test-size",
        type=_proportion,
        metavar="PROPORTION",
        help="hold out this proportion of the texts, stratified by class if each has one, and "
        "report the accuracy on them",
    )
    test.add_argument("--test", metavar="FILE", help="report the accuracy on this file")
    training.add_argument(
        "--no-baseline",
        dest="baseline",
        action="store_false",
        help="do not train TF-IDF and logistic regression, whose accuracy on the test texts is "
        "reported beside that of the model; they need time and memory on large data",
    )
    add_quiet(parser)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"expected an integer from 0 to {2**32 - 1}; got {text!r}")
    return int(text)


def _proportion(text: str) -> float:
    try:
        proportion = float(text)
    except ValueError:
        proportion = 0
    if not 0 < proportion < 1:
        raise argparse.ArgumentTypeError(f"expected a number between 0 and 1; got {text!r}")
    return proportion


def _max_epochs(text: str) -> int | str:
    return text if text == "auto" else positive_integer(text)


def _finetune(text: str) -> bool | int | str:
    if text in ("true", "false"):
        return text == "true"
    if text in ("gradual", "multichannel"):
        return text
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(
            f"expected true, false, a number of epochs, gradual or multichannel; got {text!r}"
        )
    return positive_integer(text)


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or "." not in name:
        raise argparse.ArgumentTypeError(
            f"expected STEP.NAME=VALUE, such as vectorizer.min_df=2; got {text!r}"
        )
    try:
        return name, json.loads(value)
    except ValueError:  # Such as vectorizer.stop_words=english.
        return name, value


# The command --------------------------------------------------------------------------


def train(args: argparse.Namespace) -> None:
    """Train a model, report on it and save it."""
    check_model_path(args.output, args.data, args.test, *args.vectors)
    model = new_model(args)
    folder = _folder(args)
    with StoredSamples(folder) as samples, StoredSamples(folder) as test_samples:
        _train(model, samples, test_samples, args)


def _train(
    model: "Pipeline",
    samples: StoredSamples,
    test_samples: StoredSamples,
    args: argparse.Namespace,
) -> None:
    import numpy as np

    from sktextcnn._fit_chunks import fit_chunks

    rows, labels, multilabel = read_training_rows(args.data, args, samples)
    classes = Classes(sorted(labels))
    if len(classes.labels) < 2:
        columns = " and ".join(map(repr, args.label or ["label"]))
        found = f"all labels are {classes.labels[0]!r}" if classes.labels else "no text has a label"
        raise InputError(
            f"{args.data or 'stdin'}, column {columns}: {found}; a classifier needs at least two "
            f"classes."
        )
    class_of = np.array([classes.index(label) for label in labels])
    targets = samples.targets(rows, class_of, multilabel)
    test = None
    if args.test is not None:
        for text, row in rows_of_classes(args.test, args, classes, multilabel):
            test_samples.append(text, row)
        all_rows = np.arange(len(test_samples))
        numbers = np.arange(len(classes.labels))
        test = test_samples.texts(all_rows), test_samples.targets(all_rows, numbers, multilabel)
    elif args.test_size is not None:
        rows, test_rows, targets, test_targets = _hold_out(rows, targets, classes, args)
        test = samples.texts(test_rows), test_targets
    texts = samples.texts(rows)
    if multilabel:
        counts = dict(zip(classes.labels, targets.sum(axis=0).tolist(), strict=True))
        print_summary(args, class_counts(counts, len(texts)))
    else:
        n_of_class = np.bincount(targets, minlength=len(classes.labels)).tolist()
        counts = {label: n for label, n in zip(classes.labels, n_of_class, strict=True) if n}
        print_summary(args, class_counts(counts))
    start = time.perf_counter()
    with as_input_error(), warnings.catch_warnings():
        # The user has said that there may be several labels, though each text has one.
        warnings.filterwarnings("ignore", "y is an indicator matrix with one label in each row")
        fit_chunks(model, _chunks(texts, targets, classes), folder=_folder(args))
    if multilabel:
        # The classifier numbers the columns of the targets. With their names in its place, model
        # files, explanations and predictions have these.
        model.steps[-1][1].classes_ = np.array(classes.labels)
    _report(model, time.perf_counter() - start, args)
    card = model.steps[-1][1].card_
    if args.data not in (None, "-"):
        card["data"] = os.path.basename(args.data)
    _save(model, args)
    if test is not None:
        try:
            card["test"], sentence = measured(
                model,
                (texts, targets),
                test,
                multilabel=multilabel,
                baseline=args.baseline,
                quiet=args.quiet,
            )
        except BaseException:  # Ctrl-C too: the training may have taken hours.
            print_summary(args, f"Saved {args.output}, without scores on the test texts.")
            raise
        if args.test is not None:
            card["test"]["data"] = os.path.basename(args.test)
        print_summary(args, sentence)
        _save(model, args)
    size = size_of(os.path.getsize(args.output))
    print_summary(args, f"Saved {args.output} ({size}).")


def _save(model: "Pipeline", args: argparse.Namespace) -> None:
    with waiting(f"Writing {args.output}", shown=not args.quiet):
        save_model(model, args.output)


def _folder(args: argparse.Namespace) -> str:
    """The folder of temporary files: that of the model, which is on a disk."""
    return os.path.dirname(os.path.realpath(args.output))


def _chunks(texts: StoredTexts, targets: "np.ndarray", classes: Classes) -> Iterator[Any]:
    """Yield texts with their labels, or with rows of an indicator matrix."""
    start = 0
    for chunk in texts.chunks(_TEXTS_AT_ONCE):
        of_chunk = targets[start : start + len(chunk)]
        start += len(chunk)
        yield chunk, of_chunk if targets.ndim == 2 else [classes.labels[i] for i in of_chunk]


def _hold_out(
    rows: "np.ndarray", targets: "np.ndarray", classes: Classes, args: argparse.Namespace
) -> "list[np.ndarray]":
    """Return the rows to train on and to test on, and the targets of both."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    stratified = targets.ndim == 1
    if stratified and 1 in (counts := np.bincount(targets)):
        single = listed(classes.names[i] for i in np.flatnonzero(counts == 1))
        raise InputError(
            f"--test-size {args.test_size:g}: only one text has the label {single}, so that it "
            f"cannot be both learned and tested. Leave such texts out, or give --test FILE."
        )
    with as_input_error(f"--test-size {args.test_size:g}: "):
        return train_test_split(
            rows,
            targets,
            test_size=args.test_size,
            random_state=args.seed,
            stratify=targets if stratified else None,
        )


def _report(model: "Pipeline", seconds: float, args: argparse.Namespace) -> None:
    """Print what the training did, for the user to see whether the settings fit the texts."""
    vectorizer, classifier = (step for _, step in model.steps)
    if (coverage := vectorizer.coverage_) is not None:
        missing = ", ".join(repr(word) for word, _ in coverage.missing[:5])
        print_summary(
            args,
            f"The vectors cover {coverage.tokens:.1%} of the tokens and {coverage.types:.1%} of "
            f"the words{f'; missing words are {missing}' if missing else ''}.",
        )
    print_summary(
        args,
        f"The first {vectorizer.max_length_} tokens of each text are read; "
        f"{vectorizer.truncated_fraction_:.1%} of the texts are longer.",
    )
    print_summary(args, f"{counted(classifier.n_iter_, 'epoch')} in {seconds:.1f} s.")
