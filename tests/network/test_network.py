"""The networks, against NumPy loops and torch's plain layers with the same weights."""

import copy

import numpy as np
import pytest
import torch
from scipy.special import softmax
from skorch.callbacks import Callback
from torch import nn
from torch.nn import functional

from sktextcnn import TextCNNClassifier
from sktextcnn._network.max_over_time import (
    _max,
    _multiply,
    empty_products,
    max_of_products,
    max_over_time,
    max_over_time_dense,
    project,
)
from sktextcnn._network.modules import ACTIVATIONS, Dropout, KimCNN, StackedCNN, WordEmbedding
from tests.reference import NUMPY_ACTIVATIONS, numpy_kim

N_IDS, DIM = 12, 4

# Full and short texts, one empty, one of a single token, padding left, right and within.
TEXTS = np.array(
    [
        [2, 3, 4, 5, 6, 7, 8, 9],
        [5, 5, 5, 5, 5, 5, 5, 5],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [7, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 2, 11],
        [3, 1, 0, 0, 0, 0, 1, 9],
        [0, 4, 0, 6, 0, 0, 0, 0],
    ]
)


class TorchKim(nn.Module):
    """Kim's network of plain torch layers, with the names of KimCNN's parameters."""

    def __init__(self, num_filters, kernel_sizes, activation, num_outputs):
        super().__init__()
        self.embedding = nn.Embedding(N_IDS, DIM, padding_idx=0)
        self.convs = nn.ModuleList(
            nn.Conv1d(DIM, num_filters, size, padding=size - 1) for size in kernel_sizes
        )
        self.activation = ACTIVATIONS[activation]()
        self.head = nn.Sequential(
            nn.Identity(), nn.Linear(num_filters * len(kernel_sizes), num_outputs)
        )

    def forward(self, ids):
        vectors = self.embedding(ids).transpose(1, 2)
        pooled = []
        for conv in self.convs:
            (size,) = conv.kernel_size
            present = functional.pad((ids != 0).double(), (size - 1, size - 1))[:, None]
            touched = functional.max_pool1d(present, size, stride=1) > 0
            touched[:, :, 0] |= (ids == 0).all(dim=1)[:, None]
            pooled.append(conv(vectors).masked_fill(~touched, -torch.inf).amax(dim=2))
        return self.head(self.activation(torch.cat(pooled, dim=1)))


def randomized(network, seed=0):
    """The network in float64 with random weights, and zeros for padding."""
    generator = torch.Generator().manual_seed(seed)
    network = network.double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(generator=generator)
        network.embedding.weight[0] = 0
        if getattr(network.embedding, "static", None) is not None:
            network.embedding.static.normal_(generator=generator)[0] = 0
    return network


def kim(seed=0, **params):
    return randomized(
        KimCNN(N_IDS, DIM, 3, **{"num_filters": 5, "dropout": 0.0, **params}), seed=seed
    )


def random_ids(n_texts=9, n_tokens=10, seed=0):
    """Texts of all lengths from 0 on, padded on the right."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, N_IDS, (n_texts, n_tokens))
    lengths = np.linspace(0, n_tokens, n_texts).round().astype(int)
    return np.where(np.arange(n_tokens) < lengths[:, None], ids, 0)


# Kim's network -------------------------------------------------------------------------


@pytest.mark.parametrize("no_grad", [False, True])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"kernel_sizes": (1,)},
        {"kernel_sizes": (2, 7)},
        {"kernel_sizes": (7,), "num_filters": 1},
        {"kernel_sizes": (9, 12), "num_filters": 2},
        {"num_filters": 1},
        {"hidden_units": 6},
        {"multichannel": True},
        *({"activation": activation, "hidden_units": 3} for activation in NUMPY_ACTIVATIONS),
    ],
    ids=str,
)
def test_kim_equals_loops_over_the_windows_that_touch_a_token(params, no_grad):
    network = kim(**params).eval()
    expected = numpy_kim(network.state_dict(), TEXTS, params.get("activation", "relu"))
    with torch.set_grad_enabled(not no_grad):
        outputs = network(torch.tensor(TEXTS))
    np.testing.assert_allclose(outputs.numpy(force=True), expected, rtol=1e-10, atol=1e-10)


def test_every_activation_has_its_own_loops():
    assert NUMPY_ACTIVATIONS.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("kernel_sizes", [(1,), (3, 4, 5), (2, 7)], ids=str)
def test_kim_has_the_outputs_and_gradients_of_plain_convolutions(kernel_sizes, activation):
    network = kim(kernel_sizes=kernel_sizes, activation=activation)
    plain = TorchKim(5, kernel_sizes, activation, 3).double()
    plain.load_state_dict(network.state_dict())
    for ids in (torch.tensor(TEXTS), torch.tensor(random_ids(seed=1))):
        results = []
        for model in (network, plain):
            model.zero_grad()
            outputs = model(ids)
            functional.cross_entropy(outputs, torch.arange(len(ids)) % 3).backward()
            results.append((outputs, dict(model.named_parameters())))
        (ours, our_parameters), (theirs, their_parameters) = results
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
        assert our_parameters.keys() == their_parameters.keys()
        for name, parameter in our_parameters.items():
            expected = their_parameters[name].grad
            torch.testing.assert_close(parameter.grad, expected, rtol=1e-10, atol=1e-12)
            assert parameter.grad.any()


def test_frozen_vectors_leave_the_other_gradients_as_they_are():
    tuned, frozen = kim(), kim()
    frozen.embedding.weight.requires_grad_(False)
    for network in (tuned, frozen):
        network(torch.tensor(TEXTS)).square().sum().backward()
    assert frozen.embedding.weight.grad is None
    for (name, expected), parameter in zip(
        tuned.named_parameters(), frozen.parameters(), strict=True
    ):
        if name != "embedding.weight":
            torch.testing.assert_close(parameter.grad, expected.grad)


def test_frozen_convolutions_leave_the_gradient_of_the_vectors_as_it_is():
    tuned, frozen = kim(), kim()
    frozen.convs.requires_grad_(False)
    for network in (tuned, frozen):
        network(torch.tensor(TEXTS)).square().sum().backward()
    assert all(parameter.grad is None for parameter in frozen.convs.parameters())
    torch.testing.assert_close(frozen.embedding.weight.grad, tuned.embedding.weight.grad)


def test_the_gradient_of_padding_is_zero():
    network = kim()
    network(torch.tensor(TEXTS)).square().sum().backward()
    assert not network.embedding.weight.grad[0].any()


def test_words_that_do_not_occur_get_no_gradient():
    network = kim()
    network(torch.tensor([[2, 5, 0], [5, 7, 2]])).square().sum().backward()
    rows = network.embedding.weight.grad.any(dim=1).nonzero().flatten()
    assert rows.tolist() == [2, 5, 7]


@pytest.mark.parametrize(
    ("rows_tuned", "weights_tuned"), [(True, True), (False, True), (True, False)]
)
@pytest.mark.parametrize("sizes", [(1,), (3, 4, 5), (2, 7)], ids=str)
def test_the_gradients_of_max_over_time_are_those_of_finite_differences(
    sizes, rows_tuned, weights_tuned
):
    generator = torch.Generator().manual_seed(0)
    positions = torch.tensor([[1, 2, 3, 4, 5], [4, 3, 0, 0, 0], [0, 0, 0, 5, 1], [0, 0, 0, 0, 0]])
    rows = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    rows[0] = 0
    weights = [torch.randn(2, 3, size, generator=generator, dtype=torch.float64) for size in sizes]
    inputs = [
        rows.requires_grad_(rows_tuned),
        *(weight.requires_grad_(weights_tuned) for weight in weights),
    ]

    def pooled(rows, *weights):
        return max_over_time(positions, rows, weights)

    assert torch.autograd.gradcheck(pooled, inputs)


@pytest.mark.parametrize("n_words", [2, 255, 256, 257, 600])
def test_look_ups_are_the_dense_convolution_in_training_and_in_prediction(n_words):
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(n_words, 3, generator=generator, dtype=torch.float64)
    rows[0] = 0
    positions = torch.randint(0, n_words, (5, 40), generator=generator)
    weights = [torch.randn(4, 3, size, generator=generator, dtype=torch.float64) for size in (2, 3)]
    tensors = [tensor.requires_grad_() for tensor in (rows, *weights)]
    outputs = max_over_time(positions, rows, weights)
    expected = max_over_time_dense(positions, rows, weights)
    torch.testing.assert_close(outputs, expected, rtol=1e-12, atol=1e-12)
    factors = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    factors[factors < 0] = 0
    gradients = torch.autograd.grad((outputs * factors).sum(), tensors)
    expected_gradients = torch.autograd.grad((expected * factors).sum(), tensors)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        # Padding is no word, and what its row gets is dropped.
        words = slice(1, None) if gradient.shape == rows.shape else slice(None)
        torch.testing.assert_close(
            gradient[words], expected_gradient[words], rtol=1e-12, atol=1e-12
        )
    with torch.no_grad():
        products = empty_products(n_words, weights, torch.float64)
        project(products, n_words, torch.arange(n_words), rows, weights)
        of_products = max_of_products(positions, products, (2, 3))
    torch.testing.assert_close(of_products, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kernel_sizes", [(1,), (3, 4, 5), (2, 7)], ids=str)
def test_padding_on_either_side_changes_nothing(kernel_sizes):
    network = kim(kernel_sizes=kernel_sizes).eval()
    ids = torch.tensor(random_ids())
    expected = network(ids)
    for sides in ((0, 1), (1, 0), (30, 0), (0, 30), (4, 9)):
        torch.testing.assert_close(
            network(functional.pad(ids, sides)), expected, rtol=1e-12, atol=1e-12
        )


def test_padding_on_either_side_changes_no_gradient():
    ids = torch.tensor(random_ids())
    gradients = []
    for sides in ((0, 0), (0, 12), (12, 0)):
        network = kim()
        network(functional.pad(ids, sides)).square().sum().backward()
        gradients.append([parameter.grad for parameter in network.parameters()])
    for other in gradients[1:]:
        for gradient, expected in zip(other, gradients[0], strict=True):
            torch.testing.assert_close(gradient, expected)


def test_every_text_alone_has_the_outputs_that_it_has_in_a_batch():
    network = kim().float().eval()
    ids = torch.tensor(random_ids(n_texts=40, n_tokens=20))
    with torch.inference_mode():
        together = network.features(ids)
        for i in range(len(ids)):
            assert torch.equal(network.features(ids[i : i + 1])[0], together[i])
        assert torch.equal(network.features(ids.flip(0)).flip(0), together)


@pytest.mark.parametrize("kernel_sizes", [(1,), (3, 4, 5), (2, 7)], ids=str)
def test_a_batch_of_nothing_but_padding_is_a_batch_of_one_empty_window(kernel_sizes):
    network = kim(kernel_sizes=kernel_sizes)
    expected = numpy_kim(network.state_dict(), [[0]])
    for shape in ((1, 1), (3, 1), (2, 50)):
        outputs = network(torch.zeros(shape, dtype=torch.long))
        assert outputs.shape == (shape[0], 3)
        np.testing.assert_allclose(
            outputs.numpy(force=True), np.repeat(expected, shape[0], axis=0), rtol=1e-12
        )
        network.zero_grad()
        outputs.square().sum().backward()
        assert all(parameter.grad.isfinite().all() for parameter in network.parameters())
        assert not network.embedding.weight.grad.any()
        # The window is zeros, so only the biases move the features.
        assert not any(conv.weight.grad.any() for conv in network.convs)
        assert any(conv.bias.grad.any() for conv in network.convs)


def test_the_words_at_the_ends_of_a_text_meet_every_place_of_a_kernel():
    network = kim(kernel_sizes=(3,), num_filters=3, activation="identity")
    with torch.no_grad():
        network.convs[0].bias.zero_()
        network.convs[0].weight.zero_()
        for place in range(3):
            network.convs[0].weight[place, :, place] = 1.0
        network.embedding.weight[2] = 1.0
        network.embedding.weight[3] = -1.0
    for text in ([2, 3, 3, 3], [3, 3, 3, 2], [2]):
        assert network.features(torch.tensor([text])).tolist() == [[DIM, DIM, DIM]]


def test_a_long_text_equals_the_loops():
    ids = np.random.default_rng(0).integers(1, N_IDS, (1, 3000))
    network = kim(kernel_sizes=(2, 7), num_filters=2)
    outputs = network(torch.tensor(ids)).numpy(force=True)
    np.testing.assert_allclose(outputs, numpy_kim(network.state_dict(), ids), rtol=1e-10)


# Through the classifier ----------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"kernel_sizes": (1,), "num_filters": 1},
        {"kernel_sizes": [2, 7], "activation": "gelu"},
        {"hidden_units": 4, "activation": "tanh"},
        {"max_norm": 0.1, "token_dropout": 0.5},
    ],
    ids=str,
)
def test_fitted_probabilities_are_those_of_the_loops_with_the_fitted_weights(params):
    ids = random_ids(n_texts=24)
    params = {"num_filters": 3, "embedding_dim": DIM, "learning_rate": 0.05, **params}
    classifier = TextCNNClassifier(max_epochs=3, random_state=0, **params)
    classifier.fit(ids, np.arange(24) % 3)
    logits = numpy_kim(
        classifier.net_.module_.state_dict(), TEXTS, params.get("activation", "relu")
    )
    widened = np.pad(TEXTS, ((0, 0), (0, ids.shape[1] - TEXTS.shape[1])))
    np.testing.assert_allclose(
        classifier.predict_proba(widened), softmax(logits, axis=1), rtol=1e-5
    )


def test_the_first_step_of_sgd_goes_down_the_gradient_of_plain_convolutions():
    ids, y = random_ids(n_texts=12), np.arange(12) % 3
    before = {}

    class Start(Callback):
        def on_train_begin(self, net, **kwargs):
            before.update({name: value.clone() for name, value in net.module_.state_dict().items()})

    classifier = TextCNNClassifier(
        kernel_sizes=(2, 3),
        num_filters=5,
        embedding_dim=DIM,
        dropout=0,
        token_dropout=0,
        optimizer="sgd",
        learning_rate=0.5,
        max_epochs=1,
        callbacks=[Start()],
        device="cpu",
    ).fit(ids, y)
    plain = TorchKim(5, (2, 3), "relu", 3)
    plain.load_state_dict(before)
    functional.cross_entropy(plain(torch.tensor(ids)), torch.tensor(y)).backward()
    after = classifier.net_.module_.state_dict()
    for name, parameter in plain.named_parameters():
        expected = before[name] - 0.5 * parameter.grad
        torch.testing.assert_close(after[name], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("architecture", ["kim", "stacked"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_row_of_padding_is_zeros_after_training(architecture, optimizer):
    classifier = TextCNNClassifier(
        architecture=architecture,
        optimizer=optimizer,
        weight_decay=0.1,
        learning_rate=0.05,
        num_filters=3,
        embedding_dim=DIM,
        max_epochs=3,
        random_state=0,
    ).fit(random_ids(n_texts=20), [0, 1] * 10)
    weight = classifier.net_.module_.embedding.weight
    assert not weight[0].any()
    assert weight[1:].any(dim=1).all()


# Word vectors --------------------------------------------------------------------------


def test_multichannel_is_two_channels_convolved_by_the_same_filters_and_added():
    network = kim(multichannel=True)
    tuned = nn.Embedding(N_IDS, DIM, padding_idx=0).double()
    frozen = nn.Embedding(N_IDS, DIM).double().requires_grad_(False)
    tuned.load_state_dict({"weight": network.embedding.weight})
    frozen.load_state_dict({"weight": network.embedding.static})
    assert not torch.equal(tuned.weight, frozen.weight)
    ids = torch.tensor(random_ids()[1:])
    pooled = []
    for conv in network.convs:
        (size,) = conv.kernel_size
        channels = [channel(ids).transpose(1, 2) for channel in (tuned, frozen)]
        added = sum(
            functional.conv1d(channel, conv.weight, padding=size - 1) for channel in channels
        )
        present = functional.pad((ids != 0).double(), (size - 1, size - 1))[:, None]
        touched = functional.max_pool1d(present, size, stride=1) > 0
        pooled.append(added.masked_fill(~touched, -torch.inf).amax(dim=2) + conv.bias)
    expected = network.head(torch.cat(pooled, dim=1).relu())
    outputs = network(ids)
    torch.testing.assert_close(outputs, expected)
    outputs.square().sum().backward()
    (gradient,) = torch.autograd.grad(expected.square().sum(), tuned.weight)
    torch.testing.assert_close(network.embedding.weight.grad, gradient)


@pytest.mark.parametrize("network", [KimCNN, StackedCNN])
def test_only_the_tuned_channel_gets_a_gradient(network):
    network = network(N_IDS, DIM, 2, num_filters=3, multichannel=True)
    randomized(network)(torch.tensor(TEXTS)).square().sum().backward()
    assert network.embedding.weight.grad.any()
    assert network.embedding.static.grad is None
    assert not network.embedding.static.requires_grad
    assert "embedding.static" not in dict(network.named_parameters())
    assert "embedding.static" in network.state_dict()


def test_multichannel_trains_one_copy_and_keeps_the_other_and_predicts_with_both():
    ids = random_ids(n_texts=24)
    with pytest.warns(UserWarning, match="finetune='multichannel' is for word vectors that are"):
        classifier = TextCNNClassifier(
            finetune="multichannel",
            num_filters=3,
            embedding_dim=DIM,
            learning_rate=0.05,
            max_epochs=2,
            random_state=0,
        ).fit(ids, np.arange(24) % 3)
    embedding = classifier.net_.module_.embedding
    assert not torch.equal(embedding.weight, embedding.static)
    assert embedding.static.abs().max() <= 0.25
    logits = numpy_kim(classifier.net_.module_.state_dict(), ids)
    np.testing.assert_allclose(classifier.predict_proba(ids), softmax(logits, axis=1), rtol=1e-5)


def distinguishable(token_dropout):
    """An embedding in which the vector of id i is i."""
    embedding = WordEmbedding(N_IDS, 1, token_dropout=token_dropout)
    with torch.no_grad():
        embedding.weight[:, 0] = torch.arange(N_IDS)
    return embedding


def seen(embedding, ids, how):
    """The ids that the rest of a network sees."""
    if how == "forward":
        return embedding(ids)[:, :, 0].long()
    rows, positions = embedding.distinct(ids)
    return rows[positions][:, :, 0].long()


@pytest.mark.parametrize("how", ["forward", "distinct"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_token_dropout_turns_the_given_share_of_tokens_into_the_unknown_word(rate, how):
    torch.manual_seed(0)
    ids = torch.randint(2, N_IDS, (100, 500))
    ids[:, 400:] = 0
    found = seen(distinguishable(rate).train(), ids, how)
    assert not found[:, 400:].any()
    dropped = found[:, :400] != ids[:, :400]
    assert (found[:, :400][dropped] == 1).all()
    assert dropped.double().mean().item() == pytest.approx(rate, abs=0.01)
    for share in (dropped.double().mean(dim=0), dropped.double().mean(dim=1)):
        assert 0 < share.min() < rate < share.max() <= 1


@pytest.mark.parametrize("how", ["forward", "distinct"])
@pytest.mark.parametrize(("rate", "training"), [(0.9, False), (0.0, True)])
def test_without_training_or_rate_every_token_keeps_its_vector(rate, training, how):
    embedding = distinguishable(rate).train(training)
    ids = torch.tensor(TEXTS)
    assert torch.equal(seen(embedding, ids, how), ids)


def test_every_batch_drops_other_tokens():
    torch.manual_seed(0)
    embedding = distinguishable(0.5).train()
    ids = torch.full((4, 50), 3)
    assert not torch.equal(embedding(ids), embedding(ids))


def test_token_dropout_trains_the_vector_of_the_unknown_word():
    ids = random_ids(n_texts=20)
    ids[ids == 1] = 2
    moved = {}
    for rate in (0.0, 0.5):
        rows = []
        for learning_rate in (1e-12, 0.1):
            classifier = TextCNNClassifier(
                token_dropout=rate,
                num_filters=3,
                embedding_dim=DIM,
                max_epochs=2,
                learning_rate=learning_rate,
                random_state=0,
            ).fit(ids, [0, 1] * 10)
            rows.append(classifier.net_.module_.embedding.weight[1].detach())
        moved[rate] = (rows[1] - rows[0]).abs().max().item()
    assert moved[0.0] < 1e-6
    assert moved[0.5] > 1e-3


def test_dropout_drops_features_in_training_alone():
    network = kim(dropout=0.5, num_filters=200, activation="sigmoid")
    ids = torch.tensor([[2, 3, 4]])
    features = network.features(ids)
    torch.manual_seed(0)
    dropped = network.train().head[0](features)
    share = (dropped == 0).double().mean().item()
    assert share == pytest.approx(0.5, abs=0.08)
    torch.testing.assert_close(dropped[dropped != 0], 2 * features[dropped != 0])
    assert torch.equal(network.eval()(ids), network(ids))


# The stack -----------------------------------------------------------------------------


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
        architecture="stacked", embedding_dim=DIM, max_epochs=1, random_state=0
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
def test_the_activation_of_the_stack_is_behind_convolutions_and_dense_layer(activation):
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


# The norm of the output layer ----------------------------------------------------------


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


# Networks of the user ------------------------------------------------------------------


class BagOfWords(nn.Module):
    """The mean of the vectors, and what it was called with."""

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
    params = {"max_epochs": 1, "embedding_dim": DIM, "random_state": 0, **params}
    ids = random_ids(n_texts=len(y)) if ids is None else ids
    return TextCNNClassifier(architecture=architecture, **params).fit(ids, list(y))


def test_a_network_of_the_user_is_trained_and_predicts_what_its_layers_say():
    ids = np.array([[2, 3, 4], [5, 6, 7]] * 10)
    classifier = fit_custom(BagOfWords, ids, [0, 1] * 10, max_epochs=30, learning_rate=0.1)
    assert isinstance(classifier.net_.module_, BagOfWords)
    assert classifier.score(ids, [0, 1] * 10) == 1.0
    with torch.no_grad():
        expected = classifier.net_.module_.eval()(torch.tensor(ids)).softmax(dim=1)
    np.testing.assert_allclose(classifier.predict_proba(ids), expected, rtol=1e-5)


class Reordered(nn.Module):
    """Has a buffer of indices."""

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
    """Calls something else its features."""

    def features(self, ids):
        return self.embedding(ids)


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


def test_a_network_of_the_user_gets_the_parameters_that_it_names_alone():
    classifier = fit_custom(BagOfWords, dropout=0.25, token_dropout=0.3, activation="tanh")
    module = classifier.net_.module_
    assert module.head[0].p == 0.25
    assert module.embedding.weight.shape == (N_IDS, DIM)
    assert module.head[1].weight.shape == (3, DIM)


def test_a_network_that_takes_any_keyword_gets_all_that_are_set():
    defaults = {"activation": "relu", "dropout": 0.5, "token_dropout": 0.1}
    defaults["convolution"] = "lookup"
    assert fit_custom(TakesEverything).net_.module_.kwargs == defaults
    chosen = {"kernel_sizes": (2, 3), "num_filters": 7, "hidden_units": 0, "activation": "tanh"}
    assert fit_custom(TakesEverything, **chosen).net_.module_.kwargs == defaults | chosen


def test_frozen_vectors_stay_in_a_network_of_the_user():
    rows = []
    for learning_rate in (1e-12, 0.1):
        with pytest.warns(UserWarning, match="random ones are kept frozen"):
            classifier = fit_custom(BagOfWords, finetune=False, learning_rate=learning_rate)
        rows.append(classifier.net_.module_.embedding.weight)
    assert torch.equal(*rows)


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        (
            WithoutEmbedding,
            "architecture WithoutEmbedding must have a torch.nn.Embedding at its attribute "
            "`embedding`",
        ),
        (
            EmbeddingIsLinear,
            "EmbeddingIsLinear must have a torch.nn.Embedding at its attribute `embedding`",
        ),
        (
            WithoutHead,
            "architecture WithoutHead must have its last layers, which end in a torch.nn.Linear, "
            "at its attribute `head`",
        ),
        (HeadWithoutLinear, "HeadWithoutLinear must have its last layers, .* at .* `head`"),
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
def test_a_class_that_is_no_network_says_what_it_lacks(architecture, message):
    with pytest.raises(ValueError, match=message):
        fit_custom(architecture)


@pytest.mark.filterwarnings("ignore:finetune='multichannel' is for word vectors:UserWarning")
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


@pytest.mark.parametrize("n_words", [1, 7, 300])
def test_the_product_is_that_of_double_precision_with_any_number_of_threads(n_words):
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(n_words, 30, generator=generator)
    kernels = torch.randn(120, 30, generator=generator)
    expected = rows.double() @ kernels.double().T
    before = torch.get_num_threads()
    products = []
    try:
        for n_threads in (1, 2, 3):
            torch.set_num_threads(n_threads)
            products.append(_multiply(rows, kernels))
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(products[0].double(), expected, rtol=1e-5, atol=1e-5)
    assert all(torch.equal(product, products[0]) for product in products)


def test_the_first_of_equal_windows_wins_as_in_torch():
    generator = torch.Generator().manual_seed(0)
    sums = torch.randint(0, 4, (30, 5, 40), generator=generator).float()
    sums[:7, 0] = -torch.inf
    expected = sums.max(dim=0)
    # More ranks than windows, as a narrow kernel has.
    ranks = torch.arange(34, 0, -1).float()[:, None, None]
    values, rank = _max(sums.clone(), ranks)
    assert torch.equal(values, expected.values)
    # Of torch's own, which of equal values wins is not laid down; here it is the first.
    first = (sums == expected.values).float().argmax(dim=0)
    assert torch.equal(len(sums) - rank.long(), first)


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
