"""The random numbers of trainings: each has generators of its own.

The process has one generator of torch for each device. A training that drew from it would have to
keep all others waiting, and its numbers would depend on what they draw. So what draws in a training
asks this module, which knows the generators of the calling thread.
"""

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

_of_thread = threading.local()
_torchs_own = threading.RLock()


def _renew_lock() -> None:
    """Let a forked child use torch's generators though a thread of its parent was doing so."""
    global _torchs_own
    _torchs_own = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


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
    with _torchs_own, torch.random.fork_rng(devices=devices):
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


def uniform_like(values: Tensor) -> Tensor:
    """Draw uniform numbers from [0, 1), one for each value, of the same dtype."""
    return torch.empty_like(values).uniform_(generator=_generator(values.device))


def uniform(shape: Sequence[int], device: torch.device) -> Tensor:
    """Draw uniform numbers from [0, 1)."""
    return torch.rand(shape, device=device, generator=_generator(device))


def permutation(n: int) -> Tensor:
    """Draw an order of n items, on the CPU."""
    return torch.randperm(n, generator=_generator(torch.device("cpu")))
