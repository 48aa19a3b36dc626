"""Compare the engine with two other ways to compute the same network."""

from typing import Any

import numpy as np
import torch
from settings import TOLERANCE
from sklearn.base import clone
from torch.nn import functional

from sktextcnn import TextCNNClassifier

_TEXTS_ONE_BY_ONE = 200
_TEXTS_OF_A_CLASS = 20


def largest_difference(model: TextCNNClassifier, X: Any, y: np.ndarray) -> float:
    """Return the largest difference of probabilities from those of dense convolutions.

    Parameters
    ----------
    model : TextCNNClassifier
        Fitted with the default architecture.
    X : TokenIds of shape (n_texts, n_tokens)
        All are compared with ``convolution="dense"``, some also with a plain loop over texts.
    y : ndarray of shape (n_texts,)
        Labels.

    Raises
    ------
    AssertionError
        If the difference is larger than the tolerance.
    """
    # Otherwise the convolutions of cuDNN round to the 11 bits of TF32.
    torch.backends.cudnn.allow_tf32 = False
    found = model.predict_proba(X)
    n_plain = min(_TEXTS_ONE_BY_ONE, len(X))
    differences = [
        np.abs(_dense(model, X, y).predict_proba(X) - found).max(),
        np.abs(_text_by_text(model, np.asarray(X[:n_plain])) - found[:n_plain]).max(),
    ]
    largest = float(max(differences))
    if not largest <= TOLERANCE:
        raise AssertionError(
            f"Probabilities differ by {differences[0]:.2g} from the dense convolution and by "
            f"{differences[1]:.2g} from plain torch; at most {TOLERANCE:g} is allowed."
        )
    return largest


def _dense(model: TextCNNClassifier, X: Any, y: np.ndarray) -> TextCNNClassifier:
    """Return a model with the same weights and torch's convolution."""
    some = np.concatenate([np.flatnonzero(y == c)[:_TEXTS_OF_A_CLASS] for c in model.classes_])
    dense = clone(model).set_params(convolution="dense", max_epochs=1).fit(X[some], y[some])
    dense.net_.module_.load_state_dict(model.net_.module_.state_dict())
    return dense


@torch.no_grad()
def _text_by_text(model: TextCNNClassifier, ids: np.ndarray) -> np.ndarray:
    """Return the probabilities of one text at a time, without padding and masks."""
    weights = {name: w.double().cpu() for name, w in model.net_.module_.state_dict().items()}
    probabilities = []
    for row in ids:
        tokens = torch.from_numpy(row[row != 0] if row.any() else row[:1]).long()
        vectors = weights["embedding.weight"][tokens].T  # (D, T)
        pooled = []
        for i in range(len(model.net_.module_.convs)):
            weight = weights[f"convs.{i}.weight"]
            values = functional.conv1d(
                vectors[None], weight, weights[f"convs.{i}.bias"], padding=weight.shape[2] - 1
            )
            pooled.append(values[0].relu().max(dim=1).values)
        logits = weights["head.1.weight"] @ torch.cat(pooled) + weights["head.1.bias"]
        probabilities.append(logits.softmax(dim=0).numpy())
    return np.array(probabilities)
