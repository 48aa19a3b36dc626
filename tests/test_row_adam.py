"""RowAdam against torch's own Adam."""

import copy
import pickle

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


def batches(n_steps, seed=1):
    """Rows with Zipf's frequencies, so that some are read at every step and others hardly ever."""
    generator = torch.Generator().manual_seed(seed)
    shares = 1 / torch.arange(1.0, N_ROWS + 1) ** 2
    for _ in range(n_steps):
        yield torch.multinomial(shares, 12, replacement=True, generator=generator).view(4, 3)


def train(net, optimizer, some_batches, schedule=lambda step: {}, settle=True):
    lazy = isinstance(optimizer, RowAdam)
    for step, ids in enumerate(some_batches):
        for group in optimizer.param_groups:
            group.update(schedule(step))
        optimizer.zero_grad()
        if lazy:
            optimizer.catch_up(net.embedding.weight, ids)
        nn.functional.cross_entropy(net(ids), ids[:, 0] % 3).backward()
        optimizer.step()
    if lazy and settle:
        optimizer.settle()


def trained(optimizer_class, n_steps, sparse, schedule=lambda step: {}, settle=True, **settings):
    """The network and its optimizer behind some steps."""
    net = Net(sparse).double()
    optimizer = optimizer_class(net.parameters(), lr=RATE, **settings)
    train(net, optimizer, batches(n_steps), schedule, settle)
    return net, optimizer


@pytest.mark.parametrize("n_steps", [1, 2, 3, 60, 1500])
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.8, 0.99)], ids=str)
def test_rows_move_as_torchs_adam_moves_them(n_steps, betas):
    # Without epsilon both are equal up to rounding.
    settings = {"betas": betas, "eps": 1e-30}
    falling = {"schedule": lambda step: {"lr": RATE / (1 + step % 7)}}
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


@pytest.mark.parametrize("betas", [(0.99, 0.9), (0.0, 0.999)], ids=str)
def test_betas_that_never_spend_momentum_or_have_none_are_refused(betas):
    with pytest.raises(ValueError, match=r"betas=.* momentum"):
        RowAdam(Net(True).parameters(), betas=betas)


@pytest.mark.parametrize("how", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))])
def test_copies_go_on_as_the_original_does(how):
    net, optimizer = trained(RowAdam, 30, True, settle=False)
    other_net, other_optimizer = how((net, optimizer))
    for one, its in ((net, optimizer), (other_net, other_optimizer)):
        train(one, its, batches(30, seed=2))
    torch.testing.assert_close(net.state_dict(), other_net.state_dict(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("source", [RowAdam, torch.optim.Adam])
def test_the_state_is_that_of_torchs_adam(source):
    net, optimizer = trained(source, 30, source is RowAdam, settle=False, eps=1e-30)
    expected_net, expected = trained(torch.optim.Adam, 30, False, eps=1e-30)
    state = optimizer.state_dict()
    assert state["state"][0].keys() == {"step", "exp_avg", "exp_avg_sq"}
    torch.testing.assert_close(net.state_dict(), expected_net.state_dict(), rtol=1e-8, atol=1e-9)
    net.embedding.sparse = True
    goes_on = RowAdam(net.parameters(), lr=RATE)
    goes_on.load_state_dict(state)
    train(net, goes_on, batches(30, seed=2))
    train(expected_net, expected, batches(30, seed=2))
    torch.testing.assert_close(net.state_dict(), expected_net.state_dict(), rtol=1e-8, atol=1e-9)


def test_betas_may_change_from_step_to_step():
    def schedule(step):
        return {"lr": RATE, "betas": (0.85 + 0.01 * (step % 9), 0.999)}

    net, _ = trained(RowAdam, 40, True, schedule=schedule, eps=1e-30)
    expected, _ = trained(torch.optim.Adam, 40, False, schedule=schedule, eps=1e-30)
    torch.testing.assert_close(net.state_dict(), expected.state_dict(), rtol=1e-8, atol=1e-9)


def test_gradients_may_become_dense_and_sparse_again():
    net, optimizer = trained(RowAdam, 20, True, settle=False, eps=1e-30)
    expected, reference = trained(torch.optim.Adam, 20, False, eps=1e-30)
    for sparse, seed in ((False, 2), (True, 3)):
        net.embedding.sparse = sparse
        train(net, optimizer, batches(20, seed=seed))
        train(expected, reference, batches(20, seed=seed))
    torch.testing.assert_close(net.state_dict(), expected.state_dict(), rtol=1e-8, atol=1e-9)


def test_rows_whose_momentum_is_spent_are_settled_no_more(monkeypatch):
    net, optimizer = trained(RowAdam, 300, True)
    moved = []
    bring_up = RowAdam._bring_up

    def spy(self, param, rows):
        moved.extend(rows.tolist())
        bring_up(self, param, rows)

    monkeypatch.setattr(RowAdam, "_bring_up", spy)
    ids = torch.tensor([[1, 2, 3]] * 4)
    train(net, optimizer, [ids] * 300)
    moved.clear()
    train(net, optimizer, [ids])
    assert set(moved) <= {1, 2, 3}


def test_absent_rows_may_stay_as_with_sparse_adam():
    # The two add epsilon at other places, so it is left out.
    settings = {"eps": 1e-30, "betas": (0.8, 0.99)}
    net, optimizer = trained(RowAdam, 40, True, moves_absent=False, **settings)
    expected = Net(True).double()
    optimizers = [
        torch.optim.SparseAdam([expected.embedding.weight], lr=RATE, **settings),
        torch.optim.Adam(expected.output.parameters(), lr=RATE, **settings),
    ]
    for ids in batches(40):
        expected.zero_grad()
        nn.functional.cross_entropy(expected(ids), ids[:, 0] % 3).backward()
        for one in optimizers:
            one.step()
    torch.testing.assert_close(net.state_dict(), expected.state_dict())
    assert optimizer.state[net.embedding.weight]["step"].item() == 40
    before = net.embedding.weight.detach().clone()
    train(net, optimizer, [torch.tensor([[3, 7, 7]])])
    moved = (net.embedding.weight != before).any(dim=1).nonzero().flatten()
    assert moved.tolist() == [3, 7]
    other, its = copy.deepcopy((net, optimizer))
    train(other, its, batches(5))
    train(net, optimizer, batches(5))
    assert torch.equal(net.embedding.weight, other.embedding.weight)


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
