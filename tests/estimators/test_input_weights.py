"""The weights of samples and classes that TextCNNClassifier refuses."""

import numpy as np
import pytest

from tests.estimators.refusals import IDS, LABELS, assert_refused


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, 1, -1, 1, 1, 1], "Negative values in data passed to `sample_weight`"),
        ([0] * 6, "at least one (non-zero number|weight must be above zero)"),
        ([1, 1], r"sample_weight.shape == \(2,\), expected \(6,\)"),
        ([1, 1, np.nan, 1, 1, 1], "Input sample_weight contains NaN"),
        ([1, 1, np.inf, 1, 1, 1], "Input sample_weight contains infinity"),
        (np.ones((6, 2)), "Sample weights must be 1D array or scalar"),
    ],
    ids=["negative", "all zero", "length", "NaN", "infinity", "columns"],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_weights_that_are_none_are_refused(method, weight, message):
    known = {"classes": [0, 1]} if method == "partial_fit" else {}
    assert_refused(
        lambda classifier: getattr(classifier, method)(IDS, LABELS, sample_weight=weight, **known),
        ValueError,
        message,
    )


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        pytest.param("heavy", "'class_weight' parameter .* among {'balanced'}", id="name"),
        pytest.param(3, "'class_weight' parameter of TextCNNClassifier must be", id="number"),
        pytest.param({5: 1}, r"The classes, \[0, 1\], are not in class_weight", id="unknown"),
        pytest.param(
            {0: 1, 7: 2}, r"The classes, \[1\], are not in class_weight", id="one unknown"
        ),
        pytest.param(["a"], "class_weight", id="list of str"),
        pytest.param({0: 0, 1: 0}, "at least one weight must be above zero", id="zeros"),
        pytest.param(
            {0: 0, 1: 0},
            "class_weight",
            id="zeros, named",
        ),
        pytest.param({0: -1, 1: 1}, "class_weight", id="negative"),
        pytest.param({0: np.nan, 1: 1}, "class_weight", id="NaN"),
    ],
)
def test_class_weights_that_are_none_are_refused(class_weight, message):
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        message,
        class_weight=class_weight,
    )
