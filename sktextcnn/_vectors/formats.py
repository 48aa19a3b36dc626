"""Read the wanted rows of a file of word vectors, in one streaming pass.

Words are compared as bytes, so a file may hold words that are no valid text without harm
to the others. Every reader takes the words that are wanted, by their bytes in the file, and
returns the width of the vectors, the rows that it found, and a reader for more words of
the file. That one goes straight to their rows, since the pass noted where each row lies.
"""

import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from sktextcnn._vectors.fasttext_format import (
    FASTTEXT,
    fasttext_words,
    is_old_fasttext,
    read_fasttext,
)
from sktextcnn._vectors.records import LONGEST_WORD, Reader, Rows, read_header
from sktextcnn._vectors.text_format import BYTE_ORDER_MARK, is_number, read_text, text_words
from sktextcnn._vectors.word2vec_format import (
    is_word2vec_binary,
    read_word2vec_binary,
    word2vec_words,
)

# Vectors of real words become a few times larger when they are decompressed.
_LARGEST_GROWTH = 100
_ALWAYS_DECOMPRESSED = 1 << 22

_GZIP = b"\x1f\x8b"
_GZIP_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)
_PICKLE = b"\x80"
_KNOWN_STRANGERS = {
    b"PK\x03\x04": "a zip archive; unzip it and give the file inside",
    b"\x89HDF": "an HDF5 file; export the vectors as word2vec or GloVe text",
    b"\x93NUMPY": "a bare NumPy array, which has no words",
    b"\xff\xfe": "UTF-16 text; convert it to UTF-8",
    b"\xfe\xff": "UTF-16 text; convert it to UTF-8",
    b"BZh": "compressed with bzip2; decompress it or use gzip",
    b"\xfd7zX": "compressed with xz; decompress it or use gzip",
}


def is_gensim_file(path: str) -> bool:
    """Tell whether a file was saved by gensim itself (``.kv``, ``.model``)."""
    with _open(path) as file:
        try:
            return file.read(1) == _PICKLE
        except _GZIP_ERRORS:
            return False  # read_rows says what is wrong with it.


def read_rows(
    path: str, words: Iterable[str], encoding: str = "utf-8", reader: Reader | None = None
) -> Rows:
    """Read the vectors of the wanted words.

    The format is recognised from the content: word2vec binary, fastText ``.bin``, and
    text with one word and its vector a line (GloVe, word2vec and fastText ``.vec``), with
    or without a header of two numbers; each of them may be compressed with gzip.

    Parameters
    ----------
    path : str
        The file.
    words : iterable of str
        The words whose rows are returned.
    encoding : str, default="utf-8"
        How the file encodes its words.
    reader : callable, optional
        The reader among the rows of an earlier call for the same file, which spares this
        call the pass over it.

    Returns
    -------
    Rows
        The width of the vectors, one float32 array of shape (vector_size,) for each word
        that was found, and a reader for other words. The first of rows of the same word
        counts.

    Raises
    ------
    ValueError
        If the file is none of these formats, is empty or truncated, or has a row of the
        wrong width or a value that is no finite number. Names the file, and the line or
        the offset in (decompressed) bytes.
    """
    wanted = {encoded: word for word in words if (encoded := _encode(word, encoding)) is not None}
    with _open(path) as file:
        try:
            return (reader or _reader_for(file, path))(file, path, wanted)
        except _GZIP_ERRORS as error:
            raise _broken_gzip(path, error) from error


def first_words(path: str, n: int, encoding: str = "utf-8") -> list[str]:
    """Return the first words of a file, each once; the most frequent ones in usual files.

    Parameters
    ----------
    path : str
        The file, of any format of :func:`read_rows`.
    n : int
        How many words. Those that are no valid text are passed over.
    encoding : str, default="utf-8"
        How the file encodes its words.

    Raises
    ------
    ValueError
        As :func:`read_rows`, if the trouble lies before the last of these words.
    """
    with _open(path) as file:
        try:
            words: dict[str, None] = {}
            encoded = iter(_WORDS_OF[_reader_for(file, path)](file, path))
            while len(words) < n and (next_word := next(encoded, None)) is not None:
                word = _decode(next_word, encoding)
                if word is not None:
                    words[word] = None
            return list(words)
        except _GZIP_ERRORS as error:
            raise _broken_gzip(path, error) from error


def _broken_gzip(path: str, error: Exception) -> ValueError:
    return ValueError(
        f"{path}: the gzip stream is damaged or cut off ({error}); fetch the file again."
    )


def _decode(word: bytes, encoding: str) -> str | None:
    try:
        text = word.decode(encoding)
    except UnicodeDecodeError:
        return None
    # Some encodings have two codes for a letter, of which words are looked up by one.
    return text if _encode(text, encoding) == word else None


def _encode(word: str, encoding: str) -> bytes | None:
    try:
        return word.encode(encoding)
    except UnicodeEncodeError:
        return None  # No file in this encoding can hold the word.


def is_compressed(path: str) -> bool:
    """Tell whether a file is compressed with gzip."""
    with open(path, "rb") as file:
        return file.read(2) == _GZIP


def _open(path: str) -> BinaryIO:
    return _GzipFile(path) if is_compressed(path) else open(path, "rb")  # type: ignore[return-value]


class _GzipFile(gzip.GzipFile):
    """A file that does not decompress to more than a multiple of its size."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "rb")
        self.path = path
        self.most = max(_ALWAYS_DECOMPRESSED, _LARGEST_GROWTH * os.path.getsize(path))

    def read(self, size: int | None = -1) -> bytes:
        return self._checked(super().read(size))

    def readline(self, size: int | None = -1) -> bytes:
        return self._checked(super().readline(size))

    def _checked(self, content: bytes) -> bytes:
        if self.tell() > self.most:
            raise ValueError(
                f"{self.path} decompresses to more than {_LARGEST_GROWTH} times its size, which "
                f"vectors of words do not. If you trust it, decompress it first."
            )
        return content


def _reader_for(file: BinaryIO, path: str) -> Reader:
    head = file.read(LONGEST_WORD)
    file.seek(0)
    if not head.strip():
        raise ValueError(f"{path} is empty; expected a file of word vectors.")
    for magic, what in _KNOWN_STRANGERS.items():
        if head.startswith(magic):
            raise ValueError(f"{path} is {what}.")
    if head.removeprefix(BYTE_ORDER_MARK).lstrip()[:4].lower() in (b"<!do", b"<htm"):
        raise ValueError(f"{path} is a web page, so the download of the vectors went wrong.")
    if head.startswith(FASTTEXT) or is_old_fasttext(head):
        return read_fasttext
    line, _, rest = head.partition(b"\n")
    header = read_header(line)
    first_row = (rest if header else head).partition(b"\n")[0].split()
    if len(first_row) > 1 and is_number(first_row[-1]):
        return read_text
    if header and (_has_control_bytes(rest) or is_word2vec_binary(rest, *header)):
        return read_word2vec_binary
    if _has_control_bytes(head):
        raise ValueError(
            f"{path}: this binary format is not known. Expected word2vec, fastText .bin, "
            f"gensim .kv/.model, or text with one word and its numbers a line."
        )
    return read_text


def _has_control_bytes(sample: bytes) -> bool:
    # Float32 values hold them sooner or later, text hardly ever.
    return bool(set(sample[:8192]) & (set(range(32)) - set(b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f")))


_WORDS_OF: dict[Reader, Callable[[BinaryIO, str], Iterator[bytes]]] = {
    read_text: text_words,
    read_word2vec_binary: word2vec_words,
    read_fasttext: fasttext_words,
}
