"""One thread for BLAS: for the caller, and as it was afterwards."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sktextcnn import _blas
from sktextcnn._blas import one_blas_thread


def threads_of_blas():
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def test_callers_have_one_thread_one_at_a_time_and_what_was_set_afterwards():
    all_there, inside, most = threading.Barrier(4), [], []

    def call(_):
        with threadpool_limits(limits=2, user_api="blas"):
            all_there.wait()
            for _ in range(20):
                with one_blas_thread(), one_blas_thread():
                    inside.append(threads_of_blas())
                    most.append(len(inside))
                    inside.pop()
            all_there.wait()
            return threads_of_blas()

    with threadpool_limits(limits=2, user_api="blas"), ThreadPoolExecutor(4) as pool:
        assert list(pool.map(call, range(4))) == [{2}] * 4
        with one_blas_thread():
            assert threads_of_blas() == {1}
        assert threads_of_blas() == {2}
    assert set(most) == {1}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_a_thread_of_its_parent():
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with one_blas_thread():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if _blas._one_at_a_time.current.acquire(blocking=False) else 1)
    leave.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
