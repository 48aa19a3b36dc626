"""Chunks: some consecutive rows of a file, as dicts or as an Arrow batch."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from sktextcnn._cli.errors import InputError


class Chunk(ABC):
    """Some consecutive rows of a file.

    Parameters
    ----------
    name : str
        The name of the file, for errors.
    file_format : str
        The format of the file.
    numbers : sequence of int
        The number of each row in the file, counted from 1.
    """

    def __init__(self, name: str, file_format: str, numbers: Sequence[int]) -> None:
        self.name = name
        self.format = file_format
        self.numbers = numbers

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def rows(self) -> list[dict[str, Any]]:
        """The rows, each a dict of column to value."""

    @abstractmethod
    def values(self, column: str) -> list[Any]:
        """Return the values of a column, with None where a row has no value."""

    @abstractmethod
    def select(self, kept: Sequence[int]) -> "Chunk":
        """Return some rows of the chunk, by their indices."""

    def row_location(self, i: int) -> str:
        """Return the file and the number of row `i` of the chunk, for errors."""
        return row_location(self.name, self.numbers[i])

    def location(self, i: int, column: str) -> str:
        """Return the file, the row and the column of a value, for errors."""
        return f"{self.row_location(i)}, column {column!r}"


class RecordChunk(Chunk):
    """Rows of a text file.

    Parameters
    ----------
    name, file_format, numbers
        See `Chunk`.
    lines : sequence of int
        The line of each row.
    rows : list of dict
        The rows.
    header_lines : int
        How many lines the header has.
    """

    def __init__(
        self,
        name: str,
        file_format: str,
        numbers: Sequence[int],
        lines: Sequence[int],
        rows: list[dict[str, Any]],
        header_lines: int,
    ) -> None:
        super().__init__(name, file_format, numbers)
        self._lines = lines
        self._rows = rows
        self._header_lines = header_lines

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self._rows

    def values(self, column: str) -> list[Any]:
        return [row.get(column) for row in self._rows]

    def select(self, kept: Sequence[int]) -> Chunk:
        return RecordChunk(
            self.name,
            self.format,
            [self.numbers[i] for i in kept],
            [self._lines[i] for i in kept],
            [self._rows[i] for i in kept],
            self._header_lines,
        )

    def row_location(self, i: int) -> str:
        return row_location(self.name, self.numbers[i], self._lines[i], self._header_lines)


class ArrowChunk(Chunk):
    """Rows of a Parquet file.

    Parameters
    ----------
    name, file_format, numbers
        See `Chunk`.
    batch : pyarrow.RecordBatch
        The rows.
    names : list of str
        A name of each column, of which no two are alike.
    """

    def __init__(
        self, name: str, file_format: str, numbers: Sequence[int], batch: Any, names: list[str]
    ) -> None:
        super().__init__(name, file_format, numbers)
        self.batch = batch
        self._names = names

    def __len__(self) -> int:
        return self.batch.num_rows

    @property
    def rows(self) -> list[dict[str, Any]]:
        columns = zip(*map(self.values, self._names), strict=True)
        return [dict(zip(self._names, values, strict=True)) for values in columns]

    def select(self, kept: Sequence[int]) -> Chunk:
        # Such a chunk was read by pyarrow.
        import pyarrow

        batch = self.batch.take(pyarrow.array(kept, type=pyarrow.int64()))
        names = self._names
        return ArrowChunk(self.name, self.format, [self.numbers[i] for i in kept], batch, names)

    def values(self, column: str) -> list[Any]:
        values = self.batch.column(self._names.index(column))
        try:
            return values.to_pylist()
        # Such as a year outside of the range of Python's dates, or text that is not UTF-8.
        except (ValueError, OverflowError) as error:
            location = self.location(_first_unreadable(values), column)
            raise InputError(f"{location}: the value cannot be read ({error}).") from error


def _first_unreadable(values: Any) -> int:
    for i, value in enumerate(values):
        try:
            value.as_py()
        except (ValueError, OverflowError):
            return i
    return 0


def row_location(name: str, row: int, line: int | None = None, header_lines: int = 0) -> str:
    """Return the file and the number of a row, and its line if the number does not tell it."""
    at = "" if line is None or line == row + header_lines else f" (line {line})"
    return f"{name}, row {row}{at}"
