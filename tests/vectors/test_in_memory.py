"""Vectors in memory: a dict, words and a matrix, or a DataFrame."""

import pickle
from collections import OrderedDict, defaultdict
from types import MappingProxyType

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer
from tests.embeddings import assert_rows, write_vectors
from tests.fake_encoders import FakeEncoder

WORDS = ["the", "of", "New York", "naïve"]
MATRIX = np.random.default_rng(0).normal(size=(4, 3))
EXPECTED = {word: row.astype(np.float32) for word, row in zip(WORDS, MATRIX, strict=True)}
TEXTS = ["the cat of the mat", "of the cat"]


def rows(convert=lambda row: row):
    return {word: convert(row) for word, row in zip(WORDS, MATRIX, strict=True)}


SOURCES = {
    "dict of arrays": rows(),
    "dict of lists": rows(lambda row: row.tolist()),
    "dict of tuples": rows(lambda row: tuple(row.tolist())),
    "dict of tensors": rows(torch.tensor),
    "dict of tensors with gradients": rows(lambda row: torch.tensor(row, requires_grad=True)),
    "dict of Series": rows(pd.Series),
    "ordered dict": OrderedDict(rows()),
    "default dict": defaultdict(list, rows()),
    "mapping": MappingProxyType(rows()),
    "list and matrix": (WORDS, MATRIX),
    "tuple and lists": (tuple(WORDS), MATRIX.tolist()),
    "list of words and matrix": [WORDS, MATRIX],
    "array and tensor": (np.array(WORDS), torch.tensor(MATRIX)),
    "array of objects": (np.array(WORDS, dtype=object), MATRIX),
    "Series and DataFrame": (pd.Series(WORDS), pd.DataFrame(MATRIX)),
    "keys and rows": (rows().keys(), list(MATRIX)),
    "word index of Keras": ({word: i for i, word in enumerate(WORDS)}, MATRIX),
    "DataFrame": pd.DataFrame(MATRIX, index=WORDS),
    "nn.Embedding": (WORDS, torch.nn.Embedding.from_pretrained(torch.tensor(MATRIX)).weight),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_each_kind_gives_the_rows_as_float32(kind):
    handle = Embeddings(SOURCES[kind])
    assert_rows(handle.lookup(["of", "nosuchword", "naïve", "the"]), in_order("of", "naïve", "the"))
    assert handle.words(2) == WORDS[:2]
    assert handle.words(9) == WORDS
    assert "of 4 words" in handle.name
    assert len(repr(handle)) < 60


def in_order(*words):
    return {word: EXPECTED[word] for word in words}


@pytest.mark.parametrize("kind", ["dict of lists", "list and matrix", "DataFrame"])
def test_each_kind_gives_a_vectorizer_the_vectors_of_a_file(kind, tmp_path):
    path = tmp_path / "vectors.txt"
    lines = (f"{word} {' '.join(map(repr, row.tolist()))}\n" for word, row in EXPECTED.items())
    path.write_text("".join(lines), encoding="utf-8")
    of_file, of_memory = (
        TextVectorizer(embeddings=source, random_state=0).fit(TEXTS)
        for source in (path, SOURCES[kind])
    )
    assert of_memory.vocabulary_ == of_file.vocabulary_
    np.testing.assert_array_equal(of_memory.embedding_matrix_, of_file.embedding_matrix_)
    assert of_memory.coverage_.tokens == of_file.coverage_.tokens


def test_numbers_of_any_type_are_converted():
    assert Embeddings({"a": np.array([1, 2], dtype=np.uint8)}).lookup(["a"])["a"].tolist() == [1, 2]
    half = torch.tensor([[0.5, -2.0]], dtype=torch.bfloat16)
    assert Embeddings((["a"], half)).lookup(["a"])["a"].tolist() == [0.5, -2]
    assert Embeddings({"a": half[0]}).lookup(["a"])["a"].tolist() == [0.5, -2]


def test_rows_are_copies_and_nothing_is_added_to_the_source():
    source = defaultdict(list, {"a": np.ones(2, dtype=np.float32)})
    row = Embeddings(source).lookup(["a", "b"])["a"]
    row[:] = 0
    assert source["a"].tolist() == [1, 1]
    assert list(source) == ["a"]


def test_the_first_row_of_a_word_counts_as_in_files():
    assert Embeddings((["a", "b", "a"], np.eye(3))).lookup(["a"])["a"].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ({}, ValueError, "embeddings is empty"),
        ({"a": [1, 2], "b": [1, 2], "c": [1, 2, 3]}, ValueError, "'c' has 3 numbers, .* have 2"),
        ({"a": [1], "b": [1, 2], "c": [1, 2]}, ValueError, "'a' has 1 numbers, .* have 2"),
        ({"a": [1, 2], 5: [1, 2]}, TypeError, "must be str; got 5 of type int"),
        ({b"a": [1, 2]}, TypeError, "must be str; got b'a' of type bytes"),
        ({"a": 5}, ValueError, "vector of 'a' is 5, of type int; expected a list or an array"),
        ({"a": None, "b": [1]}, ValueError, "vector of 'a' is None"),
        ({"a": []}, ValueError, r"vector of 'a' is \[\]"),
        ({"glove": "glove.txt"}, ValueError, "vector of 'glove' is 'glove.txt', of type str"),
        ({"a": np.ones((1, 3))}, ValueError, "vector of 'a' is .* of type ndarray"),
        ((["a", "b"], np.ones((3, 2))), ValueError, "are 2 words, but the matrix has 3 rows"),
        (([], np.ones((0, 2))), ValueError, "embeddings is empty"),
        ((["a"], np.ones((1, 0))), ValueError, "the matrix has no columns"),
        ((["a", 1], np.ones((2, 2))), TypeError, "must be str; got 1 of type int"),
        ((["a", ["b"]], np.ones((2, 2))), TypeError, r"must be str; got \['b'\] of type list"),
        ((["a"], np.array([["x"]])), ValueError, "expected a matrix of numbers"),
        ((["a", "b"], [[1, 2], [3]]), ValueError, "The matrix of the words: expected numbers"),
        (({"a": 0, "b": 2}, np.ones((2, 2))), ValueError, "row of 'b' is 2; .* from 0 to 1"),
        (({"a": -1}, np.ones((2, 2))), ValueError, "row of 'a' is -1"),
        (pd.DataFrame(MATRIX), TypeError, "must be str; got 0 of type int"),
        (pd.DataFrame({"word": ["a"], "x": [1]}, index=["a"]), ValueError, "a matrix of numbers"),
        (MATRIX, TypeError, r"got ndarray. Give the words of a matrix with it: \(words, matrix\)"),
    ],
)
def test_what_is_not_vectors_is_refused_at_once_and_named(source, error, message):
    with pytest.raises(error, match=message):
        Embeddings(source)

    def texts():
        raise AssertionError("a text was read")
        yield

    with pytest.raises(error, match=message):
        TextVectorizer(embeddings=source).fit(texts())


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        ([1, np.nan], "the value nan; expected finite numbers"),
        ([1, -np.inf], "the value -inf; expected finite numbers"),
        ([1, 1e39], "the value inf; expected finite numbers"),
        (["0.1", "0.2"], "not a vector of numbers, but an array of <U3"),
        ([1, [2, 3]], "expected numbers; got list"),
        ([1j, 2], "not a vector of numbers, but an array of complex128"),
    ],
)
def test_a_vector_that_is_not_of_finite_numbers_is_named_by_its_word(vector, message):
    handle = Embeddings({"a": [1, 2], "b": vector})
    assert list(handle.lookup(["a"])) == ["a"]
    with pytest.raises(ValueError, match=f"vector of 'b' in embeddings.*{message}"):
        handle.lookup(["a", "b"])


def test_a_matrix_with_nan_is_named_by_the_word_of_the_row():
    handle = Embeddings((["a", "b"], np.array([[1, 2], [3, np.nan]])))
    with pytest.raises(ValueError, match="vector of 'b' in embeddings has the value nan"):
        handle.lookup(["a", "b"])


def test_they_stand_beside_other_sources(tmp_path):
    path = tmp_path / "vectors.txt"
    write_vectors(path, ["the", "cat"], size=2)
    sources = [SOURCES["dict of arrays"], path, (WORDS, MATRIX), FakeEncoder(2), rows()]
    vectorizer = TextVectorizer(embeddings=sources, random_state=0).fit(TEXTS)
    assert vectorizer.embedding_matrix_.shape[1] == 3 + 2 + 3 + 2 + 3
    assert [name for name, *_ in vectorizer.coverage_.sources] == [
        "dict of 4 words",
        "vectors.txt",
        "matrix of 4 words",
        "FakeEncoder",
        "dict of 4 words",
    ]
    # A list of two is a pair only if it is one of words and a matrix.
    for two in ([rows(), rows()], (rows(), path), [(WORDS, MATRIX), rows()], [FakeEncoder(), path]):
        assert len(TextVectorizer(embeddings=two).fit(TEXTS).coverage_.sources) == 2
    frames = [SOURCES["DataFrame"], SOURCES["DataFrame"]]
    for two in (frames, [rows(), frames[0]], [frames[0], rows()]):
        assert len(TextVectorizer(embeddings=two).fit(TEXTS).coverage_.sources) == 2


@pytest.mark.parametrize("kind", ["dict of arrays", "list and matrix", "DataFrame"])
@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "handle"])
def test_clones_pickles_and_searches_keep_them(kind, wrapped, tmp_path):
    source = Embeddings(SOURCES[kind]) if wrapped else SOURCES[kind]
    model = make_pipeline(TextVectorizer(embeddings=source, random_state=0), DummyClassifier())
    assert model.get_params()["textvectorizer__embeddings"] is source
    expected = clone(model).fit(TEXTS, [0, 1])[0].embedding_matrix_
    grid = GridSearchCV(model, {"textvectorizer__max_length": [1, 2]}, cv=2)
    grid.fit(TEXTS * 3, [0, 1] * 3)
    joblib.dump(grid, tmp_path / "grid.joblib")
    loaded = joblib.load(tmp_path / "grid.joblib").best_estimator_
    assert loaded[0].transform(TEXTS).tolist() == grid.best_estimator_[0].transform(TEXTS).tolist()
    again = clone(loaded).fit(TEXTS, [0, 1])
    np.testing.assert_array_equal(again[0].embedding_matrix_, expected)
    handle = pickle.loads(pickle.dumps(Embeddings(source)))
    assert_rows(handle.lookup(["of", "the"]), in_order("of", "the"))


@pytest.mark.parametrize("kind", ["dict of arrays", "dict of lists", "list and matrix"])
def test_a_model_file_names_what_to_leave_out(kind, tmp_path):
    classifier = TextCNNClassifier(num_filters=2, max_epochs=1, random_state=0)
    model = make_pipeline(TextVectorizer(embeddings=SOURCES[kind], random_state=0), classifier)
    model.fit(TEXTS * 2, [0, 1] * 2)
    path, name = tmp_path / "model", "textvectorizer__embeddings"
    with pytest.raises(TypeError, match=rf"{name} is a source in memory.* omit=\['{name}'\]"):
        sktextcnn.save(model, path)
    assert not path.exists()
    sktextcnn.save(model, path, omit=[name])
    loaded = sktextcnn.load(path, params={name: SOURCES[kind]})
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), model.predict_proba(TEXTS))
    assert clone(loaded).fit(TEXTS * 2, [0, 1] * 2).predict(TEXTS).shape == (2,)


@pytest.mark.parametrize("kind", ["dict", "pair"])
def test_a_vectorizer_shows_a_few_of_many_vectors(kind):
    words = [f"word{i}" for i in range(2000)]
    matrix = np.ones((2000, 20))
    source = (words, matrix) if kind == "pair" else dict(zip(words, matrix, strict=True))
    vectorizer = TextVectorizer(embeddings=source)
    # By the handle, since the repr of thousands of arrays takes minutes.
    name = "matrix" if kind == "pair" else "dict"
    assert repr(vectorizer) == f"TextVectorizer(embeddings=Embeddings('{name} of 2,000 words'))"
    assert len(repr(make_pipeline(vectorizer))) < 200
    assert vectorizer.get_params()["embeddings"] is source


def test_clones_share_vectors_in_memory():
    sources = [rows(), (WORDS, MATRIX), "glove.txt"]
    for source in (sources[0], sources[1], sources):
        copied = clone(TextVectorizer(embeddings=source)).embeddings
        handles = copied if isinstance(source, list) else [copied]
        for handle in handles[:2]:
            assert handle.lookup(["of"]).keys() == {"of"}
        assert handles[2:] == ["glove.txt"][: len(handles[2:])]
    shared = clone(TextVectorizer(embeddings=rows()))
    assert clone(shared).embeddings is shared.embeddings
    # What is not valid is refused when it is used.
    assert clone(TextVectorizer(embeddings=5)).embeddings == 5


def test_a_set_of_words_has_no_order_for_rows():
    with pytest.raises(TypeError, match=r"embeddings must be .*a pair \(words, matrix\)"):
        Embeddings(({"a", "gem"}, np.ones((2, 3))))
