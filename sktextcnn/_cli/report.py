"""``sktextcnn report``."""

import argparse
import os
from typing import TYPE_CHECKING

from sktextcnn._cli.arguments import (
    Commands,
    add_chunk_size,
    add_command,
    add_data,
    add_model,
    add_quiet,
    add_rows,
)
from sktextcnn._cli.errors import InputError, as_input_error
from sktextcnn._cli.labels import Classes
from sktextcnn._cli.messages import print_summary
from sktextcnn._cli.models import load_model
from sktextcnn._cli.outputs import check_model_path
from sktextcnn._cli.rows import open_output, open_reader
from sktextcnn._cli.texts_and_labels import (
    SampleReader,
    check_any,
    class_indices,
    encoded,
    read_options,
    rows_of_classes,
    with_progress,
)
from sktextcnn._progress import waiting

if TYPE_CHECKING:
    import numpy as np

_EPILOG = """\
The page is one file that loads nothing. It shows how often the model is right, with intervals, its
classes, what it confuses, whether its probabilities can be used, and its surest errors with
explanations. It contains some of the texts. With --train, TF-IDF and logistic regression are
trained on that file and measured beside the model.

examples:
  sktextcnn report model.sktextcnn test.csv --text review --label sentiment -o report.html
  sktextcnn report model.sktextcnn test.csv --text review --label sentiment --train reviews.csv
"""


def add_to(commands: Commands) -> None:
    """Add the command to the program."""
    parser = add_command(commands, "report", "write a page on how good a model is", _EPILOG, report)
    add_model(parser)
    add_data(parser)
    add_rows(parser, label=True)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="report.html",
        help="page to write; - is standard output (default %(default)s)",
    )
    parser.add_argument(
        "--train",
        metavar="FILE",
        help="the training texts, read as the other file, to train TF-IDF and logistic regression "
        "on and compare them with the model",
    )
    add_quiet(parser)
    add_chunk_size(parser)


def report(args: argparse.Namespace) -> None:
    """Write a page on how good a model is on labelled texts."""
    to_stdout = args.output == "-"
    if not to_stdout:
        check_model_path(args.output, args.model, args.data, args.train)
    if args.train is not None:
        _check_train(args)
    with open_reader(args.data, read_options(args)) as reader:
        # A column that does not exist is told before the model is loaded.
        sample_reader = SampleReader(reader, args, labelled=True)
        model = load_model(args.model, quiet=args.quiet)
        classifier = model.steps[-1][1]
        sample_reader.multilabel = multilabel = classifier.net_.multilabel
        classes = Classes(classifier.classes_.tolist())
        train = None if args.train is None else _read_train(args, classes, multilabel)
        # Imported here, since it imports scikit-learn's metrics, which --help does not need.
        from sktextcnn._report import ReportBuilder

        with as_input_error(f"{args.train}: " if args.train else ""):
            builder = ReportBuilder(model, train)
        chunks = sample_reader.chunks(args.chunk_size)
        for samples in with_progress(chunks, args, "Measuring"):
            rows = class_indices(samples, classes, args)
            builder.add(samples.texts, encoded(rows, len(classes.labels), multilabel))
        check_any(range(builder.n_texts), reader)
        n_left_out, data = reader.bad_rows.count, reader.name
    names = {
        "model": os.path.basename(args.model),
        "data": os.path.basename(data),
        "train": None if args.train is None else os.path.basename(args.train),
        "n_left_out": n_left_out,
    }
    with waiting("Explaining the surest errors", shown=not args.quiet):
        page = builder.finish(names)
    content = page.html.encode("utf-8")
    with open_output(args.output) as file:
        file.write(content)
    name = "micro_f1" if multilabel else "accuracy"
    score = page.measures[name]
    print_summary(
        args,
        f"{'Micro F1' if multilabel else 'Accuracy'} on {builder.n_texts:,} texts: "
        f"{score.value:.3f} ({score.low:.3f} to {score.high:.3f}).",
    )
    if not to_stdout:
        print_summary(args, f"Wrote {args.output} ({len(content) / 1000:,.0f} kB).")


def _check_train(args: argparse.Namespace) -> None:
    """Raise an `InputError` if the training texts are those to measure on."""
    if args.train == "-":
        raise InputError("--train -: give a file; standard input is for the texts to measure on.")
    files = [args.train, args.data or "-"]
    if all(map(os.path.isfile, files)) and os.path.samefile(*files):
        raise InputError(
            f"--train {args.train}: this is the file to measure on, which the baseline would know "
            f"by heart. Give the file that the model was trained on."
        )


def _read_train(
    args: argparse.Namespace, classes: Classes, multilabel: bool
) -> "tuple[list[str], np.ndarray]":
    read = rows_of_classes(args.train, args, classes, multilabel)
    texts, rows = map(list, zip(*read, strict=True))
    print_summary(args, f"Training TF-IDF and logistic regression on {len(texts):,} texts.")
    return texts, encoded(rows, len(classes.labels), multilabel)
