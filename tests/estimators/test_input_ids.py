"""The matrices of token ids that TextCNNClassifier takes, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import coo_matrix, csr_array, csr_matrix
from sklearn.exceptions import NotFittedError

from sktextcnn import TextVectorizer, TokenIds
from tests.estimators.refusals import IDS, LABELS, METHODS, REMEDY, TEXTS, assert_refused, small

BAD_IDS = {
    "list of texts": (TEXTS, ValueError, f"{{}} holds texts, but .* takes token ids. {REMEDY}"),
    "tuple of texts": (tuple(TEXTS), ValueError, f"{{}} holds texts.*{REMEDY}"),
    "array of texts": (np.array(TEXTS), ValueError, f"{{}} holds texts.*{REMEDY}"),
    "2-d array of texts": (np.array(TEXTS)[:, None], ValueError, f"{{}} holds texts.*{REMEDY}"),
    "one text": ("a gem", ValueError, f"{{}} holds texts.*{REMEDY}"),
    "array of bytes": (np.array(TEXTS, dtype="S"), ValueError, f"{{}} holds texts.*{REMEDY}"),
    "sparse matrix": (
        csr_matrix(IDS),
        TypeError,
        f"{{}} is a sparse matrix, but TextCNNClassifier takes token ids, not counts.*{REMEDY}",
    ),
    "sparse array": (csr_array(IDS), TypeError, f"{{}} is a sparse matrix.*{REMEDY}"),
    "coordinates": (coo_matrix(IDS), TypeError, f"{{}} is a sparse matrix.*{REMEDY}"),
    "negative": (IDS - 1, ValueError, "Negative values.*{} must hold token ids, which begin at 0"),
    "fractions": (
        IDS + 0.5,
        ValueError,
        f"{{}} must hold token ids, which are whole numbers; got 2.5. {REMEDY}",
    ),
    "NaN": (np.where(IDS == 3, np.nan, IDS), ValueError, "Input {} contains NaN"),
    "infinity": (np.where(IDS == 3, np.inf, IDS), ValueError, "Input {} contains infinity"),
    "above int32": (
        IDS * 2**30,
        ValueError,
        r"{} must hold token ids below 2\*\*31 - 1; got 7516192768",
    ),
    "far above int32": (IDS * 1e300, ValueError, r"{} must hold token ids below 2\*\*31 - 1"),
    "the largest int32": (
        np.where(IDS == 3, 2**31 - 1, IDS),
        ValueError,
        r"{} must hold token ids below 2\*\*31 - 1; got 2147483647",
    ),
    "1-d": (IDS[0], ValueError, "Expected 2D array, got 1D array instead"),
    "3-d": (IDS[None], ValueError, "Found array with dim 3, while dim <= 2 is required by TextCNN"),
    "no texts": (IDS[:0], ValueError, r"Found array with 0 sample\(s\) .* minimum of 1"),
    "no columns": (IDS[:, :0], ValueError, r"Found array with 0 feature\(s\) .* minimum of 1"),
    "empty list": ([], ValueError, "Expected 2D array, got 1D array instead"),
    "complex": (IDS + 1j, ValueError, "Complex data not supported"),
    "number": (5, ValueError, "Expected 2D array, got scalar array instead"),
}

BADLY_NAMED_IDS = {
    "Series of texts": (pd.Series(TEXTS), ValueError, f"{{}} holds texts.*{REMEDY}"),
    "object array of texts": (
        np.array(TEXTS, dtype=object),
        ValueError,
        f"{{}} holds texts.*{REMEDY}",
    ),
    "data frame of texts": (
        pd.DataFrame({"text": TEXTS}),
        ValueError,
        f"{{}} holds texts.*{REMEDY}",
    ),
    "lists of tokens": ([text.split()[-1:] for text in TEXTS], ValueError, f"{{}}.*{REMEDY}"),
    "list of bytes": ([text.encode() for text in TEXTS], ValueError, f"{{}}.*{REMEDY}"),
    "ids of several lengths": (
        [[2, 3], [5], [2], [5, 6, 7], [2], [5]],
        ValueError,
        "{}.*(length|pad)",
    ),
    "None within": ([[2, None], [5, 6]] * 3, (TypeError, ValueError), "{}.*None"),
    "dates": (np.full((6, 1), np.datetime64("2020-01-01")), (TypeError, ValueError), "{}.*ids"),
}


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        *(pytest.param(*case, id=name) for name, case in BAD_IDS.items()),
        *(pytest.param(*case, id=name) for name, case in BADLY_NAMED_IDS.items()),
    ],
)
def test_what_is_no_matrix_of_token_ids_is_refused_in_training(X, error, message):
    assert_refused(
        [
            lambda classifier: classifier.fit(X, LABELS),
            lambda classifier: classifier.partial_fit(X, LABELS, classes=[0, 1]),
        ],
        error,
        message.format("X"),
    )
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS, X_val=X, y_val=LABELS),
        error,
        message.format("X_val"),
    )


@pytest.fixture(scope="module")
def fitted():
    return small().fit(IDS, LABELS)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("X", "error", "message"),
    [pytest.param(*case, id=name) for name, case in BAD_IDS.items() if name != "no texts"],
)
def test_what_is_no_matrix_of_token_ids_is_refused_in_predictions(
    fitted, X, error, message, method
):
    with pytest.raises(error, match=message.format("X")):
        getattr(fitted, method)(X)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_columns", [1, 3, 5])
def test_predictions_refuse_another_number_of_columns(fitted, method, n_columns):
    message = f"X has {n_columns} features, but TextCNNClassifier is expecting 4 features"
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(np.full((2, n_columns), 2))


def test_a_later_partial_fit_refuses_another_number_of_columns():
    classifier = small().fit(IDS, LABELS)
    before = classifier.predict_proba(IDS)
    with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 4 features"):
        classifier.partial_fit(IDS[:, :3], LABELS)
    np.testing.assert_array_equal(classifier.predict_proba(IDS), before)


@pytest.mark.parametrize(
    "call",
    [
        lambda classifier: classifier.predict(IDS),
        lambda classifier: classifier.predict_proba(IDS),
        lambda classifier: classifier.decision_function(IDS),
        lambda classifier: classifier.score(IDS, LABELS),
        lambda classifier: classifier.history_,
    ],
    ids=["predict", "predict_proba", "decision_function", "score", "history_"],
)
def test_an_unfitted_classifier_says_to_call_fit(call):
    with pytest.raises(NotFittedError, match=r"TextCNNClassifier instance is not fitted yet. Call"):
        call(small())


@pytest.mark.parametrize(
    "convert",
    [
        np.ndarray.tolist,
        lambda ids: tuple(map(tuple, ids.tolist())),
        pd.DataFrame,
        lambda ids: pd.DataFrame(ids, columns=list("abcd")),
        lambda ids: ids.astype(float),
        lambda ids: ids.astype(np.float32),
        lambda ids: ids.astype(np.uint8),
        lambda ids: ids.astype(np.uint64),
        lambda ids: ids.astype(object),
        np.asfortranarray,
        lambda ids: np.repeat(ids, 2, axis=1)[:, ::2],
        torch.tensor,
    ],
    ids=[
        "lists",
        "tuples",
        "DataFrame",
        "DataFrame with names",
        "float64",
        "float32",
        "uint8",
        "uint64",
        "object",
        "Fortran order",
        "strided",
        "tensor",
    ],
)
def test_whole_numbers_in_any_container_are_ids_without_words(convert):
    X = convert(IDS)
    classifier = small().fit(X, LABELS)
    assert classifier.embedding_source_ == "random"
    assert classifier.words_ is None
    assert classifier.n_features_in_ == 4
    expected = small().fit(IDS, LABELS).predict_proba(IDS)
    np.testing.assert_array_equal(classifier.predict_proba(X), expected)


def test_column_names_of_a_data_frame_are_kept_and_compared():
    frame = pd.DataFrame(IDS, columns=list("abcd"))
    classifier = small().fit(frame, LABELS)
    assert classifier.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match=r"feature names should match those .* during fit"):
        classifier.predict(frame.rename(columns={"d": "e"}))


def test_the_ids_that_are_given_stay_as_they_are():
    X = IDS.copy()
    small(max_epochs=2, token_dropout=0.9).fit(X, LABELS).predict(X)
    np.testing.assert_array_equal(X, IDS)


def test_ids_without_words_above_the_largest_one_of_fit_are_unknown_words():
    classifier = small().fit(IDS, LABELS)
    beyond = np.where(IDS == 7, 2_000_000_000, IDS)
    expected = classifier.predict_proba(np.where(IDS == 7, 1, IDS))
    np.testing.assert_array_equal(classifier.predict_proba(beyond), expected)
    assert not np.array_equal(expected, classifier.predict_proba(IDS))


def test_texts_of_nothing_but_padding_can_be_fitted():
    classifier = small().fit(np.zeros((6, 3), dtype=int), LABELS)
    probabilities = classifier.predict_proba(np.zeros((2, 3), dtype=int))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


# Vocabularies --------------------------------------------------------------------------


@pytest.fixture
def matrices():
    """The same texts by two vectorizers that know other words."""
    wide = TextVectorizer(max_length=4).fit(TEXTS)
    other = TextVectorizer(max_length=4).fit([text.replace("gem", "bore") for text in TEXTS])
    return wide.transform(TEXTS), other.transform(TEXTS)


@pytest.mark.parametrize("method", METHODS)
def test_ids_of_another_vocabulary_are_refused_in_predictions(matrices, method):
    ours, others = matrices
    classifier = small().fit(ours, LABELS)
    message = "X comes from another vocabulary .* Use the fitted vectorizer that the classifier"
    with pytest.raises(ValueError, match=message):
        getattr(classifier, method)(others)


def test_ids_of_another_vocabulary_are_refused_in_validation(matrices):
    ours, others = matrices
    assert_refused(
        lambda classifier: classifier.fit(ours, LABELS, X_val=others, y_val=LABELS),
        ValueError,
        r"X_val comes from another vocabulary .*\. A Pipeline does so, and transforms validation "
        r"data with transform_input=\['X_val'\]",
        ids=ours,
    )


def test_ids_of_another_vocabulary_are_refused_in_a_later_partial_fit(matrices):
    ours, others = matrices
    classifier = small().partial_fit(ours, LABELS, classes=[0, 1])
    before = classifier.predict_proba(ours)
    with pytest.raises(ValueError, match="X comes from another vocabulary than the classifier's"):
        classifier.partial_fit(others, LABELS)
    np.testing.assert_array_equal(classifier.predict_proba(ours), before)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda classifier, ours, beyond: classifier.predict(beyond), "X"),
        (lambda classifier, ours, beyond: classifier.partial_fit(beyond, LABELS), "X"),
        (
            lambda classifier, ours, beyond: classifier.fit(
                ours, LABELS, X_val=beyond, y_val=LABELS
            ),
            "X_val",
        ),
    ],
    ids=["predict", "partial_fit", "fit"],
)
def test_plain_ids_beyond_the_vocabulary_are_refused(matrices, call, name):
    ours, _ = matrices
    classifier = small().fit(ours, LABELS)
    n_words = len(classifier.words_)
    message = f"{name} has ids up to {n_words}, but the classifier's vocabulary ends at"
    with pytest.raises(ValueError, match=f"{message} {n_words - 1}. Use the fitted vectorizer"):
        call(classifier, ours, np.where(np.asarray(ours) == 2, n_words, ours))


def test_plain_ids_within_the_vocabulary_are_the_same_words(matrices):
    ours, _ = matrices
    classifier = small().fit(ours, LABELS)
    expected = classifier.predict_proba(ours)
    np.testing.assert_array_equal(classifier.predict_proba(np.asarray(ours)), expected)


@pytest.mark.parametrize(
    "convert",
    [
        lambda X: np.asarray(X)[:, ::-1],
        lambda X: pd.DataFrame(X).replace({2: 3}),
        lambda X: X.astype(float) * 2,
        lambda X: X + 1,
    ],
    ids=["asarray", "DataFrame", "float", "arithmetic"],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_ids_that_have_lost_their_vectors_are_not_trained_on_random_ones(
    with_vectors, convert, method
):
    lost = convert(with_vectors)
    assert not isinstance(lost, TokenIds)
    classifier = small()
    known = {"classes": [0, 1]} if method == "partial_fit" else {}
    with pytest.raises(ValueError, match=r"has lost the 3-d word vectors|a plain matrix"):
        getattr(classifier, method)(lost, LABELS, **known)
    assert not hasattr(classifier, "net_")
