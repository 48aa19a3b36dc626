"""Labels and texts come in any container, and labels come back as they went in."""

import enum

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer, explain

TEXTS = ["a gem of wit", "so dull a film", "a witty gem", "dull, dull film"] * 6
WORDS = ["good", "bad"] * 12
BOOLS = [True, False] * 12
NUMBERS = [1, 0] * 12


class Opinion(enum.Enum):
    GOOD = 1
    BAD = 2


class Word(str, enum.Enum):  # noqa: UP042 - a StrEnum's text is its value
    GOOD = "good"
    BAD = "bad"


class Number(enum.IntEnum):
    GOOD = 1
    BAD = 0


@pytest.fixture
def model():
    learner = TextCNNClassifier(
        max_epochs=10, num_filters=4, embedding_dim=8, learning_rate=0.1, wide=False
    )
    return make_pipeline(TextVectorizer(), learner.set_params(random_state=0))


# The labels, and the same as a list, of which predictions must be.
SAME = {
    "objects that are bools": (np.array(BOOLS, dtype=object), BOOLS),
    "objects that are ints": (np.array(NUMBERS, dtype=object), NUMBERS),
    "objects that are floats": (np.array(NUMBERS, dtype=object) + 1.0, [2.0, 1.0] * 12),
    "objects that are NumPy's": (np.array([np.int64(n) for n in NUMBERS], dtype=object), NUMBERS),
    "objects of two kinds of numbers": (np.array([1, 0.0] * 12, dtype=object), [1.0, 0.0] * 12),
    "pandas boolean": (pd.Series(BOOLS, dtype="boolean"), BOOLS),
    "pandas Int64": (pd.Series(NUMBERS, dtype="Int64"), NUMBERS),
    "pandas Arrow int": (pd.Series(NUMBERS, dtype="int64[pyarrow]"), NUMBERS),
    "pandas Arrow bool": (pd.Series(BOOLS, dtype="bool[pyarrow]"), BOOLS),
    "pandas string": (pd.Series(WORDS, dtype="string"), WORDS),
    "pandas category": (pd.Series(WORDS, dtype="category"), WORDS),
    "pandas category of bools": (pd.Series(BOOLS, dtype="category"), BOOLS),
    "StringDType": (np.array(WORDS, dtype=np.dtypes.StringDType()), WORDS),
    "polars": (polars.Series(WORDS), WORDS),
    "polars categorical": (polars.Series(WORDS, dtype=polars.Categorical), WORDS),
    "polars bools": (polars.Series(BOOLS), BOOLS),
    "Arrow": (pyarrow.array(WORDS), WORDS),
    "Arrow, chunked": (pyarrow.chunked_array([WORDS[:7], WORDS[7:]]), WORDS),
    "Arrow bools": (pyarrow.array(BOOLS), BOOLS),
    "enumeration of str": ([Word(word) for word in WORDS], WORDS),
    "enumeration of int": ([Number(number) for number in NUMBERS], NUMBERS),
}


@pytest.mark.parametrize("name", SAME)
def test_labels_come_back_as_they_went_in(model, name):
    labels, expected = SAME[name]
    predicted = model.fit(TEXTS, labels).predict(TEXTS).tolist()
    assert predicted == expected
    assert {type(label) for label in predicted} == {type(label) for label in expected}
    assert model.score(TEXTS, labels) == 1
    weighted = model.set_params(textcnnclassifier__class_weight="balanced").fit(TEXTS, labels)
    assert weighted.predict(TEXTS).tolist() == expected


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (Opinion.GOOD, r"labels of type Opinion, .*\[label.name for label in y\]"),
        (pd.Period("2020"), r"labels of type Period, .*\[str\(label\) for label in y\]"),
        (b"good", r"labels represented as bytes is not supported"),
        (None, r"no label for text 3 \(counting from 0\): got None"),
        (pd.NA, r"no label for text 3 \(counting from 0\): got <NA>"),
        ("good", "mixes labels of type str, such as 'good', with"),
    ],
    ids=str,
)
def test_labels_that_cannot_be_learned_are_named(model, label, message):
    same = label is None or label is pd.NA or label == "good"
    labels = [1] * 24 if same else [label] * 24
    labels[3] = label
    with pytest.raises((TypeError, ValueError), match=message):
        model.fit(TEXTS, labels)


def test_one_hot_labels_are_learned_as_several_questions_with_a_warning(model):
    one_hot = np.eye(2, dtype=int)[NUMBERS]
    with pytest.warns(UserWarning, match=r"one label in each row.*y.argmax\(axis=1\)"):
        model.fit(TEXTS, one_hot)
    several = one_hot.copy()
    several[0] = 1
    model.fit(TEXTS, several)
    assert model.predict(TEXTS).shape == (24, 2)


@pytest.mark.parametrize(
    "container",
    [
        pyarrow.array,
        lambda texts: pyarrow.chunked_array([texts[:5], [], texts[5:]]),
        lambda texts: pyarrow.array(texts, pyarrow.large_string()),
        lambda texts: pyarrow.array(texts).dictionary_encode(),
        polars.Series,
        lambda texts: pd.Series(texts, dtype="string[pyarrow]"),
        lambda texts: np.array(texts, dtype=np.dtypes.StringDType()),
    ],
    ids=["array", "chunked", "large", "dictionary", "polars", "pandas", "StringDType"],
)
def test_texts_come_in_any_container(model, container):
    expected = model.fit(TEXTS, WORDS).predict_proba(TEXTS)
    model.fit(container(TEXTS), WORDS)
    np.testing.assert_array_equal(model.predict_proba(container(TEXTS)), expected)
    explanations = explain(model, container(TEXTS[:6]))
    assert [each.text for each in explanations] == TEXTS[:6]


def test_missing_texts_are_named(model):
    for texts in (pyarrow.array([*TEXTS[:2], None]), pd.Series([*TEXTS[:2], None])):
        with pytest.raises(TypeError, match=r"Text 2 \(counting from 0\) is .*Drop missing texts"):
            model.fit(texts, WORDS[:3])


EMPTY = [[], np.array([], dtype=str), pd.Series([], dtype=object), pyarrow.array([], "string")]


@pytest.mark.parametrize("texts", EMPTY, ids=["list", "array", "Series", "Arrow"])
def test_no_texts_have_no_predictions(model, texts):
    model.fit(TEXTS, WORDS)
    assert model[0].transform(texts).shape == (0, model[0].max_length_)
    assert model.predict(texts).shape == (0,)
    assert model.predict(texts).dtype == model.classes_.dtype
    assert model.predict_proba(texts).shape == (0, 2)
    assert model.decision_function(texts).shape == (0,)
    assert list(explain(model, texts)) == []
    with pytest.raises(ValueError, match="X is empty"):
        model.fit(texts, [])


def test_no_texts_have_no_predictions_of_several_labels(model):
    several = np.array([[1, 0], [1, 1], [0, 0]] * 8)
    model.set_params(textcnnclassifier__wide=True).fit(TEXTS, several)
    assert model.predict([]).shape == (0, 2)
    assert model.predict_proba([]).shape == (0, 2)
