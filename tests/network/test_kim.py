"""Kim's network, against NumPy loops and torch's plain convolutions with the same weights."""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from skorch.callbacks import Callback
from torch.nn import functional

from sktextcnn import TextCNNClassifier
from sktextcnn._network.modules import ACTIVATIONS
from tests.network.networks import DIM, N_IDS, TEXTS, TorchKim, kim, random_ids
from tests.reference import NUMPY_ACTIVATIONS, numpy_kim


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
        {"pool_size": 1},
        {"pool_size": 3},
        {"pool_size": 2, "hidden_units": 3, "activation": "tanh", "kernel_sizes": (1, 4)},
        *({"activation": activation, "hidden_units": 3} for activation in NUMPY_ACTIVATIONS),
    ],
    ids=str,
)
def test_kim_equals_loops_over_the_windows_that_touch_a_token(params, no_grad):
    network = kim(**params).eval()
    expected = numpy_kim(
        network.state_dict(), TEXTS, params.get("activation", "relu"), params.get("pool_size")
    )
    with torch.set_grad_enabled(not no_grad):
        outputs = network(torch.tensor(TEXTS))
    np.testing.assert_allclose(outputs.numpy(force=True), expected, rtol=1e-10, atol=1e-10)


def test_regions_do_not_depend_on_padding_or_other_texts():
    network = kim(pool_size=4).eval()
    ids = torch.tensor(random_ids(n_tokens=19))
    n_tokens = (ids != 0).sum(dim=1).tolist()
    before = torch.stack([row.roll(19 - n) for row, n in zip(ids, n_tokens, strict=True)])
    with torch.no_grad():
        outputs = network(ids)
        alone = [network(row[None, : max(n, 1)])[0] for row, n in zip(ids, n_tokens, strict=True)]
        torch.testing.assert_close(network(before), outputs, rtol=0, atol=0)
    torch.testing.assert_close(torch.stack(alone), outputs, rtol=0, atol=1e-12)


def test_texts_within_one_region_have_the_bits_of_a_maximum_over_all():
    whole, regions = kim().eval(), kim(pool_size=10).eval()
    ids = torch.tensor(random_ids())
    with torch.no_grad():
        torch.testing.assert_close(whole(ids), regions(ids), rtol=0, atol=0)


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
    classifier = TextCNNClassifier(max_epochs=3, wide=False, random_state=0, **params)
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
        wide=False,
        device="cpu",
    ).fit(ids, y)
    plain = TorchKim(5, (2, 3), "relu", 3)
    plain.load_state_dict(before)
    functional.cross_entropy(plain(torch.tensor(ids)), torch.tensor(y)).backward()
    after = classifier.net_.module_.state_dict()
    for name, parameter in plain.named_parameters():
        expected = before[name] - 0.5 * parameter.grad
        torch.testing.assert_close(after[name], expected, rtol=1e-4, atol=1e-6)
