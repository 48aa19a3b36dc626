"""Words and pairs of words of token ids, weighted as TF-IDF.

Shapes: N texts, T tokens, G n-grams.
"""

from typing import NamedTuple

import numpy as np

from sktextcnn._text import Ids
from sktextcnn._token_ids import UNKNOWN_ID

# A word is coded as its id, a pair as the ids of both words, so that words come before pairs.
_SHIFT = 32
FIRST_PAIR = 1 << _SHIFT

# Tokens whose n-grams are counted at a time: their sort stays in the processor's cache.
_TOKENS_AT_ONCE = 1 << 15
# Of multiplicative hashing, 2**64 divided by the golden ratio (Knuth, 1973, section 6.4).
_MULTIPLIER = np.int64(-7046029254386353131)
# Marks for each pair, of which one is set; and the bits of their number at most, for memory.
_MARKS_OF_PAIR, _MOST_BITS = 16, 24


class Counts(NamedTuple):
    """A sparse matrix of counts, sorted by text and n-gram."""

    text: np.ndarray  # (n,), rows
    ngram: np.ndarray  # (n,), columns
    times: np.ndarray  # (n,)
    n_texts: int

    def offsets(self) -> np.ndarray:
        """Where the entries of each text begin, and where the last ones end; (N + 1,)."""
        offsets = np.zeros(self.n_texts + 1, dtype=np.int64)
        np.bincount(self.text, minlength=self.n_texts).cumsum(out=offsets[1:])
        return offsets


class Places(NamedTuple):
    """The n-grams of one text, one entry for each place where one stands."""

    first: np.ndarray  # (n,), the first token
    length: np.ndarray  # (n,), 1 or 2 tokens
    code: np.ndarray  # (n,), int64


def places(ids: np.ndarray) -> Places:
    """Find the words and pairs of one text, without unknown words; ids of shape (T,)."""
    known = ids > UNKNOWN_ID
    words = known.nonzero()[0]
    pairs = (known[:-1] & known[1:]).nonzero()[0]
    return Places(
        np.concatenate([words, pairs]),
        np.repeat([1, 2], [len(words), len(pairs)]),
        np.concatenate([ids[words].astype(np.int64), pair_codes(ids[pairs], ids[pairs + 1])]),
    )


def pair_codes(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the codes of pairs of ids, as int64."""
    return (first.astype(np.int64) << _SHIFT) | second


def ids_of_pairs(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both ids of each pair."""
    return codes >> _SHIFT, codes & (FIRST_PAIR - 1)


def texts_at_once(ids: Ids) -> int:
    """How many texts of ids of shape (N, T) are fastest to count together."""
    return max(1, _TOKENS_AT_ONCE // max(1, ids.shape[1]))


class NGrams:
    """A vocabulary of n-grams.

    Parameters
    ----------
    codes : ndarray of shape (G,), int64
        The n-grams, sorted: words, then pairs.

    Attributes
    ----------
    n_words : int
        How many of them are words.
    """

    def __init__(self, codes: np.ndarray) -> None:
        self.codes = codes
        n_words = int(np.searchsorted(codes, FIRST_PAIR))
        words = codes[:n_words]
        # The row of each word by its id; the last one is that of all larger ids.
        self._word_row = np.full(int(words[-1]) + 2 if n_words else 1, -1, dtype=np.int64)
        self._word_row[words] = np.arange(n_words)
        self._pairs, self.n_words = codes[n_words:], n_words
        # Most pairs of a text are not in the vocabulary, which a mark says sooner than a search.
        n_bits = min(max(1, len(self._pairs) * _MARKS_OF_PAIR - 1).bit_length(), _MOST_BITS)
        self._mark_shift = np.uint64(64 - n_bits)
        self._marks = np.zeros(1 << n_bits, dtype=bool)
        self._marks[self._mark_of(self._pairs)] = True

    def __len__(self) -> int:
        return len(self.codes)

    def rows_of(self, code: np.ndarray) -> np.ndarray:
        """Return the place of each code in the vocabulary, or -1; words come before pairs."""
        n_words = int((code < FIRST_PAIR).sum())
        return np.concatenate([self._rows_of_words(code[:n_words]), self._of_pairs(code[n_words:])])

    def _rows_of_words(self, word: np.ndarray) -> np.ndarray:
        return self._word_row.take(word, mode="clip")

    def _of_pairs(self, code: np.ndarray) -> np.ndarray:
        rows = np.full(len(code), -1, dtype=np.int64)
        marked = self._marks[self._mark_of(code)].nonzero()[0]
        if len(marked):
            some = code[marked]
            at = self._pairs.searchsorted(some)
            found = self._pairs.take(at, mode="clip") == some
            rows[marked[found]] = at[found] + self.n_words
        return rows

    def _mark_of(self, code: np.ndarray) -> np.ndarray:
        return ((code * _MULTIPLIER).view(np.uint64) >> self._mark_shift).view(np.int64)

    def counts(self, ids: np.ndarray) -> Counts:
        """Count the n-grams of the vocabulary in ids of shape (N, T), which are few."""
        known = ids > UNKNOWN_ID
        pair = known[:, :-1] & known[:, 1:]
        text, column = pair.nonzero()
        rows = np.concatenate(
            [
                self._rows_of_words(ids[known]),
                self._of_pairs(pair_codes(ids[text, column], ids[text, column + 1])),
            ]
        )
        texts = np.concatenate([known.nonzero()[0], text])
        kept = rows >= 0
        n_ngrams = max(1, len(self))
        keys = texts[kept] * n_ngrams + rows[kept]
        keys.sort()
        is_first = np.ones(len(keys) + 1, dtype=bool)  # and one after the last
        np.not_equal(keys[1:], keys[:-1], out=is_first[1:-1])
        begins = is_first.nonzero()[0]
        text, ngram = np.divmod(keys[begins[:-1]], n_ngrams)
        return Counts(text, ngram, begins[1:] - begins[:-1], len(ids))


def tf_idf(counts: Counts, idf: np.ndarray) -> np.ndarray:
    """Weight counts as scikit-learn's TfidfTransformer does with ``sublinear_tf=True``.

    Returns
    -------
    ndarray of shape (n,), float64
        One value for each entry of `counts`; the squares of each text's values sum to 1.
    """
    values = (1 + np.log(counts.times)) * idf[counts.ngram]
    norms = np.sqrt(np.bincount(counts.text, values * values, minlength=counts.n_texts))
    return values / norms[counts.text]
