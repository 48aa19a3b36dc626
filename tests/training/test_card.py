"""The model card: what was counted, when, and the scores on texts that a fit held out."""

import copy
import json
import pickle
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn
import torch
from sklearn.metrics import log_loss

import sktextcnn
from sktextcnn import TextCNNClassifier
from sktextcnn._training import held_out_scores

SMALL = {"num_filters": 4, "kernel_sizes": (1, 2), "max_epochs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def fitted(data):
    return TextCNNClassifier(**SMALL).fit(*data)


def test_the_card_says_what_when_and_with_which_versions(data, fitted):
    _, y = data
    before = datetime.now(UTC).timestamp() - 1000
    card = fitted.card_
    assert json.loads(json.dumps(card)) == card
    assert type(card["versions"]["torch"]) is str
    assert card["versions"] == {
        "sktextcnn": sktextcnn.__version__,
        "torch": str(torch.__version__),
        "scikit-learn": sklearn.__version__,
    }
    trained = datetime.fromisoformat(card["trained"])
    assert trained.utcoffset().total_seconds() == 0
    assert before < trained.timestamp() < datetime.now(UTC).timestamp() + 1
    assert card["n_texts"] == len(y)
    assert card["class_counts"] == [(y == label).sum() for label in fitted.classes_]
    assert card["seconds"] > 0
    # A fifth, since there are less than 2,500 texts.
    assert 40 <= card["held_out"]["n_texts"] <= 56
    assert 0 <= card["held_out"]["accuracy"] <= 1
    assert card["held_out"]["log_loss"] > 0


def test_scores_of_validation_texts_are_those_of_the_fitted_model(data):
    X, y = data
    for params in ({}, {"wide": False}, {"early_stopping": True, "max_epochs": 2}):
        classifier = TextCNNClassifier(**{**SMALL, **params})
        weights = np.r_[np.zeros(10), np.ones(50)]
        classifier.fit(X[60:], y[60:], X_val=X[:60], y_val=y[:60], sample_weight_val=weights)
        scores = classifier.card_["held_out"]
        assert scores["n_texts"] == 50
        assert scores["accuracy"] == pytest.approx(classifier.score(X[10:60], y[10:60]))
        expected = log_loss(
            y[10:60], classifier.predict_proba(X[10:60]), labels=classifier.classes_
        )
        assert scores["log_loss"] == pytest.approx(expected)


def test_texts_that_early_stopping_holds_out_are_counted_as_given(data):
    X, y = data
    weight = np.ones(len(y))
    weight[:7] = 0
    classifier = TextCNNClassifier(early_stopping=True, validation_fraction=0.25, **SMALL)
    card = classifier.fit(X, y, sample_weight=weight).card_
    assert card["n_texts"] == sum(card["class_counts"]) == len(y) - 7
    assert card["held_out"]["n_texts"] == pytest.approx((len(y) - 7) / 4, abs=3)


def test_nothing_is_held_out_where_no_texts_choose(data):
    X, y = data
    for params in ({"wide": False}, {"max_epochs": 1}):
        few = slice(None, 40 if not params.get("wide", True) else 30)
        card = TextCNNClassifier(**{**SMALL, **params}).fit(X[few], y[few]).card_
        assert card["held_out"] is None


def test_scores_by_hand():
    outputs = np.log([[0.8, 0.2], [0.4, 0.6], [0.5, 0.5]])
    several = SimpleNamespace(encoded=np.array([0, 0, 1]), multilabel=False)
    assert held_out_scores(outputs, several) == {
        "n_texts": 3,
        "accuracy": pytest.approx(1 / 3),
        "log_loss": pytest.approx(-np.log([0.8, 0.4, 0.5]).mean()),
    }
    labels = SimpleNamespace(encoded=np.array([[1, 0], [1, 1]], dtype=np.float32), multilabel=True)
    odds = np.array([[0.0, -np.log(3)], [np.log(3), np.log(4)]])  # 1/2, 1/4; 3/4, 4/5
    assert held_out_scores(odds, labels) == {
        "n_texts": 2,
        "accuracy": 0.5,
        "log_loss": pytest.approx(-np.log([0.5, 0.75, 0.75, 0.8]).mean()),
    }
    nothing = held_out_scores(np.full((3, 2), np.nan), several)
    assert nothing["log_loss"] is None


def test_partial_fit_adds_its_texts_and_drops_scores_of_other_weights(data, fitted):
    X, y = data
    classifier = copy.deepcopy(fitted)
    classifier.card_["test"] = {"n_texts": 3, "accuracy": 1.0}
    classifier.card_ |= {"data": "reviews.csv", "author": "Ada", "object": object}
    classifier.partial_fit(X[:10], y[:10])
    card, before = classifier.card_, fitted.card_
    assert card["n_texts"] == before["n_texts"] + 10
    more = [(y[:10] == label).sum() for label in fitted.classes_]
    assert card["class_counts"] == (np.array(before["class_counts"]) + more).tolist()
    assert card["seconds"] > before["seconds"]
    assert card["held_out"] is None
    assert "test" not in card
    # The file has but a part of the texts.
    assert "data" not in card
    assert (card["author"], card["object"]) == ("Ada", object)
    assert fitted.card_["held_out"] is not None
    first = TextCNNClassifier(**SMALL).partial_fit(X[:10], y[:10], classes=fitted.classes_)
    assert first.card_["class_counts"] == more


@pytest.mark.parametrize("without", ["class_counts", "n_texts", "seconds"])
def test_a_card_that_lacks_a_part_is_refused_before_the_training(data, fitted, without):
    X, y = data
    classifier = copy.deepcopy(fitted)
    del classifier.card_[without]
    before = classifier.predict_proba(X)
    with pytest.raises(ValueError, match=r"^card_ cannot be continued: .* or delete the attrib"):
        classifier.partial_fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), before)
    del classifier.card_
    assert not hasattr(classifier.partial_fit(X[:10], y[:10]), "card_")


def test_labels_of_several_are_counted_one_by_one(data):
    X, y = data
    indicator = np.stack([y == "torch", y != "torch", y != "numpy"], axis=1).astype(int)
    card = TextCNNClassifier(**SMALL).fit(X, indicator).card_
    assert card["class_counts"] == indicator.sum(axis=0).tolist()
    assert card["n_texts"] == len(y)


def test_every_copy_and_file_has_the_card(fitted, tmp_path):
    path = tmp_path / "m.sktextcnn"
    sktextcnn.save(fitted, path)
    for other in (
        pickle.loads(pickle.dumps(fitted)),
        copy.deepcopy(fitted),
        sktextcnn.load(path),
    ):
        assert other.card_ == fitted.card_
    assert not hasattr(sklearn.clone(fitted), "card_")


def test_a_model_without_a_card_is_stored_and_trained_further(data, fitted, tmp_path):
    X, y = data
    older = copy.deepcopy(fitted)
    del older.card_
    path = tmp_path / "m.sktextcnn"
    sktextcnn.save(older, path)
    loaded = sktextcnn.load(path)
    assert getattr(loaded, "card_", None) is None
    loaded.partial_fit(X, y)
    # How many texts it had before is unknown.
    assert getattr(loaded, "card_", None) is None


def test_what_a_user_adds_is_stored_and_must_be_json(fitted, tmp_path):
    classifier = copy.deepcopy(fitted)
    path = tmp_path / "m.sktextcnn"
    classifier.card_ |= {"data": "reviews.csv", "note": {"by": ["A", 1, None]}}
    sktextcnn.save(classifier, path)
    assert sktextcnn.load(path).card_ == classifier.card_
    stored = path.read_bytes()
    for wrong, said in (
        ({"note": object()}, "not JSON data: Object of type object"),
        ({"note": float("nan")}, "not JSON data: Out of range"),
        ({"class_counts": [1]}, "class_counts of the model card are not a count for each class"),
        ({"n_texts": -1}, "does not say on how many texts and when"),
        ({"versions": None}, "with which versions"),
        ({"test": "good"}, "test of the model card is not a dict of n_texts, accuracy"),
        ({"test": {"n_texts": 3, "accuracy": "1"}}, "test of the model card is not a dict"),
        ({"held_out": {"n_texts": 3, "accuracy": 1, "log_loss": "2"}}, "held_out of the model"),
        ({"data": 3}, "data of the model card is not the name of a file"),
    ):
        other = copy.deepcopy(fitted)
        other.card_ |= wrong
        with pytest.raises(ValueError, match=f"card_ cannot be stored: .*{said}"):
            sktextcnn.save(other, path)
    assert path.read_bytes() == stored
