"""Training and prediction on a CUDA device, where there is one."""

import pickle

import numpy as np
import pytest
import torch

from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._training.dataset import TokenDataset

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

SMALL = {"num_filters": 8, "max_epochs": 3, "random_state": 0}


@pytest.fixture(scope="module")
def data(corpus, vectors_file):
    texts, labels = corpus
    return TextVectorizer(embeddings=vectors_file).fit_transform(texts), np.array(labels)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"finetune": False},
        {"finetune": "multichannel"},
        {"convolution": "dense"},
        {"architecture": "stacked"},
    ],
    ids=str,
)
def test_the_devices_train_and_predict_the_same(data, params):
    X, y = data
    # Without random numbers, which the devices draw differently.
    params = {**SMALL, **params, "dropout": 0, "token_dropout": 0}
    on_cpu = TextCNNClassifier(device="cpu", **params).fit(X, y)
    on_cuda = TextCNNClassifier(device="cuda", **params).fit(X, y)
    np.testing.assert_allclose(on_cuda.predict_proba(X), on_cpu.predict_proba(X), atol=1e-3)
    restored = pickle.loads(pickle.dumps(on_cuda)).set_params(device="cpu")
    np.testing.assert_allclose(restored.predict_proba(X), on_cuda.predict_proba(X), atol=1e-5)


def test_a_seed_gives_the_same_model_again(data):
    X, y = data
    first, second = (TextCNNClassifier(device="cuda", **SMALL).fit(X, y) for _ in range(2))
    np.testing.assert_allclose(first.predict_proba(X), second.predict_proba(X), atol=1e-4)


def test_early_stopping_partial_fit_and_weights(data):
    X, y = data
    classifier = TextCNNClassifier(device="cuda", early_stopping=True, **SMALL)
    classifier.fit(X, y, sample_weight=np.linspace(0.5, 1, len(y))).partial_fit(X, y)
    assert classifier.predict(X).shape == y.shape


def test_rows_are_moved_once(data):
    X, _ = data
    ids, _ = TokenDataset(np.asarray(X), np.zeros(len(X), dtype=int), device="cuda")[:5]
    assert ids["ids"].is_cuda


def test_bfloat16(data):
    X, y = data
    classifier = TextCNNClassifier(device="cuda", precision="bfloat16", **SMALL).fit(X, y)
    assert classifier.predict_proba(X).shape == (len(y), len(set(y)))
