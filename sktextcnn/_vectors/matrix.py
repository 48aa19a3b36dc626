"""The embedding matrix of a vocabulary, and how well the vectors cover its texts."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from sktextcnn._vectors.embeddings import Embeddings

_MISSING_SHOWN = 20
# Share of all tokens that another casing has to gain before it is worth a warning.
_CASING_GAIN = 0.05


def build_matrix(
    embeddings: Embeddings,
    words: Sequence[str],
    counts: np.ndarray,
    unseen: Sequence[str],
    n_reserved: int,
    random_state: np.random.RandomState,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Look up the vectors of a vocabulary and draw those that are missing.

    Parameters
    ----------
    embeddings : Embeddings
        Where the vectors are.
    words : sequence of str, length n_words
        The words of the texts, in the order of their ids.
    counts : ndarray of shape (n_words,)
        How often each word occurs in the texts.
    unseen : sequence of str, length n_unseen
        Further words, whose ids come behind.
    n_reserved : int
        Number of ids before the first word. Row 0 is zeros, the others are drawn.
    random_state : RandomState
        Draws the missing rows, uniformly with the variance of those found for the texts
        (Kim, 2014, section 4.3).

    Returns
    -------
    matrix : ndarray of shape (n_reserved + n_words + n_unseen, vector_size), dtype float32
    coverage : dict
        `types` and `tokens`, the shares of words and of their occurrences that have a
        vector; `missing`, the most frequent words without one, as (word, count).

    Raises
    ------
    ValueError
        If no word of the texts has a vector.
    """
    found = embeddings.lookup([*words, *unseen])
    has_vector = np.array([word in found for word in (*words, *unseen)], dtype=bool)
    of_texts = has_vector[: len(words)]
    missing = np.flatnonzero(~of_texts)
    missing = missing[np.argsort(-counts[missing], kind="stable")]
    _warn_of_casing(embeddings, words, counts, missing)
    if not of_texts.any():
        shown = ", ".join(f"{words[i]!r:.60}" for i in missing[:5])
        raise ValueError(
            f"None of the {len(words):,} words of the texts has a vector in "
            f"{embeddings.name} ({shown}, ...). Are they of the same language, and is "
            f"`lowercase` right for these vectors?"
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
    total = counts.sum()
    if counts[missing].sum() < _CASING_GAIN * total:
        return
    lowered = {words[i]: words[i].lower() for i in missing if words[i] != words[i].lower()}
    raised = {words[i]: words[i].title() for i in missing if words[i] not in lowered}
    for variants, remedy in (
        (lowered, "The vectors are of lowercase words: set lowercase=True."),
        (raised, "The vectors tell upper and lower case apart: set lowercase=False."),
    ):
        in_vectors = embeddings.lookup(set(variants.values()))
        gained = [i for i in missing if variants.get(words[i]) in in_vectors]
        gain = counts[gained].sum() / total
        if gain >= _CASING_GAIN:
            example = words[gained[0]]
            warnings.warn(
                f"{gain:.0%} of the tokens have no vector in {embeddings.name} but would "
                f"have one in another case, such as {example!r:.60} as "
                f"{variants[example]!r:.60}. {remedy}",
                UserWarning,
                stacklevel=4,
            )
