"""``sktextcnn train``."""

import argparse
import difflib
import json
import os
import time
from collections import Counter
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
from sktextcnn._cli.messages import class_counts, print_summary
from sktextcnn._cli.models import classes_by_name, save_model
from sktextcnn._cli.outputs import check_model_path
from sktextcnn._cli.texts_and_labels import read_labelled_texts

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

_EPILOG = """\
Labels in csv and tsv are strings; JSON lines and Parquet keep their types. Each text has one
label; train multilabel models in Python.

examples:
  sktextcnn train reviews.csv --text review --label sentiment --vectors glove.txt -o m.sktextcnn
  sktextcnn train reviews.csv --text review --label sentiment --test-size 0.2 -o m.sktextcnn
  sktextcnn train reviews.csv --text review --label sentiment --vectors word2vec --seed 1 \\
      --set vectorizer.min_df=2 --set 'classifier.kernel_sizes=[2,3]' -o m.sktextcnn
  cat reviews.csv | sktextcnn train --text review --label sentiment -o m.sktextcnn --quiet
"""

# Parameters that --set refuses: those with an option of their own, and those that only Python
# can set.
_OPTION_OF = {
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
        metavar="FILE",
        help="word vectors: a file of word2vec, GloVe or fastText; or word2vec or fasttext, to "
        "train vectors on the texts; given several times, the vectors are put side by side "
        "(default: random vectors)",
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
        help="hold out this proportion of the texts, stratified by class, and report the "
        "accuracy on them",
    )
    test.add_argument("--test", metavar="FILE", help="report the accuracy on this file")
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
    texts, labels = read_labelled_texts(args.data, args)
    counts = Counter(labels)
    if len(counts) < 2:
        raise InputError(
            f"{args.data or 'stdin'}, column {args.label!r}: all labels are {labels[0]!r}; a "
            f"classifier needs at least two classes."
        )
    test: tuple[list[str], list[Any]] = ([], [])
    if args.test is not None:
        test = read_labelled_texts(args.test, args, classes_by_name(counts))
    elif args.test_size is not None:
        texts, labels, test = _hold_out(texts, labels, args)
    print_summary(args, class_counts(Counter(labels)))
    start = time.perf_counter()
    with as_input_error():
        model.fit(texts, labels)
    _report(model, time.perf_counter() - start, args)
    if test[0]:
        accuracy = model.score(*test)
        print_summary(args, f"Accuracy on {len(test[0]):,} held-out texts: {accuracy:.3f}.")
    save_model(model, args.output)
    size = os.path.getsize(args.output)
    print_summary(args, f"Saved {args.output} ({size / 1e6:.1f} MB).")


def new_model(args: argparse.Namespace) -> "Pipeline":
    """Return the Pipeline to train, with its parameters validated."""
    from sklearn.pipeline import Pipeline

    from sktextcnn._classifier import TextCNNClassifier
    from sktextcnn._vectorizer import TextVectorizer
    from sktextcnn._vectors import TRAINED, Embeddings

    if args.vectors_word and set(args.vectors) <= set(TRAINED):
        raise InputError("--vectors-word is for files of vectors: give --vectors FILE with it.")
    sources: list[Any] = []
    for source in args.vectors:
        if source not in TRAINED:
            # Raises an error for a missing file before the texts are read.
            with as_input_error():
                handle = Embeddings(source, word=args.vectors_word)
            source = handle if args.vectors_word else source
        sources.append(source)
    embeddings = sources if len(sources) > 1 else next(iter(sources), None)
    steps: dict[str, Any] = {
        "vectorizer": TextVectorizer(embeddings=embeddings, random_state=args.seed),
        "classifier": TextCNNClassifier(
            finetune=args.finetune,
            max_epochs=args.max_epochs,
            random_state=args.seed,
            verbose=0 if args.quiet else 1,
        ),
    }
    for name, value in args.settings:
        _set(steps, name, value)
    with as_input_error("--set: "):
        for step in steps.values():
            step._validate_params()
    return Pipeline(
        [("textvectorizer", steps["vectorizer"]), ("textcnnclassifier", steps["classifier"])]
    )


def _set(steps: dict[str, Any], name: str, value: Any) -> None:
    """Set a parameter that is named as ``STEP.NAME``."""
    if name in _OPTION_OF:
        option = _OPTION_OF[name]
        hint = f"Give {option}." if option else "It can be set in Python."
        raise InputError(f"--set {name}: --set cannot set this parameter. {hint}")
    step, _, parameter = name.partition(".")
    known = [f"{key}.{each}" for key, one in steps.items() for each in one.get_params()]
    settable = [each for each in known if each not in _OPTION_OF]
    if name not in settable:
        candidates = [each for each in settable if each.startswith(f"{step}.")] or settable
        # Without their steps, which would make all names of a step similar.
        names = [each.partition(".")[2] for each in candidates]
        close = difflib.get_close_matches(parameter, names, n=1)
        hint = f"Expected one of {', '.join(candidates)}."
        if close:
            hint = f"Did you mean {candidates[names.index(close[0])]}?"
        raise InputError(f"--set {name}: there is no such parameter. {hint}")
    # A bool is an int in Python, so that validation would accept true as 1.
    if isinstance(value, bool) and "boolean" not in steps[step]._parameter_constraints[parameter]:
        raise InputError(f"--set {name}: {json.dumps(value)} is not a valid value.")
    steps[step].set_params(**{parameter: value})


def _hold_out(
    texts: list[str], labels: list[Any], args: argparse.Namespace
) -> tuple[list[str], list[Any], tuple[list[str], list[Any]]]:
    from sklearn.model_selection import train_test_split

    with as_input_error(f"--test-size {args.test_size:g}: "):
        train, test, y_train, y_test = train_test_split(
            texts, labels, test_size=args.test_size, random_state=args.seed, stratify=labels
        )
    return train, y_train, (test, y_test)


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
    print_summary(args, f"{classifier.n_iter_} epochs in {seconds:.1f} s.")
