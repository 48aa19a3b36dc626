"""JSON: an object on each line, or an array of objects."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from sktextcnn._cli.errors import InputError
from sktextcnn._cli.rows.chunks import Chunk, row_location
from sktextcnn._cli.rows.reader import Record, RecordReader, without_header
from sktextcnn._cli.rows.text_file import TextFile
from sktextcnn._cli.rows.writer import RowWriter, rows_with

# The error of a literal, such as -Infinity, or of an escape that is cut off is where it begins.
_LONGEST_LITERAL = 16
_WHITE_SPACE = " \t\r\n"


# Reading ------------------------------------------------------------------------------


def read_json(file: TextFile) -> RecordReader:
    """Read the first row of JSON, and return a reader of all rows.

    Files with an object on each line and files with one array are told apart by their first
    character, whatever their suffix.
    """
    if file.starts_with("["):
        return without_header(_of_array(file), file, "json", "an array of objects with a row")
    return without_header(_of_lines(file), file, "jsonl", "a JSON object on each line")


def _of_lines(file: TextFile) -> Iterator[Record]:
    number = 0
    for line_number, line in enumerate(file, 1):
        if line.isspace():
            continue
        number += 1
        problem = file.undecoded(line) if file.bad_rows.skip else None
        row: Any = None
        if problem is None:
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                # The whole message of json counts the lines of this one line.
                reason = getattr(error, "msg", error)
                problem = f"this is not JSON ({reason}); expected a JSON object on each line"
            else:
                problem = _problem(row, line)
        if problem is None:
            yield Record(number, line_number, row)
        else:
            file.bad_rows.add(number, f"{file.name}, line {line_number}", problem)


def _of_array(file: TextFile) -> Iterator[Record]:
    """Yield the objects of an array, of which one block of text is held at a time."""
    text = _Text(file)
    text.skip("[")
    number = 0
    closed = text.next_character() == "]"
    while not closed:
        text.next_character()
        line = text.line
        number += 1
        value, source = text.value(number)
        problem = _problem(value, source)
        if problem is None and file.bad_rows.skip:
            problem = file.undecoded(source)
        if problem is None:
            yield Record(number, line, value)
        else:
            file.bad_rows.add(number, row_location(file.name, number, line), problem)
        closed = text.next_character() == "]"
        if not closed:
            text.skip(",")
    text.skip("]")
    if text.next_character():
        raise text.error("there is something after the end of the array")


def _problem(row: Any, source: str) -> str | None:
    if isinstance(row, dict):
        return None
    return (
        f'expected a JSON object, such as {{"text": "a gem"}}, for each row; got '
        f"{source.strip()[:40]!r}"
    )


class _Text:
    """The text of an array, which is read by blocks as it is needed.

    Parameters
    ----------
    file : TextFile
        The file.

    Attributes
    ----------
    line : int
        The line of the next character.
    """

    def __init__(self, file: TextFile) -> None:
        self._name = file.name
        self._blocks = file.blocks()
        self._decode = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self.line = 1

    def next_character(self) -> str:
        """Skip white space, and return the character after it; "" at the end of the file."""
        while True:
            while self._at < len(self._text):
                character = self._text[self._at]
                if character not in _WHITE_SPACE:
                    return character
                self.line += character == "\n"
                self._at += 1
            if not self._read_on():
                return ""

    def skip(self, expected: str) -> None:
        """Skip a character that must come next."""
        found = self.next_character()
        if not found:
            raise self.error("it ends before the array does")
        if found != expected:
            raise self.error(f"expected {expected!r}; got {found!r}")
        self._at += 1

    def value(self, number: int) -> tuple[Any, str]:
        """Return the value that begins at the next character, and its JSON."""
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if self._may_go_on(error) and self._read_on():
                    continue
                reason = getattr(error, "msg", error)
                raise self.error(f"row {number} is not JSON ({reason})") from error
            # A number may go on in the next block. Objects have an end.
            if end < len(self._text) or not self._read_on():
                break
        source = self._text[self._at : end]
        self.line += source.count("\n")
        self._at = end
        return value, source

    def _may_go_on(self, error: Exception) -> bool:
        """Whether the reason for an error may be that the rest has not been read yet."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        is_string = error.msg.startswith("Unterminated string")
        return is_string or error.pos >= len(self._text) - _LONGEST_LITERAL

    def error(self, problem: str) -> InputError:
        """Return an error at the next character."""
        return InputError(
            f"{self._name}, line {self.line}: {problem}. Expected an array of objects, such as "
            f'[{{"text": "a gem"}}], or an object on each line.'
        )

    def _read_on(self) -> bool:
        """Read at least as much as is left, so that a long value is not decoded too often."""
        read = [self._text[self._at :]]
        wanted = len(read[0])
        n_read = 0
        for block in self._blocks:
            read.append(block)
            n_read += len(block)
            if n_read > wanted:
                break
        self._text, self._at = "".join(read), 0
        return n_read > 0


# Writing ------------------------------------------------------------------------------


class JsonLinesWriter(RowWriter):
    """Writes an object on each line."""

    def _write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        self._file.writelines(json_line(row) for row in rows_with(chunk, added))


class JsonArrayWriter(RowWriter):
    """Writes an array of objects, each on a line."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._before = b"[\n"

    def _write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        for row in rows_with(chunk, added):
            self._file.write(self._before + json_line(row)[:-1])
            self._before = b",\n"

    def __exit__(self, error: type[BaseException] | None, *_: Any) -> None:
        if error is None:  # An array that is not complete must not look so.
            self._file.write(b"[]\n" if self._before == b"[\n" else b"\n]\n")


def json_line(row: Any) -> bytes:
    """Return an object as a line of JSON in UTF-8; dates and the like are written as strings."""
    text = to_json(row)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # Half of a surrogate pair, which came from an escape sequence.
        return json.dumps(json.loads(text)).encode() + b"\n"


def to_json(value: Any) -> str:
    """Return a value as JSON; NaN and infinity, which JSON does not have, become null."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:
        text = json.dumps(value, default=str)
        return json.dumps(json.loads(text, parse_constant=lambda _: None), ensure_ascii=False)
