"""What the documentation says is what the code does."""

import gzip
import re
from pathlib import Path

import gensim.downloader
import joblib
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def python_blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture(scope="module")
def vectors(docstrings):
    """The lines of a file with a vector for each word."""
    words = sorted({word for text in docstrings[0] for word in text.lower().split()})
    rows = np.random.default_rng(0).normal(size=(len(words), 20))
    lines = (
        f"{w} {' '.join(f'{x:.3f}' for x in row)}\n" for w, row in zip(words, rows, strict=True)
    )
    return "".join(lines)


@pytest.fixture
def texts_and_vectors(page, docstrings, vectors, tmp_path, monkeypatch):
    """Texts, labels and vectors, under the names that the pages have for them."""
    monkeypatch.chdir(tmp_path)
    # So few texts would be seen 300 times.
    most_epochs = 2 if page.name == "README.md" else 10
    monkeypatch.setattr("sktextcnn._classifier._MOST_EPOCHS", most_epochs)
    texts, libraries = docstrings
    # Collecting them takes long, and so does a search over networks for all of them.
    step = 5 if page.name == "tutorial.md" else 1
    collected = texts[::step], libraries[::step]
    monkeypatch.setattr("sktextcnn.datasets.load_docstrings", lambda: collected)
    Path("glove.6B.100d.txt").write_text(vectors, encoding="utf-8")
    monkeypatch.setattr(gensim.downloader, "BASE_DIR", str(tmp_path))
    downloaded = Path("glove-wiki-gigaword-100", "glove-wiki-gigaword-100.gz")
    downloaded.parent.mkdir()
    downloaded.write_bytes(gzip.compress(vectors.encode(), 1))
    if page.name == "README.md":
        return {}  # What it shows can be pasted.
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
