"""Validation data that TextCNNClassifier takes and refuses, and too few texts to stop early."""

import numpy as np
import pytest

from tests.estimators.refusals import IDS, INDICATOR, LABELS, assert_refused, small


@pytest.mark.parametrize(
    ("validation", "error", "message"),
    [
        ({"X_val": IDS}, ValueError, "X_val and y_val go together; give both or none"),
        ({"y_val": LABELS}, ValueError, "X_val and y_val go together; give both or none"),
        (
            {"X_val": IDS[:, :3], "y_val": LABELS},
            ValueError,
            "X_val has 3 columns, but X has 4. Use the same fitted vectorizer for both",
        ),
        ({"X_val": IDS, "y_val": [0, 1]}, ValueError, "X_val has 6 texts, but y_val has 2 labels"),
        (
            {"X_val": IDS, "y_val": [0, 1, 5] * 2},
            ValueError,
            r"y_val has the label .*5.*, which is not one of the classes \[0, 1\]",
        ),
        (
            {"X_val": IDS, "y_val": ["0", "1"] * 3},
            ValueError,
            r"y_val has the label .*'0'.*, which is not one of the classes \[0, 1\]",
        ),
        ({"X_val": IDS, "y_val": [0, None] * 3}, ValueError, "y_val has no label for text 1"),
        ({"X_val": IDS, "y_val": [0.5] * 6}, ValueError, "Unknown label type: continuous"),
    ],
    ids=["no y_val", "no X_val", "width", "length", "label", "words", "None", "continuous"],
)
def test_validation_data_that_does_not_fit_is_refused(validation, error, message):
    assert_refused(lambda classifier: classifier.fit(IDS, LABELS, **validation), error, message)


def test_validation_data_may_hold_one_class_only():
    classifier = small().fit(IDS, LABELS, X_val=IDS[::2], y_val=LABELS[::2])
    assert np.isfinite(classifier.history_[-1]["valid_loss"])


def test_validation_targets_of_other_labels_than_the_indicator_are_refused():
    assert_refused(
        lambda classifier: classifier.fit(
            IDS, INDICATOR, X_val=IDS, y_val=np.eye(3, dtype=int)[[0, 1, 2] * 2]
        ),
        ValueError,
        "y_val has 3 columns of labels; expected 2",
        labels=INDICATOR,
    )


@pytest.mark.parametrize(
    ("y", "y_val"),
    [
        (LABELS, INDICATOR),
        ([0, 1, 2] * 2, np.eye(3, dtype=int)[[0, 1, 2] * 2]),
        (INDICATOR, LABELS),
    ],
    ids=["indicator for two labels", "indicator for three labels", "labels for indicator"],
)
def test_an_indicator_and_labels_do_not_go_together(y, y_val):
    assert_refused(
        lambda classifier: classifier.fit(IDS, y, X_val=IDS, y_val=y_val),
        ValueError,
        "y_val",
        labels=y,
    )


def test_early_stopping_of_too_few_texts_says_what_to_do():
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        "early_stopping=True cannot hold out validation_fraction=0.1 of the texts.* Pass X_val and "
        "y_val to fit, or more texts of each class",
        early_stopping=True,
    )


def test_early_stopping_of_a_class_with_one_text_says_what_to_do():
    ids = np.tile(IDS, (5, 1))
    assert_refused(
        lambda classifier: classifier.fit(ids, ["a"] + ["b", "c"] * 14 + ["b"]),
        ValueError,
        "cannot hold out .* Pass X_val and y_val to fit, or more texts of each class",
        early_stopping=True,
    )


def test_early_stopping_works_where_some_texts_have_no_weight():
    ids, weight = np.tile(IDS, (5, 1)), np.repeat([1, 0], [20, 10])
    for seed in range(8):
        classifier = small(early_stopping=True, validation_fraction=0.06, random_state=seed)
        classifier.fit(ids, LABELS * 5, sample_weight=weight)
        assert np.isfinite(classifier.predict_proba(ids)).all()
