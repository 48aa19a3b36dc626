"""The stacked network, against torch's plain layers with the same weights."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from sktextcnn import TextCNNClassifier
from sktextcnn._network.modules import ACTIVATIONS, StackedCNN
from tests.network.networks import DIM, N_IDS, random_ids, randomized
from tests.reference import NUMPY_ACTIVATIONS


def stacked(**params):
    return randomized(StackedCNN(N_IDS, DIM, 3, **{"dropout": 0.0, **params}))


class TorchStack(nn.Module):
    """Keras's example layer by layer, without its third convolution."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(N_IDS, DIM)
        self.first, self.second = nn.Conv1d(DIM, 128, 5), nn.Conv1d(128, 128, 5)
        self.dense, self.output = nn.Linear(128, 128), nn.Linear(128, 3)

    def forward(self, ids):
        hidden = self.first(self.embedding(ids).transpose(1, 2)).relu()
        hidden = self.second(nn.MaxPool1d(5)(hidden)).relu()
        return self.output(self.dense(nn.AdaptiveMaxPool1d(1)(hidden)[:, :, 0]).relu())


def torch_stack(network):
    """The plain stack with the weights of a network, and the names of both."""
    plain = TorchStack().double()
    names = {
        "embedding": "embedding",
        "convs.0": "first",
        "convs.1": "second",
        "head.1": "dense",
        "head.4": "output",
    }
    for ours, theirs in names.items():
        plain.get_submodule(theirs).load_state_dict(network.get_submodule(ours).state_dict())
    return plain, names


@pytest.mark.parametrize("n_tokens", [29, 30, 34, 60, 101])
def test_stacked_has_the_outputs_and_gradients_of_plain_layers(n_tokens):
    network = stacked()
    plain, names = torch_stack(network)
    ids = torch.tensor(random_ids(n_tokens=n_tokens))
    for model in (network, plain):
        functional.cross_entropy(model(ids) / 1000, torch.arange(len(ids)) % 3).backward()
    torch.testing.assert_close(network(ids), plain(ids), rtol=1e-10, atol=1e-10)
    # torch's own padding_idx would also stop the gradient of padding.
    plain.embedding.weight.grad[0] = 0
    for ours, theirs in names.items():
        theirs = dict(plain.get_submodule(theirs).named_parameters())
        for name, parameter in network.get_submodule(ours).named_parameters():
            assert parameter.grad.any()
            torch.testing.assert_close(parameter.grad, theirs[name].grad)


@pytest.mark.parametrize("n_tokens", [1, 4, 5, 28])
def test_texts_too_short_for_the_stack_are_padded_on_the_right(n_tokens):
    network = stacked().eval()
    plain, _ = torch_stack(network)
    ids = torch.tensor(random_ids(n_tokens=n_tokens))
    padded = functional.pad(ids, (0, 29 - n_tokens))
    torch.testing.assert_close(network(ids), plain(padded))


def test_fitted_probabilities_of_the_stack_are_those_of_plain_layers():
    ids = random_ids(n_texts=12)
    classifier = TextCNNClassifier(
        architecture="stacked", embedding_dim=DIM, max_epochs=1, wide=False, random_state=0
    ).fit(ids, np.arange(12) % 3)
    plain, _ = torch_stack(classifier.net_.module_.double())
    with torch.no_grad():
        expected = plain(functional.pad(torch.tensor(ids), (0, 19))).softmax(dim=1)
    np.testing.assert_allclose(classifier.predict_proba(ids), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("kernel_sizes", "least"), [((5, 5), 29), ((3,), 3), ((1,), 1), ((2, 3, 4), 111), ((7, 2), 16)]
)
def test_the_least_length_of_a_stack_leaves_one_window_to_its_last_convolution(kernel_sizes, least):
    network = stacked(kernel_sizes=kernel_sizes, num_filters=2, hidden_units=0)
    widths = []
    network.convs[-1].register_forward_hook(
        lambda module, inputs, output: widths.append(output.shape[2])
    )
    network(torch.zeros((1, 1), dtype=torch.long))
    assert widths == [1]
    assert network.min_length == least


@pytest.mark.parametrize(
    "kernel_sizes",
    [
        (1, 5),
        (1,),
        (3, 1),
        (1, 1),
        (2, 3, 1),
    ],
    ids=str,
)
def test_a_stack_with_kernels_of_one_word_takes_short_texts(kernel_sizes):
    ids = np.array([[2, 3], [4, 0], [5, 6], [0, 0]])
    classifier = TextCNNClassifier(
        architecture="stacked",
        kernel_sizes=kernel_sizes,
        num_filters=2,
        hidden_units=0,
        embedding_dim=DIM,
        max_epochs=1,
    ).fit(ids, [0, 1, 0, 1])
    assert np.isfinite(classifier.predict_proba(ids)).all()


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_activation_of_the_stack_is_after_convolutions_and_dense_layer(activation):
    network = stacked(
        kernel_sizes=(3,), num_filters=2, hidden_units=2, activation=activation
    ).eval()
    ids = random_ids(n_tokens=6)[1:]
    function = NUMPY_ACTIVATIONS[activation]
    weights = {name: value.numpy(force=True) for name, value in network.named_parameters()}
    vectors = weights["embedding.weight"][ids]
    windows = np.stack([vectors[:, i : i + 3] for i in range(4)], axis=1)
    hidden = np.einsum("bwkd,fdk->bwf", windows, weights["convs.0.weight"])
    hidden = function(hidden + weights["convs.0.bias"]).max(axis=1)
    hidden = function(hidden @ weights["head.1.weight"].T + weights["head.1.bias"])
    expected = hidden @ weights["head.4.weight"].T + weights["head.4.bias"]
    np.testing.assert_allclose(network(torch.tensor(ids)).numpy(force=True), expected, rtol=1e-9)
