"""How far a share that was measured on some texts may be from that of all such texts."""

from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest, norm, t

#: Of all intervals.
CONFIDENCE = 0.95
_Z = float(norm.ppf((1 + CONFIDENCE) / 2))


class Estimate(NamedTuple):
    """A measured value, and the ends of its interval."""

    value: float
    low: float
    high: float


def share(n_right: int, n: int) -> Estimate:
    """Return a proportion with Wilson's interval.

    Parameters
    ----------
    n_right, n : int
        How many of how many; `n` is at least 1.

    Returns
    -------
    Estimate

    References
    ----------
    Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference, JASA.
    """
    p = n_right / n
    middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    # Rounding must not put the value outside of its interval.
    return Estimate(p, min(max(float(middle - half), 0), p), max(min(float(middle + half), 1), p))


def difference(n_first: int, n_second: int, n: int) -> Estimate:
    """Return the difference of two proportions that were measured on the same texts.

    Parameters
    ----------
    n_first, n_second : int
        How many texts only the first, and only the second, is right for.
    n : int
        The number of texts.

    Returns
    -------
    Estimate
        The first proportion minus the second, with the interval of Agresti and Min.

    References
    ----------
    Agresti and Min (2005), Simple improved confidence intervals for comparing matched proportions,
    Statistics in Medicine.
    """
    value = (n_first - n_second) / n
    first, second, total = n_first + 0.5, n_second + 0.5, n + 2
    middle = (first - second) / total
    half = _Z * np.sqrt(first + second - (first - second) ** 2 / total) / total
    low, high = max(float(middle - half), -1), min(float(middle + half), 1)
    return Estimate(value, min(low, value), max(high, value))


def p_of_difference(n_first: int, n_second: int) -> float:
    """Return the p-value of McNemar's exact test, of the same numbers."""
    n = n_first + n_second
    return float(binomtest(n_first, n).pvalue) if n else 1.0


def ratio(tops: np.ndarray, bottoms: np.ndarray) -> Estimate:
    """Return the ratio of two sums over texts, with an interval of the delta method.

    The variance of texts that are all right is 0, however few there are. So some texts that are
    right and as many that are wrong are added before the interval is computed, as Agresti and Coull
    do for proportions. Then it is near Wilson's if all texts have one label.

    Parameters
    ----------
    tops, bottoms : ndarray of shape (n_texts,)
        What each text adds to both sums. For F1 over all labels (micro), twice the number of its
        labels that are found, and the number of its labels plus that of those predicted.

    Returns
    -------
    Estimate
        0 to 1 if the sum of `bottoms` is 0, and the value is 0.

    References
    ----------
    Agresti and Coull (1998), Approximate is better than "exact" for interval estimation of binomial
    proportions, The American Statistician.
    """
    sums = _Sums(tops, bottoms, _RIGHT)
    return _estimate(_ratio(tops, bottoms), sums.ratio, sums.influence, _Z, 0.0)


def difference_of_ratios(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]
) -> Estimate:
    """Return the first ratio minus the second, of the same texts; see `ratio`.

    The texts that are added are right by both, one or none. The interval is that of Student's t,
    as the variance of few texts is not known well.
    """
    value = _ratio(*first) - _ratio(*second)
    one, other = _Sums(*first, _RIGHT), _Sums(*second, _RIGHT_BY_SECOND)
    z = float(t.ppf((1 + CONFIDENCE) / 2, min(one.n, other.n) - 1))
    return _estimate(value, one.ratio - other.ratio, one.influence - other.influence, z, -1.0)


# Of four texts that are added, which are right. Together they weigh as many texts as make Wilson's
# interval.
_RIGHT = np.array([1.0, 1.0, 0.0, 0.0])
_RIGHT_BY_SECOND = np.array([1.0, 0.0, 1.0, 0.0])
_WEIGHT = _Z**2 / 4


class _Sums:
    """The ratio of two sums with the texts that are added.

    `influence` is what each text adds to the error of the ratio, to first order, such that the sum
    of the squares is the variance. `n` is how many texts of equal size would tell as much.
    """

    def __init__(self, tops: np.ndarray, bottoms: np.ndarray, right: np.ndarray) -> None:
        total, squares = float(bottoms.sum()), float((bottoms**2).sum())
        # As large as the text that a label is in on average: those with many labels count more.
        size = squares / total if total else 1.0
        added = _WEIGHT * len(right) * size
        self.ratio = (float(tops.sum()) + _WEIGHT * size * float(right.sum())) / (total + added)
        self.n = (total + added) / size
        of_added = np.sqrt(_WEIGHT) * size * (right - self.ratio)
        self.influence = np.concatenate([tops - self.ratio * bottoms, of_added]) / (total + added)


def _estimate(
    value: float, middle: float, influence: np.ndarray, z: float, least: float
) -> Estimate:
    half = z * float(np.sqrt((influence**2).sum()))
    # The value is not in the middle, but must not be outside.
    low, high = max(middle - half, least), min(middle + half, 1.0)
    return Estimate(value, min(low, value), max(high, value))


def _ratio(tops: np.ndarray, bottoms: np.ndarray) -> float:
    total = bottoms.sum()
    return float(tops.sum() / total) if total else 0.0
