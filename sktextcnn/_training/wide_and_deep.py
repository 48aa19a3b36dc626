"""How a network and a wide part become one model."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import reduce
from typing import Any, NamedTuple, cast

import numpy as np
import torch

from sktextcnn._data_parallel import by_first
from sktextcnn._network import output_layer
from sktextcnn._progress import waiting
from sktextcnn._training.card import held_out_scores
from sktextcnn._training.data import TrainingData, hold_out, is_predicted
from sktextcnn._training.net import TextNet, logits
from sktextcnn._training.rows import row_blocks
from sktextcnn._training.starting_weights import SourceModel, wide_of
from sktextcnn._wide import (
    PRIOR,
    PRIOR_OF_OTHER,
    STRENGTHS,
    Mixture,
    WideModel,
    fit_scales,
    fit_wide,
)

# The share of the epochs that a network needs which only serves to choose the mixture.
_FIRST_EPOCHS = 0.3
# But it has so many steps, unless the network to be mixed has fewer.
_LEAST_STEPS = 900
# Of the penalty where no texts are held out to choose it.
_STRENGTH = 10.0


class Choice(NamedTuple):
    """A mixture, and the scores that it has on the texts that it was chosen by."""

    mixture: Mixture
    scores: dict[str, Any]


def other_wide(sources: list[SourceModel], data: TrainingData) -> WideModel | None:
    """Return the wide part of a model that the network starts from, for the ids of the texts.

    None if there is none, or if it does not predict the texts, whose question may be another.
    """
    for source in sources:
        wide = wide_of(source, data.n_ids, data.words)
        if wide is not None and np.array_equal(source.classes, data.targets.classes):
            some = data.sampled()
            centered = wide.extended(wide, some.ids, some.weight)
            if is_predicted(some, centered.logits(some.ids)):
                return wide
    return None


def try_mixture(
    make_net: Callable[[], TextNet],
    data: TrainingData,
    n_epochs: int,
    n_frozen: int,
    seed: int,
    *,
    other: WideModel | None = None,
    progress: bool = False,
) -> Choice | None:
    """Choose how much both parts count by texts that a first network is not trained on.

    Parameters
    ----------
    make_net : callable
        Returns a network like the one to be mixed.
    data : TrainingData
        A part of it is held out.
    n_epochs : int
        For how many epochs the network to be mixed is trained. The first one has fewer.
    n_frozen : int
        For how many of them its word vectors are frozen.
    seed : int
        Chooses the texts that are held out.
    other : WideModel or None
        See `other_wide`.
    progress : bool, default=False
        Whether to show bars.

    Returns
    -------
    Choice or None
        None if there are too few texts.
    """
    parts = hold_out(_counted(data), seed)
    if parts is None:
        return None
    train, held_out = parts
    net = make_net()
    # Of a network that has learned little, nobody can tell how much it will count.
    epochs_of_steps = math.ceil(_LEAST_STEPS * net.batch_size / len(train.ids))
    of_first = max(round(n_epochs * _FIRST_EPOCHS), epochs_of_steps)
    # As many epochs as are frozen are not frozen.
    n_epochs = min(n_epochs, max(of_first, 2 * n_frozen))
    title = "TextCNN, to weigh the parts" if progress else None
    net.fit_epochs(train.to_dataset(net.device), n_epochs, title=title)
    return by_first(choose_mixture, net, train, held_out, other, progress=progress)


def choose_mixture(
    net: TextNet,
    train: TrainingData,
    held_out: TrainingData,
    other: WideModel | None = None,
    *,
    progress: bool = False,
) -> Choice:
    """Choose how much each part counts by the log loss of held-out texts.

    Parameters
    ----------
    net : TextNet
        A network that was trained on `train`.
    train, held_out : TrainingData
        The wide part is fitted to `train`, once for each strength of its penalty.
    other : WideModel or None
        See `other_wide`.
    progress : bool, default=False
        Whether to say what takes long.
    """
    train, held_out = _counted(train), _counted(held_out).sampled()
    targets, weight = held_out.targets.encoded, held_out.weight
    with waiting("Fitting the linear model, to weigh the parts", shown=progress):
        linear = [
            (strength, [wide.logits(held_out.ids) for wide in wides])
            for strength, wides in _wide_models(train, STRENGTHS, other)
        ]
    # Only now, as both take much memory.
    deep = logits(net, held_out.ids)
    found = []
    for strength, of_wides in linear:
        parts = [deep, *of_wides]
        prior = (*PRIOR, PRIOR_OF_OTHER)[: len(parts)]
        scales, loss = fit_scales(parts, targets, weight, prior)
        found.append((loss, strength, scales, parts))
    _, strength, scales, parts = min(found, key=lambda each: each[0])
    scores = held_out_scores(np.tensordot(scales, np.stack(parts), axes=1), held_out.targets)
    spread_of_deep = float(scales[0]) * _spread(net, train)
    return Choice(Mixture(strength, spread_of_deep, *scales[1:].tolist()), scores)


def _spread(net: TextNet, data: TrainingData) -> float:
    """How far apart the network's logits for texts are: their root mean square."""
    of_texts = np.empty(len(data.ids))
    for rows in row_blocks(data.ids):
        values = logits(net, data.ids[rows])
        if not data.targets.multilabel:
            values -= values.mean(axis=1, keepdims=True)
        of_texts[rows] = np.einsum("nc,nc->n", values, values) / values.shape[1]
    return float(np.sqrt(np.average(of_texts, weights=data.weight)))


def mix(
    net: TextNet,
    data: TrainingData,
    mixture: Mixture | None,
    other: WideModel | None = None,
    *,
    progress: bool = False,
) -> WideModel:
    """Fit a wide part to all texts, and scale it and the output layer of the network.

    Parameters
    ----------
    net : TextNet
        A network that was trained on `data`. Its output layer is changed.
    data : TrainingData
        All texts.
    mixture : Mixture or None
        None to have what is likely where there are too few texts to choose by.
    other : WideModel or None
        See `other_wide`. It becomes a part of the wide part.
    progress : bool, default=False
        Whether to say what takes long.

    Returns
    -------
    WideModel
        Its logits are to be added to those of the network.
    """
    data = _counted(data)
    strength = _STRENGTH if mixture is None else mixture.strength
    with waiting("Fitting the linear model", shown=progress):
        ((_, wides),) = _wide_models(data, (strength,), other)
    scale_of_deep, scales_of_wide = PRIOR[0], [PRIOR[1], PRIOR_OF_OTHER]
    if mixture is not None:
        _, spread_of_deep, *scales_of_wide = mixture
        # Logits that are all alike have no scale. Only now, as both take much memory.
        scale_of_deep = spread_of_deep / (_spread(net, data) or 1.0)
    layer = output_layer(net.module_)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(scale_of_deep)
    scaled = [wide.scaled(scale) for wide, scale in zip(wides, scales_of_wide, strict=False)]
    return reduce(WideModel.plus, scaled).of_mixture(mixture)


def _counted(data: TrainingData) -> TrainingData:
    """The texts of positive weight, with weights that can be taken for numbers of copies.

    Weights whose mean is less than 1 count for nothing beside a penalty, so their mean becomes 1.
    The network does not know the scale of weights.
    """
    if data.weight is None:
        return data
    data = data[data.weight > 0]
    weight = cast(np.ndarray, data.weight)
    return replace(data, weight=weight / min(1.0, weight.mean()))


def _wide_models(
    data: TrainingData, strengths: tuple[float, ...], other: WideModel | None
) -> Iterator[tuple[float, list[WideModel]]]:
    """The wide part for each strength, followed by the other model with the same n-grams."""
    n_classes, data = len(data.targets.classes), data.sampled()
    models = fit_wide(data.ids, data.targets.encoded, n_classes, data.weight, strengths, other)
    for strength, wide in models:
        others = [] if other is None else [other.extended(wide, data.ids, data.weight)]
        yield strength, [wide, *others]
