"""What the harnesses share: a corpus, a folder in memory, bounds, and libFuzzer."""

import resource
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import atheris

from fuzz import seeds

_HERE = Path(__file__).parent
_MOST_MEMORY = 1 << 30


def run(
    name: str,
    inputs: Mapping[str, bytes],
    check: Callable[[bytes, Path], object],
    longest: int,
    **options: Any,
) -> None:
    """Run libFuzzer with the arguments of the command line.

    Parameters
    ----------
    name : str
        Of the corpus, of its dictionary, and of findings.
    inputs : mapping of str to bytes
        What it begins with.
    check : callable
        Takes an input and a folder to write to, and raises an AssertionError.
    longest : int
        The length of the longest inputs.
    **options
        For ``atheris.Setup``.
    """
    corpus, findings = _HERE / "corpus" / name, _HERE / "findings"
    seeds.write(inputs, corpus)
    findings.mkdir(exist_ok=True)
    # In memory, where there is such a folder: files are written hundreds of times a second.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        arguments = [
            sys.argv[0],
            str(corpus),
            f"-dict={_HERE / name}.dict",
            f"-artifact_prefix={findings}/{name}-",
            f"-max_len={longest}",
            "-len_control=0",
            "-timeout=120",  # Of a machine that does other things too.
            *sys.argv[1:],
        ]
        atheris.Setup(arguments, lambda data: check(data, Path(folder)), **options)
        in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (in_use + _MOST_MEMORY,) * 2)
        atheris.Fuzz()
