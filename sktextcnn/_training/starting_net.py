"""A new net with its starting weights, from the parameters of an estimator and its data."""

import numbers
import warnings
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from sktextcnn._network import check_network, check_scalable, network_class
from sktextcnn._training.build import build_net
from sktextcnn._training.data import TrainingData, is_predicted
from sktextcnn._training.dataset import TokenDataset
from sktextcnn._training.net import TextNet, logits
from sktextcnn._training.plan import NetPlan, settings_of
from sktextcnn._training.starting_weights import SourceModel, copy_weights, fill_embedding, head_of

_RANDOM_DIM = 300
# Given vectors already know words that are dropped; random ones learn from every occurrence.
_TOKEN_DROPOUT, _TOKEN_DROPOUT_OF_RANDOM = 0.2, 0.1


def new_net(
    estimator: Any,
    data: TrainingData,
    sources: list[SourceModel],
    validation: TokenDataset | None,
    device: str,
    seed: int,
    *,
    scalable: bool = False,
) -> tuple[TextNet, str]:
    """Make the net of a training.

    Parameters
    ----------
    estimator : TextCNNClassifier
        Its parameters say what to make.
    data : TrainingData
        What to train on.
    sources : list of SourceModel
        The models whose weights the net starts from; a later one overwrites an earlier one.
    validation : TokenDataset or None
        What to compute the validation loss on.
    device : str
        Where to train.
    seed : int
        Of random word vectors. Other weights are drawn by torch's generator.
    scalable : bool, default=False
        Whether to raise an error if its output layer does not scale its logits.

    Returns
    -------
    net : TextNet
        Ready for ``fit_epochs``.
    embedding_source : str
        Where its word vectors came from.
    """
    start = sources[-1] if sources else None
    plan, vector_size = _plan(estimator, data, start)
    net = _started(plan, vector_size, data, sources, validation, device, seed)
    if scalable:
        _check_scalable(net, data)
    if start is not None:
        came_from = "pretrained" if start.purpose == "pretrained" else start.embedding_source
    elif data.table is None or data.vectors is None:
        came_from = "random"
    else:
        came_from = data.table.source or "vectors"
    return net, came_from


def first_net(
    estimator: Any, data: TrainingData, sources: list[SourceModel], device: str, seed: int
) -> TextNet:
    """Make a net that has never seen the texts and is unknown to callbacks of the user.

    The parameters are those of `new_net`.
    """
    sources = [source for source in sources if source.purpose == "pretrained"]
    plan, vector_size = _plan(estimator, data, sources[-1] if sources else None)
    plan = replace(plan, settings={**plan.settings, "callbacks": None})
    net = _started(plan, vector_size, data, sources, None, device, seed)
    _check_scalable(net, data)
    return net


def _check_scalable(net: TextNet, data: TrainingData) -> None:
    check_scalable(net.module_, torch.tensor(data.ids[:2], device=net.device))


def _started(
    plan: NetPlan,
    vector_size: int,
    data: TrainingData,
    sources: list[SourceModel],
    validation: TokenDataset | None,
    device: str,
    seed: int,
) -> TextNet:
    net = build_net(plan, validation=validation, device=device)
    check_network(net.module_, data.n_ids, vector_size)
    fill_embedding(cast(nn.Embedding, net.module_.embedding), data.vectors, seed)
    for source in sources:
        copy_weights(source, net.module_, data.words)
        if source.purpose == "pretrained" and np.array_equal(source.classes, data.targets.classes):
            _try_head(source, net, data)
    return net


def _try_head(source: SourceModel, net: TextNet, data: TrainingData) -> None:
    """Take the head of a model too, if it predicts the texts, whose question may be another."""
    head = head_of(source, net.module_)
    if not head:
        return
    state = net.module_.state_dict()
    before = {name: state[name].clone() for name in head}
    net.module_.load_state_dict(head, strict=False)
    some = data.sampled()
    if not is_predicted(some, logits(net, some.ids)):
        net.module_.load_state_dict(before, strict=False)


def _plan(estimator: Any, data: TrainingData, start: SourceModel | None) -> tuple[NetPlan, int]:
    """The plan, and the size of word vectors."""
    vector_size = _vector_size(estimator.embedding_dim, data, start)
    is_random = data.vectors is None and (start is None or start.embedding_source == "random")
    token_dropout = estimator.token_dropout
    if token_dropout is None:
        token_dropout = _TOKEN_DROPOUT_OF_RANDOM if is_random else _TOKEN_DROPOUT
    chosen = {
        "kernel_sizes": _checked_kernel_sizes(estimator.kernel_sizes),
        "num_filters": estimator.num_filters,
        "hidden_units": estimator.hidden_units,
        "multichannel": True if estimator.finetune == "multichannel" else None,
    }
    others = {
        "num_embeddings": data.n_ids,
        "embedding_dim": vector_size,
        "num_outputs": len(data.targets.classes),
        "activation": estimator.activation,
        "dropout": estimator.dropout,
        "token_dropout": token_dropout,
        "convolution": estimator.convolution,
        "pool_size": estimator.pool_size,
    }
    chosen = {name: value for name, value in chosen.items() if value is not None}
    # Numbers of NumPy and enumerations would be stored as what they are.
    chosen, others = (
        {name: _builtin_number(value) for name, value in each.items()} for each in (chosen, others)
    )
    network, params = network_class(estimator.architecture, chosen, others)
    plan = NetPlan(network, params, settings_of(estimator, data.targets.multilabel))
    return plan, vector_size


def _builtin_number(value: Any) -> Any:
    if isinstance(value, bool | str) or not isinstance(value, numbers.Real):
        return value
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def _vector_size(embedding_dim: int | None, data: TrainingData, start: SourceModel | None) -> int:
    if data.vectors is not None:
        return data.vectors.shape[1]
    if start is not None and embedding_dim is None:
        return start.embedding_dim
    return embedding_dim or _RANDOM_DIM


def _checked_kernel_sizes(sizes: Any) -> tuple[int, ...] | None:
    if sizes is None:
        return None
    if not len(sizes) or not all(
        isinstance(size, int | np.integer) and not isinstance(size, bool) and size >= 1
        for size in sizes
    ):
        raise ValueError(
            f"kernel_sizes must be a sequence of at least one int of at least 1; got {sizes!r}."
        )
    return tuple(int(size) for size in sizes)


def frozen_epochs(finetune: bool | int | str) -> int:
    """For how many epochs an int `finetune` keeps the word vectors frozen, else 0."""
    is_number = isinstance(finetune, int | np.integer) and not isinstance(finetune, bool)
    return int(finetune) if is_number else 0


def warn_of_random(
    finetune: bool | int | str, data: TrainingData, sources: list[SourceModel]
) -> None:
    """Warn if word vectors are to be frozen that are random."""
    if data.vectors is not None or sources:
        return
    if finetune == "gradual" or (isinstance(finetune, bool | np.bool_) and bool(finetune)):
        return
    if finetune == "multichannel":
        result = "one random copy stays frozen, the other is trained"
    elif frozen_epochs(finetune):
        result = f"random vectors stay frozen for {frozen_epochs(finetune)} epochs"
    else:
        result = "random vectors stay frozen"
    warnings.warn(
        f"finetune={finetune!r} needs word vectors, but X has none: {result}. "
        f"Give TextVectorizer its embeddings and the classifier what it returns, "
        f"or set finetune=True.",
        UserWarning,
        stacklevel=3,
    )
