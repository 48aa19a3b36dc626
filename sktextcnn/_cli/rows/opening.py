"""Opening files, pipes and standard streams: readers by format, outputs, writers by format."""

import contextlib
import difflib
import io
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from sktextcnn._cli.errors import InputError
from sktextcnn._cli.rows.delimited import DelimitedWriter, read_delimited
from sktextcnn._cli.rows.formats import ReadOptions, find_format
from sktextcnn._cli.rows.json_lines import JsonLinesWriter, read_json_lines
from sktextcnn._cli.rows.parquet import open_parquet, parquet_writer
from sktextcnn._cli.rows.plain_lines import read_plain_lines
from sktextcnn._cli.rows.reader import RowReader
from sktextcnn._cli.rows.writer import RowWriter

# What the error handler "surrogateescape" makes of bytes that the encoding does not have.
UNDECODED = re.compile("[\udc80-\udcff]")


# Reading ------------------------------------------------------------------------------


@contextlib.contextmanager
def open_reader(path: str | None, options: ReadOptions) -> Iterator[RowReader]:
    """Open a file, or standard input.

    Parameters
    ----------
    path : str or None
        None and "-" are standard input.
    options : ReadOptions
        How to read it.

    Raises
    ------
    InputError
        If the file cannot be opened, is empty, or does not begin as its format does. While the
        rows are read: if a row is not valid.
    """
    is_stdin = path is None or path == "-"
    name = "stdin" if is_stdin else str(path)
    file_format = find_format(path, options.format)
    with contextlib.ExitStack() as stack:
        file = _stdin() if is_stdin else stack.enter_context(_open_file(name))
        if file_format == "parquet":
            yield stack.enter_context(open_parquet(file, name))
            return
        newline = {"jsonl": "\n", "txt": None}.get(file_format, "")
        try:
            text = io.TextIOWrapper(
                file, options.encoding, errors="surrogateescape", newline=newline
            )
        except LookupError as error:
            raise InputError(f"--encoding {options.encoding}: {error}.") from error
        stack.callback(text.detach)  # Closing the wrapper would close standard input.
        lines = _decoded(text, name, options.encoding)
        if file_format == "jsonl":
            yield read_json_lines(lines, name)
        elif file_format == "txt":
            yield read_plain_lines(lines, name)
        else:
            yield read_delimited(lines, name, file_format, options)


def _stdin() -> BinaryIO:
    if sys.stdin.isatty():
        print("sktextcnn: reading rows from the terminal; end with Ctrl-D", file=sys.stderr)
    return sys.stdin.buffer


def _open_file(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}.{_similar_file(path)}") from error


def _similar_file(path: str) -> str:
    """Return a hint at a file of a similar name, if there is one."""
    folder, name = os.path.split(path)
    if os.path.exists(path):
        return ""
    try:
        names = os.listdir(folder or ".")
    except OSError:  # There is no such folder, or its files may not be listed: no hint.
        return ""
    close = difflib.get_close_matches(name, names, n=1)
    return f" Did you mean {os.path.join(folder, close[0])!r}?" if close else ""


def _decoded(text: io.TextIOWrapper, name: str, encoding: str) -> Iterator[str]:
    """Yield the lines of a text file; errors name the line that cannot be decoded."""
    number = 0
    shown = "UTF-8" if encoding.lower().startswith("utf-8") else encoding
    try:
        for number, line in enumerate(text, 1):
            if number == 1:  # Encodings such as utf-8 and utf-16-le leave the mark in the text.
                line = line.removeprefix("\ufeff")
            if not line.isascii() and (found := UNDECODED.search(line)):
                byte = ord(found[0]) - 0xDC00
                raise InputError(
                    f"{name}, line {number}: the byte 0x{byte:02x} is not {shown}. Give the "
                    f"encoding of the file, such as --encoding cp1252 or utf-16."
                )
            yield line
    except UnicodeError as error:
        raise InputError(
            f"{name}, line {number + 1} or below: this is not {shown} ({error}). Give the "
            f"encoding of the file with --encoding."
        ) from error
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}.") from error


# Writing ------------------------------------------------------------------------------


@contextlib.contextmanager
def open_output(path: str | None) -> Iterator[BinaryIO]:
    """Open standard output, or a file that replaces the one at `path` when it is complete.

    Parameters
    ----------
    path : str or None
        None and "-" are standard output.
    """
    if path is None or path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    # Imported here, since it imports NumPy, which --help does not need.
    from sktextcnn._state import atomic_write

    # Devices and named pipes, such as /dev/stdout, must not be replaced by a file.
    is_device = os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode)
    try:
        with open(path, "wb") if is_device else atomic_write(path) as file:
            yield file
    except OSError as error:
        if error.strerror and not error.filename:  # The error of a full disk names no file.
            error.filename = path
        raise


def open_writer(
    file: BinaryIO,
    file_format: str,
    source: RowReader,
    added: Mapping[str, type],
    options: ReadOptions,
) -> RowWriter:
    """Return a writer of rows with added columns.

    Parameters
    ----------
    file : binary file
        Flushed after each chunk.
    file_format : {"csv", "tsv", "jsonl", "parquet"}
        The format to write.
    source : RowReader
        Where the rows come from.
    added : mapping of str to type
        The names and types (str, int, float or bool) of the added columns.
    options : ReadOptions
        The options that the source is read with; csv and tsv are written with its delimiter and
        quotes.
    """
    if file_format == "jsonl":
        return JsonLinesWriter(file)
    if file_format == "parquet":
        return parquet_writer(file, source, added)
    return DelimitedWriter(file, file_format, source, added, options)
