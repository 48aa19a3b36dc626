"""The corpus of docstrings: real, balanced, the same every time, and taken without imports."""

import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from collections import Counter

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from sktextcnn.datasets import load_docstrings


@pytest.fixture(scope="module")
def corpus(docstrings):
    return docstrings


@pytest.fixture(scope="module")
def in_another_process():
    """The corpus and the modules loaded by it, in a process that hashes otherwise."""
    code = (
        "import json, sys\n"
        "from sktextcnn.datasets import load_docstrings\n"
        "print(json.dumps([load_docstrings(), sorted(sys.modules)]))"
    )
    seed = "1" if os.environ.get("PYTHONHASHSEED") == "2" else "2"
    process = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(process.stdout)


def plain_summaries(library, modules):
    """Summaries of public objects that are one plain sentence, as Python itself gives them."""
    found = set()
    for module in map(importlib.import_module, modules):
        members = [member for _, member in inspect.getmembers(module)]
        for owner in filter(inspect.isclass, list(members)):
            members += [member for _, member in inspect.getmembers(owner, inspect.isfunction)]
        for member in members:
            of_library = str(getattr(member, "__module__", "")).startswith(library)
            if of_library and (inspect.isclass(member) or inspect.isroutine(member)):
                paragraph = (inspect.getdoc(member) or "").split("\n\n")[0]
                if re.fullmatch(r"[A-Z][a-z]+( [\w,()-]+){2,}\.", paragraph):
                    found.add(paragraph)
    return found


PUBLIC = {
    "gensim": ("gensim", ["gensim.utils", "gensim.matutils", "gensim.models.keyedvectors"]),
    "numpy": ("numpy", ["numpy", "numpy.ma", "numpy.linalg"]),
    "scikit-learn": ("sklearn", ["sklearn.svm", "sklearn.metrics", "sklearn.linear_model"]),
    "scipy": ("scipy", ["scipy.linalg", "scipy.spatial", "scipy.sparse"]),
}


def test_there_are_a_few_thousand_texts_of_at_least_four_libraries(corpus):
    texts, libraries = corpus
    assert isinstance(texts, list)
    assert isinstance(libraries, list)
    assert len(texts) == len(libraries)
    assert 2000 < len(texts) < 10_000
    assert len(set(libraries)) >= 4
    assert all(type(library) is str for library in libraries)


def test_the_largest_class_is_at_most_twice_the_smallest(corpus):
    sizes = Counter(corpus[1]).values()
    assert max(sizes) <= 2 * min(sizes)


def test_texts_are_lines_of_at_least_three_words_without_blanks_around(corpus):
    for text in corpus[0]:
        assert type(text) is str
        assert text == text.strip()
        assert "\n" not in text
        assert len(text.split()) >= 3


def test_no_text_comes_twice(corpus):
    assert len(set(corpus[0])) == len(corpus[0])


@pytest.mark.soak
def test_two_calls_are_equal_and_share_no_list(corpus):
    again = load_docstrings()
    assert again == corpus
    assert again[0] is not corpus[0]


def test_another_process_has_the_same_texts_in_the_same_order(corpus, in_another_process):
    assert tuple(in_another_process[0]) == corpus


@pytest.mark.parametrize("library", ["torch", "gensim", "numpy", "scipy", "sklearn"])
def test_no_library_that_is_read_is_imported(library, in_another_process):
    assert library not in in_another_process[1]


@pytest.mark.parametrize("library", PUBLIC)
def test_texts_are_the_summaries_that_the_library_has(library, corpus):
    library_of = dict(zip(*corpus, strict=True))
    summaries = plain_summaries(*PUBLIC[library])
    assert sum(library_of.get(summary) == library for summary in summaries) >= 20


def test_no_text_is_a_list_of_parameters(corpus):
    assert [text for text in corpus[0] if re.search("---|===", text)] == []


@pytest.mark.parametrize("markup", ["`", "**", ":class:", ":func:", ":meth:", ":mod:"])
def test_texts_hold_no_markup(markup, corpus):
    assert [text for text in corpus[0] if markup in text] == []


def test_the_libraries_can_be_told_apart_by_their_words(corpus):
    texts, libraries = corpus
    model = make_pipeline(TfidfVectorizer(), SGDClassifier(random_state=0))
    scores = cross_val_score(model, texts, libraries, cv=3)
    assert scores.mean() > 0.6
