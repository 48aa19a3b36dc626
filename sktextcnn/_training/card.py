"""The model card: what a classifier was trained on and when, and how good it is on other texts."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import sklearn
import torch
from scipy.special import log_expit, log_softmax

from sktextcnn._training.data import TrainingData
from sktextcnn._training.targets import Targets
from sktextcnn._version import __version__


def new_card(
    data: TrainingData, seconds: float, held_out: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Describe a training that has just ended.

    Parameters
    ----------
    data : TrainingData
        All texts that it was given. Those of weight 0 do not count.
    seconds : float
        How long it took.
    held_out : mapping or None, default=None
        What `held_out_scores` returned for texts that it was not trained on.

    Returns
    -------
    dict
        Plain JSON data, without texts.
    """
    targets = data.targets.encoded if data.weight is None else data.targets.encoded[data.weight > 0]
    n_classes = len(data.targets.classes)
    if data.targets.multilabel:
        counts = targets.sum(axis=0).astype(int)
    else:
        counts = np.bincount(targets, minlength=n_classes)
    return {
        "trained": datetime.now(UTC).isoformat(timespec="seconds"),
        "n_texts": len(targets),
        "class_counts": counts.tolist(),
        "seconds": round(seconds, 3),
        "versions": {
            "sktextcnn": __version__,
            "torch": str(torch.__version__),  # A subclass, which no reader of pickles should need.
            "scikit-learn": sklearn.__version__,
        },
        "held_out": None if held_out is None else dict(held_out),
    }


def continued_card(card: Mapping[str, Any], data: TrainingData, seconds: float) -> dict[str, Any]:
    """Describe a model that was trained on further texts, by the card that it had before.

    Texts and seconds are added, and what the user has added stays. The scores are left out, as
    those of other weights, and so is the name of the file, which has but a part of the texts.

    Parameters
    ----------
    card : mapping
        A card that `check_parts` accepts.
    data : TrainingData
        The further texts.
    seconds : float
        How long the training on them took.
    """
    new = new_card(data, card["seconds"] + seconds)
    counts = zip(card["class_counts"], new["class_counts"], strict=True)
    return {
        **{name: value for name, value in card.items() if name not in ("data", "test")},
        **new,
        "n_texts": card["n_texts"] + new["n_texts"],
        "class_counts": [before + more for before, more in counts],
    }


def held_out_scores(outputs: np.ndarray, targets: Targets) -> dict[str, Any]:
    """Measure a model on texts that it was not trained on; each text counts once.

    Parameters
    ----------
    outputs : ndarray of shape (n_texts, n_outputs)
        The logits of the texts.
    targets : Targets
        What is right.

    Returns
    -------
    dict
        `n_texts`; `accuracy`, the share of texts with the right class, or with all labels right;
        and `log_loss`, the mean over texts, and over labels if there are several. It is None if
        the outputs are not finite.
    """
    truth = targets.encoded
    if targets.multilabel:
        right = ((outputs > 0) == (truth > 0.5)).all(axis=1)
        losses = -np.where(truth > 0.5, log_expit(outputs), log_expit(-outputs)).mean(axis=1)
    else:
        right = outputs.argmax(axis=1) == truth
        losses = -log_softmax(outputs, axis=1)[np.arange(len(truth)), truth]
    loss = float(losses.mean())
    return {
        "n_texts": len(truth),
        "accuracy": float(right.mean()),
        "log_loss": loss if np.isfinite(loss) else None,
    }


def check_card(card: Any, n_classes: int) -> dict[str, Any]:
    """Return a card as JSON gives it back.

    Raises
    ------
    ValueError
        If it is not JSON data, or its counts are not those of the classes.
    """
    try:
        card = json.loads(json.dumps(card, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the model card is not JSON data: {error}") from None
    check_parts(card, n_classes)
    return card


def check_parts(card: Any, n_classes: int) -> None:
    """Raise a ValueError if a card lacks a part that a training writes, or has a wrong one."""
    if not isinstance(card, dict):
        raise ValueError("the model card is not a dict")
    counts = card.get("class_counts")
    if not isinstance(counts, list) or len(counts) != n_classes or not all(map(_is_count, counts)):
        raise ValueError("class_counts of the model card are not a count for each class")
    if not _is_count(card.get("n_texts")) or not isinstance(card.get("trained"), str):
        raise ValueError("the model card does not say on how many texts and when")
    if not isinstance(card.get("seconds"), int | float) or not isinstance(
        card.get("versions"), dict
    ):
        raise ValueError("the model card does not say in how many seconds and with which versions")
    for name in ("held_out", "test"):
        scores = card.get(name)
        if scores is not None and not _are_scores(scores):
            raise ValueError(
                f"{name} of the model card is not a dict of n_texts, accuracy and other numbers"
            )
    if not isinstance(card.get("data", ""), str):
        raise ValueError("data of the model card is not the name of a file")


def _are_scores(scores: Any) -> bool:
    if not isinstance(scores, dict) or not _is_count(scores.get("n_texts")):
        return False
    names = {"accuracy", "log_loss", "baseline_accuracy", "micro_f1", "baseline_micro_f1"}
    known = [scores[name] for name in names & set(scores)]
    is_number = [value is None or isinstance(value, int | float) for value in known]
    return isinstance(scores.get("accuracy"), int | float) and all(is_number)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
