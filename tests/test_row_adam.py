"""RowAdam against torch's own Adam."""

import pytest
import torch
from torch import nn

from sktextcnn import _row_adam
from sktextcnn._row_adam import RowAdam

RATE = 0.03
N_ROWS = 30


class Net(nn.Module):
    def __init__(self, sparse):
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(N_ROWS, 4, padding_idx=0, sparse=sparse)
        self.output = nn.Linear(4, 3)

    def forward(self, ids):
        return self.output(self.embedding(ids).sum(dim=1))


def batches(n_steps):
    """Rows with Zipf's frequencies, so that some are read at every step and others hardly ever."""
    generator = torch.Generator().manual_seed(1)
    shares = 1 / torch.arange(1.0, N_ROWS + 1) ** 2
    for _ in range(n_steps):
        yield torch.multinomial(shares, 12, replacement=True, generator=generator).view(4, 3)


def trained(optimizer_class, n_steps, sparse, schedule=lambda step: RATE, **settings):
    """The network behind some steps; rows are caught up with if the optimizer can."""
    net = Net(sparse).double()
    optimizer = optimizer_class(net.parameters(), lr=RATE, **settings)
    for step, ids in enumerate(batches(n_steps)):
        for group in optimizer.param_groups:
            group["lr"] = schedule(step)
        optimizer.zero_grad()
        if sparse:
            optimizer.catch_up(net.embedding.weight, ids)
        nn.functional.cross_entropy(net(ids), ids[:, 0] % 3).backward()
        optimizer.step()
    if sparse:
        optimizer.settle()
    return net, optimizer


@pytest.mark.parametrize("n_steps", [1, 2, 3, 60, 1500])
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.8, 0.99)], ids=str)
def test_rows_move_as_torchs_adam_moves_them(n_steps, betas):
    # Without epsilon both are equal up to rounding.
    settings = {"betas": betas, "eps": 1e-30}
    falling = {"schedule": lambda step: RATE / (1 + step % 7)}
    net, optimizer = trained(RowAdam, n_steps, True, **falling, **settings)
    expected, reference = trained(torch.optim.Adam, n_steps, False, **falling, **settings)
    torch.testing.assert_close(net.state_dict(), expected.state_dict(), rtol=1e-8, atol=1e-9)
    ours, theirs = optimizer.state[net.embedding.weight], reference.state[expected.embedding.weight]
    assert ours["step"] == theirs["step"] == n_steps
    for name in ("exp_avg", "exp_avg_sq"):
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-8, atol=1e-12)


def test_epsilon_moves_rows_hardly_otherwise():
    net, _ = trained(RowAdam, 300, True)
    expected, _ = trained(torch.optim.Adam, 300, False)
    torch.testing.assert_close(net.state_dict(), expected.state_dict(), rtol=1e-3, atol=3e-5)


def test_without_catching_up_only_the_rows_of_a_gradient_are_right():
    net, optimizer = trained(RowAdam, 5, True)
    weight = net.embedding.weight
    optimizer.zero_grad()
    net(torch.tensor([[3, 7]])).square().sum().backward()
    before = weight.detach().clone()
    optimizer.step()
    moved = (weight != before).any(dim=1).nonzero().flatten()
    assert moved.tolist() == [3, 7]
    optimizer.settle()
    moved = (weight != before).any(dim=1).nonzero().flatten()
    assert len(moved) > 2
    settled = weight.detach().clone()
    optimizer.settle()
    assert torch.equal(weight, settled)


def test_rows_that_were_caught_up_with_for_nothing_move_once():
    weights = []
    for reads in (0, 3):
        net, optimizer = trained(RowAdam, 5, True)
        for rows in torch.arange(N_ROWS).flip(0).split(7)[:reads]:
            optimizer.catch_up(net.embedding.weight, rows)
        optimizer.catch_up(net.embedding.weight, torch.tensor([[3, 9], [9, 3]]))
        nn.functional.cross_entropy(net(torch.tensor([[3, 7]])), torch.tensor([1])).backward()
        optimizer.step()
        optimizer.settle()
        weights.append(net.embedding.weight.detach())
    torch.testing.assert_close(*weights, rtol=1e-12, atol=1e-12)


def test_settling_goes_block_by_block(monkeypatch):
    expected, _ = trained(RowAdam, 9, True)
    monkeypatch.setattr(_row_adam, "_BLOCK", 7)
    net, _ = trained(RowAdam, 9, True)
    assert torch.equal(net.embedding.weight, expected.embedding.weight)


def test_nothing_is_caught_up_with_before_the_first_step():
    net = Net(True)
    before = net.embedding.weight.detach().clone()
    optimizer = RowAdam(net.parameters(), lr=RATE)
    optimizer.catch_up(net.embedding.weight, torch.tensor([1, 2]))
    optimizer.settle()
    assert torch.equal(net.embedding.weight, before)


def test_a_rate_of_decay_that_never_spends_momentum_is_refused():
    with pytest.raises(ValueError, match=r"betas=\(0.99, 0.9\).*momentum"):
        RowAdam(Net(True).parameters(), betas=(0.99, 0.9))


def test_dense_gradients_get_adams_steps():
    net, _ = trained(RowAdam, 12, False, weight_decay=0.1)
    expected, _ = trained(torch.optim.Adam, 12, False, weight_decay=0.1)
    torch.testing.assert_close(net.state_dict(), expected.state_dict())


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
