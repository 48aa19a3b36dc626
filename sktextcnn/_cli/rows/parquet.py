"""Parquet, by pyarrow, which is imported when it is needed."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from types import GenericAlias
from typing import Any, BinaryIO

from sktextcnn._cli.errors import InputError
from sktextcnn._cli.rows.bad_rows import BadRows
from sktextcnn._cli.rows.chunks import ArrowChunk, Chunk
from sktextcnn._cli.rows.reader import RowReader
from sktextcnn._cli.rows.writer import RowWriter, check_known_columns, rows_with


def _import_pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InputError("Parquet needs pyarrow: pip install 'sktextcnn[parquet]'.") from error
    return pyarrow


# Reading ------------------------------------------------------------------------------


@contextlib.contextmanager
def open_parquet(file: BinaryIO, name: str, bad_rows: BadRows) -> Iterator["ParquetReader"]:
    """Open a Parquet file.

    Parameters
    ----------
    file : binary file
        A seekable file.
    name : str
        Its name, for errors.
    bad_rows : BadRows
        What happens to rows that cannot be used.
    """
    pyarrow = _import_pyarrow()
    try:
        # The buffer of pre_buffer would hold whole files.
        parquet = pyarrow.parquet.ParquetFile(file, pre_buffer=False)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{name}: this is not a Parquet file ({error}).") from error
    with parquet:
        yield ParquetReader(name, parquet, bad_rows)


class ParquetReader(RowReader):
    """Reads the rows of a Parquet file.

    Parameters
    ----------
    name : str
        See `RowReader`.
    parquet : pyarrow.parquet.ParquetFile
        The file.
    bad_rows : BadRows
        See `RowReader`.
    """

    def __init__(self, name: str, parquet: Any, bad_rows: BadRows) -> None:
        names = parquet.schema_arrow.names
        super().__init__(name, "parquet", names, len(names), bad_rows)
        self._parquet = parquet

    @property
    def schema(self) -> Any:
        """The names and types of the columns, a pyarrow.Schema."""
        return self._parquet.schema_arrow

    def chunks(self, size: int) -> Iterator[Chunk]:
        first_row = 1
        for batch in self._batches(size):
            numbers = range(first_row, first_row + batch.num_rows)
            yield ArrowChunk(self.name, self.format, numbers, batch, self.columns)
            first_row += batch.num_rows

    def _batches(self, size: int) -> Iterator[Any]:
        pyarrow = _import_pyarrow()
        try:
            yield from self._parquet.iter_batches(batch_size=size)
        except (pyarrow.ArrowException, OSError) as error:
            raise InputError(f"{self.name}: the Parquet file is damaged ({error}).") from error


# Writing ------------------------------------------------------------------------------


def parquet_writer(file: BinaryIO, source: RowReader, added: Mapping[str, type]) -> RowWriter:
    """Return a writer of the rows of any reader.

    Parameters
    ----------
    file : binary file
        Where to write.
    source : RowReader
        Where the rows come from.
    added : mapping of str to type
        The added columns: str, int, float, bool, or lists of these.
    """
    if isinstance(source, ParquetReader):
        return _ArrowWriter(file, source, added)
    return _RecordWriter(file, source, added)


class _ParquetWriter(RowWriter):
    def __init__(self, file: BinaryIO, added: Mapping[str, type]) -> None:
        super().__init__(file)
        pyarrow = self._pyarrow = _import_pyarrow()
        one = {
            str: pyarrow.string(),
            int: pyarrow.int64(),
            float: pyarrow.float64(),
            bool: pyarrow.bool_(),
        }
        several: dict[Any, Any] = {
            GenericAlias(list, kind): pyarrow.list_(of_arrow) for kind, of_arrow in one.items()
        }
        self._types: dict[Any, Any] = {**one, **several}
        self._added = [pyarrow.field(name, self._types[kind]) for name, kind in added.items()]
        self._schema: Any = None
        self._writer: Any = None

    def _open(self, fields: list[Any], metadata: Any = None) -> None:
        self._schema = self._pyarrow.schema([*fields, *self._added], metadata)
        self._writer = self._pyarrow.parquet.ParquetWriter(self._file, self._schema)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class _ArrowWriter(_ParquetWriter):
    """Copies the batches of a Parquet file, whose types and metadata stay as they are."""

    def __init__(self, file: BinaryIO, source: ParquetReader, added: Mapping[str, type]) -> None:
        super().__init__(file, added)
        self._open([*source.schema], source.schema.metadata)

    def _write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        assert isinstance(chunk, ArrowChunk)  # A Parquet file has no other chunks.
        pyarrow = self._pyarrow
        new = [pyarrow.array(added[field.name], type=field.type) for field in self._added]
        batch = pyarrow.RecordBatch.from_arrays([*chunk.batch.columns, *new], schema=self._schema)
        self._writer.write_batch(batch)


class _RecordWriter(_ParquetWriter):
    """Writes the rows of a text file.

    The columns of csv, tsv and txt are strings. Those of JSON lines have the types of the first
    chunk.
    """

    def __init__(self, file: BinaryIO, source: RowReader, added: Mapping[str, type]) -> None:
        super().__init__(file, added)
        self._known = {*source.columns, *added}
        if source.format not in ("jsonl", "json"):
            fields = [self._pyarrow.field(name, self._types[str]) for name in source.columns]
            self._open(fields)

    def _write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        pyarrow = self._pyarrow
        for i, row in enumerate(chunk.rows):
            check_known_columns(chunk, i, row, self._known)
        try:
            if self._writer is None:
                self._open([*pyarrow.Table.from_pylist(chunk.rows).schema])
            rows = list(rows_with(chunk, added))
            stored = pyarrow.Table.from_pylist(rows, schema=self._schema)
            _check_stored(chunk, rows, stored.to_pylist())
            self._writer.write_table(stored)
        except (pyarrow.ArrowException, ValueError, OverflowError) as error:
            raise InputError(
                f"{chunk.row_location(0)}: from this row on, a column has values of different "
                f"types ({error}). Write .jsonl."
            ) from error


def _check_stored(
    chunk: Chunk, rows: Sequence[Mapping[str, Any]], stored: Sequence[Mapping[str, Any]]
) -> None:
    """Raise an `InputError` if the column's type lost a part of a value.

    A column of integers loses the fraction of 2.5; one of objects loses a key that the objects
    of the first chunk do not have.
    """
    for i, (row, kept) in enumerate(zip(rows, stored, strict=True)):
        for name, value in row.items():
            if not _is_kept(value, kept[name]):
                raise InputError(
                    f"{chunk.location(i, name)}: {value!r:.40} does not fit the type that the "
                    f"column has in the rows above. Write .jsonl."
                )


def _is_kept(value: Any, kept: Any) -> bool:
    if isinstance(value, dict):
        return all(key in kept and _is_kept(value[key], kept[key]) for key in value)
    if isinstance(value, list):
        return all(_is_kept(*pair) for pair in zip(value, kept, strict=True))
    return bool(value == kept or value != value)
