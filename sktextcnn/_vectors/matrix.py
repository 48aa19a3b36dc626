"""The embedding matrix of a vocabulary, and the share of its texts that has vectors."""

import warnings
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from sktextcnn._vectors.embeddings import Embeddings
from sktextcnn._vectors.reduction import reduce_width
from sktextcnn._vectors.spellings import other_spellings

_MISSING_SHOWN = 20
# A warning says so if this share of all tokens would gain a vector by another casing.
_CASING_GAIN = 0.05
# Another warning says so if less than this share of the tokens of a corpus has a vector. Whoever
# gives fewer words knows it.
_LITTLE = 0.5
_LEAST_TEXTS, _LEAST_TOKENS, _LEAST_WORDS = 10, 100, 20
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
    n_texts: int,
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
    n_texts : int
        The number of texts.
    warns : bool
        Whether to warn if words in another case would have vectors, or few tokens have one.

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
    warned = False
    for source in sources:
        scaled = len(sources) > 1 or source.is_encoder
        found = _found(source, (*words, *unseen))
        has_vector = np.array([word in found for word in (*words, *unseen)], dtype=bool)
        of_texts = has_vector[: len(words)]
        if warns:
            warned |= _warn_of_casing(source, words, counts, _missing(of_texts, counts))
        _check_found(source, words, counts, of_texts)
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
    missing = [(words[i], int(counts[i])) for i in _missing(in_any, counts)[:_MISSING_SHOWN]]
    is_corpus = n_texts >= _LEAST_TEXTS and counts.sum() >= _LEAST_TOKENS
    if (
        warns
        and not warned
        and is_corpus
        and tokens < _LITTLE
        and any(len(source.words(_LEAST_WORDS)) == _LEAST_WORDS for source in sources)
    ):
        _warn_of_coverage(sources, tokens, missing)
    coverage = {
        "types": types,
        "tokens": tokens,
        "missing": missing,
        "sources": [
            (source.name, *_shares(of_texts, counts))
            for source, of_texts in zip(sources, by_source, strict=True)
        ],
    }
    return parts[0] if len(parts) == 1 else np.hstack(parts), coverage


def _found(source: Embeddings, words: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the vectors of words, of each in the first spelling that has one."""
    if source.is_encoder:
        return source.lookup(words)
    spellings = {word: others for word in words if (others := other_spellings(word))}
    found = source.lookup({*words, *chain.from_iterable(spellings.values())})
    for word, others in spellings.items():
        spelled = next((other for other in others if other in found), None)
        if word not in found and spelled is not None:
            found[word] = found[spelled]
    return found


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


def _check_found(
    source: Embeddings, words: Sequence[str], counts: np.ndarray, of_texts: np.ndarray
) -> None:
    """Raise an error if no word has a vector."""
    if not of_texts.any():
        missing = _missing(of_texts, counts)
        examples = ", ".join(f"{words[i]!r:.60}" for i in missing[:5])
        raise ValueError(
            f"None of the {len(words):,} words of the vocabulary has a vector in "
            f"{source.name} ({examples}, ...). Check that the vectors are of the language "
            f"of the texts, and that `lowercase` is right for them."
        )


def _warn_of_casing(
    embeddings: Embeddings, words: Sequence[str], counts: np.ndarray, missing: np.ndarray
) -> bool:
    """Warn if many words without a vector would have one in lower or title case."""
    total = counts.sum()  # 0 if the texts have none of the words of a given vocabulary.
    if not total or counts[missing].sum() < _CASING_GAIN * total:
        return False
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
                stacklevel=5,
            )
            return True
    return False


def _warn_of_coverage(
    sources: Sequence[Embeddings], tokens: float, missing: Sequence[tuple[str, int]]
) -> None:
    names = " + ".join(source.name for source in sources)
    examples = ", ".join(f"{word!r:.60}" for word, _ in missing[:3])
    warnings.warn(
        f"Only {tokens:.0%} of the tokens have a vector in {names}; for example, {examples} have "
        f"none. Check that the vectors are of the language of the texts, and that the tokenizer, "
        f"`lowercase` and `strip_accents` give words as the vectors have them; `coverage_.missing` "
        f"has more of them.",
        UserWarning,
        stacklevel=5,
    )
