"""Locks that a forked child finds free."""

import os
import threading
import weakref
from typing import Any


class ForkSafeLock:
    """A lock that is free in a forked child, even if a thread of its parent held it.

    Those threads do not exist in the child, so that nothing there would ever release it.

    It is used as ``with lock.current:``, which takes the lock itself: no interrupt can come between
    taking it and being able to release it, and a thread that forks within releases what it took.

    Parameters
    ----------
    reentrant : bool, default=False
        Whether the thread that holds it may take it again, as with ``threading.RLock``.

    Attributes
    ----------
    current : threading.Lock or threading.RLock
        The lock of this process.
    """

    def __init__(self, *, reentrant: bool = False) -> None:
        self._new: Any = threading.RLock if reentrant else threading.Lock
        self.renew()
        _alive.add(self)

    def renew(self) -> None:
        """Replace the lock by one that is free."""
        self.current = self._new()


_alive: weakref.WeakSet[ForkSafeLock] = weakref.WeakSet()


def _renew_all() -> None:
    for lock in list(_alive):
        lock.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
