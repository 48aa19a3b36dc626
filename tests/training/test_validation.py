"""Validation data and early stopping."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

from sktextcnn import TextCNNClassifier, TextVectorizer

SMALL = {"num_filters": 6, "random_state": 0}


def test_early_stopping_returns_to_the_best_epochs_weights(data):
    X, y = data
    train, valid = np.arange(40), np.arange(40, 140)
    classifier = TextCNNClassifier(
        random_state=0,
        max_epochs=60,
        learning_rate=1e-2,
        early_stopping=True,
        n_iter_no_change=4,
        lr_schedule="constant",
    ).fit(X[train], y[train], X_val=X[valid], y_val=y[valid])
    losses = classifier.history_[:, "valid_loss"]
    best = int(np.argmin(losses))
    assert classifier.n_iter_ == len(losses) < 60
    assert best < len(losses) - 1
    proba = classifier.predict_proba(X[valid])
    assert log_loss(y[valid], proba, labels=classifier.classes_) == pytest.approx(
        losses[best], rel=1e-4
    )


def test_early_stopping_keeps_a_stratified_part_of_the_training_texts(data):
    X, y = data
    seen = []

    class Sizes(Callback):
        def on_train_begin(self, net, X=None, **kwargs):
            valid = net.train_split(X)[1]
            seen.append((X.y.numpy(), valid.y.numpy()))

    TextCNNClassifier(
        max_epochs=1, early_stopping=True, validation_fraction=0.25, callbacks=[Sizes()], **SMALL
    ).fit(X, y)
    train, valid = seen[0]
    assert (len(train), len(valid)) == (180, 60)
    shares = [np.bincount(part, minlength=5) / len(part) for part in seen[0]]
    np.testing.assert_allclose(*shares, atol=0.02)


def test_no_file_is_written_while_training(data, tmp_path, monkeypatch):
    X, y = data
    monkeypatch.chdir(tmp_path)
    TextCNNClassifier(max_epochs=3, early_stopping=True, **SMALL).fit(X, y)
    assert not list(tmp_path.iterdir())


def test_validation_data_goes_through_the_vectorizer_of_a_pipeline(corpus):
    texts, labels = corpus
    with config_context(enable_metadata_routing=True):
        model = make_pipeline(
            TextVectorizer(),
            TextCNNClassifier(max_epochs=2, **SMALL),
            transform_input=["X_val"],
        )
        model.fit(texts[:180], labels[:180], X_val=texts[180:], y_val=labels[180:])
    accuracy = model[-1].history_[-1]["valid_acc"]
    assert accuracy == pytest.approx(model.score(texts[180:], labels[180:]))
