"""Training: weights, validation, early stopping, schedules, callbacks, partial_fit."""

import copy
import signal

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EpochScoring, GradientNormClipping, LRScheduler

from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._network import KimCNN
from sktextcnn._training import Rows

SMALL = {"num_filters": 6, "random_state": 0}


@pytest.fixture(scope="module")
def data(corpus):
    texts, labels = corpus
    return TextVectorizer().fit_transform(texts), np.array(labels)


@pytest.fixture(scope="module")
def with_vectors(corpus, vectors_file, request):
    texts, labels = corpus
    embeddings = vectors_file if getattr(request, "param", True) else None
    return TextVectorizer(embeddings=embeddings).fit_transform(texts), np.array(labels)


class Rates(Callback):
    def on_train_begin(self, net, **kwargs):
        self.rates_ = []

    def on_epoch_end(self, net, **kwargs):
        self.rates_.append([group["lr"] for group in net.optimizer_.param_groups])


def callback(classifier, kind):
    return next(step for _, step in classifier.net_.callbacks_ if isinstance(step, kind))


def test_it_learns_what_it_is_shown(data):
    X, y = data
    classifier = TextCNNClassifier(random_state=0, max_epochs=20, learning_rate=3e-3).fit(X, y)
    assert classifier.score(X, y) > 0.95
    losses = classifier.history_[:, "train_loss"]
    assert len(losses) == classifier.n_iter_ == 20
    assert losses[-1] < 0.2 * losses[0]


def test_word_order_counts():
    texts = ["good not bad", "bad not good"] * 20
    X = TextVectorizer().fit_transform(texts)
    y = [0, 1] * 20
    assert TextCNNClassifier(max_epochs=30, **SMALL).fit(X, y).score(X, y) == 1.0
    words_only = TextCNNClassifier(max_epochs=30, kernel_sizes=(1,), **SMALL).fit(X, y)
    assert words_only.score(X, y) == 0.5


class Gradients(Callback):
    """Whether the gradient of the embedding was sparse."""

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            self.sparse_ = net.module_.embedding.weight.grad.is_sparse


@pytest.mark.parametrize(
    ("params", "sparse"),
    [
        ({}, True),
        ({"finetune": "multichannel"}, True),
        ({"architecture": "stacked"}, True),
        ({"weight_decay": 1e-4}, False),
        ({"optimizer": "adamw"}, False),
        ({"optimizer": torch.optim.Adam}, False),
    ],
)
def test_plain_adam_has_gradients_of_a_batchs_words_only(with_vectors, params, sparse):
    X, y = with_vectors
    classifier = TextCNNClassifier(max_epochs=1, callbacks=[Gradients()], **SMALL, **params)
    classifier.fit(X, y)
    assert callback(classifier, Gradients).sparse_ == sparse


def test_a_callback_that_clips_gradients_gets_dense_ones(with_vectors):
    X, y = with_vectors
    callbacks = [GradientNormClipping(1e-9), Gradients()]
    classifier = TextCNNClassifier(max_epochs=1, callbacks=callbacks, **SMALL).fit(X, y)
    assert not callback(classifier, Gradients).sparse_


class Vectors(Callback):
    """The word vectors as they are behind each epoch."""

    def on_train_begin(self, net, **kwargs):
        self.vectors_ = []

    def on_epoch_end(self, net, **kwargs):
        self.vectors_.append(net.module_.embedding.weight.detach().clone())


@pytest.mark.parametrize(
    "params",
    [{}, {"finetune": 1}, {"finetune": "multichannel"}, {"architecture": "stacked"}],
    ids=str,
)
@pytest.mark.parametrize("with_vectors", [True, False], indirect=True)
@pytest.mark.filterwarnings("ignore:finetune=")
def test_adam_is_torchs_adam_though_it_touches_few_rows(with_vectors, params):
    X, y = with_vectors
    runs = []
    for optimizer in ("adam", torch.optim.Adam):
        classifier = TextCNNClassifier(
            max_epochs=3, optimizer=optimizer, callbacks=[Vectors()], **SMALL, **params
        ).fit(X[30:], y[30:], X_val=X[:30], y_val=y[:30])
        figures = [
            classifier.history_[:, name] for name in ("train_loss", "valid_loss", "valid_acc")
        ]
        runs.append((figures, callback(classifier, Vectors).vectors_, classifier.predict_proba(X)))
    (figures, vectors, proba), (expected_figures, expected_vectors, expected_proba) = runs
    np.testing.assert_allclose(figures, expected_figures, rtol=1e-4)
    for epoch, (ours, theirs) in enumerate(zip(vectors, expected_vectors, strict=True)):
        # Epsilon and rounding, of which moments of next to nothing make much.
        assert (ours - theirs).abs().mean() < 1e-6
        assert epoch < 2 or not torch.equal(ours, vectors[0])
    np.testing.assert_allclose(proba, expected_proba, atol=1e-4)


class Copies(Callback):
    """A copy of the network in the middle of an epoch."""

    def on_batch_end(self, net, training=False, **kwargs):
        self.module_ = copy.deepcopy(net.module_)


def test_a_copy_made_while_training_is_a_network_of_its_own(with_vectors):
    X, y = with_vectors
    classifier = TextCNNClassifier(max_epochs=1, callbacks=[Copies()], **SMALL).fit(X, y)
    for module in (callback(classifier, Copies).module_, classifier.net_.module_):
        assert module.embedding.before_reading is None
        module.train()(torch.tensor(X[:2])).sum().backward()


def test_a_copied_net_can_be_trained_further(with_vectors):
    X, y = with_vectors
    classifier = TextCNNClassifier(max_epochs=2, **SMALL).fit(X, y)
    net = copy.deepcopy(classifier.net_)
    rows = Rows(np.asarray(X), np.unique(y, return_inverse=True)[1])
    net.fit_epochs(rows, 2)
