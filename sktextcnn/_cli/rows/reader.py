"""Readers of rows: what those of all formats have in common."""

import difflib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from sktextcnn._cli.errors import InputError
from sktextcnn._cli.rows.chunks import Chunk, RecordChunk
from sktextcnn._cli.rows.formats import DELIMITERS

#: The line of a row, and the row.
Record = tuple[int, dict[str, Any]]

# More columns than this are not listed in an error.
_MAX_LISTED = 20


class RowReader(ABC):
    """Reads the rows of a file once, in chunks.

    Parameters
    ----------
    name : str
        The path as the user gave it, or "stdin".
    file_format : str
        The format of the file.
    columns : list of str
        The names of the columns; for JSON lines, those of the first row.

    Raises
    ------
    InputError
        If two columns have the same name.
    """

    def __init__(self, name: str, file_format: str, columns: list[str]) -> None:
        self.name = name
        self.format = file_format
        self.columns = columns
        _check_unique(name, columns)

    @abstractmethod
    def chunks(self, size: int) -> Iterator[Chunk]:
        """Yield the rows in chunks of at most `size` rows."""

    def check_column(self, column: str, option: str) -> None:
        """Raise an `InputError` if the file does not have the column that an option names."""
        if column in self.columns:
            return
        shown = ", ".join(self.columns[:_MAX_LISTED])
        if len(self.columns) > _MAX_LISTED:
            shown += ", ..."
        owner = "its first row" if self.format == "jsonl" else "it"
        close = difflib.get_close_matches(column, self.columns, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Choose one with {option}."
        if len(self.columns) == 1 and self.format in DELIMITERS:
            others = [mark for mark in ";,\t|" if mark in self.columns[0]]
            if others:
                hint = f"If {others[0]!r} separates its columns, give --delimiter {others[0]!r}."
        raise InputError(
            f"{self.name}: there is no column {column!r}; {owner} has {shown or 'none'}. {hint}"
        )


class RecordReader(RowReader):
    """Reads the rows of a text file.

    Parameters
    ----------
    name, file_format, columns
        See `RowReader`.
    records : iterator of (int, dict)
        The line of each row, and the row.
    header_lines : int, default=0
        How many lines the header has.
    """

    def __init__(
        self,
        name: str,
        file_format: str,
        columns: list[str],
        records: Iterator[Record],
        header_lines: int = 0,
    ) -> None:
        super().__init__(name, file_format, columns)
        self._records = records
        self._header_lines = header_lines

    def chunks(self, size: int) -> Iterator[Chunk]:
        first_row = 1
        while records := list(islice(self._records, size)):
            lines, rows = zip(*records, strict=True)
            yield RecordChunk(
                self.name, self.format, first_row, lines, list(rows), self._header_lines
            )
            first_row += len(rows)


def without_header(
    records: Iterator[Record], name: str, file_format: str, expected: str
) -> RecordReader:
    """Return a reader whose columns are those of the first row.

    Parameters
    ----------
    records : iterator of (int, dict)
        The line of each row, and the row.
    name, file_format : str
        See `RowReader`.
    expected : str
        What an empty file should have had, for the error.
    """
    first = next(records, None)
    if first is None:
        raise InputError(f"{name} is empty; expected {expected}.")
    return RecordReader(name, file_format, list(first[1]), chain([first], records))


def _check_unique(name: str, columns: Sequence[str]) -> None:
    seen: set[str] = set()
    for column in columns:
        if column in seen:
            raise InputError(f"{name}: two columns have the name {column!r}; rename one.")
        seen.add(column)
