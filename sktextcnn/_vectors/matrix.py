"""The embedding matrix of a vocabulary, and the share of its texts that has vectors."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sktextcnn._vectors.embeddings import Embeddings
from sktextcnn._vectors.mismatch import check_found
from sktextcnn._vectors.reduction import reduce_width

_MISSING_SHOWN = 20
# About the standard deviation of GloVe's numbers for the words of a corpus, with which the
# defaults were chosen.
_STD = 0.5


def build_matrix(
    sources: Sequence[Embeddings],
    words: Sequence[str],
    counts: np.ndarray,
    unseen: Sequence[str],
    n_reserved: int,
    random_state: np.random.RandomState,
    *,
    warns: bool,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Look up the vectors of a vocabulary, and draw missing ones at random.

    Parameters
    ----------
    sources : sequence of Embeddings
        The vectors. Those of several sources are put side by side.
    words : sequence of str, length n_words
        The words of the texts or of a given vocabulary, in the order of their ids.
    counts : ndarray of shape (n_words,)
        How often each word occurs in the texts.
    unseen : sequence of str, length n_unseen
        More words, with the ids after those of `words`.
    n_reserved : int
        The number of ids before the first word. Row 0 is zeros; the others are drawn.
    random_state : RandomState
        Draws the missing rows of each source from a uniform distribution with the variance of
        the vectors that were found for `words` (Kim, 2014, section 4.3).
    warns : bool
        Whether to warn if few words have vectors, or those in another case would have one.

    Returns
    -------
    matrix : ndarray of shape (n_reserved + n_words + n_unseen, vector_size), dtype float32
        The vector of each id. Its size is the sum of those of the sources.
    coverage : dict
        `types` and `tokens`: the share of `words`, and of their occurrences, that has a
        vector in any source. `tokens` is 0.0 if no word occurs. `missing`: the most frequent
        words without a vector, as (word, count). `sources`: the same shares for each source,
        as (name, types, tokens).

    Raises
    ------
    ValueError
        If none of `words` has a vector in one of the sources, or too few have one for its width.
    """
    parts, by_source = [], []
    for source in sources:
        scaled = len(sources) > 1 or source.is_encoder
        found = source.lookup([*words, *unseen])
        has_vector = np.array([word in found for word in (*words, *unseen)], dtype=bool)
        of_texts = has_vector[: len(words)]
        missing = _missing(of_texts, counts)
        alone = len(sources) == 1
        check_found(source, words, counts, of_texts, missing, warns=warns, alone=alone)
        known = np.stack([found[word] for word in (*words, *unseen) if word in found])
        known = _prepared(known, int(of_texts.sum()), source, scaled)
        bound = np.sqrt(3 * known[: of_texts.sum()].var(dtype=np.float64))
        part = np.zeros((n_reserved + len(has_vector), known.shape[1]), dtype=np.float32)
        part[n_reserved:][has_vector] = known
        rows = np.concatenate([np.arange(1, n_reserved), n_reserved + np.flatnonzero(~has_vector)])
        part[rows] = random_state.uniform(-bound, bound, size=(len(rows), known.shape[1]))
        parts.append(part)
        by_source.append(of_texts)
    in_any = np.any(by_source, axis=0)
    types, tokens = _shares(in_any, counts)
    coverage = {
        "types": types,
        "tokens": tokens,
        "missing": [(words[i], int(counts[i])) for i in _missing(in_any, counts)[:_MISSING_SHOWN]],
        "sources": [
            (source.name, *_shares(of_texts, counts))
            for source, of_texts in zip(sources, by_source, strict=True)
        ],
    }
    return parts[0] if len(parts) == 1 else np.hstack(parts), coverage


def _missing(of_texts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the indices of words without a vector, the most frequent first."""
    missing = np.flatnonzero(~of_texts)
    return missing[np.argsort(-counts[missing], kind="stable")]


def _shares(of_texts: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    """Return the share of words with a vector, and that of their occurrences."""
    return float(of_texts.mean()), float(counts[of_texts].sum() / max(1, counts.sum()))


def _prepared(known: np.ndarray, n_fitted: int, source: Embeddings, scaled: bool) -> np.ndarray:
    """Reduce vectors to the width of their source, and scale them as GloVe's."""
    if source.width is not None:
        known = reduce_width(known, n_fitted, source.width, source.name)
    std = known[:n_fitted].std(dtype=np.float64)
    if scaled and std > 0:
        known *= np.float32(_STD / std)
    return known
