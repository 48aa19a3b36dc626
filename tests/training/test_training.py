"""Training: the network, schedules, optimizers, callbacks, partial_fit."""

import copy
import signal

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.metrics import log_loss
from skorch.callbacks import Callback, EpochScoring, GradientNormClipping, LRScheduler

from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._network import max_over_time
from sktextcnn._network.modules import UNKNOWN_ID, KimCNN
from sktextcnn._training.dataset import TokenDataset

# Of the network alone; tests/wide has trainings of both parts.
SMALL = {"num_filters": 6, "wide": False, "random_state": 0}


@pytest.fixture(scope="module")
def with_vectors(corpus, vectors_file):
    texts, labels = corpus
    return TextVectorizer(embeddings=vectors_file).fit_transform(texts), np.array(labels)


class Rates(Callback):
    def on_train_begin(self, net, **kwargs):
        self.rates_ = []

    def on_epoch_end(self, net, **kwargs):
        self.rates_.append([group["lr"] for group in net.optimizer_.param_groups])


def callback(classifier, kind):
    return next(step for _, step in classifier.net_.callbacks_ if isinstance(step, kind))


def test_it_learns_what_it_is_shown(data):
    X, y = data
    classifier = TextCNNClassifier(
        random_state=0, max_epochs=15, learning_rate=1e-2, num_filters=20, embedding_dim=50
    ).fit(X, y)
    assert classifier.score(X, y) > 0.95
    losses = classifier.history_[:, "train_loss"]
    assert len(losses) == classifier.n_iter_ == 15
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize(
    ("n_texts", "length", "batch_size", "expected"),
    # 3,000 steps or 32 million tokens, from 4 to 300 epochs.
    [
        (50, 20, 32, 300),
        (9_600, 20, 32, 10),
        (9_600, 20, 64, 20),
        (1_000_000, 20, 32, 4),
        (1_600, 800, 32, 25),
        (50_000, 800, 32, 4),
        (100, 0, 32, 300),
    ],
)
def test_the_number_of_epochs_follows_the_size_of_the_corpus(n_texts, length, batch_size, expected):
    classifier = TextCNNClassifier(batch_size=batch_size)
    assert classifier._n_epochs(n_texts, n_texts * length) == expected


def test_the_rate_falls_over_the_automatic_number_of_epochs(data, monkeypatch):
    X, y = data
    # The 3,000 steps that would be made otherwise take long.
    monkeypatch.setattr("sktextcnn._classifier._MOST_EPOCHS", 5)
    classifier = TextCNNClassifier(num_filters=1, embedding_dim=2, callbacks=[Rates()]).fit(X, y)
    assert classifier.n_iter_ == 5
    rates = [rate for rate, *_ in callback(classifier, Rates).rates_]
    np.testing.assert_allclose(rates, 1e-3 * np.arange(5, 0, -1) / 5)


def test_word_order_counts():
    texts = ["good not bad", "bad not good"] * 20
    X = TextVectorizer().fit_transform(texts)
    y = [0, 1] * 20
    params = {"max_epochs": 30, **SMALL}
    assert TextCNNClassifier(**params).fit(X, y).score(X, y) == 1.0
    words_only = TextCNNClassifier(kernel_sizes=(1,), **params).fit(X, y)
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


def test_vectors_stay_while_their_word_is_absent(with_vectors):
    X, y = with_vectors
    word = np.bincount(X[X > UNKNOWN_ID]).argmax()
    start = np.array(X.table.vectors[word])
    has_it = (word == X).any(axis=1)
    classifier = TextCNNClassifier(**SMALL)
    classifier.partial_fit(X[has_it], y[has_it], classes=np.unique(y))
    weight = classifier.net_.module_.embedding.weight
    moved = weight[word].detach().clone()
    assert not np.array_equal(moved, start)
    classifier.partial_fit(X[~has_it], y[~has_it])
    assert torch.equal(weight[word], moved)


class Copies(Callback):
    """A copy of the network in the middle of an epoch."""

    def on_batch_end(self, net, training=False, **kwargs):
        self.module_ = copy.deepcopy(net.module_)


def test_a_copy_made_while_training_is_a_network_of_its_own(with_vectors):
    X, y = with_vectors
    params = {"max_epochs": 1, **SMALL}
    classifier = TextCNNClassifier(callbacks=[Copies()], **params).fit(X, y)
    weights = classifier.net_.module_.state_dict()
    for name, value in callback(classifier, Copies).module_.state_dict().items():
        torch.testing.assert_close(value, weights[name])
        assert value.data_ptr() != weights[name].data_ptr()


def test_a_copied_net_can_be_trained_further(with_vectors):
    X, y = with_vectors
    classifier = TextCNNClassifier(max_epochs=2, **SMALL).fit(X, y)
    net = copy.deepcopy(classifier.net_)
    before = copy.deepcopy(classifier.net_.module_.state_dict())
    net.fit_epochs(TokenDataset(np.asarray(X), np.unique(y, return_inverse=True)[1]), 2)
    assert len(net.history) == 4
    for name, value in classifier.net_.module_.state_dict().items():
        assert torch.equal(value, before[name])
        assert not torch.equal(net.module_.state_dict()[name], value)


@pytest.mark.parametrize("finetune", [False, True, "multichannel"])
@pytest.mark.filterwarnings("ignore:finetune=")
def test_the_dense_convolution_trains_and_predicts_the_same(data, finetune):
    X, y = data
    params = {"finetune": finetune, "max_epochs": 2, **SMALL}
    by_look_up = TextCNNClassifier(**params).fit(X, y)
    dense = TextCNNClassifier(convolution="dense", **params).fit(X, y)
    np.testing.assert_allclose(by_look_up.predict_proba(X), dense.predict_proba(X), atol=1e-4)
    dense.net_.module_.convolution = "lookup"
    looked_up = dense.predict_proba(X)
    dense.net_.module_.convolution = "dense"
    np.testing.assert_allclose(dense.predict_proba(X), looked_up, atol=1e-6)


def test_many_texts_are_predicted_as_few_are(data, monkeypatch):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=1, **SMALL).fit(X, y)
    together = classifier.predict_proba(X)
    monkeypatch.setattr("sktextcnn._training.net._TOKENS_AT_ONCE", 50)
    monkeypatch.setitem(max_over_time._BYTES_AT_ONCE, "cpu", 1)
    np.testing.assert_allclose(classifier.predict_proba(X), together, rtol=1e-14)


@pytest.mark.filterwarnings("error")
def test_ids_may_be_read_only(data, monkeypatch):
    X, y = data
    expected = TextCNNClassifier(max_epochs=1, **SMALL).fit(X, y).predict(X)
    ids = X.copy()
    ids.flags.writeable = False
    clf = TextCNNClassifier(max_epochs=1, **SMALL).fit(ids, y)
    np.testing.assert_array_equal(clf.predict(ids), expected)
    monkeypatch.setattr("sktextcnn._training.net._TOKENS_AT_ONCE", 64)
    np.testing.assert_array_equal(clf.predict(ids), expected)


def test_probabilities_scores_and_labels_agree(data):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=2, **SMALL).fit(X, y)
    probabilities = classifier.predict_proba(X)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    scores = classifier.decision_function(X)
    exponentials = np.exp(scores)
    np.testing.assert_allclose(
        probabilities, exponentials / exponentials.sum(axis=1, keepdims=True)
    )
    expected = classifier.classes_[probabilities.argmax(axis=1)]
    np.testing.assert_array_equal(classifier.predict(X), expected)


def test_two_classes_have_the_log_odds_of_the_second_as_score(data):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=2, **SMALL).fit(X, y == "torch")
    scores = classifier.decision_function(X)
    assert scores.shape == (len(X),)
    np.testing.assert_allclose(1 / (1 + np.exp(-scores)), classifier.predict_proba(X)[:, 1])
    np.testing.assert_array_equal(classifier.predict(X), scores > 0)


def test_the_loss_in_the_history_is_that_of_scikit_learn(data):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=2, **SMALL)
    classifier.fit(X, y, X_val=X[:60], y_val=y[:60])
    proba = classifier.predict_proba(X[:60])
    last = classifier.history_[-1]
    assert last["valid_loss"] == pytest.approx(
        log_loss(y[:60], proba, labels=classifier.classes_), rel=1e-4
    )
    assert last["valid_acc"] == pytest.approx(classifier.score(X[:60], y[:60]))


# One form learns; the others make the same network of the same targets.
@pytest.mark.parametrize(
    ("as_indicator", "max_epochs"), [(np.array, 25), (csr_matrix, 1), (np.ndarray.tolist, 1)]
)
def test_multilabel_targets_get_a_probability_for_each_label(data, as_indicator, max_epochs):
    X, y = data
    wanted = np.stack([y == "torch", y == "numpy", (y == "torch") | (y == "scipy")], axis=1).astype(
        int
    )
    params = {"learning_rate": 1e-2, "num_filters": 20, "embedding_dim": 50, "wide": False}
    classifier = TextCNNClassifier(random_state=0, max_epochs=max_epochs, **params)
    classifier.fit(X, as_indicator(wanted))
    probabilities = classifier.predict_proba(X)
    assert probabilities.shape == wanted.shape
    predicted = classifier.predict(X)
    np.testing.assert_array_equal(predicted, probabilities > 0.5)
    assert max_epochs == 1 or classifier.score(X, wanted) > 0.9
    classifier.set_params(max_epochs=1)
    loss = classifier.fit(X, wanted, X_val=X, y_val=wanted).history_[-1]["valid_loss"]
    probabilities = classifier.predict_proba(X)
    by_hand = -np.mean(np.log(np.where(wanted == 1, probabilities, 1 - probabilities)))
    assert loss == pytest.approx(by_hand, rel=1e-4)


# Schedules, optimizers, callbacks, progress -------------------------------------------


def test_the_linear_schedule_falls_evenly_and_the_constant_one_stays(data):
    X, y = data
    classifier = TextCNNClassifier(
        max_epochs=4, learning_rate=0.01, finetune_lr=0.001, callbacks=[Rates()], **SMALL
    ).fit(X, y)
    expected = [[0.001 * share, 0.01 * share] for share in (1, 0.75, 0.5, 0.25)]
    np.testing.assert_allclose(callback(classifier, Rates).rates_, expected)
    classifier.set_params(lr_schedule="constant").fit(X, y)
    np.testing.assert_allclose(callback(classifier, Rates).rates_, [[0.001, 0.01]] * 4)


def test_a_scheduler_of_skorch_replaces_the_own_schedule(data):
    X, y = data
    halved = LRScheduler(policy="StepLR", step_size=1, gamma=0.5)
    classifier = TextCNNClassifier(max_epochs=3, callbacks=[Rates(), halved], **SMALL)
    with pytest.raises(ValueError, match="lr_schedule='constant'"):
        classifier.fit(X, y)
    classifier.set_params(lr_schedule="constant").fit(X, y)
    rates = np.array(callback(classifier, Rates).rates_)[:, 0]
    np.testing.assert_allclose(rates, [1e-3, 5e-4, 2.5e-4])


@pytest.mark.parametrize(
    "optimizer", ["adam", "adamw", "adadelta", "adagrad", "rmsprop", "sgd", torch.optim.NAdam]
)
def test_every_optimizer_lowers_the_loss(data, optimizer):
    X, y = data
    rate = {"adadelta": 1.0, "sgd": 0.1}.get(optimizer, 1e-3)
    classifier = TextCNNClassifier(optimizer=optimizer, learning_rate=rate, max_epochs=4, **SMALL)
    losses = classifier.fit(X, y).history_[:, "train_loss"]
    assert losses[-1] < losses[0]


def test_skorch_callbacks_are_called_and_the_given_ones_stay_untouched(data):
    X, y = data
    scoring = EpochScoring("accuracy", lower_is_better=False, name="accuracy", on_train=True)
    classifier = TextCNNClassifier(max_epochs=2, callbacks=[("scoring", scoring)], **SMALL)
    before = dict(vars(scoring))
    for _ in range(2):
        history = clone(classifier).fit(X, y).history_
        assert len(history[:, "accuracy"]) == 2
    assert vars(scoring) == before


def test_the_bar_ends_its_line_where_the_training_ends_by_an_error(data, capsys):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=3, verbose=1, learning_rate=1e30, **SMALL)
    with pytest.raises(ValueError, match="diverged") as error:
        classifier.fit(X, y)
    assert capsys.readouterr().err.endswith("\n")
    assert error.value.__traceback__ is not None  # Which would keep the bar alive.


@pytest.fixture
def interruptible():
    """Python's own handler, which a process started in the background lacks."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_reaches_the_user_and_leaves_the_model_as_it_was(data, monkeypatch):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=2, warm_start=True, **SMALL).fit(X, y)
    before = classifier.predict_proba(X)
    forward, calls = KimCNN.forward, []

    def interrupted(network, ids):
        calls.append(ids)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return forward(network, ids)

    with monkeypatch.context() as patch:
        patch.setattr(KimCNN, "forward", interrupted)
        with pytest.raises(KeyboardInterrupt):
            classifier.fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), before)
    assert len(classifier.history_) == 2


@pytest.mark.parametrize("method", ["on_train_begin", "on_batch_end", "on_epoch_end"])
def test_an_interrupt_that_a_callback_raises_reaches_the_user(data, method):
    X, y = data

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    callback = type("Interrupts", (Callback,), {method: interrupt})()
    classifier = TextCNNClassifier(max_epochs=2, **SMALL).fit(X, y)
    before = classifier.predict_proba(X)
    classifier.set_params(callbacks=[callback])
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), before)
    assert len(classifier.history_) == 2


def test_the_handler_of_a_user_reaches_the_user(data):
    X, y = data

    def handler(number, frame):
        raise KeyboardInterrupt("stop")

    class Presses(Callback):
        def on_epoch_end(self, net, **kwargs):
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(KeyboardInterrupt, match="stop"):
            TextCNNClassifier(max_epochs=2, callbacks=[Presses()], **SMALL).fit(X, y)
    finally:
        signal.signal(signal.SIGINT, before)


# partial_fit --------------------------------------------------------------------------


def test_partial_fit_learns_from_part_after_part(corpus):
    texts, labels = corpus
    vectorizer = TextVectorizer().fit(texts)
    X, y = vectorizer.transform(texts), np.array(labels)
    classifier = TextCNNClassifier(
        random_state=0, learning_rate=1e-2, num_filters=20, embedding_dim=50
    )
    for epoch in range(8):
        for part in np.array_split(np.arange(len(y)), 3):
            classifier.partial_fit(X[part], y[part], classes=np.unique(y))
        assert classifier.n_iter_ == 3 * (epoch + 1)
    assert classifier.score(X, y) > 0.9


def test_partial_fit_goes_on_with_the_optimizer(data):
    X, y = data
    classifier = TextCNNClassifier(**SMALL)
    classifier.partial_fit(X, y, classes=np.unique(y))
    optimizer = classifier.net_.optimizer_
    steps = [state["step"].item() for state in optimizer.state.values()]
    classifier.partial_fit(X, y)
    assert classifier.net_.optimizer_ is optimizer
    assert [state["step"].item() for state in optimizer.state.values()] == [2 * n for n in steps]


def test_partial_fit_goes_on_from_fit(data):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=2, dropout=0, token_dropout=0, **SMALL).fit(X, y)
    loss = classifier.history_[-1]["train_loss"]
    classifier.partial_fit(X, y)
    assert classifier.n_iter_ == 3
    assert classifier.history_[-1]["train_loss"] < loss


def test_partial_fit_may_first_see_some_of_the_classes(data):
    X, y = data
    first = y == "torch"
    classifier = TextCNNClassifier(**SMALL)
    classifier.partial_fit(X[first], y[first], classes=np.unique(y))
    assert classifier.predict_proba(X).shape == (len(X), 5)


def test_partial_fit_of_multilabel_targets_needs_no_classes(data):
    X, y = data
    indicator = np.stack([y == "torch", y == "numpy"], axis=1).astype(int)
    classifier = TextCNNClassifier(**SMALL).partial_fit(X, indicator).partial_fit(X, indicator)
    assert classifier.predict(X).shape == indicator.shape
