"""Opening files, pipes and standard streams: readers by format, outputs, writers by format."""

import contextlib
import difflib
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from sktextcnn._cli.errors import InputError
from sktextcnn._cli.messages import print_message
from sktextcnn._cli.rows.bad_rows import BadRows
from sktextcnn._cli.rows.compression import as_seekable, is_parquet, open_decompressed
from sktextcnn._cli.rows.delimited import DelimitedWriter, read_delimited
from sktextcnn._cli.rows.formats import ReadOptions, find_format
from sktextcnn._cli.rows.json_rows import JsonArrayWriter, JsonLinesWriter, read_json
from sktextcnn._cli.rows.parquet import open_parquet, parquet_writer
from sktextcnn._cli.rows.plain_lines import read_plain_lines
from sktextcnn._cli.rows.reader import RowReader
from sktextcnn._cli.rows.text_file import TextFile
from sktextcnn._cli.rows.writer import RowWriter

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

    Yields
    ------
    RowReader
        The reader. When it was used, a warning tells how many rows were left out.

    Raises
    ------
    InputError
        If the file cannot be opened, is empty, or does not begin as its format does. While the
        rows are read: if a row is not valid.
    """
    is_stdin = path is None or path == "-"
    name = "stdin" if is_stdin else str(path)
    bad_rows = BadRows(options.skip_bad_rows)
    with contextlib.ExitStack() as stack:
        compressed = _stdin() if is_stdin else stack.enter_context(_open_file(name))
        file, inner = open_decompressed(compressed, name, stack)
        if is_stdin and inner == name:
            file_format = find_format(None, options.format)
        else:
            file_format = find_format(name if inner == name else f"{name}/{inner}", options.format)
        if file_format == "parquet":
            seekable = as_seekable(file, name, stack)
            yield stack.enter_context(open_parquet(seekable, name, bad_rows))
        elif is_parquet(file):
            raise InputError(f"{name}: this is a Parquet file; give --format parquet.")
        else:
            newline = {"csv": "", "tsv": "", "json": "\n", "jsonl": "\n"}.get(file_format)
            text = TextFile(file, name, options.encoding, newline, bad_rows)
            stack.callback(text.detach)
            yield _text_reader(text, file_format, options)
    if bad_rows.count:
        print_message(f"warning: {bad_rows.summary()}.")


def _text_reader(text: TextFile, file_format: str, options: ReadOptions) -> RowReader:
    if file_format in ("json", "jsonl"):
        return read_json(text)
    if file_format in ("txt", "fasttext"):
        return read_plain_lines(text, file_format)
    return read_delimited(text, file_format, options)


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
) -> RowWriter:
    """Return a writer of rows with added columns.

    Parameters
    ----------
    file : binary file
        Flushed after each chunk.
    file_format : {"csv", "tsv", "jsonl", "json", "parquet"}
        The format to write.
    source : RowReader
        Where the rows come from.
    added : mapping of str to type
        The names and types (str, int, float, bool, or lists of these) of the added columns.
    """
    if file_format == "jsonl":
        return JsonLinesWriter(file)
    if file_format == "json":
        return JsonArrayWriter(file)
    if file_format == "parquet":
        return parquet_writer(file, source, added)
    return DelimitedWriter(file, file_format, source, added)
