"""The n-grams that classes and filters have learned, found in a corpus."""

import numbers
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, cast

import numpy as np
from sklearn.utils import check_scalar

from sktextcnn._classifier import TextCNNClassifier
from sktextcnn._inspection.exact import has_exact_terms
from sktextcnn._inspection.explanation import column_of
from sktextcnn._inspection.max_windows import Region, max_windows, regions_of
from sktextcnn._network import KimCNN, output_layer, single_thread
from sktextcnn._pipeline import fitted_parts
from sktextcnn._text import read_texts
from sktextcnn._token_ids import PADDING_ID
from sktextcnn._vectorizer import TextVectorizer

# The marks of language models for the beginning and the end of a text.
START, END = "<s>", "</s>"

_TEXTS_AT_ONCE = 1000


@dataclass(frozen=True)
class NGram:
    """An n-gram of a corpus and its evidence for a class.

    Attributes
    ----------
    text : str
        Its tokens, separated by spaces. "<unk>" is a word that the vocabulary lacks; "<s>" and
        "</s>" are the beginning and the end of the text.
    total : float
        The sum of its evidence over all texts.
    count : int
        The number of texts in which it activated a filter, or is an n-gram of the wide part.
    """

    text: str
    total: float
    count: int

    @property
    def mean(self) -> float:
        """Its mean evidence in the texts of `count`."""
        return self.total / self.count


@dataclass(frozen=True)
class Filter:
    """A filter of the network, and the n-grams that activate it most.

    Attributes
    ----------
    index : int
        Its column in the features of the network, where those of the first kernel come first.
    kernel_size : int
        The width of its windows, in tokens.
    weight : float
        Its weight for the class, minus the mean of its weights for the other classes.
    ngrams : list of (str, float)
        The n-grams that activate it most, written as in :class:`NGram`, and their activations.
    """

    index: int
    kernel_size: int
    weight: float
    ngrams: list[tuple[str, float]]


def top_ngrams(
    model: Any,
    texts: Iterable[str],
    label: Any = None,
    *,
    n: int = 20,
    sort_by: str = "total",
    min_count: int = 1,
) -> dict[Any, list[NGram]]:
    """Find the n-grams of a corpus with the largest evidence for each class.

    Parameters
    ----------
    model : Pipeline
        A fitted Pipeline of a `TextVectorizer` and a `TextCNNClassifier`, or a search over one.
    texts : iterable of str
        The corpus, read once.
    label : object or None, default=None
        One of the classes; None for all.
    n : int, default=20
        How many n-grams to return for each class at most.
    sort_by : {"total", "mean"}, default="total"
        Whether to sort by the sum of evidence over all texts, which favours frequent n-grams, or
        by its mean, which favours strong ones.
    min_count : int, default=1
        Leave out n-grams whose count is smaller. A mean over few texts says little.

    Returns
    -------
    dict of class to list of NGram
        The n-grams of each class, the largest evidence first; see :meth:`Explanation.evidence`.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model is of another type, `texts` is not an iterable of str, or `n` or `min_count`
        is not an int.
    ValueError
        If `label` is not one of the classes, `n` or `min_count` is too small, `sort_by` is neither
        "total" nor "mean", or the network has hidden units or an architecture other than "kim".

    See Also
    --------
    LearnedNGramsDisplay : Draws them.
    explain : Explains single texts.
    top_filters : Finds the n-grams of single filters.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer, top_ngrams
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> model = model.fit(texts, labels)
    >>> "gem" in top_ngrams(model, texts, "good", n=1)["good"][0].text
    True
    """
    check_scalar(n, "n", numbers.Integral, min_val=0)
    check_scalar(min_count, "min_count", numbers.Integral, min_val=1)
    if sort_by not in ("total", "mean"):
        raise ValueError(f"sort_by must be 'total' or 'mean'; got {sort_by!r}.")
    vectorizer, classifier, network = _parts(model, "top_ngrams")
    classes = classifier.classes_
    labels = classes.tolist() if label is None else [label]
    columns = [column_of(each, classes) for each in labels]
    weights = _evidence_weights(classifier)[columns].T  # (F, L)
    wide, multilabel = classifier._wide, classifier.net_.multilabel
    totals: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(labels)))
    counts: Counter[str] = Counter()
    with single_thread():
        for found in _activations(vectorizer, network, texts):
            terms = np.zeros((len(found.ngrams), len(labels)))
            activations = found.shares[:, None] * found.activations  # (R, F)
            np.add.at(terms, found.ngram_of, activations[:, :, None] * weights)
            for ngram, of_ngram in zip(found.ngrams, terms, strict=True):
                totals[ngram] += of_ngram
            active = {found.ngrams[i] for i in found.ngram_of[found.activations != 0]}
            if wide is not None:
                terms_of_wide = wide.terms(found.ids)
                evidence_of_wide = _evidence(terms_of_wide.contributions, multilabel)[:, columns]
                for span, of_ngram in zip(
                    terms_of_wide.spans.tolist(), evidence_of_wide, strict=True
                ):
                    ngram = _ngram(found.tokens, *span)
                    totals[ngram] += of_ngram
                    active.add(ngram)
            counts.update(active)
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
    """Find the filters with the largest evidence for a class, and the n-grams that activate them.

    The linear model beside the network has no filters, so it is not shown.

    Parameters
    ----------
    model : Pipeline
        A fitted Pipeline of a `TextVectorizer` and a `TextCNNClassifier`, or a search over one.
    texts : iterable of str
        The corpus, read once.
    label : object
        One of the classes.
    n_filters : int, default=10
        How many filters to return at most.
    n : int, default=5
        How many n-grams to return for each filter at most.

    Returns
    -------
    list of Filter
        The filters, sorted by weight times mean activation, the largest first.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model is of another type, `texts` is not an iterable of str, or `n_filters` or `n`
        is not an int.
    ValueError
        If `label` is not one of the classes, `n_filters` or `n` is negative, or the network has
        hidden units or an architecture other than "kim".

    See Also
    --------
    top_ngrams : Sums the evidence of n-grams over all filters.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer, top_filters
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> model = model.fit(texts, labels)
    >>> filters = top_filters(model, texts, "good", n_filters=3, n=1)
    >>> ["gem" in ngram for each in filters for ngram, activation in each.ngrams]
    [True, True, True]
    """
    check_scalar(n_filters, "n_filters", numbers.Integral, min_val=0)
    check_scalar(n, "n", numbers.Integral, min_val=0)
    vectorizer, classifier, network = _parts(model, "top_filters")
    weights = _evidence_weights(classifier)[column_of(label, classifier.classes_)]  # (F,)
    activation_of: list[dict[str, float]] = [{} for _ in weights]
    sums = np.zeros(len(weights))
    with single_thread():
        for found in _activations(vectorizer, network, texts):
            sums += found.shares @ found.activations
            for ngrams, activations in zip(found.ngram_of, found.activations, strict=True):
                pairs = zip(ngrams.tolist(), activations.tolist(), strict=True)
                for of_filter, (i, activation) in zip(activation_of, pairs, strict=True):
                    ngram = found.ngrams[i]
                    # Those that end where a region ends have several.
                    of_filter[ngram] = max(activation, of_filter.get(ngram, activation))
    convs = cast(list[Any], network.convs)
    sizes = [conv.kernel_size[0] for conv in convs for _ in range(conv.out_channels)]
    order = np.argsort(-weights * sums, kind="stable")[:n_filters]
    return [
        Filter(
            int(f),
            sizes[f],
            float(weights[f]),
            sorted(activation_of[f].items(), key=lambda pair: -pair[1])[:n],
        )
        for f in order
    ]


def _parts(model: Any, caller: str) -> tuple[TextVectorizer, TextCNNClassifier, KimCNN]:
    vectorizer, classifier = fitted_parts(model, caller)
    network = classifier.net_.module_
    if not has_exact_terms(network):
        raise ValueError(
            f"{caller} is for architecture='kim' without hidden_units, where each filter has a "
            f"weight of its own for each class."
        )
    return vectorizer, classifier, network


def _evidence_weights(classifier: TextCNNClassifier) -> np.ndarray:
    """The evidence of each filter's activation for each class; (C, F)."""
    weight = output_layer(classifier.net_.module_).weight.detach().cpu().double().numpy()
    return _evidence(weight.T, classifier.net_.multilabel).T


def _evidence(contributions: np.ndarray, multilabel: bool) -> np.ndarray:
    """Contributions to each class, minus the mean of those to the others; (..., C)."""
    if multilabel:
        return contributions
    total = contributions.sum(axis=-1, keepdims=True)
    return contributions - (total - contributions) / (contributions.shape[-1] - 1)


class _TextActivations(NamedTuple):
    """The activation of each filter in each region of a text, and the n-gram that it comes from."""

    activations: np.ndarray  # (R, F)
    ngram_of: np.ndarray  # (R, F), places in `ngrams`
    shares: np.ndarray  # (R,), of the tokens of the text
    ngrams: list[str]
    ids: np.ndarray  # (T,)
    tokens: list[str]


def _activations(
    vectorizer: TextVectorizer, network: KimCNN, texts: Iterable[str]
) -> Iterator[_TextActivations]:
    """Yield the activations in each text that has tokens, in any order."""
    words = vectorizer.token_table_.words
    remaining = read_texts(texts)
    while chunk := list(islice(remaining, _TEXTS_AT_ONCE)):
        rows = np.asarray(vectorizer.transform(chunk))
        documents = [row[row != PADDING_ID] for row in rows]
        documents = [document for document in documents if len(document)]
        regions = regions_of(network, documents)
        parts: list[list[tuple[Region, np.ndarray, np.ndarray]]] = [[] for _ in documents]
        for batch in max_windows(network, [region.ids for region in regions]):
            each = zip(
                batch.rows, batch.activations().numpy(), batch.windows().numpy(), strict=True
            )
            for row, activations, windows in each:
                parts[regions[row].document].append((regions[row], activations, windows))
        for ids, of_text in zip(documents, parts, strict=True):
            tokens = [words[i] for i in ids.tolist()]
            windows = np.stack([_in_text(*part[::2], len(ids)) for part in of_text])  # (R, F, 2)
            unique, index = np.unique(windows.reshape(-1, 2), axis=0, return_inverse=True)
            yield _TextActivations(
                np.stack([activations for _, activations, _ in of_text]),
                index.reshape(windows.shape[:2]),
                np.array([region.share for region, _, _ in of_text]),
                [_ngram(tokens, *window) for window in unique.tolist()],
                ids,
                tokens,
            )


def _in_text(region: Region, windows: np.ndarray, n_tokens: int) -> np.ndarray:
    """The first token and the one after the last of windows of a region, (F, 2), in its text.

    What lies outside of the region is left out unless it lies outside of the text too.
    """
    last = region.first + len(region.ids)
    return (
        (windows + region.first)
        .clip(-np.inf if region.first == 0 else region.first, np.inf if last == n_tokens else last)
        .astype(np.int64)
    )


def _ngram(tokens: list[str], start: int, stop: int) -> str:
    before = [START] if start < 0 else []
    after = [END] if stop > len(tokens) else []
    return " ".join([*before, *tokens[max(start, 0) : stop], *after])
