"""The vectors of a vocabulary, and their coverage."""

import numpy as np
import pytest

from sktextcnn import Embeddings, TextVectorizer


@pytest.fixture
def four_words(tmp_path):
    path = tmp_path / "four.txt"
    path.write_text("a 1 2\nfilm 3 -4\ngem 0 1\nzzz 9 9\n", encoding="utf-8")
    return path


def test_rows_are_aligned_with_ids_and_missing_ones_are_drawn(four_words):
    texts = ["a gem of a film", "a dull film"]
    vectorizer = TextVectorizer(embeddings=four_words, random_state=0).fit(texts)
    matrix = vectorizer.embedding_matrix_
    assert matrix.dtype == np.float32
    assert matrix.shape == (len(vectorizer.vocabulary_) + 2, 2)
    np.testing.assert_array_equal(matrix[0], 0)
    for word, row in {"a": [1, 2], "film": [3, -4], "gem": [0, 1]}.items():
        np.testing.assert_array_equal(matrix[vectorizer.vocabulary_[word]], row)
    bound = np.sqrt(3 * np.var([1, 2, 3, -4, 0, 1]))
    drawn = matrix[[1, vectorizer.vocabulary_["of"], vectorizer.vocabulary_["dull"]]]
    assert (np.abs(drawn) <= bound).all()
    assert drawn.all()
    assert len(np.unique(drawn)) == drawn.size


@pytest.mark.filterwarnings("ignore:Only 0% of the tokens have a vector:UserWarning")
def test_missing_rows_have_the_variance_of_those_found(vectors_file):
    texts = ["the array of " + " ".join(f"zz{i}" for i in range(5000))]
    vectorizer = TextVectorizer(embeddings=vectors_file, random_state=0, max_length=9).fit(texts)
    matrix = vectorizer.embedding_matrix_
    found = [vectorizer.vocabulary_[word] for word in ("the", "array", "of")]
    missing = [i for word, i in vectorizer.vocabulary_.items() if word.startswith("zz")]
    assert matrix[missing].var() == pytest.approx(matrix[found].var(), rel=0.02)


def test_coverage_counts_types_and_tokens(four_words):
    texts = ["a gem of a film", "a dull film of of"]
    coverage = TextVectorizer(embeddings=four_words, random_state=0).fit(texts).coverage_
    assert coverage.types == pytest.approx(3 / 5)
    assert coverage.tokens == pytest.approx(6 / 10)
    assert coverage.missing == [("of", 3), ("dull", 1)]


def test_random_state_draws_the_missing_rows(four_words):
    def matrix(random_state):
        vectorizer = TextVectorizer(embeddings=four_words, random_state=random_state)
        return vectorizer.fit(["a dull film"]).embedding_matrix_

    np.testing.assert_array_equal(matrix(1), matrix(1))
    assert not np.array_equal(matrix(1), matrix(2))


@pytest.mark.parametrize(
    ("words", "text", "lowercase", "remedy"),
    [
        (["paris", "is"], "Paris is PARIS", False, "set lowercase=True"),
        (["Paris", "is"], "Paris is Paris", True, "set lowercase=False"),
    ],
)
def test_a_casing_that_does_not_match_is_warned_of(tmp_path, words, text, lowercase, remedy):
    path = tmp_path / "cased.txt"
    path.write_text("".join(f"{word} 1 2\n" for word in words), encoding="utf-8")
    vectorizer = TextVectorizer(embeddings=path, lowercase=lowercase, random_state=0)
    with pytest.warns(UserWarning, match=remedy):
        vectorizer.fit([text])
    vectorizer.set_params(lowercase=not lowercase).fit([text])


@pytest.mark.parametrize("lowercase", [True, False])
def test_a_vocabulary_that_no_text_has(lowercase, tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("gem 1 2\nparis 3 4\n", encoding="utf-8")
    vectorizer = TextVectorizer(
        embeddings=path, vocabulary=["gem", "Paris", "dull"], lowercase=lowercase, random_state=0
    )
    assert vectorizer.fit_transform(["so witty"]).tolist() == [[1, 1]]
    coverage = vectorizer.coverage_
    assert (coverage.types, coverage.tokens) == (1 / 3, 0.0)
    assert coverage.missing == [("Paris", 0), ("dull", 0)]
    assert vectorizer.embedding_matrix_[2].tolist() == [1, 2]
    assert np.isfinite(vectorizer.embedding_matrix_).all()


def test_vectors_of_another_language_are_named(four_words):
    with pytest.raises(ValueError, match=r"None of the 2 words .* in four.txt .*of the language"):
        TextVectorizer(embeddings=Embeddings(four_words)).fit(["bonjour monde"])
