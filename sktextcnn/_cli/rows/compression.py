"""Compressed files, which are recognized by their first bytes."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

from sktextcnn._cli.errors import InputError

# The first bytes of formats that are not read, and what to do about them.
_REFUSED = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it",
    b"Rar!\x1a\x07": "a RAR archive; unpack it",
    b"\x04\x22\x4d\x18": "an lz4 file; read it from a pipe: lz4 -dc FILE | sktextcnn ...",
    b"\xff\x06\x00\x00sNaPpY": "a snappy file; decompress it",
    b"\x1f\x9d": "a compress file; read it from a pipe: zcat FILE | sktextcnn ...",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Office document; save it as CSV (UTF-8)",
    b"SQLite format 3\0": "a database of SQLite; export the table as CSV",
    b"ARROW1\0\0": "an Arrow or Feather file; write it as Parquet",
    b"Obj\x01": "an Avro file; write it as Parquet or JSON lines",
    b"%PDF-": "a PDF document",
}
# A text may begin with PAR1, but not with what Parquet has after it.
_PARQUET = b"PAR1\x15"
_MAX_LISTED = 8


def open_decompressed(
    file: Any, name: str, stack: contextlib.ExitStack
) -> tuple[io.BufferedReader, str]:
    """Decompress a file if its first bytes are those of a compressed one.

    Parameters
    ----------
    file : binary file
        The file, which stays open.
    name : str
        Its name, for errors.
    stack : ExitStack
        Closes what is opened.

    Returns
    -------
    file : io.BufferedReader
        The file, or what it contains.
    path : str
        The name, or that of the only file of a zip archive.
    """
    path = name
    while True:
        buffered = _buffered(file, stack)
        start = _first_bytes(buffered, name)
        kind = _kind(start)
        if kind is None:
            _refuse(start, name)
            return buffered, path
        if kind == "zip":
            file, path = _open_zip(as_seekable(buffered, name, stack), name, stack)
        else:
            file = _Decompressed(_opener(kind, name)(buffered), name, kind)


def as_seekable(file: io.BufferedReader, name: str, stack: contextlib.ExitStack) -> BinaryIO:
    """Return a file, or a temporary copy of one that is not seekable, such as a pipe."""
    if file.seekable():
        return file
    copy = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    try:
        shutil.copyfileobj(file, copy)
    except OSError as error:
        raise InputError(
            f"{name}: it cannot be copied to {tempfile.gettempdir()} ({error.strerror or error})."
        ) from error
    copy.seek(0)
    return copy


def is_parquet(file: io.BufferedReader) -> bool:
    """Return whether a file begins as Parquet does."""
    return file.peek(5).startswith(_PARQUET)


def _buffered(file: Any, stack: contextlib.ExitStack) -> io.BufferedReader:
    if isinstance(file, io.BufferedReader):
        return file
    buffered: io.BufferedReader = io.BufferedReader(file)
    stack.callback(buffered.detach)  # Which would be closed with it may be standard input.
    return buffered


def _first_bytes(file: io.BufferedReader, name: str) -> bytes:
    try:
        return file.peek(512)
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or error}.") from error


def _kind(start: bytes) -> str | None:
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    # A text may begin with BZh9, but not with what follows it: the digits of pi, or the square
    # root of pi if there are no data.
    if start[:3] == b"BZh" and start[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return "bz2"
    if start.startswith((b"\xfd7zXZ\0", b"\x5d\0\0")):
        return "xz"
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    # A frame of data, or one to skip, with which some tools begin.
    if start.startswith(b"\x28\xb5\x2f\xfd") or (
        start[1:4] == b"\x2a\x4d\x18" and 0x50 <= start[0] <= 0x5F
    ):
        return "zstd"
    return None


def _opener(kind: str, name: str) -> Callable[[Any], Any]:
    if kind == "zstd":
        return _import_zstd(name).open
    openers: dict[str, Callable[[Any], Any]] = {
        "gzip": gzip.open,
        "bz2": bz2.open,
        "xz": lzma.open,
    }
    return openers[kind]


def _import_zstd(name: str) -> Any:
    try:
        # The standard library has it from Python 3.14 on.
        from compression import zstd  # type: ignore[import-not-found]
    except ImportError:
        try:
            from backports import zstd
        except ImportError as error:
            raise InputError(
                f"{name}: zstd needs Python 3.14 or backports.zstd: pip install 'sktextcnn[zstd]'."
            ) from error
    return zstd


def _refuse(start: bytes, name: str) -> None:
    """Raise an `InputError` for a file that no option would make readable."""
    for beginning, what in _REFUSED.items():
        if start.startswith(beginning):
            raise InputError(f"{name}: this is {what}.")
    if start[257:262] == b"ustar":
        raise InputError(
            f"{name}: this is a tar archive. Unpack it, or read a file of it from a pipe: tar "
            f"-xOf ARCHIVE FILE | sktextcnn ..."
        )


def _open_zip(
    file: BinaryIO, name: str, stack: contextlib.ExitStack
) -> tuple["_Decompressed", str]:
    """Open the only file of an archive."""
    try:
        archive = stack.enter_context(zipfile.ZipFile(file))
        members = [each.filename for each in archive.infolist() if not each.is_dir()]
        if "[Content_Types].xml" in members:
            raise InputError(f"{name}: this is an Office document; save it as CSV (UTF-8).")
        # What systems and editors add.
        members = [
            each
            for each in members
            if not each.startswith("__MACOSX/") and not os.path.basename(each).startswith(".")
        ]
        if len(members) != 1:
            shown = ", ".join(members[:_MAX_LISTED]) + (
                ", ..." if len(members) > _MAX_LISTED else ""
            )
            raise InputError(
                f"{name}: expected a zip archive of one file; it has {shown or 'none'}. Unpack "
                f"it, or read one from a pipe: unzip -p ARCHIVE FILE | sktextcnn ..."
            )
        return _Decompressed(stack.enter_context(archive.open(members[0])), name, "zip"), members[0]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise _damaged(name, "zip", error) from error
    # An encrypted file; a method of compression that Python does not have.
    except (RuntimeError, NotImplementedError) as error:
        raise InputError(f"{name}: the zip archive cannot be read ({error}). Unpack it.") from error


class _Decompressed(io.RawIOBase):
    """What a compressed file contains; errors name the file.

    Parameters
    ----------
    file : binary file
        The file that decompresses.
    name : str
        The name of the compressed file.
    kind : str
        How it is compressed.
    """

    def __init__(self, file: Any, name: str, kind: str) -> None:
        self._file, self._name, self._kind = file, name, kind

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        errors: tuple[type[Exception], ...] = (
            EOFError,
            OSError,
            zlib.error,
            lzma.LZMAError,
            zipfile.BadZipFile,
        )
        if self._kind == "zstd":
            errors = (*errors, _import_zstd(self._name).ZstdError)
        try:
            read = self._file.read1(len(buffer))
        except errors as error:
            raise _damaged(self._name, self._kind, error) from error
        buffer[: len(read)] = read
        return len(read)


def _damaged(name: str, kind: str, error: Exception) -> InputError:
    return InputError(f"{name}: the {kind} file is damaged or cut off ({error}).")
