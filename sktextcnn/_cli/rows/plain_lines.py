"""Plain text with a text on each line."""

from collections.abc import Iterator

from sktextcnn._cli.rows.reader import RecordReader, without_header

#: The name of the only column.
TEXT_COLUMN = "text"


def read_plain_lines(lines: Iterator[str], name: str) -> RecordReader:
    """Read the first line of plain text, and return a reader of all lines."""
    records = ((number, {TEXT_COLUMN: line.rstrip("\n")}) for number, line in enumerate(lines, 1))
    return without_header(records, name, "txt", "a text on each line")
