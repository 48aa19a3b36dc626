"""Word embeddings: the padding row, the frozen channel and token dropout."""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from torch import nn
from torch.nn import functional

from sktextcnn import TextCNNClassifier
from sktextcnn._network.modules import KimCNN, StackedCNN, WordEmbedding
from tests.network.networks import DIM, N_IDS, TEXTS, kim, random_ids, randomized
from tests.reference import numpy_kim


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
    with pytest.warns(UserWarning, match="finetune='multichannel' needs word vectors, but X has"):
        classifier = TextCNNClassifier(
            finetune="multichannel",
            num_filters=3,
            embedding_dim=DIM,
            learning_rate=0.05,
            max_epochs=2,
            wide=False,
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
    ids = embedding.drop(ids)
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
    assert not torch.equal(embedding.drop(ids), embedding.drop(ids))


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
