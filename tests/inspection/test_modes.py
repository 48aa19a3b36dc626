"""Explanations inside torch's modes."""

import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer, explain

TEXTS = ["a gem", "so dull", "a witty gem", "a dull, dull film"]


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
@pytest.mark.parametrize("hidden_units", [0, 2], ids=["exact", "gradients"])
def test_modes_of_torch_change_no_explanation(mode, hidden_units):
    params = {"num_filters": 2, "embedding_dim": 2, "max_epochs": 1, "random_state": 0}
    classifier = TextCNNClassifier(hidden_units=hidden_units, **params)
    model = make_pipeline(TextVectorizer(), classifier).fit(TEXTS, [0, 1, 0, 1])
    expected = explain(model, TEXTS)
    with mode():
        found = explain(model, TEXTS)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.token_contributions, other.token_contributions, atol=1e-9)
