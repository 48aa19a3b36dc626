"""The training of the network with a wide part beside it, and of how much each counts."""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

from sktextcnn._network import output_layer
from sktextcnn._training.data import TrainingData, hold_out
from sktextcnn._training.net import TextNet, logits
from sktextcnn._wide import PRIOR, STRENGTHS, WideModel, fit_scales, fit_wide

# The share of the epochs, and of the learning rates, of the last phase, which has all texts.
_LAST_EPOCHS, _LAST_RATES = 1 / 3, 0.5
# Of the penalty where no texts are held out to choose it.
_STRENGTH = 10.0


def fit_wide_and_deep(
    net: TextNet,
    data: TrainingData,
    validation: TrainingData | None,
    n_epochs: int,
    seed: int,
    *,
    progress: bool = False,
) -> WideModel:
    """Train a network and a wide part, whose logits are to be added.

    Both are trained on one part of the texts. On the other, the penalty of the wide part and the
    scales of both parts' logits are chosen by log loss. Then the wide part is fitted again on all
    texts, and the network is trained on all of them for some last epochs.

    Parameters
    ----------
    net : TextNet
        The network, with its starting weights. Its output layer is scaled in the end.
    data : TrainingData
        The texts to train on. If there is no `validation`, some of them are held out at first.
    validation : TrainingData or None
        Other texts to choose by, which are not trained on.
    n_epochs : int
        Number of epochs in total.
    seed : int
        Chooses the texts that are held out.
    progress : bool, default=False
        Whether to show bars.

    Returns
    -------
    WideModel
        The wide part, scaled.
    """
    train, held_out, n_last = data, validation, 0
    if validation is None and (parts := hold_out(data, seed)) is not None:
        train, held_out = parts
        n_last = round(n_epochs * _LAST_EPOCHS)
    net.fit_epochs(train.to_dataset(net.device), n_epochs - n_last, progress=progress)
    strength, scales = _choice(net, train, held_out)
    if n_last:
        with _lower_rates(net):
            net.fit_epochs(data.to_dataset(net.device), n_last, progress=progress)
    ((_, wide),) = _models(data, (strength,))
    layer = output_layer(net.module_)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(float(scales[0]))
    return wide.scaled(float(scales[1]))


def _choice(
    net: TextNet, train: TrainingData, held_out: TrainingData | None
) -> tuple[float, np.ndarray]:
    """The strength of the penalty, and the scales of the network and of the wide part."""
    if held_out is None:
        return _STRENGTH, np.array(PRIOR)
    targets, weight = held_out.targets.encoded, held_out.weight
    deep = logits(net, held_out.ids)
    found = []
    for strength, wide in _models(train, STRENGTHS):
        scales, loss = fit_scales([deep, wide.logits(held_out.ids)], targets, weight)
        found.append((loss, strength, scales))
    _, strength, scales = min(found, key=lambda each: each[0])
    return strength, scales


def _models(data: TrainingData, strengths: tuple[float, ...]) -> Iterator[tuple[float, WideModel]]:
    if data.weight is not None:
        data = data[data.weight > 0]
    n_classes = len(data.targets.classes)
    return fit_wide(data.ids, data.targets.encoded, n_classes, data.weight, strengths)


@contextlib.contextmanager
def _lower_rates(net: TextNet) -> Iterator[None]:
    groups = net.optimizer_.param_groups
    before = [group["lr"] for group in groups]
    for group, rate in zip(groups, before, strict=True):
        group["lr"] = rate * _LAST_RATES
    try:
        yield
    finally:
        for group, rate in zip(groups, before, strict=True):
            group["lr"] = rate
