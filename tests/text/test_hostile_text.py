"""Long texts of one character are processed, in memory that grows as the text does.

The benchmark of the same name measures the time, as part of `make soak`.
"""

import ast
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import sktextcnn
from benchmarks.hostile_text import RUNS, WORK
from sktextcnn import TextVectorizer


@pytest.mark.parametrize("name", WORK)
def test_long_runs_of_every_kind_are_processed(name):
    for run in RUNS:
        WORK[name](run * (1_000 // len(run)))


def test_every_room_with_patterns_is_among_the_work():
    rooms = {
        path.name
        for path in Path(sktextcnn.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import) and any(name.name == "re" for name in node.names)
    }
    # That of a model file is for a number of six digits, that of labels for a number. Those of
    # vectors are the user's, or for short words and the first bytes of a file.
    # Those of gensim-data are for names, that of facts for values of parameters.
    # That of the scorer is for a path.
    of_names = {"catalogue.py", "places.py", "facts.py", "_scorer.py"}
    of_vectors = {"mismatch.py", "renaming.py", "other_files.py"}
    assert rooms - {"model_container.py", "labels.py", *of_names, *of_vectors} == {
        "analyzer.py",
        "explain.py",
        "normalization.py",
        "offsets.py",
        "page.py",
        "separation.py",
        "spellings.py",
        "delimited.py",
        "plain_lines.py",
        "text_file.py",
        "tokenizers.py",
        "datasets.py",
    }


@pytest.mark.parametrize(
    ("params", "run", "most"),
    [
        ({}, "a", 10),
        ({}, "!", 40),
        ({}, "\u0301", 40),
        ({}, "👍", 40),
        ({}, "कि", 60),
        ({}, "об'", 80),
        ({}, "👍\u200d", 60),
        ({}, "n't", 40),
        ({}, "a ", 40),
        ({}, "👍 ", 80),
        ({"strip_accents": "unicode"}, "\u0301\u0323", 40),
        ({"analyzer": "char"}, "👍", 120),
        ({"tokenizer": "wordpunct"}, "👍 ", 120),
    ],
    ids=str,
)
def test_memory_is_some_bytes_a_letter(params, run, most):
    n_letters = 100_000
    vectorizer = TextVectorizer(max_length=5, **params).fit(["a film"])
    text = run * (n_letters // len(run))
    tracemalloc.start()
    try:
        vectorizer.transform([text])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak / n_letters < most


def test_a_giant_token_is_a_word_like_others():
    giant = "x" * 3_000_000
    vectorizer = TextVectorizer().fit(["a film", giant, f"{giant} a"])
    X = vectorizer.transform([giant, f"a {giant}y", giant.upper()])
    assert vectorizer.inverse_transform(X) == [[giant], ["a", "<unk>"], [giant]]
    np.testing.assert_array_equal(X[0], X[2])


def test_a_giant_token_is_shown_by_its_beginning(tmp_path):
    giant = "x" * 1_000_000
    with pytest.raises(ValueError, match=r"vocabulary contains 'x+ twice\.$") as caught:
        TextVectorizer(vocabulary=[giant, giant]).fit(["a"])
    assert len(str(caught.value)) < 200
    path = tmp_path / "vectors.txt"
    path.write_text(f"a 1 2\n{giant[:9_999]} 1 2\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"None of the 1 words .*'xxx") as caught:
        TextVectorizer(embeddings=path).fit([giant])
    assert len(str(caught.value)) < 800
    with pytest.warns(UserWarning, match="set lowercase=True") as warned:
        TextVectorizer(embeddings=path, lowercase=False, random_state=0).fit(
            [giant[:9_999].upper() + " a"]
        )
    assert len(str(warned[0].message)) < 400
