"""A trained net as plain arrays and settings, and the net that they make again."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from sktextcnn._network import ARCHITECTURES
from sktextcnn._token_ids import RESERVED_WORDS, TokenTable
from sktextcnn._training.net import Settings, TextNet, build_net, seeded

_TABLES = "embedding."


def stored_net(net: TextNet, table: TokenTable | None) -> dict[str, Any]:
    """Describe a net by what does not depend on the versions of torch and skorch.

    Parameters
    ----------
    net : TextNet
        A trained net, on any device.
    table : TokenTable or None
        What it was trained with. Rows of its vectors that training has left as they were are not
        stored again: all of them if they were frozen, else those of words that no text had.

    Returns
    -------
    dict
        `architecture`, a name or a class; `module_params` and `settings`, what the net was
        built with; `weights`, a dict of name to ndarray; `shared`, the names of the weights
        that end in, or are, the rows of the vectors of `table`; `frozen`, the names of
        parameters that are not trained at present; `history`, a dict for each epoch. Neither
        the state of the optimizer nor the records of batches are in it.
    """
    module = net.module_
    weights, shared = {}, []
    for name, value in module.state_dict().items():
        array = value.detach().cpu().numpy()
        vectors = None if table is None else table.vectors
        if name.startswith(_TABLES) and vectors is not None and array.shape == vectors.shape:
            moved = np.flatnonzero((array != vectors).any(axis=1))
            n_moved = moved[-1] + 1 if len(moved) else 0
            # A classifier without its vectorizer has to store all vectors for the few it shares.
            if n_moved < len(array) / 2:
                shared.append(name)
                array = array[:n_moved]
        if len(array) or name not in shared:
            weights[name] = np.ascontiguousarray(array)
    names = {network: name for name, network in ARCHITECTURES.items()}
    return {
        "architecture": names.get(type(module), type(module)),
        "module_params": dict(net.module_params),
        "settings": vars(net.settings).copy(),
        "weights": weights,
        "shared": shared,
        "frozen": [name for name, value in module.named_parameters() if not value.requires_grad],
        "history": [
            {name: value for name, value in epoch.items() if name != "batches"}
            for epoch in net.history
        ],
    }


def restored_net(stored: Mapping[str, Any], table: TokenTable | None) -> TextNet:
    """Make a net of what `stored_net` returned, on the CPU.

    Its embedding refers to the arrays where they are whole; they may be read-only or mapped from
    a file. Training goes on after ``resume``.
    """
    network = stored["architecture"]
    network = ARCHITECTURES[network] if isinstance(network, str) else network
    # Random numbers are drawn for layers that are overwritten below.
    with seeded(0, "cpu"):
        net = build_net(network, stored["module_params"], Settings(**stored["settings"]))
    _set_weights(net.module_, _arrays(stored, table))
    for name, value in net.module_.named_parameters():
        value.requires_grad_(name not in stored["frozen"])
    net.module_.eval()
    net.optimizer_ = None
    for epoch in stored["history"]:
        net.history.new_epoch()
        for name, value in epoch.items():
            net.history.record(name, value)
    return net


def check_stored(stored: Mapping[str, Any], table: TokenTable | None, n_classes: int) -> None:
    """Raise a ValueError if the parts of a stored net do not fit together.

    Nothing of the size that they claim is allocated before.
    """
    shapes = {name: array.shape for name, array in stored["weights"].items()}
    checked = dict(stored["weights"])
    for name in stored["shared"]:
        vectors = _vectors_for(name, table)
        own = shapes.get(name, (0, vectors.shape[1]))
        if not name.startswith(_TABLES) or own[1:] != vectors.shape[1:] or own[0] >= len(vectors):
            raise ValueError(f"{name} of shape {own} has no rows of {vectors.shape} vectors")
        shapes[name] = vectors.shape
        checked[f"the vectors of {name}"] = vectors
    for name, array in checked.items():
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise ValueError(f"{name} is not float32 and finite")
    params = stored["module_params"]
    n_ids = params["num_embeddings"]
    if n_ids < len(RESERVED_WORDS) or (table is not None and n_ids != len(table)):
        raise ValueError(f"the network has {n_ids} ids, which are not those of the words")
    if params["num_outputs"] != n_classes:
        raise ValueError(f"the network has {params['num_outputs']} outputs, not {n_classes}")
    if not isinstance(stored["architecture"], str):
        return
    if len(params.get("kernel_sizes", ())) > len(shapes):
        raise ValueError("the network has more kernels than weights")
    with torch.device("meta"):
        network = ARCHITECTURES[stored["architecture"]](**params)
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    if expected != shapes:
        different = sorted(expected.items() ^ shapes.items())
        raise ValueError(f"the weights are not those of the network: {different[:4]}")
    unknown = sorted(set(stored["frozen"]) - set(dict(network.named_parameters())))
    if unknown:
        raise ValueError(f"there are no parameters {unknown[:4]}")


def _arrays(stored: Mapping[str, Any], table: TokenTable | None) -> dict[str, np.ndarray]:
    """The weights, with the rows that they share with the vectors of a table."""
    arrays = dict(stored["weights"])
    for name in stored["shared"]:
        vectors, own = _vectors_for(name, table), arrays.get(name)
        arrays[name] = vectors if own is None else np.concatenate([own, vectors[len(own) :]])
    return arrays


def _vectors_for(name: str, table: TokenTable | None) -> np.ndarray:
    if table is None or table.vectors is None:
        raise ValueError(f"there are no vectors for {name}")
    return table.vectors


def _set_weights(module: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    with warnings.catch_warnings():
        # Mapped arrays are read-only; nothing writes to them before `resume` copies them.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        tensors = {name: torch.from_numpy(np.asarray(array)) for name, array in arrays.items()}
    tables = {name: value for name, value in tensors.items() if name.startswith(_TABLES)}
    # The large ones are used where they lie; the others are copied, as layers lay them out.
    module.load_state_dict({**module.state_dict(), **tables}, assign=True)
    others = {name: value for name, value in tensors.items() if name not in tables}
    missing, unexpected = module.load_state_dict(others, strict=False)
    if unexpected or set(missing) != set(tables):
        raise ValueError(
            f"The stored weights are not those of {type(module).__name__}: "
            f"{sorted(set(missing) ^ set(tables)) + unexpected}."
        )
