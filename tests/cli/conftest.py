"""A trained model, and a folder with the files that the examples of --help name."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer
from tests.cli.commands import BAD, GOOD, SMALL


@pytest.fixture(scope="session")
def model():
    labels = ["positive"] * 20 + ["negative"] * 20
    return make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL)).fit(
        GOOD * 5 + BAD * 5, labels
    )


@pytest.fixture
def folder(tmp_path, monkeypatch, model):
    """The working directory, with a model and the files that the examples name."""
    monkeypatch.chdir(tmp_path)
    sktextcnn.save(model, "model.sktextcnn")
    rows = [("positive", text) for text in GOOD * 3] + [("negative", text) for text in BAD * 3]
    table = pd.DataFrame(rows, columns=["sentiment", "review"])
    table.insert(0, "id", range(100, 100 + len(rows)))
    table.to_csv("reviews.csv", index=False)
    table[::5].to_csv("test.csv", index=False)
    table[["id", "review"]][::4].to_csv("new.csv", index=False)
    numbered = table.assign(id=table["id"] % 2, sentiment="A title")
    numbered.to_csv("rows.csv", index=False, header=False)
    table.assign(tags=["film;good", "film"] * (len(table) // 2)).to_csv("tags.csv", index=False)
    words = sorted({word for text in GOOD + BAD for word in re.findall(r"\w+", text)})
    vectors = np.random.default_rng(0).normal(size=(len(words), 8))
    lines = [f"{w} {' '.join(map(str, row))}\n" for w, row in zip(words, vectors, strict=True)]
    Path("glove.txt").write_text("".join(lines), encoding="utf-8")
    return tmp_path
