"""What partial_fit refuses, what it follows, and what its copies keep."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from sktextcnn import TextCNNClassifier

# Of the network alone; tests/wide has trainings of both parts.
SMALL = {"num_filters": 6, "wide": False, "random_state": 0}


def rates(classifier):
    return [group["lr"] for group in classifier.net_.optimizer_.param_groups]


def test_balanced_weights_and_early_stopping_are_refused_as_by_scikit_learn(data):
    X, y = data
    classes = np.unique(y)
    balanced = TextCNNClassifier(class_weight="balanced", **SMALL)
    with pytest.raises(ValueError, match=r"class_weight='balanced' is not supported for partial_"):
        balanced.partial_fit(X, y, classes=classes)
    stopping = TextCNNClassifier(early_stopping=True, max_epochs=1, **SMALL)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        stopping.partial_fit(X, y, classes=classes)
    stopping.fit(X, y)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        stopping.partial_fit(X, y)
    stopping.set_params(early_stopping=False).partial_fit(X, y)
    weights = compute_class_weight("balanced", classes=classes, y=y)
    balanced.set_params(class_weight=dict(zip(classes, weights, strict=True)))
    assert balanced.partial_fit(X, y, classes=classes).n_iter_ == 1


@pytest.mark.filterwarnings("ignore:finetune=1 needs word vectors")
@pytest.mark.parametrize("finetune", [True, 1, "gradual"])
def test_the_learning_rate_follows_set_params(data, finetune):
    X, y = data
    classifier = TextCNNClassifier(
        finetune=finetune, embedding_dim=8, learning_rate=0.01, finetune_lr=0.001, **SMALL
    )
    classifier.partial_fit(X, y, classes=np.unique(y))
    before = rates(classifier)
    classifier.set_params(learning_rate=0.04, finetune_lr=0.004).partial_fit(X, y)
    np.testing.assert_allclose(rates(classifier), np.multiply(before, 4))
    classifier.net_.set_params(lr=0.5)
    classifier.partial_fit(X, y)
    assert 0.5 in rates(classifier)
    assert classifier.set_params(batch_size=7).partial_fit(X, y).net_.batch_size == 7


def test_a_rate_of_nothing_changes_nothing(data):
    X, y = data
    classifier = TextCNNClassifier(**SMALL).partial_fit(X, y, classes=np.unique(y))
    before = classifier.predict_proba(X)
    classifier.set_params(learning_rate=1e-30).partial_fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), before)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", torch.optim.NAdam])
def test_a_copy_goes_on_with_the_optimizer(data, optimizer):
    X, y = data
    classifier = TextCNNClassifier(optimizer=optimizer, **SMALL)
    classifier.partial_fit(X, y, classes=np.unique(y))
    copied = copy.deepcopy(classifier)
    for model in (classifier, copied):
        model.partial_fit(X, y)
    np.testing.assert_array_equal(copied.predict_proba(X), classifier.predict_proba(X))


def test_a_copy_is_a_model_of_its_own(data):
    X, y = data
    classifier = TextCNNClassifier(**SMALL).partial_fit(X, y, classes=np.unique(y))
    copied = copy.deepcopy(classifier)
    before = copied.predict_proba(X)
    classifier.partial_fit(X, y)
    np.testing.assert_array_equal(copied.predict_proba(X), before)
    assert copied.n_iter_ == 1


def test_a_pickle_goes_on_with_a_new_optimizer(data):
    X, y = data
    classifier = TextCNNClassifier(**SMALL).partial_fit(X, y, classes=np.unique(y))
    loaded = pickle.loads(pickle.dumps(classifier))
    assert not loaded.net_.optimizer_.state
    loaded.net_.set_params(lr=0.02)
    loaded.partial_fit(X, y)
    assert 0.02 in rates(loaded)
    assert loaded.n_iter_ == 2
    assert {state["step"].item() for state in loaded.net_.optimizer_.state.values()} == {8}


def test_the_bar_follows_verbose(data, capsys):
    X, y = data
    classifier = TextCNNClassifier(verbose=1, **SMALL).partial_fit(X, y, classes=np.unique(y))
    assert "TextCNN, epoch 1 of 1: 100%, 8/8 batches" in capsys.readouterr().err
    classifier.set_params(verbose=0).partial_fit(X, y)
    assert capsys.readouterr() == ("", "")


def test_a_warm_start_between_kinds_of_targets_is_refused(data):
    X, y = data
    indicator = np.stack([y == "torch", y == "numpy"], axis=1).astype(int)
    multilabel = TextCNNClassifier(max_epochs=1, warm_start=True, **SMALL).fit(X, indicator)
    with pytest.raises(ValueError, match=r"previously got an indicator matrix, now one label"):
        multilabel.fit(X, indicator[:, 0])
    multiclass = TextCNNClassifier(max_epochs=1, warm_start=True, **SMALL).fit(X, indicator[:, 0])
    with pytest.raises(ValueError, match=r"previously got one label for each text, now an indic"):
        multiclass.fit(X, indicator)
    multiclass.set_params(warm_start=False).fit(X, indicator)
