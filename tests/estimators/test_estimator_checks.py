"""scikit-learn's own checks of estimators, on both classes."""

import numpy as np
import pytest
import torch
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._network import KimCNN

# The checks fit on a handful of rows; convergence there is not what they are about.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")

_BINS = 16


class NumbersAsTexts(TextVectorizer):
    """Writes every number as a word, so that the checks' matrices become texts."""

    def fit(self, X, y=None):
        return super().fit(self._texts(X, reset=True), y)

    def fit_transform(self, X, y=None):
        return super().fit_transform(self._texts(X, reset=True), y)

    def transform(self, X):
        return super().transform(self._texts(X, reset=False))

    def _texts(self, X, reset):
        X = validate_data(self, X, reset=reset)
        return [" ".join(f"{number:.0f}" for number in row) for row in X]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        tags.input_tags.two_d_array = True
        return tags


class NumbersAsIds(TextCNNClassifier):
    """Gives every column and range of numbers an id of its own, so that any matrix will do."""

    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
        ids = self._ids(X, reset=True)
        return super().fit(ids, y, sample_weight=sample_weight, X_val=X_val, y_val=y_val)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        ids = self._ids(X, reset=not hasattr(self, "net_"))
        return super().partial_fit(ids, y, classes=classes, sample_weight=sample_weight)

    def _logits(self, X):
        check_is_fitted(self, "net_")
        return super()._logits(self._ids(X, reset=False))

    def _ids(self, X, reset):
        X = validate_data(self, X, reset=reset)
        ranges = np.clip(np.floor(X * 2) + _BINS / 2, 0, _BINS - 1)
        return 2 + ranges.astype(int) + _BINS * np.arange(X.shape[1])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = False
        tags.input_tags.categorical = False
        return tags


@pytest.fixture
def double_precision(monkeypatch):
    # One check compares probabilities to a relative 1e-7, which is float32's rounding.
    torch.set_default_dtype(torch.float64)
    monkeypatch.setattr(KimCNN, "float", lambda network: network)
    yield
    torch.set_default_dtype(torch.float32)


def needs_ids(estimator):
    reason = "feeds fractions or negative numbers, which are no token ids; see NumbersAsIds"
    if isinstance(estimator, NumbersAsIds):
        return {}
    checks = (
        "check_sample_weight_equivalence_on_dense_data",
        "check_classifiers_one_label_sample_weights",
        "check_class_weight_classifiers",
        "check_decision_proba_consistency",
    )
    return dict.fromkeys(checks, reason)


@parametrize_with_checks([NumbersAsTexts()])
def test_vectorizer_passes_the_checks(estimator, check):
    check(estimator)


@pytest.mark.usefixtures("double_precision")
@parametrize_with_checks(
    [
        # The defaults but for the size and the steps, as hundreds of fits are made.
        TextCNNClassifier(
            num_filters=10, embedding_dim=20, max_epochs=6, learning_rate=0.03, random_state=0
        ),
        NumbersAsIds(
            random_state=0,
            dropout=0.0,
            token_dropout=0.0,
            batch_size=10_000,
            max_epochs=12,
            learning_rate=0.05,
            num_filters=8,
            kernel_sizes=(1, 2),
            embedding_dim=8,
            wide=False,
        ),
    ],
    expected_failed_checks=needs_ids,
)
def test_classifier_passes_the_checks(estimator, check):
    check(estimator)
