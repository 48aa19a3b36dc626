"""The recipes of the pages for Spark and Ray run, after those before them that need neither."""

import re
from pathlib import Path

import joblib
import pytest

PAGES = Path(__file__).parents[2] / "docs"
BLOCKS = re.compile(r"^```python(?: (\w+))?\n(.*?)^```", re.M | re.S)
RECIPES = [
    (page, engine)
    for page in sorted(PAGES.glob("*.md"))
    for engine in sorted({name for name, _ in BLOCKS.findall(page.read_text("utf-8")) if name})
]


@pytest.mark.parametrize(
    ("page", "engine"), RECIPES, ids=lambda value: getattr(value, "name", value)
)
def test_a_recipe_runs(page, engine, corpus, request, folder, monkeypatch):
    blocks = BLOCKS.findall(page.read_text("utf-8"))
    last = max(number for number, (name, _) in enumerate(blocks) if name == engine)
    monkeypatch.chdir(folder)
    texts, labels = corpus
    namespace = {"texts": texts, "labels": labels, engine: request.getfixturevalue(engine)}
    for name, code in blocks[: last + 1]:
        if name in ("", engine):
            with joblib.parallel_config(backend="threading"):
                exec(compile(code, page.name, "exec"), namespace)
