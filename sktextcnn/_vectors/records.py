"""What the readers of all formats of word vectors share: places of records, rows, and errors."""

import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO, NamedTuple

import numpy as np

# Small enough that what is computed of it stays in the processor's cache.
CHUNK = 1 << 17
LONGEST_WORD = 1 << 16
WIDEST_VECTOR = 1 << 20

DAMAGED = "The file is damaged."


class Rows(NamedTuple):
    """What was found: the width of the vectors, a float32 row for each word, and a reader."""

    vector_size: int
    of: dict[str, np.ndarray]
    reader: "Reader"


Wanted = Mapping[bytes, str]
Reader = Callable[[BinaryIO, str, Wanted], Rows]


def read_header(line: bytes) -> tuple[int, int] | None:
    """The number of rows and their width, if this first line says so."""
    fields = line.split()
    if len(fields) == 2 and all(field.isdigit() and len(field) < 19 for field in fields):
        return int(fields[0]), int(fields[1])
    return None


class Places(NamedTuple):
    """Where the records of a file lie, in 16 bytes a record, however long its word.

    Records lie one behind the other, record i from ``bounds[i]`` to ``bounds[i + 1]``.
    """

    hashes: np.ndarray  # Of their words, shape (n_records,), int64.
    bounds: np.ndarray  # Shape (n_records + 1,), int64.

    @classmethod
    def of(cls, hashes: array, bounds: array) -> "Places":
        return cls(np.frombuffer(hashes, dtype=np.int64), np.frombuffer(bounds, dtype=np.int64))

    def records(self, file: BinaryIO, words: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        """The records of these words by their indices, and maybe a few of other words.

        A file compressed with gzip is decompressed again, up to the last of them.
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


class Window:
    """A file seen through a buffer, with the offset and an error at its end."""

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
                f"{self.path} is cut off at byte {self.offset + len(rest):,}: "
                f"expected {expected}. Fetch the file again."
            )
        self.base, self.start, self.buffer = self.offset, 0, rest + more

    def take(self, n_bytes: int, expected: str) -> bytes:
        while len(self.buffer) - self.start < n_bytes:
            self._fill(n_bytes, expected)
        self.start += n_bytes
        return self.buffer[self.start - n_bytes : self.start]

    def until(self, end: bytes, expected: str) -> bytes:
        while (stop := self.buffer.find(end, self.start)) < 0:
            if len(self.buffer) - self.start > LONGEST_WORD:
                raise ValueError(
                    f"{self.path}, byte {self.offset:,}: expected a word, {expected}, but "
                    f"none ends within {LONGEST_WORD:,} bytes. The file is damaged."
                )
            self._fill(1, expected)
        word = self.buffer[self.start : stop]
        self.start = stop + len(end)
        return word

    def numbers(self, layout: str, expected: str) -> tuple:
        layout = "<" + layout
        return struct.unpack(layout, self.take(struct.calcsize(layout), expected))


def finite(row: np.ndarray, where: str, word: bytes) -> np.ndarray:
    if not np.isfinite(row).all():
        value = row[~np.isfinite(row)][0]
        raise ValueError(
            f"{where}: the vector of {shown(word)} has the value {value}; expected finite "
            f"numbers. The file is damaged, or its training diverged."
        )
    return row


def shown(text: bytes) -> str:
    return repr(text[:60].decode("utf-8", "replace").strip())
