"""csv and tsv."""

import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from sktextcnn._cli.errors import InputError
from sktextcnn._cli.rows.chunks import Chunk, row_location
from sktextcnn._cli.rows.formats import DELIMITERS, ReadOptions
from sktextcnn._cli.rows.json_rows import to_json
from sktextcnn._cli.rows.reader import Record, RecordReader, RowReader, unique_names
from sktextcnn._cli.rows.text_file import TextFile
from sktextcnn._cli.rows.writer import RowWriter, check_known_columns, rows_with

# A quotation mark that is not closed makes a field of the rest of the file, which would fill the
# memory.
_MAX_FIELD_SIZE = 100_000_000

# The first line that Excel reads the delimiter from.
_DELIMITER_LINE = re.compile(r'"?sep=([^\r\n"])"?[\r\n]*', re.IGNORECASE)

# MySQL and PostgreSQL write a missing value so.
_NULL = r"\N"
_ESCAPED_SPACE = {"n": "\n", "r": "\n", "t": "\t"}


@dataclass(frozen=True)
class Dialect:
    """How the fields of csv and tsv are written.

    Attributes
    ----------
    delimiter : str
        What is between fields.
    quotes : bool
        Whether quotation marks enclose fields.
    escape : str or None
        The character before quotation marks within fields; None: they are doubled.
    """

    delimiter: str
    quotes: bool
    escape: str | None

    def as_csv(self) -> dict[str, Any]:
        """Return the parameters of the module csv."""
        return {
            "delimiter": self.delimiter,
            "quoting": csv.QUOTE_MINIMAL if self.quotes else csv.QUOTE_NONE,
            "quotechar": '"' if self.quotes else None,
            "escapechar": self.escape,
        }


# Reading ------------------------------------------------------------------------------


class DelimitedReader(RecordReader):
    """Reads the rows of csv or tsv; has their `dialect`, which they are written with again."""

    dialect: Dialect


def read_delimited(file: TextFile, file_format: str, options: ReadOptions) -> DelimitedReader:
    """Read the header of csv or tsv, and return a reader of its rows."""
    csv.field_size_limit(_MAX_FIELD_SIZE)
    lines = _Lines(iter(file), keep=file.bad_rows.skip)
    found = lines.delimiter_line()
    delimiter = options.delimiter or found or DELIMITERS[file_format]
    if options.escape == delimiter:
        raise InputError(f"--escape {options.escape}: this is the delimiter of {file.name}.")
    dialect = Dialect(delimiter, options.quotes, options.escape)
    parser = csv.reader(_unescaped(lines, dialect), strict=True, **dialect.as_csv())
    first: list[str] | None = []
    while first == []:  # An empty line.
        lines.begin()
        try:
            first = next(parser, None)
        except csv.Error as error:
            what = "the header" if options.header else "row 1"
            location, problem, remedy = _quotes_error(file.name, what, lines.first, error)
            # The others have as many fields as this row, so that it cannot be left out.
            raise InputError(f"{location}: {problem}. {remedy}") from error
    if first is None:
        expected = "a header with the names of the columns" if options.header else "rows of fields"
        raise InputError(f"{file.name} is empty; expected {expected}.")
    _check_is_text(first, file.name)
    header_lines = lines.number if options.header else lines.first - 1
    null = _NULL if options.escape == "\\" else None
    reader = DelimitedReader(
        file.name,
        file_format,
        first if options.header else None,
        len(first),
        file.bad_rows,
        _records(parser, lines, file, first, options.header, header_lines, null),
        header_lines,
    )
    reader.dialect = dialect
    return reader


def _records(
    parser: Any,
    lines: "_Lines",
    file: TextFile,
    first: list[str],
    header: bool,
    header_lines: int,
    null: str | None,
) -> Iterator[Record]:
    columns = unique_names(first if header else None, len(first))
    number = 0
    fields: list[str] | None = None if header else first
    while True:
        if fields is None:
            lines.begin()
            try:
                fields = next(parser, None)
            except csv.Error as error:
                number += 1
                what = f"row {number}"
                file.bad_rows.add(number, *_quotes_error(file.name, what, lines.first, error))
                # The row may have taken in many rows that are good.
                lines.retry_after_first()
                continue
            if fields is None:
                return
        if fields:
            number += 1
            problem = _problem(fields, columns, header, file)
            if problem is None:
                row: dict[str, Any] = dict(zip(columns, fields, strict=True))
                if null is not None and null in fields:
                    row = {name: None if value == null else value for name, value in row.items()}
                yield Record(number, lines.first, row)
            else:
                location = row_location(file.name, number, lines.first, header_lines)
                file.bad_rows.add(number, location, problem)
        fields = None


def _problem(
    fields: Sequence[str], columns: Sequence[str], header: bool, file: TextFile
) -> str | None:
    """Return what is wrong with a row."""
    if len(fields) != len(columns):
        return (
            f"the row has {len(fields)} {'field' if len(fields) == 1 else 'fields'}, but the "
            f"{'header' if header else 'first row'} has {len(columns)}"
        )
    if file.bad_rows.skip:  # Otherwise it was an error.
        return next(filter(None, map(file.undecoded, fields)), None)
    return None


def _quotes_error(name: str, what: str, line: int, error: csv.Error) -> tuple[str, str, str]:
    """Return where an error of csv is, what is wrong, and the remedy."""
    return (
        f"{name}, {what}, from line {line} on",
        f"a quotation mark is not closed, or not doubled inside a quoted field ({error})",
        "If quotation marks are ordinary characters in this file, give --no-quotes; if they are "
        "written as \\\" inside a field, give --escape '\\'.",
    )


def _check_is_text(fields: list[str], name: str) -> None:
    """Raise an `InputError` if the first row looks like UTF-16 that was read as UTF-8."""
    text = "".join(fields)
    if 3 * text.count("\0") > len(text):
        order = "be" if text.startswith("\0") else "le"
        raise InputError(
            f"{name}: the first row has NUL characters. If the file is UTF-16, give --encoding "
            f"utf-16-{order}."
        )


class _Lines:
    """Counts the lines that the parser takes, and can give back those of a row.

    Parameters
    ----------
    lines : iterator of str
        The lines of the file.
    keep : bool
        Whether to keep the lines of a row, for `retry_after_first`.

    Attributes
    ----------
    number : int
        The number of the last line that was taken.
    first : int
        The number of the first line of the row.
    """

    def __init__(self, lines: Iterator[str], keep: bool) -> None:
        self._lines = lines
        self._keep = keep
        self._taken: list[str] = []
        self._given_back: deque[str] = deque()
        self.number = 0
        self.first = 1

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._given_back.popleft() if self._given_back else next(self._lines)
        self.number += 1
        if self._keep:
            self._taken.append(line)
        return line

    def begin(self) -> None:
        """Begin a row."""
        self._taken.clear()
        self.first = self.number + 1

    def retry_after_first(self) -> None:
        """Give back all lines of the row but its first."""
        back = self._taken[1:]
        self.number -= len(back)
        self._given_back.extendleft(reversed(back))

    def delimiter_line(self) -> str | None:
        """Take the first line if it only says which delimiter the file has, and return that."""
        line = next(self, "")
        found = _DELIMITER_LINE.fullmatch(line)
        if found is None and line:
            self.number -= 1
            self._given_back.append(line)
        return found and found[1]


def _unescaped(lines: Iterator[str], dialect: Dialect) -> Iterator[str]:
    """Let lines have escape sequences that the parser of csv understands."""
    escape = dialect.escape
    if escape is None:
        return lines
    special = {escape, dialect.delimiter, '"', "\n", "\r"}
    letters = _ESCAPED_SPACE if escape == "\\" else {}

    def replaced(found: re.Match[str]) -> str:
        character = found[1]
        if character == "\r\n":  # The parser would take the line feed as the end of the row.
            return f"{escape}\n"
        if character in special:
            return found[0]
        if character in letters:
            return escape + letters[character]
        # It escapes nothing, such as that of a path of Windows; the parser would drop it.
        return escape + found[0]

    sequence = re.compile(re.escape(escape) + "(\r\n|.)", re.DOTALL)

    def unescaped(line: str) -> str:
        return sequence.sub(replaced, line) if escape in line else line

    # Unlike a generator, this goes on after the end, if lines were given back.
    return map(unescaped, lines)


# Writing ------------------------------------------------------------------------------


class DelimitedWriter(RowWriter):
    """Writes csv or tsv.

    Parameters
    ----------
    file : binary file
        Where to write.
    file_format : {"csv", "tsv"}
        The format.
    source : RowReader
        Where the rows come from. The delimiter, quotes and escape character of csv and tsv are
        kept, and there is a header if it has one.
    added : mapping of str to type
        The added columns.
    """

    def __init__(
        self, file: BinaryIO, file_format: str, source: RowReader, added: Mapping[str, type]
    ) -> None:
        super().__init__(file)
        self._columns = [*source.columns, *added]
        self._known = set(self._columns)
        dialect = Dialect(DELIMITERS[file_format], quotes=True, escape=None)
        if isinstance(source, DelimitedReader):
            is_default = source.dialect.delimiter == DELIMITERS[source.format]
            delimiter = dialect.delimiter if is_default else source.dialect.delimiter
            dialect = replace(source.dialect, delimiter=delimiter)
        self._writer = csv.writer(
            _Utf8Lines(file),
            **dialect.as_csv(),
            doublequote=dialect.escape is None,
            # Every version of Python quotes the characters of the line terminator; other line
            # ends within a field are quoted by some versions only.
            lineterminator="\r\n",
        )
        if source.header is not None:
            self._write_fields([*source.header, *added], source.name)

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
