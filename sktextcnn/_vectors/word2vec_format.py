"""The binary format of word2vec."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from sktextcnn._vectors.records import (
    LONGEST_WORD,
    WIDEST_VECTOR,
    BufferedStream,
    FoundVectors,
    RecordIndex,
    Wanted,
    check_finite,
    parse_header,
    warn_of_missing_rows,
)


def is_word2vec_binary(rows: bytes, n_rows: int, size: int) -> bool:
    """Whether these bytes after a header are exactly so many binary rows of that size.

    For files so small that they may contain no control byte.
    """
    end = 0
    for _ in range(n_rows):
        space = rows.find(b" ", end)
        if space < 0:
            return False
        end = space + 1 + 4 * size
        if end > len(rows):
            return False
    return end > 0 and not rows[end:].strip()


def _read_header(file: BinaryIO, path: str) -> tuple[int, int]:
    header = parse_header(file.readline(LONGEST_WORD))
    assert header is not None  # The format was recognised by it.
    if not 0 < header[1] <= WIDEST_VECTOR:
        raise ValueError(
            f"{path}, line 1: expected vectors of 1 to {WIDEST_VECTOR:,} numbers, got "
            f"{header[1]} in the header."
        )
    return header


def _records(stream: BufferedStream, n_rows: int, size: int) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield the word of each record, its values, and the offset at which the values begin."""
    for index in range(n_rows):
        if index and stream.at_end():
            return  # Some headers count a row too many.
        expected = f"row {index + 1:,} of {n_rows:,}"
        word = stream.read_until(b" ", expected).lstrip(b"\n")
        offset = stream.offset
        yield word, stream.read(4 * size, f"{size} float32 numbers of {expected}"), offset


def word2vec_words(file: BinaryIO, path: str) -> Iterator[bytes]:
    header = _read_header(file, path)
    for word, _, _ in _records(BufferedStream(file, path, file.tell()), *header):
        yield word


def read_word2vec_binary(file: BinaryIO, path: str, wanted: Wanted) -> FoundVectors:
    n_rows, size = _read_header(file, path)
    found: dict[str, np.ndarray] = {}
    stream = BufferedStream(file, path, file.tell())
    hashes, bounds = array("q"), array("q", [stream.offset])
    for word, values, offset in _records(stream, n_rows, size):
        ours = word if wanted.rename is None else wanted.rename(word)
        hashes.append(hash(ours))
        bounds.append(stream.offset)
        if ours in wanted and wanted[ours] not in found:
            found[wanted[ours]] = _row(values, path, offset, word)
    if len(hashes) < n_rows:
        warn_of_missing_rows(path, n_rows, len(hashes))
    reader = _IndexedWord2vecReader(size, RecordIndex.from_arrays(hashes, bounds))
    return FoundVectors(size, found, reader)


def write_word2vec_binary(
    file: BinaryIO, n_rows: int, size: int, rows: Iterable[tuple[str, np.ndarray]]
) -> None:
    """Write words and their vectors.

    Raises
    ------
    ValueError
        If the format cannot hold a word: it is empty or too long, has a space or another
        separator of ASCII, or is no valid text.
    """
    file.write(b"%d %d\n" % (n_rows, size))
    for word, row in rows:
        file.write(_checked_word(word) + b" " + row.astype("<f4").tobytes() + b"\n")


def _checked_word(word: str) -> bytes:
    encoded = word.encode("utf-8", "replace")
    if encoded.decode() != word or encoded.split() != [encoded] or len(encoded) > LONGEST_WORD:
        raise ValueError(
            f"The word {word!r:.60} cannot be written in the format of word2vec, whose words are "
            f"valid text without spaces. Leave such words out: Embeddings(source, word=function), "
            f"where the function returns None for them and other words as they are."
        )
    return encoded


def _row(values: bytes, path: str, offset: int, word: bytes) -> np.ndarray:
    row = np.frombuffer(values, dtype="<f4").astype(np.float32)
    return check_finite(row, f"{path}, byte {offset:,}", word)


@dataclass(frozen=True)
class _IndexedWord2vecReader:
    """Reads words of a word2vec binary file by its index."""

    size: int
    index: RecordIndex

    def __call__(self, file: BinaryIO, path: str, wanted: Wanted) -> FoundVectors:
        found: dict[str, np.ndarray] = {}
        n_bytes = 4 * self.size
        for i, record in self.index.read(file, wanted):
            word = record[: -n_bytes - 1].lstrip(b"\n")
            ours = word if wanted.rename is None else wanted.rename(word)
            if ours in wanted and wanted[ours] not in found:
                offset = int(self.index.bounds[i + 1]) - n_bytes
                found[wanted[ours]] = _row(record[-n_bytes:], path, offset, word)
        return FoundVectors(self.size, found, self)
