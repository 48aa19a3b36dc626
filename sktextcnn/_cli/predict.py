"""``sktextcnn predict``."""

import argparse
import os
import sys
import time
from types import GenericAlias
from typing import Any

from sktextcnn._cli.arguments import (
    Commands,
    add_chunk_size,
    add_command,
    add_data,
    add_label_separator,
    add_model,
    add_quiet,
    add_rows,
    positive_integer,
)
from sktextcnn._cli.errors import InputError
from sktextcnn._cli.messages import counted, print_summary
from sktextcnn._cli.models import load_model
from sktextcnn._cli.outputs import check_not_input
from sktextcnn._cli.rows import (
    DELIMITERS,
    OUTPUT_FORMATS,
    RowReader,
    format_of_path,
    open_output,
    open_reader,
    open_writer,
)
from sktextcnn._cli.texts_and_labels import SampleReader, read_options, with_progress

_EPILOG = """\
The output has all columns of the input, and two more: prediction, and the probability of the
predicted class. Memory does not grow with the number of rows. For a multilabel model, the
predicted labels of a text are a list, and so are their probabilities; in csv and tsv they are
joined by --label-separator. Rows that --skip-bad-rows leaves out are not in the output.
Probabilities have six significant digits, and all their digits in Parquet.

examples:
  sktextcnn predict model.sktextcnn new.csv --text review -o labelled.csv
  sktextcnn predict model.sktextcnn new.csv --text review --proba -o labelled.parquet
  sktextcnn predict model.sktextcnn new.csv --text review --top 2 -o labelled.csv
  cat new.csv | sktextcnn predict model.sktextcnn --text review > labelled.csv
  echo "a gorgeous, witty movie" | sktextcnn predict model.sktextcnn --format txt
"""

# Of a probability, except in Parquet, where a number takes no more room for more of them.
_DIGITS = 6


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
    columns = parser.add_mutually_exclusive_group()
    columns.add_argument(
        "--proba", action="store_true", help="add a column with the probability of each class"
    )
    columns.add_argument(
        "--top",
        type=positive_integer,
        metavar="K",
        help="add the K most probable classes, as prediction_1, probability_1, prediction_2, ...",
    )
    parser.add_argument(
        "--prefix", default="", help="prefix of the names of the new columns (default: '')"
    )
    add_label_separator(
        parser,
        "what is between the predicted labels of a text in csv and tsv, for a multilabel model "
        "(default: a space)",
    )
    add_quiet(parser)
    add_chunk_size(parser)


def predict(args: argparse.Namespace) -> None:
    """Copy rows, with the predictions for their texts."""
    if args.output is not None:
        check_not_input(args.output, args.model)
    with open_reader(args.data, read_options(args)) as reader:
        sample_reader = SampleReader(reader, args)
        file_format = _output_format(args, reader)
        labeller = _Labeller(load_model(args.model, quiet=args.quiet), args, file_format)
        for name in labeller.columns:
            if name in reader.columns:
                raise InputError(
                    f"{reader.name} has a column {name!r} already. Give --prefix to rename the "
                    f"new columns."
                )
        start, n_rows = time.perf_counter(), 0
        with (
            open_output(args.output) as file,
            open_writer(file, file_format, reader, labeller.columns) as writer,
        ):
            chunks = sample_reader.chunks(args.chunk_size)
            printing = args.output in (None, "-")
            for samples in with_progress(chunks, args, "Predicting", printing=printing):
                if samples.texts:
                    writer.write(samples.chunk, labeller(samples.texts))
                n_rows += len(samples.texts)
    if args.output not in (None, "-"):
        seconds = time.perf_counter() - start
        wrote = f"Wrote {counted(n_rows, 'prediction')} to {args.output}"
        print_summary(args, f"{wrote} in {seconds:.1f} s.")


def _output_format(args: argparse.Namespace, reader: RowReader) -> str:
    to_stdout = args.output in (None, "-")
    file_format = args.output_format
    if file_format is None:
        file_format = None if to_stdout else format_of_path(args.output)
        if file_format is None:
            if not to_stdout and (suffix := os.path.splitext(args.output)[1]):
                raise InputError(
                    f"{args.output}: {suffix} is not the suffix of a format; predict writes .csv "
                    f".tsv .jsonl .json .parquet. Or give --output-format."
                )
            return reader.format if reader.format in OUTPUT_FORMATS else "csv"
    if file_format not in OUTPUT_FORMATS:
        raise InputError(f"{args.output}: predict writes csv, tsv, jsonl, json or parquet.")
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
    args : argparse.Namespace
        The arguments of the command: which columns are added, what their names begin with, and
        what is between several labels.
    file_format : str
        The format of the output. In csv and tsv several labels are joined in a string; in others
        they are lists. Only Parquet has more than six digits of a probability.

    Attributes
    ----------
    columns : dict of str to type
        The names and types of the columns.

    Raises
    ------
    InputError
        If joined labels could not be told apart, or --top is given for several labels.
    """

    def __init__(self, model: Any, args: argparse.Namespace, file_format: str) -> None:
        self._model = model
        self._proba = args.proba
        self._separator = args.label_separator or " "
        classifier = model.steps[-1][1]
        self._multilabel = classifier.net_.multilabel
        self._classes = classifier.classes_.tolist()
        self._joined = file_format in DELIMITERS and self._multilabel
        self._rounded = file_format != "parquet"
        if self._joined:
            self._check_separator(args)
        self.columns: dict[str, Any] = {}
        kind: Any = type(self._classes[0])
        name = f"{args.prefix}probability"
        self._top = args.top and min(args.top, len(self._classes))
        if self._top:
            if self._multilabel:
                raise InputError(
                    f"{args.model}: --top is for models with one class for each text, but here a "
                    f"text can have several labels. Give --proba, which has that of each label."
                )
            for number in range(1, self._top + 1):
                self.columns[f"{args.prefix}prediction_{number}"] = kind
                self.columns[f"{name}_{number}"] = float
            return
        self.columns[f"{args.prefix}prediction"] = self._kind_of(kind)
        if self._proba:
            self.columns |= {f"{name}_{label}": float for label in self._classes}
        else:
            self.columns[name] = self._kind_of(float)

    def _kind_of(self, kind: Any) -> Any:
        if self._joined:
            return str
        return GenericAlias(list, kind) if self._multilabel else kind

    def _check_separator(self, args: argparse.Namespace) -> None:
        for label in map(str, self._classes):
            if self._separator in label:
                raise InputError(
                    f"{args.model}: the label {label!r} contains {self._separator!r}, which would "
                    f"separate the predicted labels of a text. Give another --label-separator, or "
                    f"write .jsonl."
                )

    def _several(self, values: list[Any]) -> Any:
        return self._separator.join(map(str, values)) if self._joined else values

    def _numbers(self, proba: Any) -> list[Any]:
        """Return probabilities as they are written; what they say was decided before."""
        numbers = proba.tolist()
        return [float(f"{each:.{_DIGITS}g}") for each in numbers] if self._rounded else numbers

    def __call__(self, texts: list[str]) -> dict[str, list[Any]]:
        proba = self._model.predict_proba(texts)
        values: list[list[Any]] = []
        if self._top:
            # Of equal ones the first is first, as argmax has it.
            order = (-proba).argsort(axis=1, kind="stable")[:, : self._top]
            for column in order.T:
                values.append([self._classes[i] for i in column.tolist()])
                values.append(self._numbers(proba[range(len(proba)), column]))
            return dict(zip(self.columns, values, strict=True))
        if self._multilabel:
            chosen = [(row > 0.5).nonzero()[0].tolist() for row in proba]
            values.append([self._several([self._classes[i] for i in row]) for row in chosen])
        else:
            values.append([self._classes[i] for i in proba.argmax(axis=1).tolist()])
        if self._proba:
            values += [self._numbers(column) for column in proba.T]
        elif self._multilabel:
            pairs = zip(proba, chosen, strict=True)
            values.append([self._several(self._numbers(row[columns])) for row, columns in pairs])
        else:
            values.append(self._numbers(proba.max(axis=1)))
        return dict(zip(self.columns, values, strict=True))
