"""Vectors of several sources, put side by side."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer
from tests.fake_encoders import FakeEncoder

TEXTS = ["a gem of a film", "a dull film of the year"]
WORDS = ["a", "film", "of", "dull", "gem", "the", "year"]


def vectors_file(path, words, size, seed):
    rows = np.random.default_rng(seed).normal(0, seed + 1, (len(words), size)).astype(np.float32)
    lines = (f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words, rows, strict=True))
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def first(tmp_path):
    return vectors_file(tmp_path / "first.txt", [*WORDS[:5], "rare", "witty"], 3, 0)


@pytest.fixture
def second(tmp_path):
    return vectors_file(tmp_path / "second.txt", ["rare", *WORDS[3:6], "other"], 2, 4)


def fitted(embeddings, **params):
    return TextVectorizer(embeddings=embeddings, **{"random_state": 0, **params}).fit(TEXTS)


def scaled(path, words):
    """The rows of words, scaled by what the words of the texts have."""
    found = Embeddings(path).lookup(words)
    of_texts = np.array([row for word, row in found.items() if word in WORDS], dtype=np.float64)
    return {word: row / of_texts.std() * 0.5 for word, row in found.items()}, of_texts


def test_the_rows_are_put_beside_each_other_and_scaled_alike(first, second):
    vectorizer = fitted([first, str(second)])
    matrix, words = vectorizer.embedding_matrix_, list(vectorizer.vocabulary_)
    assert words == [*WORDS, "rare", "witty"]
    assert matrix.shape == (2 + len(words), 5)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix[0], 0)
    for path, part in ((first, matrix[:, :3]), (second, matrix[:, 3:])):
        rows, of_texts = scaled(path, words)
        drawn = [1, *(i for i, word in enumerate(words, 2) if word not in rows)]
        for word, row in rows.items():
            np.testing.assert_allclose(part[vectorizer.vocabulary_[word]], row, rtol=1e-5)
        in_texts = [vectorizer.vocabulary_[word] for word in rows if word in WORDS]
        assert len(in_texts) == len(of_texts)
        assert part[in_texts].std() == pytest.approx(0.5, rel=1e-5)
        assert (np.abs(part[drawn]) <= np.sqrt(3) * 0.5).all()
        assert len(np.unique(part[drawn])) == part[drawn].size
    assert vectorizer.token_table_.source == "first.txt + second.txt"


def test_parts_that_every_source_has_are_those_of_the_single_sources(first):
    encoder = FakeEncoder(4)
    texts = [" ".join(WORDS[:5])]
    both = TextVectorizer(embeddings=[first, Embeddings(encoder)], unseen_words=0).fit(texts)
    file, encoded = (
        TextVectorizer(embeddings=source, unseen_words=0).fit(texts).embedding_matrix_[2:]
        for source in (first, encoder)
    )
    expected = np.hstack([file / file.std() * 0.5, encoded / encoded.std() * 0.5])
    np.testing.assert_allclose(both.embedding_matrix_[2:], expected, rtol=1e-5, atol=1e-7)


def test_a_list_of_one_source_is_the_source(first):
    one, alone = fitted([first]), fitted(first)
    np.testing.assert_array_equal(one.embedding_matrix_, alone.embedding_matrix_)
    assert one.coverage_ == alone.coverage_


@pytest.mark.filterwarnings("ignore:Only 0% of the tokens have a vector:UserWarning")
def test_missing_parts_are_drawn_with_the_variance_of_their_source(first):
    words = [f"zz{i}" for i in range(3000)]
    vectorizer = TextVectorizer(embeddings=[first, FakeEncoder(2)], random_state=0, max_length=9)
    matrix = vectorizer.fit([*TEXTS, " ".join(words)]).embedding_matrix_
    drawn = matrix[[vectorizer.vocabulary_[word] for word in words], :3]
    assert drawn.std() == pytest.approx(0.5, rel=0.02)


def test_coverage_is_that_of_any_source_and_of_each(first, second):
    coverage = fitted((first, second)).coverage_
    assert (coverage.types, coverage.tokens) == (6 / 7, 10 / 11)
    assert coverage.missing == [("year", 1)]
    assert coverage.sources == [("first.txt", 5 / 7, 9 / 11), ("second.txt", 3 / 7, 3 / 11)]
    assert fitted(first).coverage_.sources == [("first.txt", 5 / 7, 9 / 11)]
    assert fitted([second, FakeEncoder()]).coverage_.types == 1


@pytest.mark.parametrize("order", [1, -1])
def test_unseen_words_are_those_of_the_first_source_that_lists_words(order, first, second):
    sources = [FakeEncoder(), "word2vec", *[first, second][::order]]
    params = {"vector_size": 2, "epochs": 1}
    vectorizer = fitted(sources, embeddings_params=params)
    unseen = {1: ["rare", "witty"], -1: ["rare", "other"]}[order]
    assert list(vectorizer.vocabulary_) == [*WORDS, *unseen]
    # The encoder has vectors of them too.
    rows = vectorizer.embedding_matrix_[-2:, :6]
    expected = np.array([FakeEncoder().row(word) for word in unseen])
    np.testing.assert_allclose(rows / rows[0, 0], expected / expected[0, 0], rtol=1e-4)


def test_vectors_trained_on_the_texts_are_a_source(first):
    params = {"vector_size": 2, "epochs": 1}
    vectorizer = fitted(["word2vec", first], embeddings_params=params)
    alone = fitted("word2vec", embeddings_params=params)
    n_words = len(WORDS)
    trained = alone.embedding_matrix_[2 : 2 + n_words]
    np.testing.assert_allclose(
        vectorizer.embedding_matrix_[2 : 2 + n_words, :2], trained / trained.std() * 0.5, rtol=1e-5
    )
    assert vectorizer.coverage_.sources[0][1:] == (1.0, 1.0)


def test_the_bits_are_those_of_the_random_state(first, second):
    matrices = [
        fitted(["word2vec", first, second], random_state=seed).embedding_matrix_
        for seed in (0, 0, 1)
    ]
    assert matrices[0].tobytes() == matrices[1].tobytes()
    assert matrices[0].tobytes() != matrices[2].tobytes()


@pytest.mark.parametrize("order", [1, -1])
def test_a_source_of_another_language_is_named(order, first, tmp_path):
    other = vectors_file(tmp_path / "french.txt", ["bonjour", "monde"], 2, 0)
    with pytest.raises(ValueError, match=r"None of the 7 words .* has a vector in french\.txt"):
        fitted([first, other][::order])


def test_a_casing_that_does_not_match_one_source_is_warned_of(tmp_path):
    path = vectors_file(tmp_path / "cased.txt", ["Film", "Gem", "of", "a"], 2, 0)
    with pytest.warns(UserWarning, match=r"no vector in cased\.txt.* set lowercase=False"):
        fitted([FakeEncoder(), path])


@pytest.mark.parametrize(
    ("embeddings", "error", "message"),
    [
        ([], ValueError, "embeddings is an empty list"),
        ((), ValueError, "embeddings is an empty list"),
        ([None], TypeError, "embeddings must be a path, .*; got NoneType"),
        ([["glove.txt"]], TypeError, r"got list\. TextVectorizer takes a list of them"),
        (["nowhere/glove.txt"], FileNotFoundError, "there is no folder"),
        ([FakeEncoder(), 5], TypeError, "embeddings must be a path, .*; got int"),
    ],
    ids=["list", "tuple", "None", "nested", "folder", "number"],
)
def test_lists_that_are_not_valid_are_refused_before_texts_are_read(embeddings, error, message):
    def texts():
        raise AssertionError
        yield

    with pytest.raises(error, match=message):
        TextVectorizer(embeddings=embeddings).fit(texts())


def test_parameters_of_training_need_a_source_that_is_trained(first, second):
    with pytest.raises(ValueError, match="embeddings_params only applies to embeddings='word2vec'"):
        fitted([first, second], embeddings_params={"vector_size": 2})


def test_clones_share_the_handles_and_pickles_give_the_same_model(first):
    encoder = FakeEncoder(4)
    vectorizer = TextVectorizer(embeddings=[first, Embeddings(encoder, width=2)], random_state=0)
    assert clone(vectorizer).embeddings[1] is vectorizer.embeddings[1]
    ids = vectorizer.fit_transform(TEXTS)
    n_encoded = len(encoder.encoded)
    again = clone(vectorizer).fit(TEXTS)
    assert len(encoder.encoded) == n_encoded
    np.testing.assert_array_equal(again.embedding_matrix_, vectorizer.embedding_matrix_)
    loaded = pickle.loads(pickle.dumps(vectorizer))
    np.testing.assert_array_equal(loaded.embedding_matrix_, vectorizer.embedding_matrix_)
    np.testing.assert_array_equal(loaded.transform(TEXTS), ids)
    assert loaded.coverage_ == vectorizer.coverage_


def test_a_classifier_starts_from_them_and_says_so(first):
    X = fitted([first, Embeddings(FakeEncoder(4), width=2)]).transform(TEXTS)
    classifier = TextCNNClassifier(num_filters=2, max_epochs=1, finetune=False, random_state=0)
    classifier.fit(X, [0, 1])
    assert classifier.embedding_source_ == "first.txt + FakeEncoder"
    assert classifier.net_.module_.embedding.weight.shape[1] == 5
