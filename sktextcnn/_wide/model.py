"""WideModel: logits that are sums over the n-grams of a text.

Shapes: N texts, T tokens, G n-grams, C classes, S n-grams of one text.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from sktextcnn._network import map_in_threads, single_thread
from sktextcnn._text import Ids
from sktextcnn._wide.features import (
    NGrams,
    ids_of_pairs,
    pair_codes,
    places,
    texts_at_once,
    tf_idf,
)


class Terms(NamedTuple):
    """What the n-grams of one text add to its logits."""

    spans: np.ndarray  # (S, 2), the first token and the one after the last
    contributions: np.ndarray  # (S, C), float64


class Mixture(NamedTuple):
    """How much a network and a wide part count.

    The scale of a network is that of its logits for the texts it was trained on, which grow for as
    long as it is trained. So it suits any network of these parameters, however long its training.
    """

    strength: float  # of the penalty of the wide part
    spread_of_deep: float  # of the network's logits, once they are scaled
    scale_of_wide: float
    scale_of_other: float = 0.0  # of the wide part of another model, if there is one


class WideModel:
    """A linear model over words and pairs of words, weighted as TF-IDF.

    Parameters
    ----------
    codes : ndarray of shape (G,), int64
        The n-grams; see `NGrams`.
    idf : ndarray of shape (G,), float32
        The inverse document frequency of each.
    coef : ndarray of shape (G, C), float32
        The weight of each for each class.
    intercept : ndarray of shape (C,), float32
        What is added to the logits of each text.
    mixture : ndarray of shape (4,), float64
        What `Mixture` has, of the model that it is a part of; zeros if no texts chose one.
    """

    def __init__(
        self,
        codes: np.ndarray,
        idf: np.ndarray,
        coef: np.ndarray,
        intercept: np.ndarray,
        mixture: np.ndarray,
    ) -> None:
        self.ngrams = NGrams(codes)
        self.idf, self.coef, self.intercept, self.mixture = idf, coef, intercept, mixture

    def logits(self, ids: Ids) -> np.ndarray:
        """Return the logits of ids of shape (N, T); (N, C), float64."""
        # Gradients and inference mode are the caller's, who wants neither.
        with torch.inference_mode(False), torch.no_grad():
            step = texts_at_once(ids)
            if len(ids) == 1:
                # Too little for torch to share, and a context costs time.
                return self._logits(ids[:])
            if len(ids) <= step:
                with single_thread():
                    return self._logits(ids[:])
            blocks = [slice(start, start + step) for start in range(0, len(ids), step)]
            return np.concatenate(map_in_threads(lambda rows: self._logits(ids[rows]), blocks))

    def _logits(self, ids: np.ndarray) -> np.ndarray:
        counts = self.ngrams.counts(ids)
        sums = functional.embedding_bag(
            torch.from_numpy(counts.ngram),
            self._double_coef,
            torch.from_numpy(counts.offsets()),
            per_sample_weights=torch.from_numpy(tf_idf(counts, self.idf)),
            mode="sum",
            include_last_offset=True,
        )
        return sums.numpy() + self.intercept

    @cached_property
    def _double_coef(self) -> torch.Tensor:
        return torch.from_numpy(self.coef.astype(np.float64))

    def terms(self, ids: np.ndarray) -> Terms:
        """Return what each place of each n-gram adds to the logits of one text.

        Parameters
        ----------
        ids : ndarray of shape (T,)
            The ids of the text.

        Returns
        -------
        Terms
            With the intercept, the contributions sum to the logits. An n-gram that stands at
            several places adds the same at each.
        """
        row = ids.reshape(1, -1)
        counts = self.ngrams.counts(row) if len(ids) else None
        if counts is None or not len(counts.ngram):
            return Terms(np.empty((0, 2), dtype=np.int64), np.empty((0, len(self.intercept))))
        found = places(ids)
        ngram = self.ngrams.rows_of(found.code)
        kept = ngram >= 0
        first, length, ngram = found.first[kept], found.length[kept], ngram[kept]
        # The n-grams of one text are sorted in its counts.
        value_of_place = tf_idf(counts, self.idf) / counts.times
        values = value_of_place[np.searchsorted(counts.ngram, ngram)]
        return Terms(
            np.stack([first, first + length], axis=1),
            values[:, None] * self.coef[ngram].astype(np.float64),
        )

    def scaled(self, scale: float) -> "WideModel":
        """Return a model whose logits are multiplied by `scale`."""
        factor = np.float32(scale)
        coef, intercept = self.coef * factor, self.intercept * factor
        return WideModel(self.ngrams.codes, self.idf, coef, intercept, self.mixture)

    def of_mixture(self, mixture: Mixture | None) -> "WideModel":
        """Return the same model, as a part of a mixture."""
        numbers = np.zeros(len(Mixture._fields)) if mixture is None else np.array(mixture)
        return WideModel(self.ngrams.codes, self.idf, self.coef, self.intercept, numbers)

    def plus(self, other: "WideModel") -> "WideModel":
        """Return a model whose logits are the sum of both; both have the same n-grams."""
        coef, intercept = self.coef + other.coef, self.intercept + other.intercept
        return WideModel(self.ngrams.codes, self.idf, coef, intercept, self.mixture)

    def recoded(self, new_ids: np.ndarray) -> "WideModel":
        """Return the model for another vocabulary.

        Parameters
        ----------
        new_ids : ndarray of shape (n_ids,), int64
            The id that each word has there, 0 if it has none. N-grams of such words are left out.
        """
        words, pairs = np.split(self.ngrams.codes, [self.ngrams.n_words])
        first, second = (new_ids[ids] for ids in ids_of_pairs(pairs))
        codes = np.concatenate([new_ids[words], pair_codes(first, second)])
        known = np.concatenate([new_ids[words] > 0, (first > 0) & (second > 0)]).nonzero()[0]
        order = known[np.argsort(codes[known])]
        return WideModel(
            codes[order], self.idf[order], self.coef[order], self.intercept, self.mixture
        )

    def extended(self, larger: "WideModel", ids: Ids, weight: np.ndarray | None) -> "WideModel":
        """Return the model with the n-grams of another one, which has all of its own and more.

        Parameters
        ----------
        larger : WideModel
            Its n-grams and their inverse document frequencies are taken.
        ids : ndarray of shape (N, T)
            The logits of these texts will have a mean of zero.
        weight : ndarray of shape (N,) or None
            Weights of the texts.
        """
        coef = np.zeros_like(larger.coef)
        coef[larger.ngrams.rows_of(self.ngrams.codes)] = self.coef
        codes, none = larger.ngrams.codes, np.zeros_like(self.intercept)
        unshifted = WideModel(codes, larger.idf, coef, none, self.mixture)
        means = np.average(unshifted.logits(ids), axis=0, weights=weight)
        return WideModel(codes, larger.idf, coef, -means.astype(np.float32), self.mixture)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that the model consists of, by the names of the parameters."""
        return {
            "codes": self.ngrams.codes,
            "idf": self.idf,
            "coef": self.coef,
            "intercept": self.intercept,
            "mixture": self.mixture,
        }

    def described(self) -> dict[str, np.ndarray]:
        """Return the model without codes.

        Returns
        -------
        dict
            `words`, the ids of the words, (n_words,); `pairs`, the ids of the pairs, (n_pairs, 2);
            and the other arrays, in which words come before pairs.
        """
        codes = self.ngrams.codes
        words, pairs = np.split(codes, [self.ngrams.n_words])
        return {
            "words": words,
            "pairs": np.stack(ids_of_pairs(pairs), axis=1),
            "idf": self.idf,
            "coef": self.coef,
            "intercept": self.intercept,
        }

    def __reduce__(self) -> tuple:
        return WideModel, tuple(self.arrays().values())


def check_arrays(arrays: Mapping[str, np.ndarray], n_ids: int, n_classes: int) -> None:
    """Raise a ValueError if arrays are not those of a `WideModel` for these ids and classes."""
    names = ("codes", "idf", "coef", "intercept", "mixture")
    codes, idf, coef, intercept, mixture = (arrays[name] for name in names)
    if codes.dtype != np.int64 or codes.ndim != 1:
        raise ValueError("the n-grams are not int64")
    ids = np.concatenate(ids_of_pairs(codes))
    if (np.diff(codes) <= 0).any() or (codes < 0).any() or (ids >= n_ids).any():
        raise ValueError("the n-grams are not sorted, or not of the words")
    shapes = [(len(codes),), (len(codes), n_classes), (n_classes,)]
    for array, shape in zip((idf, coef, intercept), shapes, strict=True):
        if array.dtype != np.float32 or array.shape != shape or not np.isfinite(array).all():
            raise ValueError("the weights of n-grams are not those of the n-grams and classes")
    if mixture.dtype != np.float64 or mixture.shape != (4,) or not np.isfinite(mixture).all():
        raise ValueError("the mixture does not have four numbers")
    if (mixture < 0).any() or (mixture.any() and not mixture[0]):
        raise ValueError("the mixture is not one of positive numbers")
