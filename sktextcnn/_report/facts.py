"""What a model is: how it was trained, its parameters, its size."""

import os
import re
import reprlib
from typing import Any

import sklearn
import torch

from sktextcnn._classifier import TextCNNClassifier
from sktextcnn._text import build_analyzer, tokenize
from sktextcnn._vectorizer import TextVectorizer
from sktextcnn._version import __version__

_shortening = reprlib.Repr()
_shortening.maxstring = _shortening.maxother = 60
# Paths of the machine that trained the model are nobody's business; the vectors are named.
_NOT_SHOWN = ("embeddings", "verbose", "device", "callbacks")
_N_MISSING = 30


def changed_parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters that differ from their defaults."""
    defaults = type(estimator)().get_params(deep=False)
    params = estimator.get_params(deep=False)
    return {name: value for name, value in params.items() if not _same(value, defaults[name])}


def parameters(estimator: Any) -> list[tuple[str, str]]:
    """Return those of the changed parameters that a page shows, with their values as text."""
    found = []
    for name, value in changed_parameters(estimator).items():
        if name in _NOT_SHOWN:
            continue
        if name == "pretrained" and isinstance(value, str | os.PathLike):
            value = os.path.basename(value)
        # Objects without a repr of their own have their address.
        found.append((name, re.sub(" at 0x[0-9a-f]+", "", _shortening.repr(value))))
    return found


def _same(value: Any, default: Any) -> bool:
    try:
        return bool(value == default)
    except ValueError:  # Arrays.
        return False


def _card(card: Any) -> dict[str, Any]:
    """Return the card of a model, with None for what it does not have."""
    names = ("trained", "n_texts", "class_counts", "seconds", "versions", "data")
    found = {name: (card or {}).get(name) for name in names}
    scores = ("n_texts", "accuracy", "baseline_accuracy", "micro_f1", "log_loss")
    for part in ("held_out", "test"):
        given = (card or {}).get(part)
        found[part] = None if given is None else {name: given.get(name) for name in scores}
    return found


def about_model(vectorizer: TextVectorizer, classifier: TextCNNClassifier) -> dict[str, Any]:
    """Return what a page says about a model.

    Parameters
    ----------
    vectorizer, classifier
        Fitted.
    """
    network, wide = classifier.net_.module_, classifier._wide
    table = vectorizer.token_table_
    return {
        "has_card": bool(getattr(classifier, "card_", None)),
        "card": _card(getattr(classifier, "card_", None)),
        "architecture": getattr(classifier.architecture, "__name__", classifier.architecture),
        "n_parameters": sum(each.numel() for each in network.parameters()),
        "n_wide": None if wide is None else int(wide.coef.size + wide.intercept.size),
        "n_words": len(table.words) - 2,
        "vector_size": network.embedding.embedding_dim,
        "source": classifier.embedding_source_,
        "max_length": vectorizer.max_length_,
        "from_end": vectorizer.truncating == "pre",
        "coverage": vectorizer.coverage_,
        "n_epochs": classifier.n_iter_,
        "parameters": [
            ("TextVectorizer", parameters(vectorizer)),
            ("TextCNNClassifier", parameters(classifier)),
        ],
        "versions": {
            "sktextcnn": __version__,
            "torch": torch.__version__,
            "scikit-learn": sklearn.__version__,
        },
    }


def token_counts(vectorizer: TextVectorizer, texts: list[str]) -> dict[str, Any]:
    """Return how many tokens of texts the model knows and reads.

    Parameters
    ----------
    vectorizer : TextVectorizer
        Fitted.
    texts : list of str
        At least one text.
    """
    analyzer = build_analyzer(**vectorizer._analysis())
    known = vectorizer.vocabulary_
    n_tokens = n_read = n_longer = n_known = 0
    unknown: dict[str, int] = {}
    for text in texts:
        tokens = tokenize(text, analyzer)
        n_tokens += len(tokens)
        n_read += min(len(tokens), vectorizer.max_length_)
        n_longer += len(tokens) > vectorizer.max_length_
        for token in tokens:
            if token in known:
                n_known += 1
            else:
                unknown[token] = unknown.get(token, 0) + 1
    most = sorted(unknown.items(), key=lambda item: (-item[1], item[0]))[:_N_MISSING]
    return {
        "n_texts": len(texts),
        "n_tokens": n_tokens,
        "known": n_known / n_tokens if n_tokens else None,
        "unknown": most,
        "longer": n_longer / len(texts),
        "cut_off": 1 - n_read / n_tokens if n_tokens else 0.0,
    }
