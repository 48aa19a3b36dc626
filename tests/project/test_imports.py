"""What an import costs, and what the package offers by name."""

import ast
import importlib.metadata
import importlib.resources
import json
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import sktextcnn

HEAVY = ["torch", "gensim", "matplotlib", "skorch", "sklearn", "scipy", "nltk", "tqdm"]


def loaded_after(code):
    """Those of the heavy modules that the code loads, in a process of its own."""
    report = f"import json, sys\nprint(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code) + "\n" + report],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def test_the_import_loads_nothing_heavy():
    assert loaded_after("import sktextcnn; dir(sktextcnn); sktextcnn.__version__") == []


@pytest.mark.parametrize(
    "code",
    [
        "from sktextcnn import Embeddings; Embeddings('glove-wiki-gigaword-100')",
        "from sktextcnn import TokenIds",
        "from sktextcnn import Scorer; Scorer('model.sktextcnn', text='review')",
        "from sktextcnn import datasets; datasets.load_docstrings",
        "import sktextcnn.datasets",
    ],
    ids=["Embeddings", "TokenIds", "Scorer", "datasets", "submodule"],
)
def test_names_that_need_nothing_heavy_load_nothing_heavy(code):
    assert loaded_after(code) == []


def test_the_classifier_needs_no_gensim_and_no_matplotlib():
    # torch itself warns here and there on import, which is not this package's to answer for.
    loaded = loaded_after(
        "import warnings; warnings.simplefilter('ignore')\n"
        "from sktextcnn import TextCNNClassifier; TextCNNClassifier()"
    )
    assert {"torch", "skorch"} <= set(loaded)
    assert not {"gensim", "matplotlib", "nltk"} & set(loaded)


def test_a_vectorizer_is_made_used_and_pickled_without_torch_and_gensim(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text("a 1 2\ngem 3 4\n", encoding="utf-8")
    loaded = loaded_after(
        f"""
        import pickle
        from sklearn.base import clone
        from sktextcnn import TextVectorizer
        vectorizer = clone(TextVectorizer(min_df=1, max_length=3))
        ids = vectorizer.fit_transform(["a gem", "a gem of a film"])
        vectorizer = pickle.loads(pickle.dumps(vectorizer))
        assert (vectorizer.transform(["a gem", "a gem of a film"]) == ids).all()
        assert (pickle.loads(pickle.dumps(ids)) == ids).all()
        assert vectorizer.inverse_transform(ids)[0] == ["a", "gem"]
        # With vectors of a text file, too.
        fitted = TextVectorizer(embeddings={str(path)!r}).fit(["a gem"])
        loaded = pickle.loads(pickle.dumps(fitted))
        assert loaded.embedding_matrix_[2:].tolist() == [[1, 2], [3, 4]]
        """
    )
    assert not {"torch", "skorch", "gensim", "matplotlib", "nltk"} & set(loaded)


def test_a_pickled_vectorizer_loads_in_a_process_that_imported_nothing(tmp_path):
    path = tmp_path / "vectorizer.pickle"
    path.write_bytes(pickle.dumps(sktextcnn.TextVectorizer().fit(["a gem"])))
    loaded = loaded_after(
        f"""
        import pickle
        with open({str(path)!r}, "rb") as file:
            fitted = pickle.load(file)
        assert fitted.transform(["gem"]).tolist() == [[3, 0]]
        """
    )
    assert not {"torch", "skorch", "gensim", "matplotlib", "nltk"} & set(loaded)


# Names --------------------------------------------------------------------------------


def test_the_public_names_are_those_of_the_contract():
    assert sktextcnn.__all__ == [
        "Embeddings",
        "Explanation",
        "ExplanationDisplay",
        "LearnedNGramsDisplay",
        "Scorer",
        "TextCNNClassifier",
        "TextVectorizer",
        "TokenIds",
        "TrainingHistoryDisplay",
        "data_parallel",
        "datasets",
        "explain",
        "export_onnx",
        "fit_chunks",
        "load",
        "nearest_words",
        "report",
        "save",
        "top_filters",
        "top_ngrams",
    ]


@pytest.mark.parametrize("name", sktextcnn.__all__)
def test_every_public_name_is_there_and_listed(name):
    assert name in dir(sktextcnn)
    member = getattr(sktextcnn, name)
    assert member.__name__.rpartition(".")[2] == name
    namespace = {}
    exec(f"from sktextcnn import {name}", namespace)
    assert namespace[name] is member


def test_the_star_import_gives_the_public_names():
    namespace = {}
    exec("from sktextcnn import *", namespace)
    assert set(sktextcnn.__all__) <= set(namespace)
    assert not [name for name in namespace if name.startswith("_") and name != "__builtins__"]


@pytest.mark.parametrize("name", ["TextCnnClassifier", "vectorizer", "_nothing", "__wrapped__"])
def test_an_unknown_name_is_an_attribute_error_that_names_it(name):
    with pytest.raises(AttributeError, match=f"module 'sktextcnn' has no attribute '{name}'"):
        getattr(sktextcnn, name)
    with pytest.raises(ImportError, match=f"cannot import name '{name}' from 'sktextcnn'"):
        exec(f"from sktextcnn import {name}")


def test_dir_is_sorted_and_holds_no_name_twice():
    importlib.import_module("sktextcnn.datasets")
    names = dir(sktextcnn)
    assert names == sorted(set(names))


# The distribution ---------------------------------------------------------------------


def test_the_version_is_that_of_the_distribution():
    assert sktextcnn.__version__ == importlib.metadata.version("sktextcnn")


def test_type_hints_are_shipped():
    assert importlib.resources.files("sktextcnn").joinpath("py.typed").is_file()


def imported_by(path):
    """The distributions that a file imports: at the top, and within functions."""
    at_top, in_functions = set(), set()

    def visit(node, names):
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if function or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            names = in_functions
        if isinstance(node, ast.Import):
            names.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
        for child in ast.iter_child_nodes(node):
            visit(child, names)

    visit(ast.parse(path.read_text(encoding="utf-8")), at_top)
    return distributions(at_top), distributions(in_functions)


# Reading the metadata of all packages takes a while.
INSTALLED = importlib.metadata.packages_distributions()


def distributions(modules):
    names = {module.partition(".")[0] for module in modules}
    # `compression` is of Python's library from 3.14 on.
    names -= {*sys.stdlib_module_names, "compression", "sktextcnn"}
    return {canonicalize_name(name) for module in names for name in INSTALLED[module]}


PACKAGE = Path(sktextcnn.__file__).parent
IMPORTED = {path.relative_to(PACKAGE): imported_by(path) for path in PACKAGE.rglob("*.py")}
# Modules that are imported within functions only, and after the extra is found to be there.
OF_EXTRAS = {Path("_files/onnx_graphs.py"): {"onnx"}}
REQUIRED = [Requirement(line) for line in importlib.metadata.requires("sktextcnn")]
DEPENDENCIES = {canonicalize_name(each.name) for each in REQUIRED if each.marker is None}
# What the tools and the tests need, the package does not import.
FOR_USERS = ("explain", "nltk", "onnx", "parquet", "plot", "stop-words", "zstd")
EXTRAS = {
    canonicalize_name(each.name)
    for each in REQUIRED
    if each.marker and any(each.marker.evaluate({"extra": extra}) for extra in FOR_USERS)
}


@pytest.mark.parametrize("path", IMPORTED, ids=str)
def test_a_module_imports_dependencies_and_in_functions_extras_too(path):
    at_top, in_functions = IMPORTED[path]
    assert at_top - OF_EXTRAS.get(path, set()) <= DEPENDENCIES
    assert in_functions <= DEPENDENCIES | EXTRAS


def test_every_dependency_and_extra_of_users_is_imported():
    imported = {name for pair in IMPORTED.values() for names in pair for name in names}
    assert imported == DEPENDENCIES | EXTRAS


@pytest.mark.parametrize("path", OF_EXTRAS, ids=str)
def test_a_module_that_needs_an_extra_is_imported_within_functions_only(path):
    name = ".".join(["sktextcnn", *path.with_suffix("").parts])
    importing = []
    for other in PACKAGE.rglob("*.py"):
        tree = ast.parse(other.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                imported = {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
                importing += [node not in tree.body] * (name in imported)
    assert importing
    assert all(importing)
