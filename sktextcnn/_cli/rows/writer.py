"""Writers of rows: what those of all formats have in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from sktextcnn._cli.errors import InputError
from sktextcnn._cli.rows.chunks import Chunk


class RowWriter(ABC):
    """Writes rows with added columns; a context manager that ends the output.

    Parameters
    ----------
    file : binary file
        Flushed after each chunk.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        """Write the rows of a chunk, with the values of the added columns."""
        self._write(chunk, added)
        self._file.flush()

    @abstractmethod
    def _write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None: ...

    def close(self) -> None:  # noqa: B027
        """Write what the format has after the last row. The file stays open."""

    def __enter__(self) -> "RowWriter":
        return self

    def __exit__(self, error: type[BaseException] | None, *_: Any) -> None:
        self.close()


def rows_with(chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a chunk, with the values of the added columns."""
    values = zip(*added.values(), strict=True)
    for i, (row, new) in enumerate(zip(chunk.rows, values, strict=True)):
        if not added.keys().isdisjoint(row):
            name = next(name for name in added if name in row)
            raise InputError(
                f"{chunk.location(i, name)}: predict would add this column, but the row has it "
                f"already. Give --prefix to rename the new columns."
            )
        yield {**row, **dict(zip(added, new, strict=True))}


def check_known_columns(chunk: Chunk, i: int, row: Mapping[str, Any], known: set[str]) -> None:
    """Raise an `InputError` if row `i` has a column that the first row does not have."""
    if len(row) > len(known) or not row.keys() <= known:
        new = next(name for name in row if name not in known)
        raise InputError(
            f"{chunk.location(i, new)}: the first row does not have this column, so the output "
            f"does not either. Write .jsonl, where each row has its own columns."
        )
