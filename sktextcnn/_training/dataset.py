"""Token ids with targets and weights as torch's tensors, and their batches."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from skorch.dataset import Dataset

from sktextcnn._token_ids import PADDING_ID

_BATCHES_SORTED = 50


class TokenDataset(Dataset):
    """Token ids with targets and weights, held as tensors and indexed by whole batches.

    Parameters
    ----------
    ids : ndarray of shape (n, T), int32
    y : ndarray of shape (n,), int64, or (n, n_labels), float32; or None
    weight : ndarray of shape (n,), float64, or None
    device : str, default="cpu"
        Where they are held: that of the network, so that no batch has to be moved.
    """

    def __init__(
        self,
        ids: np.ndarray,
        y: np.ndarray | None = None,
        weight: np.ndarray | None = None,
        device: str = "cpu",
    ) -> None:
        X = {"ids": torch.tensor(ids, device=device)}
        if weight is not None:
            X["weight"] = torch.tensor(weight, device=device)
        targets = None if y is None else torch.tensor(y, device=device)
        super().__init__(X, targets, length=len(ids))

    def __getitem__(self, i: Any) -> tuple:
        # Without targets skorch wants a placeholder.
        y = torch.zeros(1) if self.y is None else self.y[i]
        return {name: values[i] for name, values in self.X.items()}, y


class Batches:
    """Whole batches of a dataset: in its order, or shuffled with texts of like length together.

    Shuffling draws the order of all texts, sorts some dozens of batches at a time by
    length, and draws the order of the batches. Batches then hold little padding.
    """

    def __init__(self, dataset: TokenDataset, batch_size: int, shuffle: bool = False) -> None:
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle
        self.lengths = (dataset.X["ids"] != PADDING_ID).sum(dim=1)

    def __iter__(self) -> Iterator[tuple]:
        n_rows, device = len(self.dataset), self.lengths.device
        if not self.shuffle:
            batches = list(torch.arange(n_rows, device=device).split(self.batch_size))
        else:
            order = torch.randperm(n_rows).to(device)
            pools = order.split(self.batch_size * _BATCHES_SORTED)
            batches = [
                batch
                for pool in pools
                for batch in pool[self.lengths[pool].argsort(stable=True)].split(self.batch_size)
            ]
            batches = [batches[i] for i in torch.randperm(len(batches)).tolist()]
        for batch in batches:
            yield self.dataset[batch]
