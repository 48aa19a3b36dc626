"""The random numbers of trainings: each has generators of its own.

The process has one generator of torch for each device. A training that drew from it would have to
keep all others waiting, and its numbers would depend on what they draw. So what draws in a training
asks this module, which knows the generators of the calling thread.

If several processes train one model, each computes some rows of every batch. All draw for the whole
batch and take what is theirs, so that their number changes no result.
"""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sktextcnn._compat.locks import ForkSafeLock

_of_thread = threading.local()


class Part(NamedTuple):
    """The rows of a batch that one process computes."""

    rows: slice
    n_rows: int  # of the whole batch
    share: float  # of its rows that count here


_torchs_own = ForkSafeLock(reentrant=True)


@contextlib.contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Draw from new generators in the calling thread.

    Parameters
    ----------
    seed : int
        The seed of the generators.
    device : str
        Where the training is; there is a generator for it and one for the CPU.
    """
    outer = getattr(_of_thread, "generators", None)
    devices = {torch.device("cpu"), torch.device(device)}
    _of_thread.generators = {each.type: torch.Generator(each).manual_seed(seed) for each in devices}
    try:
        yield
    finally:
        _of_thread.generators = outer


@contextlib.contextmanager
def torchs_generators() -> Iterator[None]:
    """Let code that only knows torch's generators go on with those of the calling thread.

    Such code are the constructors of torch's layers, and networks and callbacks of the user.
    Torch's generators are as before afterwards. One thread at a time can do so.
    """
    generators = getattr(_of_thread, "generators", None)
    if generators is None:
        yield
        return
    cuda = generators.get("cuda")
    devices = [] if cuda is None else [cuda.device]
    with _torchs_own.current, torch.random.fork_rng(devices=devices):
        torch.set_rng_state(generators["cpu"].get_state())
        if cuda is not None:
            torch.cuda.set_rng_state(cuda.get_state(), cuda.device)
        _of_thread.generators = None
        try:
            yield
        finally:
            _of_thread.generators = generators
            generators["cpu"].set_state(torch.get_rng_state())
            if cuda is not None:
                cuda.set_state(torch.cuda.get_rng_state(cuda.device))


def _generator(device: torch.device) -> torch.Generator | None:
    generators = getattr(_of_thread, "generators", None)
    return None if generators is None else generators.get(device.type)


@contextlib.contextmanager
def computing(part: Part) -> Iterator[None]:
    """Let the calling thread compute a part of each batch that its network is given."""
    _of_thread.part = part
    try:
        yield
    finally:
        _of_thread.part = None


def own_rows(values: Tensor) -> Tensor:
    """Return the rows of a whole batch that the calling thread computes: all, or its part."""
    part = getattr(_of_thread, "part", None)
    return values if part is None else values[part.rows]


def uniform_like(values: Tensor) -> Tensor:
    """Draw uniform numbers from [0, 1), one for each value, of the same dtype.

    The rows of `values` are those that the calling thread computes.
    """
    part = getattr(_of_thread, "part", None)
    if part is None:
        whole = torch.empty_like(values)
    else:
        whole = values.new_empty(part.n_rows, *values.shape[1:])
    return own_rows(whole.uniform_(generator=_generator(values.device)))


def uniform(shape: Sequence[int], device: torch.device) -> Tensor:
    """Draw uniform numbers from [0, 1)."""
    return torch.rand(shape, device=device, generator=_generator(device))


def permutation(n: int) -> Tensor:
    """Draw an order of n items, on the CPU."""
    return torch.randperm(n, generator=_generator(torch.device("cpu")))
