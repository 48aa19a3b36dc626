"""Intervals: compared with SciPy, with formulas in another form, and with resampling."""

import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from sktextcnn._report import intervals

CASES = [(0, 1), (1, 1), (5, 9), (0, 40), (40, 40), (372, 400), (99_999, 100_000)]


@pytest.mark.parametrize(("n_right", "n"), CASES)
def test_wilsons_interval_is_that_of_scipy(n_right, n):
    found = intervals.share(n_right, n)
    expected = binomtest(n_right, n).proportion_ci(method="wilson")
    assert found.value == n_right / n
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize(("b", "c", "n"), [(0, 0, 5), (9, 3, 60), (3, 9, 60), (5, 0, 5)])
def test_the_difference_of_matched_shares_is_walds_with_half_a_text_in_each_cell(b, c, n):
    found = intervals.difference(b, c, n)
    # The variance of the differences of single texts, which are 1, -1 or 0.
    each = np.array([1.0, -1.0, 0.0])
    weight = np.array([b + 0.5, c + 0.5, n - b - c + 1])
    mean = np.average(each, weights=weight)
    variance = np.average((each - mean) ** 2, weights=weight)
    half = 1.959964 * math.sqrt(variance / (n + 2))
    assert found.value == (b - c) / n
    assert found.low == pytest.approx(max(mean - half, -1), abs=1e-6)
    assert found.high == pytest.approx(min(mean + half, 1), abs=1e-6)
    mirrored = intervals.difference(c, b, n)
    assert mirrored == pytest.approx((-found.value, -found.high, -found.low))


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (9, 3), (3, 9), (40, 41)])
def test_the_p_value_is_that_of_a_fair_coin(b, c):
    tail = binom.cdf(min(b, c), b + c, 0.5)
    assert intervals.p_of_difference(b, c) == pytest.approx(min(2 * tail, 1))


def test_the_interval_of_a_ratio_is_near_that_of_resampled_texts():
    rng = np.random.default_rng(0)
    bottoms = rng.integers(1, 8, 300).astype(float)
    tops = rng.binomial(bottoms.astype(int), 0.7).astype(float)
    other = rng.binomial(bottoms.astype(int), 0.6).astype(float)
    chosen = rng.integers(0, 300, (4000, 300))
    ratios = tops[chosen].sum(axis=1) / bottoms[chosen].sum(axis=1)
    differences = ratios - other[chosen].sum(axis=1) / bottoms[chosen].sum(axis=1)
    for found, resampled in (
        (intervals.ratio(tops, bottoms), ratios),
        (intervals.difference_of_ratios((tops, bottoms), (other, bottoms)), differences),
    ):
        low, high = np.quantile(resampled, [0.025, 0.975])
        width = high - low
        assert found.low == pytest.approx(low, abs=0.1 * width)
        assert found.high == pytest.approx(high, abs=0.1 * width)


@pytest.mark.parametrize("size", [1, 2, 10])
@pytest.mark.parametrize(("n_right", "n"), [(0, 1), (1, 1), (3, 3), (0, 3), (2, 5), (60, 60)])
def test_the_interval_of_a_ratio_of_equal_texts_is_near_wilsons(n_right, n, size):
    tops = np.repeat([float(size), 0.0], [n_right, n - n_right])
    found = intervals.ratio(tops, np.full(n, float(size)))
    expected = intervals.share(n_right, n)
    assert found.value == expected.value
    assert expected.low - 0.08 < found.low < expected.low + 1e-9
    assert expected.high - 1e-9 < found.high < expected.high + 0.08
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_texts_with_many_labels_do_not_make_up_for_few_texts():
    # All are right; nearly all labels are those of one text.
    labels = np.array([1.0, 1.0, 1.0, 1.0, 200.0])
    assert intervals.ratio(labels, labels).low < 0.3


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_texts_do_not_tell_which_of_two_is_ahead(n):
    ones, zeros = np.ones(n), np.zeros(n)
    found = intervals.difference_of_ratios((ones, ones), (zeros, ones))
    assert found.value == found.high == 1
    assert found.low < 0
    mirrored = intervals.difference_of_ratios((zeros, ones), (ones, ones))
    assert mirrored == pytest.approx((-1, -1, -found.low))
    for alike in (ones, zeros):
        same = intervals.difference_of_ratios((alike, ones), (alike, ones))
        assert same.low < -0.3
        assert same.value == 0
        assert same.high > 0.3


@pytest.mark.parametrize(("n_first", "is_ahead"), [(4, False), (5, False), (7, True)])
def test_the_first_is_ahead_as_by_mcnemars_test(n_first, is_ahead):
    ones = np.ones(1000)
    tops = ones.copy()
    tops[:n_first] = 0
    found = intervals.difference_of_ratios((ones, ones), (tops, ones))
    assert (found.low > 0) == is_ahead
    assert (intervals.p_of_difference(n_first, 0) < 0.05) == is_ahead


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("n", [5, 20, 100])
def test_intervals_of_a_ratio_contain_the_true_one_as_often_as_they_say(n, share):
    rng = np.random.default_rng(0)
    n_inside = 0
    for _ in range(400):
        bottoms = 2.0 * rng.integers(1, 4, n)
        found = intervals.ratio(2.0 * rng.binomial((bottoms / 2).astype(int), share), bottoms)
        n_inside += found.low <= share <= found.high
    assert n_inside >= 0.92 * 400


def test_a_ratio_of_nothing_is_zero_and_not_known():
    nothing = np.zeros(3), np.zeros(3)
    assert intervals.ratio(*nothing) == pytest.approx((0, 0, 1))
    assert intervals.difference_of_ratios(nothing, nothing).low < -0.5
