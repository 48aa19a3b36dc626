"""Threads and processes: torch's threads stay the user's, and trainings do not disturb others."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

from sktextcnn import TextCNNClassifier, TextVectorizer

SMALL = {"num_filters": 6, "max_epochs": 2}


class Threads(Callback):
    """Writes down how many threads torch has while training."""

    def on_epoch_begin(self, net, **kwargs):
        net.history.record("threads", torch.get_num_threads())


@pytest.fixture
def data(corpus):
    texts, labels = corpus
    return TextVectorizer().fit_transform(texts), np.array(labels)


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


def test_worker_processes_share_the_cores(corpus, monkeypatch):
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    texts, labels = corpus
    n_jobs = 2
    model = make_pipeline(
        TextVectorizer(), TextCNNClassifier(random_state=0, callbacks=[Threads()], **SMALL)
    )
    results = cross_validate(model, texts, labels, cv=2, n_jobs=n_jobs, return_estimator=True)
    for fitted in results["estimator"]:
        n_threads = fitted[-1].history_[0, "threads"]
        assert n_threads * n_jobs <= max(n_jobs, os.cpu_count())


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
