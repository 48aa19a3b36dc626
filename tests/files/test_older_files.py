"""Model files that version 0.1.0 has written, before the package had rooms."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import sktextcnn

FILES = Path(__file__).parent / "version_0_1_0"
EXPECTED = json.loads((FILES / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
@pytest.mark.parametrize("name", sorted(EXPECTED["probabilities"]))
def test_a_file_of_version_0_1_0_predicts_as_it_did(name, tmp_path):
    model = sktextcnn.load(FILES / f"{name}.sktextcnn")
    expected = EXPECTED["probabilities"][name]
    np.testing.assert_allclose(model.predict_proba(EXPECTED["texts"]), expected, atol=1e-6)
    sktextcnn.save(model, tmp_path / "again.sktextcnn")
    again = sktextcnn.load(tmp_path / "again.sktextcnn")
    np.testing.assert_allclose(again.predict_proba(EXPECTED["texts"]), expected, atol=1e-6)
    assert again.get_params().keys() == model.get_params().keys()
    clone(model)
