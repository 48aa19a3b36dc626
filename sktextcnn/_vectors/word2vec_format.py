"""The binary format of word2vec."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from sktextcnn._vectors.records import (
    LONGEST_WORD,
    WIDEST_VECTOR,
    Places,
    Rows,
    Wanted,
    Window,
    finite,
    read_header,
)


def is_word2vec_binary(rows: bytes, n_rows: int, size: int) -> bool:
    """Whether a file so small that it may lack control bytes has rows of that size."""
    end = 0
    for _ in range(n_rows):
        space = rows.find(b" ", end)
        if space < 0:
            return False
        end = space + 1 + 4 * size
        if end > len(rows):
            return False
    return end > 0 and not rows[end:].strip()


def _word2vec_header(file: BinaryIO, path: str) -> tuple[int, int]:
    header = read_header(file.readline(LONGEST_WORD))
    assert header is not None
    if not 0 < header[1] <= WIDEST_VECTOR:
        raise ValueError(f"{path}: the header says vectors of {header[1]} numbers.")
    return header


def _word2vec_records(stream: Window, n_rows: int, size: int) -> Iterator[tuple[bytes, bytes, int]]:
    """The word of each record, its values, and the offset at which these begin."""
    for index in range(n_rows):
        expected = f"row {index + 1:,} of {n_rows:,}"
        word = stream.until(b" ", expected).lstrip(b"\n")
        offset = stream.offset
        yield word, stream.take(4 * size, f"{size} float32 numbers of {expected}"), offset


def word2vec_words(file: BinaryIO, path: str) -> Iterator[bytes]:
    header = _word2vec_header(file, path)
    for word, _, _ in _word2vec_records(Window(file, path, file.tell()), *header):
        yield word


def read_word2vec_binary(file: BinaryIO, path: str, wanted: Wanted) -> Rows:
    n_rows, size = _word2vec_header(file, path)
    found: dict[str, np.ndarray] = {}
    stream = Window(file, path, file.tell())
    hashes, bounds = array("q"), array("q", [stream.offset])
    for word, values, offset in _word2vec_records(stream, n_rows, size):
        hashes.append(hash(word))
        bounds.append(stream.offset)
        if word in wanted and wanted[word] not in found:
            found[wanted[word]] = _binary_row(values, path, offset, word)
    return Rows(size, found, _Word2vecReader(size, Places.of(hashes, bounds)))


def _binary_row(values: bytes, path: str, offset: int, word: bytes) -> np.ndarray:
    row = np.frombuffer(values, dtype="<f4").astype(np.float32)
    return finite(row, f"{path}, byte {offset:,}", word)


@dataclass(frozen=True)
class _Word2vecReader:
    """Reads further words of a word2vec binary file that has been passed over once."""

    size: int
    places: Places

    def __call__(self, file: BinaryIO, path: str, wanted: Wanted) -> Rows:
        found: dict[str, np.ndarray] = {}
        n_bytes = 4 * self.size
        for i, record in self.places.records(file, wanted):
            word = record[: -n_bytes - 1].lstrip(b"\n")
            if word in wanted and wanted[word] not in found:
                offset = int(self.places.bounds[i + 1]) - n_bytes
                found[wanted[word]] = _binary_row(record[-n_bytes:], path, offset, word)
        return Rows(self.size, found, self)
