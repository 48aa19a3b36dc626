"""Encoded texts one after the other, and the padded matrix made from them."""

from array import array
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from sktextcnn._text.id_storage import IdsInMemory, IdStorage
from sktextcnn._token_ids import PADDING_ID, UNKNOWN_ID

# The automatic length is that of the longest text, unless that exceeds both this length and a
# multiple of the length that nearly all texts stay within.
_ALWAYS_WHOLE = 256
_OUTLIER_QUANTILE = 0.95
_OUTLIER_FACTOR = 4

# Texts padded or counted at a time, and ids, which bounds the temporary arrays.
_BLOCK = 4_096
_IDS_AT_ONCE = 1 << 18


class Documents:
    """The ids of many documents, one after the other.

    Parameters
    ----------
    storage : IdStorage or None, default=None
        What holds the ids; None for an array in memory.
    """

    def __init__(self, storage: IdStorage | None = None) -> None:
        self._ids = IdsInMemory() if storage is None else storage
        self._ends = array("q", [0])

    def append(self, ids: Iterable[int] | bytes) -> None:
        """Append a document, given as its ids or as their bytes in int32."""
        self._ids.append(ids if isinstance(ids, bytes) else array("i", ids).tobytes())
        self._ends.append(len(self._ids))

    def extend(self, documents: "Documents") -> None:
        """Append other documents."""
        ends = documents.ends()[1:] + len(self._ids)
        self._ids.append(documents.ids(0, len(documents)).tobytes())
        self._ends.frombytes(ends.tobytes())

    def __len__(self) -> int:
        return len(self._ends) - 1

    def ids(self, first: int, end: int) -> np.ndarray:
        """Return the ids of the documents from `first` until `end`."""
        return self._ids.read(self._ends[first], self._ends[end])

    def part(self, start: int, end: int) -> np.ndarray:
        """Return some ids by their places among those of all documents."""
        return self._ids.read(start, end)

    def ends(self) -> np.ndarray:
        """Where the ids of each document begin, and where the last ones end; (n + 1,), int64."""
        return np.frombuffer(self._ends, dtype=np.int64)

    def lengths(self) -> np.ndarray:
        return np.diff(self.ends())

    def renumber(self, new_id: np.ndarray, first: int, end: int) -> None:
        """Replace each id i of the documents from `first` until `end` by ``new_id[i]``."""
        last = self._ends[end]
        for start in range(self._ends[first], last, _IDS_AT_ONCE):
            ids = self._ids.read(start, min(start + _IDS_AT_ONCE, last))
            self._ids.write(start, new_id[ids])

    def __iter__(self) -> Iterator[np.ndarray]:
        for first, end in self._blocks():
            places = self._ends[first : end + 1]
            ids = self.ids(first, end)
            for i in range(end - first):
                yield ids[places[i] - places[0] : places[i + 1] - places[0]]

    def counts(self, n_tokens: int) -> np.ndarray:
        """Return how often each token occurs; shape (n_tokens,)."""
        n_ids, counts = len(self._ids), np.zeros(n_tokens, dtype=np.int64)
        # NumPy casts what it counts to int64, and makes an array of all counts for each block.
        block = max(_IDS_AT_ONCE, n_tokens)
        for start in range(0, n_ids, block):
            ids = self._ids.read(start, min(start + block, n_ids))
            counts += np.bincount(ids, minlength=n_tokens)
        return counts

    def document_frequency(self, n_tokens: int) -> np.ndarray:
        """Return the number of documents in which each token occurs; shape (n_tokens,)."""
        frequency = np.zeros(n_tokens, dtype=np.int64)
        for first, end in self._blocks():
            lengths = np.diff(self._ends[first : end + 1])
            owner = np.repeat(np.arange(end - first), lengths)
            pairs = np.unique(owner * n_tokens + self.ids(first, end))
            frequency += np.bincount(pairs % n_tokens, minlength=n_tokens)
        return frequency

    def padded(self, width: int, padding: str, truncating: str) -> np.ndarray:
        """Truncate or pad all documents to a width; shape (n_documents, width), int32."""
        matrix = np.empty((len(self), width), dtype=np.int32)
        for first, end in self._blocks():
            lengths = np.diff(self._ends[first : end + 1])
            matrix[first:end] = pad(self.ids(first, end), lengths, width, padding, truncating)
        return matrix

    def _blocks(self) -> Iterator[tuple[int, int]]:
        for first in range(0, len(self), _BLOCK):
            yield first, min(first + _BLOCK, len(self))


def pad(
    ids: np.ndarray, lengths: np.ndarray, width: int, padding: str, truncating: str
) -> np.ndarray:
    """Truncate or pad documents to a width.

    Parameters
    ----------
    ids : ndarray of shape (n_ids,), int32
        The ids of the documents, one after the other.
    lengths : ndarray of shape (n_documents,)
        How many of them are of each document.
    width : int
    padding, truncating : {"post", "pre"}
        As in `TextVectorizer`.

    Returns
    -------
    ndarray of shape (n_documents, width), int32
    """
    kept = np.minimum(lengths, width)
    if (kept < lengths).any():
        # The position of each token in its document, counted from the end that is kept.
        position = np.arange(len(ids)) - np.repeat(lengths.cumsum() - lengths, lengths)
        if truncating == "pre":
            position = np.repeat(lengths, lengths) - 1 - position
        ids = ids[position < width]
    columns = np.arange(width)
    from_text = columns if padding == "post" else columns[::-1]
    matrix = np.full((len(lengths), width), PADDING_ID, dtype=np.int32)
    matrix[from_text < kept[:, None]] = ids
    return matrix


class DecodedDocuments:
    """The documents as lists of their known words, which each iteration makes anew."""

    def __init__(self, documents: Documents, words: Sequence[str]) -> None:
        self.documents, self.words = documents, words

    def __iter__(self) -> Iterator[list[str]]:
        words = self.words
        for ids in self.documents:
            yield [words[i] for i in ids.tolist() if i != UNKNOWN_ID]


def choose_length(max_length: int | str | None, lengths: np.ndarray) -> int:
    """Return the width of the matrix, given the parameter and the lengths of the texts."""
    longest = max(1, int(lengths.max()))
    if max_length is None:
        return longest
    if max_length == "auto":
        usual = np.quantile(lengths, _OUTLIER_QUANTILE, method="lower")
        return min(longest, max(_ALWAYS_WHOLE, _OUTLIER_FACTOR * int(usual)))
    return int(max_length)
