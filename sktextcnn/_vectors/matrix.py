"""The embedding matrix of a vocabulary, and the share of its texts that has vectors."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from sktextcnn._vectors.embeddings import Embeddings

_MISSING_SHOWN = 20
# A warning says so if this share of all tokens would gain a vector by another casing.
_CASING_GAIN = 0.05


def build_matrix(
    embeddings: Embeddings,
    words: Sequence[str],
    counts: np.ndarray,
    unseen: Sequence[str],
    n_reserved: int,
    random_state: np.random.RandomState,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Look up the vectors of a vocabulary, and draw missing ones at random.

    Parameters
    ----------
    embeddings : Embeddings
        The vectors.
    words : sequence of str, length n_words
        The words of the texts or of a given vocabulary, in the order of their ids.
    counts : ndarray of shape (n_words,)
        How often each word occurs in the texts.
    unseen : sequence of str, length n_unseen
        More words, with the ids after those of `words`.
    n_reserved : int
        The number of ids before the first word. Row 0 is zeros; the others are drawn.
    random_state : RandomState
        Draws the missing rows from a uniform distribution with the variance of the vectors
        that were found for `words` (Kim, 2014, section 4.3).

    Returns
    -------
    matrix : ndarray of shape (n_reserved + n_words + n_unseen, vector_size), dtype float32
        The vector of each id.
    coverage : dict
        `types` and `tokens`: the share of `words`, and of their occurrences, that has a
        vector. `tokens` is 0.0 if no word occurs. `missing`: the most frequent words without a
        vector, as (word, count).

    Raises
    ------
    ValueError
        If none of `words` has a vector.
    """
    found = embeddings.lookup([*words, *unseen])
    has_vector = np.array([word in found for word in (*words, *unseen)], dtype=bool)
    of_texts = has_vector[: len(words)]
    missing = np.flatnonzero(~of_texts)
    missing = missing[np.argsort(-counts[missing], kind="stable")]
    _warn_of_casing(embeddings, words, counts, missing)
    if not of_texts.any():
        examples = ", ".join(f"{words[i]!r:.60}" for i in missing[:5])
        raise ValueError(
            f"None of the {len(words):,} words of the vocabulary has a vector in "
            f"{embeddings.name} ({examples}, ...). Check that the vectors are of the language "
            f"of the texts, and that `lowercase` is right for them."
        )
    known = np.stack([found[word] for word in (*words, *unseen) if word in found])
    matrix = np.zeros((n_reserved + len(has_vector), known.shape[1]), dtype=np.float32)
    matrix[n_reserved:][has_vector] = known
    rows = np.concatenate([np.arange(1, n_reserved), n_reserved + np.flatnonzero(~has_vector)])
    bound = np.sqrt(3 * known[: of_texts.sum()].var(dtype=np.float64))
    matrix[rows] = random_state.uniform(-bound, bound, size=(len(rows), known.shape[1]))
    coverage = {
        "types": float(of_texts.mean()),
        "tokens": float(counts[of_texts].sum() / max(1, counts.sum())),
        "missing": [(words[i], int(counts[i])) for i in missing[:_MISSING_SHOWN]],
    }
    return matrix, coverage


def _warn_of_casing(
    embeddings: Embeddings, words: Sequence[str], counts: np.ndarray, missing: np.ndarray
) -> None:
    """Warn if many words without a vector would have one in lower or title case."""
    total = counts.sum()  # 0 if the texts have none of the words of a given vocabulary.
    if not total or counts[missing].sum() < _CASING_GAIN * total:
        return
    lowered = {words[i]: words[i].lower() for i in missing if words[i] != words[i].lower()}
    raised = {words[i]: words[i].title() for i in missing if words[i] not in lowered}
    for variants, remedy in (
        (lowered, "The vectors are of words in lower case: set lowercase=True."),
        (raised, "The vectors distinguish upper and lower case: set lowercase=False."),
    ):
        in_vectors = embeddings.lookup(set(variants.values()))
        gained = [i for i in missing if variants.get(words[i]) in in_vectors]
        gain = counts[gained].sum() / total
        if gain >= _CASING_GAIN:
            example = words[gained[0]]
            warnings.warn(
                f"{gain:.0%} of the tokens have no vector in {embeddings.name}, but would "
                f"have one in another case; for example, {example!r:.60} has none, but "
                f"{variants[example]!r:.60} has. {remedy}",
                UserWarning,
                stacklevel=4,
            )
