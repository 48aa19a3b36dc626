"""fastText's ``.bin`` format: words, and the subwords that give vectors to other words."""

import gzip
import os
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, NamedTuple

import numpy as np

from sktextcnn._vectors import records as records
from sktextcnn._vectors.records import (
    DAMAGED,
    WIDEST_VECTOR,
    BufferedStream,
    FoundVectors,
    RecordIndex,
    VectorReader,
    Wanted,
    check_finite,
)

FASTTEXT = struct.pack("<i", 793712314)

# A word has some subwords for each of its letters, so a longer word gets none.
_LONGEST_WORD_WITH_SUBWORDS = 1 << 12
_LONGEST_SUBWORD = 100

_MODEL_SUPERVISED = 3
_ENTRY_TAIL = 9  # The count and the kind of an entry of the dictionary.


def is_old_fasttext(head: bytes) -> bool:
    """Whether a file begins with fastText's arguments, as files without a magic number do."""
    if len(head) < 56:
        return False
    size, window, epoch, min_count, _, _, loss, model, _, minn, maxn, _ = struct.unpack(
        "<12i", head[:48]
    )
    return (
        0 < size <= WIDEST_VECTOR
        and 0 < window < 1000
        and 0 < epoch < 1_000_000
        and min_count >= 0
        and loss in (1, 2, 3, 4)
        and model in (1, 2, 3)
        and 0 <= minn <= 100
        and 0 <= maxn <= 100
    )


class _FastTextHeader(NamedTuple):
    """The numbers before the dictionary of a fastText file."""

    versioned: bool
    size: int
    n_buckets: int
    minn: int
    maxn: int
    n_entries: int
    n_words: int


def _read_header(stream: BufferedStream) -> _FastTextHeader:
    path, arguments = stream.path, "fastText's arguments"
    versioned = stream.read(4, arguments) == FASTTEXT
    if versioned:
        stream.unpack("i", arguments)
    else:
        stream.start = 0
    size, *_, model, n_buckets, minn, maxn, _, _ = stream.unpack("12id", arguments)
    if model == _MODEL_SUPERVISED:
        raise ValueError(
            f"{path} is a supervised fastText classifier; expected word vectors, as "
            f"'fasttext skipgram' or 'fasttext cbow' write them."
        )
    n_entries, n_words, _, _ = stream.unpack("3iq", "fastText's dictionary")
    if not 0 < size <= WIDEST_VECTOR:
        raise ValueError(
            f"{path}: expected vectors of 1 to {WIDEST_VECTOR:,} numbers, got {size}. {DAMAGED}"
        )
    if not (0 <= minn <= _LONGEST_SUBWORD and 0 <= maxn <= _LONGEST_SUBWORD):
        raise ValueError(
            f"{path}: expected subwords of 0 to {_LONGEST_SUBWORD} letters, got {minn} to {maxn}. "
            f"{DAMAGED}"
        )
    if not (0 <= n_words <= n_entries and n_buckets >= 0):
        raise ValueError(
            f"{path}: expected 0 to {n_entries:,} words among the {n_entries:,} entries of the "
            f"dictionary, and 0 or more rows for subwords; got {n_words:,} words and "
            f"{n_buckets:,} rows. {DAMAGED}"
        )
    if versioned:
        stream.unpack("q", "fastText's dictionary")
    return _FastTextHeader(versioned, size, n_buckets, minn, maxn, n_entries, n_words)


def _dictionary_entries(stream: BufferedStream, n_entries: int) -> Iterator[bytes]:
    for index in range(n_entries):
        expected = f"entry {index + 1:,} of {n_entries:,} of fastText's dictionary"
        word = stream.read_until(b"\0", expected)
        stream.read(_ENTRY_TAIL, expected)
        yield word


def fasttext_words(file: BinaryIO, path: str) -> Iterator[bytes]:
    stream = BufferedStream(file, path, 0)
    start = _read_header(stream)
    # The entries after the words are labels.
    return islice(_dictionary_entries(stream, start.n_entries), start.n_words)


def read_fasttext(file: BinaryIO, path: str, wanted: Wanted) -> FoundVectors:
    stream = BufferedStream(file, path, 0)
    versioned, size, n_buckets, minn, maxn, n_entries, n_words = _read_header(stream)
    hashes, bounds = array("q"), array("q", [stream.offset])
    for word in _dictionary_entries(stream, n_entries):
        ours = word if wanted.rename is None else wanted.rename(word)
        hashes.append(hash(ours))
        bounds.append(stream.offset)
    if versioned and stream.unpack("?", "fastText's vectors")[0]:
        raise ValueError(
            f"{path} is a quantized fastText model (.ftz); expected the full model (.bin)."
        )
    n_rows, width = stream.unpack("2q", "fastText's vectors")
    if width != size or n_rows != n_words + n_buckets:
        raise ValueError(
            f"{path}, byte {stream.offset - 16:,}: expected a matrix of {n_words + n_buckets:,} "
            f"x {size} vectors, got {n_rows:,} x {width}. {DAMAGED}"
        )
    dictionary = RecordIndex.from_arrays(hashes[:n_words], bounds[: n_words + 1])
    reader = _IndexedFastTextReader(size, n_words, n_buckets, minn, maxn, dictionary, stream.offset)
    return reader(file, path, wanted)


@dataclass(frozen=True)
class _IndexedFastTextReader:
    """Reads words by the index: a vector is the mean of the rows of a word and of its n-grams.

    Bojanowski et al. (2017), Enriching Word Vectors with Subword Information, section
    3.2. A word that is not in the file gets the mean of the rows of its n-grams.
    """

    size: int
    n_words: int
    n_buckets: int
    minn: int
    maxn: int
    dictionary: RecordIndex
    matrix_start: int

    def __call__(self, file: BinaryIO, path: str, wanted: Wanted) -> FoundVectors:
        rows_of = self._rows_of(file, wanted)
        n_rows = self.n_words + self.n_buckets
        file.seek(self.matrix_start)
        stream = BufferedStream(file, path, self.matrix_start)
        needed = np.unique(np.concatenate([*rows_of.values(), np.array([], dtype=np.int64)]))
        matrix = _matrix_rows(stream, n_rows, self.size, needed.tolist())
        found: dict[str, np.ndarray] = {}
        for word, rows in rows_of.items():
            if len(rows):
                parts = [matrix[row] for row in rows.tolist()]
                mean = np.asarray(np.mean(parts, axis=0, dtype=np.float32))
                found[wanted[word]] = check_finite(mean, path, word or b"")
        return FoundVectors(self.size, found, self)

    def _rows_of(self, file: BinaryIO, wanted: Wanted) -> dict[bytes | None, np.ndarray]:
        """The rows of the matrix whose mean is the vector of each word."""
        entries: dict[bytes | None, tuple[int, bytes]] = {}
        for row, entry in self.dictionary.read(file, wanted):
            of_file = entry[: -_ENTRY_TAIL - 1]
            ours = of_file if wanted.rename is None else wanted.rename(of_file)
            entries.setdefault(ours, (row, of_file))
        rows_of: dict[bytes | None, np.ndarray] = {}
        for word, text in wanted.items():
            own = []
            if word in entries:
                row, of_file = entries[word]
                own = [row]
                # The subwords of the word as the file has it, with its tag or prefix.
                text = text if of_file == word else of_file.decode("utf-8", "replace")
            buckets = subword_buckets(text, self.minn, self.maxn, self.n_buckets)
            rows = np.array(buckets, dtype=np.int64) + self.n_words
            rows_of[word] = np.concatenate([np.array(own, dtype=np.int64), rows])
        return rows_of


def gives_subwords(reader: VectorReader) -> bool:
    """Whether a reader gives vectors to words that a file does not have."""
    if isinstance(reader, _IndexedFastTextReader):
        return bool(reader.n_buckets)
    return reader is read_fasttext


def subword_buckets(word: str, minn: int, maxn: int, n_buckets: int) -> list[int]:
    """Return the buckets of a word's n-grams; none if it is too long to be a word."""
    from gensim.models.fasttext import ft_ngram_hashes

    if not n_buckets or len(word) > _LONGEST_WORD_WITH_SUBWORDS:
        return []
    return ft_ngram_hashes(word, minn, maxn, n_buckets)


def _matrix_rows(
    stream: BufferedStream, n_rows: int, size: int, wanted: list[int]
) -> dict[int, np.ndarray]:
    """Read rows of the float32 matrix of shape (n_rows, size) that begins at the offset."""
    file, start = stream.file, stream.offset
    if isinstance(file, gzip.GzipFile):
        return dict(_streamed_rows(stream, n_rows, size, wanted))
    end = start + 4 * n_rows * size
    length = os.fstat(file.fileno()).st_size
    if length < end:
        raise ValueError(
            f"{stream.path} is truncated at byte {length:,}: expected {n_rows:,} vectors of "
            f"{size} float32 numbers up to byte {end:,}. Download the file again."
        )
    matrix = np.memmap(file, dtype="<f4", mode="r", offset=start, shape=(n_rows, size))
    return {row: np.array(matrix[row], dtype=np.float32) for row in wanted}


def _streamed_rows(
    stream: BufferedStream, n_rows: int, size: int, wanted: list[int]
) -> Iterator[tuple[int, np.ndarray]]:
    per_block = max(1, records.CHUNK // (4 * size))
    pending = iter([*wanted, n_rows])
    row = next(pending)
    for first in range(0, n_rows, per_block):
        n_block = min(per_block, n_rows - first)
        expected = f"vectors {first + 1:,} to {first + n_block:,} of {n_rows:,}"
        block = np.frombuffer(stream.read(4 * n_block * size, expected), dtype="<f4")
        while row < first + n_block:
            yield row, block.reshape(n_block, size)[row - first].astype(np.float32)
            row = next(pending)
