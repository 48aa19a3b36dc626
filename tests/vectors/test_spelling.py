"""Words in another spelling of the same letters."""

import unicodedata

import pytest
from gensim.models import KeyedVectors

from sktextcnn import Embeddings, TextVectorizer
from tests.vector_files import binary_rows, compress, text_rows, write

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
