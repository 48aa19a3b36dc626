"""Fuzz load: python -m fuzz.fuzz_model_file -max_total_time=60."""

import resource
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["sktextcnn._model_file", "sktextcnn._plain", "sktextcnn._storage"]
):
    import sktextcnn._model_file  # noqa: F401

from fuzz import seeds
from fuzz.properties import check_model_file

_HERE = Path(__file__).parent
_MOST_MEMORY = 1 << 30


def main() -> None:
    """Run libFuzzer with the arguments of the command line."""
    corpus, findings = _HERE / "corpus" / "model_files", _HERE / "findings"
    seeds.write(seeds.model_files(), corpus)
    findings.mkdir(exist_ok=True)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:

        def test_one_input(data: bytes) -> None:
            check_model_file(data, Path(folder))

        arguments = [
            sys.argv[0],
            str(corpus),
            f"-artifact_prefix={findings}/model_files-",
            "-max_len=16384",
            "-len_control=0",
            "-timeout=120",
            *sys.argv[1:],
        ]
        atheris.Setup(arguments, test_one_input)
        in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (in_use + _MOST_MEMORY,) * 2)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
