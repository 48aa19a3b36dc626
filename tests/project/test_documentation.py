"""What the documentation says is what the code does."""

import doctest
import importlib
import inspect
import re
from pathlib import Path

import joblib
import numpy as np
import pytest
from numpydoc.docscrape import ClassDoc

import sktextcnn
from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer
from sktextcnn.datasets import load_docstrings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = [
    "sktextcnn._classifier",
    "sktextcnn._inspection.displays",
    "sktextcnn._vectors.embeddings",
    "sktextcnn._inspection.explainer",
    "sktextcnn._inspection.neighbours",
    "sktextcnn._inspection.ngrams",
    "sktextcnn._files.model_file",
    "sktextcnn._files.onnx_export",
    "sktextcnn._token_ids",
    "sktextcnn._vectorizer",
    "sktextcnn.datasets",
]


def python_blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture
def texts_and_vectors(tmp_path, monkeypatch):
    """Texts, labels and a file of vectors, under the names that the README has for them."""
    monkeypatch.chdir(tmp_path)
    # So few texts would be seen 300 times.
    monkeypatch.setattr("sktextcnn._classifier._MOST_EPOCHS", 30)
    texts, libraries = load_docstrings()
    words = sorted({word for text in texts for word in text.lower().split()})
    vectors = np.random.default_rng(0).normal(size=(len(words), 20))
    lines = (
        f"{w} {' '.join(f'{x:.3f}' for x in row)}\n" for w, row in zip(words, vectors, strict=True)
    )
    Path("glove.6B.100d.txt").write_text("".join(lines), encoding="utf-8")
    return {"texts": texts[::30], "labels": libraries[::30]}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:jieba", "ignore::SyntaxWarning")
@pytest.mark.filterwarnings("ignore:pkg_resources")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_of_the_pages_runs_and_prints_what_they_say(page, texts_and_vectors, capsys):
    namespace = dict(texts_and_vectors, __name__="page")
    for block in python_blocks(page):
        # In threads, which know the number of epochs and the folder that processes would not.
        with joblib.parallel_config(backend="threading"):
            exec(compile(block, page.name, "exec"), namespace)
        said = [line[2:] for line in block.splitlines() if line.startswith("# ")]
        printed = capsys.readouterr().out.splitlines()
        if "print(" in block:
            assert printed == said


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_run(name):
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner()
    for public in vars(module).values():
        # By the file, as the module of some classes is the package's own name.
        if inspect.isroutine(public) or inspect.isclass(public):
            for example in doctest.DocTestFinder().find(public, public.__name__, module=module):
                if example.filename == module.__file__:
                    runner.run(example)
    assert runner.failures == 0
    assert runner.tries > 0


@pytest.mark.parametrize("estimator", [TextCNNClassifier, TextVectorizer])
def test_every_parameter_is_documented_in_order_with_its_real_default(estimator):
    documented = {
        name.strip(): parameter.type
        for parameter in ClassDoc(estimator)["Parameters"]
        for name in parameter.name.split(",")
    }
    signature = inspect.signature(estimator).parameters
    assert list(documented) == list(signature)
    for name, parameter in signature.items():
        default = re.search(r"default=(.*)$", documented[name])
        if name in ("min_df", "max_df"):
            values = dict(zip(("min_df", "max_df"), default[1].split(", "), strict=True))
            assert eval(values[name]) == parameter.default
        elif name != "token_pattern":
            assert default, name
            assert eval(default[1]) == parameter.default, name


def test_every_public_name_has_a_docstring():
    for name in sktextcnn.__all__:
        assert inspect.getdoc(getattr(sktextcnn, name))
    for public in (TextCNNClassifier, TextVectorizer, Embeddings):
        for name, member in inspect.getmembers(public, inspect.isfunction):
            if not name.startswith("_"):
                assert inspect.getdoc(member), name
