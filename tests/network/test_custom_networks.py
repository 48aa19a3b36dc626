"""Networks of the user: their parameters, their predictions and their required parts."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from sktextcnn import TextCNNClassifier
from sktextcnn._network.modules import KimCNN
from tests.network.networks import DIM, N_IDS, random_ids


class BagOfWords(nn.Module):
    """A linear layer on the mean of the vectors."""

    def __init__(self, num_embeddings, embedding_dim, num_outputs, dropout=0.0):
        super().__init__()
        self.embedding = nn.Embedding(num_embeddings, embedding_dim, padding_idx=0)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(embedding_dim, num_outputs))

    def forward(self, ids):
        return self.head(self.embedding(ids).mean(dim=1))


class TakesEverything(BagOfWords):
    def __init__(self, num_embeddings, embedding_dim, num_outputs, **kwargs):
        super().__init__(num_embeddings, embedding_dim, num_outputs)
        self.kwargs = kwargs


class WithoutEmbedding(BagOfWords):
    def __init__(self, num_embeddings, embedding_dim, num_outputs):
        super().__init__(num_embeddings, embedding_dim, num_outputs)
        del self.embedding


class EmbeddingIsLinear(BagOfWords):
    def __init__(self, num_embeddings, embedding_dim, num_outputs):
        super().__init__(num_embeddings, embedding_dim, num_outputs)
        self.embedding = nn.Linear(num_embeddings, embedding_dim)


class WithoutHead(BagOfWords):
    def __init__(self, num_embeddings, embedding_dim, num_outputs):
        super().__init__(num_embeddings, embedding_dim, num_outputs)
        self.output = self.head
        del self.head


class HeadWithoutLinear(BagOfWords):
    def __init__(self, num_embeddings, embedding_dim, num_outputs):
        super().__init__(num_embeddings, embedding_dim, num_outputs)
        self.head = nn.Dropout()


class NarrowEmbedding(BagOfWords):
    def __init__(self, num_embeddings, num_outputs):
        super().__init__(num_embeddings, 3, num_outputs)


class ShortEmbedding(BagOfWords):
    def __init__(self, embedding_dim, num_outputs):
        super().__init__(5, embedding_dim, num_outputs)


def fit_custom(architecture, ids=None, y=(0, 1, 2) * 4, **params):
    params = {"max_epochs": 1, "embedding_dim": DIM, "wide": False, "random_state": 0, **params}
    ids = random_ids(n_texts=len(y)) if ids is None else ids
    return TextCNNClassifier(architecture=architecture, **params).fit(ids, list(y))


def test_a_network_of_the_user_is_trained_and_predicts_the_outputs_of_its_layers():
    ids = np.array([[2, 3, 4], [5, 6, 7]] * 10)
    classifier = fit_custom(BagOfWords, ids, [0, 1] * 10, max_epochs=30, learning_rate=0.1)
    assert isinstance(classifier.net_.module_, BagOfWords)
    assert classifier.score(ids, [0, 1] * 10) == 1.0
    with torch.no_grad():
        expected = classifier.net_.module_.eval()(torch.tensor(ids)).softmax(dim=1)
    np.testing.assert_allclose(classifier.predict_proba(ids), expected, rtol=1e-5)


class Reordered(nn.Module):
    """A layer with a buffer of integers."""

    def __init__(self, width):
        super().__init__()
        self.register_buffer("order", torch.arange(width).flip(0))

    def forward(self, features):
        return features[:, self.order]


class WithBuffersInTheHead(KimCNN):
    def __init__(self, num_embeddings, embedding_dim, num_outputs):
        super().__init__(num_embeddings, embedding_dim, num_outputs)
        linear = nn.utils.parametrizations.weight_norm(nn.Linear(embedding_dim, num_outputs))
        norm = nn.BatchNorm1d(embedding_dim)
        self.head = nn.Sequential(Reordered(embedding_dim), norm, norm, linear)

    def features(self, ids):
        return self.embedding(ids).mean(dim=1)


class Negated(KimCNN):
    def forward(self, ids):
        return -super().forward(ids)


class OtherFeatures(BagOfWords):
    """A network whose `features` are not the inputs of its head."""

    def features(self, ids):
        return self.embedding(ids)


@pytest.mark.parametrize("architecture", [BagOfWords, Negated, OtherFeatures, WithBuffersInTheHead])
@pytest.mark.parametrize("n_texts", [12, 90])
def test_a_wide_part_stands_beside_a_network_of_the_user(architecture, n_texts):
    y = [0, 1, 2] * (n_texts // 3)
    classifier = fit_custom(architecture, y=y, wide=True)
    ids = random_ids()
    with torch.no_grad():
        deep = classifier.net_.module_.eval()(torch.tensor(ids)).numpy()
    wide = classifier._wide.logits(ids)
    np.testing.assert_allclose(classifier.decision_function(ids), deep + wide, atol=1e-6)


class Squashed(BagOfWords):
    def forward(self, ids):
        return torch.tanh(super().forward(ids))


def test_a_network_whose_logits_are_not_those_of_its_last_layer_has_no_wide_part():
    for params in ({}, {"early_stopping": True}):
        with pytest.raises(ValueError, match=r"architecture Squashed are not the .*set wide=False"):
            fit_custom(Squashed, y=[0, 1, 2] * 30, wide=True, **params)
    assert fit_custom(Squashed)._wide is None


@pytest.mark.parametrize("architecture", [Negated, OtherFeatures])
def test_a_network_of_the_user_predicts_by_its_own_forward(architecture):
    ids = random_ids()
    classifier = fit_custom(architecture)
    with torch.no_grad():
        expected = classifier.net_.module_.eval()(torch.tensor(ids))
    np.testing.assert_allclose(classifier.decision_function(ids), expected, rtol=1e-5, atol=1e-6)


def test_the_head_of_a_network_of_the_user_is_computed_in_double_precision():
    classifier = fit_custom(WithBuffersInTheHead, max_epochs=3)
    ids = random_ids()
    module = copy.deepcopy(classifier.net_.module_)
    with torch.no_grad():
        features = module.features(torch.tensor(ids))
        expected = module.head.double()(features.double())
    np.testing.assert_array_equal(classifier.decision_function(ids), expected)
    assert classifier.net_.module_.head[-1].weight.dtype == torch.float32


def test_a_network_of_the_user_gets_only_the_parameters_that_it_names():
    classifier = fit_custom(BagOfWords, dropout=0.25, token_dropout=0.3, activation="tanh")
    module = classifier.net_.module_
    assert module.head[0].p == 0.25
    assert module.embedding.weight.shape == (N_IDS, DIM)
    assert module.head[1].weight.shape == (3, DIM)


def test_a_network_that_takes_any_keyword_gets_all_that_are_set():
    defaults = {"activation": "relu", "dropout": 0.5, "token_dropout": 0.1}
    defaults |= {"convolution": "lookup", "pool_size": 64}
    assert fit_custom(TakesEverything).net_.module_.kwargs == defaults
    chosen = {"kernel_sizes": (2, 3), "num_filters": 7, "hidden_units": 0, "activation": "tanh"}
    assert fit_custom(TakesEverything, **chosen).net_.module_.kwargs == defaults | chosen


def test_frozen_vectors_stay_in_a_network_of_the_user():
    rows = []
    for learning_rate in (1e-12, 0.1):
        with pytest.warns(UserWarning, match="random vectors stay frozen"):
            classifier = fit_custom(BagOfWords, finetune=False, learning_rate=learning_rate)
        rows.append(classifier.net_.module_.embedding.weight)
    assert torch.equal(*rows)


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        (
            WithoutEmbedding,
            "architecture WithoutEmbedding must have a torch.nn.Embedding as its attribute "
            "`embedding`",
        ),
        (
            EmbeddingIsLinear,
            "EmbeddingIsLinear must have a torch.nn.Embedding as its attribute `embedding`",
        ),
        (
            WithoutHead,
            "architecture WithoutHead must have its last layers, which end in a torch.nn.Linear, "
            "as its attribute `head`",
        ),
        (
            HeadWithoutLinear,
            "HeadWithoutLinear must have its last layers, .* as its .* `head`",
        ),
        (
            NarrowEmbedding,
            r"NarrowEmbedding has an embedding of shape \(12, 3\); expected "
            r"\(num_embeddings, embedding_dim\) = \(12, 4\)",
        ),
        (ShortEmbedding, r"ShortEmbedding has an embedding of shape \(5, 4\).* \(12, 4\)"),
        (
            dict,
            "architecture must be 'kim', 'stacked' or a subclass of torch.nn.Module; got .*dict",
        ),
    ],
)
def test_a_class_that_is_not_a_network_is_refused(architecture, message):
    with pytest.raises(ValueError, match=message):
        fit_custom(architecture)


@pytest.mark.filterwarnings("ignore:finetune='multichannel' needs word vectors:UserWarning")
@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"kernel_sizes": (2,)}, "kernel_sizes"),
        ({"num_filters": 3}, "num_filters"),
        ({"hidden_units": 0, "kernel_sizes": [2]}, "hidden_units, kernel_sizes"),
        ({"finetune": "multichannel"}, "multichannel"),
    ],
    ids=str,
)
def test_a_chosen_parameter_that_a_network_does_not_take_is_not_ignored(params, names):
    message = f"BagOfWords does not take {names}. Leave them at their defaults, or name them in"
    with pytest.raises(ValueError, match=message):
        fit_custom(BagOfWords, **params)
