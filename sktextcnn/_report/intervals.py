"""How far a share that was measured on some texts may be from that of all such texts."""

from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest, norm

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
    """Return the ratio of two sums over texts, with the interval of the delta method.

    Parameters
    ----------
    tops, bottoms : ndarray of shape (n_texts,)
        What each text adds to both sums. For F1 over all labels (micro), twice the number of its
        labels that are found, and the number of its labels plus that of those predicted.

    Returns
    -------
    Estimate
        0 if the sum of `bottoms` is 0.
    """
    value = _ratio(tops, bottoms)
    half = _half(_influence(tops, bottoms, value))
    return Estimate(value, max(value - half, 0.0), min(value + half, 1.0))


def difference_of_ratios(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]
) -> Estimate:
    """Return the first ratio minus the second, of the same texts; see `ratio`."""
    values = [_ratio(*each) for each in (first, second)]
    influences = [_influence(*each, v) for each, v in zip((first, second), values, strict=True)]
    value, half = values[0] - values[1], _half(influences[0] - influences[1])
    return Estimate(value, max(value - half, -1.0), min(value + half, 1.0))


def _ratio(tops: np.ndarray, bottoms: np.ndarray) -> float:
    total = bottoms.sum()
    return float(tops.sum() / total) if total else 0.0


def _influence(tops: np.ndarray, bottoms: np.ndarray, value: float) -> np.ndarray:
    """What each text adds to the error of a ratio, to first order."""
    return (tops - value * bottoms) / max(bottoms.sum(), 1)


def _half(influence: np.ndarray) -> float:
    return float(_Z * np.sqrt((influence**2).sum()))
