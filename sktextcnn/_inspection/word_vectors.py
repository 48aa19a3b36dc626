"""The word vectors of a fitted network."""

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from sktextcnn._network import WordEmbedding


def word_vectors(network: nn.Module, ids: np.ndarray) -> Tensor:
    """Return the vectors of ids, summed over the channels, on the CPU; (..., D)."""
    embedding = cast(nn.Embedding, network.embedding)
    places = torch.from_numpy(np.asarray(ids, dtype=np.int64)).to(embedding.weight.device)
    vectors = embedding.vectors if isinstance(embedding, WordEmbedding) else embedding
    with torch.no_grad():
        return vectors(places).cpu()
