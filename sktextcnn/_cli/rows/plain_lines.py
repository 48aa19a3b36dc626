"""Plain text with a text on each line, and with labels of fastText before it."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from sktextcnn._cli.rows.chunks import row_location
from sktextcnn._cli.rows.reader import Record, RecordReader, without_header
from sktextcnn._cli.rows.text_file import TextFile

#: The names of the columns.
TEXT_COLUMN, LABEL_COLUMN = "text", "label"

_PREFIX = "__label__"
# fastText finds labels anywhere in a line.
_LABEL = re.compile(rf"(?<!\S){_PREFIX}(\S*)")


def read_plain_lines(file: TextFile, file_format: str) -> RecordReader:
    """Read the first line of plain text, and return a reader of all lines.

    A file is one of fastText if that is said, or its first line begins as such a file does.

    Parameters
    ----------
    file : TextFile
        The file.
    file_format : {"txt", "fasttext"}
        The format that is given or follows from the suffix.
    """
    if file_format == "txt" and not file.starts_with(_PREFIX):
        return without_header(_records(file, _as_text), file, "txt", "a text on each line")
    expected = f"labels and a text on each line, such as {_PREFIX}good a gem"
    reader = without_header(_records(file, _as_labelled), file, "fasttext", expected)
    reader.label_separator = " "
    return reader


def _records(file: TextFile, parse: Callable[[str], dict[str, Any]]) -> Iterator[Record]:
    for number, line in enumerate(file, 1):
        problem = file.undecoded(line) if file.bad_rows.skip else None
        if problem is None:
            yield Record(number, number, parse(line.rstrip("\n")))
        else:
            file.bad_rows.add(number, row_location(file.name, number), problem)


def _as_text(line: str) -> dict[str, Any]:
    return {TEXT_COLUMN: line}


def _as_labelled(line: str) -> dict[str, Any]:
    # Labels have no spaces.
    return {
        LABEL_COLUMN: " ".join(filter(None, _LABEL.findall(line))),
        TEXT_COLUMN: _LABEL.sub("", line).strip(),
    }
