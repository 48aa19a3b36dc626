"""How a network and a wide part become one model."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch

from sktextcnn._network import output_layer
from sktextcnn._training.data import TrainingData, hold_out
from sktextcnn._training.net import TextNet, logits
from sktextcnn._wide import PRIOR, STRENGTHS, Mixture, WideModel, fit_scales, fit_wide

# The share of the epochs that a network needs which only serves to choose the mixture.
_FIRST_EPOCHS = 0.4
# But it has so many steps, unless the network to be mixed has fewer.
_LEAST_STEPS = 1200
# Of the penalty where no texts are held out to choose it.
_STRENGTH = 10.0


def try_mixture(
    make_net: Callable[[], TextNet],
    data: TrainingData,
    n_epochs: int,
    seed: int,
    *,
    progress: bool = False,
) -> Mixture | None:
    """Choose how much both parts count by texts that a first network is not trained on.

    Parameters
    ----------
    make_net : callable
        Returns a network like the one to be mixed.
    data : TrainingData
        A part of it is held out.
    n_epochs : int
        For how many epochs the network to be mixed is trained. The first one has fewer.
    seed : int
        Chooses the texts that are held out.
    progress : bool, default=False
        Whether to show a bar.

    Returns
    -------
    Mixture or None
        None if there are too few texts.
    """
    parts = hold_out(data, seed)
    if parts is None:
        return None
    train, held_out = parts
    net = make_net()
    # Of a network that has learned little, nobody can tell how much it will count.
    epochs_of_steps = math.ceil(_LEAST_STEPS * net.batch_size / len(train.ids))
    n_epochs = min(n_epochs, max(round(n_epochs * _FIRST_EPOCHS), epochs_of_steps))
    net.fit_epochs(train.to_dataset(net.device), n_epochs, progress=progress)
    return choose_mixture(net, train, held_out)


def choose_mixture(net: TextNet, train: TrainingData, held_out: TrainingData) -> Mixture:
    """Choose how much both parts count by the log loss of held-out texts.

    Parameters
    ----------
    net : TextNet
        A network that was trained on `train`.
    train, held_out : TrainingData
        The wide part is fitted to `train`, once for each strength of its penalty.
    """
    targets, weight = held_out.targets.encoded, held_out.weight
    deep = logits(net, held_out.ids)
    found = []
    for strength, wide in _wide_models(train, STRENGTHS):
        scales, loss = fit_scales([deep, wide.logits(held_out.ids)], targets, weight)
        found.append((loss, strength, scales))
    _, strength, scales = min(found, key=lambda each: each[0])
    return Mixture(strength, float(scales[0]) * _spread(net, train), float(scales[1]))


def _spread(net: TextNet, data: TrainingData) -> float:
    """How far apart the network's logits for texts are: their root mean square."""
    values = logits(net, data.ids)
    if not data.targets.multilabel:
        values -= values.mean(axis=1, keepdims=True)
    of_texts = (values**2).mean(axis=1)
    return float(np.sqrt(np.average(of_texts, weights=data.weight)))


def mix(net: TextNet, data: TrainingData, mixture: Mixture | None) -> WideModel:
    """Fit a wide part to all texts, and scale it and the output layer of the network.

    Parameters
    ----------
    net : TextNet
        A network that was trained on `data`. Its output layer is changed.
    data : TrainingData
        All texts.
    mixture : Mixture or None
        None to have what is likely where there are too few texts to choose by.

    Returns
    -------
    WideModel
        Its logits are to be added to those of the network.
    """
    spread = _spread(net, data)
    if mixture is None:
        mixture = Mixture(_STRENGTH, PRIOR[0] * spread, PRIOR[1])
    # Logits that are all alike have no scale.
    scale_of_deep = mixture.spread_of_deep / (spread or 1.0)
    ((_, wide),) = _wide_models(data, (mixture.strength,))
    layer = output_layer(net.module_)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(scale_of_deep)
    return wide.mixed(mixture)


def _wide_models(
    data: TrainingData, strengths: tuple[float, ...]
) -> Iterator[tuple[float, WideModel]]:
    if data.weight is not None:
        data = data[data.weight > 0]
    n_classes = len(data.targets.classes)
    return fit_wide(data.ids, data.targets.encoded, n_classes, data.weight, strengths)
