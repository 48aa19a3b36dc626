"""The products of words with the kernels, remembered from one prediction to the next.

The products of a word stay the same until the weights change, so that each word is multiplied
once. Only the words of a call are multiplied, so that predicting a single text does not take the
time of multiplying the whole vocabulary.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from sktextcnn._compat.locks import ForkSafeLock
from sktextcnn._compat.torch import tensor_version
from sktextcnn._network.max_over_time import empty_products, product_type, project

# Maximum size of the remembered products. When it is reached, a new memory replaces the old one.
MOST_BYTES = 1 << 28
# Minimum number of rows of a new memory; the number doubles when all rows are used. From this share
# of the maximum on, a memory on the CPU gets the maximum: a system gives memory when it is first
# written to, while a doubled copy needs both at once.
_FEWEST_ROWS, _SHARE_TO_DOUBLE = 256, 1 / 8


class Vectors(Protocol):
    """An embedding whose vectors are multiplied."""

    @property
    def matrices(self) -> list[Tensor]: ...

    def vectors(self, ids: Tensor) -> Tensor: ...

    def distinct(self, ids: Tensor) -> tuple[Tensor, Tensor]: ...


class _Memory:
    """Products of the words of earlier calls, in the order in which they were first seen.

    A thread may read a memory at any time without a lock: rows are written before `row_of`
    refers to them, and a memory with more rows is another object.

    Parameters
    ----------
    made_for : tuple
        The state of the weights that the products depend on.
    row_of : Tensor of shape (n_ids,), int32
        The row of each word, or -1 if it has none; 0 for padding.
    products : Tensor of shape (n_rows * K + 1, F)
        The products of all rows.
    n_rows : int
        Maximum number of words.
    n_words : int, default=0
        Number of words that have a row.
    """

    def __init__(
        self, made_for: tuple, row_of: Tensor, products: Tensor, n_rows: int, n_words: int = 0
    ) -> None:
        self.made_for, self.row_of, self.products = made_for, row_of, products
        self.n_rows, self.n_words = n_rows, n_words

    def grown(self, n_rows: int, weights: Sequence[Tensor]) -> "_Memory":
        """Return a copy with more rows."""
        products = empty_products(n_rows, weights, self.products.dtype)
        used = self.n_words * ((len(self.products) - 1) // self.n_rows)
        products[:used] = self.products[:used]
        return _Memory(self.made_for, self.row_of.clone(), products, n_rows, self.n_words)


class Products:
    """Products of words; neither pickled nor copied.

    The products are discarded when a matrix of the embedding or a kernel changes. Changes are
    detected by torch's counts of changes in place. These do not include changes by fused
    optimizers and through ``Tensor.data``; for the former, the network calls ``forget`` whenever
    it trains. Nothing is remembered for weights without such a count, which are those that were
    created in inference mode.
    """

    def __init__(self) -> None:
        self._memory: _Memory | None = None
        self._n_forgotten = 0
        self._add_lock = ForkSafeLock()

    def __reduce__(self) -> tuple:
        return Products, ()

    def forget(self) -> None:
        self._n_forgotten += 1
        self._memory = None

    def remember(self, words: Tensor, embedding: Vectors, weights: Sequence[Tensor]) -> None:
        """Multiply words that are needed soon, in as many threads as may be used.

        Parameters
        ----------
        words : Tensor of shape (U,)
            Distinct ids.
        embedding, weights
            As for ``products_for``.
        """
        made_for = _made_for(embedding, weights)
        if made_for is not None:
            with self._add_lock.current:
                self._add(words, made_for, embedding, weights)

    def products_for(
        self, ids: Tensor, embedding: Vectors, weights: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return products of at least the words of some texts, and the row of each token's word.

        Parameters
        ----------
        ids : Tensor of shape (B, T)
            Token ids; 0 is padding.
        embedding : Vectors
            The embedding of the ids.
        weights : sequence of Tensor of shape (F, D, k)
            The kernels.

        Returns
        -------
        products : Tensor of shape (U * K + 1, F)
            For ``max_of_products``.
        positions : Tensor of shape (B, T), int32
            The row of each token's word.
        """
        made_for = _made_for(embedding, weights)
        # Read once, since another thread may replace it at any time.
        memory = self._memory
        if memory is not None and memory.made_for == made_for:
            positions = memory.row_of[ids]
            if not (positions < 0).any():
                return memory.products, positions
        # Do not wait for another thread that adds words, since these may be other words.
        lock = self._add_lock.current
        if made_for is not None and lock.acquire(blocking=False):
            try:
                memory = self._add(ids.unique(), made_for, embedding, weights)
            finally:
                lock.release()
            if memory is not None:
                return memory.products, memory.row_of[ids]
        rows, positions = embedding.distinct(ids)
        products = empty_products(len(rows), weights, product_type(weights[0]))
        project(products, len(rows), torch.arange(len(rows), device=rows.device), rows, weights)
        return products, positions

    # Tensors that are created in inference mode cannot be changed outside of it.
    @torch.inference_mode(False)
    @torch.no_grad()
    def _add(
        self, words: Tensor, made_for: tuple, embedding: Vectors, weights: Sequence[Tensor]
    ) -> _Memory | None:
        """Add some distinct words to the memory and return it; None if they are too many."""
        n_forgotten = self._n_forgotten
        dtype = product_type(weights[0])
        n_ids = len(embedding.matrices[0])
        bytes_of_word = dtype.itemsize * sum(weight[:, 0].numel() for weight in weights)
        most_rows = min(n_ids, MOST_BYTES // bytes_of_word)
        memory = self._memory
        if memory is not None and memory.made_for == made_for:
            new = words[memory.row_of[words] < 0].long()
            n_words = memory.n_words + len(new)
        if memory is None or memory.made_for != made_for or n_words > most_rows:
            # Row 0 is padding, even if it does not occur.
            new = functional.pad(words, (0, 1)).unique().long()
            n_words = len(new)
            if n_words > most_rows:
                return None
            # Both together would take twice the memory.
            self._memory = memory = None
            n_rows = _n_rows(n_words, _FEWEST_ROWS, most_rows, words.device)
            row_of = torch.full((n_ids,), -1, dtype=torch.int32, device=words.device)
            memory = _Memory(made_for, row_of, empty_products(n_rows, weights, dtype), n_rows)
        elif n_words > memory.n_rows:
            n_rows = _n_rows(n_words, 2 * memory.n_rows, most_rows, words.device)
            memory = memory.grown(n_rows, weights)
        rows = torch.arange(memory.n_words, n_words, device=words.device)
        project(memory.products, memory.n_rows, rows, embedding.vectors(new), weights)
        # If an interrupt comes between these two, some rows are not used, but none is wrong.
        memory.n_words = n_words
        # After the products, so that no other thread reads a row before it is written.
        memory.row_of[new] = rows.int()
        # What was forgotten meanwhile stays so.
        if self._n_forgotten == n_forgotten:
            self._memory = memory
        return memory


def _n_rows(needed: int, wanted: int, most: int, device: torch.device) -> int:
    """How many rows to make space for."""
    n_rows = min(most, max(needed, wanted))
    return most if n_rows > most * _SHARE_TO_DOUBLE and device.type == "cpu" else n_rows


def _made_for(embedding: Vectors, weights: Sequence[Tensor]) -> tuple | None:
    """Return the state that the products depend on; None if changes cannot be detected."""
    state: list = [product_type(weights[0])]
    for tensor in (*embedding.matrices, *weights):
        version = tensor_version(tensor)
        if version is None:
            return None
        state.append((tensor.data_ptr(), version, tensor.dtype, tensor.device))
    return tuple(state)
