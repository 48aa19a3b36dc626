"""The threads of our own computations.

OpenMP, by which torch shares an operation among threads, waits by spinning: a thread that has done
its part burns its core until the last one has come. When other programs use the cores too, that
last one is often not running, and a training of many short operations takes many times as long
as with one thread. So one operation is computed in one thread here, and large predictions share
their batches among threads of Python, which sleep while they wait.
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
# Set by benchmarks only: the number of OpenMP threads in each of our calls.
_forced: int | None = None
# How many threads may share the work of the calling thread, where it has torch compute in one.
_shared = threading.local()


def _note_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def usable_threads() -> int:
    """Return the number of threads that a call may use.

    The user's setting of torch, but no more than the cores that this process may use: torch counts
    those of the machine, joblib heeds affinity and the quota of a container. In a forked child it
    is 1, as OpenMP's threads do not live on there.
    """
    if _forked:
        return 1
    n_threads = getattr(_shared, "n_threads", None) or torch.get_num_threads()
    return n_threads if n_threads == 1 else min(n_threads, joblib.cpu_count())


@contextlib.contextmanager
def single_thread(*, sharing: bool = False) -> Iterator[None]:
    """Have torch compute in one thread, in the calling thread only.

    Other threads, also those that start meanwhile, keep the user's setting, and so does the calling
    thread afterwards.

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

    Each thread lets torch compute in itself alone, and has the gradient mode, the inference mode
    and the autocast of the caller. Idle threads take the next item, so a thread that is held up by
    other programs holds up one item at most.

    Parameters
    ----------
    function : callable
        Is called by several threads at once.
    items : sequence
        Its arguments.

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
        # After an error or an interrupt, items that nobody has begun are not computed.
        pool.shutdown(cancel_futures=True)


def _modes() -> Callable[[], contextlib.AbstractContextManager]:
    """Return what enters the calling thread's modes of torch in another thread."""
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
