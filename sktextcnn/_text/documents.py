"""Encoded texts in one array of ids, and the padded matrix made from it."""

from array import array
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from sktextcnn._text.ids_file import IdsFile
from sktextcnn._token_ids import PADDING_ID, UNKNOWN_ID

# The automatic length is that of the longest text, unless that exceeds both this length and a
# multiple of the length that nearly all texts stay within.
_ALWAYS_WHOLE = 256
_OUTLIER_QUANTILE = 0.95
_OUTLIER_FACTOR = 4

# Texts padded or counted at a time, which bounds the temporary arrays.
_BLOCK = 4_096
_IDS_COUNTED = 1 << 18


class Documents:
    """The ids of many documents, concatenated in one array.

    Parameters
    ----------
    file : IdsFile or None, default=None
        Where the ids are; None for memory.
    """

    def __init__(self, file: IdsFile | None = None) -> None:
        self._ids: array | IdsFile = array("i") if file is None else file
        self._ends = array("q", [0])

    def append(self, ids: Iterable[int] | bytes) -> None:
        """Append a document, given as its ids or as their bytes in int32."""
        if isinstance(ids, bytes):
            self._ids.frombytes(ids)
        else:
            self._ids.extend(ids)
        self._ends.append(len(self._ids))

    def extend(self, documents: "Documents") -> None:
        """Append other documents."""
        ends = np.frombuffer(documents._ends, dtype=np.int64)[1:]
        self._ends.frombytes((ends + len(self._ids)).tobytes())
        self._ids.frombytes(documents.ids().tobytes())

    def __len__(self) -> int:
        return len(self._ends) - 1

    def ids(self) -> np.ndarray:
        if isinstance(self._ids, IdsFile):
            return self._ids.ids()
        return np.frombuffer(self._ids, dtype=np.int32)

    def lengths(self) -> np.ndarray:
        return np.diff(np.frombuffer(self._ends, dtype=np.int64))

    def renumber(self, new_id: np.ndarray, first: int, end: int) -> None:
        """Replace each id i of the documents from `first` until `end` by ``new_id[i]``."""
        if isinstance(self._ids, IdsFile):
            self._ids.renumber(new_id, self._ends[first], self._ends[end])
            return
        ids = self.ids()[self._ends[first] : self._ends[end]]
        for start in range(0, len(ids), _BLOCK):
            ids[start : start + _BLOCK] = new_id[ids[start : start + _BLOCK]]

    def __iter__(self) -> Iterator[np.ndarray]:
        ids = self.ids()
        for i in range(len(self)):
            yield ids[self._ends[i] : self._ends[i + 1]]
            self._was_read(self._ends[i + 1] - self._ends[i])

    def _was_read(self, n_ids: int) -> None:
        if isinstance(self._ids, IdsFile):
            self._ids.was_read(n_ids)

    def counts(self, n_tokens: int) -> np.ndarray:
        """Return how often each token occurs; shape (n_tokens,)."""
        ids, counts = self.ids(), np.zeros(n_tokens, dtype=np.int64)
        # NumPy casts what it counts to int64, and makes an array of all counts for each block.
        block = max(_IDS_COUNTED, n_tokens)
        for start in range(0, len(ids), block):
            counts += np.bincount(ids[start : start + block], minlength=n_tokens)
        return counts

    def document_frequency(self, n_tokens: int) -> np.ndarray:
        """Return the number of documents in which each token occurs; shape (n_tokens,)."""
        ids, ends = self.ids(), np.frombuffer(self._ends, dtype=np.int64)
        frequency = np.zeros(n_tokens, dtype=np.int64)
        for first in range(0, len(self), _BLOCK):
            end = ends[first : first + _BLOCK + 1]
            owner = np.repeat(np.arange(len(end) - 1), np.diff(end))
            pairs = np.unique(owner * n_tokens + ids[end[0] : end[-1]])
            frequency += np.bincount(pairs % n_tokens, minlength=n_tokens)
        return frequency

    def padded(
        self, width: int, padding: str, truncating: str, texts: np.ndarray | None = None
    ) -> np.ndarray:
        """Truncate or pad documents to a width.

        Parameters
        ----------
        width : int
            The number of columns.
        padding, truncating : {"post", "pre"}
            As in `TextVectorizer`.
        texts : ndarray of int or None, default=None
            Which documents; None for all.

        Returns
        -------
        ndarray of shape (n_texts, width), int32
        """
        ids, ends = self.ids(), np.frombuffer(self._ends, dtype=np.int64)
        n_texts = len(self) if texts is None else len(texts)
        matrix = np.full((n_texts, width), PADDING_ID, dtype=np.int32)
        columns = np.arange(width)
        from_text = columns if padding == "post" else columns[::-1]
        for first in range(0, n_texts, _BLOCK):
            last = min(first + _BLOCK, n_texts)
            some = np.arange(first, last) if texts is None else texts[first:last]
            begin, end = ends[some], ends[some + 1]
            kept = np.minimum(end - begin, width)
            if texts is None and (kept == end - begin).all():
                tokens = ids[begin[0] : end[-1]]
            else:
                # Where the tokens that are kept of each document begin.
                begin = begin if truncating == "post" else end - kept
                places = np.arange(kept.sum()) + np.repeat(begin - kept.cumsum() + kept, kept)
                tokens = ids[places]
            matrix[first:last][from_text < kept[:, None]] = tokens
            self._was_read(len(tokens))
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
