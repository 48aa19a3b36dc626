"""What fit, warm starts and partial_fit take and refuse after an earlier fit."""

import numpy as np
import pytest

from tests.estimators.refusals import IDS, INDICATOR, LABELS, WORDS, small


@pytest.mark.parametrize(
    ("labels", "shown"), [(["a", "b"] * 3, r"\['a' 'b'\]"), ([0, 1, 2] * 2, r"\[0 1 2\]")]
)
def test_a_warm_start_with_other_classes_is_refused(labels, shown):
    classifier = small(warm_start=True).fit(IDS, LABELS)
    before = classifier.predict_proba(IDS)
    message = (
        rf"warm_start=True continues with the same classes; previously got \[0 1\], now {shown}. "
        r"Set warm_start=False to start anew"
    )
    with pytest.raises(ValueError, match=message):
        classifier.fit(IDS, labels)
    np.testing.assert_array_equal(classifier.predict_proba(IDS), before)
    assert classifier.set_params(warm_start=False).fit(IDS, labels).classes_.tolist() == sorted(
        set(labels)
    )


def test_fit_anew_takes_other_classes_columns_and_ids():
    classifier = small().fit(IDS, LABELS)
    classifier.fit(IDS[:, :2] + 40, ["x", "y", "z"] * 2)
    assert classifier.classes_.tolist() == ["x", "y", "z"]
    assert classifier.n_features_in_ == 2
    assert classifier.predict_proba(IDS[:, :2]).shape == (6, 3)


# partial_fit ---------------------------------------------------------------------------


def test_the_first_partial_fit_needs_classes():
    classifier = small()
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        classifier.partial_fit(IDS, LABELS)
    assert not hasattr(classifier, "net_")


@pytest.mark.parametrize("start", ["fit", "partial_fit"])
@pytest.mark.parametrize("classes", [[0, 1, 2], [0], ["0", "1"]])
def test_later_calls_of_partial_fit_refuse_other_classes(start, classes):
    classifier = small()
    getattr(classifier, start)(IDS, LABELS, **({} if start == "fit" else {"classes": [1, 0]}))
    before, n_epochs = classifier.predict_proba(IDS), classifier.n_iter_
    message = r"is not the same as on last call to partial_fit, was: array\(\[0, 1\]\)"
    with pytest.raises(ValueError, match=message):
        classifier.partial_fit(IDS, LABELS, classes=classes)
    np.testing.assert_array_equal(classifier.predict_proba(IDS), before)
    assert classifier.n_iter_ == n_epochs
    classifier.partial_fit(IDS, LABELS, classes=[1, 0])


def test_later_calls_of_partial_fit_refuse_an_unknown_label():
    classifier = small().partial_fit(IDS, WORDS, classes=["spam", "ham"])
    before = classifier.predict_proba(IDS)
    message = r"y has the label .*'eggs'.*, which is not one of the classes \['ham', 'spam'\]"
    with pytest.raises(ValueError, match=message):
        classifier.partial_fit(IDS, ["eggs", *WORDS[1:]])
    np.testing.assert_array_equal(classifier.predict_proba(IDS), before)


def test_partial_fit_of_an_indicator_refuses_another_number_of_labels():
    classifier = small().partial_fit(IDS, INDICATOR)
    with pytest.raises(ValueError, match="y has 3 columns of labels; expected 2"):
        classifier.partial_fit(IDS, np.eye(3, dtype=int)[[0, 1, 2] * 2])


@pytest.mark.parametrize(
    ("first", "second"),
    [(INDICATOR, LABELS), (LABELS, INDICATOR)],
    ids=["labels after indicator", "indicator after labels"],
)
def test_partial_fit_refuses_labels_and_indicators_by_turns(first, second):
    classifier = small().fit(IDS, first)
    with pytest.raises(ValueError, match=r"\by\b.*indicator"):
        classifier.partial_fit(IDS, second)


@pytest.mark.parametrize(
    ("classes", "y"),
    [
        pytest.param([0], [0] * 6, id="one"),
        pytest.param([0, 1, np.nan], LABELS, id="NaN"),
        pytest.param(["ham", "spam", None], WORDS, id="None"),
    ],
)
def test_partial_fit_refuses_classes_that_are_none_or_one(classes, y):
    classifier = small()
    with pytest.raises(ValueError, match="classes"):
        classifier.partial_fit(IDS, y, classes=classes)
    assert not hasattr(classifier, "net_")


def test_partial_fit_trains_one_epoch_after_a_fit_with_early_stopping():
    ids, labels = np.tile(IDS, (5, 1)), LABELS * 5
    classifier = small(early_stopping=True).fit(ids, labels)
    n_epochs = classifier.n_iter_
    classifier.set_params(early_stopping=False)
    assert classifier.partial_fit(ids, labels, classes=[0, 1]).n_iter_ == n_epochs + 1
