"""Memory that is kept within a call where the environment has glibc return it."""

import os
import platform
import subprocess
import sys
import threading

import numpy as np
import pytest

from sktextcnn import TextCNNClassifier
from sktextcnn._compat import malloc
from sktextcnn._compat.malloc import low_thresholds, memory_kept

TRIM, MMAP = -1, -3  # of malloc.h
RAISED = [(TRIM, 64 << 20), (MMAP, 32 << 20)]
RESTORED = [(TRIM, 65536), (MMAP, 131072)]


@pytest.fixture
def calls(monkeypatch):
    """What mallopt is called with, in a process whose environment has fixed thresholds."""
    found = []
    monkeypatch.setattr(malloc, "_low_thresholds", lambda: dict(RESTORED))
    monkeypatch.setattr(malloc, "_mallopt", lambda: lambda *setting: found.append(setting))
    return found


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, {}),
        ({"MALLOC_ARENA_MAX": "2"}, {}),
        ({"MALLOC_TRIM_THRESHOLD_": "65536"}, dict(RESTORED)),
        ({"MALLOC_TRIM_THRESHOLD_": "0x10000"}, dict(RESTORED)),
        ({"MALLOC_TRIM_THRESHOLD_": "many"}, {}),
        ({"MALLOC_TOP_PAD_": "4096"}, {TRIM: 131072, MMAP: 131072}),
        ({"MALLOC_MMAP_MAX_": "9"}, {TRIM: 131072, MMAP: 131072}),
        ({"MALLOC_TRIM_THRESHOLD_": "1073741824"}, {MMAP: 131072}),
        ({"MALLOC_TRIM_THRESHOLD_": "67108864", "MALLOC_MMAP_THRESHOLD_": "33554432"}, {}),
        ({"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=65536"}, dict(RESTORED)),
        ({"GLIBC_TUNABLES": "glibc.malloc.check=1:glibc.malloc.perturb=3"}, {}),
        (
            {
                "MALLOC_TRIM_THRESHOLD_": "1",
                "GLIBC_TUNABLES": "glibc.malloc.check=0:glibc.malloc.trim_threshold=65536",
            },
            dict(RESTORED),
        ),
    ],
)
def test_thresholds_that_an_environment_fixes(environment, expected):
    assert low_thresholds(environment) == expected


def test_outer_context_raises_and_restores_the_thresholds(calls):
    with memory_kept():
        assert calls == RAISED
        with memory_kept():
            pass
        assert calls == RAISED
    assert calls == RAISED + RESTORED


def test_thresholds_are_restored_after_an_error(calls):
    with pytest.raises(KeyboardInterrupt), memory_kept():
        raise KeyboardInterrupt
    assert calls == RAISED + RESTORED


def test_the_last_thread_restores_the_thresholds(calls):
    inside, leave = threading.Event(), threading.Event()

    def other():
        with memory_kept():
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=other)
    with memory_kept():
        thread.start()
        assert inside.wait(60)
    assert calls == RAISED
    leave.set()
    thread.join()
    assert calls == RAISED + RESTORED


def test_a_library_without_mallopt_is_left_alone(calls, monkeypatch):
    monkeypatch.setattr(malloc, "_mallopt", lambda: None)
    with memory_kept():
        pass
    assert calls == []


def test_nothing_is_called_where_glibc_adapts(calls, monkeypatch):
    monkeypatch.setattr(malloc, "_low_thresholds", dict)
    with memory_kept():
        pass
    assert calls == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_forked_child_does_not_wait_for_a_thread_of_its_parent(calls):
    with malloc._lock.current:
        child = os.fork()
        if not child:
            with memory_kept():
                os._exit(len(calls))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == len(RAISED)


def test_trainings_and_predictions_keep_memory(calls):
    ids = np.random.default_rng(0).integers(2, 9, (20, 5))
    classifier = TextCNNClassifier(
        embedding_dim=4, num_filters=2, max_epochs=1, wide=False, random_state=0
    )
    classifier.fit(ids, [0, 1] * 10)
    assert calls[:2] == RAISED
    assert calls[-2:] == RESTORED
    calls.clear()
    classifier.predict(ids)
    assert calls[:2] == RAISED
    assert calls[-2:] == RESTORED


SCRIPT = """
import resource
from sktextcnn._compat.malloc import memory_kept

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        b"x" * (1 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(faults())
with memory_kept():
    print(faults())
print(faults())
"""


@pytest.mark.skipif(
    platform.system() != "Linux" or platform.libc_ver()[0] != "glibc", reason="needs glibc"
)
def test_pages_are_taken_again_only_outside_of_the_context():
    environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    before, inside, after = map(int, run.stdout.split())
    pages = 50 * (1 << 20) // os.sysconf("SC_PAGE_SIZE")
    assert before > 0.9 * pages
    assert inside < 0.2 * pages
    assert after > 0.9 * pages
