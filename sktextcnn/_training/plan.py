"""What a net is built from."""

from dataclasses import dataclass
from typing import Any

from torch import nn

#: The parameters of TextCNNClassifier that a net is built with, and that are stored with it.
SETTINGS = (
    "finetune",
    "optimizer",
    "learning_rate",
    "finetune_lr",
    "lr_schedule",
    "weight_decay",
    "max_norm",
    "batch_size",
    "shuffle",
    "tol",
    "callbacks",
    "precision",
)


def settings_of(estimator: Any, multilabel: bool) -> dict[str, Any]:
    """Return the parameters of training of an estimator.

    Returns
    -------
    dict
        The parameters of `SETTINGS`; `multilabel`, whether targets are an indicator matrix; and
        `patience`, for how many epochs early stopping waits, or None.
    """
    patience = int(estimator.n_iter_no_change) if estimator.early_stopping else None
    settings = {name: getattr(estimator, name) for name in SETTINGS}
    return {**settings, "multilabel": multilabel, "patience": patience}


@dataclass(frozen=True)
class NetPlan:
    """All that a net is built from, and that is stored beside its weights.

    Attributes
    ----------
    network : type of nn.Module
        The class of the network.
    network_params : dict
        What it is called with.
    settings : dict
        What `settings_of` returned.
    """

    network: type[nn.Module]
    network_params: dict[str, Any]
    settings: dict[str, Any]
