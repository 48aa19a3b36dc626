"""What TextCNNClassifier takes and what it refuses, and that a refusal changes nothing."""

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import coo_matrix, csr_array, csr_matrix
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sktextcnn import TextCNNClassifier, TextVectorizer, TokenIds

IDS = np.array([[2, 3, 4, 0], [5, 6, 0, 0], [2, 3, 2, 7], [5, 4, 6, 7], [2, 0, 0, 0], [7, 6, 5, 4]])
LABELS = [0, 1, 0, 1, 0, 1]
INDICATOR = np.array([[1, 0], [1, 1], [0, 1], [1, 0], [1, 1], [0, 1]])
TEXTS = ["a gem", "so dull", "a witty gem", "a dull film", "gem", "dull"]

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


# Token ids -----------------------------------------------------------------------------


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


METHODS = ["predict", "predict_proba", "decision_function"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("X", "error", "message"), [pytest.param(*case, id=name) for name, case in BAD_IDS.items()]
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
        r"X_val comes from another vocabulary .*; a Pipeline does, and passes validation data "
        r"with transform_input=\['X_val'\]",
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


@pytest.fixture(scope="module")
def with_vectors(tmp_path_factory):
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    path.write_text("4 3\na 1 2 3\ngem 4 5 6\ndull 7 8 9\nso -1 -2 -3\n")
    X = TextVectorizer(embeddings=str(path), token_pattern=r"\w+").fit_transform(TEXTS)
    assert X.table.vectors is not None
    return X


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        pd.DataFrame,
        lambda X: X.astype(float),
        lambda X: X + 0,
        lambda X: np.hstack([X, np.asarray(X)]),
    ],
    ids=["asarray", "DataFrame", "float", "arithmetic", "hstack"],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_ids_that_have_lost_their_vectors_are_not_trained_on_random_ones(
    with_vectors, convert, method
):
    lost = convert(with_vectors)
    assert not isinstance(lost, TokenIds)
    classifier = small()
    known = {"classes": [0, 1]} if method == "partial_fit" else {}
    message = "X has lost the 3-d word vectors .* Put TextCNNClassifier right behind TextVec"
    with pytest.raises(ValueError, match=message):
        getattr(classifier, method)(lost, LABELS, **known)
    assert not hasattr(classifier, "net_")


# Targets -------------------------------------------------------------------------------


MISSING = "y has no label for text {}.*got {}. Input contains NaN or None; drop the text or label"

BAD_TARGETS = [
    pytest.param(None, "requires y to be passed, but the target y is None", id="None"),
    pytest.param([0, 1, 0], "X has 6 texts, but y has 3 labels", id="too short"),
    pytest.param([0, 1] * 4, "X has 6 texts, but y has 8 labels", id="too long"),
    pytest.param([], "X has 6 texts, but y has 0 labels", id="empty"),
    pytest.param(INDICATOR[:4], "X has 6 texts, but y has 4 labels", id="short indicator"),
    pytest.param(["a", "b", None, "a", "b", "a"], MISSING.format(2, None), id="None in a list"),
    pytest.param(("a", "b", "b", "a", "b", None), MISSING.format(5, None), id="None in a tuple"),
    pytest.param(
        np.array([None, "b", "b", "a", "b", "a"]), MISSING.format(0, None), id="None in an array"
    ),
    pytest.param([0, 1, 0, np.nan, 0, 1], MISSING.format(3, "nan"), id="NaN in a list"),
    pytest.param(np.array([0, np.nan] * 3), MISSING.format(1, "nan"), id="NaN in an array"),
    pytest.param(
        pd.Series(["a", "b", None] * 2), MISSING.format(2, "(nan|None)"), id="None in a Series"
    ),
    pytest.param(
        pd.Categorical(["a", "b", None] * 2), MISSING.format(2, "nan"), id="NaN in a Categorical"
    ),
    pytest.param(
        pd.Series([0, 1, None] * 2, dtype="Int64"),
        MISSING.format(2, "(nan|<NA>)"),
        id="NA in a Series of Int64",
    ),
    pytest.param(
        pd.Series(["a", "b", None] * 2, dtype="string"),
        MISSING.format(2, "(nan|<NA>)"),
        id="NA in a Series of string",
    ),
    pytest.param(
        pd.Series(["a", "b", pd.NA] * 2, dtype=object),
        MISSING.format(2, "<NA>"),
        id="NA in a Series of objects",
    ),
    pytest.param(
        pd.Series([True, False, None] * 2, dtype="boolean"),
        MISSING.format(2, "(nan|<NA>)"),
        id="NA in a Series of boolean",
    ),
    pytest.param(
        np.where(INDICATOR == 0, np.nan, 1),
        "Input y contains NaN",
        id="NaN in an indicator",
        # scikit-learn casts before it checks.
        marks=pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning"),
    ),
    pytest.param([0, 1, np.inf] * 2, "y has the label inf for text 2", id="infinity"),
    pytest.param(
        [1] * 6, "y has only one class, .*1.*needs at least two classes to tell apart", id="ones"
    ),
    pytest.param(["a"] * 6, "y has only one class, .*'a'.*needs at least two", id="one word"),
    pytest.param(np.linspace(0, 1, 6), "Unknown label type: continuous", id="continuous"),
    pytest.param(
        [[0, 2], [1, 1]] * 3,
        "y has several columns of classes. Give one label a text, or an indicator matrix of zeros "
        "and ones, such as MultiLabelBinarizer makes",
        id="columns of classes",
    ),
    pytest.param(
        np.array([["a", "b"], ["c", "a"]] * 3),
        "y has several columns of classes.*indicator matrix",
        id="columns of words",
    ),
    pytest.param([[1], [2, 3]] * 3, "MultiLabelBinarizer transformer can", id="lists of labels"),
    pytest.param("ababab", "Expected array-like .*, got 'ababab'", id="a string"),
    pytest.param([b"a", b"b"] * 3, "labels represented as bytes is not supported", id="bytes"),
]


@pytest.mark.parametrize(("y", "message"), BAD_TARGETS)
def test_fit_refuses_what_is_no_target(y, message):
    assert_refused(
        lambda classifier: classifier.fit(IDS, y), (TypeError, ValueError), rf"(?s){message}"
    )


@pytest.mark.parametrize(
    ("y", "message"),
    [
        pytest.param(None, "the target y is None", id="None"),
        pytest.param([0, 1, 0], "X has 6 texts, but y has 3 labels", id="too short"),
        pytest.param([0, None] * 3, MISSING.format(1, None), id="None in a list"),
        pytest.param([0.5, 1.5] * 3, "Unknown label type: continuous", id="continuous"),
        pytest.param(
            [0, 1, 7] * 2, r"y has the label .*7.*, which is not .* classes \[0, 1\]", id="unknown"
        ),
        pytest.param(
            ["0", "1"] * 3, r"y has the label .*'0'.*, which is not .* \[0, 1\]", id="words"
        ),
    ],
)
def test_partial_fit_refuses_what_is_no_target(y, message):
    assert_refused(
        lambda classifier: classifier.partial_fit(IDS, y, classes=[0, 1]), ValueError, message
    )


@pytest.mark.parametrize(
    "y",
    [
        pytest.param(5, id="number"),
        pytest.param((label for label in LABELS), id="generator"),
        pytest.param(np.array(["a", 1] * 3, dtype=object), id="words and numbers"),
        pytest.param(np.array([1, "a"] * 3, dtype=object), id="numbers and words"),
    ],
)
def test_the_message_about_labels_that_are_no_sequence_or_mixed_names_y(y):
    with pytest.raises((TypeError, ValueError), match=r"\by\b"):
        small().fit(IDS, y)


def test_a_column_of_labels_is_taken_with_scikit_learns_warning():
    with pytest.warns(UserWarning, match="A column-vector y was passed when a 1d array"):
        classifier = small().fit(IDS, np.array(LABELS)[:, None])
    assert classifier.predict(IDS).shape == (6,)


WORDS = ["spam", "ham", "spam", "ham", "spam", "ham"]


@pytest.mark.parametrize(
    ("y", "dtype"),
    [
        pytest.param(WORDS, "<U4", id="list of str"),
        pytest.param(tuple(WORDS), "<U4", id="tuple of str"),
        pytest.param([np.str_(word) for word in WORDS], "<U4", id="list of np.str_"),
        pytest.param(np.array(WORDS), "<U4", id="array of str"),
        pytest.param(np.array(WORDS, dtype=object), object, id="array of objects"),
        pytest.param(pd.Series(WORDS, index=list("uvwxyz")), object, id="Series"),
        pytest.param(pd.Series(WORDS, dtype="string"), object, id="Series of string"),
        pytest.param(pd.Categorical(WORDS, categories=["spam", "ham"]), object, id="Categorical"),
        pytest.param(pd.Series(WORDS, dtype="category"), object, id="Series of categories"),
        pytest.param(pd.Categorical([9, 3] * 3), np.int64, id="Categorical of int"),
        pytest.param([7, 3] * 3, np.int64, id="list of int"),
        pytest.param([-1, 1] * 3, np.int64, id="negative"),
        pytest.param(np.array([5, 200] * 3, dtype=np.uint8), np.uint8, id="uint8"),
        pytest.param([2.0, 1.0] * 3, np.float64, id="whole floats"),
        pytest.param([True, False] * 3, np.bool_, id="list of bool"),
        pytest.param(np.array([False, True] * 3), np.bool_, id="array of bool"),
        pytest.param(["", " "] * 3, "<U1", id="blank"),
        pytest.param(["ä", "日本語"] * 3, "<U3", id="other alphabets"),
    ],
)
def test_labels_of_any_type_come_back_from_predict_as_they_were(y, dtype):
    classifier = small(max_epochs=40, learning_rate=0.05, dropout=0, token_dropout=0).fit(IDS, y)
    assert classifier.classes_.dtype == dtype
    assert classifier.classes_.tolist() == sorted(set(y))
    predicted = classifier.predict(IDS)
    assert predicted.dtype == dtype
    assert predicted.tolist() == list(y)
    assert classifier.score(IDS, y) == 1.0


@pytest.mark.parametrize(
    "convert",
    [
        np.asarray,
        np.ndarray.tolist,
        csr_matrix,
        csr_array,
        lambda y: csr_matrix(y).tocsc(),
        pd.DataFrame,
        lambda y: y.astype(bool),
        lambda y: y.astype(float),
        lambda y: y.astype(np.uint8),
    ],
    ids=["array", "lists", "csr_matrix", "csr_array", "csc", "frame", "bool", "float", "uint8"],
)
def test_indicator_matrices_in_any_container_are_multilabel_targets(convert):
    ids = IDS[[0, 1, 5, 0, 1, 5]]
    classifier = small(
        max_epochs=60, learning_rate=0.05, dropout=0, token_dropout=0, num_filters=8
    ).fit(ids, convert(INDICATOR))
    assert classifier.classes_.tolist() == [0, 1]
    predicted = classifier.predict(ids)
    assert predicted.dtype == np.int64
    np.testing.assert_array_equal(predicted, INDICATOR)
    np.testing.assert_array_equal(classifier.predict_proba(ids) > 0.5, INDICATOR)


def test_the_targets_that_are_given_stay_as_they_are():
    y, weight = np.array(LABELS), np.arange(1.0, 7.0)
    small(class_weight="balanced").fit(IDS, y, sample_weight=weight)
    assert y.tolist() == LABELS
    assert weight.tolist() == [1, 2, 3, 4, 5, 6]


# Weights -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, 1, -1, 1, 1, 1], "Negative values in data passed to `sample_weight`"),
        ([0] * 6, "at least one (non-zero number|weight above 0)"),
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
        pytest.param({0: 0, 1: 0}, "at least one weight above 0", id="zeros"),
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


# Validation data -----------------------------------------------------------------------


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
        "early_stopping=True cannot keep validation_fraction=0.1 of the texts .* Give X_val and "
        "y_val, or more texts of each class",
        early_stopping=True,
    )


def test_early_stopping_of_a_class_with_one_text_says_what_to_do():
    ids = np.tile(IDS, (5, 1))
    assert_refused(
        lambda classifier: classifier.fit(ids, ["a"] + ["b", "c"] * 14 + ["b"]),
        ValueError,
        "early_stopping=True cannot keep .* Give X_val and y_val, or more texts of each class",
        early_stopping=True,
    )


def test_early_stopping_works_where_some_texts_have_no_weight():
    ids, weight = np.tile(IDS, (5, 1)), np.repeat([1, 0], [20, 10])
    for seed in range(20):
        classifier = small(early_stopping=True, validation_fraction=0.06, random_state=seed)
        classifier.fit(ids, LABELS * 5, sample_weight=weight)
        assert np.isfinite(classifier.predict_proba(ids)).all()


# Parameters ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("architecture", value) for value in ("lstm", 3, None, nn.Linear(2, 2))),
        *(("kernel_sizes", value) for value in (3, "345")),
        *(("num_filters", value) for value in (0, -1, 1.5, "3")),
        *(("hidden_units", value) for value in (-1, 1.5, "3")),
        *(("activation", value) for value in ("swish", None, nn.ReLU)),
        *(("dropout", value) for value in (1, 1.0, -0.1, 1.5, "a", None, np.nan)),
        *(("token_dropout", value) for value in (1, -0.1, "auto", np.nan)),
        *(("max_norm", value) for value in (0, -1, "a", np.nan)),
        *(("embedding_dim", value) for value in (0, -1, 1.5)),
        *(("finetune", value) for value in (0, -1, 1.5, "static", None)),
        *(("warm_start", value) for value in ("yes", 1, None)),
        *(("optimizer", value) for value in ("adamm", 3, None)),
        *(("learning_rate", value) for value in (0, -1, "fast", None, np.nan, np.inf)),
        *(("finetune_lr", value) for value in (0, -1, np.nan)),
        *(("lr_schedule", value) for value in ("cosine", None)),
        *(("weight_decay", value) for value in (-1, None, np.nan)),
        *(("batch_size", value) for value in (0, 1.5, None)),
        *(("max_epochs", value) for value in (0, -1, 2.5, None)),
        *(("shuffle", value) for value in ("no", None, 1)),
        *(("early_stopping", value) for value in ("yes", None)),
        *(("validation_fraction", value) for value in (0, 1, 3, -0.1, None)),
        *(("n_iter_no_change", value) for value in (0, 1.5, None)),
        *(("tol", value) for value in (-1, None, np.nan)),
        *(("random_state", value) for value in ("a", -1, 1.5)),
        *(("verbose", value) for value in (-1, "x", None)),
        *(("device", value) for value in (None, 3, torch.device("cpu"))),
        *(("callbacks", value) for value in ("x", {"a": 1}, 3)),
    ],
)
def test_a_parameter_out_of_its_range_is_refused_by_name(name, value):
    assert_refused(
        [
            lambda classifier: classifier.fit(IDS, LABELS),
            lambda classifier: classifier.partial_fit(IDS, LABELS, classes=[0, 1]),
        ],
        ValueError,
        f"The '{name}' parameter of TextCNNClassifier must be ",
        **{name: value},
    )


@pytest.mark.parametrize(
    "kernel_sizes",
    [(), [], [0], (3, -1), [1.5], ["3"], [None], np.array([]), np.array([[1, 2]])],
    ids=repr,
)
@pytest.mark.parametrize("architecture", ["kim", "stacked"])
def test_kernel_sizes_that_are_no_widths_are_refused(kernel_sizes, architecture):
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        "kernel_sizes must be a sequence of at least one int from 1; got ",
        kernel_sizes=kernel_sizes,
        architecture=architecture,
    )


@pytest.mark.parametrize("kernel_sizes", [[1, 2], (1, 2), np.array([1, 2]), range(1, 3)], ids=repr)
def test_kernel_sizes_may_be_any_sequence(kernel_sizes):
    classifier = small(kernel_sizes=kernel_sizes).fit(IDS, LABELS)
    assert [conv.kernel_size for conv in classifier.net_.module_.convs] == [(1,), (2,)]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("callbacks", [42], "callbacks"),
        ("callbacks", [object()], "callbacks"),
        ("optimizer", int, "optimizer"),
        ("optimizer", nn.Linear, "optimizer"),
    ],
)
def test_what_is_no_callback_or_optimizer_is_refused_by_name(name, value, message):
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        (TypeError, ValueError),
        message,
        **{name: value},
    )


@pytest.mark.parametrize("device", ["nonsense", "", "CPU", "cpu:x"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_device_that_torch_does_not_know_is_refused(device, method):
    known = {"classes": [0, 1]} if method == "partial_fit" else {}
    classifier = small(device=device)
    with pytest.raises(ValueError, match=f"device='{device}' is no device of torch"):
        getattr(classifier, method)(IDS, LABELS, **known)
    assert not hasattr(classifier, "net_")


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_cuda_where_there_is_none_is_refused_with_the_remedy(device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        f"device='{device}', but torch finds no CUDA device here. Use device='auto' or 'cpu'",
        device=device,
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda classifier: classifier.predict(IDS),
        lambda classifier: classifier.partial_fit(IDS, LABELS),
    ],
    ids=["predict", "partial_fit"],
)
def test_a_device_that_is_set_later_is_checked_too(call):
    classifier = small().fit(IDS, LABELS).set_params(device="nonsense")
    with pytest.raises(ValueError, match="device='nonsense' is no device of torch"):
        call(classifier)


@pytest.mark.parametrize("device", ["meta", "vulkan"])
def test_a_device_that_cannot_train_here_is_refused_by_name(device):
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS), ValueError, "device=", device=device
    )


# Pretrained models ---------------------------------------------------------------------


def test_pretrained_must_be_a_path_or_a_frozen_estimator():
    bare = small().fit(IDS, LABELS)
    for pretrained in (3, {}, bare, small(), make_pipeline(bare)):
        assert_refused(
            lambda classifier: classifier.fit(IDS, LABELS),
            TypeError,
            f"pretrained must be the path of a saved model or a FrozenEstimator; got "
            f"{type(pretrained).__name__}. clone\\(\\) unfits a bare estimator: give "
            r"sklearn.frozen.FrozenEstimator\(model\)",
            pretrained=pretrained,
        )


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (TextCNNClassifier(), "TextCNNClassifier"),
        (make_pipeline(TextVectorizer(), TextCNNClassifier()), "TextCNNClassifier"),
        (LogisticRegression(), "LogisticRegression"),
        (LogisticRegression().fit(IDS, LABELS), "LogisticRegression"),
        (make_pipeline(LogisticRegression()), "LogisticRegression"),
    ],
    ids=["unfitted", "unfitted pipeline", "unfitted other", "other", "pipeline of another"],
)
def test_a_frozen_estimator_without_a_fitted_network_is_refused(model, name):
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        f"pretrained: the FrozenEstimator holds no fitted TextCNNClassifier, but {name}",
        pretrained=FrozenEstimator(model),
    )


@pytest.mark.parametrize("as_path", [str, lambda path: path], ids=["str", "Path"])
def test_a_missing_file_of_a_pretrained_model_is_named(tmp_path, as_path):
    for path in (tmp_path / "missing.joblib", tmp_path):
        assert_refused(
            lambda classifier: classifier.fit(IDS, LABELS),
            FileNotFoundError,
            f"pretrained: there is no file .*{path.name}",
            pretrained=as_path(path),
        )


def test_a_file_of_another_object_is_named(tmp_path):
    path = tmp_path / "other.joblib"
    joblib.dump({"model": "bag of words"}, path)
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        "pretrained: .*other.joblib holds no fitted TextCNNClassifier, but dict",
        pretrained=path,
    )


@pytest.mark.parametrize("content", ["a 0.1 0.2\n", "# readme\n", ""], ids=repr)
def test_a_file_that_is_no_saved_model_is_named(tmp_path, content):
    path = tmp_path / "vectors.txt"
    path.write_text(content)
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        "pretrained: .*vectors.txt",
        pretrained=str(path),
    )


def test_a_pretrained_model_of_other_convolutions_says_which_parameters_differ():
    other = FrozenEstimator(small(num_filters=3).fit(IDS, LABELS))
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        "pretrained: convs.0.weight has shape .* Set kernel_sizes, num_filters and hidden_units",
        pretrained=other,
    )


# Warnings and training -----------------------------------------------------------------


@pytest.mark.parametrize("finetune", [False, np.False_, 1, 3, "multichannel"])
def test_frozen_vectors_without_vectors_are_warned_of(finetune):
    message = (
        r"finetune=.* is for word vectors that are given, but X has none, .* Give TextVectorizer "
        r"its embeddings .* or set finetune=True"
    )
    with pytest.warns(UserWarning, match=message):
        small(finetune=finetune, max_epochs=5).fit(IDS, LABELS)


@pytest.mark.parametrize("finetune", [True, np.True_, "gradual"])
def test_tuned_vectors_without_vectors_are_not_warned_of(finetune):
    assert small(finetune=finetune).fit(IDS, LABELS).embedding_source_ == "random"


@pytest.mark.parametrize(("finetune", "max_epochs"), [(1, 1), (2, 2), (5, 2)])
def test_vectors_that_stay_frozen_to_the_end_are_warned_of(with_vectors, finetune, max_epochs):
    message = (
        f"finetune={finetune} keeps the word vectors frozen for all of max_epochs={max_epochs}"
    )
    with pytest.warns(UserWarning, match=message):
        small(finetune=finetune, max_epochs=max_epochs).fit(with_vectors, LABELS)


def test_vectors_that_thaw_in_the_last_epoch_are_not_warned_of(with_vectors):
    assert small(finetune=1, max_epochs=2).fit(with_vectors, LABELS).n_iter_ == 2


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_diverging_training_raises_and_names_the_remedy(optimizer):
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        r"Training diverged: the loss of epoch 2 is nan. Lower learning_rate=1e\+30 \(and "
        r"finetune_lr, if set\), or set max_norm or weight_decay",
        learning_rate=1e30,
        max_epochs=3,
        optimizer=optimizer,
    )


def test_a_training_that_diverges_in_its_last_step_raises_too():
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        "Training diverged",
        learning_rate=1e30,
        optimizer="sgd",
    )


def test_a_first_partial_fit_that_diverges_leaves_the_classifier_unfitted():
    classifier = small(learning_rate=1e30, batch_size=1)
    with pytest.raises(ValueError, match="Training diverged"):
        classifier.partial_fit(IDS, LABELS, classes=[0, 1])
    assert not hasattr(classifier, "net_")
    assert not hasattr(classifier, "classes_")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_outputs_that_are_not_finite_are_refused_by_the_text_and_the_learning_rate(method):
    classifier = small(learning_rate=0.5).fit(IDS, LABELS)
    with torch.no_grad():
        weight = classifier.net_.module_.embedding.weight
        weight[IDS[3].max()] = torch.inf
    first = int((IDS[3].max() == IDS).any(axis=1).argmax())
    match = (
        rf"outputs for text {first} \(counting from 0\) are not finite.*Lower learning_rate=0\.5 "
    )
    with pytest.raises(ValueError, match=match):
        getattr(classifier, method)(IDS)


@pytest.mark.parametrize(
    ("labels", "shown"), [(["a", "b"] * 3, r"\['a' 'b'\]"), ([0, 1, 2] * 2, r"\[0 1 2\]")]
)
def test_a_warm_start_with_other_classes_is_refused(labels, shown):
    classifier = small(warm_start=True).fit(IDS, LABELS)
    before = classifier.predict_proba(IDS)
    message = (
        rf"warm_start=True goes on with the same classes; previously got \[0 1\], now {shown}. "
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


@pytest.mark.parametrize("start", ["fit", "partial_fit"])
def test_partial_fit_trains_one_epoch_whatever_early_stopping(start):
    ids, labels = np.tile(IDS, (5, 1)), LABELS * 5
    classifier = small(early_stopping=True)
    if start == "fit":
        classifier.fit(ids, labels)
    n_epochs = getattr(classifier, "n_iter_", 0)
    assert classifier.partial_fit(ids, labels, classes=[0, 1]).n_iter_ == n_epochs + 1
