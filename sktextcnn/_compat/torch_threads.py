"""The number of threads that torch's libraries use, set for the calling thread only."""

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import torch


def limit_torch_threads(n_threads: int) -> Callable[[], None]:
    """Set the number of threads that torch uses in the calling thread only.

    ``torch.set_num_threads`` also stores the number for all threads that begin to use torch later.
    OpenMP and MKL, which torch computes with, have settings for each thread. If these are not
    accessible, ``torch.set_num_threads`` is used and the stored number is restored at once.

    Parameters
    ----------
    n_threads : int

    Returns
    -------
    callable
        Restores the previous number of the thread, unless it was changed in the meantime.
    """
    # A thread that has not used torch yet adopts the number of the process here, not later.
    before = torch.get_num_threads()
    if before == n_threads:
        return lambda: None
    setters = _thread_setters()
    if setters is None:
        _set_threads_of_caller(n_threads)
    else:
        set_openmp, set_mkl = setters
        set_openmp(n_threads)
        mkl_before = set_mkl(n_threads)

    def undo() -> None:
        if torch.get_num_threads() != n_threads:
            return
        if setters is None:
            _set_threads_of_caller(before)
        else:
            set_openmp(before)
            set_mkl(mkl_before)

    return undo


_Setter = Callable[[int], int]


@lru_cache(maxsize=1)
def _thread_setters() -> tuple[_Setter, _Setter] | None:
    """Return OpenMP's and MKL's setters for the calling thread; None if a probe fails.

    MKL's setter returns the previous number, or 0 if the thread uses OpenMP's.
    """
    suffix = {"darwin": "dylib", "win32": "dll"}.get(sys.platform, "so")
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / f"libtorch_cpu.{suffix}"))
        # The functions are in this library or in those that it is linked with.
        set_openmp = library.omp_set_num_threads
        set_mkl = (
            library.MKL_Set_Num_Threads_Local if torch.backends.mkl.is_available() else _no_mkl
        )
    except (OSError, AttributeError):
        return None
    before = torch.get_num_threads()
    set_openmp(before + 1)
    seen = torch.get_num_threads()
    set_openmp(before)
    if (seen, torch.get_num_threads()) != (before + 1, before):
        return None
    mkl_before = set_mkl(before + 1)
    if set_mkl is not _no_mkl and set_mkl(mkl_before) != before + 1:
        return None
    return set_openmp, set_mkl


def _no_mkl(n_threads: int) -> int:
    return 0


_one_at_a_time = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_one_at_a_time.acquire,
        after_in_parent=_one_at_a_time.release,
        after_in_child=_one_at_a_time.release,
    )


def _set_threads_of_caller(n_threads: int) -> None:
    """Call ``torch.set_num_threads``, and restore the number of the process."""
    # A thread that has not used torch yet has the number of the process. Threads that begin to use
    # torch between the two calls get the number of the caller.
    with _one_at_a_time, ThreadPoolExecutor(1) as new_thread:
        of_process = new_thread.submit(torch.get_num_threads).result()
        torch.set_num_threads(n_threads)
        new_thread.submit(torch.set_num_threads, of_process).result()
