"""Words that are counted while texts are read, and the bound on how many."""

import contextlib
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

import sktextcnn
from sktextcnn import TextVectorizer
from sktextcnn._text import counting

# A few frequent words among many rare ones, in any order.
WORDS = st.one_of(st.integers(0, 5), st.integers(0, 200)).map("w{}".format)
TEXTS = st.lists(st.lists(WORDS, max_size=30).map(" ".join), min_size=1, max_size=60)


def zipfian(n_texts, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(n_texts):
        yield " ".join(f"w{rank}" for rank in rng.zipf(1.3, 20) % 10**9)


def fitted(texts, **params):
    return TextVectorizer(max_length=None, **params).fit(texts)


@settings(deadline=None, max_examples=150)
@given(TEXTS, st.integers(2, 40))
def test_no_word_is_missed_and_no_count_is_wrong_by_more_than_the_bound(texts, max_vocab_size):
    counts = Counter(word for text in texts for word in text.split())
    vectorizer = TextVectorizer(max_length=None, max_vocab_size=max_vocab_size)
    ids = None
    with contextlib.suppress(ValueError):  # It has no word, or none is frequent enough.
        ids = np.asarray(vectorizer.fit_transform(text for text in texts))
    if ids is None:
        assert max(counts.values(), default=0) <= counts.total() // (max_vocab_size // 2 + 1)
        assert not 0 < len(counts) <= max_vocab_size
        return
    bound, words = vectorizer.max_undercount_, vectorizer.vocabulary_
    assert bound <= counts.total() // (max_vocab_size // 2 + 1)
    assert len(words) <= max_vocab_size
    assert {word for word in counts if counts[word] > bound} <= set(words) <= set(counts)
    if len(counts) <= max_vocab_size:
        assert bound == 0
        assert words.keys() == counts.keys()
    # The ids are those of the words, or unknown where a word was left out later.
    complete = np.asarray(vectorizer.transform(texts))
    assert ((ids == complete) | (ids == 1)).all()
    for word, id_ in words.items():
        assert counts[word] - bound <= (ids == id_).sum() <= counts[word]
    # They are numbered by the counts, and what the texts are read for does not matter.
    found = [int((ids == id_).sum()) for id_ in words.values()]
    assert found == sorted(found, reverse=True)
    again = TextVectorizer(max_length=None, max_vocab_size=max_vocab_size).fit(texts)
    assert list(again.vocabulary_.items()) == list(words.items())


def test_a_bound_on_words_leaves_frequent_ones_and_their_counts_as_they_are():
    texts = list(zipfian(3_000))
    bounded = fitted(iter(texts), max_vocab_size=1_000, max_features=50)
    assert 0 < bounded.max_undercount_ < 60_000 / 501 / 4
    assert bounded.vocabulary_ == fitted(texts, max_features=50).vocabulary_


@pytest.mark.parametrize(
    "params", [{}, {"max_vocab_size": 60}, {"max_vocab_size": 60, "min_df": 3}]
)
def test_the_texts_that_are_counted_at_a_time_change_nothing(monkeypatch, params):
    texts = list(zipfian(300))

    def results():
        vectorizer = TextVectorizer(**params)
        ids = vectorizer.fit_transform(texts).tolist()
        return ids, vectorizer.vocabulary_, vectorizer.max_undercount_

    expected = results()
    for block in (1, 7):
        monkeypatch.setattr(counting, "_BLOCK", block)
        assert results() == expected


@pytest.mark.parametrize("df", [{"min_df": 2}, {"min_df": 0.01, "max_df": 200}, {"max_df": 0.3}])
def test_words_by_texts_are_those_of_scikit_learn(monkeypatch, df):
    texts = list(zipfian(500))
    expected = CountVectorizer(token_pattern=r"\w+", **df).fit(texts).vocabulary_
    monkeypatch.setattr(counting, "_BLOCK", 100)
    assert fitted(texts, **df).vocabulary_.keys() == expected.keys()
    # With a bound, a word of so many texts more is not left out either.
    bounded = fitted(texts, max_vocab_size=1_000, **df)
    assert bounded.vocabulary_.keys() <= expected.keys()
    if df == {"min_df": 2}:
        texts_of = Counter(word for text in texts for word in set(text.split()))
        surely = {word for word in texts_of if texts_of[word] >= 2 + bounded.max_undercount_}
        assert surely <= bounded.vocabulary_.keys()


def test_vectors_are_trained_without_words_that_were_left_out():
    texts = list(zipfian(200))
    params = {"vector_size": 3, "epochs": 1}
    vectorizer = fitted(
        iter(texts),
        max_vocab_size=50,
        embeddings="word2vec",
        embeddings_params=params,
        random_state=0,
    )
    assert 0 < len(vectorizer.vocabulary_) <= 50
    assert vectorizer.coverage_.types == vectorizer.coverage_.tokens == 1


def test_fit_keeps_no_tokens():
    n_texts = 20_000
    text = "a gem of a film that is so witty and so moving"  # 12 tokens, in 4 bytes each
    tracemalloc.start()
    try:
        TextVectorizer().fit(text for _ in range(n_texts))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The lengths, their copy in the choice of a width, and the texts that are counted at a time.
    assert peak < n_texts * 12 * 4


def test_the_undercount_is_stored(tmp_path):
    bounded = fitted(zipfian(100), max_vocab_size=50)
    sktextcnn.save(bounded, tmp_path / "v.sktextcnn")
    loaded = sktextcnn.load(tmp_path / "v.sktextcnn")
    assert loaded.max_undercount_ == bounded.max_undercount_ > 0
    assert loaded.max_vocab_size == 50
