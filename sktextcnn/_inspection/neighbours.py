"""The nearest neighbours of words, before and after training."""

import numbers
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_scalar

from sktextcnn._inspection.word_vectors import word_vectors
from sktextcnn._network import single_thread
from sktextcnn._pipeline import fitted_parts
from sktextcnn._token_ids import RESERVED_WORDS


class Neighbours(NamedTuple):
    """The words nearest to a word, each with its cosine similarity, the nearest first.

    Attributes
    ----------
    before : list of (str, float)
        The neighbours in the vectors of the vectorizer, before training.
    after : list of (str, float)
        The neighbours in the vectors of the classifier, after training.
    """

    before: list[tuple[str, float]]
    after: list[tuple[str, float]]


def nearest_words(model: Any, words: Iterable[str], *, n: int = 5) -> dict[str, Neighbours]:
    """Find the nearest neighbours of words before and after fine-tuning.

    Parameters
    ----------
    model : Pipeline
        A fitted Pipeline of a `TextVectorizer` with embeddings and a `TextCNNClassifier`, or a
        search over one.
    words : iterable of str
        Words of the vocabulary.
    n : int, default=5
        How many neighbours to return for each word at most.

    Returns
    -------
    dict of str to Neighbours
        For each word its neighbours by cosine similarity.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model is of another type, `words` is not an iterable of str, or `n` is not an int.
    ValueError
        If `n` is negative, a word is not in the vocabulary, or the vectorizer has no vectors.

    References
    ----------
    Kim (2014), Convolutional Neural Networks for Sentence Classification, EMNLP, Table 3.

    Examples
    --------
    >>> from gensim.test.utils import datapath
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer, nearest_words
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> vectors = datapath("test_glove.txt")
    >>> vectorizer = TextVectorizer(embeddings=vectors, random_state=0)
    >>> model = make_pipeline(vectorizer, TextCNNClassifier(random_state=0))
    >>> model = model.fit(texts, labels)
    >>> before, after = nearest_words(model, ["gem"], n=2)["gem"]
    >>> len(before), len(after)
    (2, 2)
    """
    check_scalar(n, "n", numbers.Integral, min_val=0)
    vectorizer, classifier = fitted_parts(model, "nearest_words")
    if isinstance(words, str):
        raise TypeError(f"words must be an iterable of words, such as [{words!r}].")
    words = list(words)
    before = vectorizer.embedding_matrix_
    if before is None:
        raise ValueError(
            "nearest_words compares with the vectors of the vectorizer, which has none. Give it "
            "embeddings."
        )
    names = vectorizer.token_table_.words
    with single_thread():
        after = word_vectors(classifier.net_.module_, np.arange(len(names))).numpy()
    tables = [_normalized(table) for table in (before, after)]
    found = {}
    for word in words:
        if word not in vectorizer.vocabulary_:
            raise ValueError(f"{word!r} is not in the vocabulary of the model.")
        i = vectorizer.vocabulary_[word]
        found[word] = Neighbours(*(_nearest(table, i, names, n) for table in tables))
    return found


def _normalized(table: np.ndarray) -> np.ndarray:
    """Scale vectors to unit length; zeros stay zeros."""
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    return table / np.where(lengths > 0, lengths, 1)


def _nearest(vectors: np.ndarray, i: int, names: Sequence[str], n: int) -> list[tuple[str, float]]:
    cosine = vectors @ vectors[i]
    cosine[[*range(len(RESERVED_WORDS)), i]] = -np.inf
    order = np.argsort(-cosine, kind="stable")[:n]
    return [(names[j], float(cosine[j])) for j in order if np.isfinite(cosine[j])]
