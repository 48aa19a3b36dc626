"""What is said when few or no words of the texts have a vector."""

import re

import numpy as np
import pytest
from gensim.models import KeyedVectors

from sktextcnn import Embeddings, TextVectorizer
from sktextcnn._vectors.mismatch import find_rule
from tests.fake_encoders import FakeEncoder
from tests.vector_files import text_rows, write

TEXTS = ["the king of the bank rules the town, and banks"] * 3
WORDS = ["king", "bank", "rules", "town", "banks", "the"]


def vectors_of(words):
    rng = np.random.default_rng(0)
    return {word: rng.normal(size=2) for word in words}


# What the words of the file look like, and the rule that the message gives.
KINDS = {
    "tags": (lambda word, i: f"{word}_{['NOUN', 'VERB', 'PROPN'][i % 3]}", "(.+)_[A-Z]+"),
    "one tag": (lambda word, i: f"{word}_NOUN", "(.+)_[A-Z]+"),
    "tags of Penn": (lambda word, i: f"{word}|{['NN', 'VB'][i % 2]}", "(.+)[|][A-Z]+"),
    "tags in lower case": (lambda word, i: f"{word}#{'nva'[i % 3]}", "(.+)#[^#]+"),
    "one tag in lower case": (lambda word, i: f"{word}-n", r"(.+)\-n"),
    "senses": (lambda word, i: f"{word}.{'nv'[i % 2]}.0{i}", "(.+?)[.].+"),
    "numbers": (lambda word, i: f"{word}:{i}", "(.+):[^:]+"),
    "prefix": (lambda word, i: f"/c/en/{word}", "/c/en/(.+)"),
    "prefix of a language": (lambda word, i: f"en:{word}", "en:(.+)"),
    "prefix with low line": (lambda word, i: f"__en__{word}", "__en__(.+)"),
    "piece": (lambda word, i: f"▁{word}", "▁(.+)"),
    "blank": (lambda word, i: f" {word}", " (.+)"),
    "end of word": (lambda word, i: f"{word}</w>", "(.+)</w>"),
    "both": (lambda word, i: f"/c/en/{word}/{'nv'[i % 2]}", "/c/en/(.+)/[^/]+"),
    "brackets": (lambda word, i: f"[{word}]", r"\[(.+)\]"),
    "Russian": (lambda word, i: f"{word}_S", "(.+)_[A-Z]+"),
}


@pytest.mark.parametrize("source", ["file", "dict", "gensim"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_message_gives_the_rule_of_tags_and_prefixes_and_it_works(kind, source, tmp_path):
    change, rule = KINDS[kind]
    rows = vectors_of([change(word, i) for i, word in enumerate(WORDS)])
    given = rows
    if source == "file":
        given = write(tmp_path / "vectors.txt", text_rows(rows))
    elif source == "gensim":
        given = KeyedVectors(2)
        given.add_vectors(list(rows), list(rows.values()))
    first = re.escape(repr(change("king", 0)))
    with pytest.raises(ValueError, match=rf"None of the 9 words .*'the', .*{first}") as caught:
        TextVectorizer(embeddings=given).fit(TEXTS)
    assert f"word={rule!r})" in str(caught.value)
    vectorizer = TextVectorizer(embeddings=Embeddings(given, word=rule), random_state=0)
    assert vectorizer.fit(TEXTS).coverage_.types == 6 / 9


def test_words_that_match_besides_do_not_hide_the_rule(tmp_path):
    rows = vectors_of([*(f"{word}_NOUN" for word in WORDS), "the", "of", ","])
    path = write(tmp_path / "vectors.txt", text_rows(rows))
    with pytest.warns(UserWarning, match=r"Only 45% of the tokens .*word='\(\.\+\)_\[A-Z\]\+'"):
        TextVectorizer(embeddings=path, random_state=0).fit(TEXTS)


def test_words_of_both_sides_are_shown_if_there_is_no_rule():
    rows = vectors_of(["!", "maison", "été", "fleuve"])
    match = (
        r"None of the 9 words of the vocabulary has a vector in dict of 4 words \(words of the "
        r"texts are 'the', 'and', 'bank', 'banks', 'king'; words of the vectors are 'maison', "
        r"'été', 'fleuve'\)\. Check that .* language .*'king\|NOUN' and '/c/en/king'"
    )
    with pytest.raises(ValueError, match=match):
        TextVectorizer(embeddings=rows).fit(TEXTS)
    rows |= vectors_of(["of", *(f"zz{i}" for i in range(20))])
    texts = TEXTS * 20
    with pytest.warns(UserWarning, match=r"Only 9% of the tokens have a vector in dict of 25 w"):
        TextVectorizer(embeddings=rows, random_state=0).fit(texts)


def test_a_rule_that_leaves_out_all_words_is_named():
    handle = Embeddings(vectors_of(["king_NOUN"]), word="/c/en/(.+)")
    match = r"'king_NOUN', before they are changed.* No word of the vectors matches word='/c/en/"
    with pytest.raises(ValueError, match=match):
        TextVectorizer(embeddings=handle).fit(TEXTS)


def test_words_in_upper_case_are_named_with_what_to_set():
    rows = vectors_of([word.upper() for word in [*WORDS, "of", "and"]])
    match = r"None of the 9 words.*'KING'.*set embeddings=Embeddings\(\.\.\., word=str\.lower\)"
    with pytest.raises(ValueError, match=match):
        TextVectorizer(embeddings=rows).fit(TEXTS)
    handle = Embeddings(rows, word=str.lower)
    assert TextVectorizer(embeddings=handle).fit(TEXTS).coverage_.types == 8 / 9
    with pytest.warns(UserWarning, match=r"in another case; .* word=str\.lower"):
        TextVectorizer(embeddings=rows | vectors_of(["and"]), random_state=0).fit(TEXTS)


def test_an_encoder_that_knows_no_word_shows_those_of_the_texts():
    class Nothing(FakeEncoder):
        def encode(self, words):
            return np.zeros((len(words), 2))

    with pytest.raises(ValueError, match=r"has a vector in Nothing \('the', 'and', .*\)\. Check"):
        TextVectorizer(embeddings=Nothing()).fit(TEXTS)


def test_tags_are_found_whatever_the_case_of_the_words():
    rows = vectors_of(f"ENTITY/{word.title()}" for word in WORDS)
    with pytest.raises(ValueError, match=r"'ENTITY/King'.*word='ENTITY/\(\.\+\)'"):
        TextVectorizer(embeddings=rows).fit(TEXTS)


@pytest.mark.parametrize(
    "of_source",
    [
        ["kings", "bankrupt", "townhouse"],
        ["mother-in-law", "the-end", "co-op"],
        ["роботы", "किताब", "마을"],
        ["x" * 1000 + "_king"],
        [],
    ],
)
def test_parts_of_words_are_not_taken_for_tags(of_source):
    counts = {"king": 5, "bank": 5, "town": 5, "co": 0, "end": 0, "क": 5}
    assert find_rule(of_source, counts) is None


def test_good_coverage_says_nothing():
    rows = vectors_of([*WORDS, "of", "and", "king_NOUN", "/c/en/town"])
    assert TextVectorizer(embeddings=rows).fit(TEXTS).coverage_.types == 8 / 9
