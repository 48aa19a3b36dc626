"""What TextCNNClassifier takes, and what it says of the rest."""

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from sktextcnn import TextCNNClassifier, TextVectorizer

TINY = {"num_filters": 2, "embedding_dim": 4, "max_epochs": 1, "random_state": 0}
IDS = np.random.default_rng(0).integers(1, 9, (12, 6))
LABELS = ["a", "b", "c"] * 4
TEXTS = ["a gem", "so dull", "a witty film", "long and dull"] * 3


@pytest.fixture
def classifier():
    return TextCNNClassifier(**TINY)


# Labels and ids that work -------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["no", "yes"], ["no", "yes"]),
        ([7, -3], [-3, 7]),
        ([True, False], [False, True]),
        ([0.0, 1.0], [0.0, 1.0]),
        (np.array(["x", "y"], dtype=object), ["x", "y"]),
        (pd.Series(["x", "y"], index=[9, 3]), ["x", "y"]),
        (pd.Categorical(["y", "x"]), ["x", "y"]),
        (np.array([2, 1], dtype=np.uint8), [1, 2]),
    ],
    ids=lambda value: f"{type(value).__name__} {np.asarray(value).dtype}",
)
def test_labels_of_any_type_come_back_as_they_are(classifier, labels, classes):
    y = labels.repeat(6) if hasattr(labels, "repeat") else [labels[0]] * 6 + [labels[1]] * 6
    classifier.fit(IDS, y)
    assert classifier.classes_.tolist() == classes
    predicted = classifier.predict(IDS)
    assert predicted.dtype == classifier.classes_.dtype
    assert set(predicted.tolist()) <= set(classes)
    assert classifier.score(IDS, y) >= 0


@pytest.mark.parametrize(
    "as_ids",
    [np.ndarray.tolist, pd.DataFrame, np.asfortranarray, lambda X: X.astype(np.float32)],
    ids=["list", "frame", "fortran", "float"],
)
def test_ids_in_any_matrix(classifier, as_ids):
    expected = classifier.fit(IDS, LABELS).predict_proba(IDS)
    again = clone(classifier).fit(as_ids(IDS), LABELS)
    np.testing.assert_array_equal(again.predict_proba(as_ids(IDS)), expected)


def test_larger_ids_without_words_are_unknown_ones(classifier):
    classifier.fit(IDS, LABELS)
    new = np.where(IDS == 3, 1000, IDS)
    unknown = np.where(IDS == 3, 1, IDS)
    np.testing.assert_array_equal(classifier.predict_proba(new), classifier.predict_proba(unknown))


# X ------------------------------------------------------------------------------------

TEXT = r"X holds texts, but TextCNNClassifier takes token ids\. Put TextVectorizer before"


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (TEXTS, ValueError, TEXT),
        (np.array(TEXTS), ValueError, TEXT),
        ("a gem", ValueError, TEXT),
        (csr_matrix(IDS), TypeError, "X is a sparse matrix.*not counts or TF-IDF.*TextVectorizer"),
        (-IDS, ValueError, "X must hold token ids, which begin at 0"),
        (IDS / 3, ValueError, r"X must hold token ids, which are whole numbers; got \d.*TextVect"),
        (np.where(IDS == 3, np.nan, IDS), ValueError, "X contains NaN"),
        (IDS[0], ValueError, "Expected 2D array, got 1D array"),
        (IDS[None], ValueError, "Found array with dim 3"),
        (np.empty((0, 3), dtype=int), ValueError, r"Found array with 0 sample\(s\)"),
        (np.empty((12, 0), dtype=int), ValueError, r"Found array with 0 feature\(s\)"),
        (IDS + 2**31, ValueError, r"X must hold token ids below 2\*\*31"),
        (None, ValueError, "X|None"),
    ],
    ids=lambda value: "" if not isinstance(value, str) else value[:25],
)
def test_what_is_no_matrix_of_ids_is_named(classifier, X, error, message):
    with pytest.raises(error, match=message):
        classifier.fit(X, LABELS)
    classifier.fit(IDS, LABELS)
    with pytest.raises(error, match=message):
        classifier.predict(X)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "score"])
def test_an_unfitted_classifier_says_so(classifier, method):
    args = (IDS, LABELS) if method == "score" else (IDS,)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(classifier, method)(*args)


def test_history_of_an_unfitted_classifier(classifier):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        classifier.history_  # noqa: B018
    assert not hasattr(classifier, "net_")


def test_another_number_of_columns(classifier):
    classifier.fit(IDS, LABELS)
    with pytest.raises(ValueError, match="X has 5 features, but TextCNNClassifier is expecting 6"):
        classifier.predict(IDS[:, :5])


def test_ids_of_another_vectorizer(classifier):
    classifier.fit(TextVectorizer(max_length=3).fit_transform(TEXTS), LABELS)
    other = TextVectorizer(max_length=3).fit_transform(["quite another vocabulary"])
    with pytest.raises(ValueError, match=r"X comes from another vocabulary.*fitted vectorizer"):
        classifier.predict(other)
    with pytest.raises(ValueError, match=r"X has ids up to 99, but .* vocabulary ends at 9"):
        classifier.predict([[2, 99, 0]])


# y and weights ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        (LABELS[:-1], "X has 12 texts, but y has 11 labels"),
        (["a"] * 12, "y has only one class, .*'a'.*at least two"),
        (["a", None] + ["b"] * 10, r"y has no label for text 1 \(counting from 0\): got None"),
        ([0.0, 1.0, np.nan] + [1.0] * 9, r"y has no label for text 2 \(counting from 0\): got nan"),
        ([0.0, np.inf] + [1.0] * 10, "y has the label inf for text 1"),
        (np.linspace(0, 1, 12), "Unknown label type: continuous"),
        (np.stack([np.arange(12) % 3] * 2, axis=1), "several columns of classes.*MultiLabelBinar"),
        ([["a"], ["b", "c"]] * 6, "MultiLabelBinarizer"),
    ],
    ids=lambda value: value[:25] if isinstance(value, str) else "",
)
def test_targets_that_will_not_do_are_named(classifier, y, message):
    with pytest.raises(ValueError, match=message):
        classifier.fit(IDS, y)
    assert not hasattr(classifier, "net_")


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.full(12, -1.0), "Negative values in data passed to `sample_weight`"),
        (np.zeros(12), "Sample weights must contain at least one non-zero number"),
        (np.ones(11), r"sample_weight.shape == \(11,\), expected \(12,\)"),
        (np.full(12, np.nan), "sample_weight contains NaN"),
    ],
    ids=lambda value: value[:25] if isinstance(value, str) else "",
)
def test_weights_that_will_not_do_are_named(classifier, weight, message):
    with pytest.raises(ValueError, match=message):
        classifier.fit(IDS, LABELS, sample_weight=weight)


# Validation data ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ({"X_val": IDS}, "X_val and y_val go together"),
        ({"y_val": LABELS}, "X_val and y_val go together"),
        ({"X_val": IDS[:, :4], "y_val": LABELS}, "X_val has 4 columns, but X has 6"),
        ({"X_val": IDS, "y_val": LABELS[:5]}, "X_val has 12 texts, but y_val has 5 labels"),
        ({"X_val": IDS, "y_val": ["z"] * 12}, "y_val has the label .*'z'.* not one of the classes"),
        ({"X_val": TEXTS, "y_val": LABELS}, "X_val holds texts"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_validation_data_that_will_not_do_is_named(classifier, validation, message):
    with pytest.raises(ValueError, match=message):
        classifier.fit(IDS, LABELS, **validation)


def test_validation_data_of_another_vocabulary(classifier):
    X = TextVectorizer(max_length=3).fit_transform(TEXTS)
    X_val = TextVectorizer(max_length=3).fit_transform(TEXTS[:2])
    with pytest.raises(ValueError, match=r"X_val comes from another vocabulary.*transform_input"):
        classifier.fit(X, LABELS, X_val=X_val, y_val=LABELS[:2])


def test_too_few_texts_for_early_stopping(classifier):
    classifier.set_params(early_stopping=True)
    with pytest.raises(ValueError, match=r"early_stopping=True cannot keep .*Give X_val and y_val"):
        classifier.fit(IDS[:4], ["a", "b", "a", "b"])


# Parameters ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("architecture", "kimm"),
        ("kernel_sizes", 3),
        ("num_filters", 0),
        ("hidden_units", -1),
        ("activation", "swish"),
        ("dropout", 1.0),
        ("token_dropout", -0.1),
        ("max_norm", 0.0),
        ("embedding_dim", 0),
        ("finetune", 0),
        ("finetune", -1),
        ("finetune", 1.5),
        ("finetune", "slowly"),
        ("finetune", None),
        ("warm_start", "yes"),
        ("optimizer", "adamm"),
        ("learning_rate", 0.0),
        ("finetune_lr", 0.0),
        ("lr_schedule", "cosine"),
        ("weight_decay", -1.0),
        ("batch_size", 0),
        ("max_epochs", 0),
        ("shuffle", None),
        ("early_stopping", "yes"),
        ("validation_fraction", 1.0),
        ("n_iter_no_change", 0),
        ("tol", -1.0),
        ("class_weight", "evenly"),
        ("random_state", "seed"),
        ("verbose", -1),
        ("device", 3),
        ("callbacks", 5),
    ],
)
def test_a_parameter_out_of_range_is_named_with_what_it_may_be(classifier, name, value):
    classifier.set_params(**{name: value})
    with pytest.raises(ValueError, match=f"The '{name}' parameter of TextCNNClassifier must be"):
        classifier.fit(IDS, LABELS)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"kernel_sizes": ()}, r"kernel_sizes must be .* at least one int from 1; got \(\)"),
        ({"kernel_sizes": (3, 0)}, r"kernel_sizes must be .* got \(3, 0\)"),
        ({"kernel_sizes": (2.5,)}, r"kernel_sizes must be .* got \(2.5,\)"),
        ({"device": "quantum"}, "device='quantum' is no device of torch"),
        ({"device": "cuda:77"}, "device='cuda:77', but torch finds no|device"),
        ({"class_weight": {"a": 2, "z": 1}}, "z.* not in class_weight|class_weight"),
        ({"learning_rate": 1e30, "max_epochs": 20}, "Training diverged: .*Lower learning_rate=1e"),
        ({"pretrained": 5}, "pretrained must be the path of a saved model or a FrozenEstimator"),
        ({"pretrained": "nowhere.joblib"}, "pretrained: there is no file 'nowhere.joblib'"),
        (
            {"pretrained": FrozenEstimator(TextCNNClassifier())},
            "FrozenEstimator holds no fitted TextCNNClassifier",
        ),
        (
            {"pretrained": FrozenEstimator(LogisticRegression().fit(IDS, LABELS))},
            "holds no fitted TextCNNClassifier, but LogisticRegression",
        ),
    ],
    ids=lambda value: str(value)[:35],
)
def test_parameters_that_will_not_do_are_named_with_the_remedy(classifier, params, message):
    classifier.set_params(**params)
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=message):
        classifier.fit(IDS, LABELS)


def test_a_bare_pretrained_estimator_is_refused_with_the_remedy(classifier):
    fitted = clone(classifier).fit(IDS, LABELS)
    classifier.set_params(pretrained=fitted)
    with pytest.raises(TypeError, match=r"unfits a bare estimator: give sklearn.frozen.Frozen"):
        classifier.fit(IDS, LABELS)


@pytest.mark.parametrize("finetune", [False, 1, "multichannel"])
def test_frozen_random_vectors_are_warned_of(classifier, finetune):
    classifier.set_params(finetune=finetune, max_epochs=2)
    with pytest.warns(
        UserWarning, match=f"finetune={finetune!r} is for word vectors that are given"
    ):
        classifier.fit(IDS, LABELS)


def test_vectors_that_are_never_unfrozen_are_warned_of(classifier, vectors_file):
    X = TextVectorizer(embeddings=vectors_file, random_state=0).fit_transform(["array of"] * 12)
    classifier.set_params(finetune=3, max_epochs=3)
    with pytest.warns(UserWarning, match="frozen for all of max_epochs=3 epochs"):
        classifier.fit(X, LABELS)


# partial_fit --------------------------------------------------------------------------


def test_partial_fit_asks_for_the_classes(classifier):
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        classifier.partial_fit(IDS, LABELS)
    classifier.partial_fit(IDS, LABELS, classes=["a", "b", "c"])
    with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
        classifier.partial_fit(IDS, LABELS, classes=["a", "b"])
    with pytest.raises(ValueError, match=r"y has the label .*'d'.* not one of the classes"):
        classifier.partial_fit(IDS, ["d"] * 12)
    with pytest.raises(ValueError, match="X has 5 features, but TextCNNClassifier is expecting 6"):
        classifier.partial_fit(IDS[:, :5], LABELS)


def test_warm_start_with_other_classes(classifier):
    classifier.set_params(warm_start=True).fit(IDS, LABELS)
    with pytest.raises(ValueError, match=r"warm_start=True goes on with the same classes.*=False"):
        classifier.fit(IDS, ["a", "b"] * 6)


# Nothing is lost ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "X", "y"),
    [
        ({}, -IDS, LABELS),
        ({}, IDS, LABELS[:-1]),
        ({"kernel_sizes": ()}, IDS, LABELS),
        ({"learning_rate": 1e30, "max_epochs": 20}, IDS, LABELS),
        ({"warm_start": True}, IDS, ["a", "b"] * 6),
    ],
)
def test_a_fit_that_fails_leaves_the_model_as_it_was(classifier, params, X, y):
    before = classifier.fit(IDS, LABELS).predict_proba(IDS)
    attributes = {
        name: joblib.hash(value) for name, value in vars(classifier).items() if name[-1] == "_"
    }
    classifier.set_params(**params)
    with pytest.raises(ValueError, match=r"."):
        classifier.fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(IDS), before)
    for name, value in attributes.items():
        assert joblib.hash(getattr(classifier, name)) == value, name
