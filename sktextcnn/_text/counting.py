"""The distinct tokens of texts, counted in one pass over them, at most so many at a time."""

from array import array
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from sktextcnn._text.analyzer import Analyzer
from sktextcnn._text.documents import Documents
from sktextcnn._text.encoders import Encoder
from sktextcnn._token_ids import UNKNOWN_ID

# So many texts are encoded before their ids are counted, and stored or forgotten.
_BLOCK = 4_096


class TokenCounts:
    """The distinct tokens of texts, how often each occurs, and the texts as ids.

    More than `max_size` tokens are not counted at once: whenever there are more after a text, the
    rarest are pruned. This is the algorithm of Misra and Gries (1982) with the median as its step
    (Anderson et al., 2017), and with the counts of lossy counting (Manku and Motwani, 2002): a
    token is counted from where it was last admitted, and all that may have been missed before is
    `undercount` at that time. Pruned are the tokens whose count and missed occurrences are at
    most the new `undercount`, which is the least for which half of `max_size` is left.

    So a token that occurs more than `undercount` times is there, and its count is never too high
    and too low by `undercount` at most. Each pruning lowers more than ``max_size // 2`` upper
    bounds by the increase of `undercount`, and a token in a text raises one of them by one; so
    `undercount` is at most the number of all tokens divided by ``max_size // 2 + 1``.

    Parameters
    ----------
    analyzer : Analyzer
        Splits a text into tokens.
    max_size : int or None
        The number of tokens above which the rarest are pruned; None prunes none.
    by_text : bool
        Whether to count the texts in which each token occurs.
    documents : Documents or None
        What the ids of the texts are appended to; None if they are not needed.

    Attributes
    ----------
    tokens : list of str
        The distinct tokens.
    counts : ndarray of shape (n_tokens,)
        How often each occurs.
    frequency : ndarray of shape (n_tokens,) or None
        In how many texts each occurs.
    lengths : ndarray of shape (n_texts,), dtype int32
        The number of tokens of each text.
    undercount : int
        The most by which a number of `counts` or `frequency` is too low.
    """

    def __init__(
        self,
        analyzer: Analyzer,
        max_size: int | None,
        by_text: bool,
        documents: Documents | None,
    ) -> None:
        self.documents = documents
        self.undercount = 0
        self._analyzer, self._max_size = analyzer, max_size
        self._index: defaultdict[str, int] = defaultdict()
        # Pruned tokens leave their ids to later ones. The texts are divided where tokens were
        # pruned, so that an id and the part of a text say which token it is.
        self._free: list[int] = []
        self._ends_of_parts: list[int] = []
        self._lengths = array("i")
        # By id: how often its token occurs, in how many texts, the part in which it was admitted,
        # and how many of its occurrences may have been missed before.
        self._counts = np.zeros(0, dtype=np.int64)
        self._frequency = np.zeros(0, dtype=np.int64) if by_text else None
        self._since = np.zeros(0, dtype=np.int64)
        self._missed = np.zeros(0, dtype=np.int64)

    def count(self, texts: Iterable[str]) -> None:
        """Count the tokens of all texts."""
        index, free = self._index, self._free
        index.default_factory = lambda: free.pop() if free else len(index)
        encoder = Encoder(self._analyzer, index.__getitem__)
        most = float("inf") if self._max_size is None else self._max_size
        block = Documents()
        for text in texts:
            block.append(encoder.ids(text))
            if len(index) > most:
                self._add(block)
                self._prune()
                encoder.forget()
                block = Documents()
            elif len(block) == _BLOCK:
                self._add(block)
                block = Documents()
        self._add(block)
        if not self._lengths:
            raise ValueError("X is empty; give at least one text.")
        # It refers to the index, which would be collected late.
        index.default_factory = None
        self._ends_of_parts.append(len(self._lengths))
        ids = self._ids()
        self.tokens = list(index)
        self.counts = self._counts[ids]
        self.frequency = None if self._frequency is None else self._frequency[ids]
        self.lengths = np.frombuffer(self._lengths, dtype=np.int32)

    def renumber(self, new_id: np.ndarray) -> None:
        """Replace the ids of the documents, given the new id of each of `tokens`.

        Where a text has tokens that were pruned later, they become unknown.
        """
        if self.documents is None:
            return
        ids, start = self._ids(), 0
        for part, end in enumerate(self._ends_of_parts):
            new_ids = np.full(len(self._counts), UNKNOWN_ID, dtype=np.int32)
            new_ids[ids] = np.where(self._since[ids] <= part, new_id, UNKNOWN_ID)
            self.documents.renumber(new_ids, start, end)
            start = end

    def _ids(self) -> np.ndarray:
        return np.fromiter(self._index.values(), dtype=np.int64, count=len(self._index))

    def _add(self, block: Documents) -> None:
        """Count the tokens of texts, and append the texts to the documents if these are kept."""
        if n_new := len(self._index) + len(self._free) - len(self._counts):
            part = len(self._ends_of_parts)
            self._counts = np.append(self._counts, np.zeros(n_new, dtype=np.int64))
            self._since = np.append(self._since, np.full(n_new, part))
            self._missed = np.append(self._missed, np.full(n_new, self.undercount))
            if self._frequency is not None:
                self._frequency = np.append(self._frequency, np.zeros(n_new, dtype=np.int64))
        self._counts += block.counts(len(self._counts))
        if self._frequency is not None:
            self._frequency += block.document_frequency(len(self._counts))
        self._lengths.frombytes(block.lengths().astype(np.int32).tobytes())
        if self.documents is not None:
            self.documents.extend(block)

    def _prune(self) -> None:
        """Prune the rarest tokens, of which there are more than `max_size`."""
        assert self._max_size is not None
        ids = self._ids()
        upper = self._counts[ids] + self._missed[ids]
        rank = len(upper) - self._max_size // 2 - 1
        self.undercount = int(np.partition(upper, rank)[rank])
        is_pruned = upper <= self.undercount
        tokens = list(self._index)
        for i in np.flatnonzero(is_pruned).tolist():
            del self._index[tokens[i]]
        is_free = np.ones(len(self._counts), dtype=bool)
        is_free[ids[~is_pruned]] = False
        self._free[:] = np.flatnonzero(is_free).tolist()
        self._ends_of_parts.append(len(self._lengths))
        self._counts[is_free] = 0
        if self._frequency is not None:
            self._frequency[is_free] = 0
        self._since[is_free] = len(self._ends_of_parts)
        self._missed[is_free] = self.undercount
