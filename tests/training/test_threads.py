"""Threads and processes: torch's threads stay the user's, and trainings do not disturb others."""

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from skorch.callbacks import Callback

from sktextcnn import TextCNNClassifier
from sktextcnn._compat import torch_threads as compat
from sktextcnn._network import KimCNN, map_in_threads, single_thread, threads
from sktextcnn._training import net as nets
from sktextcnn._training.net import logits

SMALL = {"num_filters": 6, "embedding_dim": 8, "max_epochs": 2}


class Threads(Callback):
    """Records how many threads torch uses in training."""

    def on_epoch_begin(self, net, **kwargs):
        net.history.record("threads", torch.get_num_threads())


@pytest.fixture(scope="module")
def data():
    """Texts of 1 to 20 random words, and three classes."""
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 700, (240, 20))
    lengths = rng.integers(1, 21, (240, 1))
    return np.where(np.arange(20) < lengths, ids, 0), np.arange(240) % 3


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_the_users_number_of_threads_stays(data, n_threads):
    X, y = data
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        classifier = TextCNNClassifier(random_state=0, **SMALL).fit(X, y)
        assert torch.get_num_threads() == n_threads
        classifier.predict_proba(X)
        classifier.predict(X[:1])
        assert torch.get_num_threads() == n_threads
        with pytest.raises(ValueError, match="diverged"):
            classifier.set_params(learning_rate=1e30, optimizer="sgd").fit(X, y)
        assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)


def threads_of_a_worker(X, y):
    """The process, its threads in a training, and how many a prediction may use."""
    classifier = TextCNNClassifier(random_state=0, callbacks=[Threads()], **SMALL).fit(X, y)
    return os.getpid(), classifier.history_[0, "threads"], threads.usable_threads()


@pytest.mark.soak
def test_worker_processes_share_the_cores(data, monkeypatch):
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    n_jobs = 2
    # With one task, the other worker has nothing to import.
    ((pid, in_training, usable),) = Parallel(n_jobs)([delayed(threads_of_a_worker)(*data)])
    assert pid != os.getpid()
    assert in_training == 1
    assert usable * n_jobs <= max(n_jobs, os.cpu_count())


def test_trainings_in_threads_have_the_bits_they_have_alone(data):
    X, y = data

    def weights(seed):
        classifier = TextCNNClassifier(random_state=seed, **SMALL).fit(X, y)
        return classifier.net_.module_.state_dict()

    alone = [weights(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        beside_others = list(pool.map(weights, range(4)))
    for one, other in zip(alone, beside_others, strict=True):
        for name, value in one.items():
            assert torch.equal(value, other[name]), name


class Meeting(Callback):
    """Waits in the first epoch until another training is in its first one."""

    barrier = threading.Barrier(2)

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 1:
            self.barrier.wait(timeout=60)


def test_trainings_in_threads_run_at_the_same_time(data, monkeypatch):
    # As a callback of a library whose callbacks draw no numbers.
    monkeypatch.setattr(Meeting, "__module__", "skorch.callbacks")
    X, y = data
    state = torch.get_rng_state()

    def outputs(seed, callbacks=None):
        return TextCNNClassifier(random_state=seed, callbacks=callbacks, **SMALL).fit(X, y)

    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(outputs, range(2), [[Meeting()]] * 2))
    assert torch.equal(torch.get_rng_state(), state)
    for seed, classifier in enumerate(together):
        np.testing.assert_array_equal(classifier.predict_proba(X), outputs(seed).predict_proba(X))


class Noise(Callback):
    """Adds noise of torch's generator, and records how many trainings do so at present."""

    n_inside = 0
    most = 0

    def on_train_begin(self, net, **kwargs):
        Noise.n_inside += 1
        Noise.most = max(Noise.most, Noise.n_inside)

    def on_batch_end(self, net, training=False, **kwargs):
        time.sleep(0.001)
        with torch.no_grad():
            net.module_.head[-1].bias.add_(torch.randn(3), alpha=0.1)

    def on_train_end(self, net, **kwargs):
        Noise.n_inside -= 1


def test_trainings_with_code_that_draws_from_torchs_generator_take_turns(data):
    X, y = data
    params = {**SMALL, "wide": False, "callbacks": [Noise()]}

    def outputs(seed):
        return TextCNNClassifier(random_state=seed, **params).fit(X, y).predict_proba(X)

    state = torch.get_rng_state()
    alone = [outputs(seed) for seed in range(2)]
    assert not np.array_equal(alone[0], outputs(1))
    with ThreadPoolExecutor(2) as pool:
        np.testing.assert_array_equal(list(pool.map(outputs, range(2))), alone)
    assert Noise.most == 1
    assert torch.equal(torch.get_rng_state(), state)


@pytest.fixture(params=["of each thread", "of torch alone"])
def two_threads(request, monkeypatch):
    """torch with two threads, also where its libraries' own settings cannot be reached."""
    if request.param == "of torch alone":
        monkeypatch.setattr(compat, "_thread_setters", lambda: None)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    monkeypatch.setattr(threads.joblib, "cpu_count", lambda: 2)
    yield
    torch.set_num_threads(before)


def in_new_thread(function, *arguments):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


def test_a_single_thread_is_set_for_the_caller_only(two_threads):
    with single_thread():
        assert torch.get_num_threads() == 1
        assert in_new_thread(torch.get_num_threads) == 2
        with single_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    assert in_new_thread(torch.get_num_threads) == 2


def test_calls_at_the_same_time_leave_the_settings_of_all_threads(two_threads):
    all_there = threading.Barrier(4)

    def call():
        torch.get_num_threads()
        all_there.wait()
        with single_thread():
            all_there.wait()
        return torch.get_num_threads()

    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(call) for _ in range(4)]
        assert [call.result() for call in calls] == [2] * 4
    assert in_new_thread(torch.get_num_threads) == 2


def test_what_is_set_meanwhile_stays(two_threads):
    with single_thread():
        torch.set_num_threads(3)
    assert torch.get_num_threads() == 3


def test_libraries_without_the_settings_are_not_used(monkeypatch):
    compat._thread_setters.cache_clear()
    monkeypatch.setattr(compat.ctypes, "CDLL", lambda path: object())
    assert compat._thread_setters() is None
    compat._thread_setters.cache_clear()


def test_training_has_one_thread(data, two_threads):
    X, y = data
    classifier = TextCNNClassifier(random_state=0, callbacks=[Threads()], **SMALL).fit(X, y)
    assert classifier.history_[:, "threads"] == [1, 1]


def test_threads_have_the_modes_of_the_caller(two_threads):
    def modes(_):
        together.wait()
        return (
            torch.get_num_threads(),
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            torch.is_autocast_enabled("cpu"),
        )

    together = threading.Barrier(2)
    for grad, inference, autocast in ((True, False, False), (False, False, True), (False, True, 0)):
        with (
            torch.inference_mode(inference),
            torch.set_grad_enabled(grad),
            torch.autocast("cpu", torch.bfloat16, enabled=bool(autocast)),
        ):
            found = map_in_threads(modes, range(4))
        assert found == [(1, grad, inference, bool(autocast))] * 4


def test_results_are_in_order_and_an_error_ends_the_work(two_threads):
    assert map_in_threads(lambda item: -item, range(100)) == [-item for item in range(100)]
    done = []

    def fail_at_first(item):
        done.append(item)
        if item == 0:
            raise ValueError(f"item {item}")
        # The caller has to be woken to hear of the error.
        time.sleep(0.01)

    with pytest.raises(ValueError, match="item 0"):
        map_in_threads(fail_at_first, range(1000))
    assert len(done) < 1000


def test_no_more_threads_than_the_process_may_use(two_threads, monkeypatch):
    monkeypatch.setattr(threads.joblib, "cpu_count", lambda: 1)
    assert threads.usable_threads() == 1
    caller = threading.get_ident()
    assert set(map_in_threads(lambda item: threading.get_ident(), range(9))) == {caller}


@pytest.mark.parametrize("params", [{}, {"convolution": "dense"}, {"architecture": "stacked"}])
def test_large_predictions_have_the_bits_of_one_thread_and_multiply_a_word_once(
    data, params, two_threads, monkeypatch
):
    ids, y = data
    net = TextCNNClassifier(random_state=0, **SMALL, **params).fit(ids, y).net_
    monkeypatch.setattr(nets, "_TOKENS_AT_ONCE", 1 << 9)
    with single_thread():
        expected = logits(net, ids)
    if isinstance(net.module_, KimCNN):
        net.module_._products.forget()
    callers = set()
    features = type(net.module_).features

    def seen(module, batch):
        callers.add(threading.get_ident())
        return features(module, batch)

    monkeypatch.setattr(type(net.module_), "features", seen)
    np.testing.assert_array_equal(logits(net, ids), expected)
    assert threading.get_ident() not in callers
    if not params:
        n_words = len(np.union1d(ids, [0]))
        assert net.module_._products._memory.n_words == n_words


def exit_code(work):
    """Call a function in a forked child; 0 if it returns."""
    child = os.fork()
    if child == 0:
        # Ends a child that waits for threads of its parent, also where Python is not running.
        signal.alarm(100)
        try:
            work()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forked_children_compute_in_one_thread_and_keep_the_users_setting(data, monkeypatch):
    X, y = data
    monkeypatch.setattr(nets, "_TOKENS_AT_ONCE", 1 << 9)
    monkeypatch.setattr(threads.joblib, "cpu_count", lambda: 2)
    before = torch.get_num_threads()
    torch.set_num_threads(2)

    def outputs_of_a_fit():
        return logits(TextCNNClassifier(random_state=0, **SMALL).fit(X, y).net_, X)

    def computes_with_us():
        assert threads.usable_threads() == 1
        np.testing.assert_array_equal(logits(net, X), expected)
        np.testing.assert_array_equal(outputs_of_a_fit(), expected)
        assert torch.get_num_threads() == 2

    def computes_without_us():
        assert torch.get_num_threads() == 2

    try:
        # OpenMP's threads of the parent exist from here on.
        torch.randn(400, 400) @ torch.randn(400, 400)
        torch.randn(1 << 20).exp()
        net = TextCNNClassifier(random_state=0, **SMALL).fit(X, y).net_
        expected = logits(net, X)
        assert threads.usable_threads() == 2
        assert exit_code(computes_with_us) == 0
        assert exit_code(computes_without_us) == 0
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
