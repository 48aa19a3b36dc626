"""Token ids with targets and weights as torch's tensors, and their batches."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from skorch.dataset import Dataset

from sktextcnn._data_parallel import of_first
from sktextcnn._network import permutation
from sktextcnn._text import PaddedDocuments
from sktextcnn._token_ids import PADDING_ID

_BATCHES_SORTED = 50


class TokenDataset(Dataset):
    """Token ids with targets and weights, indexed by whole batches of tensors.

    Parameters
    ----------
    ids : ndarray of shape (n, T), int32, PaddedDocuments, or mapping
        The rows of `PaddedDocuments` are made when a batch needs them. A mapping is the data `X`
        of another dataset, which skorch's scoring passes on.
    y : ndarray of shape (n,), int64, or (n, n_labels), float32; or None
    weight : ndarray of shape (n,), float64, or None
    device : str, default="cpu"
        Where they are held: that of the network, so that no batch has to be moved.
    offset : ndarray of shape (n, num_outputs), float32, or None
        What is added to the logits of the network.
    """

    def __init__(
        self,
        ids: Any,
        y: np.ndarray | None = None,
        weight: np.ndarray | None = None,
        device: str = "cpu",
        offset: np.ndarray | None = None,
    ) -> None:
        if isinstance(ids, Mapping):
            ids, weight, offset = ids["ids"], ids.get("weight"), ids.get("offset")
        self._device = device
        X = {"ids": ids if isinstance(ids, PaddedDocuments) else _tensor(ids, device)}
        if offset is not None:
            X["offset"] = _tensor(offset, device)
        if weight is not None:
            X["weight"] = _tensor(weight, device)
        targets = None if y is None else _tensor(y, device)
        super().__init__(X, targets, length=len(ids))

    def __getitem__(self, i: Any) -> tuple:
        # Without targets skorch wants a placeholder.
        y = torch.zeros(1) if self.y is None else self.y[i]
        return {name: self._rows(values, i) for name, values in self.X.items()}, y

    def _rows(self, values: torch.Tensor | PaddedDocuments, i: Any) -> torch.Tensor:
        if isinstance(values, torch.Tensor):
            return values[i]
        rows = i.cpu().numpy() if isinstance(i, torch.Tensor) else i
        return torch.from_numpy(values[rows]).to(self._device)

    def lengths(self) -> torch.Tensor:
        """The number of tokens in each text; (n,), int32, where the dataset is."""
        ids = self.X["ids"]
        if isinstance(ids, torch.Tensor):
            return (ids != PADDING_ID).sum(dim=1, dtype=torch.int32)
        return _tensor(ids.lengths().astype(np.int32), self._device)


def _tensor(values: Any, device: str) -> torch.Tensor:
    # Arrays are copied, as they may be read-only.
    if isinstance(values, torch.Tensor):
        return values.to(device)
    return torch.tensor(values, device=device)


class Batches:
    """Whole batches of a dataset: in its order, or shuffled with texts of like length together.

    Shuffling draws the order of all texts, sorts some dozens of batches at a time by
    length, and draws the order of the batches. Batches then hold little padding.
    """

    def __init__(self, dataset: TokenDataset, batch_size: int, shuffle: bool = False) -> None:
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle
        self.lengths = dataset.lengths()

    def __iter__(self) -> Iterator[tuple]:
        n_rows, size, device = len(self.dataset), self.batch_size, self.lengths.device
        n_batches = math.ceil(n_rows / size)
        if not self.shuffle:
            rows, batches = torch.arange(n_rows, device=device), torch.arange(n_batches)
        else:
            rows = of_first(permutation(n_rows)).to(device)
            for pool in rows.split(size * _BATCHES_SORTED):
                pool.copy_(pool[self.lengths[pool].argsort(stable=True)])
            batches = of_first(permutation(n_batches))
        for i in batches.tolist():
            yield self.dataset[rows[i * size : (i + 1) * size]]
