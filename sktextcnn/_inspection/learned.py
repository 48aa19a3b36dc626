"""What a model has learned: n-grams of classes and of filters, and neighbours of words."""

import numbers
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from sklearn.utils import check_scalar

from sktextcnn._classifier import TextCNNClassifier
from sktextcnn._inspection.explanation import column_of, filter_windows, is_sum
from sktextcnn._network import KimCNN, output_layer
from sktextcnn._pipeline import fitted_parts
from sktextcnn._text import read_texts
from sktextcnn._token_ids import PADDING_ID, RESERVED_WORDS
from sktextcnn._vectorizer import TextVectorizer

# What a window that reaches beyond the text has there, as in language models of n-grams.
START, END = "<s>", "</s>"

_TEXTS_AT_ONCE = 1000


@dataclass(frozen=True)
class NGram:
    """An n-gram of a corpus, and what it adds to a class.

    Attributes
    ----------
    text : str
        Its tokens, with spaces between them: "<unk>" for words that the vocabulary lacks, "<s>"
        and "</s>" where the window reaches beyond the beginning or the end of the text.
    total : float
        The sum of its evidence over all texts.
    count : int
        In how many texts it activated a filter.
    """

    text: str
    total: float
    count: int

    @property
    def mean(self) -> float:
        """Its mean evidence in the texts where it activated a filter."""
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
        The n-grams that activate it most, written as in :class:`NGram`, and their activations.
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
    model: Any,
    texts: Iterable[str],
    label: Any = None,
    *,
    n: int = 20,
    sort_by: str = "total",
    min_count: int = 1,
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
    sort_by : {"total", "mean"}, default="total"
        Whether the sum of evidence over all texts comes first, which favours frequent n-grams,
        or its mean, which favours strong ones.
    min_count : int, default=1
        Leave out n-grams of fewer texts. A mean over few texts says little.

    Returns
    -------
    dict of class to list of NGram
        The largest evidence first; see :meth:`Explanation.evidence`.

    Raises
    ------
    TypeError
        If the model is of another kind, the texts are no iterable of str, or a number is no int.
    ValueError
        If `label` is no class, a number is too small, `sort_by` is another word, or the network
        is not "kim" without hidden units.

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
    check_scalar(n, "n", numbers.Integral, min_val=0)
    check_scalar(min_count, "min_count", numbers.Integral, min_val=1)
    if sort_by not in ("total", "mean"):
        raise ValueError(f"sort_by must be 'total' or 'mean'; got {sort_by!r}.")
    vectorizer, classifier, network = _parts(model, "top_ngrams")
    classes = classifier.classes_
    labels = classes.tolist() if label is None else [label]
    towards = _towards(classifier)[[column_of(each, classes) for each in labels]].T  # (F, L)
    totals: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(labels)))
    counts: Counter[str] = Counter()
    for activations, ngrams in _fired(vectorizer, network, texts):
        for ngram, terms in zip(ngrams, activations[:, None] * towards, strict=True):
            totals[ngram] += terms
        counts.update({ngram for ngram, value in zip(ngrams, activations, strict=True) if value})
    kept = [ngram for ngram in totals if counts[ngram] >= min_count]
    evidence = np.array([totals[ngram] for ngram in kept]).reshape(-1, len(labels))
    n_texts = np.array([counts[ngram] for ngram in kept])
    keys = evidence if sort_by == "total" else evidence / n_texts[:, None]
    return {
        each: [
            NGram(kept[i], float(evidence[i, column]), counts[kept[i]])
            for i in np.argsort(-keys[:, column], kind="stable")[:n]
        ]
        for column, each in enumerate(labels)
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
        If the model is of another kind, the texts are no iterable of str, or a number is no int.
    ValueError
        If `label` is no class, a number is negative, or the network is not "kim" without hidden
        units.

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
    check_scalar(n_filters, "n_filters", numbers.Integral, min_val=0)
    check_scalar(n, "n", numbers.Integral, min_val=0)
    vectorizer, classifier, network = _parts(model, "top_filters")
    towards = _towards(classifier)[column_of(label, classifier.classes_)]  # (F,)
    fired: list[dict[str, float]] = [{} for _ in towards]
    sums = np.zeros(len(towards))
    for activations, ngrams in _fired(vectorizer, network, texts):
        sums += activations
        for of_filter, ngram, activation in zip(fired, ngrams, activations.tolist(), strict=True):
            of_filter[ngram] = activation
    convs = cast(list[Any], network.convs)
    sizes = [conv.kernel_size[0] for conv in convs for _ in range(conv.out_channels)]
    order = np.argsort(-towards * sums, kind="stable")[:n_filters]
    return [
        Filter(
            int(f),
            sizes[f],
            float(towards[f]),
            sorted(fired[f].items(), key=lambda pair: -pair[1])[:n],
        )
        for f in order
    ]


def _parts(model: Any, caller: str) -> tuple[TextVectorizer, TextCNNClassifier, KimCNN]:
    vectorizer, classifier = fitted_parts(model, caller)
    network = classifier.net_.module_
    if not is_sum(network):
        raise ValueError(
            f"{caller} is for architecture='kim' without hidden_units, where each filter has a "
            f"weight of its own for each class."
        )
    return vectorizer, classifier, network


def _towards(classifier: TextCNNClassifier) -> np.ndarray:
    """What a unit of each filter's activation adds to the evidence for each class; (C, F)."""
    weight = output_layer(classifier.net_.module_).weight.detach().cpu().double().numpy()
    if classifier.net_.multilabel:
        return weight
    return weight - (weight.sum(axis=0) - weight) / (len(weight) - 1)


def _fired(
    vectorizer: TextVectorizer, network: KimCNN, texts: Iterable[str]
) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Activations of the filters in each text that has tokens, (F,), and their n-grams."""
    windows = filter_windows(network)
    words = vectorizer.token_table_.words
    remaining = read_texts(texts)
    while chunk := list(islice(remaining, _TEXTS_AT_ONCE)):
        for row in np.asarray(vectorizer.transform(chunk)):
            ids = row[row != PADDING_ID]
            if not len(ids):
                continue
            activations, bounds = windows(ids)
            tokens = [words[i] for i in ids]
            yield activations, [_ngram(tokens, *window) for window in bounds.tolist()]


def _ngram(tokens: list[str], start: int, stop: int) -> str:
    before = [START] if start < 0 else []
    behind = [END] if stop > len(tokens) else []
    return " ".join([*before, *tokens[max(start, 0) : stop], *behind])


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
        If the model is of another kind, `words` is no iterable of str, or `n` no int.
    ValueError
        If `n` is negative, a word is not in the vocabulary, or the vectorizer has no vectors to
        begin with.

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
