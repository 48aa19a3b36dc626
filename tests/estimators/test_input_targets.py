"""The labels and indicator matrices that TextCNNClassifier takes, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array, csr_matrix

from tests.estimators.refusals import IDS, INDICATOR, LABELS, WORDS, assert_refused, small

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
        "y has several columns of classes. Give one label for each text, or an indicator matrix "
        "of zeros and ones, such as MultiLabelBinarizer makes",
        id="columns of classes",
    ),
    pytest.param(
        np.array([["a", "b"], ["c", "a"]] * 3),
        "y has several columns of classes.*indicator matrix",
        id="columns of words",
    ),
    pytest.param([[1], [2, 3]] * 3, "MultiLabelBinarizer transformer can", id="lists of labels"),
    pytest.param("ababab", "y must be an array-like of labels; got 'ababab'", id="a string"),
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
    classifier = small(max_epochs=15, learning_rate=0.1, dropout=0, token_dropout=0).fit(IDS, y)
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
        max_epochs=20, learning_rate=0.1, dropout=0, token_dropout=0, num_filters=8
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
