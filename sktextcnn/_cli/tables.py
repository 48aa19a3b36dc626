"""Rows with named columns, read from files and pipes piece by piece, and written again.

A reader holds one chunk of rows at a time, so that a file may be larger than memory. Rows are
counted from 1, below the header; errors name the file, the row and the column.
"""

import contextlib
import csv
import difflib
import io
import json
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

from sktextcnn._state import written_whole

FORMATS = ("csv", "tsv", "jsonl", "parquet", "txt")
_FORMAT_OF = {f".{name}": name for name in FORMATS} | {".ndjson": "jsonl", ".pq": "parquet"}
_DELIMITER_OF = {"csv": ",", "tsv": "\t"}

#: The one column of a file of plain lines.
LINES_COLUMN = "text"

# A longer field is one whose quotation mark is not closed, and would fill the memory.
_LONGEST_FIELD = 100_000_000
# What bytes become that the encoding does not know.
_UNDECODED = re.compile("[\udc80-\udcff]")
_SHOWN = 20


class InputError(Exception):
    """What the user can mend, said in one line."""


@dataclass(frozen=True)
class Dialect:
    """How a file is to be read: the options of the command line.

    Attributes
    ----------
    format : str or None
        One of `FORMATS`; None for what the name of the file ends in.
    encoding : str
        Of text files. "utf-8-sig" is UTF-8 with or without a byte order mark.
    delimiter : str or None
        Between the fields of csv and tsv; None for that of the format.
    quotes : bool
        Whether quotation marks around a field of csv and tsv are no part of it.
    """

    format: str | None = None
    encoding: str = "utf-8-sig"
    delimiter: str | None = None
    quotes: bool = True


@dataclass
class Chunk:
    """Some rows of a table.

    Attributes
    ----------
    name, form : str
        The table's name and format.
    first : int
        The number of the first row.
    lines : sequence of int
        The line of each row, or nothing where there are no lines.
    batch : pyarrow.RecordBatch or None
        The rows as Parquet has them.
    """

    name: str
    form: str
    first: int
    own_rows: list[dict[str, Any]] | None = None
    lines: Sequence[int] = ()
    header_lines: int = 0
    batch: Any = None

    def __len__(self) -> int:
        return self.batch.num_rows if self.own_rows is None else len(self.own_rows)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows, by column."""
        if self.own_rows is not None:
            return self.own_rows
        names = self.batch.schema.names
        columns = zip(*map(self.values, names), strict=True)
        return [dict(zip(names, values, strict=True)) for values in columns]

    def values(self, column: str) -> list[Any]:
        """The values of a column; None where a row has none."""
        if self.own_rows is not None:
            return [row.get(column) for row in self.own_rows]
        values = self.batch.column(column)
        try:
            return values.to_pylist()
        # Such as a year that Python's dates do not reach, or text that is not UTF-8.
        except (ValueError, OverflowError) as error:
            where = self.where(_first_unreadable(values), column)
            raise InputError(f"{where}: the value cannot be read ({error}).") from error

    def where(self, i: int, column: str) -> str:
        """The place of a value, for errors."""
        return f"{self.where_row(i)}, column {column!r}"

    def where_row(self, i: int) -> str:
        """The place of a row, for errors."""
        row = self.first + i
        line = self.lines[i] if self.lines else None
        return _place(self.name, row, line, self.header_lines)


def _first_unreadable(values: Any) -> int:
    for i, value in enumerate(values):
        try:
            value.as_py()
        except (ValueError, OverflowError):
            return i
    return 0


def _place(name: str, row: int, line: int | None, header_lines: int) -> str:
    """A row by its number, and by its line where that is not the obvious one."""
    at = "" if line is None or line == row + header_lines else f" (line {line})"
    return f"{name}, row {row}{at}"


@dataclass
class Table:
    """A table that is read once.

    Attributes
    ----------
    name : str
        The path as the user gave it, or "stdin".
    format : str
        One of `FORMATS`.
    columns : list of str
        The names; of JSON lines, those of the first row.
    schema : pyarrow.Schema or None
        The types of Parquet.
    """

    name: str
    format: str
    columns: list[str]
    records: Iterator[tuple[int, dict[str, Any]]]
    header_lines: int = 0
    parquet: Any = None

    @property
    def schema(self) -> Any:
        """The types of Parquet, or None."""
        return None if self.parquet is None else self.parquet.schema_arrow

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Read so many rows at a time."""
        first = 1
        if self.parquet is not None:
            for batch in _mended(self.name, self.parquet.iter_batches(batch_size=size)):
                yield Chunk(self.name, self.format, first, batch=batch)
                first += batch.num_rows
            return
        while records := list(islice(self.records, size)):
            lines, rows = zip(*records, strict=True)
            yield Chunk(self.name, self.format, first, list(rows), lines, self.header_lines)
            first += len(rows)

    def check_column(self, column: str, option: str) -> None:
        """Refuse a column that is not there, and say which are."""
        if column in self.columns:
            return
        shown = ", ".join(self.columns[:_SHOWN]) + (", ..." if len(self.columns) > _SHOWN else "")
        whose = "its first row" if self.format == "jsonl" else "it"
        close = difflib.get_close_matches(column, self.columns, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Choose one with {option}."
        if len(self.columns) == 1 and self.format in _DELIMITER_OF:
            others = [mark for mark in ";,\t|" if mark in self.columns[0]]
            if others:
                hint = f"If {others[0]!r} separates its columns, give --delimiter {others[0]!r}."
        raise InputError(
            f"{self.name}: there is no column {column!r}; {whose} has {shown or 'none'}. {hint}"
        )


# Reading ------------------------------------------------------------------------------


@contextlib.contextmanager
def open_table(path: str | None, dialect: Dialect) -> Iterator[Table]:
    """Open a file, or standard input.

    Parameters
    ----------
    path : str or None
        None and "-" are standard input.
    dialect : Dialect
        How to read it.

    Raises
    ------
    InputError
        If it cannot be opened, is empty, or its beginning is not in its format; while it is
        read, also at the row that is at fault.
    """
    is_stdin = path is None or path == "-"
    name = "stdin" if is_stdin else str(path)
    form = find_format(None if is_stdin else path, dialect.format)
    with contextlib.ExitStack() as stack:
        if is_stdin:
            if sys.stdin.isatty():
                print("sktextcnn: type the rows, and Ctrl-D to end them", file=sys.stderr)
            file = sys.stdin.buffer
        else:
            try:
                file = stack.enter_context(open(name, "rb"))
            except OSError as error:
                raise InputError(f"{name}: {error.strerror}.{_similar_file(name)}") from error
        if form == "parquet":
            yield _parquet(file, name, stack)
        else:
            newline = {"jsonl": "\n", "txt": None}.get(form, "")
            text = _text(file, dialect.encoding, newline)
            stack.callback(text.detach)  # Standard input is not ours to close.
            yield _OPEN[form](_decoded(text, name, dialect.encoding), name, form, dialect)


def find_format(path: str | None, given: str | None) -> str:
    """The format that is given, or told by the end of the name; csv for pipes."""
    if given is not None:
        return given
    if path is None or path == "-":
        return "csv"
    form = format_of_name(path)
    if form is None:
        raise InputError(
            f"{path}: the format is not known from the name; expected one of "
            f"{' '.join(_FORMAT_OF)}, or give --format."
        )
    return form


def format_of_name(path: str) -> str | None:
    """The format that the end of a name tells, if any."""
    return _FORMAT_OF.get(os.path.splitext(path)[1].lower())


def _similar_file(path: str) -> str:
    folder, name = os.path.split(path)
    if os.path.exists(path) or not os.path.isdir(folder or "."):
        return ""
    close = difflib.get_close_matches(name, os.listdir(folder or "."), n=1)
    return f" Did you mean {os.path.join(folder, close[0])!r}?" if close else ""


def _text(file: BinaryIO, encoding: str, newline: str | None) -> io.TextIOWrapper:
    try:
        return io.TextIOWrapper(file, encoding, errors="surrogateescape", newline=newline)
    except LookupError as error:
        raise InputError(f"--encoding {encoding}: {error}.") from error


def _decoded(text: io.TextIOWrapper, name: str, encoding: str) -> Iterator[str]:
    """Lines of text; bytes that the encoding does not know are named by their line."""
    number = 0
    try:
        for number, line in enumerate(text, 1):
            if number == 1:  # Encodings such as utf-8 and utf-16-le leave the mark in the text.
                line = line.removeprefix("\ufeff")
            if not line.isascii() and (found := _UNDECODED.search(line)):
                byte = ord(found[0]) - 0xDC00
                raise InputError(
                    f"{name}, line {number}: the byte 0x{byte:02x} is not {_known(encoding)}. "
                    f"Give the file's encoding, such as --encoding cp1252 or utf-16."
                )
            yield line
    except UnicodeError as error:
        raise InputError(
            f"{name}, line {number + 1} or below: this is not {_known(encoding)} ({error}). Give "
            f"the file's encoding with --encoding."
        ) from error
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}.") from error


def _known(encoding: str) -> str:
    return "UTF-8" if encoding.lower().startswith("utf-8") else encoding


def _delimited(lines: Iterator[str], name: str, form: str, dialect: Dialect) -> Table:
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(
        lines,
        delimiter=dialect.delimiter or _DELIMITER_OF[form],
        quoting=csv.QUOTE_MINIMAL if dialect.quotes else csv.QUOTE_NONE,
        strict=True,
    )
    columns: list[str] = []
    while not columns:
        fields = _next_row(reader, name, "the header")
        if fields is None:
            raise InputError(f"{name} is empty; expected a header with the names of the columns.")
        columns = fields
    if any("\0" in column for column in columns):
        order = "be" if columns[0].startswith("\0") else "le"
        raise InputError(
            f"{name}: the header has NUL characters. If it is UTF-16, give --encoding "
            f"utf-16-{order}."
        )
    _refuse_twice(name, columns)
    header_lines = reader.line_num

    def records() -> Iterator[tuple[int, dict[str, Any]]]:
        row = 1
        while True:
            line = reader.line_num + 1
            fields = _next_row(reader, name, f"row {row}")
            if fields is None:
                return
            if not fields:
                continue
            if len(fields) != len(columns):
                raise InputError(
                    f"{_place(name, row, line, header_lines)}: there are {len(fields)} fields, "
                    f"but {len(columns)} columns in the header."
                )
            yield line, dict(zip(columns, fields, strict=True))
            row += 1

    return Table(name, form, columns, records(), header_lines)


def _next_row(reader: Any, name: str, what: str) -> list[str] | None:
    """The next fields, or None at the end."""
    line = reader.line_num + 1
    try:
        return next(reader, None)
    except csv.Error as error:
        raise InputError(
            f"{name}, {what}, from line {line} on: a quotation mark is not closed, or not doubled "
            f"inside of a quoted field ({error}). If such marks are characters like others, give "
            f"--no-quotes."
        ) from error


def _refuse_twice(name: str, columns: Sequence[str]) -> None:
    seen: set[str] = set()
    for column in columns:
        if column in seen:
            raise InputError(f"{name}: two columns have the name {column!r}; rename one.")
        seen.add(column)


def _json_lines(lines: Iterator[str], name: str, form: str, dialect: Dialect) -> Table:
    def records() -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in enumerate(lines, 1):
            if line.isspace():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                what = getattr(error, "msg", error)  # JSON's own counts the line from 1 again.
                raise InputError(
                    f"{name}, line {number}: this is not JSON ({what}); expected a JSON object on "
                    f"each line."
                ) from error
            if not isinstance(row, dict):
                raise InputError(
                    f"{name}, line {number}: expected a JSON object, such as "
                    f'{{"text": "a gem"}}, on each line; got {line.strip()[:40]!r}.'
                )
            yield number, row

    rows = records()
    first = next(rows, None)
    if first is None:
        raise InputError(f"{name} is empty; expected a JSON object on each line.")
    return Table(name, form, list(first[1]), _with_first(first, rows))


def _plain_lines(lines: Iterator[str], name: str, form: str, dialect: Dialect) -> Table:
    rows = ((number, {LINES_COLUMN: line.rstrip("\n")}) for number, line in enumerate(lines, 1))
    first = next(rows, None)
    if first is None:
        raise InputError(f"{name} is empty; expected a text on each line.")
    return Table(name, form, [LINES_COLUMN], _with_first(first, rows))


def _with_first(first: Any, others: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from others


_OPEN = {"csv": _delimited, "tsv": _delimited, "jsonl": _json_lines, "txt": _plain_lines}


def _parquet(file: BinaryIO, name: str, stack: contextlib.ExitStack) -> Table:
    pyarrow = _import_pyarrow()
    if not file.seekable():
        raise InputError(f"{name}: Parquet is read from its end, so from a file, not from a pipe.")
    try:
        # Without the buffer, which would hold whole files.
        table = stack.enter_context(pyarrow.parquet.ParquetFile(file, pre_buffer=False))
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{name}: this is no Parquet file ({error}).") from error
    columns = table.schema_arrow.names
    _refuse_twice(name, columns)
    return Table(name, "parquet", columns, iter(()), parquet=table)


def _mended(name: str, batches: Iterable[Any]) -> Iterator[Any]:
    pyarrow = _import_pyarrow()
    try:
        yield from batches
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{name}: the Parquet file is damaged ({error}).") from error


def _import_pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InputError("Parquet needs pyarrow: pip install 'sktextcnn[parquet]'.") from error
    return pyarrow


# Writing ------------------------------------------------------------------------------


@contextlib.contextmanager
def open_output(path: str | None) -> Iterator[BinaryIO]:
    """Open a file that is there when all of it is written, or standard output.

    Parameters
    ----------
    path : str or None
        None and "-" are standard output.
    """
    if path is None or path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    # Devices and named pipes, such as /dev/stdout, must not be replaced.
    is_device = os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode)
    try:
        with open(path, "wb") if is_device else written_whole(path) as file:
            yield file
    except OSError as error:
        if error.strerror and not error.filename:  # A disk that is full does not say which.
            error.filename = path
        raise


class Writer:
    """Writes the rows of a table with further columns; a context that ends the output.

    Parameters
    ----------
    file : binary file
        Flushed after each chunk.
    form : {"csv", "tsv", "jsonl", "parquet"}
        The format.
    table : Table
        Where the rows are from.
    added : mapping of str to type
        The names and types (str, int, float or bool) of the further columns.
    dialect : Dialect
        Its delimiter and quotes are those of csv and tsv.
    """

    def __init__(
        self, file: BinaryIO, form: str, table: Table, added: Mapping[str, type], dialect: Dialect
    ) -> None:
        self._file = file
        self._table = table
        self._columns = [*table.columns, *added]
        kind = {"csv": _CsvBody, "tsv": _CsvBody, "jsonl": _JsonBody, "parquet": _ParquetBody}
        self._body: Any = kind[form](file, form, table, added, dialect)

    def write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        """Write rows with the values of their further columns."""
        self._body.write(chunk, added)
        self._file.flush()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: Any) -> None:
        self._body.close()


def _rows_with(chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    values = zip(*added.values(), strict=True)
    for i, (row, new) in enumerate(zip(chunk.rows, values, strict=True)):
        if not added.keys().isdisjoint(row):
            name = next(name for name in added if name in row)
            raise InputError(f"{chunk.where(i, name)}: there is one already; choose a --prefix.")
        yield {**row, **dict(zip(added, new, strict=True))}


class _JsonBody:
    def __init__(self, file: BinaryIO, *_: Any) -> None:
        self._file = file

    def write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        self._file.writelines(json_line(row) for row in _rows_with(chunk, added))

    def close(self) -> None:
        pass


def json_line(row: Any) -> bytes:
    """An object as a line of JSON in UTF-8; dates and the like as text."""
    text = _json(row)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # Half a pair of surrogates, which came from an escape.
        return json.dumps(json.loads(text)).encode() + b"\n"


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:
        # NaN and infinity, which JSON does not have, become null.
        text = json.dumps(value, default=str)
        return json.dumps(json.loads(text, parse_constant=lambda _: None), ensure_ascii=False)


class _CsvBody:
    def __init__(
        self, file: BinaryIO, form: str, table: Table, added: Mapping[str, type], dialect: Dialect
    ) -> None:
        self._columns = [*table.columns, *added]
        self._known = set(self._columns)
        same = table.format in _DELIMITER_OF
        self._writer = csv.writer(
            _Utf8(file),
            delimiter=(dialect.delimiter if same else None) or _DELIMITER_OF[form],
            quoting=csv.QUOTE_MINIMAL if dialect.quotes else csv.QUOTE_NONE,
            quotechar='"' if dialect.quotes else None,
            # Only the characters of this are quoted by each version of Python.
            lineterminator="\r\n",
        )
        self._row(self._columns, table.name)

    def write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        for i, row in enumerate(_rows_with(chunk, added)):
            _refuse_new(chunk, i, row, self._known)
            self._row([_cell(row.get(name)) for name in self._columns], chunk.where_row(i))

    def _row(self, fields: Sequence[str], where: str) -> None:
        try:
            self._writer.writerow(fields)
        except csv.Error as error:
            raise InputError(
                f"{where}: a field cannot be written without quotes ({error}). Leave out "
                f"--no-quotes, or write .jsonl."
            ) from error

    def close(self) -> None:
        pass


class _Utf8:
    """A binary file for the lines of csv's writer, and nothing that would close it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        line = text.removesuffix("\r\n") + "\n"
        self._file.write(line.encode("utf-8", "backslashreplace"))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return _json(value)
    return str(value)


def _refuse_new(chunk: Chunk, i: int, row: Mapping[str, Any], known: set[str]) -> None:
    if len(row) > len(known) or not row.keys() <= known:
        new = next(name for name in row if name not in known)
        raise InputError(
            f"{chunk.where(i, new)}: the first row has no such column, so it has no place in the "
            f"output. Write .jsonl, where each row has its own."
        )


def _refuse_changed(
    chunk: Chunk, rows: Sequence[Mapping[str, Any]], stored: Sequence[Mapping[str, Any]]
) -> None:
    """Refuse what Parquet would not keep: the fraction of 2.5 among integers, or a new key."""
    for i, (row, kept) in enumerate(zip(rows, stored, strict=True)):
        for name, value in row.items():
            if not _is_kept(value, kept[name]):
                raise InputError(
                    f"{chunk.where(i, name)}: {value!r:.40} does not fit the type that the column "
                    f"has from the rows above. Write .jsonl."
                )


def _is_kept(value: Any, kept: Any) -> bool:
    if isinstance(value, dict):
        return all(key in kept and _is_kept(value[key], kept[key]) for key in value)
    if isinstance(value, list):
        return all(_is_kept(*pair) for pair in zip(value, kept, strict=True))
    return bool(value == kept or value != value)


class _ParquetBody:
    def __init__(
        self, file: BinaryIO, form: str, table: Table, added: Mapping[str, type], dialect: Dialect
    ) -> None:
        pyarrow = self._pyarrow = _import_pyarrow()
        types = {
            str: pyarrow.string(),
            int: pyarrow.int64(),
            float: pyarrow.float64(),
            bool: pyarrow.bool_(),
        }
        self._file = file
        self._names = [*table.columns, *added]
        self._added = [pyarrow.field(name, types[kind]) for name, kind in added.items()]
        self._schema: Any = None
        self._writer: Any = None
        if table.schema is not None:
            self._open([*table.schema], table.schema.metadata)
        elif table.format != "jsonl":
            self._open([pyarrow.field(name, types[str]) for name in table.columns])

    def _open(self, fields: list[Any], metadata: Any = None) -> None:
        self._schema = self._pyarrow.schema([*fields, *self._added], metadata)
        self._writer = self._pyarrow.parquet.ParquetWriter(self._file, self._schema)

    def write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        pyarrow = self._pyarrow
        if chunk.batch is not None:
            new = [pyarrow.array(added[field.name], type=field.type) for field in self._added]
            batch = pyarrow.RecordBatch.from_arrays(
                [*chunk.batch.columns, *new], schema=self._schema
            )
            self._writer.write_batch(batch)
            return
        known = set(self._names)
        for i, row in enumerate(chunk.rows):
            _refuse_new(chunk, i, row, known)
        try:
            if self._writer is None:
                first = pyarrow.Table.from_pylist(chunk.rows)
                self._open([*first.schema])
            rows = list(_rows_with(chunk, added))
            stored = pyarrow.Table.from_pylist(rows, schema=self._schema)
            _refuse_changed(chunk, rows, stored.to_pylist())
            self._writer.write_table(stored)
        except (pyarrow.ArrowException, ValueError, OverflowError) as error:
            raise InputError(
                f"{chunk.where_row(0)} and below: the values do not fit one type a column "
                f"({error}). Write .jsonl."
            ) from error

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
