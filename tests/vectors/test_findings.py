"""What fuzzing has found, and what it starts from, has the properties that it looks at."""

from pathlib import Path

import pytest

from fuzz import seeds
from fuzz.properties import check_model_file, check_vector_file

FOUND = Path(__file__).parents[1] / "findings"


def found(kind):
    return sorted((FOUND / kind).iterdir())


@pytest.fixture(scope="module")
def models():
    return seeds.models()


def test_seeds_of_vector_files_are_read(tmp_path):
    inputs = seeds.vector_files()
    assert [name for name, data in inputs.items() if not check_vector_file(data, tmp_path)] == []


def test_seeds_of_model_files_are_loaded(models, tmp_path):
    inputs = seeds.model_files(models)
    assert [
        name for name, data in inputs.items() if not check_model_file(data, models, tmp_path)
    ] == []


@pytest.mark.parametrize("path", found("vector_files"), ids=lambda path: path.name)
def test_findings_of_vector_files_stay_fixed(path, tmp_path):
    check_vector_file(path.read_bytes(), tmp_path)


@pytest.mark.parametrize("path", found("model_file"), ids=lambda path: path.name)
def test_findings_of_model_files_stay_fixed(path, models, tmp_path):
    assert not check_model_file(path.read_bytes(), models, tmp_path)
