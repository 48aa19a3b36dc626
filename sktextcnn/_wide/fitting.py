"""A WideModel from texts: logistic regression over TF-IDF.

Shapes: N texts, T tokens, G n-grams, C classes.
"""

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning

from sktextcnn._blas import one_blas_thread
from sktextcnn._text import Ids
from sktextcnn._token_ids import UNKNOWN_ID
from sktextcnn._wide.features import (
    FIRST_PAIR,
    Counts,
    NGrams,
    pair_codes,
    texts_at_once,
    tf_idf,
)
from sktextcnn._wide.model import Mixture, WideModel

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

#: Inverse strengths of the penalty to choose from.
STRENGTHS = (10.0, 100.0)

# Pairs that stand in one text alone say nothing of others, and are two thirds of all.
_LEAST_TEXTS_OF_PAIR = 2
# Of one solver, whose memory they bound to half a gigabyte. If there would be more, the n-grams of
# the fewest texts are left out.
_MOST_COEFFICIENTS = 1 << 21
# Further steps change the accuracy of held-out texts by less than 0.1 points on average; a larger
# tolerance loses six points on long documents.
_TOL, _MOST_STEPS = 1e-4, 100
# The share of texts that a class without any is taken to have.
_LEAST_SHARE = 1e-4


# One for each label, which starts from its solution for the strength before.
Solvers = dict[int, "LogisticRegression"]


def fit_wide(
    ids: Ids,
    targets: np.ndarray,
    n_classes: int,
    weight: np.ndarray | None = None,
    strengths: tuple[float, ...] = STRENGTHS,
    other: WideModel | None = None,
) -> Iterator[tuple[float, WideModel]]:
    """Fit one model for each strength of the penalty.

    Parameters
    ----------
    ids : ndarray of shape (N, T), int32
        Token ids.
    targets : ndarray of shape (N,), int64, or (N, C), float32
        Classes, or an indicator matrix.
    n_classes : int
        The number of classes, of which `targets` may lack some.
    weight : ndarray of shape (N,) or None
        Weights of the texts. A weight of 2 is equal to two copies of a text.
    strengths : tuple of float
        ``C`` of scikit-learn's LogisticRegression.
    other : WideModel or None
        A model whose n-grams are chosen too, with its inverse document frequencies.

    Yields
    ------
    strength : float
    model : WideModel
    """
    weight = np.ones(len(ids)) if weight is None else np.asarray(weight, dtype=np.float64)
    most = _most_ngrams(targets, n_classes)
    ngrams, counts, idf = _features(ids, weight, most, other)
    values = tf_idf(counts, idf)
    matrix = csr_array((values, counts.ngram, counts.offsets()), shape=(len(ids), len(ngrams)))
    solvers: Solvers = {}
    for strength in strengths:
        coef, intercept = _solve(solvers, matrix, targets, n_classes, weight, strength)
        yield (
            strength,
            WideModel(
                ngrams.codes,
                idf,
                np.ascontiguousarray(coef.T, dtype=np.float32),
                intercept.astype(np.float32),
                np.zeros(len(Mixture._fields)),
            ),
        )


def _most_ngrams(targets: np.ndarray, n_classes: int) -> int:
    # Labels have a solver each.
    return _MOST_COEFFICIENTS // (1 if targets.ndim == 2 else n_classes)


def _features(
    ids: Ids, weight: np.ndarray, most: int, other: WideModel | None
) -> tuple[NGrams, Counts, np.ndarray]:
    """Choose at most `most` n-grams, and those of another model.

    Returns the n-grams, their counts in the texts, and their weights.
    """
    codes = _distinct(ids)
    of_other = np.empty(0, dtype=np.int64) if other is None else other.ngrams.codes
    everything = NGrams(codes if other is None else np.union1d(codes, of_other))
    n_texts, parts = np.zeros(len(everything)), []
    for first in range(0, len(ids), step := texts_at_once(ids)):
        counts = everything.counts(ids[first : first + step])
        text = counts.text + first
        np.add.at(n_texts, counts.ngram, weight[text])
        parts.append(_compact(Counts(text, counts.ngram, counts.times, len(ids))))
    kept = (everything.codes < FIRST_PAIR) | (n_texts >= _LEAST_TEXTS_OF_PAIR)
    if kept.sum() > most:
        n_texts_of_kept = np.where(kept, n_texts, 0)
        kept[np.argsort(-n_texts_of_kept, kind="stable")[most:]] = False
    kept[everything.rows_of(of_other)] = True
    counts = _chosen(parts, kept)
    idf = (np.log((1 + weight.sum()) / (1 + n_texts[kept])) + 1).astype(np.float32)
    ngrams = NGrams(everything.codes[kept])
    if other is not None:
        idf[ngrams.rows_of(of_other)] = other.idf
    return ngrams, counts, idf


def _compact(counts: Counts) -> Counts:
    """The same in half the memory: there are fewer than 2**31 texts and n-grams."""
    text, ngram, times = (each.astype(np.int32) for each in counts[:3])
    return Counts(text, ngram, times, counts.n_texts)


def _chosen(parts: list[Counts], kept: np.ndarray) -> Counts:
    """Join parts of counts, with the n-grams that are kept; the list is emptied."""
    new_row = (np.cumsum(kept) - 1).astype(np.int32)
    n_texts, arrays = parts[0].n_texts, []
    for part in parts:
        mask = kept[part.ngram]
        arrays.append((part.text[mask], new_row[part.ngram[mask]], part.times[mask]))
    parts.clear()
    text, ngram, times = (np.concatenate(each) for each in zip(*arrays, strict=True))
    return Counts(text, ngram, times, n_texts)


def _distinct(ids: Ids) -> np.ndarray:
    """The codes of all n-grams of ids, sorted."""
    words, pairs, step = [], [], texts_at_once(ids)
    for start in range(0, len(ids), step):
        some = ids[start : start + step]
        known = some > UNKNOWN_ID
        pair = known[:, :-1] & known[:, 1:]
        words.append(np.unique(some[known]))
        pairs.append(pair_codes(some[:, :-1][pair], some[:, 1:][pair]))
    return np.concatenate(
        [np.unique(np.concatenate(words)).astype(np.int64), np.unique(np.concatenate(pairs))]
    )


def _solve(
    solvers: Solvers,
    matrix: csr_array,
    targets: np.ndarray,
    n_classes: int,
    weight: np.ndarray,
    strength: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients of shape (C, G) and intercepts of shape (C,)."""
    if targets.ndim == 2:
        columns = [
            _binary(solvers, label, matrix, column > 0.5, weight, strength)
            for label, column in enumerate(targets.T)
        ]
        return np.stack([coef for coef, _ in columns]), np.array([each for _, each in columns])
    shares = np.bincount(targets, weight, minlength=n_classes) / weight.sum()
    coef, intercept = np.zeros((n_classes, matrix.shape[1])), np.log(shares.clip(_LEAST_SHARE))
    present = np.unique(targets)
    if len(present) == 2:
        of_second, at_second = _binary(solvers, 0, matrix, targets == present[1], weight, strength)
        # Two logits whose difference is that of the second class.
        coef[present] = np.stack([-of_second, of_second]) / 2
        intercept[present] = np.array([-at_second, at_second]) / 2
    elif len(present) > 2 and matrix.shape[1]:
        model = _fitted(solvers, 0, matrix, targets, weight, strength)
        coef[present], intercept[present] = model.coef_, model.intercept_
    return coef, intercept


def _binary(
    solvers: Solvers,
    label: int,
    matrix: csr_array,
    positive: np.ndarray,
    weight: np.ndarray,
    strength: float,
) -> tuple[np.ndarray, float]:
    """Coefficients and intercept of the log-odds."""
    if positive.all() or not positive.any() or not matrix.shape[1]:
        share = np.average(positive, weights=weight)
        share = np.clip(share, _LEAST_SHARE, 1 - _LEAST_SHARE)
        return np.zeros(matrix.shape[1]), float(np.log(share / (1 - share)))
    model = _fitted(solvers, label, matrix, positive, weight, strength)
    return model.coef_[0], float(model.intercept_[0])


def _fitted(
    solvers: Solvers,
    label: int,
    matrix: csr_array,
    targets: np.ndarray,
    weight: np.ndarray,
    strength: float,
) -> "LogisticRegression":
    # Only here, as programs that predict do not need it, and it takes long to import.
    from sklearn.linear_model import LogisticRegression

    if label not in solvers:
        solvers[label] = LogisticRegression(tol=_TOL, max_iter=_MOST_STEPS, warm_start=True)
    model = solvers[label].set_params(C=strength)
    with one_blas_thread(), warnings.catch_warnings():
        # Further steps change no prediction of other texts.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(matrix, targets, sample_weight=weight)
