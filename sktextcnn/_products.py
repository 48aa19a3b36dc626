"""The products of words with the kernels, remembered from one prediction to the next.

While the weights stay, the products of a word stay, and nothing is left to multiply for words
that were seen before. Only the words of a call are projected, so that a single text never
pays for the whole vocabulary.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from sktextcnn._maxconv import empty_table, product_type, project

# Beyond this much memory for the whole vocabulary, products are made for each call anew.
MOST_BYTES = 1 << 28


class Vectors(Protocol):
    """An embedding of which the products are made."""

    @property
    def tables(self) -> list[Tensor]: ...

    def vectors(self, ids: Tensor) -> Tensor: ...

    def distinct(self, ids: Tensor) -> tuple[Tensor, Tensor]: ...


class _Memory(NamedTuple):
    made_for: tuple
    table: Tensor  # (n_ids * K + 1, F)
    known: Tensor  # (n_ids,), bool


class Products:
    """Products of words; neither pickled nor copied.

    They are forgotten when a table of the embedding or a kernel changes, of which torch keeps
    count. It does not count changes by fused optimizers and through ``Tensor.data``; for the
    former, the network calls ``forget`` whenever it trains.
    """

    def __init__(self) -> None:
        self._memory: _Memory | None = None

    def __reduce__(self) -> tuple:
        return Products, ()

    def forget(self) -> None:
        self._memory = None

    def table_for(
        self, ids: Tensor, embedding: Vectors, weights: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return a table with the products of the words, and where they are in it.

        Parameters
        ----------
        ids : Tensor of shape (B, T)
            Token ids, of which 0 is padding.
        embedding : Vectors
            From ids to vectors.
        weights : sequence of Tensor of shape (F, D, k)
            Kernels.

        Returns
        -------
        table : Tensor of shape (U * K + 1, F)
            For ``max_of_products``.
        positions : Tensor of shape (B, T), int32
            The row of each token's word.
        """
        n_ids = len(embedding.tables[0])
        dtype = product_type(weights[0])
        n_products = n_ids * sum(weight.shape[2] for weight in weights) * weights[0].shape[0]
        if n_products * dtype.itemsize > MOST_BYTES:
            rows, positions = embedding.distinct(ids)
            table = empty_table(len(rows), weights, dtype)
            project(table, len(rows), torch.arange(len(rows), device=rows.device), rows, weights)
            return table, positions
        made_for = (
            dtype,
            *(
                (tensor.data_ptr(), tensor._version, tensor.dtype, tensor.device)
                for tensor in (*embedding.tables, *weights)
            ),
        )
        # Read once: another thread may forget or replace it meanwhile.
        memory = self._memory
        if memory is None or memory.made_for != made_for:
            known = torch.zeros(n_ids, dtype=torch.bool, device=ids.device)
            memory = _Memory(made_for, empty_table(n_ids, weights, dtype), known)
            _add(memory, torch.zeros(1, dtype=torch.int64, device=ids.device), embedding, weights)
            self._memory = memory
        new = ids[~memory.known[ids]]
        if len(new):
            _add(memory, new.unique().long(), embedding, weights)
        return memory.table, ids.int()


def _add(memory: _Memory, words: Tensor, embedding: Vectors, weights: Sequence[Tensor]) -> None:
    project(memory.table, len(memory.known), words, embedding.vectors(words), weights)
    # Known only now, so that no other thread reads a row before it is there.
    memory.known[words] = True
