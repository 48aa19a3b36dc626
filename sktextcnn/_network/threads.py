"""The threads of our own computations.

torch shares an operation among threads by OpenMP, whose threads wait for each other in a loop that
keeps their cores busy. When other programs use the cores too, the last thread is often not
running, and a training of many short operations takes many times as long as with one thread.
Therefore each operation is computed in one thread here, and large predictions share their batches
among threads of Python, which sleep while they wait.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import joblib
import torch

from sktextcnn._compat.torch_threads import limit_torch_threads

Item = TypeVar("Item")
Result = TypeVar("Result")

_forked = False
# The number of OpenMP threads in each of our calls; only set by benchmarks.
_forced: int | None = None
# Number of threads that may share the work of the calling thread, while torch computes in one.
_shared = threading.local()


def _note_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def usable_threads() -> int:
    """Return the number of threads that a call may use.

    This is the number of threads that torch is set to, but at most the number of cores that this
    process may use: torch counts all cores of the machine, joblib only those that affinity and the
    quota of a container allow. In a forked child it is 1, since OpenMP's threads do not exist
    there.
    """
    if _forked:
        return 1
    n_threads = getattr(_shared, "n_threads", None) or torch.get_num_threads()
    return n_threads if n_threads == 1 else min(n_threads, joblib.cpu_count())


@contextlib.contextmanager
def single_thread(*, sharing: bool = False) -> Iterator[None]:
    """Let torch compute in one thread, in the calling thread only.

    Other threads keep the user's setting, including those that start in the meantime. The calling
    thread has it again afterwards.

    Parameters
    ----------
    sharing : bool, default=False
        Whether ``map_in_threads`` may still use as many threads as the user's setting allows.
    """
    outer = getattr(_shared, "n_threads", None)
    n_threads = usable_threads() if sharing else 1
    undo = limit_torch_threads(_forced or 1)
    _shared.n_threads = n_threads
    try:
        yield
    finally:
        _shared.n_threads = outer
        undo()


def map_in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Call a function with each item, in as many threads as may be used.

    In each thread, torch computes in one thread, and with the gradient mode, the inference mode
    and the autocast of the caller. Each thread takes the next item when it has finished one, so
    that a thread that is slowed down by other programs delays one item at most.

    Parameters
    ----------
    function : callable
        Called with one item, by several threads at once.
    items : sequence
        The arguments of the calls.

    Returns
    -------
    list
        The results, in the order of the items.
    """
    n_threads = 1 if _forced else min(usable_threads(), len(items))
    if n_threads == 1:
        with single_thread():
            return [function(item) for item in items]
    modes = _modes()

    def call(item: Item) -> Result:
        with single_thread(), modes():
            return function(item)

    pool = ThreadPoolExecutor(n_threads, "sktextcnn")
    try:
        return list(pool.map(call, items))
    finally:
        # After an error or an interrupt, the remaining items are not computed.
        pool.shutdown(cancel_futures=True)


def _modes() -> Callable[[], contextlib.AbstractContextManager]:
    """Return a context manager that sets the modes of the calling thread in another thread."""
    inference, grad = torch.is_inference_mode_enabled(), torch.is_grad_enabled()
    kinds = ["cpu"] + ["cuda"] * torch.cuda.is_available()
    autocasts = [
        (kind, torch.get_autocast_dtype(kind)) for kind in kinds if torch.is_autocast_enabled(kind)
    ]

    @contextlib.contextmanager
    def enter() -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.inference_mode(inference))
            stack.enter_context(torch.set_grad_enabled(grad))
            for kind, dtype in autocasts:
                stack.enter_context(torch.autocast(kind, dtype))
            yield

    return enter
