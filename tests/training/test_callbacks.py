"""Callbacks of the user: what ends a training, what they share, what they may monitor."""

import dataclasses

import numpy as np
import pytest
from sklearn.base import clone
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, EpochScoring, LRScheduler
from torch.optim.lr_scheduler import ReduceLROnPlateau

from sktextcnn import TextCNNClassifier

# Of the network alone; tests/wide has trainings of both parts.
SMALL = {"num_filters": 6, "wide": False, "random_state": 0}


@pytest.mark.parametrize("as_pair", [False, True])
def test_early_stopping_of_skorch_ends_the_training(data, as_pair):
    X, y = data
    stopping = EarlyStopping("train_loss", patience=2, threshold=10.0, threshold_mode="abs")
    callbacks = [("stopping", stopping)] if as_pair else [stopping]
    classifier = TextCNNClassifier(max_epochs=9, callbacks=callbacks, **SMALL).fit(X, y)
    assert classifier.n_iter_ == len(classifier.history_) == 3
    assert all("train_loss" in epoch for epoch in classifier.history_)
    classifier.predict_proba(X)


def test_a_subclass_of_early_stopping_ends_the_training_in_an_epoch_of_its_own(data):
    X, y = data
    stopping = EarlyStopping("valid_loss", patience=1, threshold=100.0, threshold_mode="abs")
    classifier = TextCNNClassifier(max_epochs=9, callbacks=[stopping], **SMALL)
    classifier.fit(X, y, X_val=X[:20], y_val=y[:20])
    assert classifier.n_iter_ == 2


class StopsTooEarly(EarlyStopping):
    """Raises as early stopping does, but where no epoch has ended."""

    def __init__(self, method):
        super().__init__("train_loss")
        self.method = method

    def on_train_begin(self, net, **kwargs):
        super().on_train_begin(net, **kwargs)
        if self.method == "on_train_begin":
            raise KeyboardInterrupt

    def on_batch_end(self, net, **kwargs):
        if self.method == "on_batch_end":
            raise KeyboardInterrupt


@pytest.mark.parametrize("method", ["on_train_begin", "on_batch_end"])
def test_a_stop_before_the_first_epoch_ends_leaves_the_estimator_untouched(data, method):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=2, callbacks=[StopsTooEarly(method)], **SMALL)
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, y)
    assert not hasattr(classifier, "net_")
    classifier.set_params(callbacks=None).fit(X, y)
    before = classifier.predict_proba(X)
    classifier.set_params(callbacks=[StopsTooEarly(method)])
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), before)
    assert len(classifier.history_) == classifier.n_iter_ == 2


@pytest.mark.parametrize(
    "callback",
    [
        EarlyStopping(),
        ("stopping", EarlyStopping()),
        EarlyStopping,
        Checkpoint(monitor="valid_acc_best"),
        LRScheduler(policy=ReduceLROnPlateau, monitor="valid_loss"),
    ],
    ids=["instance", "pair", "class", "checkpoint", "scheduler"],
)
def test_a_callback_that_watches_validation_data_needs_some(data, callback):
    X, y = data
    classifier = TextCNNClassifier(
        max_epochs=1, lr_schedule="constant", callbacks=[callback], **SMALL
    )
    with pytest.raises(ValueError, match=r"no validation data\. Set early_stopping=True.*X_val"):
        classifier.fit(X, y)
    with pytest.raises(ValueError, match="no validation data"):
        classifier.partial_fit(X, y, classes=np.unique(y))
    assert not hasattr(classifier, "net_")


def test_partial_fit_after_a_fit_with_validation_data_names_the_callback(data):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=1, callbacks=[EarlyStopping()], **SMALL)
    classifier.fit(X, y, X_val=X[:20], y_val=y[:20])
    with pytest.raises(ValueError, match=r"EarlyStopping\(monitor='valid_loss'\).*partial_fit"):
        classifier.partial_fit(X, y)
    assert len(classifier.history_) == 1


class Study:
    """Hears of losses, as a study of hyperparameters does; knows its copies."""

    def __init__(self):
        self.losses = []

    def __deepcopy__(self, memo):
        raise AssertionError("the study was copied")


class Reports(Callback):
    def __init__(self, study):
        self.study = study

    def on_epoch_end(self, net, **kwargs):
        self.study.losses.append(net.history[-1, "train_loss"])
        if len(self.study.losses) == 2:
            raise RuntimeError("pruned")


def test_a_callback_keeps_what_it_shares_with_others(data):
    X, y = data
    study = Study()
    with pytest.raises(RuntimeError, match="pruned"):
        TextCNNClassifier(max_epochs=5, callbacks=[Reports(study)], **SMALL).fit(X, y)
    assert len(study.losses) == 2


class Counts(Callback):
    """Says itself how it is cloned: not at all."""

    n_epochs = 0

    def __sklearn_clone__(self):
        return self

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs += 1


def test_a_callback_that_says_how_it_is_cloned_decides(data):
    X, y = data
    counts = Counts()
    classifier = TextCNNClassifier(max_epochs=2, callbacks=[("counts", counts)], **SMALL)
    clone(classifier).fit(X, y)
    classifier.fit(X, y)
    assert counts.n_epochs == 4


class Remembers(Callback):
    def on_train_begin(self, net, **kwargs):
        self.seen_ = getattr(self, "seen_", 0) + 1


def test_other_callbacks_begin_each_fit_as_they_were_given(data):
    X, y = data
    callback = Remembers()
    classifier = TextCNNClassifier(max_epochs=1, callbacks=[callback], **SMALL)
    for _ in range(2):
        classifier.fit(X, y)
        (used,) = [step for _, step in classifier.net_.callbacks_ if isinstance(step, Remembers)]
        assert used.seen_ == 1
    assert not hasattr(callback, "seen_")


@dataclasses.dataclass(slots=True)
class Slots(Callback):
    n: int = 1

    def on_epoch_end(self, net, **kwargs):
        net.history.record("n", self.n)


def test_a_callback_with_slots_keeps_its_attributes(data):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=1, callbacks=[Slots(3)], **SMALL).fit(X, y)
    assert classifier.history_[:, "n"] == [3]


def test_a_score_that_predicts_by_itself_is_computed(data):
    X, y = data
    score = EpochScoring("accuracy", lower_is_better=False, name="score", use_caching=False)
    classifier = TextCNNClassifier(max_epochs=1, callbacks=[score], **SMALL)
    classifier.fit(X, y, X_val=X[:40], y_val=y[:40])
    assert classifier.history_[-1]["score"] == classifier.score(X[:40], y[:40])
