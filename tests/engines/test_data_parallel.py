"""The recipes of docs/data_parallel.md for Ray Train and Spark, in two and three processes."""

import re
import types
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import sktextcnn

PAGE = Path(__file__).parents[2] / "docs" / "data_parallel.md"


@pytest.fixture
def texts(tmp_path):
    rows = [("a warm and witty film", "good"), ("a dull and dead film", "bad")] * 30
    lines = [f"{text} {i},{label}" for i, (text, label) in enumerate(rows)]
    path = tmp_path / "reviews.csv"
    path.write_text("\n".join(["text,label", *lines]), encoding="utf-8")
    return path


def recipe(name):
    """The functions of a block of the page, without a module that workers would look for."""
    page = PAGE.read_text(encoding="utf-8")
    code = re.search(rf"^:caption: {name}\n\n(.*?)^```", page, re.M | re.S)[1]
    module = types.ModuleType("__main__")
    exec(compile(code, name, "exec"), module.__dict__)
    return module.start


def check(path, texts):
    model = sktextcnn.load(path)
    X, y = zip(*(line.split(",") for line in texts.read_text().splitlines()[1:]), strict=True)
    assert model.score(list(X), np.array(y)) > 0.9
    alone = clone(model).fit(list(X), np.array(y))
    found = model.predict_proba(list(X))
    np.testing.assert_allclose(found, alone.predict_proba(list(X)), atol=0.02)


@pytest.mark.parametrize("n_processes", [2, 3])
def test_the_recipe_for_ray_train(ray, n_processes, texts, tmp_path):
    recipe("with_ray.py")(str(texts), str(tmp_path / "ray.sktextcnn"), n_processes)
    check(tmp_path / "ray.sktextcnn", texts)


@pytest.mark.parametrize("n_processes", [2, 3])
def test_the_recipe_for_spark(spark, n_processes, texts, tmp_path):
    recipe("with_spark.py")(str(texts), str(tmp_path / "spark.sktextcnn"), n_processes)
    check(tmp_path / "spark.sktextcnn", texts)
