"""csv and tsv."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from sktextcnn._cli.errors import InputError
from sktextcnn._cli.rows.chunks import Chunk, row_location
from sktextcnn._cli.rows.formats import DELIMITERS, ReadOptions
from sktextcnn._cli.rows.json_lines import to_json
from sktextcnn._cli.rows.reader import Record, RecordReader, RowReader
from sktextcnn._cli.rows.writer import RowWriter, check_known_columns, rows_with

# A quotation mark that is not closed makes a field of the rest of the file, which would fill the
# memory.
_MAX_FIELD_SIZE = 100_000_000


def read_delimited(
    lines: Iterator[str], name: str, file_format: str, options: ReadOptions
) -> RecordReader:
    """Read the header of csv or tsv, and return a reader of its rows."""
    csv.field_size_limit(_MAX_FIELD_SIZE)
    reader = csv.reader(
        lines,
        delimiter=options.delimiter or DELIMITERS[file_format],
        quoting=csv.QUOTE_MINIMAL if options.quotes else csv.QUOTE_NONE,
        strict=True,
    )
    columns: list[str] = []
    while not columns:
        fields = _next_fields(reader, name, "the header")
        if fields is None:
            raise InputError(f"{name} is empty; expected a header with the names of the columns.")
        columns = fields
    if any("\0" in column for column in columns):
        order = "be" if columns[0].startswith("\0") else "le"
        raise InputError(
            f"{name}: the header has NUL characters. If the file is UTF-16, give --encoding "
            f"utf-16-{order}."
        )
    header_lines = reader.line_num
    records = _records(reader, name, columns, header_lines)
    return RecordReader(name, file_format, columns, records, header_lines)


def _records(reader: Any, name: str, columns: list[str], header_lines: int) -> Iterator[Record]:
    row = 1
    while True:
        line = reader.line_num + 1
        fields = _next_fields(reader, name, f"row {row}")
        if fields is None:
            return
        if not fields:
            continue
        if len(fields) != len(columns):
            raise InputError(
                f"{row_location(name, row, line, header_lines)}: the row has {len(fields)} "
                f"{'field' if len(fields) == 1 else 'fields'}, but the header has {len(columns)}."
            )
        yield line, dict(zip(columns, fields, strict=True))
        row += 1


def _next_fields(reader: Any, name: str, what: str) -> list[str] | None:
    """Return the next fields, or None at the end of the file."""
    line = reader.line_num + 1
    try:
        return next(reader, None)
    except csv.Error as error:
        raise InputError(
            f"{name}, {what}, from line {line} on: a quotation mark is not closed, or not doubled "
            f"inside a quoted field ({error}). If quotation marks are ordinary characters in this "
            f"file, give --no-quotes."
        ) from error


class DelimitedWriter(RowWriter):
    """Writes csv or tsv.

    Parameters
    ----------
    file : binary file
        Where to write.
    file_format : {"csv", "tsv"}
        The format.
    source : RowReader
        Where the rows come from.
    added : mapping of str to type
        The added columns.
    options : ReadOptions
        The delimiter of the source is kept if it is csv or tsv too, and so are its quotes.
    """

    def __init__(
        self,
        file: BinaryIO,
        file_format: str,
        source: RowReader,
        added: Mapping[str, type],
        options: ReadOptions,
    ) -> None:
        super().__init__(file)
        self._columns = [*source.columns, *added]
        self._known = set(self._columns)
        delimiter = options.delimiter if source.format in DELIMITERS else None
        self._writer = csv.writer(
            _Utf8Lines(file),
            delimiter=delimiter or DELIMITERS[file_format],
            quoting=csv.QUOTE_MINIMAL if options.quotes else csv.QUOTE_NONE,
            quotechar='"' if options.quotes else None,
            # Every version of Python quotes the characters of the line terminator; other line
            # ends within a field are quoted by some versions only.
            lineterminator="\r\n",
        )
        self._write_fields(self._columns, source.name)

    def _write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        for i, row in enumerate(rows_with(chunk, added)):
            check_known_columns(chunk, i, row, self._known)
            fields = [_to_field(row.get(name)) for name in self._columns]
            self._write_fields(fields, chunk.row_location(i))

    def _write_fields(self, fields: Sequence[str], location: str) -> None:
        try:
            self._writer.writerow(fields)
        except csv.Error as error:
            raise InputError(
                f"{location}: a field cannot be written without quotes ({error}). Leave out "
                f"--no-quotes, or write .jsonl."
            ) from error


class _Utf8Lines:
    """Encodes the lines of csv's writer, and ends them by a single line feed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        line = text.removesuffix("\r\n") + "\n"
        self._file.write(line.encode("utf-8", "backslashreplace"))


def _to_field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return to_json(value)
    return str(value)
