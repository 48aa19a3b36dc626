"""Small networks with random weights, and texts for them, that the tests of the networks share."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sktextcnn._network.modules import ACTIVATIONS, KimCNN

N_IDS, DIM = 12, 4

# Full and short texts, one empty, one of a single token, padding left, right and within.
TEXTS = np.array(
    [
        [2, 3, 4, 5, 6, 7, 8, 9],
        [5, 5, 5, 5, 5, 5, 5, 5],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [7, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 2, 11],
        [3, 1, 0, 0, 0, 0, 1, 9],
        [0, 4, 0, 6, 0, 0, 0, 0],
    ]
)


class TorchKim(nn.Module):
    """Kim's network of plain torch layers, with the names of KimCNN's parameters."""

    def __init__(self, num_filters, kernel_sizes, activation, num_outputs):
        super().__init__()
        self.embedding = nn.Embedding(N_IDS, DIM, padding_idx=0)
        self.convs = nn.ModuleList(
            nn.Conv1d(DIM, num_filters, size, padding=size - 1) for size in kernel_sizes
        )
        self.activation = ACTIVATIONS[activation]()
        self.head = nn.Sequential(
            nn.Identity(), nn.Linear(num_filters * len(kernel_sizes), num_outputs)
        )

    def forward(self, ids):
        vectors = self.embedding(ids).transpose(1, 2)
        pooled = []
        for conv in self.convs:
            (size,) = conv.kernel_size
            present = functional.pad((ids != 0).double(), (size - 1, size - 1))[:, None]
            touched = functional.max_pool1d(present, size, stride=1) > 0
            touched[:, :, 0] |= (ids == 0).all(dim=1)[:, None]
            pooled.append(conv(vectors).masked_fill(~touched, -torch.inf).amax(dim=2))
        return self.head(self.activation(torch.cat(pooled, dim=1)))


def randomized(network, seed=0):
    """The network in float64 with random weights, and zeros for padding."""
    generator = torch.Generator().manual_seed(seed)
    network = network.double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(generator=generator)
        network.embedding.weight[0] = 0
        if getattr(network.embedding, "static", None) is not None:
            network.embedding.static.normal_(generator=generator)[0] = 0
    return network


def kim(seed=0, **params):
    return randomized(
        KimCNN(N_IDS, DIM, 3, **{"num_filters": 5, "dropout": 0.0, **params}), seed=seed
    )


def random_ids(n_texts=9, n_tokens=10, seed=0):
    """Texts of all lengths from 0 on, padded on the right."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, N_IDS, (n_texts, n_tokens))
    lengths = np.linspace(0, n_tokens, n_texts).round().astype(int)
    return np.where(np.arange(n_tokens) < lengths[:, None], ids, 0)
