"""The memory that glibc gives back to the system, and takes anew, at each step of a computation.

glibc raises two thresholds as a program frees larger blocks: which blocks it takes from the system
one by one, and how much free memory it keeps. A variable such as MALLOC_TRIM_THRESHOLD_, which
Dask sets for its workers, ends this. Then blocks above 128 kB are taken from the system each time,
and the system clears each page again, which can take as long as the computation itself. The
largest blocks are results of torch's operators, which take no memory that is there already.
"""

import contextlib
import ctypes
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from sktextcnn._compat.locks import ForkSafeLock

# From glibc's malloc.h: the number of a setting in calls of mallopt.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
# What glibc raises its thresholds to at most. It refuses more in some versions.
_KEPT = {_TRIM_THRESHOLD: 1 << 26, _MMAP_THRESHOLD: 1 << 25}
# What both thresholds are if another setting ends their change.
_STATIC = 1 << 17
# Each of these settings ends the change of both thresholds.
_SETTINGS = ("trim_threshold", "mmap_threshold", "top_pad", "mmap_max")

_lock = ForkSafeLock()
# How many calls, in all threads, are within `memory_kept`.
_n_inside = 0


@contextlib.contextmanager
def memory_kept() -> Iterator[None]:
    """Keep freed memory for the next step, if the environment has ended that glibc does so.

    Within this context, the process has the thresholds that it could have without the variables
    of its environment, in all of its threads: blocks below 32 MB are reused, and up to 64 MB that
    are free at the end of the heap are kept. Afterwards it has those of the environment again.
    Without such a variable, or with another library than glibc, nothing is changed.
    """
    low = _low_thresholds()
    set_option = _mallopt() if low else None
    if set_option is None:
        yield
        return
    _count(1, low, set_option)
    try:
        yield
    finally:
        _count(-1, low, set_option)


def _count(change: int, low: Mapping[int, int], set_option: Callable[[int, int], int]) -> None:
    """Count a call; the first one raises the thresholds, and the last one lowers them."""
    global _n_inside
    with _lock.current:
        _n_inside += change
        if change > 0 and _n_inside == 1:
            for option in low:
                set_option(option, _KEPT[option])
        elif _n_inside == 0:
            for option, value in low.items():
                set_option(option, value)


@lru_cache(maxsize=1)
def _low_thresholds() -> dict[int, int]:
    """Return the thresholds of this process that are fixed and low; none if glibc adapts them."""
    return low_thresholds(_first_environment())


def low_thresholds(environment: Mapping[str, str]) -> dict[int, int]:
    """Return the thresholds that an environment fixes below those that glibc may reach.

    Parameters
    ----------
    environment : mapping of str to str
        The variables that a process is started with.

    Returns
    -------
    dict of int to int
        The value of each setting of ``mallopt``.
    """
    fixed = {}
    for name in _SETTINGS:
        value = _number(environment.get(f"MALLOC_{name.upper()}_", ""))
        if value is not None:
            fixed[name] = value
    # The same settings by the name of a tunable, which goes before the older variable.
    for assignment in environment.get("GLIBC_TUNABLES", "").split(":"):
        tunable, _, text = assignment.partition("=")
        name, value = tunable.removeprefix("glibc.malloc."), _number(text)
        if tunable != name and name in _SETTINGS and value is not None:
            fixed[name] = value
    if not fixed:
        return {}
    thresholds = {
        _TRIM_THRESHOLD: fixed.get("trim_threshold", _STATIC),
        _MMAP_THRESHOLD: fixed.get("mmap_threshold", _STATIC),
    }
    return {option: value for option, value in thresholds.items() if value < _KEPT[option]}


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def _first_environment() -> Mapping[str, str]:
    """Return the variables that the process was started with, which glibc has read."""
    try:
        entries = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        entries = []
    pairs = [os.fsdecode(entry).partition("=") for entry in entries if b"=" in entry]
    # A program that has written its title over them, as Dask's may do, still has its own copy.
    return {name: value for name, _, value in pairs} or os.environ


@lru_cache(maxsize=1)
def _mallopt() -> Callable[[int, int], int] | None:
    """Return glibc's function that changes a setting; None if the process has another library."""
    if platform.libc_ver()[0] != "glibc":
        return None
    try:
        return ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return None
