"""Vectors are found under other spellings of a token."""

import unicodedata

import numpy as np
import pytest

from sktextcnn import TextVectorizer
from sktextcnn._vectors import other_spellings


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
