"""The products of words with the kernels, remembered from one prediction to the next.

While the weights stay, the products of a word stay, and nothing is left to multiply for words
that were seen before. Only the words of a call are projected, so that a single text never
pays for the whole vocabulary.
"""

import os
import threading
import weakref
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from sktextcnn._network.max_over_time import empty_table, product_type, project

# What the products of all remembered words may take. When they are full, the memory begins anew.
MOST_BYTES = 1 << 28


class Vectors(Protocol):
    """An embedding of which the products are made."""

    @property
    def tables(self) -> list[Tensor]: ...

    def vectors(self, ids: Tensor) -> Tensor: ...

    def distinct(self, ids: Tensor) -> tuple[Tensor, Tensor]: ...


class _Memory:
    """Products of the words that were met, one behind the other.

    Parameters
    ----------
    made_for : tuple
        What the products depend on.
    row_of : Tensor of shape (n_ids,), int32
        The row of each word, -1 for those that have none; 0 for padding.
    table : Tensor of shape (n_rows * K + 1, F)
        Their products.
    """

    def __init__(self, made_for: tuple, row_of: Tensor, table: Tensor) -> None:
        self.made_for, self.row_of, self.table = made_for, row_of, table
        self.n_words = 0


class Products:
    """Products of words; neither pickled nor copied.

    They are forgotten when a table of the embedding or a kernel changes, of which torch keeps
    count. It does not count changes by fused optimizers and through ``Tensor.data``; for the
    former, the network calls ``forget`` whenever it trains.
    """

    def __init__(self) -> None:
        self._memory: _Memory | None = None
        self._adds = threading.Lock()
        _all_products.add(self)

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
        dtype = product_type(weights[0])
        made_for = (
            dtype,
            *(
                (tensor.data_ptr(), tensor._version, tensor.dtype, tensor.device)
                for tensor in (*embedding.tables, *weights)
            ),
        )
        # Read once: another thread may forget or replace it meanwhile.
        memory = self._memory
        if memory is not None and memory.made_for == made_for:
            positions = memory.row_of[ids]
            if not (positions < 0).any():
                return memory.table, positions
        # Another thread that adds words is not waited for: what it adds may be other words.
        if self._adds.acquire(blocking=False):
            try:
                memory = self._with(ids, made_for, embedding, weights, dtype)
            finally:
                self._adds.release()
            if memory is not None:
                return memory.table, memory.row_of[ids]
        rows, positions = embedding.distinct(ids)
        table = empty_table(len(rows), weights, dtype)
        project(table, len(rows), torch.arange(len(rows), device=rows.device), rows, weights)
        return table, positions

    def _with(
        self,
        ids: Tensor,
        made_for: tuple,
        embedding: Vectors,
        weights: Sequence[Tensor],
        dtype: torch.dtype,
    ) -> _Memory | None:
        """Remember the words of a call too; None if they are too many to be."""
        n_ids = len(embedding.tables[0])
        bytes_of_word = dtype.itemsize * sum(weight[:, 0].numel() for weight in weights)
        n_rows = min(n_ids, MOST_BYTES // bytes_of_word)
        memory = self._memory
        if memory is not None and memory.made_for == made_for:
            new = ids[memory.row_of[ids] < 0].unique().long()
            n_words = memory.n_words + len(new)
        if memory is None or memory.made_for != made_for or n_words > n_rows:
            # Row 0 is padding, whether it occurs or not.
            new = functional.pad(ids.flatten(), (0, 1)).unique().long()
            n_words = len(new)
            if n_words > n_rows:
                return None
            row_of = torch.full((n_ids,), -1, dtype=torch.int32, device=ids.device)
            # Of the main memory it takes only those pages that rows are written to.
            memory = _Memory(made_for, row_of, empty_table(n_rows, weights, dtype))
        rows = torch.arange(memory.n_words, n_words, device=ids.device)
        project(memory.table, n_rows, rows, embedding.vectors(new), weights)
        # In this order, so that an interrupt wastes the rows at worst.
        memory.n_words = n_words
        # Told only now, so that no other thread reads a row before it is there.
        memory.row_of[new] = rows.int()
        self._memory = memory
        return memory


_all_products: weakref.WeakSet[Products] = weakref.WeakSet()


def _renew_locks() -> None:
    """Let a forked child add words though a thread of its parent was adding some."""
    for products in _all_products:
        products._adds = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
