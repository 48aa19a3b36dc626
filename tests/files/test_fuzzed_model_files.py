"""Model files that fuzzing starts from, and those that it found, have its properties."""

from pathlib import Path

import pytest

from fuzz import seeds
from fuzz.properties import check_model_file

FOUND = sorted((Path(__file__).parent / "findings").iterdir())


@pytest.fixture(scope="module")
def models():
    return seeds.models()


def test_seeds_of_model_files_are_loaded(models, tmp_path):
    inputs = seeds.model_files(models)
    assert [
        name for name, data in inputs.items() if not check_model_file(data, models, tmp_path)
    ] == []


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_findings_of_model_files_stay_fixed(path, models, tmp_path):
    assert not check_model_file(path.read_bytes(), models, tmp_path)
