"""A training loop in plain torch, with texts padded to one length or batched by length."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from corpora import Task
from settings import BATCH_SIZE, DROPOUT, KERNEL_SIZES, LEARNING_RATE, NUM_FILTERS, SEED, THREADS
from torch import Tensor, nn
from torch.nn import functional

from peers._texts import seconds_of_all, split

_BATCHES_SORTED = 50
_BATCH_OF_PREDICTION = 512

Batches = Callable[[Tensor], list[Tensor]]


class TextCNN(nn.Module):
    """The network of Kim (2014) in layers of torch.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, D)
        The starting word vectors.
    tuned : bool
        Whether they are trained.
    sparse : bool, default=False
        Whether their gradient is sparse.
    """

    def __init__(self, vectors: np.ndarray, tuned: bool, sparse: bool = False) -> None:
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(
            torch.tensor(vectors), freeze=not tuned, padding_idx=0, sparse=sparse
        )
        self.convs = nn.ModuleList(
            nn.Conv1d(vectors.shape[1], NUM_FILTERS, size) for size in KERNEL_SIZES
        )
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(NUM_FILTERS * len(KERNEL_SIZES), 2)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits; (B, 2)."""
        vectors = self.embedding(ids).transpose(1, 2)  # (B, D, T)
        pooled = [conv(vectors).relu().amax(dim=2) for conv in self.convs]
        return self.output(self.dropout(torch.cat(pooled, dim=1)))


def padded(ids: Tensor) -> list[Tensor]:
    """Return the rows of each batch, in a random order."""
    return list(torch.randperm(len(ids), device=ids.device).split(BATCH_SIZE))


def bucketed(ids: Tensor) -> list[Tensor]:
    """Return the rows of each batch of texts of similar length, in a random order."""
    lengths = (ids != 0).sum(dim=1)
    order = torch.randperm(len(ids), device=ids.device)
    pools = order.split(BATCH_SIZE * _BATCHES_SORTED)
    batches = [batch for pool in pools for batch in pool[lengths[pool].argsort()].split(BATCH_SIZE)]
    return [batches[i] for i in torch.randperm(len(batches))]


def trimmed(ids: Tensor) -> Tensor:
    """Remove columns that are padding in all texts, but keep a window of the widest kernel."""
    longest = int((ids != 0).sum(dim=1).max())
    return ids[:, : max(longest, *KERNEL_SIZES)]


def training(task: Task) -> Iterator[float | None]:
    """Train with padded texts and torch's default Adam."""
    ids, y, net = _prepared(task)
    optimizers = [torch.optim.Adam(_trained(net.parameters()), lr=LEARNING_RATE)]
    yield None
    yield from _epochs(net, optimizers, ids, y, padded, trim=False)


def training_bucketed(task: Task) -> Iterator[float | None]:
    """Train with trimmed batches by length and fused Adam."""
    ids, y, net = _prepared(task)
    optimizers = [torch.optim.Adam(_trained(net.parameters()), lr=LEARNING_RATE, fused=True)]
    yield None
    yield from _epochs(net, optimizers, ids, y, bucketed, trim=True)


def training_sparse(task: Task) -> Iterator[float | None]:
    """Train with trimmed batches by length and SparseAdam for the word vectors."""
    ids, y, net = _prepared(task, sparse=True)
    others = [p for name, p in net.named_parameters() if not name.startswith("embedding")]
    optimizers = [torch.optim.Adam(others, lr=LEARNING_RATE, fused=True)]
    if task.tuned:
        optimizers.append(torch.optim.SparseAdam(net.embedding.parameters(), lr=LEARNING_RATE))
    yield None
    yield from _epochs(net, optimizers, ids, y, bucketed, trim=True)


def labelling(task: Task) -> Iterator[float | None]:
    """Predict the ids of our vectorizer in trimmed batches by length."""
    train, labels, _ = split(task)
    vectorizer = task.vectorizer(train)
    torch.set_num_threads(THREADS)
    torch.manual_seed(SEED)
    net = TextCNN(vectorizer.embedding_matrix_, tuned=True).eval()
    classes = np.unique(labels)

    @torch.inference_mode()
    def label(texts: list[str]) -> np.ndarray:
        ids = torch.from_numpy(np.asarray(vectorizer.transform(texts)))
        order = (ids != 0).sum(dim=1).argsort()
        chosen = torch.empty(len(ids), dtype=torch.long)
        for rows in order.split(_BATCH_OF_PREDICTION):
            chosen[rows] = net(trimmed(ids[rows])).argmax(dim=1)
        return classes[chosen.numpy()]

    yield None
    yield from seconds_of_all(label, task.texts()[0])


def words_of_batches(task: Task) -> Iterator[list[int] | None]:
    """Yield the number of distinct words in each batch of an epoch."""
    ids, _, _ = _prepared(task)
    yield None
    while True:
        yield [len(ids[rows].unique()) for rows in bucketed(ids)]


def _prepared(task: Task, sparse: bool = False) -> tuple[Tensor, Tensor, TextCNN]:
    torch.set_num_threads(THREADS)
    torch.manual_seed(SEED)
    ids, y, vectors = task.arrays()
    net = TextCNN(vectors, task.tuned, sparse).to(task.device)
    return torch.from_numpy(ids).to(task.device), torch.from_numpy(y).to(task.device), net


def _trained(parameters: Iterator[nn.Parameter]) -> list[nn.Parameter]:
    return [parameter for parameter in parameters if parameter.requires_grad]


def _epochs(
    net: TextCNN,
    optimizers: list[torch.optim.Optimizer],
    ids: Tensor,
    y: Tensor,
    batches: Batches,
    trim: bool,
) -> Iterator[float]:
    net.train()
    while True:
        start = time.perf_counter()
        for rows in batches(ids):
            batch = trimmed(ids[rows]) if trim else ids[rows]
            for optimizer in optimizers:
                optimizer.zero_grad()
            functional.cross_entropy(net(batch), y[rows]).backward()
            for optimizer in optimizers:
                optimizer.step()
        if ids.is_cuda:
            torch.cuda.synchronize()
        yield time.perf_counter() - start
