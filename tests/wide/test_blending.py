"""The scales of the parts, against a search by hand."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import log_loss

from sktextcnn._wide import PRIOR, fit_scales


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 600)
    truth = np.eye(3)[targets]
    return [truth * 8 + rng.normal(0, 8, (600, 3)), truth + rng.normal(0, 2, (600, 3))], targets


def test_the_scales_have_the_least_log_loss(parts):
    logits, targets = parts
    scales, _ = fit_scales(logits, targets)

    def loss(scales):
        return log_loss(targets, softmax(sum(map(np.multiply, scales, logits)), axis=1))

    grid = np.exp(np.linspace(-4, 2, 25))
    best = min(loss((a, b)) for a in grid for b in grid)
    assert loss(scales) < best + 1e-3
    for change in (0.8, 1.25):
        assert loss(scales * [change, 1]) > loss(scales)
        assert loss(scales * [1, change]) > loss(scales)


def test_a_part_that_is_too_sure_is_calmed(parts):
    (deep, _), targets = parts
    (scale,), _ = fit_scales([deep], targets, prior=(1.0,))
    (of_double,), _ = fit_scales([2 * deep], targets, prior=(1.0,))
    assert of_double == pytest.approx(scale / 2, rel=0.02)


def test_few_texts_stay_near_the_prior(parts):
    logits, targets = parts
    none, _ = fit_scales([part[:0] for part in logits], targets[:0])
    np.testing.assert_allclose(none, PRIOR)


def test_a_weight_of_two_is_a_text_given_twice(parts):
    logits, targets = parts
    weight = np.ones(600)
    weight[:100] = 2
    weighted, _ = fit_scales(logits, targets, weight)
    twice = [np.concatenate([part, part[:100]]) for part in logits]
    repeated, _ = fit_scales(twice, np.concatenate([targets, targets[:100]]))
    np.testing.assert_allclose(weighted, repeated, rtol=1e-4)


def test_several_labels(parts):
    logits, targets = parts
    labels = np.eye(3)[targets]
    scales, _ = fit_scales(logits, labels)

    def loss(scales):
        p = expit(sum(map(np.multiply, scales, logits)))
        return -(labels * np.log(p) + (1 - labels) * np.log(1 - p)).mean()

    for change in (0.7, 1.4):
        assert loss(scales * [change, 1]) > loss(scales)
        assert loss(scales * [1, change]) > loss(scales)
