"""A forked child has vectors although a thread of its parent was reading or encoding some."""

import os
import pickle
import time

import numpy as np
import pytest

from sktextcnn import Embeddings
from sktextcnn._vectors import encoders, file_cache
from tests.fake_encoders import FakeEncoder

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


def exit_code(child, seconds=60):
    """How a child ends; None if it has to be killed."""
    for _ in range(10 * seconds):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return None


@needs_fork
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_that_is_forked_while_vectors_are_read_reads_them(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("a 1 2\ngem 3 4\n", encoding="utf-8")
    handle = Embeddings(path)
    handle.lookup(["a"])
    file = file_cache.cached_file(str(path), "utf-8")
    with file_cache._files_lock.current, file.lock.current:
        child = os.fork()
        if child == 0:
            try:
                found = handle.lookup(["a", "gem"])
                os._exit(0 if np.array_equal(found["gem"], [3, 4]) else 1)
            except BaseException:
                os._exit(2)
        assert exit_code(child) == 0
    assert handle.lookup(["gem"])["gem"].tolist() == [3, 4]


@needs_fork
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_that_is_forked_while_words_are_encoded_encodes_them():
    handle = Embeddings(FakeEncoder())
    pickled = pickle.dumps(handle)
    with encoders._lock.current, handle._encoded.lock.current:
        child = os.fork()
        if child == 0:
            try:
                found = pickle.loads(pickled).lookup(["gem"])
                os._exit(0 if list(found) == ["gem"] else 1)
            except BaseException:
                os._exit(2)
        assert exit_code(child) == 0
