"""A training that diverges, and outputs that are not finite."""

import pytest
import torch

from tests.estimators.refusals import IDS, LABELS, METHODS, assert_refused, small


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_diverging_training_raises_and_names_the_remedy(optimizer):
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        r"Training diverged: the loss of epoch 2 is nan. Lower learning_rate=1e\+30 \(and "
        r"finetune_lr, if set\), or set max_norm or weight_decay",
        learning_rate=1e30,
        max_epochs=3,
        optimizer=optimizer,
    )


def test_a_training_that_diverges_in_its_last_step_raises_too():
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        "Training diverged",
        learning_rate=1e30,
        optimizer="sgd",
    )


def test_a_first_partial_fit_that_diverges_leaves_the_classifier_unfitted():
    classifier = small(learning_rate=1e30, batch_size=1)
    with pytest.raises(ValueError, match="Training diverged"):
        classifier.partial_fit(IDS, LABELS, classes=[0, 1])
    assert not hasattr(classifier, "net_")
    assert not hasattr(classifier, "classes_")


@pytest.mark.parametrize("method", METHODS)
def test_outputs_that_are_not_finite_are_refused_by_the_text_and_the_learning_rate(method):
    classifier = small(learning_rate=0.5).fit(IDS, LABELS)
    with torch.no_grad():
        weight = classifier.net_.module_.embedding.weight
        weight[IDS[3].max()] = torch.inf
    first = int((IDS[3].max() == IDS).any(axis=1).argmax())
    match = (
        rf"outputs for text {first} \(counting from 0\) are not finite.*Lower learning_rate=0\.5 "
    )
    with pytest.raises(ValueError, match=match):
        getattr(classifier, method)(IDS)
