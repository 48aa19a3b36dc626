"""One thread for BLAS, whose bits depend on the number of its threads."""

import contextlib
from collections.abc import Iterator

from threadpoolctl import threadpool_limits

from sktextcnn._compat.locks import ForkSafeLock

_one_at_a_time = ForkSafeLock(reentrant=True)


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS compute in one thread, as in worker processes, which have fewer threads than we.

    In most builds of BLAS the number is one of the process. If two threads set and restored it at
    the same time, it could stay what it is here. So they take turns.
    """
    with _one_at_a_time.current, threadpool_limits(limits=1, user_api="blas"):
        yield
