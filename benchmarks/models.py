"""Models that several benchmarks fit."""

from typing import Any

import torch
from sklearn.pipeline import Pipeline, make_pipeline

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer


class DenseAdam(torch.optim.Adam):
    """torch's Adam, which updates all rows, in its fastest implementation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, fused=True, **kwargs)


# Kim's network, without a linear model beside it.
NETWORK_ALONE: dict[str, Any] = {"wide": False, "pool_size": None}


def kim_cnn(vectors: Embeddings | None, seed: int, **params: Any) -> Pipeline:
    """Return the Pipeline of the network alone."""
    return text_cnn(vectors, seed, **NETWORK_ALONE, **params)


def text_cnn(vectors: Embeddings | None, seed: int, **params: Any) -> Pipeline:
    """Return the Pipeline with given vectors and parameters of the classifier."""
    return make_pipeline(
        TextVectorizer(embeddings=vectors, random_state=seed),
        TextCNNClassifier(random_state=seed, **params),
    )
