"""The decoded text of a file, by lines or by blocks."""

import codecs
import contextlib
import io
import re
from collections.abc import Iterator

from sktextcnn._cli.errors import InputError
from sktextcnn._cli.rows.bad_rows import BadRows

# What the error handler "surrogateescape" makes of bytes that the encoding does not have.
UNDECODED = re.compile("[\udc80-\udcff]")

_BLOCK_SIZE = 1 << 16
# That of UTF-32 begins with that of UTF-16.
_ENCODING_OF_MARK = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class TextFile:
    """The text of a file; errors name the line that cannot be decoded.

    Parameters
    ----------
    file : io.BufferedReader
        The file, which stays open.
    name : str
        Its name, for errors.
    encoding : str or None
        The encoding; None for that of the byte order mark, or UTF-8.
    newline : str or None
        Which line ends there are, as of `open`.
    bad_rows : BadRows
        What happens to rows that cannot be used. If they are skipped, undecoded bytes stay in the
        text as surrogates, for the reader of the format to find the row (`undecoded`).
    """

    def __init__(
        self,
        file: io.BufferedReader,
        name: str,
        encoding: str | None,
        newline: str | None,
        bad_rows: BadRows,
    ) -> None:
        self.name = name
        self.bad_rows = bad_rows
        encoding = encoding or _encoding_of_mark(file)
        self._shown = "UTF-8" if encoding.lower().startswith("utf-8") else encoding
        try:
            self._text = io.TextIOWrapper(file, encoding, errors="surrogateescape", newline=newline)
        except LookupError as error:
            raise InputError(f"--encoding {encoding}: {error}.") from error
        self._beginning = ""

    def detach(self) -> None:
        """Leave the file open when this object is collected, since it may be standard input."""
        self._text.detach()

    def starts_with(self, beginning: str) -> bool:
        """Return whether the text has a beginning, after white space."""
        found = ""
        with self._errors(1):
            while read := self._text.read(1):
                self._beginning += read
                if not found and (read.isspace() or read == "\ufeff"):
                    continue
                found += read
                if found == beginning or not beginning.startswith(found):
                    break
        self._beginning = self._beginning.removeprefix("\ufeff")
        return found == beginning

    def __iter__(self) -> Iterator[str]:
        """Yield the lines."""
        *before, beginning = self._beginning.split("\n")
        yield from (f"{line}\n" for line in before)
        number = len(before) + 1
        with self._errors(number):
            line = beginning + next(self._text, "")
        # Encodings such as utf-8 and utf-16-le leave the mark in the text.
        line = line.removeprefix("\ufeff")
        while line:
            if not line.isascii():
                self._check(line, number)
            yield line
            number += 1
            with self._errors(number):
                line = next(self._text, "")

    def blocks(self) -> Iterator[str]:
        """Yield the text in blocks of some length."""
        block, number = self._beginning, 1
        while block:
            self._check(block, number)
            yield block
            number += block.count("\n")
            with self._errors(number):
                block = self._text.read(_BLOCK_SIZE)

    def undecoded(self, text: str) -> str | None:
        """Return what is wrong with a text that has bytes which are not of the encoding."""
        if text.isascii() or not (found := UNDECODED.search(text)):
            return None
        return f"the byte 0x{ord(found[0]) - 0xDC00:02x} is not {self._shown}"

    def _check(self, text: str, line: int) -> None:
        """Raise an `InputError` if a text that begins in a line was not decoded."""
        if self.bad_rows.skip or not (found := UNDECODED.search(text)):
            return
        line += text.count("\n", 0, found.start())
        raise InputError(
            f"{self.name}, line {line}: {self.undecoded(text)}. Give the encoding of the file, "
            f"such as --encoding cp1252 or utf-16, or --skip-bad-rows to leave out such rows."
        )

    @contextlib.contextmanager
    def _errors(self, line: int) -> Iterator[None]:
        try:
            yield
        except UnicodeError as error:
            raise InputError(
                f"{self.name}, line {line} or below: this is not {self._shown} ({error}). Give "
                f"the encoding of the file with --encoding."
            ) from error
        except OSError as error:
            raise InputError(f"{self.name}: {error.strerror or error}.") from error


def _encoding_of_mark(file: io.BufferedReader) -> str:
    """Return the encoding of the byte order mark; UTF-8 if there is none, or that of UTF-8."""
    beginning = file.peek(4)
    for mark, encoding in _ENCODING_OF_MARK.items():
        if beginning.startswith(mark):
            return encoding
    return "utf-8-sig"
