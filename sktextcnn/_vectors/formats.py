"""Recognise the format of a file of word vectors, and read the vectors of wanted words.

The first reader of a file makes one streaming pass over it, which also indexes the positions of
all rows. It returns the vectors that it found and a second reader, which reads other words by
this index. Words are compared as bytes, so that words in a file that are not valid text do not
affect the others.
"""

import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

import numpy as np

from sktextcnn._vectors.fasttext_format import (
    FASTTEXT,
    fasttext_words,
    gives_subwords,
    is_old_fasttext,
    read_fasttext,
)
from sktextcnn._vectors.other_files import other_format, pickled
from sktextcnn._vectors.records import (
    LONGEST_WORD,
    FoundVectors,
    VectorReader,
    Wanted,
    parse_header,
)
from sktextcnn._vectors.renaming import Rename, rename_bytes
from sktextcnn._vectors.spellings import lookup_spelled
from sktextcnn._vectors.text_format import is_number, read_text, text_words
from sktextcnn._vectors.word2vec_format import (
    is_word2vec_binary,
    read_word2vec_binary,
    word2vec_words,
)

# Decompression makes the vectors of real words only a few times larger.
_MAX_COMPRESSION_RATIO = 100
# A file that decompresses to no more than this may have any ratio.
_ALWAYS_DECOMPRESSED = 1 << 22

_GZIP = b"\x1f\x8b"
_GZIP_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)
_PICKLE = b"\x80"


def is_gensim_file(path: str) -> bool:
    """Tell whether a file was saved by gensim itself (``.kv``, ``.model``).

    Other pickles are named by `read_vectors`.
    """
    with _open(path) as file:
        try:
            head = file.read(LONGEST_WORD)
            return head.startswith(_PICKLE) and pickled(head) is None
        except _GZIP_ERRORS:
            return False  # `read_vectors` raises the error.


def read_vectors(
    path: str,
    words: Iterable[str],
    encoding: str = "utf-8",
    reader: VectorReader | None = None,
    rename: Rename | None = None,
) -> FoundVectors:
    """Read the vectors of the wanted words.

    The format is recognised from the content: word2vec binary, fastText ``.bin``, and
    text with a word and its vector on each line (GloVe, word2vec and fastText ``.vec``), with
    or without a header of two numbers. Each may be compressed with gzip.

    Parameters
    ----------
    path : str
        The file.
    words : iterable of str
        The words to look up.
    encoding : str, default="utf-8"
        The encoding of the words in the file.
    reader : callable, optional
        The `reader` that an earlier call for the same file and `rename` returned. It avoids
        another pass over the file.
    rename : callable, optional
        From a word of the file to the wanted word, or None for a word to leave out.

    Returns
    -------
    FoundVectors
        The width of the vectors, the vector of each word that was found, and a reader for other
        words. If a word has several rows, the first one is taken.

    Raises
    ------
    ValueError
        If the file has none of these formats, is empty or truncated, or has a row of the
        wrong width or a value that is not a finite number. The message names the file, and the
        line or the offset in (decompressed) bytes.
    """
    with _open(path) as file:
        try:
            read = reader or _detect_format(file, path)
            found: list[FoundVectors] = []

            def lookup(words: Iterable[str]) -> dict[str, np.ndarray]:
                found.append(read(file, path, _as_wanted(words, encoding, rename)))
                return found[-1].vectors

            # Subwords give vectors to words in any spelling.
            vectors = lookup(words) if gives_subwords(read) else lookup_spelled(lookup, words)
            return found[-1]._replace(vectors=vectors)
        except _GZIP_ERRORS as error:
            raise _damaged_gzip(path, error) from error


def _as_wanted(words: Iterable[str], encoding: str, rename: Rename | None) -> Wanted:
    wanted = Wanted()
    for word in words:
        if (encoded := _encode(word, encoding)) is not None:
            wanted[encoded] = word
    wanted.rename = None if rename is None else rename_bytes(rename, encoding)
    return wanted


def first_words(
    path: str, n: int, encoding: str = "utf-8", rename: Rename | None = None
) -> list[str]:
    """Return the first words of a file, without duplicates.

    Most files have the most frequent words first.

    Parameters
    ----------
    path : str
        A file of any format that :func:`read_vectors` reads.
    n : int
        The number of words. Words that are not valid text are skipped.
    encoding : str, default="utf-8"
        The encoding of the words in the file.
    rename : callable, optional
        As for :func:`read_vectors`.

    Raises
    ------
    ValueError
        As for :func:`read_vectors`, if the error is before the last of these words.
    """
    with _open(path) as file:
        try:
            words: dict[str, None] = {}
            encoded = iter(_WORD_ITERATORS[_detect_format(file, path)](file, path))
            while len(words) < n and (next_word := next(encoded, None)) is not None:
                word = _decode(next_word, encoding)
                if word is not None and rename is not None:
                    word = rename(word) or None
                if word is not None:
                    words[word] = None
            return list(words)
        except _GZIP_ERRORS as error:
            raise _damaged_gzip(path, error) from error


def _damaged_gzip(path: str, error: Exception) -> ValueError:
    return ValueError(
        f"{path}: the gzip stream is damaged or truncated ({error}). Download the file again."
    )


def _decode(word: bytes, encoding: str) -> str | None:
    try:
        text = word.decode(encoding)
    except UnicodeError:
        return None
    # Some encodings have two codes for a letter, but `_encode` looks words up by one of them.
    return text if _encode(text, encoding) == word else None


def _encode(word: str, encoding: str) -> bytes | None:
    try:
        return word.encode(encoding)
    except UnicodeError:
        return None  # A file in this encoding cannot contain the word.


def is_compressed(path: str) -> bool:
    """Tell whether a file is compressed with gzip."""
    with open(path, "rb") as file:
        return file.read(2) == _GZIP


def _open(path: str) -> BinaryIO:
    return _BoundedGzipFile(path) if is_compressed(path) else open(path, "rb")  # type: ignore[return-value]


class _BoundedGzipFile(gzip.GzipFile):
    """A gzip file that raises an error if it decompresses to too large a multiple of its size."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "rb")
        self.path = path
        self.max_size = max(_ALWAYS_DECOMPRESSED, _MAX_COMPRESSION_RATIO * os.path.getsize(path))

    def read(self, size: int | None = -1) -> bytes:
        return self._checked(super().read(size))

    def readline(self, size: int | None = -1) -> bytes:
        return self._checked(super().readline(size))

    def _checked(self, content: bytes) -> bytes:
        if self.tell() > self.max_size:
            raise ValueError(
                f"{self.path} decompresses to more than {_MAX_COMPRESSION_RATIO} times its size, "
                f"which files of word vectors do not. If you trust it, decompress it first."
            )
        return content


def _detect_format(file: BinaryIO, path: str) -> VectorReader:
    """Return the reader of the file's format, which it recognises from the first bytes."""
    head = file.read(LONGEST_WORD)
    file.seek(0)
    if not head.strip():
        raise ValueError(f"{path} is empty; expected a file of word vectors.")
    if what := other_format(head, file, path):
        raise ValueError(f"{path} is {what}.")
    file.seek(0)
    if head.startswith(FASTTEXT) or is_old_fasttext(head):
        return read_fasttext
    line, _, rest = head.partition(b"\n")
    header = parse_header(line)
    first_row = (rest if header else head).partition(b"\n")[0].split()
    if len(first_row) > 1 and is_number(first_row[-1]):
        return read_text
    if header and (_has_control_bytes(rest) or is_word2vec_binary(rest, *header)):
        return read_word2vec_binary
    if _has_control_bytes(head):
        raise ValueError(
            f"{path}: this binary format is not known. Expected word2vec, fastText .bin, "
            f"gensim .kv/.model, or text with a word and its numbers on each line."
        )
    return read_text


def _has_control_bytes(sample: bytes) -> bool:
    # Nearly all float32 values contain some of them, and text hardly ever does.
    return bool(set(sample[:8192]) & (set(range(32)) - set(b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f")))


_WORD_ITERATORS: dict[VectorReader, Callable[[BinaryIO, str], Iterator[bytes]]] = {
    read_text: text_words,
    read_word2vec_binary: word2vec_words,
    read_fasttext: fasttext_words,
}
