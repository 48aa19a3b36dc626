"""Words and pairs of words of token ids, weighted as TF-IDF.

Shapes: N texts, T tokens, G n-grams.
"""

from typing import NamedTuple

import numpy as np

from sktextcnn._token_ids import UNKNOWN_ID

# A word is coded as its id, a pair as the ids of both words, so that words come before pairs.
_SHIFT = 32
_FIRST_PAIR = 1 << _SHIFT

# Occurrences that are counted at a time: their sort stays in the processor's cache.
_TOKENS_AT_ONCE = 1 << 15


class Occurrences(NamedTuple):
    """The n-grams of some texts, one entry for each place where one stands.

    Padding and unknown words are in no n-gram.
    """

    text: np.ndarray  # (n,), rows of the ids
    first: np.ndarray  # (n,), the column of the first token
    length: np.ndarray  # (n,), 1 or 2 tokens
    code: np.ndarray  # (n,), int64


def occurrences(ids: np.ndarray) -> Occurrences:
    """Find the words and pairs of ids of shape (N, T)."""
    known = ids > UNKNOWN_ID
    text, column = known.nonzero()
    codes = ids.astype(np.int64)
    left = (known[:, :-1] & known[:, 1:]).nonzero()
    pairs = (codes[left] << _SHIFT) | codes[left[0], left[1] + 1]
    return Occurrences(
        np.concatenate([text, left[0]]),
        np.concatenate([column, left[1]]),
        np.repeat([1, 2], [len(text), len(pairs)]),
        np.concatenate([codes[text, column], pairs]),
    )


class Counts(NamedTuple):
    """A sparse matrix of counts, text by text: compressed sparse rows."""

    offsets: np.ndarray  # (N + 1,), where the entries of each text begin, and the end
    ngram: np.ndarray  # (n,), columns
    times: np.ndarray  # (n,), float64


class NGrams:
    """A vocabulary of n-grams.

    Parameters
    ----------
    codes : ndarray of shape (G,), int64
        The n-grams, sorted: words, then pairs.
    """

    def __init__(self, codes: np.ndarray) -> None:
        self.codes = codes
        n_words = int(np.searchsorted(codes, _FIRST_PAIR))
        words = codes[:n_words]
        # The row of each word by its id, as most n-grams that are looked up are words.
        self._word_row = np.full(int(words[-1]) + 2 if n_words else 1, -1, dtype=np.int64)
        self._word_row[words] = np.arange(n_words)
        self._pairs, self._n_words = codes[n_words:], n_words

    def __len__(self) -> int:
        return len(self.codes)

    def rows_of(self, code: np.ndarray) -> np.ndarray:
        """Return the place of each code in the vocabulary, or -1."""
        rows = np.full(len(code), -1, dtype=np.int64)
        is_word = code < _FIRST_PAIR
        rows[is_word] = self._word_row[code[is_word].clip(max=len(self._word_row) - 1)]
        if len(self._pairs):
            pairs = code[~is_word]
            at = np.searchsorted(self._pairs, pairs).clip(max=len(self._pairs) - 1)
            rows[~is_word] = np.where(self._pairs[at] == pairs, at + self._n_words, -1)
        return rows

    def counts(self, ids: np.ndarray) -> Counts:
        """Count the n-grams of the vocabulary in ids of shape (N, T)."""
        n_texts, n_tokens = ids.shape
        step = max(1, _TOKENS_AT_ONCE // n_tokens)
        offsets = [np.zeros(1, dtype=np.int64)]
        ngrams, counts = [], []
        for start in range(0, n_texts, step):
            some = ids[start : start + step]
            found = occurrences(some)
            rows = self.rows_of(found.code)
            kept = rows >= 0
            keys = np.sort(found.text[kept] * len(self) + rows[kept])
            begins = np.flatnonzero(np.diff(keys, prepend=-1))
            text, ngram = np.divmod(keys[begins], max(1, len(self)))
            counts.append(np.diff(begins, append=len(keys)).astype(np.float64))
            ngrams.append(ngram)
            offsets.append(offsets[-1][-1] + np.bincount(text, minlength=len(some)).cumsum())
        return Counts(np.concatenate(offsets), np.concatenate(ngrams), np.concatenate(counts))


def tf_idf(counts: Counts, idf: np.ndarray) -> np.ndarray:
    """Weight counts as scikit-learn's TfidfTransformer does with ``sublinear_tf=True``.

    Returns
    -------
    ndarray of shape (n,), float64
        One value for each entry of `counts`; the squares of each text's values sum to 1.
    """
    values = (1 + np.log(counts.times)) * idf[counts.ngram]
    text = np.repeat(np.arange(len(counts.offsets) - 1), np.diff(counts.offsets))
    norms = np.sqrt(np.bincount(text, values**2, minlength=len(counts.offsets) - 1))
    return values / norms[text]
