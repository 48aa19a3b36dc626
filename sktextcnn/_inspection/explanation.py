"""explain: which words made the network say what it says.

With max-over-time pooling and a linear head, a logit is a sum: the bias, and for each filter
its weight times its activation. The activation of a filter comes from one window of the text,
so that every term belongs to an n-gram that can be shown. Nothing is approximated.

Shapes: T tokens, D numbers in a vector, F filters, C classes, S spans.
"""

import copy
import numbers
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from scipy.special import expit, softmax
from sklearn.utils import check_scalar
from torch import nn
from torch.func import functional_call

from sktextcnn._classifier import TextCNNClassifier
from sktextcnn._inspection.rendering import to_ansi, to_html
from sktextcnn._network import KimCNN, WordEmbedding, output_layer
from sktextcnn._pipeline import fitted_parts
from sktextcnn._text import Token, read_texts, token_finder
from sktextcnn._token_ids import PADDING_ID, UNKNOWN_ID
from sktextcnn._vectorizer import TextVectorizer

EXACT = "exact"
INTEGRATED_GRADIENTS = "integrated gradients"

_STEPS = 64
# Tokens in a batch of steps, which bounds the memory of long texts.
_TOKENS_AT_ONCE = 1 << 14


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a text got its logits.

    Attributes
    ----------
    text : str
        The text as it was given.
    classes : ndarray of shape (n_classes,)
        The classes, in the order of all arrays here.
    logits : ndarray of shape (n_classes,), float64
        The outputs of the network, before softmax or, for multilabel targets, the logistic
        function.
    probabilities : ndarray of shape (n_classes,), float64
        What ``predict_proba`` returns, but for the rounding of bfloat16.
    spans : ndarray of shape (n_spans, 2), int
        Where each n-gram begins in `text` and where it ends, in characters.
    span_tokens : ndarray of shape (n_spans, 2), int
        The first token of each n-gram, and the one behind its last.
    contributions : ndarray of shape (n_spans, n_classes), float64
        What each n-gram adds to each logit.
    remainder : ndarray of shape (n_classes,), float64
        What belongs to no n-gram: the bias, and all of a text without tokens.
        ``contributions.sum(axis=0) + remainder`` are the logits.
    tokens : tuple of str
        The tokens that the network saw, without those beyond `max_length_`.
    token_spans : ndarray of shape (n_tokens, 2), int
        Where each token lies in `text`.
    token_contributions : ndarray of shape (n_tokens, n_classes), float64
        The same sum by token: a filter's term is shared among the tokens of its window in
        proportion to their products with the filter.
    token_remainder : ndarray of shape (n_classes,), float64
        The bias, and what filters give at rest and by their own biases.
    method : {"exact", "integrated gradients"}
        "exact" where contributions are terms of the logit itself.
    multilabel : bool
        Whether each class is decided for itself.

    See Also
    --------
    explain : Makes explanations, with an example.
    ExplanationDisplay : Draws one.
    """

    text: str
    classes: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    spans: np.ndarray
    span_tokens: np.ndarray
    contributions: np.ndarray
    remainder: np.ndarray
    tokens: tuple[str, ...]
    token_spans: np.ndarray
    token_contributions: np.ndarray
    token_remainder: np.ndarray
    method: str
    multilabel: bool

    @property
    def prediction(self) -> Any:
        """The predicted class; for multilabel targets an array of those predicted."""
        if self.multilabel:
            return self.classes[self.logits > 0]
        return self.classes[[self.logits.argmax()]].tolist()[0]

    def evidence(self, label: Any = None, *, by: str = "span") -> np.ndarray:
        """Return what speaks for a class and against the others.

        Parameters
        ----------
        label : object or None, default=None
            One of `classes`. None: the one of the largest logit.
        by : {"span", "token"}, default="span"
            Whether n-grams or tokens are asked for.

        Returns
        -------
        ndarray of shape (n_spans,) or (n_tokens,), float64
            Contributions to the logit of the class, less the mean of those to the other
            classes, as only differences of logits matter; for multilabel targets, the
            contributions themselves.

        Raises
        ------
        ValueError
            If there is no such class, or `by` is another word.
        """
        if by not in ("span", "token"):
            raise ValueError(f"by must be 'span' or 'token'; got {by!r}.")
        values = self.contributions if by == "span" else self.token_contributions
        column = self.column(label)
        if self.multilabel:
            return values[:, column]
        others = np.delete(values, column, axis=1)
        return values[:, column] - others.mean(axis=1)

    def top(self, label: Any = None, *, n: int = 10, by: str = "span") -> list[tuple[str, float]]:
        """Return the n-grams or tokens that matter most for a class.

        Parameters
        ----------
        label : object or None, default=None
            One of `classes`. None: the one of the largest logit.
        n : int, default=10
            How many.
        by : {"span", "token"}, default="span"
            Whether n-grams or tokens are asked for.

        Returns
        -------
        list of (str, float)
            Pieces of the text and their `evidence`, the largest absolute value first.

        Raises
        ------
        TypeError
            If `n` is no int.
        ValueError
            If `n` is negative, there is no such class, or `by` is another word.
        """
        check_scalar(n, "n", numbers.Integral, min_val=0)
        evidence = self.evidence(label, by=by)
        spans = self.spans if by == "span" else self.token_spans
        order = np.argsort(-np.abs(evidence), kind="stable")[:n]
        return [(self.text[slice(*spans[i])], float(evidence[i])) for i in order]

    def _repr_html_(self) -> str:
        return to_html(self)

    def to_html(self, label: Any = None) -> str:
        """Return the text with its words coloured by what they speak for, as HTML.

        Parameters
        ----------
        label : object or None, default=None
            One of `classes`. None: the one of the largest logit.

        Returns
        -------
        str
            A ``div``, with all text escaped.
        """
        return to_html(self, label)

    def to_ansi(self, label: Any = None) -> str:
        """Return the text with its words coloured, for a terminal.

        Parameters
        ----------
        label : object or None, default=None
            One of `classes`. None: the one of the largest logit.

        Returns
        -------
        str
            Lines with ANSI colours; control characters of the text are replaced.
        """
        return to_ansi(self, label)

    def column(self, label: Any = None) -> int:
        """Return the column of a class in all arrays.

        Parameters
        ----------
        label : object or None, default=None
            One of the classes; None for the one of the largest logit.

        Returns
        -------
        column : int
            The column of the class.

        Raises
        ------
        ValueError
            If `label` is not one of the classes.
        """
        if label is None:
            return int(self.logits.argmax())
        return column_of(label, self.classes)

    def __repr__(self) -> str:
        shown = self.text if len(self.text) <= 40 else self.text[:37] + "..."
        return (
            f"<Explanation of {shown!r}: {self.prediction!r}, {len(self.spans)} n-grams, "
            f"{self.method}>"
        )


def column_of(label: Any, classes: np.ndarray) -> int:
    """Find the output of a class; a ValueError if there is no such class."""
    columns = {each: i for i, each in enumerate(classes.tolist())}
    if not isinstance(label, Hashable) or label not in columns:
        raise ValueError(f"label={label!r} is not one of the classes {classes.tolist()}.")
    return columns[label]


def explain(model: Any, texts: Iterable[str], *, method: str = "auto") -> list[Explanation]:
    """Explain what a fitted Pipeline says of texts.

    Parameters
    ----------
    model : Pipeline
        A fitted Pipeline of a `TextVectorizer` and a `TextCNNClassifier`, or a search over
        one.
    texts : iterable of str
        The texts.
    method : {"auto", "exact", "integrated gradients"}, default="auto"
        "exact": the terms of the logit itself, for architecture "kim" without hidden units.
        "integrated gradients": of Captum (extra `explain`), for any network; they attribute
        to tokens, by the path from zero vectors, in 64 steps. "auto": exact where it holds.

    Returns
    -------
    list of Explanation
        One for each text.

    Raises
    ------
    ImportError
        If integrated gradients are needed and Captum is not installed.
    TypeError
        If the model is of another kind, or the texts are no iterable of str.
    ValueError
        If `method` is "exact" for a network where that does not hold.

    See Also
    --------
    ExplanationDisplay : Draws the strongest n-grams of a text.
    top_ngrams : Sums explanations over a corpus.

    Notes
    -----
    A bfloat16 model is explained in double precision, as all others; its logits differ from
    those of ``decision_function`` by its rounding.

    References
    ----------
    Kim (2014), Convolutional Neural Networks for Sentence Classification, EMNLP, section 2.

    Sundararajan, Taly and Yan (2017), Axiomatic Attribution for Deep Networks, ICML.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer, explain
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> explanation = explain(model.fit(texts, labels), ["What a GEM!"])[0]
    >>> explanation.prediction
    'good'
    >>> explanation.top(n=1, by="token")[0][0]
    'GEM'
    """
    vectorizer, classifier = fitted_parts(model, "explain")
    if method not in ("auto", EXACT, INTEGRATED_GRADIENTS):
        raise ValueError(
            f"method must be 'auto', 'exact' or 'integrated gradients'; got {method!r}."
        )
    network = classifier.net_.module_
    if method == EXACT and not is_sum(network):
        raise ValueError(
            "method='exact' is for architecture='kim' without hidden_units, where logits are "
            "sums over n-grams. Use method='integrated gradients'."
        )
    if method == "auto":
        method = EXACT if is_sum(network) else INTEGRATED_GRADIENTS
    attribute = _exact(network) if method == EXACT else _by_gradients(network)
    find = token_finder(vectorizer._analysis())
    return [
        _explain(text, find(text), vectorizer, classifier, attribute, method)
        for text in read_texts(texts)
    ]


def is_sum(network: nn.Module) -> bool:
    """Whether a logit of the network is a sum over its filters."""
    return type(network) is KimCNN and len(network.head) == 2


@dataclass(frozen=True)
class _Attribution:
    """What is known of ids without their text; spans are of tokens."""

    logits: np.ndarray  # (C,)
    spans: np.ndarray  # (S, 2)
    contributions: np.ndarray  # (S, C)
    remainder: np.ndarray  # (C,)
    token_contributions: np.ndarray  # (T, C)
    token_remainder: np.ndarray  # (C,)


def _explain(
    text: str,
    tokens: list[Token],
    vectorizer: TextVectorizer,
    classifier: TextCNNClassifier,
    attribute: Callable[[np.ndarray], _Attribution],
    method: str,
) -> Explanation:
    width = vectorizer.max_length_
    kept = tokens[:width] if vectorizer.truncating == "post" else tokens[-width:]
    ids = np.asarray(vectorizer.transform([text]))[0]
    found = attribute(ids)
    token_spans = np.array([token[1:] for token in kept], dtype=int).reshape(-1, 2)
    first, last = found.spans[:, 0], found.spans[:, 1] - 1
    multilabel = classifier.net_.multilabel
    return Explanation(
        text=text,
        classes=classifier.classes_,
        logits=found.logits,
        probabilities=expit(found.logits) if multilabel else softmax(found.logits),
        spans=np.stack([token_spans[first, 0], token_spans[last, 1]], axis=1),
        span_tokens=found.spans,
        contributions=found.contributions,
        remainder=found.remainder,
        tokens=tuple(token for token, _, _ in kept),
        token_spans=token_spans,
        token_contributions=found.token_contributions,
        token_remainder=found.token_remainder,
        method=method,
        multilabel=multilabel,
    )


def _exact(network: KimCNN) -> Callable[[np.ndarray], _Attribution]:
    convs = _convs(network)
    head = output_layer(network)
    weight, bias = (value.detach().cpu().double() for value in (head.weight, head.bias))
    at_rest = network.activation(torch.zeros(1, dtype=torch.float64))

    def attribute(ids: np.ndarray) -> _Attribution:
        ids = ids[ids != PADDING_ID]
        with torch.no_grad():
            rows = _vectors_of(network, ids)
            n_tokens, n_filters = len(ids), len(convs[0][1])
            spans, terms = [], []
            token_terms = torch.zeros(n_tokens, len(bias), dtype=torch.float64)
            for i, (kernel, own_bias) in enumerate(convs):
                to_logits = weight[:, i * n_filters : (i + 1) * n_filters].T  # (F, C)
                values, starts, products = _winners(rows, kernel)
                before = values + own_bias
                active = network.activation(before)
                terms.append(active[:, None] * to_logits)
                spans.append(_span(starts, kernel.shape[2], n_tokens))
                share = torch.where(before != 0, (active - at_rest) / before, 0)
                for place in range(kernel.shape[2] if n_tokens else 0):
                    token = starts + place
                    filters = ((token >= 0) & (token < n_tokens)).nonzero().flatten()
                    token = token[filters]
                    amount = products[token, place, filters] * share[filters]
                    token_terms.index_add_(0, token, amount[:, None] * to_logits[filters])
            all_terms, all_spans = torch.cat(terms), torch.cat(spans)
            logits = bias + all_terms.sum(dim=0)
            if not n_tokens:
                nothing = np.zeros((0, len(bias)))
                empty = np.zeros((0, 2), dtype=int)
                everything = logits.numpy()
                return _Attribution(everything, empty, nothing, everything, nothing, everything)
            # As numbers, which are sorted faster than rows.
            codes = all_spans[:, 0] * (n_tokens + 1) + all_spans[:, 1]
            codes, index = codes.unique(return_inverse=True)
            unique = torch.stack([codes // (n_tokens + 1), codes % (n_tokens + 1)], dim=1)
            by_span = torch.zeros(len(unique), len(bias), dtype=torch.float64)
            by_span.index_add_(0, index, all_terms)
            return _Attribution(
                logits.numpy(),
                unique.numpy(),
                by_span.numpy(),
                bias.numpy(),
                token_terms.numpy(),
                (logits - token_terms.sum(dim=0)).numpy(),
            )

    return attribute


def filter_windows(network: KimCNN) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Make a function that finds what each filter makes of a text.

    Parameters
    ----------
    network : KimCNN
        The network.

    Returns
    -------
    callable
        From the ids of a text, without padding, to the activations of the filters,
        (n_features,), float64, and the windows that won, (n_features, 2): the first token, and
        the one behind the last. Windows may reach beyond the text.
    """
    convs = _convs(network)

    def windows(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = _vectors_of(network, ids)
        activations, starts, stops = [], [], []
        with torch.no_grad():
            for kernel, bias in convs:
                values, first, _ = _winners(rows, kernel)
                activations.append(network.activation(values + bias))
                starts.append(first)
                stops.append(first + kernel.shape[2])
        bounds = torch.stack([torch.cat(starts), torch.cat(stops)], dim=1)
        return torch.cat(activations).numpy(), bounds.numpy()

    return windows


def _convs(network: KimCNN) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The kernels (F, D, k) and biases (F,), float64."""
    return [
        (conv.weight.detach().cpu().double(), conv.bias.detach().cpu().double())
        for conv in cast(list[Any], network.convs)
    ]


def _span(starts: torch.Tensor, size: int, n_tokens: int) -> torch.Tensor:
    """Windows as tokens of the text; (F, 2)."""
    return torch.stack([starts.clip(min=0), (starts + size).clip(max=n_tokens)], dim=1)


def _winners(
    rows: torch.Tensor, kernel: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Values and starts of the windows that win, (F,) each, and all products, (T, k, F)."""
    n_tokens, (n_filters, _, size) = len(rows), kernel.shape
    products = torch.einsum("td,fdk->tkf", rows, kernel)
    if not n_tokens:
        nothing = torch.zeros(n_filters, dtype=torch.float64)
        return nothing, nothing.long(), products
    sums = torch.zeros(n_tokens + size - 1, n_filters, dtype=torch.float64)
    for place in range(size):
        first = size - 1 - place
        sums[first : first + n_tokens] += products[:, place]
    values, windows = sums.max(dim=0)
    return values, windows - (size - 1), products


def _by_gradients(network: nn.Module) -> Callable[[np.ndarray], _Attribution]:
    try:
        from captum.attr import IntegratedGradients
    except ImportError as error:
        raise ImportError(
            "explain needs Captum for networks other than 'kim' without hidden units: "
            "pip install 'sktextcnn[explain]'."
        ) from error
    outputs = _of_vectors(network)

    def attribute(ids: np.ndarray) -> _Attribution:
        present = torch.from_numpy(ids != PADDING_ID)
        n_tokens = int(present.sum())
        vectors = _vectors_of(network, ids)[present][None]  # (1, T, D)
        with torch.no_grad():
            logits = outputs(vectors, present)[0].numpy()
        gradients = IntegratedGradients(lambda vectors: outputs(vectors, present))
        by_token = np.zeros((n_tokens, len(logits)))
        for column in range(len(logits) if n_tokens else 0):
            parts = gradients.attribute(
                vectors,
                target=column,
                n_steps=_STEPS,
                internal_batch_size=max(1, min(_STEPS, _TOKENS_AT_ONCE // n_tokens)),
            )
            by_token[:, column] = parts[0].sum(dim=1).detach().numpy()
        spans = np.stack([np.arange(n_tokens), np.arange(n_tokens) + 1], axis=1)
        remainder = logits - by_token.sum(axis=0)
        return _Attribution(logits, spans, by_token, remainder, by_token, remainder)

    return attribute


def _vectors_of(network: nn.Module, ids: np.ndarray) -> torch.Tensor:
    """The vectors of ids, of all channels; (T, D), float64."""
    embedding = cast(nn.Embedding, network.embedding)
    places = torch.from_numpy(ids.astype(np.int64)).to(embedding.weight.device)
    vectors = embedding.vectors if isinstance(embedding, WordEmbedding) else embedding
    with torch.no_grad():
        return vectors(places).cpu().double()


def _of_vectors(network: nn.Module) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The network as a function of its tokens' vectors."""
    reserved = _vectors_of(network, np.array([PADDING_ID, UNKNOWN_ID]))  # (2, D)
    tables = [
        value for name, value in network.state_dict(keep_vars=True).items() if _is_table(name)
    ]
    # The tables are not copied; they are replaced at once.
    inner = copy.deepcopy(network, {id(table): table for table in tables})
    embedding = cast(nn.Embedding, inner.embedding)
    embedding.weight = nn.Parameter(torch.zeros_like(reserved))
    embedding.sparse = False
    if isinstance(embedding, WordEmbedding):
        embedding.register_buffer("static", None)
    if isinstance(inner, KimCNN):
        # Products of words must not be remembered where their vectors change.
        inner.convolution = "dense"
    inner = inner.cpu().double().eval()

    def outputs(vectors: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Logits of vectors (B, T, D), where of all places those of tokens are known."""
        n_texts, n_tokens, dim = vectors.shape
        table = torch.cat([reserved, vectors.reshape(-1, dim)])
        embedding.num_embeddings = len(table)
        ids = torch.zeros(n_texts, len(present), dtype=torch.int64)
        ids[:, present] = torch.arange(len(reserved), len(table)).view(n_texts, n_tokens)
        return functional_call(inner, {"embedding.weight": table}, (ids,))

    return outputs


def _is_table(name: str) -> bool:
    return name.startswith("embedding.")
