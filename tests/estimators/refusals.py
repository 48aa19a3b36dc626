"""Helpers: a small problem, and the check that a refusal changes nothing."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sktextcnn import TextCNNClassifier

IDS = np.array([[2, 3, 4, 0], [5, 6, 0, 0], [2, 3, 2, 7], [5, 4, 6, 7], [2, 0, 0, 0], [7, 6, 5, 4]])
LABELS = [0, 1, 0, 1, 0, 1]
INDICATOR = np.array([[1, 0], [1, 1], [0, 1], [1, 0], [1, 1], [0, 1]])
TEXTS = ["a gem", "so dull", "a witty gem", "a dull film", "gem", "dull"]

WORDS = ["spam", "ham", "spam", "ham", "spam", "ham"]
METHODS = ["predict", "predict_proba", "decision_function"]

SMALL = {
    "num_filters": 2,
    "kernel_sizes": (1, 2),
    "embedding_dim": 3,
    "max_epochs": 1,
    "random_state": 0,
    "device": "cpu",
}
REMEDY = r"Put TextVectorizer before the classifier: make_pipeline\(TextVectorizer\(\), TextCNN"


def small(**params):
    return TextCNNClassifier(**{**SMALL, **params})


def assert_refused(calls, error, message, ids=IDS, labels=LABELS, **params):
    """A fitted and an unfitted classifier refuse calls, and are left as they were."""
    calls = [calls] if callable(calls) else calls
    for fitted in (False, True):
        classifier = small()
        if fitted:
            classifier.fit(ids, labels)
            probabilities, n_epochs = classifier.predict_proba(ids), len(classifier.history_)
        before = {name: value for name, value in vars(classifier).items() if name not in params}
        good = {name: classifier.get_params()[name] for name in params}
        classifier.set_params(**params)
        for call in calls:
            with pytest.raises(error, match=message):
                call(classifier)
        after = {name: value for name, value in vars(classifier).items() if name not in params}
        assert after.keys() == before.keys()
        assert all(after[name] is before[name] for name in before)
        if fitted:
            classifier.set_params(**good)
            np.testing.assert_array_equal(classifier.predict_proba(ids), probabilities)
            assert len(classifier.history_) == n_epochs
        else:
            with pytest.raises(NotFittedError):
                check_is_fitted(classifier)
