"""Words of the vectors that are not in the fitted texts."""

import numpy as np
import pytest
from sklearn.base import clone

from sktextcnn import Embeddings, TextVectorizer

TEXTS = ["A gem!", "a gem of a film", "It isn't dull, it's witty"]


@pytest.fixture
def nine_words(tmp_path):
    path = tmp_path / "nine.txt"
    words = ["the", "witty", "film", "Dull", "don't", "gem", "<s>", "x", "rare"]
    path.write_text("".join(f"{word} {i} 1\n" for i, word in enumerate(words)), encoding="utf-8")
    return path


def test_unseen_words_come_behind_those_of_the_texts_in_the_order_of_the_vectors(nine_words):
    vectorizer = TextVectorizer(embeddings=nine_words, random_state=0)
    X = vectorizer.fit_transform(["film of film"])
    assert list(vectorizer.vocabulary_) == ["film", "of", "the", "witty", "gem", "x", "rare"]
    np.testing.assert_array_equal(vectorizer.embedding_matrix_[4:, 0], [0, 1, 5, 7, 8])
    assert X.tolist() == [[2, 3, 2]]
    assert vectorizer.transform(["rare film , dull"]).tolist() == [[8, 2, 1]]
    assert vectorizer.inverse_transform(vectorizer.transform(["a rare gem"])) == [
        ["<unk>", "rare", "gem"]
    ]


def test_unseen_words_change_nothing_of_the_texts(nine_words, tmp_path):
    texts = ["a film", "film of a gem"]
    with_them = TextVectorizer(embeddings=nine_words, random_state=0)
    without = clone(with_them).set_params(unseen_words=0)
    np.testing.assert_array_equal(with_them.fit_transform(texts), without.fit_transform(texts))
    assert list(without.vocabulary_) == ["a", "film", "gem", "of"]
    matrix = without.embedding_matrix_
    np.testing.assert_array_equal(with_them.embedding_matrix_[: len(matrix)], matrix)
    assert with_them.coverage_ == without.coverage_
    assert without.coverage_.types == 1 / 2


@pytest.mark.parametrize(
    ("options", "unseen"),
    [
        ({"unseen_words": 3}, ["the", "witty"]),
        ({"unseen_words": 6}, ["the", "witty", "gem"]),
        ({"max_features": 3}, ["the", "witty"]),
        ({"max_features": 1}, []),
        ({"vocabulary": ["film"]}, []),
        ({"stop_words": ["the", "x"]}, ["witty", "gem", "rare"]),
        ({"lowercase": False}, ["the", "witty", "Dull", "gem", "x", "rare"]),
        ({"token_pattern": r"\S+"}, ["the", "witty", "don't", "gem", "<s>", "x", "rare"]),
        ({"tokenizer": str.split}, ["the", "witty", "Dull", "don't", "gem", "<s>", "x", "rare"]),
        ({"tokenizer": "wordpunct"}, ["the", "witty", "Dull", "don't", "gem", "<s>", "x", "rare"]),
        ({"preprocessor": lambda text: text if text == "film film" else text[::-1]}, ["x"]),
    ],
)
def test_unseen_words_are_those_that_the_analyzer_can_find(nine_words, options, unseen):
    vectorizer = TextVectorizer(embeddings=nine_words, random_state=0, **options)
    vectorizer.fit(["film film"])
    assert list(vectorizer.vocabulary_) == ["film", *unseen]


def test_words_left_out_by_their_frequency_do_not_come_back_as_unseen(nine_words):
    texts = ["film gem", "film rare", "film x"]
    vectorizer = TextVectorizer(embeddings=nine_words, random_state=0, min_df=2).fit(texts)
    assert list(vectorizer.vocabulary_) == ["film", "the", "witty"]
    vectorizer.set_params(min_df=1, max_features=2).fit(texts)
    assert list(vectorizer.vocabulary_) == ["film", "gem"]


def test_words_that_stand_for_padding_and_the_unknown_are_no_words(tmp_path):
    path = tmp_path / "reserved.txt"
    path.write_text("<pad> 0 0\n<unk> 1 1\nfilm 1 2\ngem 3 4\n", encoding="utf-8")
    vectorizer = TextVectorizer(embeddings=path, tokenizer=str.split, random_state=0)
    X = vectorizer.fit_transform(["film <unk> <pad> film"])
    assert list(vectorizer.vocabulary_) == ["film", "gem"]
    assert X.tolist() == [[2, 1, 1, 2]]
    with pytest.raises(ValueError, match=r"contains .<unk>., which is reserved for id 1"):
        TextVectorizer(vocabulary=["film", "<unk>"]).fit(["film"])


def test_a_broken_row_among_the_first_words_is_told(nine_words):
    nine_words.write_text(nine_words.read_text(encoding="utf-8") + "broken nan 4\n")
    vectorizer = TextVectorizer(embeddings=nine_words, random_state=0)
    with pytest.raises(ValueError, match="line 10: the vector of 'broken' has the value nan"):
        vectorizer.fit(["the film"])
    vectorizer.set_params(unseen_words=9).fit(["the film"])


def test_an_encoding_with_two_codes_for_a_letter(tmp_path):
    path = tmp_path / "cp932.txt"
    path.write_bytes(b"\xfa\x40 1 2\nthe 3 4\n")
    vectors = Embeddings(path, encoding="cp932")
    vectorizer = TextVectorizer(embeddings=vectors, tokenizer=str.split, random_state=0)
    assert list(vectorizer.fit(["film the"]).vocabulary_) == ["film", "the"]


def test_single_characters_are_the_unseen_words_of_characters(nine_words):
    vectorizer = TextVectorizer(embeddings=nine_words, random_state=0, analyzer="char")
    with pytest.raises(ValueError, match="None of the 3 words of the vocabulary has a vector"):
        vectorizer.fit(["gem"])
    assert list(vectorizer.fit(["x!"]).vocabulary_) == ["!", "x"]


def test_vectors_trained_on_the_texts_have_no_unseen_words(corpus):
    params = {"vector_size": 4, "epochs": 1}
    vectorizer = TextVectorizer(embeddings="word2vec", embeddings_params=params, min_df=2)
    vectorizer.fit(corpus[0])
    assert list(vectorizer.vocabulary_) == list(TextVectorizer(min_df=2).fit(corpus[0]).vocabulary_)


@pytest.mark.parametrize("unseen_words", [-1, 1.5, "all"])
def test_a_number_of_unseen_words_that_is_none_is_refused(unseen_words):
    with pytest.raises(ValueError, match="The 'unseen_words' parameter of TextVectorizer must be"):
        TextVectorizer(unseen_words=unseen_words).fit(TEXTS)


def test_no_text_of_the_vectors_language_is_an_error_though_unseen_words_have_vectors(nine_words):
    with pytest.raises(ValueError, match="None of the 2 words of the vocabulary has a vector"):
        TextVectorizer(embeddings=nine_words).fit(["zut alors"])
