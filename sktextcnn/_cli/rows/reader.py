"""Readers of rows: what those of all formats have in common."""

import difflib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from sktextcnn._cli.errors import InputError
from sktextcnn._cli.rows.bad_rows import BadRows
from sktextcnn._cli.rows.chunks import Chunk, RecordChunk
from sktextcnn._cli.rows.formats import DELIMITERS
from sktextcnn._cli.rows.text_file import TextFile

# More columns than this are not listed in an error.
_MAX_LISTED = 20
_JSON = ("jsonl", "json")


class Record(NamedTuple):
    """A row, its number and its line."""

    number: int
    line: int
    row: dict[str, Any]


class RowReader(ABC):
    """Reads the rows of a file once, in chunks.

    Parameters
    ----------
    name : str
        The path as the user gave it, or "stdin".
    file_format : str
        The format of the file.
    header : list of str or None
        The names of the columns as the file has them; for JSON, those of the first row. None if
        the file has no header.
    n_columns : int
        The number of columns.
    bad_rows : BadRows
        What happens to rows that cannot be used.

    Attributes
    ----------
    columns : list of str
        A name of each column, of which no two are alike: what the header says, or the number of
        the column if it has no name or the file no header.
    label_separator : str or None
        What separates the labels of a row in this format, if it can have several.
    """

    label_separator: str | None = None

    def __init__(
        self,
        name: str,
        file_format: str,
        header: list[str] | None,
        n_columns: int,
        bad_rows: BadRows,
    ) -> None:
        self.name = name
        self.format = file_format
        self.header = header
        self.columns = unique_names(header, n_columns)
        self.bad_rows = bad_rows

    @abstractmethod
    def chunks(self, size: int) -> Iterator[Chunk]:
        """Yield the rows in chunks of at most `size` rows."""

    @property
    def first_row_tells(self) -> bool:
        """Whether no later row can have a column that `columns` lacks."""
        return self.format not in _JSON

    def column(self, name: str, option: str) -> str:
        """Return the one of `columns` that an option gives by its name or its number.

        A name goes before a number.

        Raises
        ------
        InputError
            If there is no such column, or several have the name.
        """
        header = self.header or []
        numbers = [number for number, each in enumerate(header, 1) if each == name]
        if len(numbers) > 1:
            shown = " and ".join(map(str, numbers))
            raise InputError(
                f"{self.name}: the columns {shown} have the name {name!r}. Give the number of one: "
                f"{option} {numbers[0]}."
            )
        if numbers:
            return self.columns[numbers[0] - 1]
        # The columns of JSON have no order that a user could count on.
        if self.format not in _JSON and is_number(name) and 1 <= int(name) <= len(self.columns):
            return self.columns[int(name) - 1]
        raise InputError(f"{self.name}: there is no column {name!r}; {self._hint(name, option)}")

    def _hint(self, name: str, option: str) -> str:
        if self.header is None:
            return (
                f"without a header, columns are given by their number, from 1 to "
                f"{len(self.columns)}: {option} 1."
            )
        shown = ", ".join(self.columns[:_MAX_LISTED])
        if len(self.columns) > _MAX_LISTED:
            shown += ", ..."
        owner = "its first row" if self.format in _JSON else "it"
        return f"{owner} has {shown or 'none'}. {self._remedy(name, option)}"

    def _remedy(self, name: str, option: str) -> str:
        parts = name.split(",")
        if len(parts) > 1 and all(part in self.columns or is_number(part) for part in parts):
            return f"Give several columns one by one: {' '.join(f'{option} {x}' for x in parts)}."
        if self.format in DELIMITERS:
            if self.columns[0].startswith("__label__"):
                return "If this is a file of fastText, give --format fasttext."
            if self.columns[0].lstrip("[").startswith("{"):
                return "If this is JSON, give --format jsonl."
            if len(self.columns) == 1:
                others = [mark for mark in ";,\t|" if mark in self.columns[0]]
                if others:
                    return (
                        f"If {others[0]!r} separates its columns, give --delimiter {others[0]!r}."
                    )
        close = difflib.get_close_matches(name, self.columns, n=1)
        if close:
            return f"Did you mean {close[0]!r}?"
        if self.format in DELIMITERS:
            return f"Choose one with {option}, or give --no-header if the file has no header."
        return f"Choose one with {option}."


class RecordReader(RowReader):
    """Reads the rows of a text file.

    Parameters
    ----------
    name, file_format, header, n_columns, bad_rows
        See `RowReader`.
    records : iterator of Record
        The rows.
    header_lines : int, default=0
        How many lines come before the first row.
    """

    def __init__(
        self,
        name: str,
        file_format: str,
        header: list[str] | None,
        n_columns: int,
        bad_rows: BadRows,
        records: Iterator[Record],
        header_lines: int = 0,
    ) -> None:
        super().__init__(name, file_format, header, n_columns, bad_rows)
        self._records = records
        self._header_lines = header_lines

    def chunks(self, size: int) -> Iterator[Chunk]:
        while records := list(islice(self._records, size)):
            numbers, lines, rows = zip(*records, strict=True)
            yield RecordChunk(
                self.name, self.format, numbers, lines, list(rows), self._header_lines
            )


def without_header(
    records: Iterator[Record], file: TextFile, file_format: str, expected: str
) -> RecordReader:
    """Return a reader whose columns are those of the first row.

    Parameters
    ----------
    records : iterator of Record
        The rows.
    file : TextFile
        The file.
    file_format : str
        See `RowReader`.
    expected : str
        What an empty file should have had, for the error.
    """
    first = next(records, None)
    if first is None:
        if file.bad_rows.count:
            raise InputError(f"{file.name} has no row that can be used: {file.bad_rows.summary()}.")
        raise InputError(f"{file.name} is empty; expected {expected}.")
    header = list(first.row)
    records = chain([first], records)
    return RecordReader(file.name, file_format, header, len(header), file.bad_rows, records)


def is_number(name: str) -> bool:
    """Return whether the name of a column may be its number."""
    return name.isascii() and name.isdecimal() and len(name) < 10


def unique_names(header: Sequence[str] | None, n_columns: int) -> list[str]:
    """Return a name of each column, of which no two are alike.

    A column without a name gets its number; the second one of a name gets it with its number.
    """
    if header is None:
        return [str(number) for number in range(1, n_columns + 1)]
    taken = set(header)
    names: list[str] = []
    seen: set[str] = set()
    for number, given in enumerate(header, 1):
        name = given
        if not given or given in seen:
            name = f"{given}_{number}" if given else str(number)
            while name in taken:
                name += "_"
        taken.add(name)
        seen.add(given)
        names.append(name)
    return names
