"""Loading beside a training: no lock, no random numbers, whatever mode torch is in."""

import copy
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

import sktextcnn
from sktextcnn import TextCNNClassifier

SMALL = {"num_filters": 4, "embedding_dim": 6, "max_epochs": 1, "random_state": 0}


class Mean(nn.Module):
    """A network of the user, with a tensor that its state does not hold."""

    def __init__(self, num_embeddings, embedding_dim, num_outputs):
        super().__init__()
        self.embedding = nn.Embedding(num_embeddings, embedding_dim, padding_idx=0)
        self.scale = torch.arange(1.0, embedding_dim + 1)
        self.register_buffer("shift", torch.ones(embedding_dim), persistent=False)
        self.head = nn.Sequential(nn.Linear(embedding_dim, num_outputs))
        nn.init.trunc_normal_(self.head[0].weight)
        torch.rand(3), torch.randn(2), torch.randperm(4)

    def forward(self, ids):
        return self.head(self.embedding(ids.long()).mean(dim=1) * self.scale + self.shift)


@pytest.fixture(scope="module")
def data(data):
    """Texts enough for a network and a wide part beside it."""
    X, y = data
    return X[:80], y[:80]


ARCHITECTURES = pytest.mark.parametrize("architecture", ["kim", "stacked", Mean])


class Waits(Callback):
    """Holds a training in the middle of an epoch."""

    def __init__(self, reached, go_on):
        self.reached, self.go_on = reached, go_on

    def on_epoch_begin(self, net, **kwargs):
        self.reached.set()
        assert self.go_on.wait(60)


@pytest.fixture
def training(data):
    """Something to be done while another thread trains."""

    def during(action):
        X, y = data
        reached, go_on = threading.Event(), threading.Event()
        classifier = TextCNNClassifier(**SMALL, wide=False, callbacks=[Waits(reached, go_on)])
        thread = threading.Thread(target=classifier.fit, args=(X, y), daemon=True)
        thread.start()
        try:
            assert reached.wait(60)
            return action()
        finally:
            go_on.set()
            thread.join(60)

    return during


def small(data, architecture):
    X, y = data
    params = {name: value for name, value in SMALL.items() if name != "num_filters"}
    params["pool_size"] = 5
    params["wide"] = architecture == "kim"  # Once is enough.
    return TextCNNClassifier(architecture=architecture, **params).fit(X, y)


@ARCHITECTURES
def test_loading_does_not_wait_for_a_training(data, training, architecture, tmp_path):
    X, _ = data
    classifier = small(data, architecture)
    pickled = pickle.dumps(classifier)
    omit = [] if isinstance(architecture, str) else ["architecture"]
    sktextcnn.save(classifier, tmp_path / "m", omit=omit)

    def load():
        # In a thread, which is left behind where it waits.
        loaded = []

        def work():
            loaded.append(pickle.loads(pickled))
            loaded.append(copy.deepcopy(classifier))
            loaded.append(sktextcnn.load(tmp_path / "m", params=dict.fromkeys(omit, architecture)))

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(30)
        return loaded

    loaded = training(load)
    assert len(loaded) == 3
    for model in loaded:
        np.testing.assert_array_equal(model.predict_proba(X), classifier.predict_proba(X))


@ARCHITECTURES
def test_loading_draws_no_random_numbers_of_the_process(data, architecture):
    pickled = pickle.dumps(small(data, architecture))
    before = torch.get_rng_state()
    pickle.loads(pickled)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_that_is_forked_during_a_training_loads_trains_and_predicts(data, training):
    X, y = data
    classifier = small(data, "kim")
    pickled = pickle.dumps(classifier)
    expected = classifier.predict_proba(X)

    def fork():
        child = os.fork()
        if child == 0:
            # Only os._exit leaves: the rest of the tests is the parent's.
            try:
                model = pickle.loads(pickled)
                same = np.array_equal(model.predict_proba(X), expected)
                again = model.fit(X, y).predict_proba(X)
                os._exit(0 if same and np.array_equal(again, expected) else 1)
            except BaseException:
                os._exit(2)
        for _ in range(600):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            threading.Event().wait(0.1)
        os.kill(child, 9)
        os.waitpid(child, 0)
        return None

    assert training(fork) == 0


@ARCHITECTURES
@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_modes_of_torch_around_a_call_change_nothing(data, architecture, mode):
    X, y = data
    classifier = small(data, architecture)
    expected = classifier.predict_proba(X)
    with mode():
        loaded = pickle.loads(pickle.dumps(classifier))
        inside = loaded.predict_proba(X)
    np.testing.assert_array_equal(inside, expected)
    np.testing.assert_array_equal(loaded.predict_proba(X), expected)
    # Further words, for which what is remembered has to grow.
    loaded.predict_proba(np.roll(X, 1, axis=0)[:, ::-1])
    with mode():
        fitted = small(data, architecture)
        fitted.partial_fit(X, y)
        loaded.partial_fit(X, y)
    np.testing.assert_allclose(loaded.predict_proba(X).sum(axis=1), 1)
    classifier.partial_fit(X, y)
    np.testing.assert_array_equal(fitted.predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_a_copy_made_in_a_mode_of_torch_can_be_trained(data, mode):
    X, y = data
    classifier = small(data, "kim")
    with mode():
        copied = copy.deepcopy(classifier)
    for model in (copied, classifier):
        model.partial_fit(X, y)
    np.testing.assert_array_equal(copied.predict_proba(X), classifier.predict_proba(X))


@pytest.fixture
def double_by_default():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.usefixtures("double_by_default")
@pytest.mark.parametrize("architecture", ["kim", "stacked"])
def test_the_default_dtype_of_torch_changes_no_network(data, architecture, tmp_path):
    X, _ = data
    classifier = small(data, architecture)
    weights = classifier.net_.module_.state_dict()
    assert {value.dtype for value in weights.values()} == {torch.float32}
    sktextcnn.save(classifier, tmp_path / "m")
    for loaded in (sktextcnn.load(tmp_path / "m"), pickle.loads(pickle.dumps(classifier))):
        assert loaded.net_.module_.head[-1].weight.dtype == torch.float32
        np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


def test_a_model_loads_whatever_the_default_device_of_torch_is(data):
    X, _ = data
    classifier = small(data, "kim")
    pickled = pickle.dumps(classifier)
    with torch.device("meta"):
        loaded = pickle.loads(pickled)
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


class Counting(Mean):
    """A network whose state has numbers of other types."""

    def __init__(self, num_embeddings, embedding_dim, num_outputs):
        super().__init__(num_embeddings, embedding_dim, num_outputs)
        self.head = nn.Sequential(
            nn.BatchNorm1d(embedding_dim), nn.Linear(embedding_dim, num_outputs)
        )
        self.register_buffer("exact", torch.ones(2, dtype=torch.float64) / 3)


def test_a_network_of_the_user_is_saved_with_all_its_types(data, tmp_path):
    X, y = data
    classifier = small(data, Counting)
    sktextcnn.save(classifier, tmp_path / "m", omit=["architecture"])
    loaded = sktextcnn.load(tmp_path / "m", params={"architecture": Counting})
    for name, value in classifier.net_.module_.state_dict().items():
        assert torch.equal(loaded.net_.module_.state_dict()[name], value)
        assert loaded.net_.module_.state_dict()[name].dtype == value.dtype
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    loaded.partial_fit(X, y)


class Tied(Mean):
    """A network with tied weights, a number, a mask, and numbers drawn without a generator."""

    def __init__(self, num_embeddings, embedding_dim, num_outputs):
        super().__init__(num_embeddings, embedding_dim, num_outputs)
        first, second = (nn.Linear(embedding_dim, embedding_dim) for _ in range(2))
        second.weight = first.weight
        self.head = nn.Sequential(first, second, nn.Linear(embedding_dim, num_outputs))
        self.factor = nn.Parameter(torch.tensor(1.0))
        self.register_buffer("mask", torch.full((2, 2), -torch.inf).triu(1))
        torch.rand_like(self.scale)


def test_what_parameters_share_stays_shared(data, tmp_path):
    X, y = data
    classifier = small(data, Tied)
    sktextcnn.save(classifier, tmp_path / "m", omit=["architecture"])
    before = torch.get_rng_state()
    for copied in (
        copy.deepcopy(classifier),
        pickle.loads(pickle.dumps(classifier)),
        sktextcnn.load(tmp_path / "m", params={"architecture": Tied}),
    ):
        assert torch.equal(torch.get_rng_state(), before)
        np.testing.assert_array_equal(copied.predict_proba(X), classifier.predict_proba(X))
        copied.partial_fit(X, y)
        head = copied.net_.module_.head
        assert head[0].weight is head[1].weight


FORKED = """
import copy, os, pickle, sys, time
import numpy as np, torch
import sktextcnn
from sktextcnn import TextCNNClassifier

torch.set_num_threads(2)
ids = np.random.default_rng(0).integers(0, 3000, (40, 20))
params = {"num_filters": 100, "embedding_dim": 100, "max_epochs": 1, "random_state": 0}
classifier = TextCNNClassifier(**params).fit(ids, np.arange(40) % 2)
pickled = pickle.dumps(classifier)
torch.ones(1000, 1000) @ torch.ones(1000, 1000)  # OpenMP's threads begin.
loaded = pickle.loads(pickled)
child = os.fork()
if child == 0:
    pickle.loads(pickled).predict(ids)
    copy.deepcopy(loaded).partial_fit(ids, np.arange(40) % 2)
    loaded.partial_fit(ids, np.arange(40) % 2)
    os._exit(0)
for _ in range(600):
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        sys.exit(os.waitstatus_to_exitcode(status))
    time.sleep(0.1)
os.kill(child, 9)
sys.exit("the child hangs")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.soak
def test_a_forked_child_loads_copies_and_trains_large_models():
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
