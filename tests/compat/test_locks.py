"""A lock that a forked child finds free, and that is like threading's otherwise."""

import os
import threading

import pytest

from sktextcnn._compat.locks import ForkSafeLock

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
ignore_threads = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


def in_child(function):
    """Whether a function returns True in a forked child."""
    child = os.fork()
    if child == 0:
        os._exit(0 if function() is True else 1)
    return os.waitpid(child, 0)[1] == 0


def held_by_a_thread(lock):
    """Let another thread hold a lock until the returned event is set."""
    taken, done = threading.Event(), threading.Event()

    def hold():
        with lock.current:
            taken.set()
            done.wait()

    threading.Thread(target=hold, daemon=True).start()
    taken.wait()
    return done


@pytest.mark.parametrize("reentrant", [False, True])
def test_one_thread_holds_it_at_a_time(reentrant):
    lock = ForkSafeLock(reentrant=reentrant)
    done = held_by_a_thread(lock)
    assert not lock.current.acquire(blocking=False)
    done.set()
    with lock.current:
        assert lock.current.acquire(blocking=False) is reentrant
        if reentrant:
            lock.current.release()
    assert lock.current.acquire(blocking=False)
    lock.current.release()
    with pytest.raises(RuntimeError):
        lock.current.release()


@needs_fork
@ignore_threads
@pytest.mark.parametrize("reentrant", [False, True])
def test_a_child_finds_it_free(reentrant):
    lock = ForkSafeLock(reentrant=reentrant)
    done = held_by_a_thread(lock)
    assert in_child(lambda: lock.current.acquire(blocking=False))
    # It is still held here.
    assert not lock.current.acquire(blocking=False)
    done.set()


@needs_fork
@ignore_threads
@pytest.mark.parametrize("reentrant", [False, True])
def test_the_thread_that_forks_may_hold_it(reentrant):
    lock = ForkSafeLock(reentrant=reentrant)

    def leave():
        with lock.current:
            pass
        held.release()
        return lock.current.acquire(blocking=False)

    held = lock.current
    with held:
        assert in_child(leave)
        done = threading.Event()
        threading.Thread(target=lambda: lock.current.acquire() and done.set(), daemon=True).start()
        assert not done.wait(0.05)
    assert done.wait(10)
