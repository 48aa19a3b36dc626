"""The scales of the parts, against a search by hand."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import log_loss

from sktextcnn._wide import PRIOR, fit_blend


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 600)
    truth = np.eye(3)[targets]
    return [truth * 8 + rng.normal(0, 8, (600, 3)), truth + rng.normal(0, 2, (600, 3))], targets


def test_the_scales_have_the_least_log_loss(parts):
    logits, targets = parts
    scales, intercept, _ = fit_blend(logits, targets)

    def loss(scales):
        z = sum(map(np.multiply, scales, logits)) + intercept
        return log_loss(targets, softmax(z, axis=1))

    grid = np.exp(np.linspace(-4, 2, 25))
    best = min(loss((a, b)) for a in grid for b in grid)
    assert loss(scales) < best + 1e-3
    for change in (0.8, 1.25):
        assert loss(scales * [change, 1]) > loss(scales)
        assert loss(scales * [1, change]) > loss(scales)


def test_a_part_that_is_too_sure_is_calmed(parts):
    (deep, _), targets = parts
    (scale,), *_ = fit_blend([deep], targets, prior=(1.0,))
    (of_double,), *_ = fit_blend([2 * deep], targets, prior=(1.0,))
    assert of_double == pytest.approx(scale / 2, rel=0.02)


def test_few_texts_stay_near_the_prior(parts):
    logits, targets = parts
    none, intercept, _ = fit_blend([part[:0] for part in logits], targets[:0])
    np.testing.assert_allclose(none, PRIOR)
    np.testing.assert_array_equal(intercept, 0)


def test_the_intercept_makes_mean_probabilities_the_shares_of_the_classes(parts):
    logits, targets = parts
    kept = (targets != 2) | (np.arange(600) % 4 == 0)
    some, of_some = [part[kept] for part in logits], targets[kept]
    scales, intercept, _ = fit_blend(some, of_some)
    p = softmax(sum(map(np.multiply, scales, some)) + intercept, axis=1)
    np.testing.assert_allclose(p.mean(axis=0), np.bincount(of_some) / len(of_some), atol=0.01)
    assert intercept[2] < intercept[:2].min()


def test_a_weight_of_two_is_a_text_given_twice(parts):
    logits, targets = parts
    weight = np.ones(600)
    weight[:100] = 2
    weighted, *_ = fit_blend(logits, targets, weight)
    twice = [np.concatenate([part, part[:100]]) for part in logits]
    repeated, *_ = fit_blend(twice, np.concatenate([targets, targets[:100]]))
    np.testing.assert_allclose(weighted, repeated, rtol=1e-4)


def test_several_labels(parts):
    logits, targets = parts
    labels = np.eye(3)[targets]
    scales, intercept, _ = fit_blend(logits, labels)

    def loss(scales):
        p = expit(sum(map(np.multiply, scales, logits)) + intercept)
        return -(labels * np.log(p) + (1 - labels) * np.log(1 - p)).mean()

    for change in (0.7, 1.4):
        assert loss(scales * [change, 1]) > loss(scales)
        assert loss(scales * [1, change]) > loss(scales)
