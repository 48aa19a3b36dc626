"""JSON lines: a JSON object on each line."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sktextcnn._cli.errors import InputError
from sktextcnn._cli.rows.chunks import Chunk
from sktextcnn._cli.rows.reader import Record, RecordReader, without_header
from sktextcnn._cli.rows.writer import RowWriter, rows_with


def read_json_lines(lines: Iterator[str], name: str) -> RecordReader:
    """Read the first row of JSON lines, and return a reader of all rows."""
    return without_header(_records(lines, name), name, "jsonl", "a JSON object on each line")


def _records(lines: Iterator[str], name: str) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            # The whole message of json counts the lines of this one line.
            reason = getattr(error, "msg", error)
            raise InputError(
                f"{name}, line {number}: this is not JSON ({reason}); expected a JSON object on "
                f"each line."
            ) from error
        if not isinstance(row, dict):
            raise InputError(
                f"{name}, line {number}: expected a JSON object, such as "
                f'{{"text": "a gem"}}, on each line; got {line.strip()[:40]!r}.'
            )
        yield number, row


class JsonLinesWriter(RowWriter):
    """Writes JSON lines."""

    def _write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        self._file.writelines(json_line(row) for row in rows_with(chunk, added))


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
