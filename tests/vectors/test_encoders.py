"""Vectors of objects that encode words: in batches, once, and checked."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from sktextcnn import Embeddings, TextVectorizer
from sktextcnn._vectors import encoders
from tests.embeddings import assert_rows
from tests.fake_encoders import Answer, FakeEncoder

TEXTS = ["the cat", "of the mat", "and cat", "cat the"] * 3


def searched(handle, **how):
    model = make_pipeline(TextVectorizer(embeddings=handle, random_state=0), DummyClassifier())
    grid = GridSearchCV(model, {"textvectorizer__max_length": [1, 2]}, cv=2, **how)
    return grid.fit(TEXTS, [0, 1, 0, 1] * 3)


# Words --------------------------------------------------------------------------------


def test_words_are_encoded_in_batches_and_once():
    encoder = FakeEncoder()
    handle = Embeddings(encoder)
    words = [f"word{i}" for i in range(600)]
    rows = handle.lookup(words[:300])
    assert [len(call) for call in encoder.calls] == [256, 44]
    assert_rows(rows, {word: encoder.row(word).astype(np.float32) for word in words[:300]})
    handle.lookup([*words, *words])
    assert encoder.encoded == words
    assert handle.is_encoder
    assert repr(handle) == "Embeddings('FakeEncoder')"
    assert type(Embeddings(handle, width=np.int64(3)).width) is int
    assert repr(Embeddings(handle, width=3)) == "Embeddings('FakeEncoder', width=3)"


def test_a_word_that_is_not_valid_text_is_not_encoded():
    encoder = FakeEncoder()
    vectorizer = TextVectorizer(embeddings=Embeddings(encoder), random_state=0)
    vectorizer.fit(["a \ud800 gem"])
    assert sorted(encoder.encoded) == ["a", "gem"]
    assert vectorizer.coverage_.missing == [("\ud800", 1)]


def test_a_word_whose_row_is_zeros_has_no_vector():
    def answer(words):
        asked.extend(words)
        return [[len(word), 1] if "a" in word else [0, 0] for word in words]

    asked = []
    handle = Embeddings(Answer(answer))
    coverage = TextVectorizer(embeddings=handle, random_state=0).fit(["a gem at sea"]).coverage_
    assert (coverage.types, coverage.missing) == (3 / 4, [("gem", 1)])
    assert list(handle.lookup(["gem", "sea"])) == ["sea"]
    # For the words, and for the casing of the one that is missing.
    assert sorted(asked) == ["Gem", "a", "at", "gem", "sea"]


def test_an_interrupted_encoding_goes_on_where_it_stopped():
    encoder = FakeEncoder()
    answer = encoder.encode

    def interrupted(words):
        if len(encoder.calls) == 1:
            encoder.calls.append([])
            raise KeyboardInterrupt
        return answer(words)

    encoder.encode = interrupted
    handle = Embeddings(encoder)
    words = [f"word{i}" for i in range(600)]
    with pytest.raises(KeyboardInterrupt):
        handle.lookup(words)
    handle.lookup(words)
    assert encoder.encoded == words


def test_an_encoder_has_no_list_of_words():
    with pytest.raises(ValueError, match="FakeEncoder encodes any word, so it has no list"):
        Embeddings(FakeEncoder()).words(3)
    vectorizer = TextVectorizer(embeddings=FakeEncoder(), random_state=0).fit(["a gem"])
    assert list(vectorizer.vocabulary_) == ["a", "gem"]


def test_an_object_of_gensim_that_encodes_too_is_one_of_gensim():
    class Both(KeyedVectors):
        def encode(self, words):
            raise AssertionError

    vectors = Both(2)
    vectors.add_vectors(["the", "of"], np.array([[1, 2], [3, 4]], dtype=np.float32))
    handle = Embeddings(vectors)
    assert not handle.is_encoder
    assert list(handle.lookup(["the", "gem"])) == ["the"]


def test_a_class_is_not_an_encoder():
    with pytest.raises(TypeError, match=r"object that encodes a list of words .* got type\."):
        Embeddings(FakeEncoder)


# Copies, processes and threads --------------------------------------------------------


@pytest.mark.parametrize("duplicate", [clone, copy.copy, copy.deepcopy], ids=lambda f: f.__name__)
def test_clones_and_copies_are_the_handle_itself(duplicate):
    handle = Embeddings(FakeEncoder(), width=2)
    assert duplicate(handle) is handle


def test_handles_on_a_handle_and_unpickled_ones_share_the_rows():
    encoder = FakeEncoder()
    handle = Embeddings(encoder, width=3, verbose=1)
    rows = handle.lookup(["the", "of"])
    again = pickle.loads(pickle.dumps(handle))
    assert (again.width, again._verbose, again.name) == (3, 1, "FakeEncoder")
    for other in (Embeddings(handle), Embeddings(handle, width=2, verbose=0), again):
        assert_rows(other.lookup(["of"]), {"of": rows["of"]})
        assert other._vectors.encoded == ["the", "of"]
    assert (Embeddings(handle).width, Embeddings(handle, width=2).width) == (3, 2)


def test_rows_of_unpickled_handles_are_kept_for_the_last_few(monkeypatch):
    monkeypatch.setattr(encoders, "_unpickled", encoders.OrderedDict())
    pickles = [pickle.dumps(Embeddings(FakeEncoder())) for _ in range(6)]

    def n_encoded(pickled):
        handle = pickle.loads(pickled)
        handle.lookup(["the"])
        return len(handle._vectors.encoded)

    assert [n_encoded(each) for each in pickles] == [1] * 6
    # The handles are gone, as in a worker process after a task.
    assert [n_encoded(each) for each in pickles] == [1] * 6
    assert [n_encoded(pickles[-1]), n_encoded(pickles[-1])] == [0, 0]


def test_new_handles_encode_anew():
    encoder = FakeEncoder()
    for _ in range(2):
        Embeddings(encoder).lookup(["the"])
    assert encoder.encoded == ["the", "the"]


def test_a_grid_search_encodes_each_word_once():
    encoder = FakeEncoder()
    handle = Embeddings(encoder, width=2)
    grid = searched(handle)
    assert sorted(encoder.encoded) == ["and", "cat", "mat", "of", "the"]
    assert grid.best_estimator_[0].embeddings is handle


def test_threads_encode_each_word_once():
    encoder = FakeEncoder()
    handle = Embeddings(encoder)
    words = [f"word{i}" for i in range(400)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(handle.lookup, [words] * 4))
    assert sorted(encoder.encoded) == sorted(words)
    assert all(list(rows) == words for rows in found)


def test_a_fitted_vectorizer_does_not_need_the_encoder():
    fitted = TextVectorizer(embeddings=Embeddings(FakeEncoder()), random_state=0).fit(TEXTS)
    bare = pickle.loads(pickle.dumps(copy.copy(fitted).set_params(embeddings=None)))
    np.testing.assert_array_equal(bare.transform(TEXTS), fitted.transform(TEXTS))
    np.testing.assert_array_equal(bare.embedding_matrix_, fitted.embedding_matrix_)


def test_progress_is_shown_on_stderr_if_it_is_asked_for(capsys):
    Embeddings(FakeEncoder()).lookup(["the"])
    assert capsys.readouterr() == ("", "")
    handle = Embeddings(FakeEncoder(), verbose=1)
    handle.lookup(["the", "of"])
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "FakeEncoder: 100%, 2/2 words" in shown.err
    handle.lookup(["the"])
    assert capsys.readouterr() == ("", "")


# What an encoder returns --------------------------------------------------------------


@pytest.mark.parametrize(
    "convert",
    [
        np.float16,
        np.float64,
        lambda rows: rows.astype(np.float32).tolist(),
        lambda rows: torch.tensor(rows, requires_grad=True),
        lambda rows: torch.tensor(rows, dtype=torch.bfloat16),
        lambda rows: list(torch.tensor(rows)),
        np.int8,
    ],
    ids=["float16", "float64", "lists", "gradient", "bfloat16", "tensors", "int8"],
)
def test_matrices_of_numbers_are_taken(convert):
    rows = np.array([[1, 2], [-3, 0.5]])
    found = Embeddings(Answer(lambda words: convert(rows))).lookup(["the", "of"])
    whole = convert is np.int8
    expected = {"the": [1, 2], "of": [-3, 0 if whole else 0.5]}
    assert_rows(found, {word: np.float32(row) for word, row in expected.items()})


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda words: np.ones((3, 4)), r"expected 2 rows of one or more numbers; got .* \(3, 4\)"),
        (lambda words: np.ones((2, 0)), r"expected 2 rows of one or more numbers; got .* \(2, 0\)"),
        (lambda words: np.ones(2), r"expected a dense matrix of numbers; got ndarray.* \(2,\)"),
        (lambda words: np.ones((2, 3, 4)), r"expected a dense matrix.* \(2, 3, 4\)"),
        (lambda words: sparse.eye(2, format="csr"), "expected a dense matrix of numbers; got csr_"),
        (lambda words: [[1, 2], [3]], r"expected a matrix of numbers; got list \("),
        (lambda words: None, "expected a dense matrix of numbers; got NoneType"),
        (lambda words: [words], "expected a dense matrix of numbers; got list"),
        (lambda words: np.ones((2, 2)) * 1j, "expected a dense matrix .* array of complex128"),
        (lambda words: [[1, 2], [3, np.nan]], "expected finite numbers; the row of 'of' has oth"),
        (lambda words: [[1, 1e300], [3, 4]], "expected finite numbers; the row of 'the' has oth"),
    ],
)
def test_other_results_are_refused_with_the_object_and_the_first_word(answer, message):
    match = rf"^Answer\.encode, for 2 words from 'the': {message}"
    with pytest.raises(ValueError, match=match):
        Embeddings(Answer(answer)).lookup(["the", "of"])


def test_a_width_that_changes_between_batches_is_refused():
    handle = Embeddings(Answer(lambda words: np.ones((len(words), len(words)))))
    handle.lookup(["the", "of"])
    with pytest.raises(ValueError, match=r"for 1 words from 'gem': expected 1 rows of 2 numbers"):
        handle.lookup(["the", "gem"])


def test_errors_of_an_encoder_are_its_own():
    def fails(words):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        TextVectorizer(embeddings=Answer(fails)).fit(["a gem"])


# Scale and width ----------------------------------------------------------------------


def fitted(*sources, texts=("a gem of a film", "a dull film of the year"), **params):
    embeddings = sources[0] if len(sources) == 1 else list(sources)
    return TextVectorizer(embeddings=embeddings, random_state=0, **params).fit(texts)


def test_vectors_of_an_encoder_are_scaled():
    encoder = FakeEncoder()
    vectorizer = fitted(encoder)
    rows = np.array([encoder.row(word) for word in vectorizer.vocabulary_])
    np.testing.assert_allclose(
        vectorizer.embedding_matrix_[2:], rows / rows.std() * 0.5, rtol=1e-5, atol=1e-7
    )


def test_numbers_that_are_all_the_same_are_not_scaled():
    vectorizer = fitted(Answer(lambda words: np.full((len(words), 3), 2.0)))
    np.testing.assert_array_equal(vectorizer.embedding_matrix_[2:], 2)


def test_the_width_is_reduced_by_pca_fitted_on_the_words_of_the_texts(tmp_path):
    encoder = FakeEncoder(5)
    vectorizer = fitted(Embeddings(encoder, width=3))
    words = list(vectorizer.vocabulary_)
    rows = np.array([encoder.row(word) for word in words], dtype=np.float32)
    expected = PCA(3, svd_solver="full").fit_transform(rows.astype(np.float64))
    np.testing.assert_allclose(
        vectorizer.embedding_matrix_[2:], expected / expected.std() * 0.5, atol=1e-5
    )
    # Words that only other texts have are put into the same space.
    path = tmp_path / "vectors.txt"
    vectors = KeyedVectors(5)
    more = [*words, *(f"word{c}" for c in "abc")]
    vectors.add_vectors(more, np.array([encoder.row(word) for word in more]))
    vectors.save_word2vec_format(path, binary=True)
    with_unseen = fitted(Embeddings(path, width=3))
    pca = PCA(3, svd_solver="full").fit(rows.astype(np.float64))
    np.testing.assert_allclose(
        with_unseen.embedding_matrix_[2:], pca.transform([encoder.row(w) for w in more]), atol=1e-6
    )
    without = fitted(Embeddings(path, width=3), unseen_words=0).embedding_matrix_
    np.testing.assert_array_equal(with_unseen.embedding_matrix_[: len(without)], without)


def test_the_bits_of_reduced_vectors_do_not_depend_on_the_number_of_threads():
    encoder = FakeEncoder(60)
    texts = [" ".join(f"word{i}" for i in range(3000))]
    handle = Embeddings(encoder, width=30)
    matrices = []
    for n_threads in (1, 2):
        with threadpool_limits(limits=n_threads):
            matrices.append(fitted(handle, texts=texts).embedding_matrix_)
    np.testing.assert_array_equal(*matrices)


@pytest.mark.parametrize(
    ("width", "message"),
    [
        (7, "width=7 is more than the 6 numbers of a vector in FakeEncoder"),
        (3, "width=3 needs the vectors of more than 3 words.* 3 of them have a vector in FakeEnc"),
    ],
)
def test_a_width_that_cannot_be_had_is_refused(width, message):
    with pytest.raises(ValueError, match=message):
        fitted(Embeddings(FakeEncoder(), width=width), texts=["a dull film"])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"width": 0}, ValueError, "width must be 1 or more; got 0"),
        ({"width": 2.0}, TypeError, "width must be an integer or None; got 2.0 of type float"),
        ({"width": True}, TypeError, "width must be an integer or None; got True"),
        ({"verbose": -1}, ValueError, "verbose must be 0 or more; got -1"),
        ({"verbose": "yes"}, TypeError, "verbose must be an integer or None; got 'yes'"),
    ],
)
def test_parameters_that_are_not_valid_are_refused(params, error, message):
    with pytest.raises(error, match=message):
        Embeddings(FakeEncoder(), **params)
