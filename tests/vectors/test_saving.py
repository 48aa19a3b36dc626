"""Vectors in memory, written to a file that other processes read."""

import pickle

import numpy as np
import pandas as pd
import pytest
from gensim.models import FastText, KeyedVectors

from sktextcnn import Embeddings, TextVectorizer
from tests.embeddings import SENTENCES, assert_rows, write_vectors
from tests.fake_encoders import FakeEncoder

WORDS = ["the", "of", "naïve", "\N{NO-BREAK SPACE}", "3", "🎬", "of\N{ZERO WIDTH JOINER}"]
MATRIX = np.random.default_rng(0).normal(size=(len(WORDS), 3))


def keyed_vectors():
    vectors = KeyedVectors(3)
    vectors.add_vectors(WORDS, MATRIX)
    return vectors


SOURCES = {
    "dict": dict(zip(WORDS, MATRIX.tolist(), strict=True)),
    "pair": (WORDS, MATRIX),
    "half precision": (WORDS, MATRIX.astype(np.float16)),
    "whole numbers": (WORDS, np.arange(3 * len(WORDS)).reshape(-1, 3)),
    "DataFrame": pd.DataFrame(MATRIX, index=WORDS),
    "KeyedVectors": keyed_vectors(),
    "a word": {"the": [0.0]},
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_the_file_has_the_words_and_the_bits_of_the_object(source, tmp_path):
    vectors = Embeddings(source)
    words = vectors.words(100)
    saved = vectors.save(tmp_path / "vectors")
    assert saved.words(100) == words
    assert_rows(saved.lookup(words), vectors.lookup(words))
    spellings = ["nai\u0308ve", "of", "OF"]
    assert_rows(saved.lookup(spellings), vectors.lookup(spellings))
    # gensim reads the file too.
    keyed = KeyedVectors.load_word2vec_format(str(tmp_path / "vectors"), binary=True)
    np.testing.assert_array_equal(keyed[words[-1]], vectors.lookup(words)[words[-1]])


def test_a_vectorizer_has_the_same_matrix_and_its_pickle_has_the_path(tmp_path):
    words = [f"w{i}" for i in range(5_000)]
    matrix = np.random.default_rng(0).normal(size=(len(words), 20)).astype(np.float32)
    vectors = Embeddings((words, matrix), width=2)
    saved = vectors.save(str(tmp_path / "vectors.bin"))
    assert len(pickle.dumps(vectors)) > matrix.nbytes
    assert len(pickle.dumps(saved)) < 1_000
    texts = ["w1 w2 w3 w4 w5", "w6 w7 w8 w9"] * 2
    fitted = [
        TextVectorizer(embeddings=each, min_df=1, unseen_words=0, random_state=0).fit(texts)
        for each in (vectors, saved, pickle.loads(pickle.dumps(saved)))
    ]
    for other in fitted[1:]:
        np.testing.assert_array_equal(other.embedding_matrix_, fitted[0].embedding_matrix_)


def test_words_are_saved_as_those_of_texts(tmp_path):
    source = {"/c/en/king": [1.0], "/c/en/queen": [2.0], "/c/fr/roi": [3.0]}
    saved = Embeddings(source, word="/c/en/(.+)").save(tmp_path / "vectors.bin")
    assert saved.word is None
    assert saved.words(5) == ["king", "queen"]


@pytest.mark.parametrize("word", ["New York", "", "line\nbreak", "\ud800", "a" * 70_000])
def test_a_word_that_the_format_cannot_hold_is_an_error_and_leaves_the_file_as_it_was(
    word, tmp_path
):
    vectors = Embeddings({"the": [1.0], word: [2.0]})
    path = tmp_path / "vectors.bin"
    path.write_text("mine")
    with pytest.raises(ValueError, match=r"The word .* cannot be written .* Leave such words out"):
        vectors.save(path)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["mine"]
    saved = Embeddings(vectors, word=lambda each: None if each == word else each).save(path)
    assert saved.words(5) == ["the"]


def test_a_vector_that_is_not_finite_leaves_no_file(tmp_path):
    vectors = Embeddings({"the": [1.0], "of": [np.inf]})
    with pytest.raises(ValueError, match=r"'of'.*finite"):
        vectors.save(tmp_path / "vectors.bin")
    assert not list(tmp_path.iterdir())


def test_a_source_without_words_is_refused(tmp_path):
    vectors = Embeddings({"the": [1.0]}, word="/c/en/(.+)")
    with pytest.raises(ValueError, match=r"has no words to save\. Check the rule"):
        vectors.save(tmp_path / "vectors.bin")


def test_files_encoders_and_subwords_are_refused_with_what_to_do(tmp_path):
    write_vectors(tmp_path / "glove.txt")
    path = tmp_path / "vectors.bin"
    with pytest.raises(ValueError, match=r"glove.txt is a file, so use it as it is"):
        Embeddings(tmp_path / "glove.txt").save(path)
    with pytest.raises(ValueError, match="FakeEncoder encodes any word"):
        Embeddings(FakeEncoder()).save(path)
    subwords = FastText(SENTENCES, vector_size=4, min_count=1, epochs=1, bucket=50)
    with pytest.raises(ValueError, match=r"subwords.*Save it by its own method"):
        Embeddings(subwords).save(path)
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        Embeddings({"the": [1.0]}).save(tmp_path / "missing" / "vectors.bin")
    assert not path.exists()
