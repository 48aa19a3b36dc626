"""RowAdam against torch's own Adam and SparseAdam."""

import pytest
import torch
from torch import nn

from sktextcnn._training.row_adam import RowAdam

RATE = 0.03
# Epsilon is almost zero, since Adam and SparseAdam add it at different places.
SETTINGS = {"betas": (0.8, 0.99), "eps": 1e-30}


class Net(nn.Module):
    def __init__(self, sparse):
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(30, 4, padding_idx=0, sparse=sparse)
        self.output = nn.Linear(4, 3)

    def forward(self, ids):
        return self.output(self.embedding(ids).sum(dim=1))


def trained(sparse, make_optimizers, n_steps=12, ids_of=lambda generator: (6, 5)):
    """The network after some steps on random ids, in which words occur several times."""
    net = Net(sparse).double()
    optimizers = make_optimizers(net)
    generator = torch.Generator().manual_seed(1)
    for _ in range(n_steps):
        ids = torch.randint(0, 30, ids_of(generator), generator=generator)
        loss = nn.functional.cross_entropy(net(ids), ids[:, 0] % 3)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
    return net, optimizers


def split(net):
    return [
        torch.optim.SparseAdam([net.embedding.weight], lr=RATE, **SETTINGS),
        torch.optim.Adam(net.output.parameters(), lr=RATE, **SETTINGS),
    ]


@pytest.mark.parametrize("fused", [True, False])
def test_sparse_gradients_get_sparse_adams_steps_and_the_others_adams(fused):
    net, (optimizer,) = trained(
        True, lambda net: [RowAdam(net.parameters(), lr=RATE, **SETTINGS, fused=fused)]
    )
    expected, _ = trained(True, split)
    torch.testing.assert_close(net.state_dict(), expected.state_dict())
    assert optimizer.state[net.embedding.weight]["step"].item() == 12


def test_dense_gradients_get_adams_steps():
    net, _ = trained(False, lambda net: [RowAdam(net.parameters(), lr=RATE, weight_decay=0.1)])
    expected, _ = trained(
        False, lambda net: [torch.optim.Adam(net.parameters(), lr=RATE, weight_decay=0.1)]
    )
    torch.testing.assert_close(net.state_dict(), expected.state_dict())


def test_rows_without_a_gradient_stay_though_they_had_one_before():
    net, (optimizer,) = trained(True, lambda net: [RowAdam(net.parameters(), lr=RATE)])
    before = net.embedding.weight.detach().clone()
    optimizer.zero_grad()
    net(torch.tensor([[3, 7]])).square().sum().backward()
    optimizer.step()
    moved = (net.embedding.weight != before).any(dim=1).nonzero().flatten()
    assert moved.tolist() == [3, 7]


def test_each_group_has_its_rate_and_a_closure_is_called_once():
    net = Net(sparse=True)
    optimizer = RowAdam(
        [
            {"params": net.embedding.parameters(), "lr": 0.0},
            {"params": net.output.parameters(), "lr": RATE},
        ],
        fused=True,
    )
    before = {name: value.clone() for name, value in net.state_dict().items()}
    calls = []

    def closure():
        calls.append(0)
        loss = net(torch.tensor([[3, 7]])).square().sum()
        loss.backward()
        return loss

    loss = optimizer.step(closure)
    assert len(calls) == 1
    assert loss.item() > 0
    assert net.embedding.weight.grad.is_sparse
    assert torch.equal(net.embedding.weight, before["embedding.weight"])
    assert not torch.equal(net.output.weight, before["output.weight"])
