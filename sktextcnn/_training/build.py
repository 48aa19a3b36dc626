"""A net from its network and the parameters of training."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from skorch.callbacks import Callback
from skorch.helper import predefined_split
from torch import nn

from sktextcnn._network import WordEmbedding, torchs_generators
from sktextcnn._training.callbacks import (
    LinearDecay,
    MaxNorm,
    check_callbacks,
    copies,
    early_stopping,
    freezing,
    sees_gradients,
)
from sktextcnn._training.dataset import Batches, TokenDataset
from sktextcnn._training.net import TextNet, learning_rates
from sktextcnn._training.plan import NetPlan
from sktextcnn._training.row_adam import RowAdam

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": RowAdam,
    "adamw": torch.optim.AdamW,
    "adadelta": torch.optim.Adadelta,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}

_FUSED = {"adam", "adamw", "adagrad", "sgd"}


def build_net(
    plan: NetPlan,
    *,
    make_network: Callable[[], nn.Module] | None = None,
    validation: TokenDataset | None = None,
    device: str = "cpu",
) -> TextNet:
    """Make a net, ready for ``fit_epochs``.

    Parameters
    ----------
    plan : NetPlan
        The network and the parameters of training.
    make_network : callable or None
        Returns the network if it has its weights already.
    validation : TokenDataset or None
        What to compute the validation loss on.
    device : str, default="cpu"
        Where to train.
    """
    settings = plan.settings
    # A net that is restored is not trained yet.
    if make_network is None:
        callbacks, schedule = settings["callbacks"], settings["lr_schedule"]
        check_callbacks(callbacks, schedule, has_validation=validation is not None)
    steps = _callbacks(settings)
    multilabel = settings["multilabel"]
    net = TextNet(
        plan.network,
        **{f"module__{name}": value for name, value in plan.network_params.items()},
        criterion=nn.BCEWithLogitsLoss if multilabel else nn.CrossEntropyLoss,
        criterion__reduction="none",
        predict_nonlinearity=torch.sigmoid if multilabel else "auto",
        **_optimizer(settings["optimizer"], settings["weight_decay"]),
        **learning_rates(settings),
        batch_size=settings["batch_size"],
        dataset=TokenDataset,
        iterator_train=Batches,
        iterator_train__shuffle=settings["shuffle"],
        iterator_valid=Batches,
        train_split=None if validation is None else predefined_split(validation),
        callbacks=steps,
        verbose=0,
        precision=settings["precision"],
        device=device,
    )
    net.plan = plan
    net.make_network = make_network
    # Constructors of torch's layers draw their weights.
    with torchs_generators():
        net.initialize()
    embedding = getattr(net.module_, "embedding", None)
    lazy = (
        settings["optimizer"] == "adam"
        and not settings["weight_decay"]
        and not any(map(sees_gradients, steps))
    )
    if lazy and isinstance(embedding, WordEmbedding):
        # Weight decay has gradients for every row, and clipping does not know sparse ones.
        embedding.sparse = True
    return net


def _callbacks(settings: Mapping[str, Any]) -> list[Any]:
    steps: list[Callback] = freezing(settings["finetune"])
    if settings["lr_schedule"] == "linear":
        steps.append(LinearDecay())
    if settings["max_norm"] is not None:
        steps.append(MaxNorm(settings["max_norm"]))
    steps += copies(settings["callbacks"])
    if settings["patience"] is not None:
        steps.append(early_stopping(settings["patience"], settings["tol"]))
    return steps


def _optimizer(optimizer: str | type[torch.optim.Optimizer], weight_decay: float) -> dict[str, Any]:
    params: dict[str, Any] = {}
    if isinstance(optimizer, str):
        # One pass over each parameter, some ten times faster for the embedding.
        params = {"optimizer__fused": True} if optimizer in _FUSED else {}
        optimizer = OPTIMIZERS[optimizer]
    if not issubclass(optimizer, torch.optim.Optimizer):
        raise TypeError(
            f"optimizer must be {', '.join(map(repr, OPTIMIZERS))} or a subclass of "
            f"torch.optim.Optimizer; got {optimizer!r}."
        )
    if weight_decay:
        params["optimizer__weight_decay"] = weight_decay
    return {"optimizer": optimizer, **params}
