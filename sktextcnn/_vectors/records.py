"""Shared by the readers of all formats: the index of a file's records, a buffer, and checks."""

import struct
import warnings
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

# Small enough that arrays computed from a chunk stay in the processor's cache.
CHUNK = 1 << 17
LONGEST_WORD = 1 << 16
WIDEST_VECTOR = 1 << 20

DAMAGED = "The file is damaged."


class Wanted(dict[bytes | None, str]):
    """The words to look up: from the bytes of a word to the word.

    `rename` returns which of these a word of the file is, or None for a word that is left out,
    which is never a key. Without it, the words of the file are the words.
    """

    rename: Callable[[bytes], bytes | None] | None = None


class FoundVectors(NamedTuple):
    """The vectors that a reader found.

    Attributes
    ----------
    vector_size : int
        The width of the vectors.
    vectors : dict of str to ndarray of shape (vector_size,), dtype float32
        The vector of each word that was found.
    reader : callable
        Reads the vectors of other words of the same file without another pass over it.
    """

    vector_size: int
    vectors: dict[str, np.ndarray]
    reader: "VectorReader"


# From an open file, its path (for errors) and the wanted words to their vectors.
VectorReader = Callable[[BinaryIO, str, Wanted], FoundVectors]


def parse_header(line: bytes) -> tuple[int, int] | None:
    """Return the number of rows and their width, or None if the line is not such a header."""
    fields = line.split()
    if len(fields) == 2 and all(field.isdigit() and len(field) < 19 for field in fields):
        return int(fields[0]), int(fields[1])
    return None


class RecordIndex(NamedTuple):
    """The positions of a file's records, in 16 bytes a record, however long its word is.

    Record i extends from byte ``bounds[i]`` to byte ``bounds[i + 1]``.
    """

    hashes: np.ndarray  # Of the records' words, shape (n_records,), int64.
    bounds: np.ndarray  # Shape (n_records + 1,), int64.

    @classmethod
    def from_arrays(cls, hashes: array, bounds: array) -> "RecordIndex":
        return cls(np.frombuffer(hashes, dtype=np.int64), np.frombuffer(bounds, dtype=np.int64))

    def read(self, file: BinaryIO, words: Iterable[bytes | None]) -> Iterator[tuple[int, bytes]]:
        """Yield the number and the bytes of each record whose word has a wanted hash.

        A few of them may be of other words, since hashes can collide. A file compressed with
        gzip is decompressed up to the last of the records.
        """
        wanted = np.sort(np.array([hash(word) for word in words], dtype=np.int64))
        if not len(wanted):
            return
        nearest = wanted.take(np.searchsorted(wanted, self.hashes), mode="clip")
        indices = np.flatnonzero(nearest == self.hashes)
        starts, ends = self.bounds[indices], self.bounds[indices + 1]
        for i, start, end in zip(indices.tolist(), starts.tolist(), ends.tolist(), strict=True):
            file.seek(start)
            yield i, file.read(end - start)


class BufferedStream:
    """A file read through a buffer that knows its offset and raises an error at its end."""

    def __init__(self, file: BinaryIO, path: str, offset: int) -> None:
        self.file, self.path = file, path
        self.buffer, self.start, self.base = b"", 0, offset

    @property
    def offset(self) -> int:
        return self.base + self.start

    def _fill(self, n_bytes: int, expected: str) -> None:
        rest = self.buffer[self.start :]
        more = self.file.read(max(CHUNK, n_bytes))
        if not more:
            raise ValueError(
                f"{self.path} is truncated at byte {self.offset + len(rest):,}: "
                f"expected {expected}. Download the file again."
            )
        self.base, self.start, self.buffer = self.offset, 0, rest + more

    def read(self, n_bytes: int, expected: str) -> bytes:
        while len(self.buffer) - self.start < n_bytes:
            self._fill(n_bytes, expected)
        self.start += n_bytes
        return self.buffer[self.start - n_bytes : self.start]

    def at_end(self) -> bool:
        """Whether there is nothing left but a newline."""
        if len(self.buffer) - self.start > 1:
            return False
        rest = self.buffer[self.start :] + self.file.read(max(CHUNK, 2))
        self.base, self.start, self.buffer = self.offset, 0, rest
        return not rest.strip(b"\n")

    def read_until(self, end: bytes, expected: str) -> bytes:
        while (stop := self.buffer.find(end, self.start)) < 0:
            if len(self.buffer) - self.start > LONGEST_WORD:
                raise ValueError(
                    f"{self.path}, byte {self.offset:,}: expected a word, {expected}, but "
                    f"no word ends within {LONGEST_WORD:,} bytes. {DAMAGED}"
                )
            self._fill(1, expected)
        word = self.buffer[self.start : stop]
        self.start = stop + len(end)
        return word

    def unpack(self, layout: str, expected: str) -> tuple:
        layout = "<" + layout
        return struct.unpack(layout, self.read(struct.calcsize(layout), expected))


def warn_of_missing_rows(path: str, n_promised: int, n_rows: int) -> None:
    warnings.warn(
        f"{path}: its header says {n_promised:,} rows, but there are {n_rows:,}, which are "
        f"complete and are used. If you downloaded the file, check that all of it came.",
        UserWarning,
        stacklevel=2,
    )


def check_finite(row: np.ndarray, where: str, word: bytes) -> np.ndarray:
    if not np.isfinite(row).all():
        value = row[~np.isfinite(row)][0]
        raise ValueError(
            f"{where}: the vector of {quote(word)} has the value {value}; expected finite "
            f"numbers. The file is damaged, or the training of the vectors diverged."
        )
    return row


def quote(text: bytes) -> str:
    """The first bytes as text in quotation marks, for errors."""
    return repr(text[:60].decode("utf-8", "replace").strip())
