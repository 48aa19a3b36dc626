"""What a model has learned: n-grams of classes and of filters, and neighbours of words."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import torch

from sktextcnn._explanation import EXACT, explanations, filter_windows
from sktextcnn._network import KimCNN, output_layer
from sktextcnn._pipeline import fitted_parts
from sktextcnn._token_ids import RESERVED_WORDS


@dataclass(frozen=True)
class NGram:
    """An n-gram of a corpus, and what it adds to a class.

    Attributes
    ----------
    text : str
        Its tokens, with spaces between them.
    total : float
        The sum of its evidence over all texts.
    count : int
        In how many texts it won the maximum of a filter.
    """

    text: str
    total: float
    count: int

    @property
    def mean(self) -> float:
        """Its evidence in a text where it won."""
        return self.total / self.count


@dataclass(frozen=True)
class Filter:
    """A filter of the network, and what makes it fire.

    Attributes
    ----------
    index : int
        Its place among the features, those of the smallest kernel first.
    kernel_size : int
        The width of its windows, in tokens.
    weight : float
        What it adds to the class for each unit of activation, less the mean over the others.
    ngrams : list of (str, float)
        The n-grams that activate it most, and their activations.
    """

    index: int
    kernel_size: int
    weight: float
    ngrams: list[tuple[str, float]]


class Neighbours(NamedTuple):
    """The words nearest to a word, as (word, cosine), the nearest first.

    Attributes
    ----------
    before : list of (str, float)
        By the vectors that the vectorizer gave.
    after : list of (str, float)
        By those that the classifier was trained to.
    """

    before: list[tuple[str, float]]
    after: list[tuple[str, float]]


def top_ngrams(
    model: Any, texts: Iterable[str], label: Any = None, *, n: int = 20
) -> dict[Any, list[NGram]]:
    """Find the n-grams that push each class most over a corpus.

    Parameters
    ----------
    model : Pipeline
        A fitted Pipeline of a `TextVectorizer` and a `TextCNNClassifier`.
    texts : iterable of str
        The corpus.
    label : object or None, default=None
        One class; None for all.
    n : int, default=20
        How many n-grams of each class.

    Returns
    -------
    dict of class to list of NGram
        The largest sum of evidence first; see :meth:`Explanation.evidence`.

    Raises
    ------
    TypeError
        If the model is of another kind, or the texts are no iterable of str.
    ValueError
        If `label` is no class, or the network is not "kim" without hidden units.

    See Also
    --------
    LearnedNGramsDisplay : Draws them.
    explain : The same for each text.
    top_filters : The filters instead of their sums.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer, top_ngrams
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> "gem" in top_ngrams(model.fit(texts, labels), texts, "good", n=1)["good"][0].text
    True
    """
    totals: dict[Any, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    _, classifier = fitted_parts(model, "top_ngrams")
    labels = classifier.classes_.tolist() if label is None else [label]
    for explanation in explanations(model, texts, EXACT, "top_ngrams"):
        names = [
            " ".join(explanation.tokens[first:last]) for first, last in explanation.span_tokens
        ]
        for each in labels:
            for name, value in zip(names, explanation.evidence(each), strict=True):
                totals[each][name].append(value)
    return {
        each: sorted(
            (NGram(name, float(sum(values)), len(values)) for name, values in found.items()),
            key=lambda ngram: -ngram.total,
        )[:n]
        for each, found in ((each, totals[each]) for each in labels)
    }


def top_filters(
    model: Any, texts: Iterable[str], label: Any, *, n_filters: int = 10, n: int = 5
) -> list[Filter]:
    """Find the filters that speak for a class, and the n-grams that make them fire.

    Parameters
    ----------
    model : Pipeline
        A fitted Pipeline of a `TextVectorizer` and a `TextCNNClassifier`.
    texts : iterable of str
        The corpus.
    label : object
        One of the classes.
    n_filters : int, default=10
        How many filters.
    n : int, default=5
        How many n-grams of each.

    Returns
    -------
    list of Filter
        Those first whose weight times mean activation is largest.

    Raises
    ------
    TypeError
        If the model is of another kind, or the texts are no iterable of str.
    ValueError
        If `label` is no class, or the network is not "kim" without hidden units.

    See Also
    --------
    top_ngrams : What n-grams add to a class over all filters.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer, top_filters
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> filters = top_filters(model.fit(texts, labels), texts, "good", n_filters=3, n=1)
    >>> ["gem" in ngram for each in filters for ngram, activation in each.ngrams]
    [True, True, True]
    """
    vectorizer, classifier = fitted_parts(model, "top_filters")
    network = classifier.net_.module_
    if type(network) is not KimCNN or len(network.head) != 2:
        raise ValueError(
            "top_filters is for architecture='kim' without hidden_units, where each filter has a "
            "weight of its own for each class."
        )
    classes = classifier.classes_.tolist()
    if label not in classes:
        raise ValueError(f"label={label!r} is not one of the classes {classes}.")
    weight = output_layer(network).weight.detach().cpu().double().numpy()  # (C, F)
    column = classes.index(label)
    towards = weight[column]
    if not classifier.net_.multilabel:
        towards = towards - np.delete(weight, column, axis=0).mean(axis=0)
    words = vectorizer.token_table_.words
    fired: list[dict[str, float]] = [{} for _ in towards]
    sums, n_texts = np.zeros(len(towards)), 0
    for ids in vectorizer.transform(texts):
        activations, spans, ids = filter_windows(network, np.asarray(ids))
        sums += activations
        n_texts += 1
        for f, (first, last) in enumerate(spans):
            ngram = " ".join(words[i] for i in ids[first:last])
            fired[f][ngram] = activations[f]
    convs = cast(list[Any], network.convs)
    sizes = [conv.kernel_size[0] for conv in convs for _ in range(conv.out_channels)]
    order = np.argsort(-towards * sums / max(1, n_texts), kind="stable")[:n_filters]
    return [
        Filter(
            int(f),
            sizes[f],
            float(towards[f]),
            sorted(fired[f].items(), key=lambda pair: -pair[1])[:n],
        )
        for f in order
    ]


def nearest_words(model: Any, words: Iterable[str], *, n: int = 5) -> dict[str, Neighbours]:
    """Find the nearest neighbours of words before and after fine-tuning.

    Parameters
    ----------
    model : Pipeline
        A fitted Pipeline of a `TextVectorizer` with embeddings and a `TextCNNClassifier`.
    words : iterable of str
        Words of the vocabulary.
    n : int, default=5
        How many neighbours.

    Returns
    -------
    dict of str to Neighbours
        By the cosine of their vectors.

    Raises
    ------
    TypeError
        If the model is of another kind.
    ValueError
        If a word is not in the vocabulary, or the vectorizer has no vectors to begin with.

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
    >>> vectorizer = TextVectorizer(embeddings=datapath("test_glove.txt"), random_state=0)
    >>> model = make_pipeline(vectorizer, TextCNNClassifier(random_state=0)).fit(texts, labels)
    >>> before, after = nearest_words(model, ["gem"], n=2)["gem"]
    >>> len(before), len(after)
    (2, 2)
    """
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
    embedding = classifier.net_.module_.embedding
    with torch.no_grad():
        ids = torch.arange(embedding.num_embeddings, device=embedding.weight.device)
        rows = embedding.vectors(ids) if hasattr(embedding, "vectors") else embedding(ids)
    tables = [_unit(table) for table in (before, rows.cpu().numpy())]
    names = vectorizer.token_table_.words
    found = {}
    for word in words:
        if word not in vectorizer.vocabulary_:
            raise ValueError(f"{word!r} is not in the vocabulary of the model.")
        i = vectorizer.vocabulary_[word]
        found[word] = Neighbours(*(_nearest(table, i, names, n) for table in tables))
    return found


def _unit(table: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    return table / np.where(lengths > 0, lengths, 1)


def _nearest(unit: np.ndarray, i: int, names: Sequence[str], n: int) -> list[tuple[str, float]]:
    cosine = unit @ unit[i]
    cosine[[*range(len(RESERVED_WORDS)), i]] = -np.inf
    order = np.argsort(-cosine, kind="stable")[:n]
    return [(names[j], float(cosine[j])) for j in order if np.isfinite(cosine[j])]
