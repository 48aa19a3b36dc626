"""What the documentation says is what the code does."""

import gzip
import importlib.util
import re
import shlex
from pathlib import Path

import gensim.downloader
import joblib
import numpy as np
import pytest

import sktextcnn
from sktextcnn._cli import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


# Pages run with every tenth text of the corpus, but for those that need more: the README prints
# what is learned, others take parts. The tutorial trains vectors again and again.
STEPS = {
    "README.md": 1,
    "fine_tuning.md": 1,
    "from_keras.md": 2,
    "searching.md": 2,
    "tutorial.md": 20,
}


def python_blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture(scope="module")
def make_tickets():
    """The script that invents the tickets of the tutorial."""
    path = ROOT / "examples" / "make_tickets.py"
    spec = importlib.util.spec_from_file_location("make_tickets", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
def texts_and_vectors(page, docstrings, vectors, make_tickets, tmp_path, monkeypatch, request):
    """Texts, labels and vectors, under the names that the pages have for them."""
    monkeypatch.chdir(tmp_path)
    if page.name == "search_on_clusters.md":
        # One cluster for all tests.
        client = request.getfixturevalue("dask_client")
        monkeypatch.setattr("distributed.Client", lambda **_: client)
    # So few texts would be seen 300 times.
    most_epochs = 2 if page.name == "README.md" else 4
    monkeypatch.setattr("sktextcnn._classifier._MOST_EPOCHS", most_epochs)
    texts, libraries = docstrings
    # Collecting them takes long, and so do trainings on all of them.
    step = STEPS.get(page.name, 10)
    collected = texts[::step], libraries[::step]
    monkeypatch.setattr("sktextcnn.datasets.load_docstrings", lambda: collected)
    Path("glove.6B.100d.txt").write_text(vectors, encoding="utf-8")
    make_tickets.write("tickets.csv", n=40, seed=0)
    monkeypatch.setattr(gensim.downloader, "BASE_DIR", str(tmp_path))
    downloaded = Path("glove-wiki-gigaword-100", "glove-wiki-gigaword-100.gz")
    downloaded.parent.mkdir()
    downloaded.write_bytes(gzip.compress(vectors.encode(), 1))
    if page.name == "README.md":
        return {}  # What it shows can be pasted.
    return {"texts": texts[::30], "labels": libraries[::30]}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:jieba", "ignore::SyntaxWarning")
@pytest.mark.filterwarnings("ignore:pkg_resources")
@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # Of Dask.
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


def test_the_commands_of_the_tutorial_run(make_tickets, tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs" / "tickets.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sktextcnn._classifier._MOST_EPOCHS", 2)
    make_tickets.write("tickets.csv", n=60, seed=0)
    make_tickets.write("later.csv", n=10, seed=1)
    Path("new.csv").write_text(re.search(r"^```text\n(message\n.*?)^```", page, re.M | re.S)[1])
    blocks = re.findall(r"^```console\n(.*?)^```", page, re.M | re.S)
    commands = [shlex.split(block.replace("\\\n", "")) for block in blocks]
    assert {command[2] for command in commands} >= {
        "train",
        "evaluate",
        "report",
        "info",
        "explain",
        "predict",
    }
    for prompt, program, *arguments in commands:
        assert [prompt, program] == ["$", "sktextcnn"]
        assert main(arguments) == 0, capsys.readouterr().err
    assert Path("labelled.csv").read_text(encoding="utf-8").count("\n") == 4
    assert Path("explained.html").read_text(encoding="utf-8")


def test_the_tickets_are_those_of_the_script(make_tickets, tmp_path):
    make_tickets.write(tmp_path / "tickets.csv")
    written = (tmp_path / "tickets.csv").read_bytes()
    assert written == (ROOT / "examples" / "tickets.csv").read_bytes()


# Each block of a page, from its opening fence to its closing one. Directives have a brace.
FENCES = re.compile(r"^```(\S*).*\n((?:(?!```).*\n)*)```$", re.M)
SCRIPTS = sorted((ROOT / "examples").glob("plot_*.py"))
DOCSTRINGS = sorted(Path(sktextcnn.__file__).parent.rglob("*.py"))


def shown_lines(path):
    """The lines of code that the documentation shows of a file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        blocks = [block for kind, block in FENCES.findall(text) if not kind.startswith("{")]
        return [line for block in blocks for line in block.splitlines()]
    lines = text.splitlines()
    if path in SCRIPTS:
        return lines
    return [line.strip() for line in lines if re.match(r" *(>>>|\.\.\.) ", line)]


@pytest.mark.parametrize("path", [*PAGES, *SCRIPTS, *DOCSTRINGS], ids=lambda path: path.name)
def test_code_that_is_shown_has_at_most_79_columns(path):
    assert [line for line in shown_lines(path) if len(line) > 79] == []


def test_lines_that_are_shown_are_found():
    lines = shown_lines(ROOT / "docs" / "tickets.md")
    assert 'with open("tickets.csv", encoding="utf-8", newline="") as file:' in lines
    assert ">>> vectorizer = TextVectorizer()" in shown_lines(
        Path(sktextcnn.__file__).parent / "_vectorizer.py"
    )


def test_the_tables_of_the_api_have_each_public_name():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^   (~?[\w.]+)$", page, re.M)
    public = {name.partition(".")[0] for name in listed if not name.startswith("~")}
    assert public == set(sktextcnn.__all__)


IMAGES = {
    "Markdown": r"!\[([^\]]*)\]\(",
    "cards": r":img-top: .*\n(?::img-alt: (.*))?",
    "plots": r"\.\. plot:: .*\n(?:   :alt: (.*))?",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pictures_have_alternative_texts(page):
    text = page.read_text(encoding="utf-8")
    assert all(alt.strip() for pattern in IMAGES.values() for alt in re.findall(pattern, text))
