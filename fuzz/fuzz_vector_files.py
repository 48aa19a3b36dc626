"""Fuzz the readers of files of vectors: python -m fuzz.fuzz_vector_files -max_total_time=60."""

import resource
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["sktextcnn._embeddings", "sktextcnn._vector_files"]):
    import sktextcnn._embeddings  # noqa: F401

from fuzz import seeds
from fuzz.properties import check_vector_file

_HERE = Path(__file__).parent
_MOST_MEMORY = 1 << 30


def main() -> None:
    """Run libFuzzer with the arguments of the command line."""
    corpus, findings = _HERE / "corpus" / "vector_files", _HERE / "findings"
    seeds.write(seeds.vector_files(), corpus)
    findings.mkdir(exist_ok=True)
    # In memory, where there is such a folder: files are written thousands of times a second.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:

        def test_one_input(data: bytes) -> None:
            check_vector_file(data, Path(folder))

        arguments = [
            sys.argv[0],
            str(corpus),
            f"-dict={_HERE / 'vector_files.dict'}",
            f"-artifact_prefix={findings}/vector_files-",
            "-max_len=8192",
            "-len_control=0",
            "-timeout=120",  # Of a machine that does other things too.
            *sys.argv[1:],
        ]
        atheris.Setup(arguments, test_one_input)
        in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (in_use + _MOST_MEMORY,) * 2)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
