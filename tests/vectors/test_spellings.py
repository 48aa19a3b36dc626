"""Vectors are found under other spellings of a token."""

import unicodedata

import numpy as np
import pytest
from gensim.models import KeyedVectors

from sktextcnn import Embeddings, TextVectorizer
from sktextcnn._vectors import other_spellings
from tests.vector_files import binary_rows, compress, text_rows, write


def vectors(tmp_path, words):
    path = tmp_path / "vectors.txt"
    lines = [f"{word} {i + 1} 1\n" for i, word in enumerate(words)]
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "in_file"),
    [
        ("café", "cafe\u0301"),
        ("cafe\u0301", "café"),
        ("không đều được người", ["không", "đê\u0300u", "đươ\u0323c", "ngươ\u0300i"]),
        ("हिन्दी फ़िल्म", ["हिन्दी", "\u095eिल्म"]),
        ("পড়া", "প\u09dcা"),
        ("שׁלום", "\ufb2aלום"),
        ("don’t", ["do", "n’t"]),
        ("it's", ["it", "’s"]),
        ("об’єкт", "обʼєкт"),
        ("об'єкт", "об’єкт"),
        ('צה"ל', "צה״ל"),
        ("می\u200cخواهم", "میخواهم"),
        ("كِتَابٌ", "كتاب"),
        ("שָׁלוֹם", "שלום"),
        ("❤", "❤\ufe0f"),
        ("👍🏽", "👍"),
        ("👩‍👩‍👧", "👩"),
        ("ሰላም፡ለዓለም", ["ሰላም", "ለዓለም"]),
    ],
)
def test_a_word_has_the_vector_of_its_other_spelling(tmp_path, text, in_file):
    in_file = [in_file] if isinstance(in_file, str) else in_file
    path = vectors(tmp_path, in_file)
    vectorizer = TextVectorizer(embeddings=path, random_state=0)
    ids = vectorizer.fit_transform([text])[0]
    assert vectorizer.coverage_.types == 1
    assert vectorizer.coverage_.missing == []
    np.testing.assert_array_equal(
        vectorizer.embedding_matrix_[ids, 0], np.arange(1, 1 + len(in_file))
    )


def test_the_spelling_of_the_token_comes_first(tmp_path):
    path = vectors(tmp_path, ["cafe\u0301", "café", "n’t", "n't"])
    vectorizer = TextVectorizer(embeddings=path, random_state=0).fit(["café don’t"])
    matrix, vocabulary = vectorizer.embedding_matrix_, vectorizer.vocabulary_
    assert matrix[vocabulary["café"], 0] == 2
    assert matrix[vocabulary["n't"], 0] == 4


def test_unseen_words_are_added_as_tokens(tmp_path):
    path = vectors(tmp_path, ["film", "cafe\u0301", "café", "हिन्दी", "обʼєкт", "a b", "Film"])
    vectorizer = TextVectorizer(embeddings=path, random_state=0).fit(["film"])
    assert list(vectorizer.vocabulary_) == ["film", "café", "हिन्दी", "об'єкт"]
    np.testing.assert_array_equal(vectorizer.embedding_matrix_[2:, 0], [1, 3, 4, 5])
    X = vectorizer.transform(["cafe\u0301 об’єкт हिन्दी"])
    assert X.tolist() == [[3]]
    assert vectorizer.set_params(max_length=3).fit_transform(["a film x"]).shape == (1, 3)


def test_other_spellings_are_not_the_token_itself():
    for token in ("film", "café", "'", "n't", "👍", "é", "\u0301", "हि", "’", "中", "1"):
        spellings = other_spellings(token)
        assert token not in spellings
        assert "" not in spellings
        assert len(spellings) == len(set(spellings))
    assert other_spellings("film") == other_spellings("'") == []
    assert other_spellings("café") == [unicodedata.normalize("NFD", "café")]


# In each kind of source ---------------------------------------------------------------

PAIRS = {
    "decomposed accents": (unicodedata.normalize("NFD", "naïve"), "naïve"),
    "composed accents": ("й", unicodedata.normalize("NFD", "й")),
    "syllables": (unicodedata.normalize("NFD", "한국"), "한국"),
    "an apostrophe of typesetting": ("don’t", "don't"),
    "an apostrophe of keyboards": ("'s", "’s"),
    "the letter": ("ob'yekt", "obʼyekt"),
    "both": (unicodedata.normalize("NFD", "l’été"), "l'été"),
}


def source(kind, rows, path):
    if kind == "binary":
        return write(path, binary_rows(rows))
    if kind in ("text", "gzip"):
        write(path, text_rows(rows))
        return compress(path) if kind == "gzip" else path
    if kind == "dict":
        return rows
    vectors = KeyedVectors(2)
    vectors.add_vectors(list(rows), list(rows.values()))
    return vectors


@pytest.mark.parametrize("kind", ["text", "gzip", "binary", "dict", "gensim"])
@pytest.mark.parametrize("pair", PAIRS)
def test_a_word_that_is_not_found_is_looked_up_in_its_other_spellings(pair, kind, tmp_path):
    of_source, word = PAIRS[pair]
    handle = Embeddings(source(kind, {of_source: [1, 2], "the": [3, 4]}, tmp_path / "vectors"))
    for _ in range(2):
        found = handle.lookup([word, "nosuch’word", of_source])
        assert list(found) == [word, of_source]
        assert found[word].tolist() == found[of_source].tolist() == [1, 2]


@pytest.mark.parametrize("kind", ["text", "binary", "dict", "gensim"])
def test_a_word_that_is_found_has_its_own_vector(kind, tmp_path):
    rows = {"don’t": [1, 2], "don't": [3, 4]}
    handle = Embeddings(source(kind, rows, tmp_path / "vectors"))
    assert {word: row.tolist() for word, row in handle.lookup(rows).items()} == rows


def test_coverage_counts_them(tmp_path):
    path = source("text", {"it": [1, 2], "’s": [3, 4]}, tmp_path / "vectors")
    vectorizer = TextVectorizer(embeddings=path, tokenizer=str.split)
    assert vectorizer.fit(["it 's", "it ’s"]).coverage_.tokens == 1
