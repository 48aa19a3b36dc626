"""Validation data and early stopping."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.utils.class_weight import compute_class_weight
from skorch.callbacks import Callback

from sktextcnn import TextCNNClassifier, TextVectorizer

# Of the network alone; tests/wide has trainings of both parts.
SMALL = {"num_filters": 6, "wide": False, "random_state": 0}


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
        wide=False,
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


@pytest.mark.parametrize("class_weight", [None, "balanced", {"torch": 5.0, "numpy": 0.2}])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_validation_loss_is_the_same_for_the_same_rows(data, class_weight, weighted):
    X, y = data
    weight = np.random.default_rng(0).uniform(0, 3, len(y)).round() if weighted else None
    rows = []

    class Rows(Callback):
        def on_train_begin(self, net, X=None, **kwargs):
            rows.extend([X.X["ids"].numpy(), net.train_split(X)[1].X["ids"].numpy()])

    params = {"max_epochs": 1, "class_weight": class_weight, "dropout": 0.0, "shuffle": False}
    params |= {"token_dropout": 0.0, "batch_size": 1000, **SMALL}
    classifier = TextCNNClassifier(early_stopping=True, callbacks=[Rows()], **params)
    split = classifier.fit(X, y, sample_weight=weight)
    texts = [row.tobytes() for row in np.asarray(X)]
    train, valid = ([texts.index(row.tobytes()) for row in part] for part in rows)
    if class_weight == "balanced":  # Of all texts, where `fit` splits them.
        balance = compute_class_weight("balanced", classes=np.unique(y), y=y)
        params["class_weight"] = dict(zip(np.unique(y), balance, strict=True))
    given = TextCNNClassifier(early_stopping=True, **params).fit(
        X[train],
        y[train],
        sample_weight=None if weight is None else weight[train],
        X_val=X[valid],
        y_val=y[valid],
        sample_weight_val=None if weight is None else weight[valid],
    )
    losses = [model.history_[-1]["valid_loss"] for model in (split, given)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_balanced_classes_of_validation_weigh_what_they_weigh_in_training(data):
    X, y = data
    params = {"max_epochs": 1, "token_dropout": 0.0, "dropout": 0.0, **SMALL}
    weights = compute_class_weight("balanced", classes=np.unique(y), y=y)
    by_hand = dict(zip(np.unique(y), weights, strict=True))
    rare = y == "torch"  # A part with one class only, which has no balance of its own.
    losses = [
        TextCNNClassifier(class_weight=class_weight, **params)
        .fit(X, y, X_val=X[rare], y_val=y[rare])
        .history_[-1]["valid_loss"]
        for class_weight in ("balanced", by_hand)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_weights_of_validation_texts_count_in_their_loss(data):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=1, **SMALL)
    weight = np.arange(30) % 3
    loss = classifier.fit(X, y, X_val=X[:30], y_val=y[:30], sample_weight_val=weight).history_[-1][
        "valid_loss"
    ]
    proba = classifier.predict_proba(X[:30])
    expected = log_loss(y[:30], proba, labels=classifier.classes_, sample_weight=weight)
    assert loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0, 2.0], r"sample_weight_val.shape == \(2,\), expected \(30,\)"),
        (-np.ones(30), "Negative values in data passed to `sample_weight_val`"),
        (np.zeros(30), "sample_weight_val and class_weight give every text a weight of zero"),
    ],
)
def test_odd_weights_of_validation_texts_are_refused(data, weight, message):
    X, y = data
    with pytest.raises(ValueError, match=message):
        TextCNNClassifier(**SMALL).fit(X, y, X_val=X[:30], y_val=y[:30], sample_weight_val=weight)


def test_weights_of_validation_texts_need_validation_texts(data):
    X, y = data
    with pytest.raises(ValueError, match="sample_weight_val needs X_val and y_val"):
        TextCNNClassifier(**SMALL).fit(X, y, sample_weight_val=np.ones(30))
