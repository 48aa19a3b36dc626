"""Check what `make dist` has built: names, versions, metadata and files of wheel and sdist.

python tests/distribution/check_contents.py dist
"""

import sys
import tarfile
import tomllib
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
# What the sdist needs for building, testing and documenting, beside the sources.
NEEDED = [
    "LICENSE",
    "Makefile",
    "README.md",
    "benchmarks/measured.json",
    "constraints-oldest.txt",
    "constraints.txt",
    "docs/conf.py",
    "examples/classify_docstrings.py",
    "fuzz/harness.py",
    "pyproject.toml",
    "tests/conftest.py",
    "tests/files/version_0_1_0/kim.sktextcnn",
    "tests/vectors/findings/header-of-many-digits",
]


def version() -> str:
    """Return the version that the source says, without an import."""
    namespace: dict[str, str] = {}
    exec((ROOT / "sktextcnn" / "_version.py").read_text(encoding="utf-8"), namespace)
    return namespace["__version__"]


def check(condition: object, message: str) -> None:
    """Exit with a message unless a condition holds."""
    if not condition:
        sys.exit(message)


def check_metadata(metadata: Message, file: Path) -> None:
    """Compare the metadata with pyproject.toml and the version of the source."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    expected = {
        "Name": project["name"],
        "Version": version(),
        "Summary": project["description"],
        "License-Expression": project["license"],
        "Requires-Python": project["requires-python"],
        "Description-Content-Type": "text/markdown",
    }
    for name, value in expected.items():
        check(metadata[name] == value, f"{file.name}: {name} is {metadata[name]}, not {value}")
    check(metadata.get_all("License-File") == ["LICENSE"], f"{file.name}: no License-File")
    found = set(metadata.get_all("Provides-Extra"))
    check(found == set(project["optional-dependencies"]), f"{file.name} has the extras {found}")


def check_wheel(path: Path) -> None:
    """Check that the wheel holds the whole package, its licence and nothing else."""
    info = f"sktextcnn-{version()}.dist-info"
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        check_metadata(message_from_string(wheel.read(f"{info}/METADATA").decode()), path)
        entry_points = wheel.read(f"{info}/entry_points.txt").decode()
    check("sktextcnn = sktextcnn._cli:main" in entry_points, f"{path.name} has no command")
    sources = {*(ROOT / "sktextcnn").rglob("*.py"), ROOT / "sktextcnn" / "py.typed"}
    package = {source.relative_to(ROOT).as_posix() for source in sources}
    metadata = {f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")}
    expected = package | metadata | {f"{info}/licenses/LICENSE"}
    check(names == expected, f"{path.name}: missing or unexpected: {sorted(names ^ expected)}")


def check_sdist(path: Path) -> None:
    """Check that the sdist holds the sources, the tests, and nothing that was built."""
    with tarfile.open(path) as archive:
        names = {
            PurePosixPath(name).relative_to(f"sktextcnn-{version()}").as_posix()
            for name in archive.getnames()
        }
        file = archive.extractfile(f"sktextcnn-{version()}/PKG-INFO")
        check(file, f"{path.name} has no PKG-INFO")
        check_metadata(message_from_string(file.read().decode()), path)
    kept = [source for folder in ("sktextcnn", "tests") for source in (ROOT / folder).rglob("*.py")]
    needed = {*NEEDED, *(source.relative_to(ROOT).as_posix() for source in kept)}
    check(needed <= names, f"{path.name} lacks {sorted(needed - names)}")
    outputs = {"__pycache__", "_build", "api", "auto_examples"}
    built = [name for name in names if outputs & {*PurePosixPath(name).parts}]
    check(not built, f"{path.name} holds what was built: {built}")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    wheel, sdist = f"sktextcnn-{version()}-py3-none-any.whl", f"sktextcnn-{version()}.tar.gz"
    found = {path.name for path in folder.iterdir()}
    check(found == {wheel, sdist}, f"{folder} holds {sorted(found)}, not {wheel} and {sdist}")
    check_wheel(folder / wheel)
    check_sdist(folder / sdist)
    print(f"{wheel} and {sdist} hold what they should")
