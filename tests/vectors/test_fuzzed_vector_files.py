"""Files of vectors that fuzzing starts from, and those that it found, have its properties."""

from pathlib import Path

import pytest

from fuzz import seeds
from fuzz.properties import check_vector_file

FOUND = sorted((Path(__file__).parent / "findings").iterdir())


def test_seeds_of_vector_files_are_read(tmp_path):
    inputs = seeds.vector_files()
    assert [name for name, data in inputs.items() if not check_vector_file(data, tmp_path)] == []


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_findings_of_vector_files_stay_fixed(path, tmp_path):
    check_vector_file(path.read_bytes(), tmp_path)
