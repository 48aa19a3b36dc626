"""A trained net as plain arrays and settings, and the net that they make again."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from sktextcnn._network import ARCHITECTURES, single_thread
from sktextcnn._token_ids import RESERVED_WORDS, TokenTable
from sktextcnn._training.build import build_net
from sktextcnn._training.net import TextNet
from sktextcnn._training.plan import NetPlan

_EMBEDDING = "embedding."

# What draws random numbers, among what constructors of networks call.
_RANDOM = {
    *("rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "poisson"),
    *("uniform_", "normal_", "random_", "bernoulli_", "exponential_", "geometric_"),
    *("cauchy_", "log_normal_"),
}
# Those that take no generator.
_RANDOM_OF_PROCESS = {"rand_like", "randn_like", "randint_like", "dropout"}


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
        if name.startswith(_EMBEDDING) and vectors is not None and array.shape == vectors.shape:
            moved = np.flatnonzero((array != vectors).any(axis=1))
            n_moved = moved[-1] + 1 if len(moved) else 0
            # A classifier without its vectorizer has to store all vectors for the few it shares.
            if n_moved < len(array) / 2:
                shared.append(name)
                array = array[:n_moved]
        if name not in shared or len(array):
            weights[name] = np.asarray(array, order="C")
    names = {network: name for name, network in ARCHITECTURES.items()}
    return {
        "architecture": names.get(type(module), type(module)),
        "module_params": dict(net.plan.network_params),
        "settings": dict(net.plan.settings),
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
    a file. Training goes on after `own_memory`. No random numbers of the process are drawn and
    no lock is taken, so that models load while others are trained.
    """
    network = stored["architecture"]
    network = ARCHITECTURES[network] if isinstance(network, str) else network
    plan = NetPlan(network, stored["module_params"], stored["settings"])
    # Tensors that are made in inference mode could never be trained, and a forked child, in which
    # OpenMP's threads do not live on, copies in one thread.
    with single_thread(), torch.inference_mode(False):
        module = network_without_weights(network, plan.network_params)
        _set_weights(module, stored_weights(stored, table))
        net = build_net(plan, make_network=lambda: module)
    net.shares_memory = True
    for name, value in module.named_parameters():
        value.requires_grad_(name not in stored["frozen"])
    module.eval()
    for epoch in stored["history"]:
        net.history.new_epoch()
        for name, value in epoch.items():
            net.history.record(name, value)
    return net


def network_without_weights(network: type[nn.Module], params: Mapping[str, Any]) -> nn.Module:
    """Make a network whose weights are set afterwards, without the process's random numbers.

    Those of this package are made on torch's "meta" device, which allocates nothing. A network of
    the user may hold tensors that are not stored, so it is made as usual, but with numbers of a
    generator of its own.
    """
    if network in ARCHITECTURES.values():
        with torch.device("meta"):
            return network(**params)
    with _OwnGenerator():
        return network(**params)


class _OwnGenerator(TorchFunctionMode):
    """Hands functions that draw random numbers a generator, instead of the process's."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(0)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        initializes = getattr(func, "__module__", "") == "torch.nn.init"
        if (name in _RANDOM or initializes) and kwargs.get("generator") is None:
            try:
                return func(*args, **{**kwargs, "generator": self.generator})
            except TypeError:
                pass  # Such as constant_, which takes none.
        if name not in _RANDOM_OF_PROCESS:
            return func(*args, **kwargs)
        # Only around this call: a training in another thread may use the generator too.
        before = torch.get_rng_state()
        try:
            return func(*args, **kwargs)
        finally:
            torch.set_rng_state(before)


def check_stored(stored: Mapping[str, Any], table: TokenTable | None, n_classes: int) -> None:
    """Raise a ValueError if the parts of a stored net do not fit together.

    Nothing of the size that they claim is allocated before.
    """
    shapes = {name: array.shape for name, array in stored["weights"].items()}
    checked = dict(stored["weights"])
    for name in stored["shared"]:
        vectors = _vectors_for(name, table)
        own = shapes.get(name, (0, vectors.shape[1]))
        if (
            not name.startswith(_EMBEDDING)
            or own[1:] != vectors.shape[1:]
            or own[0] >= len(vectors)
        ):
            raise ValueError(f"{name} of shape {own} has no rows of {vectors.shape} vectors")
        shapes[name] = vectors.shape
        checked[f"the vectors of {name}"] = vectors
    is_ours = isinstance(stored["architecture"], str)
    for name, array in checked.items():
        if (is_ours or name.startswith("the vectors")) and array.dtype != np.float32:
            raise ValueError(f"{name} is not float32")
        # A mask of the user's network may hold infinity.
        if (is_ours or name.startswith(_EMBEDDING)) and not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite")
    params = stored["module_params"]
    n_ids = params["num_embeddings"]
    if n_ids < len(RESERVED_WORDS) or (table is not None and n_ids != len(table)):
        raise ValueError(f"the network has {n_ids} ids, which are not those of the words")
    if params["num_outputs"] != n_classes:
        raise ValueError(f"the network has {params['num_outputs']} outputs, not {n_classes}")
    if not is_ours:
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


def stored_weights(stored: Mapping[str, Any], table: TokenTable | None) -> dict[str, np.ndarray]:
    """Return the weights, with the rows that they share with the vectors of a table."""
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
    tensors = {name: torch.from_numpy(_writable(array)) for name, array in arrays.items()}
    layouts = module.state_dict()
    different = sorted(layouts.keys() ^ tensors.keys())
    if different:
        raise ValueError(
            f"The stored weights are not those of {type(module).__name__}: {different}."
        )
    # The large ones are used where they lie; the others are copied, as layers lay them out.
    for name, value in tensors.items():
        if not name.startswith(_EMBEDDING):
            layout = layouts[name]
            if layout.shape != value.shape:
                raise ValueError(
                    f"The stored weight {name} has shape {tuple(value.shape)}, but that of "
                    f"{type(module).__name__} {tuple(layout.shape)}."
                )
            copied = torch.empty_strided(
                layout.shape, layout.stride(), dtype=value.dtype, device="cpu"
            )
            tensors[name] = copied.copy_(value)
    # Where parameters share their memory, as weights that are tied, assigning would part them.
    is_ours = type(module) in ARCHITECTURES.values()
    module.load_state_dict(tensors, assign=is_ours)


class _ArrayInterface:
    """The memory of an array, described by NumPy's protocol as writable."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array  # Keeps the memory.
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def _writable(array: np.ndarray) -> np.ndarray:
    """Return a view of an array that torch takes without a warning.

    Arrays of a pickle that is mapped are read-only; nothing writes to them before `own_memory`
    copies them. A filter for the warning would be the whole process's.
    """
    array = np.asarray(array)
    return array if array.flags.writeable else np.asarray(_ArrayInterface(array))
