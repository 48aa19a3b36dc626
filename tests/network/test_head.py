"""The head: dropout and the norm of the output layer."""

import numpy as np
import pytest
import torch

from sktextcnn import TextCNNClassifier
from sktextcnn._network.modules import Dropout
from tests.network.networks import DIM, kim, random_ids


def test_dropout_drops_features_only_in_training():
    network = kim(dropout=0.5, num_filters=200, activation="sigmoid")
    ids = torch.tensor([[2, 3, 4]])
    features = network.features(ids)
    torch.manual_seed(0)
    dropped = network.train().head[0](features)
    share = (dropped == 0).double().mean().item()
    assert share == pytest.approx(0.5, abs=0.08)
    torch.testing.assert_close(dropped[dropped != 0], 2 * features[dropped != 0])
    assert torch.equal(network.eval()(ids), network(ids))


@pytest.mark.parametrize("architecture", ["kim", "stacked"])
def test_max_norm_bounds_each_outputs_weights_where_it_binds(architecture):
    ids = random_ids(n_texts=20)
    norms = {}
    for max_norm in (None, 0.2, 1000.0):
        classifier = TextCNNClassifier(
            architecture=architecture,
            max_norm=max_norm,
            num_filters=4,
            hidden_units=5,
            embedding_dim=DIM,
            learning_rate=0.05,
            max_epochs=3,
            wide=False,
            random_state=0,
        ).fit(ids, np.arange(20) % 3)
        head = classifier.net_.module_.head
        norms[max_norm] = head[-1].weight.norm(dim=1).detach().numpy()
        if max_norm == 0.2:
            assert (head[1].weight.norm(dim=1) > 0.2).any()
    assert (norms[None] > 0.25).all()
    assert (norms[0.2] <= 0.2 * (1 + 1e-5)).all()
    assert (norms[0.2] > 0.1).all()
    np.testing.assert_array_equal(norms[1000.0], norms[None])


def test_max_norm_holds_after_partial_fit_too():
    classifier = TextCNNClassifier(
        max_norm=0.1, num_filters=4, embedding_dim=DIM, learning_rate=0.05, random_state=0
    )
    for _ in range(3):
        classifier.partial_fit(random_ids(n_texts=20), [0, 1] * 10, classes=[0, 1])
        norms = classifier.net_.module_.head[-1].weight.norm(dim=1).detach().numpy()
        np.testing.assert_allclose(norms, 0.1, rtol=1e-5)


def test_dropout_scales_what_it_keeps_and_does_nothing_in_evaluation():
    torch.manual_seed(0)
    dropout = Dropout(0.25)
    features = torch.ones(400, 300, requires_grad=True)
    dropped = dropout(features)
    torch.testing.assert_close(dropped.unique(), torch.tensor([0.0, 1 / 0.75]))
    assert abs(float((dropped == 0).float().mean()) - 0.25) < 0.01
    dropped.sum().backward()
    assert torch.equal(features.grad, dropped.detach())
    assert dropout.eval()(features) is features
    assert Dropout(0.0)(features) is features
