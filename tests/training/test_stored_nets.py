"""Loading beside a training: no lock, no random numbers, whatever mode torch is in."""

import copy
import os
import pickle
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
        classifier = TextCNNClassifier(**SMALL, callbacks=[Waits(reached, go_on)])
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
