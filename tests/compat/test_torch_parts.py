"""Private parts of torch, with them and without."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from sktextcnn import TextCNNClassifier
from sktextcnn._compat import torch as compat


def raises(*args, **kwargs):
    raise AttributeError("moved")


def wrong(module):
    return nn.Sequential(nn.Linear(2, 1)).double()


@pytest.fixture(params=["private", "absent", "wrong"])
def twins(request, monkeypatch):
    if request.param != "private":
        monkeypatch.setattr(compat, "_twin", {"absent": raises, "wrong": wrong}[request.param])
    compat._twins_work.cache_clear()
    assert compat._twins_work() == (request.param == "private")
    yield
    compat._twins_work.cache_clear()


def test_a_module_in_double_precision_computes_as_a_copy_does(twins):
    head = nn.Sequential(weight_norm(nn.Linear(3, 4)), nn.BatchNorm1d(4), nn.Linear(4, 2)).eval()
    before = {name: value.clone() for name, value in head.state_dict().items()}
    features = torch.rand(5, 3)
    twin = compat.double_on_cpu(head)
    outputs = twin(features.double())
    assert outputs.dtype == torch.float64
    torch.testing.assert_close(outputs.float(), head(features))
    assert not twin.training
    for name, value in head.state_dict().items():
        assert torch.equal(value, before[name])
        assert value.dtype == before[name].dtype


def test_predictions_do_not_depend_on_how_the_head_is_copied(twins):
    ids = np.random.default_rng(0).integers(0, 9, (20, 5))
    params = {"num_filters": 2, "embedding_dim": 3, "max_epochs": 1, "random_state": 0}
    classifier = TextCNNClassifier(wide=False, **params).fit(ids, np.arange(20) % 3)
    by_twin = classifier.predict_proba(ids)
    with torch.no_grad():
        features = classifier.net_.module_.features(torch.from_numpy(ids)).double()
        expected = classifier.net_.module_.head.double()(features)
    np.testing.assert_allclose(by_twin, torch.softmax(expected, dim=1).numpy(), rtol=1e-12)
