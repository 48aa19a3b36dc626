"""What an import costs, and what the package offers by name."""

import importlib.metadata
import importlib.resources
import json
import pickle
import subprocess
import sys
import textwrap

import pytest

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
        "from sktextcnn import datasets; datasets.load_docstrings",
        "import sktextcnn.datasets",
    ],
    ids=["Embeddings", "TokenIds", "datasets", "submodule"],
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


def test_a_vectorizer_without_vectors_is_made_used_and_pickled_without_torch_and_gensim():
    loaded = loaded_after(
        """
        import pickle
        from sklearn.base import clone
        from sktextcnn import TextVectorizer
        vectorizer = clone(TextVectorizer(min_df=1, max_length=3))
        ids = vectorizer.fit_transform(["a gem", "a gem of a film"])
        vectorizer = pickle.loads(pickle.dumps(vectorizer))
        assert (vectorizer.transform(["a gem", "a gem of a film"]) == ids).all()
        assert (pickle.loads(pickle.dumps(ids)) == ids).all()
        assert vectorizer.inverse_transform(ids)[0] == ["a", "gem"]
        """
    )
    assert not {"torch", "skorch", "gensim", "matplotlib", "nltk"} & set(loaded)


def test_a_vectorizer_with_vectors_of_a_text_file_needs_neither_torch_nor_gensim(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text("a 1 2\ngem 3 4\n", encoding="utf-8")
    loaded = loaded_after(
        f"""
        import pickle
        from sktextcnn import TextVectorizer
        fitted = TextVectorizer(embeddings={str(path)!r}).fit(["a gem"])
        loaded = pickle.loads(pickle.dumps(fitted))
        assert loaded.embedding_matrix_[2:].tolist() == [[1, 2], [3, 4]]
        """
    )
    assert not {"torch", "skorch", "gensim", "matplotlib"} & set(loaded)


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
        "TextCNNClassifier",
        "TextVectorizer",
        "TokenIds",
        "TrainingHistoryDisplay",
        "datasets",
        "explain",
        "export_onnx",
        "load",
        "nearest_words",
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


def test_what_the_package_imports_is_what_the_distribution_requires():
    required = {
        line.split(";")[0].split(">")[0].split("=")[0].strip()
        for line in importlib.metadata.requires("sktextcnn")
        if "extra ==" not in line
    }
    assert required >= {"gensim", "joblib", "numpy", "scikit-learn", "scipy", "skorch", "torch"}
    assert not required & {"matplotlib", "pandas", "nltk", "tensorflow", "keras"}
