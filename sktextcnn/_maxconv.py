"""Convolution over words with max-over-time pooling, without the convolution.

A convolution over word vectors is a sum of table look-ups: project each distinct word
once, then gather and add. And the maximum over time passes its gradient to one window per
filter and text, so that the backward pass gathers those windows and no other. Both are exact.

Shapes: B texts, T tokens, U distinct words, D numbers in a vector, W windows, F filters of
a kernel of k words, K the sum of all k.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional

# Words projected at a time where no gradient is needed.
_BLOCK = 256
# Tokens whose windows are added up at a time, which keeps them in the processor's cache.
_TOKENS_AT_ONCE = 1 << 14


def max_over_time(positions: Tensor, rows: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """Return the largest value of each filter over the windows of each text.

    Equal to ``conv1d`` without bias of the vectors ``rows[positions]``, padded by ``k - 1``
    zeros on both sides, and the maximum over those windows that touch a token. A text
    without tokens is one window of zeros. Where windows tie, the first one wins.

    Parameters
    ----------
    positions : Tensor of shape (B, T), int64
        Row of each token in `rows`; 0 for padding, and for nothing else.
    rows : Tensor of shape (U, D)
        Vectors of the distinct words; row 0 is padding and must be zeros.
    weights : sequence of Tensor of shape (F, D, k)
        Kernels as ``torch.nn.Conv1d`` has them, with the same F.

    Returns
    -------
    Tensor of shape (B, F * len(weights))
    """
    dtype = product_type(rows)
    return _MaxOverTime.apply(positions, rows, dtype, *weights)


def product_type(rows: Tensor) -> torch.dtype:
    """What products are made in: that of the vectors, unless ``torch.autocast`` says other."""
    kind = rows.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else rows.dtype


def max_over_time_dense(positions: Tensor, rows: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """Return :func:`max_over_time` by ``conv1d``: the reference, and slower by far.

    Parameters
    ----------
    positions, rows, weights
        As for :func:`max_over_time`.

    Returns
    -------
    Tensor of shape (B, F * len(weights))
    """
    vectors = functional.embedding(positions, rows).transpose(1, 2)  # (B, D, T)
    pooled = []
    for weight in weights:
        size = weight.shape[2]
        values = functional.conv1d(vectors, weight, padding=size - 1)  # (B, F, W)
        present = functional.pad(positions != 0, (size - 1, size - 1))
        touched = present.unfold(1, size, 1).any(dim=2)  # (B, W)
        touched[:, 0] |= ~touched.any(dim=1)
        pooled.append(values.masked_fill(~touched[:, None], -torch.inf).max(dim=2).values)
    return torch.cat(pooled, dim=1)


def empty_table(n_words: int, weights: Sequence[Tensor], dtype: torch.dtype) -> Tensor:
    """Return room for the products of words, with a last row of -inf; (U * K + 1, F)."""
    n_places = sum(weight.shape[2] for weight in weights)
    table = weights[0].new_empty(n_words * n_places + 1, weights[0].shape[0], dtype=dtype)
    table[-1] = -torch.inf
    return table


def products_of(table: Tensor, n_words: int) -> Tensor:
    """Return the products in a table, a row for each word; (U, K * F)."""
    return table[:-1].view(n_words, -1)


def project(rows: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """Multiply words with every place of every kernel.

    In blocks of one shape, so that the rounding of a word's products is its own, whatever
    other words there are.

    Parameters
    ----------
    rows : Tensor of shape (U, D)
    weights : sequence of Tensor of shape (F, D, k)

    Returns
    -------
    Tensor of shape (U, K * F)
        Of :func:`product_type`.
    """
    kernels = _kernels(weights).T
    padded = functional.pad(rows, (0, 0, 0, -len(rows) % _BLOCK))
    return torch.cat([block @ kernels for block in padded.split(_BLOCK)])[: len(rows)]


def max_of_products(positions: Tensor, table: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return :func:`max_over_time` of words whose products are in a table.

    Parameters
    ----------
    positions : Tensor of shape (B, T), int64
        As for :func:`max_over_time`, with the rows of the table.
    table : Tensor of shape (U * K + 1, F)
        What :func:`empty_table` made, with the products of at least these words.
    sizes : sequence of int
        The kernels' k.

    Returns
    -------
    Tensor of shape (B, F * len(sizes))
    """
    layout = _layout(positions.shape[1], tuple(sizes), positions.device)
    pooled = [
        torch.cat([values[:, windows].amax(dim=1) for windows, _ in layout.kernels], dim=1)
        for values in _window_sums(positions, table, tuple(sizes), layout)
    ]
    return torch.cat(pooled)


class _MaxOverTime(Function):
    @staticmethod
    def forward(
        ctx: Any, positions: Tensor, rows: Tensor, dtype: torch.dtype, *weights: Tensor
    ) -> Tensor:
        sizes = tuple(weight.shape[2] for weight in weights)
        kernels = _kernels(weights)
        table = empty_table(len(rows), weights, dtype)
        torch.mm(rows.to(dtype), kernels.to(dtype).T, out=products_of(table, len(rows)))
        layout = _layout(positions.shape[1], sizes, positions.device)
        pooled, columns = [], []
        for sums in _window_sums(positions, table, sizes, layout):
            best = [(sums[:, windows].max(dim=1), first) for windows, first in layout.kernels]
            pooled.append(torch.cat([max_.values for max_, _ in best], dim=1))
            columns.append(torch.cat([max_.indices + first for max_, first in best], dim=1))
        ctx.sizes = sizes
        ctx.save_for_backward(positions, rows, kernels, torch.cat(columns))
        return torch.cat(pooled).to(rows.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        positions, rows, kernels, columns = ctx.saved_tensors
        hits = _hits(positions, columns, grad, ctx.sizes)
        rows_grad = _bag(hits.transposed(len(rows)), kernels) if ctx.needs_input_grad[1] else None
        kernels_grad = _bag(hits, rows)  # (K * F, D)
        n_places = sum(ctx.sizes)
        parts = kernels_grad.view(n_places, -1, rows.shape[1]).split(ctx.sizes)
        return None, rows_grad, None, *(part.permute(1, 2, 0) for part in parts)


def _kernels(weights: Sequence[Tensor]) -> Tensor:
    """All kernels below each other, place by place; (K * F, D)."""
    places = torch.cat([weight.permute(2, 0, 1) for weight in weights])  # (K, F, D)
    return places.flatten(0, 1)


class _Layout(NamedTuple):
    """Where the windows are, kernel by kernel, in texts of one length.

    Columns are those of texts with max(k) - 1 paddings on both sides. W windows of all kernels
    have N words.
    """

    kernels: tuple[tuple[slice, int], ...]  # each one's windows, and the column of the first
    begin: Tensor  # (W,), column of each window's first word
    end: Tensor  # (W,), column behind its last word
    bags: Tensor  # (W,), where each window's words begin
    columns: Tensor  # (N,), of each word
    places: Tensor  # (N,), of each word among all K


@lru_cache(maxsize=64)
def _layout(n_tokens: int, sizes: tuple[int, ...], device: torch.device) -> _Layout:
    kernels, begin, end, columns, places = [], [], [], [], []
    place = n_windows = 0
    for size in sizes:
        first = max(sizes) - size
        begin.append(torch.arange(first, first + n_tokens + size - 1))
        end.append(begin[-1] + size)
        within = torch.arange(size)
        columns.append((begin[-1][:, None] + within).flatten())
        places.append((place + within).repeat(len(begin[-1])))
        kernels.append((slice(n_windows, n_windows + len(begin[-1])), first))
        place, n_windows = place + size, n_windows + len(begin[-1])
    begins, ends = torch.cat(begin), torch.cat(end)
    bags = functional.pad((ends - begins).cumsum(0), (1, -1))
    tensors = (begins, ends, bags, torch.cat(columns), torch.cat(places))
    return _Layout(tuple(kernels), *(tensor.to(device) for tensor in tensors))


def _window_sums(
    positions: Tensor, table: Tensor, sizes: tuple[int, ...], layout: _Layout
) -> Iterator[Tensor]:
    """Add up each window's products, some texts at a time.

    Yields
    ------
    Tensor of shape (n_some, W, F)
        -inf for windows that touch no token.
    """
    padding = max(sizes) - 1
    for some in positions.split(max(1, _TOKENS_AT_ONCE // positions.shape[1])):
        # A text without tokens counts its first padding as one.
        present = some != 0
        present[:, 0] |= ~present.any(dim=1)
        before = functional.pad(present, (padding + 1, padding)).cumsum(dim=1)
        untouched = before[:, layout.begin] == before[:, layout.end]
        padded = functional.pad(some * sum(sizes), (padding, padding))
        index = padded[:, layout.columns] + layout.places
        index[:, layout.bags] = index[:, layout.bags].masked_fill(untouched, len(table) - 1)
        texts = torch.arange(0, index.numel(), index.shape[1], device=index.device)
        offsets = texts[:, None] + layout.bags
        values = functional.embedding_bag(index.flatten(), table, offsets.flatten(), mode="sum")
        yield values.view(len(some), len(layout.bags), -1)


class _Hits(NamedTuple):
    """What the gradients are made of, bag by bag; a sparse matrix in rows."""

    row: Tensor  # (n_hits,), of the vectors to add up
    share: Tensor  # (n_hits,), their factors
    offsets: Tensor  # (n_bags + 1,), where each bag begins, and the end

    def transposed(self, n_bags: int) -> "_Hits":
        """With bags for rows."""
        row, share, offsets = self
        if row.is_cuda:
            bag = torch.repeat_interleave(offsets.diff())
            order = row.argsort(stable=True)
            counts = torch.bincount(row, minlength=n_bags)
            return _Hits(bag[order], share[order], functional.pad(counts.cumsum(0), (1, 0)))
        # Sorting by counting, several times faster than comparing.
        matrix = csr_array(
            (share.numpy(), row.numpy(), offsets.numpy()), shape=(len(offsets) - 1, n_bags)
        ).tocsc()
        return _Hits(*map(torch.from_numpy, (matrix.indices, matrix.data, matrix.indptr)))


def _hits(positions: Tensor, columns: Tensor, grad: Tensor, sizes: tuple[int, ...]) -> _Hits:
    """The words that each place of each filter had in the windows that won.

    Many gradients are zero, where the dropout or the activation lets nothing through; they
    are left out.

    Parameters
    ----------
    positions : Tensor of shape (B, T)
    columns : Tensor of shape (B, F * len(sizes)), int64
        Where each filter's winning window begins, with max(k) - 1 paddings before the text.
    grad : Tensor of shape (B, F * len(sizes))
    sizes : tuple of int

    Returns
    -------
    _Hits
        A bag for each place and filter, K * F in all; rows are words.
    """
    widest = max(sizes)
    filters, texts = grad.T.nonzero().unbind(1)
    shares = grad[texts, filters]
    places = torch.arange(widest, device=grad.device)[:, None]
    padded = functional.pad(positions, (widest - 1, 2 * widest - 2))
    words = padded[texts, columns[texts, filters] + places]  # (max(k), n)
    counts = torch.bincount(filters, minlength=grad.shape[1]).view(len(sizes), -1)
    kernels = counts.sum(dim=1).tolist()
    parts = zip(sizes, words.split(kernels, dim=1), shares.split(kernels), counts, strict=True)
    row, share, count = [], [], []
    for size, word, its_share, its_count in parts:
        row.append(word[:size].flatten())  # place by place
        share.append(its_share.repeat(size))
        count.append(its_count.repeat(size))
    offsets = functional.pad(torch.cat(count).cumsum(0), (1, 0))
    return _Hits(torch.cat(row), torch.cat(share), offsets)


def _bag(hits: _Hits, table: Tensor) -> Tensor:
    """Add up the vectors of each bag; (n_bags, D)."""
    return functional.embedding_bag(
        hits.row,
        table,
        hits.offsets,
        per_sample_weights=hits.share,
        mode="sum",
        include_last_offset=True,
    )
