"""The ranges of the dependencies, and the files that pin their two ends."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
# Tools that check, describe and pack the code but do not run it, and engines that run it in an
# environment of the newest versions. Only constraints.txt pins them.
TOOLS = ("dist", "docs", "engines", "fuzz", "lint")


def requirements(*groups):
    named = [Requirement(line) for lines in groups for line in lines]
    return [requirement for requirement in named if requirement.name != PROJECT["name"]]


RUN = requirements(
    PROJECT["dependencies"], *(lines for extra, lines in EXTRAS.items() if extra not in TOOLS)
)
ALL = RUN + requirements(*(EXTRAS[extra] for extra in TOOLS))


def pins(file):
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    named = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): Version(version) for name, version in named}


def lower_bound(requirement):
    bounds = [part.version for part in requirement.specifier if part.operator == ">="]
    assert len(bounds) == 1, f"{requirement} needs one lower bound"
    return Version(bounds[0])


def test_the_oldest_versions_are_the_lower_bounds():
    oldest, newest = pins("constraints-oldest.txt"), pins("constraints.txt")
    bounds = {(canonicalize_name(each.name), lower_bound(each)) for each in RUN}
    names = {name for name, _ in bounds}
    assert bounds == {(name, version) for name, version in oldest.items() if name in names}
    # The rest is pinned since those need it older than it is in the other environment.
    assert all(version < newest[name] for name, version in oldest.items() if name not in names)


@pytest.mark.parametrize("requirement", ALL, ids=str)
def test_the_newest_version_is_pinned_and_in_range(requirement):
    assert pins("constraints.txt")[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_test_extra_brings_every_extra_but_the_tools():
    brought = {
        extra
        for requirement in map(Requirement, EXTRAS["test"])
        if requirement.name == PROJECT["name"]
        for extra in requirement.extras
    }
    assert brought == set(EXTRAS) - {"test", *TOOLS}
