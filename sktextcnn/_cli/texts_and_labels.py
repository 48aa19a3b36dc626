"""The texts and labels of rows, validated."""

import argparse
import ast
import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import TYPE_CHECKING, Any, NamedTuple

from sktextcnn._cli.errors import InputError
from sktextcnn._cli.labels import Classes, label_key
from sktextcnn._cli.messages import listed
from sktextcnn._cli.rows import Chunk, ReadOptions, RowReader, open_reader
from sktextcnn._cli.stored_samples import StoredSamples
from sktextcnn._progress import progress_bar

if TYPE_CHECKING:
    import numpy as np


def read_options(args: argparse.Namespace) -> ReadOptions:
    """Return how the arguments of a command say that a file is read."""
    return ReadOptions(
        format=args.format,
        encoding=args.encoding,
        delimiter=args.delimiter,
        quotes=not args.no_quotes,
        escape=args.escape,
        header=not args.no_header,
        skip_bad_rows=args.skip_bad_rows,
    )


# A column of JSON that none of so many rows has is a mistake.
_ROWS_TO_LOOK_AT = 4_000


class Samples(NamedTuple):
    """The rows of a chunk that can be used, their texts, and the labels of each."""

    chunk: Chunk
    texts: list[str]
    labels: list[list[Any]]


class SampleReader:
    """Reads the texts, and the labels if they are asked for, of the rows of a file.

    Parameters
    ----------
    reader : RowReader
        The rows.
    args : argparse.Namespace
        The arguments of the command: the columns, and what to do about missing texts.
    labelled : bool, default=False
        Whether to read labels.
    multilabel : bool or None, default=None
        Whether a text may have several labels or none. None: as the file has them.
    label_option : str, default="--label"
        The option that gave the columns of labels, for messages.

    Attributes
    ----------
    multilabel : bool or None
        The parameter. If it was None, True as soon as it is known that texts can have several
        labels: by --label-separator, several columns of labels, or a list in a row.

    Raises
    ------
    InputError
        If there is no such column. While samples are read: if a text or a label is missing or
        of another type, unless such rows are left out.
    """

    def __init__(
        self,
        reader: RowReader,
        args: argparse.Namespace,
        *,
        labelled: bool = False,
        multilabel: bool | None = None,
        label_option: str = "--label",
    ) -> None:
        self._reader = reader
        self._args = args
        # Columns that the first row of a JSON file lacks.
        self._unseen: list[tuple[str, str]] = []
        skip = args.skip_bad_rows
        self._text_columns = [
            self._column(name, "--text", may_be_missing=args.empty_ok or skip)
            for name in args.text or ["text"]
        ]
        self._label_columns: list[str] = []
        self.multilabel = multilabel
        if labelled:
            self._label_columns = [
                self._column(name, label_option, may_be_missing=skip)
                for name in args.label or ["label"]
            ]
            # A reader whose labels have a separator of their own has joined them by it.
            self._separator = reader.label_separator or args.label_separator
            if len(self._label_columns) > 1 or args.label_separator is not None:
                self.multilabel = multilabel is None or multilabel
        # In csv a missing text is an empty field.
        self._empty_is_missing = reader.format in ("csv", "tsv")

    def _column(self, name: str, option: str, *, may_be_missing: bool) -> str:
        if may_be_missing and not self._reader.first_row_tells:
            if name not in self._reader.columns:
                self._unseen.append((name, option))
            return name
        return self._reader.column(name, option)

    def chunks(self, size: int) -> Iterator[Samples]:
        """Yield the samples of at most `size` rows at a time."""
        n_rows = 0
        for chunk in self._reader.chunks(size):
            n_rows += len(chunk)
            self._look_for_columns(chunk, at_end=n_rows >= _ROWS_TO_LOOK_AT)
            columns = [chunk.values(column) for column in self._text_columns]
            found = [self._text(chunk, i, row) for i, row in enumerate(zip(*columns, strict=True))]
            chunk, texts = _without_none(chunk, found)
            if not self._label_columns:
                yield Samples(chunk, texts, [])
                continue
            columns = [chunk.values(column) for column in self._label_columns]
            labels = [
                self._labels(chunk, i, row) for i, row in enumerate(zip(*columns, strict=True))
            ]
            texts = [text for text, row in zip(texts, labels, strict=True) if row is not None]
            chunk, rows = _without_none(chunk, labels)
            yield Samples(chunk, texts, rows)
        self._look_for_columns(None, at_end=True)

    def _look_for_columns(self, chunk: Chunk | None, *, at_end: bool) -> None:
        """Raise an `InputError` if a column that the first row lacks is in no row until the end."""
        if self._unseen and chunk is not None:
            names = {name for row in chunk.rows for name in row}
            self._unseen = [each for each in self._unseen if each[0] not in names]
        if self._unseen and at_end:
            self._reader.column(*self._unseen[0])  # Raises the error.

    def _text(self, chunk: Chunk, i: int, values: Sequence[Any]) -> str | None:
        """Return the text of row `i`; None if the row is left out."""
        parts = []
        for column, value in zip(self._text_columns, values, strict=True):
            if _is_missing(value) or (self._empty_is_missing and not value):
                continue
            if not isinstance(value, str):
                problem = f"expected a text; got {value!r:.40} of type {type(value).__name__}"
                self._reader.bad_rows.add(chunk.numbers[i], chunk.location(i, column), problem)
                return None
            parts.append(value)
        if not parts and not self._args.empty_ok:
            self._reader.bad_rows.add(
                chunk.numbers[i],
                _location(chunk, i, self._text_columns),
                "the text is missing",
                "Give --empty-ok to treat missing texts as empty.",
            )
            return None
        return " ".join(parts)

    def _labels(self, chunk: Chunk, i: int, values: Sequence[Any]) -> list[Any] | None:
        """Return the labels of row `i`; None if the row is left out."""
        if len(self._label_columns) > 1:
            problem, labels = self._of_indicators(values)
        else:
            problem, labels = self._of_value(values[0])
        if problem is None and self.multilabel is False and len(labels) != 1:
            missing = len(values) == 1 and values[0] == ""
            problem = "the label is missing"
            if not missing:
                problem = f"the model has one label for each text; got {labels!r:.40}"
        if problem is not None:
            location = _location(chunk, i, self._label_columns)
            self._reader.bad_rows.add(chunk.numbers[i], location, problem)
            return None
        return labels

    def _of_indicators(self, values: Sequence[Any]) -> tuple[str | None, list[Any]]:
        """Return the columns that have 1."""
        labels = []
        for column, value in zip(self._label_columns, values, strict=True):
            key = None if _is_missing(value) else label_key(value)
            if key not in ("0", "1", "false", "true"):
                return f"expected 0 or 1 for each label; got {value!r:.40} for {column!r}", []
            if key in ("1", "true"):
                labels.append(column)
        return None, labels

    def _of_value(self, value: Any) -> tuple[str | None, list[Any]]:
        if isinstance(value, str) and (self._separator is not None or self.multilabel):
            value = _written_list(value)
        if isinstance(value, str) and self._separator is not None:
            parts = (part.strip() for part in value.split(self._separator))
            labels = [part for part in parts if part]
        elif value == "" and self.multilabel:
            labels = []
        elif _is_missing(value) or value == "":
            return "the label is missing", []
        else:
            labels = value if isinstance(value, list) else [value]
        for label in labels:
            if _is_missing(label) or label == "":
                return "a label of the list is missing", []
            if not isinstance(label, str | int | float):
                return (
                    f"a label must be a string, a number or a truth value, or a list of these; "
                    f"got {label!r:.40} of type {type(label).__name__}"
                ), []
        if self.multilabel is None and isinstance(value, list):
            self.multilabel = True
        return None, labels


def class_indices(samples: Samples, classes: Classes, args: argparse.Namespace) -> list[list[int]]:
    """Return the labels of samples as indices of the classes of a model.

    Raises
    ------
    InputError
        If a label is not a class of the model.
    """
    indices = []
    for i, labels in enumerate(samples.labels):
        found = [classes.index(label) for label in labels]
        if None in found:
            location = _location(samples.chunk, i, args.label or ["label"])
            unknown = labels[found.index(None)]
            raise InputError(
                f"{location}: the label {unknown!r} is not a class of the model; its classes are "
                f"{listed(classes.names)}.{_separator_hint(unknown, classes)}"
            )
        indices.append([index for index in found if index is not None])
    return indices


def _written_list(text: str) -> Any:
    """Return a list that stands in a field of csv, as JSON or Python write it, or the text."""
    if not (text.startswith("[") and text.endswith("]")):
        return text
    for read in (json.loads, ast.literal_eval):
        with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            value = read(text)
            if isinstance(value, list):
                # Labels in csv are strings.
                return [str(each) if isinstance(each, int | float) else each for each in value]
    return text


def _separator_hint(label: Any, classes: Classes) -> str:
    """Return a hint at --label-separator if a label has the names of several classes."""
    for mark in ",;|/ ":
        parts = [part.strip() for part in str(label).split(mark)]
        if len(parts) > 1 and all(classes.index(part) is not None for part in parts):
            return f" Give --label-separator {mark!r} if this is a list of labels."
    return ""


class TrainingRows(NamedTuple):
    """The rows of a file that can be used, and their labels."""

    #: The numbers of the rows among the samples.
    rows: "np.ndarray"
    #: The label of each number, in the form that it first had.
    labels: list[Any]
    multilabel: bool


def read_training_rows(
    path: str | None, args: argparse.Namespace, samples: StoredSamples
) -> TrainingRows:
    """Read all texts and labels of a file, which must be of one type.

    Parameters
    ----------
    path : str or None
        None and "-" are standard input.
    args : argparse.Namespace
        The arguments of the command.
    samples : StoredSamples
        What the texts are appended to.
    """
    # The form that each label has where it is first, and its number.
    forms: dict[str, Any] = {}
    numbers: dict[str, int] = {}
    # Where rows of fastText have no label, which is an error unless some have several.
    unlabelled: list[tuple[int, str]] = []
    several = False
    with open_reader(path, read_options(args)) as reader:
        sample_reader = SampleReader(reader, args, labelled=True)
        for chunk in with_progress(sample_reader.chunks(args.chunk_size), args, "Reading"):
            for i, labels in enumerate(chunk.labels):
                number = chunk.chunk.numbers[i]
                location = _location(chunk.chunk, i, args.label or ["label"])
                problems = [problem for label in labels if (problem := _learn(label, forms))]
                if problems:
                    reader.bad_rows.add(number, location, problems[0])
                    continue
                keys = dict.fromkeys(map(label_key, labels))
                several = several or len(keys) > 1
                if several:
                    unlabelled.clear()
                elif not labels:
                    unlabelled.append((number, location))
                samples.append(
                    chunk.texts[i], [numbers.setdefault(key, len(numbers)) for key in keys]
                )
        multilabel = several or bool(sample_reader.multilabel)
        rows = samples.n_labels() >= (0 if multilabel else 1)
        if not multilabel:
            for number, location in unlabelled:
                reader.bad_rows.add(number, location, "the label is missing")
        check_any(rows.nonzero()[0], reader)
    return TrainingRows(rows.nonzero()[0], [forms[key] for key in numbers], multilabel)


def rows_of_classes(
    path: str, args: argparse.Namespace, classes: Classes, multilabel: bool
) -> Iterator[tuple[str, list[int]]]:
    """Yield all texts of a file, each with the indices of its labels among known classes.

    Parameters
    ----------
    path : str
        The file.
    args : argparse.Namespace
        The arguments of the command.
    classes : Classes
        The classes; a label that is not one of them is an error.
    multilabel : bool
        Whether a text may have several labels or none.
    """
    n_texts = 0
    with open_reader(path, read_options(args)) as reader:
        sample_reader = SampleReader(reader, args, labelled=True, multilabel=multilabel)
        for samples in with_progress(sample_reader.chunks(args.chunk_size), args, "Reading"):
            yield from zip(samples.texts, class_indices(samples, classes, args), strict=True)
            n_texts += len(samples.texts)
        check_any(range(n_texts), reader)


def encoded(rows: Sequence[Sequence[int]], n_classes: int, multilabel: bool) -> "np.ndarray":
    """Return the index of the class of each text, or an indicator matrix of its labels.

    Parameters
    ----------
    rows : sequence of sequence of int
        The indices of the labels of each text.
    n_classes : int
        The number of classes.
    multilabel : bool
        Whether a text may have several labels or none.
    """
    import numpy as np

    if not multilabel:
        return np.array([row[0] for row in rows], dtype=np.int64)
    indicator = np.zeros((len(rows), n_classes), dtype=np.int8)
    for i, row in enumerate(rows):
        indicator[i, list(row)] = 1
    return indicator


def check_any(texts: Sized, reader: RowReader) -> None:
    """Raise an `InputError` if there are no texts."""
    if len(texts):
        return
    if reader.bad_rows.count:
        summary = reader.bad_rows.summary()
        raise InputError(f"{reader.name} has no row that can be used: {summary}.")
    raise InputError(f"{reader.name} has no rows.")


def with_progress(
    chunks: Iterable[Samples], args: argparse.Namespace, what: str, *, printing: bool = False
) -> Iterator[Samples]:
    """Yield samples, and count them on stderr if they take long, unless --quiet is given.

    Parameters
    ----------
    chunks : iterable of Samples
        The samples of a file.
    args : argparse.Namespace
        The arguments of the command.
    what : str
        What the command does with them.
    printing : bool, default=False
        Whether it prints meanwhile. A bar would stand between its lines in a terminal, and the
        program that reads them elsewhere expects nothing on stderr.
    """
    shown = not args.quiet
    if printing:
        shown = shown and sys.stderr.isatty() and not sys.stdout.isatty()
    with progress_bar(shown=shown, slow=True, desc=what, unit=" rows") as bar:
        for samples in chunks:
            yield samples
            bar.update(len(samples.texts))


def _learn(label: Any, forms: dict[str, Any]) -> str | None:
    """Add a label to the forms of labels by their key, or return why it cannot be a class."""
    if label_key(label) in forms:
        return None
    if not isinstance(label, str):
        if not (label % 1 == 0 and -(2**63) <= label < 2**63):
            return (
                f"a label that is a number must be an integer of at most 64 bits, and others must "
                f"be strings; got {label!r:.40}"
            )
        if isinstance(label, float):  # Such as pandas writes integers beside missing ones.
            label = int(label)
    first = next(iter(forms.values()), label)
    if type(label) is not type(first):
        return (
            f"the label {label!r:.40} is of type {type(label).__name__}, but the first label, "
            f"{first!r:.40}, is of type {type(first).__name__}"
        )
    forms[label_key(label)] = label
    return None


def _is_missing(value: Any) -> bool:
    # NaN, which JSON and Parquet can have, differs from itself.
    return value is None or bool(value != value)


def _location(chunk: Chunk, i: int, columns: Sequence[str]) -> str:
    if len(columns) == 1:
        return chunk.location(i, columns[0])
    return f"{chunk.row_location(i)}, columns {', '.join(map(repr, columns))}"


def _without_none(chunk: Chunk, values: Sequence[Any]) -> tuple[Chunk, list[Any]]:
    """Return the rows of a chunk that have a value, and the values."""
    kept = [i for i, value in enumerate(values) if value is not None]
    if len(kept) < len(values):
        chunk = chunk.select(kept)
    return chunk, [values[i] for i in kept]
