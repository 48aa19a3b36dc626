"""A search on Ray has the bits of one in this process."""

import re
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer

TEXTS = np.array(["a good film", "a bad film", "good and warm", "dull and bad"] * 5, dtype=object)
LABELS = np.array([1, 0, 1, 0] * 5)


@pytest.fixture
def backend(ray):
    from ray.util.joblib import register_ray

    register_ray()
    return "ray"


def search():
    model = make_pipeline(
        TextVectorizer(min_df=1, embeddings=None), TextCNNClassifier(max_epochs=2, random_state=0)
    )
    grid = {"textcnnclassifier__learning_rate": [1e-3, 1e-2]}
    return GridSearchCV(model, grid, cv=2, error_score="raise")


def test_a_grid_search_has_the_same_bits(backend):
    alone = search().fit(TEXTS, LABELS)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        spread = search().fit(TEXTS, LABELS)
    assert (spread.cv_results_["mean_test_score"] == alone.cv_results_["mean_test_score"]).all()
    assert (spread.predict_proba(TEXTS) == alone.predict_proba(TEXTS)).all()


def test_a_halving_search_has_the_same_bits(backend):
    grid = {"textcnnclassifier__learning_rate": [1e-3, 3e-3, 1e-2]}
    settings = {"random_state": 0, "cv": 2, "n_candidates": 3, "min_resources": 20}
    halving = HalvingRandomSearchCV(search().estimator, grid, **settings)
    texts, labels = np.tile(TEXTS, 3), np.tile(LABELS, 3)
    alone = clone(halving).fit(texts, labels)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        spread = halving.fit(texts, labels)
    assert spread.n_iterations_ > 1
    assert (spread.cv_results_["mean_test_score"] == alone.cv_results_["mean_test_score"]).all()
    assert (spread.predict_proba(TEXTS) == alone.predict_proba(TEXTS)).all()


def test_the_recipe_of_the_page_runs(backend):
    page = Path(__file__).parents[2] / "docs" / "search_on_clusters.md"
    (recipe,) = re.findall(
        r"^```{code-block} python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S
    )
    names = {"texts": TEXTS, "libraries": LABELS, "model": search().estimator}
    names |= {"grid": search().param_grid, "GridSearchCV": GridSearchCV}
    exec(compile(recipe, page.name, "exec"), names)
    assert names["on_ray"].best_params_
