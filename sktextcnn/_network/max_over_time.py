"""Convolution over words with max-over-time pooling, computed by look-ups.

A convolution over word vectors is a sum of look-ups: each distinct word is multiplied once with
all places of all kernels, and each window adds up the products of its words. The maximum over
time passes its gradient to one window per filter and text, so the backward pass only needs
those windows. Both are exact.

Shapes: B texts, T tokens, U distinct words, D the size of a vector, W windows, F filters of
a kernel of k words, K the sum of all k.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional

from sktextcnn._compat.torch import linear_by_onednn
from sktextcnn._network.threads import map_in_threads

# The weights of torch.nn.Conv1d: (F, D, k) each, with the same F.
Weights = Sequence[Tensor]

# Words multiplied at a time if no gradient is needed.
_BLOCK = 256
# Size of the sums of windows that are computed at a time. On a processor they stay in its cache,
# and malloc reuses their memory, which it does below 32 MB. A GPU is faster with fewer steps.
_BYTES_AT_ONCE = {"cpu": 1 << 22, "cuda": 1 << 25}
# Layouts of longer texts are not cached, which bounds the memory of the cache.
_TOKENS_REMEMBERED = 1 << 10


def max_over_time(positions: Tensor, rows: Tensor, weights: Weights) -> Tensor:
    """Return the largest value of each filter over the windows of each text.

    The result equals ``conv1d`` without bias of the vectors ``rows[positions]``, padded by
    ``k - 1`` zeros on both sides, followed by the maximum over the windows that touch a token.
    A text without tokens is one window of zeros. If several windows have the maximum, the first
    one gets the gradient.

    Parameters
    ----------
    positions : Tensor of shape (B, T), int32
        Row of each token in `rows`; 0 for padding only.
    rows : Tensor of shape (U, D)
        Vectors of the distinct words; row 0 is padding and must be zeros.
    weights : sequence of Tensor of shape (F, D, k)
        Weights of ``torch.nn.Conv1d``, with the same F.

    Returns
    -------
    Tensor of shape (B, F * len(weights))
    """
    dtype = product_type(rows)
    return _MaxOverTime.apply(positions, rows, dtype, *weights)


def product_type(rows: Tensor) -> torch.dtype:
    """Return the dtype of products: that of ``torch.autocast`` if enabled, or of the vectors."""
    kind = rows.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else rows.dtype


def max_over_time_dense(positions: Tensor, rows: Tensor, weights: Weights) -> Tensor:
    """Compute :func:`max_over_time` by ``conv1d``: the reference, which is much slower.

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
        # For a single text, torch cannot compute the gradient of kernels stored place by place.
        values = functional.conv1d(vectors, weight.contiguous(), padding=size - 1)  # (B, F, W)
        present = functional.pad(positions != 0, (size - 1, size - 1))
        touched = present.unfold(1, size, 1).any(dim=2)  # (B, W)
        touched[:, 0] |= ~touched.any(dim=1)
        pooled.append(values.masked_fill(~touched[:, None], -torch.inf).max(dim=2).values)
    return torch.cat(pooled, dim=1)


def empty_products(n_words: int, weights: Weights, dtype: torch.dtype) -> Tensor:
    """Return an empty tensor for the products of words, with a last row of -inf.

    Its shape is (n_words * K + 1, F).
    """
    n_places = sum(weight.shape[2] for weight in weights)
    products = weights[0].new_empty(n_words * n_places + 1, weights[0].shape[0], dtype=dtype)
    products[-1] = -torch.inf
    return products


def project(products: Tensor, n_words: int, words: Tensor, rows: Tensor, weights: Weights) -> None:
    """Multiply words with every place of every kernel, and write the products to their rows.

    All blocks have the same shape, so that the rounding of a word's products does not depend on
    the other words. Several blocks are shared among threads.

    Parameters
    ----------
    products : Tensor of shape (n_words * K + 1, F)
        The result of :func:`empty_products` for `n_words`; changed in place.
    n_words : int
        The number of words that `products` has space for.
    words : Tensor of shape (U,), int64
        The index of each word in `products`.
    rows : Tensor of shape (U, D)
        The vectors of the words.
    weights : sequence of Tensor of shape (F, D, k)
        The kernels.
    """
    by_word = products[:-1].view(n_words, -1)  # (n_words, K * F)
    kernels = _kernels(weights).to(products.dtype)

    def multiply(block: tuple[Tensor, Tensor]) -> None:
        its_words, its_rows = block
        whole = functional.pad(its_rows, (0, 0, 0, _BLOCK - len(its_rows)))
        by_word.index_copy_(0, its_words, _multiply(whole, kernels)[: len(its_rows)])

    rows = rows.to(products.dtype)
    blocks = list(zip(words.split(_BLOCK), rows.split(_BLOCK), strict=True))
    if len(blocks) > 1 and not rows.is_cuda:
        map_in_threads(multiply, blocks)
    else:
        for block in blocks:
            multiply(block)


def max_of_products(positions: Tensor, products: Tensor, sizes: Sequence[int]) -> Tensor:
    """Compute :func:`max_over_time` of words whose products are given.

    Parameters
    ----------
    positions : Tensor of shape (B, T), int32
        The index of each token's word in `products`; 0 for padding only.
    products : Tensor of shape (U * K + 1, F)
        The result of :func:`empty_products`, with the products of at least these words.
    sizes : sequence of int
        The k of each kernel.

    Returns
    -------
    Tensor of shape (B, F * len(sizes))
    """
    layout = _layout(positions.shape[1], tuple(sizes), positions.device)
    pooled = [
        torch.cat([sums[kernel.windows].amax(dim=0) for kernel in layout.kernels], dim=1)
        for sums in _window_sums(positions, products, layout)
    ]
    return torch.cat(pooled)


class _MaxOverTime(Function):
    @staticmethod
    def forward(
        ctx: Any, positions: Tensor, rows: Tensor, dtype: torch.dtype, *weights: Tensor
    ) -> Tensor:
        sizes = tuple(weight.shape[2] for weight in weights)
        kernels = _kernels(weights)
        # The first product of one additional word becomes the last row of the products.
        padded = functional.pad(rows, (0, 0, 0, 1)).to(dtype)
        n_products = len(rows) * sum(sizes)
        products = _multiply(padded, kernels.to(dtype)).view(-1, weights[0].shape[0])
        products = products[: n_products + 1]
        products[-1] = -torch.inf
        layout = _layout(positions.shape[1], sizes, positions.device)
        pooled, ranks = [], []
        for sums in _window_sums(positions, products, layout):
            best = [_max(sums[kernel.windows], layout.ranks) for kernel in layout.kernels]
            pooled.append(torch.cat([values for values, _ in best], dim=1))
            ranks.append(torch.cat([rank for _, rank in best], dim=1))
        # The last windows of all kernels begin in the same column. A maximum of NaN has rank 0.
        last = positions.shape[1] + max(sizes) - 2
        columns = (last + 1 - torch.cat(ranks)).int().clamp_(max=last)
        ctx.sizes = sizes
        ctx.save_for_backward(positions, rows, kernels, columns)
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


def _kernels(weights: Weights) -> Tensor:
    """Concatenate all kernels, place by place; (K * F, D)."""
    places = torch.cat([weight.permute(2, 0, 1) for weight in weights])  # (K, F, D)
    return places.flatten(0, 1)


def _multiply(rows: Tensor, kernels: Tensor) -> Tensor:
    """Return ``rows @ kernels.T``.

    The product is computed by oneDNN if torch has it. On processors with AVX-512 that are not
    Intel's, ``torch.mm`` takes twice the time, since MKL only uses half of their width. The bits
    do not depend on the number of threads, nor on the other rows in blocks of one shape.
    """
    if rows.dtype == torch.float32 and rows.device.type == "cpu" and torch.backends.mkldnn.enabled:
        return linear_by_onednn()(rows, kernels)
    return rows @ kernels.T


def _max(sums: Tensor, ranks: Tensor) -> tuple[Tensor, Tensor]:
    """Return the largest sum, and the first window that has it, counted from the last one.

    This is several times faster on the CPU than ``max(dim=0)``.

    Parameters
    ----------
    sums : Tensor of shape (W, B, F)
        Overwritten.
    ranks : Tensor of shape (W or more, 1, 1)
        Numbers that decrease by 1 down to 1.

    Returns
    -------
    values : Tensor of shape (B, F)
    rank : Tensor of shape (B, F)
        W for the first window, 1 for the last.
    """
    values = sums.amax(dim=0)
    won = sums.float() if sums.dtype == torch.bfloat16 else sums
    return values, won.eq_(values).mul_(ranks[-len(sums) :]).amax(dim=0)


class _Kernel(NamedTuple):
    """Where the windows of one kernel are, for texts of one length."""

    size: int
    columns: slice  # that its windows cover, in texts with max(k) - 1 paddings on both sides
    windows: slice  # among the W of all kernels
    words: slice  # among the words of all windows
    places: Tensor  # (k,), int32, its places among all K


class _Layout(NamedTuple):
    """Where the windows of all kernels are, for texts of one length."""

    kernels: tuple[_Kernel, ...]
    n_places: int  # K
    padding: int  # max(k) - 1
    begin: Tensor  # (W,), int32, the first column of each window
    end: Tensor  # (W,), int32, the column after the last of each window
    ranks: Tensor  # (W of the widest kernel, 1, 1), for `_max`


def _layout(n_tokens: int, sizes: tuple[int, ...], device: torch.device) -> _Layout:
    make = _remembered_layout if n_tokens <= _TOKENS_REMEMBERED else _make_layout
    return make(n_tokens, sizes, device)


def _make_layout(n_tokens: int, sizes: tuple[int, ...], device: torch.device) -> _Layout:
    widest = max(sizes)
    kernels, begin, end = [], [], []
    place = n_windows = n_words = 0
    for size in sizes:
        its_windows = n_tokens + size - 1
        first = torch.arange(its_windows, dtype=torch.int32, device=device) + widest - size
        begin.append(first)
        end.append(first + size)
        kernels.append(
            _Kernel(
                size,
                slice(widest - size, widest - size + its_windows + size - 1),
                slice(n_windows, n_windows + its_windows),
                slice(n_words, n_words + its_windows * size),
                torch.arange(place, place + size, dtype=torch.int32, device=device),
            )
        )
        place += size
        n_windows += its_windows
        n_words += its_windows * size
    ranks = torch.arange(n_tokens + widest - 1, 0, -1, dtype=torch.float32, device=device)
    return _Layout(
        tuple(kernels), place, widest - 1, torch.cat(begin), torch.cat(end), ranks[:, None, None]
    )


_remembered_layout = lru_cache(maxsize=256)(_make_layout)


def _window_sums(positions: Tensor, products: Tensor, layout: _Layout) -> Iterator[Tensor]:
    """Add up the products of each window, for some texts at a time.

    Yields
    ------
    Tensor of shape (W, n_some, F)
        -inf for windows that touch no token.
    """
    kernels, n_places, padding, begin, end, _ = layout
    most_bytes = _BYTES_AT_ONCE["cuda" if products.is_cuda else "cpu"]
    bytes_of_text = kernels[-1].windows.stop * products.shape[1] * products.itemsize
    for some in positions.split(max(1, most_bytes // bytes_of_text)):
        n_texts = len(some)
        scaled = functional.pad(some.T * n_places, (0, 0, padding, padding))
        index = some.new_empty(kernels[-1].words.stop * n_texts)
        untouched = _untouched(some.T, padding, begin, end)
        bags = []
        for size, columns, windows, words, places in kernels:
            entries = slice(words.start * n_texts, words.stop * n_texts)
            its = index[entries].view(-1, n_texts, size)
            torch.add(scaled[columns].unfold(0, size, 1), places, out=its)
            if untouched is not None:
                its[:, :, 0].masked_fill_(untouched[windows], len(products) - 1)
            bags.append(
                torch.arange(
                    entries.start, entries.stop, size, dtype=torch.int32, device=index.device
                )
            )
        sums = functional.embedding_bag(index, products, torch.cat(bags), mode="sum")
        yield sums.view(kernels[-1].windows.stop, n_texts, -1)


def _untouched(tokens: Tensor, padding: int, begin: Tensor, end: Tensor) -> Tensor | None:
    """Return which windows touch no token, (W, n_texts); None if there is no padding.

    In a text without tokens, the first padding counts as a token.
    """
    present = tokens != 0  # (T, n_texts)
    # On a GPU, the CPU would have to wait for the answer.
    if not present.is_cuda and bool(present.all()):
        return None
    present[0] |= tokens.amax(dim=0) == 0
    before = functional.pad(present, (0, 0, padding + 1, padding)).cumsum(0, dtype=torch.int32)
    return before.index_select(0, begin) == before.index_select(0, end)


class _Hits(NamedTuple):
    """The weighted vectors that the gradients add up, bag by bag: a sparse matrix, as CSR."""

    row: Tensor  # (n_hits,), the rows of the vectors to add up
    share: Tensor  # (n_hits,), their weights
    offsets: Tensor  # (n_bags + 1,), where each bag begins, and where the last one ends

    def transposed(self, n_bags: int) -> "_Hits":
        """Return the transposed matrix: a bag for each row."""
        row, share, offsets = self
        if row.is_cuda:
            bag = torch.repeat_interleave(offsets.diff())
            order = row.argsort(stable=True)
            counts = torch.bincount(row, minlength=n_bags)
            return _Hits(bag[order], share[order], functional.pad(counts.cumsum(0), (1, 0)))
        # SciPy sorts by counting, which is several times faster than by comparing.
        matrix = csr_array(
            (share.numpy(), row.numpy(), offsets.numpy()), shape=(len(offsets) - 1, n_bags)
        ).tocsc()
        return _Hits(*map(torch.from_numpy, (matrix.indices, matrix.data, matrix.indptr)))


def _hits(positions: Tensor, columns: Tensor, grad: Tensor, sizes: tuple[int, ...]) -> _Hits:
    """Return the word at each place of each filter, in the windows that have the maximum.

    Many gradients are zero due to dropout and the activation. They are left out.

    Parameters
    ----------
    positions : Tensor of shape (B, T)
    columns : Tensor of shape (B, F * len(sizes)), int32
        Where the window with the maximum begins, with max(k) - 1 paddings before the text.
    grad : Tensor of shape (B, F * len(sizes))
    sizes : tuple of int

    Returns
    -------
    _Hits
        One bag for each place and filter, K * F in total, whose rows are words.
    """
    widest = max(sizes)
    by_filter = grad.T  # (F * len(sizes), B)
    mask = by_filter != 0
    hits = _nonzero(mask.flatten())
    shares = by_filter.flatten()[hits]
    padded = functional.pad(positions, (widest - 1, 2 * widest - 2))
    windows = padded.unfold(1, widest, 1)  # (B, W, max(k))
    begin = torch.arange(len(grad), device=grad.device)[:, None] * windows.shape[1] + columns
    words = windows.flatten(0, 1).index_select(0, begin.T.flatten()[hits])  # (n_hits, max(k))
    counts = mask.sum(dim=1).view(len(sizes), -1)
    kernels = counts.sum(dim=1).tolist()
    parts = zip(sizes, words.split(kernels), shares.split(kernels), counts, strict=True)
    row: list[Tensor] = []
    share: list[Tensor] = []
    count: list[Tensor] = []
    for size, word, its_share, its_count in parts:  # place by place
        row += word.unbind(dim=1)[:size]
        share += [its_share] * size
        count += [its_count] * size
    offsets = functional.pad(torch.cat(count).cumsum(0), (1, 0))
    return _Hits(torch.cat(row), torch.cat(share), offsets)


def _nonzero(mask: Tensor) -> Tensor:
    """Return the indices of the true values of a vector."""
    if mask.is_cuda:
        return mask.nonzero().flatten()
    # NumPy's loop has no branches, which the processor could not predict here.
    return torch.from_numpy(np.flatnonzero(mask.numpy()))


def _bag(hits: _Hits, vectors: Tensor) -> Tensor:
    """Add up the vectors of each bag; (n_bags, D)."""
    return functional.embedding_bag(
        hits.row,
        vectors,
        hits.offsets,
        per_sample_weights=hits.share,
        mode="sum",
        include_last_offset=True,
    )
