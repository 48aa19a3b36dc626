"""Texts, parameters and ids that the vectorizer refuses."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from sktextcnn import TextVectorizer

TEXTS = ["A gem!", "a gem of a film", "It isn't dull, it's witty"]


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        (["a", None], TypeError, r"Text 1 \(counting from 0\) is None .* Drop missing texts, or"),
        (["a", float("nan")], TypeError, "Text 1 .* is nan of type float.* Drop missing texts"),
        (pd.Series(["a", pd.NA]), TypeError, "Text 1 .* Drop missing texts"),
        (["a", pd.NA], TypeError, "Text 1 .* is <NA> of type NAType.* Drop missing texts"),
        (["a", b"b"], TypeError, r"Text 1 .* is b'b' of type bytes.*text.decode\('utf-8'\)"),
        (["a", "b", 3], TypeError, r"Text 2 .* is 3 of type int.*Convert it with str\(\)"),
        (["a", ["b", "c"]], TypeError, r"Text 1 .* of type list.*Join tokens with spaces"),
        (["a", np.array(["b", "c"])], TypeError, r"Text 1 .* of type ndarray.*Join tokens with"),
        ("a gem", TypeError, r"got a single str\. Put it in a list"),
        (b"a gem", TypeError, "got a single bytes"),
        (
            np.array([["a", "b"]]),
            ValueError,
            r"one-dimensional.* of shape \(1, 2\).*Select the col",
        ),
        (pd.DataFrame({"text": ["a"]}), ValueError, r"one-dimensional.*df\['text'\]"),
        ({"a": 1}, TypeError, "in a fixed order; got dict"),
        ({"a", "b"}, TypeError, "in a fixed order; got set"),
        (5, TypeError, "iterable of texts, such as a list; got int"),
        (None, TypeError, "iterable of texts, such as a list; got NoneType"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_text_is_named(texts, error, message):
    with pytest.raises(error, match=message):
        TextVectorizer().fit(texts)
    with pytest.raises(error, match=message):
        TextVectorizer().fit(TEXTS).transform(texts)


@pytest.mark.parametrize(
    ("params", "texts", "message"),
    [
        ({}, [], "X is empty; give at least one text"),
        ({}, ["", "  "], "The texts have no tokens. Check that they are not empty"),
        ({"stop_words": "english"}, ["the of"], "The texts have no tokens. .*stop words"),
        ({"min_df": 3}, ["a b", "b c"], r"No word is left with min_df=3 and .*Decrease min_df"),
        (
            {"min_df": 2, "max_df": 1},
            TEXTS,
            "min_df=2 and max_df=1 for 3 texts.*increase max_df",
        ),
        (
            {"max_vocab_size": 1},
            TEXTS,
            "No word is left, since none occurs more than 5 times.*Increa",
        ),
        ({"max_vocab_size": 0}, TEXTS, "The 'max_vocab_size' parameter"),
        (
            {"max_vocab_size": 9, "vocabulary": ["a"]},
            TEXTS,
            "max_vocab_size=9 .* but vocabulary gives it. Leave out one of them",
        ),
        ({"vocabulary": []}, TEXTS, "vocabulary is empty"),
        ({"vocabulary": ["a", "a"]}, TEXTS, "vocabulary contains 'a' twice"),
        ({"vocabulary": ["a", 3]}, TEXTS, "vocabulary must contain only str; got 3"),
        ({"vocabulary": "words"}, TEXTS, "vocabulary must be a collection of words; got 'words'"),
        ({"vocabulary": {"a": 0, "b": 1}}, TEXTS, r"ids of vocabulary must be 2, 3, .* 0 is pad"),
        ({"stop_words": "klingon"}, TEXTS, "no stop words for stop_words='klingon'.*or one of: .*"),
        (
            {"embeddings_params": {"epochs": 3}},
            TEXTS,
            "embeddings_params only applies",
        ),
        ({"embeddings": "word2vec", "embeddings_params": {"epoch": 3}}, TEXTS, "could not be trai"),
        ({"max_length": 0}, TEXTS, "The 'max_length' parameter of TextVectorizer must be"),
        ({"min_df": 1.5}, TEXTS, "The 'min_df' parameter"),
        ({"padding": "left"}, TEXTS, "The 'padding' parameter"),
        ({"truncating": "left"}, TEXTS, "The 'truncating' parameter"),
        ({"analyzer": "words"}, TEXTS, "The 'analyzer' parameter"),
        ({"tokenizer": "nltk"}, TEXTS, "The 'tokenizer' parameter"),
        ({"token_pattern": "("}, TEXTS, "token_pattern"),
        ({"stop_words": 5}, TEXTS, "The 'stop_words' parameter"),
        ({"random_state": "seed"}, TEXTS, "The 'random_state' parameter"),
    ],
    ids=lambda value: str(value)[:35],
)
def test_parameters_and_texts_that_will_not_do_are_named(params, texts, message):
    with pytest.raises(ValueError, match=message):
        TextVectorizer(**params).fit(texts)


def test_labels_of_another_length_are_noticed_before_training():
    with pytest.raises(ValueError, match="X has 3 texts, but y has 2 labels"):
        TextVectorizer().fit(TEXTS, [0, 1])


@pytest.mark.parametrize(
    ("embeddings", "error", "message"),
    [
        ("nowhere/glove.txt", FileNotFoundError, "there is no folder"),
        ("glove.6B.txt", FileNotFoundError, "There is no file of vectors"),
        (5, TypeError, "embeddings must be a path, .* got int"),
        ({"a": [1.0], "b": []}, ValueError, r"the vector of 'b' is \[\]"),
    ],
)
def test_embeddings_that_will_not_do_are_named_before_texts_are_read(embeddings, error, message):
    def texts():
        raise AssertionError("texts were read")
        yield

    with pytest.raises(error, match=message):
        TextVectorizer(embeddings=embeddings).fit(texts())


@pytest.mark.parametrize("method", ["transform", "inverse_transform", "get_feature_names_out"])
def test_an_unfitted_vectorizer_says_so(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(TextVectorizer(), method)([[2]])


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[2, 99]], r"ids from 2 to 99, but the ids of this vectorizer are those from 0 to \d"),
        ([[-1]], "ids from -1"),
        ([2, 3], r"2-d array of integer ids.* got shape \(2,\)"),
        ([[0.5]], "2-d array of integer ids"),
    ],
)
def test_ids_that_are_none_of_this_vocabulary(ids, message):
    with pytest.raises(ValueError, match=message):
        TextVectorizer().fit(TEXTS).inverse_transform(ids)
