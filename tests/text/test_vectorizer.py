"""The matrix of token ids: padding, width, vocabulary, and refitting."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer

TEXTS = ["A gem!", "a gem of a film", "It isn't dull, it's witty"]


@pytest.mark.parametrize(
    ("padding", "truncating", "expected"),
    [
        ("post", "post", [[2, 0, 0], [3, 2, 4]]),
        ("pre", "post", [[0, 0, 2], [3, 2, 4]]),
        ("post", "pre", [[2, 0, 0], [4, 2, 2]]),
        ("pre", "pre", [[0, 0, 2], [4, 2, 2]]),
    ],
)
def test_padding_and_truncating_are_keras_s(padding, truncating, expected):
    vectorizer = TextVectorizer(max_length=3, padding=padding, truncating=truncating)
    X = vectorizer.fit_transform(["a", "b a c a a"])
    assert vectorizer.vocabulary_ == {"a": 2, "b": 3, "c": 4}
    assert X.dtype == np.int32
    np.testing.assert_array_equal(np.asarray(X), expected)
    assert vectorizer.truncated_fraction_ == 0.5


def test_unknown_words_are_1_and_every_transform_has_the_fitted_width():
    vectorizer = TextVectorizer().fit(["a b", "a b c"])
    assert vectorizer.transform(["a zzz", "", "c b a a a"]).tolist() == [
        [2, 1, 0],
        [0, 0, 0],
        [4, 3, 2],
    ]
    assert vectorizer.inverse_transform(vectorizer.transform(["a zzz"])) == [["a", "<unk>"]]


def test_one_giant_text_does_not_widen_the_matrix_for_all():
    texts = ["a few words here"] * 99 + ["word " * 100_000]
    vectorizer = TextVectorizer().fit(texts)
    assert vectorizer.max_length_ == 256
    assert vectorizer.truncated_fraction_ == 0.01
    assert TextVectorizer(max_length=None).fit(texts).max_length_ == 100_000
    usual = TextVectorizer().fit(["word " * 700] * 99 + ["word " * 2000])
    assert usual.max_length_ == 2000
    assert usual.truncated_fraction_ == 0


@pytest.mark.parametrize(
    "as_texts",
    [
        list,
        tuple,
        np.array,
        pd.Series,
        iter,
        lambda t: (x for x in t),
        lambda t: np.array(t, object),
    ],
)
def test_texts_in_any_iterable(as_texts):
    expected = TextVectorizer().fit_transform(TEXTS)
    vectorizer = TextVectorizer().fit(as_texts(TEXTS))
    np.testing.assert_array_equal(vectorizer.transform(as_texts(TEXTS)), expected)
    np.testing.assert_array_equal(TextVectorizer().fit_transform(as_texts(TEXTS)), expected)


@pytest.mark.parametrize(
    ("vocabulary", "expected"),
    [
        (["film", "gem"], {"film": 2, "gem": 3}),
        ({"gem", "film"}, {"film": 2, "gem": 3}),
        ({"gem": 2, "film": 3}, {"gem": 2, "film": 3}),
    ],
    ids=["list", "set", "mapping"],
)
def test_a_given_vocabulary(vocabulary, expected):
    vectorizer = TextVectorizer(vocabulary=vocabulary, max_length=5)
    X = vectorizer.fit_transform(["a gem of a film"])
    assert vectorizer.vocabulary_ == expected
    assert X.tolist() == [[1, expected["gem"], 1, 1, expected["film"]]]


def test_names_of_columns_and_pandas_output():
    vectorizer = TextVectorizer().set_output(transform="pandas")
    frame = vectorizer.fit_transform(TEXTS)
    assert list(frame.columns) == list(vectorizer.get_feature_names_out())
    assert frame.columns[0] == "token0"


def test_a_diagram_lists_no_columns():
    model = make_pipeline(TextVectorizer(max_length=300), TextCNNClassifier(max_epochs=1))
    model.fit(TEXTS, [0, 1] * (len(TEXTS) // 2) + [0] * (len(TEXTS) % 2))
    for part in (model, model[0]):
        page = part._repr_html_()
        assert "TextVectorizer" in page
        assert "token0" not in page
        assert "300 features" not in page
    assert len(model[:1].get_feature_names_out()) == 300


def test_coverage_is_shown_on_a_few_lines():
    words = {f"word{i}": [1.0, i] for i in range(3)}
    text = " ".join(f"word{i}" for i in range(30)) + f" {'x' * 99} word0 word29"
    first = TextVectorizer(embeddings=words).fit([text]).coverage_
    lines = repr(first).splitlines()
    assert lines[0] == "Coverage: 12.1% of the tokens, 9.7% of the words have a vector"
    assert lines[1].startswith("  without: 'word29' 2, 'word")
    assert lines[-1].endswith(", ...")
    two = TextVectorizer(embeddings=[words, {**words, "word29": [3.0, 1.0]}]).fit([text]).coverage_
    assert repr(two).splitlines()[1:3] == [
        "  dict of 3 words: 12.1%, 9.7%",
        "  dict of 4 words: 18.2%, 12.9%",
    ]
    for shown in (first, two):
        assert all(len(line) <= 80 for line in repr(shown).splitlines())
        assert len(repr(shown).splitlines()) <= 6
    whole = TextVectorizer(embeddings=words).fit(["word0"]).coverage_
    assert repr(whole) == "Coverage: 100.0% of the tokens, 100.0% of the words have a vector"
    assert pickle.loads(pickle.dumps(first)) == first
    assert repr(copy.deepcopy(first)) == repr(first)


def test_a_second_fit_leaves_no_trace_and_a_failed_one_changes_nothing(vectors_file):
    vectorizer = TextVectorizer(embeddings=vectors_file, random_state=0).fit(["the array of"])
    expected = vectorizer.transform(TEXTS).tolist()
    vectorizer.set_params(min_df=5)
    with pytest.raises(ValueError, match="No word is left with min_df=5"):
        vectorizer.fit(["something else"])
    assert vectorizer.transform(TEXTS).tolist() == expected
    vectorizer.set_params(min_df=1, embeddings=None).fit(TEXTS)
    fresh = TextVectorizer().fit(TEXTS)
    assert vectorizer.embedding_matrix_ is None
    assert vectorizer.coverage_ is None
    assert vectorizer.vocabulary_ == fresh.vocabulary_
    assert vectorizer.max_length_ == fresh.max_length_
