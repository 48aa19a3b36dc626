"""Imports run one way: from the top of the house to its bottom."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sktextcnn

HOUSE = Path(sktextcnn.__file__).parent

# Each room may use those above it in this list, through what their `__init__` names.
ROOMS = [
    "_version",
    "datasets",
    "_compat",
    "_blas",
    "_baseline",
    "_progress",
    "_token_ids",
    "_state",
    "_text",
    "_gensim_data",
    "_vectors",
    "_coverage",
    "_network",
    "_data_parallel",
    "_wide",
    "_training",
    "_vectorizer",
    "_classifier",
    "_pipeline",
    "_fit_chunks",
    "_files",
    "_scoring",
    "_scorer",
    "_inspection",
    "_report",
    "_cli",
    "__init__",
    "__main__",
]


def module_name(path):
    parts = path.relative_to(HOUSE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


FILES = {module_name(path): path for path in HOUSE.rglob("*.py")}


def imports(path):
    """The modules of this package that a file imports, in functions and for typing too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            if node.module == "sktextcnn":
                yield from (f"sktextcnn.{name.name}" for name in node.names)
            elif node.module.startswith("sktextcnn."):
                submodules = [f"{node.module}.{name.name}" for name in node.names]
                known = [name for name in submodules if name in FILES]
                yield from known or [node.module]
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("sktextcnn"))


def room(module):
    return module.split(".")[1]


def test_every_room_has_its_place():
    assert sorted({room(module) for module in FILES}) == sorted(ROOMS)


@pytest.mark.parametrize("module", sorted(FILES))
def test_a_module_imports_from_rooms_before_its_own_and_through_their_doors(module):
    for imported in imports(FILES[module]):
        assert imported in FILES, f"{module} imports {imported}, which is not a module of a room"
        if room(imported) != room(module):
            assert ROOMS.index(room(imported)) < ROOMS.index(room(module)), imported
            # Each library's module there is imported as it is.
            through_door = imported.count(".") == 1 or room(imported) == "_compat"
            assert through_door, f"{module} reaches into a room: {imported}"


def test_no_modules_import_each_other():
    graph = {
        module: set(imports(path)) - {module}
        for module, path in FILES.items()
        # The door of a room imports its modules, which import each other by their own names.
        if path.name != "__init__.py"
    }
    order = list(TopologicalSorter(graph).static_order())
    assert set(graph) <= set(order)
