"""Locks that a forked child finds free."""

import os
import threading
import weakref
from typing import Any


class ForkSafeLock:
    """A lock that is free in a forked child, even if a thread of its parent held it.

    Those threads do not exist in the child, so that nothing there would ever release it.

    Parameters
    ----------
    reentrant : bool, default=False
        Whether the thread that holds it may take it again, as with ``threading.RLock``.
    """

    def __init__(self, *, reentrant: bool = False) -> None:
        self._new: Any = threading.RLock if reentrant else threading.Lock
        self._lock = self._new()
        # The forking thread itself may hold a lock, and releases the one that it took.
        self._taken: list[Any] = []
        _alive.add(self)

    def acquire(self, blocking: bool = True) -> bool:
        lock = self._lock
        if not lock.acquire(blocking):
            return False
        self._taken.append(lock)
        return True

    def release(self) -> None:
        self._taken.pop().release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *exc_info: object) -> None:
        self.release()


_alive: weakref.WeakSet[ForkSafeLock] = weakref.WeakSet()


def _renew_all() -> None:
    for lock in list(_alive):
        lock._lock = lock._new()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
