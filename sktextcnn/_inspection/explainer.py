"""explain: what each piece of a text adds to the logit of each class."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from scipy import special

from sktextcnn._inspection.attribution import Attribution
from sktextcnn._inspection.exact import exact_terms, has_exact_terms
from sktextcnn._inspection.explanation import Explanation
from sktextcnn._inspection.gradients import integrated_gradients
from sktextcnn._inspection.wide_terms import with_wide_terms
from sktextcnn._network import single_thread
from sktextcnn._pipeline import fitted_parts
from sktextcnn._text import Documents, Token, read_texts, token_finder
from sktextcnn._token_ids import UNKNOWN_ID
from sktextcnn._vectorizer import TextVectorizer

EXACT = "exact"
INTEGRATED_GRADIENTS = "integrated gradients"

_TEXTS_AT_ONCE = 1000


def explain(model: Any, texts: Iterable[str], *, method: str = "auto") -> list[Explanation]:
    """Explain the predictions of a fitted Pipeline.

    Parameters
    ----------
    model : Pipeline
        A fitted Pipeline of a `TextVectorizer` and a `TextCNNClassifier`, or a search over
        one.
    texts : iterable of str
        The texts, read once.
    method : {"auto", "exact", "integrated gradients"}, default="auto"
        - "exact" returns the terms of the logit itself. It needs architecture "kim" without
          hidden units. With ``wide=True``, an n-gram has the terms of both parts.
        - "integrated gradients" attributes the logit to tokens, by Captum (extra `explain`), along
          the path from zero vectors in 64 steps. It takes any network.
        - "auto" is "exact" where that is possible, else "integrated gradients".

    Returns
    -------
    list of Explanation
        One for each text.

    Raises
    ------
    ImportError
        If integrated gradients are needed and Captum is not installed.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model is of another type, or `texts` is not an iterable of str.
    ValueError
        If `method` is not one of the three, or is "exact" and the network has hidden units or
        another architecture.

    See Also
    --------
    ExplanationDisplay : Draws the strongest n-grams of a text.
    top_ngrams : Sums explanations over a corpus.

    Notes
    -----
    All models are explained in double precision. The logits of a bfloat16 model therefore differ
    from those of ``decision_function`` by the rounding of the latter.

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
    network = classifier.net_.module_
    method = _method_for(network, method)
    attribute: Callable[[Sequence[np.ndarray]], list[Attribution]]
    if method == EXACT:
        attribute = exact_terms(network)
    else:
        attribute = integrated_gradients(network, lambda ids: _padded(ids, vectorizer))
    find = token_finder(vectorizer._analysis())
    id_of = vectorizer.vocabulary_.get
    explanations: list[Explanation] = []
    remaining = read_texts(texts)
    while chunk := list(islice(remaining, _TEXTS_AT_ONCE)):
        tokens = [_truncated(find(text), vectorizer) for text in chunk]
        ids = [
            np.array([id_of(token, UNKNOWN_ID) for token, _, _ in each], dtype=np.int32)
            for each in tokens
        ]
        with single_thread(), torch.inference_mode(False), torch.enable_grad():
            attributions = attribute(ids)
        wide = classifier._wide
        if wide is not None:
            attributions = [
                with_wide_terms(each, of_text, wide)
                for each, of_text in zip(attributions, ids, strict=True)
            ]
        logits = np.stack([each.logits for each in attributions])
        multilabel = classifier.net_.multilabel
        probabilities = special.expit(logits) if multilabel else special.softmax(logits, axis=1)
        explanations += (
            _explanation(*each, classifier.classes_, method, multilabel)
            for each in zip(chunk, tokens, attributions, probabilities, strict=True)
        )
    return explanations


def _method_for(network: Any, method: str) -> str:
    """Choose the method, or raise a ValueError if it is not possible."""
    if method not in ("auto", EXACT, INTEGRATED_GRADIENTS):
        raise ValueError(
            f"method must be 'auto', 'exact' or 'integrated gradients'; got {method!r}."
        )
    if method == EXACT and not has_exact_terms(network):
        raise ValueError(
            "method='exact' is for architecture='kim' without hidden_units, where logits are "
            "sums over n-grams. Use method='integrated gradients'."
        )
    if method == "auto":
        return EXACT if has_exact_terms(network) else INTEGRATED_GRADIENTS
    return method


def _truncated(tokens: list[Token], vectorizer: TextVectorizer) -> list[Token]:
    """The tokens that the network sees."""
    width = vectorizer.max_length_
    return tokens[:width] if vectorizer.truncating == "post" else tokens[-width:]


def _padded(ids: np.ndarray, vectorizer: TextVectorizer) -> np.ndarray:
    """The ids of a text as the vectorizer pads them; (max_length_,)."""
    documents = Documents()
    documents.append(ids.tolist())
    width = vectorizer.max_length_
    return documents.padded(width, vectorizer.padding, vectorizer.truncating)[0]


def _explanation(
    text: str,
    tokens: list[Token],
    attribution: Attribution,
    probabilities: np.ndarray,
    classes: np.ndarray,
    method: str,
    multilabel: bool,
) -> Explanation:
    """Give an attribution its places in the text."""
    token_spans = np.array([token[1:] for token in tokens], dtype=int).reshape(-1, 2)
    first, last = attribution.spans[:, 0], attribution.spans[:, 1] - 1
    return Explanation(
        text=text,
        classes=classes,
        logits=attribution.logits,
        probabilities=probabilities,
        spans=np.stack([token_spans[first, 0], token_spans[last, 1]], axis=1),
        span_tokens=attribution.spans,
        contributions=attribution.contributions,
        remainder=attribution.remainder,
        tokens=tuple(token for token, _, _ in tokens),
        token_spans=token_spans,
        token_contributions=attribution.token_contributions,
        token_remainder=attribution.token_remainder,
        method=method,
        multilabel=multilabel,
    )
