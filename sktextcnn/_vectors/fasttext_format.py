"""fastText's ``.bin``: words, and the n-grams whose rows make the vectors of other words."""

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
from sktextcnn._vectors.records import DAMAGED, WIDEST_VECTOR, Places, Rows, Wanted, Window, finite

FASTTEXT = struct.pack("<i", 793712314)

# Of a word whose subwords make its vector, which are as many as its letters.
_LONGEST_SUBWORDED = 1 << 12
_LONGEST_SUBWORD = 100

_MODEL_SUPERVISED = 3
_ENTRY_TAIL = 9  # The count and the kind of an entry of the dictionary.


def is_old_fasttext(head: bytes) -> bool:
    """Files from before fastText's format had a magic number begin with the arguments."""
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


class _FastTextStart(NamedTuple):
    """What a file of fastText says before its dictionary."""

    versioned: bool
    size: int
    n_buckets: int
    minn: int
    maxn: int
    n_entries: int
    n_words: int


def _fasttext_start(stream: Window) -> _FastTextStart:
    path, arguments = stream.path, "fastText's arguments"
    versioned = stream.take(4, arguments) == FASTTEXT
    if versioned:
        stream.numbers("i", arguments)
    else:
        stream.start = 0
    size, *_, model, n_buckets, minn, maxn, _, _ = stream.numbers("12id", arguments)
    if model == _MODEL_SUPERVISED:
        raise ValueError(
            f"{path} is a supervised fastText classifier; expected word vectors, as "
            f"'fasttext skipgram' or 'fasttext cbow' write them."
        )
    n_entries, n_words, _, _ = stream.numbers("3iq", "fastText's dictionary")
    if not 0 < size <= WIDEST_VECTOR:
        raise ValueError(f"{path}: expected vectors of some numbers, got {size}. {DAMAGED}")
    if not (0 <= minn <= _LONGEST_SUBWORD and 0 <= maxn <= _LONGEST_SUBWORD):
        raise ValueError(
            f"{path}: expected subwords of some number of letters, got {minn} to {maxn}. {DAMAGED}"
        )
    if not (0 <= n_words <= n_entries and n_buckets >= 0):
        raise ValueError(
            f"{path}: expected words among the dictionary's entries, and rows for subwords; got "
            f"{n_words:,} of {n_entries:,} and {n_buckets:,}. {DAMAGED}"
        )
    if versioned:
        stream.numbers("q", "fastText's dictionary")
    return _FastTextStart(versioned, size, n_buckets, minn, maxn, n_entries, n_words)


def _fasttext_entries(stream: Window, n_entries: int) -> Iterator[bytes]:
    for index in range(n_entries):
        expected = f"entry {index + 1:,} of {n_entries:,} of fastText's dictionary"
        word = stream.until(b"\0", expected)
        stream.take(_ENTRY_TAIL, expected)
        yield word


def fasttext_words(file: BinaryIO, path: str) -> Iterator[bytes]:
    stream = Window(file, path, 0)
    start = _fasttext_start(stream)
    # What comes behind the words are labels.
    return islice(_fasttext_entries(stream, start.n_entries), start.n_words)


def read_fasttext(file: BinaryIO, path: str, wanted: Wanted) -> Rows:
    stream = Window(file, path, 0)
    versioned, size, n_buckets, minn, maxn, n_entries, n_words = _fasttext_start(stream)
    hashes, bounds = array("q"), array("q", [stream.offset])
    for word in _fasttext_entries(stream, n_entries):
        hashes.append(hash(word))
        bounds.append(stream.offset)
    if versioned and stream.numbers("?", "fastText's vectors")[0]:
        raise ValueError(
            f"{path} is a quantized fastText model (.ftz); expected the full model (.bin)."
        )
    n_rows, width = stream.numbers("2q", "fastText's vectors")
    if width != size or n_rows != n_words + n_buckets:
        raise ValueError(
            f"{path}, byte {stream.offset - 16:,}: expected a matrix of {n_words + n_buckets:,} "
            f"x {size} vectors, got {n_rows:,} x {width}. The file is damaged."
        )
    dictionary = Places.of(hashes[:n_words], bounds[: n_words + 1])
    reader = _FastTextReader(size, n_words, n_buckets, minn, maxn, dictionary, stream.offset)
    return reader(file, path, wanted)


@dataclass(frozen=True)
class _FastTextReader:
    """Word vectors with subwords: the mean of the rows of a word and of its n-grams.

    Bojanowski et al. (2017), Enriching Word Vectors with Subword Information, section
    3.2; words that the file does not know get the mean of their n-grams' rows.
    """

    size: int
    n_words: int
    n_buckets: int
    minn: int
    maxn: int
    dictionary: Places
    matrix_start: int

    def __call__(self, file: BinaryIO, path: str, wanted: Wanted) -> Rows:
        rows_of = self._rows_of(file, wanted)
        n_rows = self.n_words + self.n_buckets
        file.seek(self.matrix_start)
        stream = Window(file, path, self.matrix_start)
        needed = np.unique(np.concatenate([*rows_of.values(), np.array([], dtype=np.int64)]))
        matrix = _matrix_rows(stream, n_rows, self.size, needed.tolist())
        found: dict[str, np.ndarray] = {}
        for word, rows in rows_of.items():
            if len(rows):
                parts = [matrix[row] for row in rows.tolist()]
                mean = np.asarray(np.mean(parts, axis=0, dtype=np.float32))
                found[wanted[word]] = finite(mean, path, word)
        return Rows(self.size, found, self)

    def _rows_of(self, file: BinaryIO, wanted: Wanted) -> dict[bytes, np.ndarray]:
        """The rows of the matrix that make up each word."""
        word_row: dict[bytes, int] = {}
        for row, entry in self.dictionary.records(file, wanted):
            word_row.setdefault(entry[: -_ENTRY_TAIL - 1], row)
        rows_of: dict[bytes, np.ndarray] = {}
        for word, text in wanted.items():
            buckets = subword_buckets(text, self.minn, self.maxn, self.n_buckets)
            rows = np.array(buckets, dtype=np.int64) + self.n_words
            own = [word_row[word]] if word in word_row else []
            rows_of[word] = np.concatenate([np.array(own, dtype=np.int64), rows])
        return rows_of


def subword_buckets(word: str, minn: int, maxn: int, n_buckets: int) -> list[int]:
    """Return the buckets of a word's n-grams, none for what is too long to be a word."""
    from gensim.models.fasttext import ft_ngram_hashes

    if not n_buckets or len(word) > _LONGEST_SUBWORDED:
        return []
    return ft_ngram_hashes(word, minn, maxn, n_buckets)


def _matrix_rows(
    stream: Window, n_rows: int, size: int, wanted: list[int]
) -> dict[int, np.ndarray]:
    """Pick rows of a float32 matrix of shape (n_rows, size) that starts here."""
    file, start = stream.file, stream.offset
    if isinstance(file, gzip.GzipFile):
        return dict(_streamed_rows(stream, n_rows, size, wanted))
    end = start + 4 * n_rows * size
    length = os.fstat(file.fileno()).st_size
    if length < end:
        raise ValueError(
            f"{stream.path} is cut off at byte {length:,}: expected {n_rows:,} vectors of "
            f"{size} float32 numbers up to byte {end:,}. Fetch the file again."
        )
    matrix = np.memmap(file, dtype="<f4", mode="r", offset=start, shape=(n_rows, size))
    return {row: np.array(matrix[row], dtype=np.float32) for row in wanted}


def _streamed_rows(
    stream: Window, n_rows: int, size: int, wanted: list[int]
) -> Iterator[tuple[int, np.ndarray]]:
    per_block = max(1, records.CHUNK // (4 * size))
    pending = iter([*wanted, n_rows])
    row = next(pending)
    for first in range(0, n_rows, per_block):
        n_block = min(per_block, n_rows - first)
        expected = f"vectors {first + 1:,} to {first + n_block:,} of {n_rows:,}"
        block = np.frombuffer(stream.take(4 * n_block * size, expected), dtype="<f4")
        while row < first + n_block:
            yield row, block.reshape(n_block, size)[row - first].astype(np.float32)
            row = next(pending)
