"""Private parts of torch: their public fallbacks give the same results."""

import copy
import sys

import pytest
import torch

from sktextcnn._compat import torch as compat
from sktextcnn._network import KimCNN
from sktextcnn._network.max_over_time import _multiply
from sktextcnn._training.row_adam import RowAdam
from tests.training.test_row_adam import RATE, SETTINGS, split, trained


@pytest.fixture(autouse=True)
def fresh_probes():
    probes = (
        compat.linear_by_onednn,
        compat._counts_versions,
        compat._has_fused_adam,
        compat._has_sparse_parts,
    )
    for probe in probes:
        probe.cache_clear()
    yield
    for probe in probes:
        probe.cache_clear()


def raises(*args, **kwargs):
    raise RuntimeError("gone")


def answers_otherwise(*args, **kwargs):
    return torch.zeros(1, 2)


@pytest.mark.parametrize("private", [raises, answers_otherwise])
def test_the_product_without_onednns(private, monkeypatch):
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", private, raising=False)
    rows, kernels = torch.randn(7, 5), torch.randn(9, 5)
    assert torch.equal(_multiply(rows, kernels), rows @ kernels.T)


def test_onednn_can_be_switched_off(monkeypatch):
    monkeypatch.setattr("sktextcnn._network.max_over_time.linear_by_onednn", raises)
    rows, kernels = torch.randn(7, 5), torch.randn(9, 5)
    with pytest.raises(RuntimeError, match="gone"):
        _multiply(rows, kernels)
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    assert torch.equal(_multiply(rows, kernels), rows @ kernels.T)


def test_products_without_counts_of_changes_are_not_remembered(monkeypatch):
    monkeypatch.setattr(compat, "_counts_versions", lambda: False)
    torch.manual_seed(0)
    network = KimCNN(20, 4, 3, num_filters=5).eval()
    with torch.no_grad():
        network.embedding.weight.uniform_(-1, 1)[0] = 0
        for _ in range(2):
            ids = torch.randint(0, 20, (6, 8))
            dense = copy.deepcopy(network)
            dense.convolution = "dense"
            torch.testing.assert_close(network(ids), dense(ids))
            network.embedding.weight[1:].mul_(2)
            network.convs[0].weight.add_(1)
    assert network._products._memory is None


@pytest.mark.parametrize("private", [raises, lambda *args, **kwargs: None])
def test_steps_of_adam_without_the_fused_one(private, monkeypatch):
    of_rows, _ = trained(True, split)
    of_all, _ = trained(
        False, lambda net: [torch.optim.Adam(net.parameters(), lr=RATE, weight_decay=0.1)]
    )
    monkeypatch.setattr(sys.modules["torch.optim.adam"], "adam", private)
    assert not compat._has_fused_adam()
    net, _ = trained(True, lambda net: [RowAdam(net.parameters(), lr=RATE, **SETTINGS)])
    torch.testing.assert_close(net.state_dict(), of_rows.state_dict())
    net, _ = trained(False, lambda net: [RowAdam(net.parameters(), lr=RATE, weight_decay=0.1)])
    torch.testing.assert_close(net.state_dict(), of_all.state_dict())


def test_steps_of_rows_without_the_parts_of_uncoalesced_gradients(monkeypatch):
    monkeypatch.setattr(compat, "_has_sparse_parts", lambda: False)
    net, _ = trained(True, lambda net: [RowAdam(net.parameters(), lr=RATE, **SETTINGS)])
    expected, _ = trained(True, split)
    torch.testing.assert_close(net.state_dict(), expected.state_dict())


def test_methods_that_cannot_be_unwrapped_stay_torchs(monkeypatch):
    assert compat.light_optimizer_methods().keys() == {"add_param_group", "zero_grad"}
    monkeypatch.setattr(compat.inspect, "unwrap", lambda method: raises)
    assert compat.light_optimizer_methods() == {}


def test_this_torch_needs_no_fallback():
    assert compat._has_fused_adam()
    assert compat._has_sparse_parts()
    assert compat._counts_versions()
