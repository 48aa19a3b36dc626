"""Serving: a fitted Pipeline predicts the same in threads, forked children and worker processes."""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._network import products

SMALL = {"num_filters": 6, "max_epochs": 1, "random_state": 0}
METHODS = ("predict_proba", "predict", "decision_function")

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
needs_smaps = pytest.mark.skipif(sys.platform != "linux", reason="memory is counted by Linux")


@pytest.fixture
def switching():
    """Threads take turns as often as Python can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(scope="module")
def model(corpus, vectors_file):
    return fitted(corpus, TextVectorizer(embeddings=vectors_file, random_state=0))


def fitted(corpus, vectorizer, **params):
    texts, labels = corpus
    return make_pipeline(vectorizer, TextCNNClassifier(**{**SMALL, **params})).fit(texts, labels)


def fresh(model):
    """A copy that remembers nothing of earlier predictions."""
    return pickle.loads(pickle.dumps(model))


def batches_of(texts, n_batches, largest):
    """Batches of many sizes, with words that the model has never seen among the texts."""
    rng = np.random.default_rng(0)
    return [
        [f"{texts[i]} unseen{rng.integers(1000)}" for i in rng.integers(len(texts), size=size)]
        for size in rng.integers(1, largest + 1, n_batches)
    ]


def wrong_answers(model, batches, n_calls, n_threads=8):
    """How many calls from threads differ from those of another copy, one after the other."""
    alone = fresh(model)
    expected = [[getattr(alone, method)(batch) for method in METHODS] for batch in batches]

    def work(thread):
        rng = np.random.default_rng(thread)
        wrong = 0
        for i, j in zip(
            rng.integers(len(batches), size=n_calls // n_threads),
            rng.integers(len(METHODS), size=n_calls // n_threads),
            strict=True,
        ):
            found = getattr(model, METHODS[j])(batches[i])
            wrong += not np.array_equal(found, expected[i][j])
        return wrong

    with ThreadPoolExecutor(n_threads) as pool:
        return sum(pool.map(work, range(n_threads)))


@pytest.mark.parametrize("n_calls", [240, pytest.param(20_000, marks=pytest.mark.soak)])
def test_many_calls_from_eight_threads_get_what_one_thread_gets(corpus, model, switching, n_calls):
    shared = fresh(model)
    assert wrong_answers(shared, batches_of(corpus[0], 50, 3), n_calls) == 0
    # Nor has the sharing left a trace in the model.
    weights, as_before = (one[-1].net_.module_.state_dict() for one in (shared, fresh(model)))
    assert set(weights) == {name for name, _ in shared[-1].net_.module_.named_parameters()}
    for name, value in weights.items():
        torch.testing.assert_close(value, as_before[name], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("vectorizer", "params"),
    [
        ({}, {"hidden_units": 4, "architecture": "stacked"}),
        ({"tokenizer": "tweet"}, {"hidden_units": 4, "wide": False}),
        ({"analyzer": "char"}, {"precision": "bfloat16", "wide": False}),
        ({"stop_words": "english"}, {"convolution": "dense", "wide": False}),
    ],
    ids=str,
)
def test_threads_share_models_of_every_kind(corpus, vectorizer, params, switching):
    shared = fresh(fitted(corpus, TextVectorizer(**vectorizer), **params))
    assert wrong_answers(shared, batches_of(corpus[0], 12, 3), 120) == 0


def test_threads_share_a_model_too_large_to_remember_products(
    corpus, model, switching, monkeypatch
):
    monkeypatch.setattr(products, "MOST_BYTES", 0)
    assert wrong_answers(fresh(model), batches_of(corpus[0], 12, 3), 120) == 0


def test_threads_go_on_while_what_they_remember_is_forgotten(corpus, model, switching):
    shared = fresh(model)
    done = threading.Event()

    def forget():
        while not done.wait(1e-3):
            shared[-1].net_.module_._products.forget()
            shared[0]._encoder._cached = None

    forgetting = threading.Thread(target=forget)
    forgetting.start()
    try:
        assert wrong_answers(shared, batches_of(corpus[0], 12, 3), 240) == 0
    finally:
        done.set()
        forgetting.join()


def test_two_threads_in_the_head_at_once_leave_it_as_it_was(corpus, model):
    shared, texts = fresh(model), corpus[0][:3]
    head = shared[-1].net_.module_.head
    before = dict(head.named_parameters())
    first_is_in, second_is_in, first_is_out = (threading.Event() for _ in range(3))

    def overlap(*_):
        if not first_is_in.is_set():
            first_is_in.set()
            assert second_is_in.wait(30)
        else:
            second_is_in.set()
            assert first_is_out.wait(30)

    head[-1].register_forward_pre_hook(overlap)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(shared.predict_proba, texts)
        assert first_is_in.wait(30)
        second = pool.submit(shared.predict_proba, texts)
        np.testing.assert_array_equal(first.result(), model.predict_proba(texts))
        first_is_out.set()
        np.testing.assert_array_equal(second.result(), model.predict_proba(texts))
    after = dict(head.named_parameters())
    assert list(after) == list(before)
    assert all(after[name] is before[name] for name in before)


def test_threads_that_find_a_net_elsewhere_move_it_once(corpus, model, monkeypatch):
    shared = fresh(model).set_params(textcnnclassifier__device="cpu:0")
    network, moves = shared[-1].net_.module_, []

    def move_slowly(device):
        moves.append(device)
        time.sleep(0.2)
        return network

    monkeypatch.setattr(network, "to", move_slowly)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(shared.predict, [corpus[0][:3]] * 4))
    assert moves == ["cpu:0"]
    assert all((answer == model.predict(corpus[0][:3])).all() for answer in answers)


def test_an_interrupted_partial_fit_leaves_no_switch_to_the_threads(corpus, model):
    texts, labels = corpus
    shared = fresh(model)
    ids = shared[0].transform(texts)

    def interrupt(*_):
        raise KeyboardInterrupt

    network = shared[-1].net_.module_
    hook = network.head.register_forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        shared[-1].partial_fit(ids, labels)
    hook.remove()
    assert not any(part.training for part in network.modules())


def test_loky_workers_predict_the_same(corpus, model):
    batches = batches_of(corpus[0], 8, 30)
    found = joblib.Parallel(n_jobs=2, backend="loky")(
        joblib.delayed(model.predict_proba)(batch) for batch in batches
    )
    for batch, answer in zip(batches, found, strict=True):
        np.testing.assert_array_equal(answer, fresh(model).predict_proba(batch))


def run(script, *args, timeout=90):
    """Run a script in a process of its own, and end all that it has started if it hangs."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, args)],
        env={name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=timeout)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert process.returncode == 0, errors
    return output


FORKS = """
import multiprocessing, os, sys
import joblib, numpy as np, torch
from sktextcnn._network.threads import usable_threads

model, texts, expected = joblib.load(sys.argv[1])
torch.set_num_threads(2)

def child(part):
    return usable_threads(), np.array_equal(model.predict_proba(texts[part::3]), expected[part::3])

def fork_three():
    children = []
    for part in range(3):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = 0 if child(part) == (1, True) else 2
            finally:
                os._exit(status)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]

fork_three()
assert np.array_equal(model.predict_proba(texts), expected)
fork_three()
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(child, range(3)) == [(1, True)] * 3
assert torch.get_num_threads() == 2
assert np.array_equal(model.predict_proba(texts), expected)
"""


@pytest.mark.soak
@needs_fork
def test_children_forked_before_and_after_predictions_predict_the_same(corpus, model, tmp_path):
    # Enough texts for several threads, which a child that had them would wait for forever.
    texts = corpus[0] * 5
    joblib.dump((model, texts, fresh(model).predict_proba(texts)), tmp_path / "case.joblib")
    run(FORKS, tmp_path / "case.joblib")


MEMORY = """
import gc, json, os, pathlib, sys
import numpy as np, torch
from sklearn.pipeline import make_pipeline
from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._network import products

def private():
    lines = pathlib.Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))

rng = np.random.default_rng(0)
words = [f"w{i}" for i in range(100_000)]

def batch(size):
    return [" ".join(f"w{i % len(words)}" for i in rng.zipf(1.3, 30)) for _ in range(size)]

def growths(warm=0, **params):
    model = make_pipeline(
        TextVectorizer(vocabulary=words), TextCNNClassifier(max_epochs=1, random_state=0, **params)
    ).fit(batch(20), [0, 1] * 10)
    for _ in range(warm):
        model.predict_proba(batch(50))
    gc.collect()
    gc.freeze()
    batches = [batch(50) for _ in range(2 if warm else 20)]
    read, write = os.pipe()
    for _ in range(2):
        if os.fork() == 0:
            before = private()
            for some in batches:
                model.predict_proba(some)
            growth = private() - before
            remembers = model[-1].net_.module_._products._memory is not None
            os.write(write, json.dumps([growth, remembers]).encode() + b"\\n")
            os._exit(0)
    assert [os.wait()[1] for _ in range(2)] == [0, 0]
    os.close(write)
    answers = [json.loads(line) for line in open(read)]
    memory = model[-1].net_.module_._products._memory
    n_products = 0 if memory is None else int((memory.row_of >= 0).sum()) * 1200
    return model[-1].net_.module_.embedding.weight.nbytes, answers, 4 * n_products

torch.set_num_threads(1)
remembered = growths(kernel_sizes=[2], num_filters=20)
warm = growths(warm=40)
products.MOST_BYTES = 0
print(json.dumps([growths(), remembered, warm]))
"""


@pytest.mark.soak
@needs_fork
@needs_smaps
def test_forked_children_share_the_weights():
    made_anew, remembered, warm = json.loads(run(MEMORY))
    for (weights, children, _), remembers in ((made_anew, False), (remembered, True)):
        assert weights > 100_000 * 100 * 4
        assert [answer for _, answer in children] == [remembers] * 2
        assert max(growth for growth, _ in children) < weights * 2 / 3
    _, children, products_of_parent = warm
    assert products_of_parent > 20e6
    assert max(growth for growth, _ in children) < products_of_parent / 2
