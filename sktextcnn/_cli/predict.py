"""``sktextcnn predict``."""

import argparse
import os
import sys
import time
from typing import Any

from sktextcnn._cli.arguments import (
    Commands,
    add_chunk_size,
    add_command,
    add_data,
    add_model,
    add_quiet,
    add_rows,
)
from sktextcnn._cli.errors import InputError
from sktextcnn._cli.messages import print_summary
from sktextcnn._cli.models import load_model
from sktextcnn._cli.outputs import check_not_input
from sktextcnn._cli.rows import (
    OUTPUT_FORMATS,
    RowReader,
    format_of_path,
    open_output,
    open_reader,
    open_writer,
)
from sktextcnn._cli.texts_and_labels import read_options, texts_of, with_progress

_EPILOG = """\
The output has all columns of the input, and two more: prediction, and the probability of the
predicted class. Memory does not grow with the number of rows. For a multilabel model, the
predicted labels of a text are joined by spaces, and so are their probabilities.

examples:
  sktextcnn predict model.sktextcnn new.csv --text review -o labelled.csv
  sktextcnn predict model.sktextcnn new.csv --text review --proba -o labelled.parquet
  cat new.csv | sktextcnn predict model.sktextcnn --text review > labelled.csv
  echo "a gorgeous, witty movie" | sktextcnn predict model.sktextcnn --format txt
"""


def add_to(commands: Commands) -> None:
    """Add the command to the program."""
    parser = add_command(commands, "predict", "add predictions to rows", _EPILOG, predict)
    add_model(parser)
    add_data(parser)
    add_rows(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="file to write (default: standard output, in the format of the input)",
    )
    parser.add_argument(
        "--output-format",
        choices=OUTPUT_FORMATS,
        help="format of the output (default: by the suffix of the file)",
    )
    parser.add_argument(
        "--proba", action="store_true", help="add a column with the probability of each class"
    )
    parser.add_argument(
        "--prefix", default="", help="prefix of the names of the new columns (default: '')"
    )
    add_quiet(parser)
    add_chunk_size(parser)


def predict(args: argparse.Namespace) -> None:
    """Copy rows, with the predictions for their texts."""
    if args.output is not None:
        check_not_input(args.output, args.model)
    options = read_options(args)
    with open_reader(args.data, options) as reader:
        reader.check_column(args.text, "--text")
        file_format = _output_format(args, reader)
        labeller = _Labeller(load_model(args.model), args.proba, args.prefix)
        for name in labeller.columns:
            if name in reader.columns:
                raise InputError(
                    f"{reader.name} has a column {name!r} already. Give --prefix to rename the "
                    f"new columns."
                )
        start, n_rows = time.perf_counter(), 0
        with (
            open_output(args.output) as file,
            open_writer(file, file_format, reader, labeller.columns, options) as writer,
        ):
            for chunk in with_progress(reader.chunks(args.chunk_size), args):
                writer.write(chunk, labeller(texts_of(chunk, args)))
                n_rows += len(chunk)
    if args.output not in (None, "-"):
        seconds = time.perf_counter() - start
        print_summary(args, f"Labelled {n_rows:,} rows in {seconds:.1f} s: {args.output}.")


def _output_format(args: argparse.Namespace, reader: RowReader) -> str:
    to_stdout = args.output in (None, "-")
    file_format = args.output_format
    if file_format is None:
        file_format = None if to_stdout else format_of_path(args.output)
        if file_format is None:
            if not to_stdout and (suffix := os.path.splitext(args.output)[1]):
                raise InputError(
                    f"{args.output}: {suffix} is not the suffix of a format; predict writes .csv "
                    f".tsv .jsonl .parquet. Or give --output-format."
                )
            return "csv" if reader.format == "txt" else reader.format
    if file_format == "txt":
        raise InputError(f"{args.output}: predict writes csv, tsv, jsonl or parquet.")
    if file_format == "parquet" and to_stdout and sys.stdout.isatty():
        raise InputError(
            "Parquet cannot be written to a terminal; give -o or another --output-format."
        )
    return file_format


class _Labeller:
    """Predicts the values of the columns that the command adds.

    Parameters
    ----------
    model : Pipeline
        A fitted model.
    proba : bool
        Whether to add the probability of each class, not of the predicted ones.
    prefix : str
        What the names of the columns begin with.

    Attributes
    ----------
    columns : dict of str to type
        The names and types of the columns.
    """

    def __init__(self, model: Any, proba: bool, prefix: str) -> None:
        self._model = model
        self._proba = proba
        classifier = model.steps[-1][1]
        self._multilabel = classifier.net_.multilabel
        self._classes = classifier.classes_.tolist()
        kind = str if self._multilabel else type(self._classes[0])
        self.columns: dict[str, type] = {f"{prefix}prediction": kind}
        name = f"{prefix}probability"
        if proba:
            self.columns |= {f"{name}_{label}": float for label in self._classes}
        else:
            self.columns[name] = str if self._multilabel else float

    def __call__(self, texts: list[str]) -> dict[str, list[Any]]:
        proba = self._model.predict_proba(texts)
        values: list[list[Any]]
        if self._multilabel:
            chosen = [(row > 0.5).nonzero()[0].tolist() for row in proba]
            values = [[" ".join(str(self._classes[i]) for i in row) for row in chosen]]
        else:
            best = proba.argmax(axis=1).tolist()
            values = [[self._classes[i] for i in best]]
        if self._proba:
            values += proba.T.tolist()
        elif self._multilabel:
            pairs = zip(proba.tolist(), chosen, strict=True)
            values.append([" ".join(str(row[i]) for i in columns) for row, columns in pairs])
        else:
            values.append(proba.max(axis=1).tolist())
        return dict(zip(self.columns, values, strict=True))
