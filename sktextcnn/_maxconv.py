"""Convolution over words with max-over-time pooling, without the convolution.

A convolution over word vectors is a sum of table look-ups: project each distinct word
once, then gather and add. And the maximum over time passes its gradient to one window per
filter and text, so that the backward pass needs no other. Both are exact.

Shapes: B texts, T tokens, U distinct words, D numbers in a vector, W windows, F filters of
a kernel of k words, K the sum of all k.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional

# Words projected at a time where no gradient is needed.
_BLOCK = 256


def max_over_time(
    positions: Tensor, present: Tensor, rows: Tensor, weights: Sequence[Tensor]
) -> Tensor:
    """Return the largest value of each filter over the windows of each text.

    Equal to ``conv1d`` without bias of the vectors ``rows[positions]``, padded by ``k - 1``
    zeros on both sides, and the maximum over those windows that touch a token. A text
    without tokens is one window of zeros.

    Parameters
    ----------
    positions : Tensor of shape (B, T), int64
        Row of each token in `rows`; 0 for padding.
    present : Tensor of shape (B, T), bool
        Where a token is, rather than padding.
    rows : Tensor of shape (U, D)
        Vectors of the distinct words; row 0 is padding and must be zeros.
    weights : sequence of Tensor of shape (F, D, k)
        Kernels as ``torch.nn.Conv1d`` has them, with the same F.

    Returns
    -------
    Tensor of shape (B, F * len(weights))
    """
    if torch.is_grad_enabled():
        return _MaxOverTime.apply(positions, present, rows, *weights)
    # One shape of product whatever the batch, so that its rounding is a word's own.
    kernels = _kernels(weights).T
    padded = functional.pad(rows, (0, 0, 0, -len(rows) % _BLOCK))
    products = torch.cat([block @ kernels for block in padded.split(_BLOCK)])
    return _pool(products, positions, present, weights)[0]


class _MaxOverTime(Function):
    @staticmethod
    def forward(
        ctx: Any, positions: Tensor, present: Tensor, rows: Tensor, *weights: Tensor
    ) -> Tensor:
        products = rows @ _kernels(weights).T
        pooled, hits = _pool(products, positions, present, weights)
        ctx.save_for_backward(rows, *weights, *hits)
        return pooled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        rows, *rest = ctx.saved_tensors
        weights, hits = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        grads = grad.split(weights[0].shape[0], dim=1)  # (B, F) each
        if not ctx.needs_input_grad[2]:
            return None, None, None, *map(_weight_grad, hits, grads, [rows] * len(hits))
        kernels = _kernels(weights)
        products_grad = _products_grad(hits, grads, len(rows))  # (U, K * F)
        weight_grads = (products_grad.T @ rows).view(-1, *weights[0].shape[:2])  # (K, F, D)
        sizes = [weight.shape[2] for weight in weights]
        return (
            None,
            None,
            products_grad @ kernels,
            *(part.permute(1, 2, 0) for part in weight_grads.split(sizes)),
        )


def _kernels(weights: Sequence[Tensor]) -> Tensor:
    """All kernels below each other, place by place; (K * F, D)."""
    places = torch.cat([weight.permute(2, 0, 1) for weight in weights])  # (K, F, D)
    return places.flatten(0, 1)


def _pool(
    products: Tensor, positions: Tensor, present: Tensor, weights: Sequence[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """Add up the windows and find the largest.

    Parameters
    ----------
    products : Tensor of shape (U, K * F)
        Every distinct word times every place of every kernel.

    Returns
    -------
    pooled : Tensor of shape (B, F * len(weights))
    hits : list of Tensor of shape (k, B, F), int64
        The words of the winning windows, place by place.
    """
    n_filters = weights[0].shape[0]
    n_places = sum(weight.shape[2] for weight in weights)
    table = products.view(-1, n_filters)  # One row for each word and place: (U * K, F)
    pooled, hits = [], []
    place = 0
    for weight in weights:
        size = weight.shape[2]
        padding = (size - 1, size - 1)
        windows = functional.pad(positions, padding).unfold(1, size, 1)  # (B, W, k)
        index = windows * n_places + torch.arange(place, place + size, device=windows.device)
        sums = functional.embedding_bag(index.flatten(0, 1), table, mode="sum")
        sums = sums.view(*windows.shape[:2], n_filters)  # (B, W, F)
        best = sums.masked_fill_(~_touched(present, size)[:, :, None], -torch.inf).max(dim=1)
        pooled.append(best.values)
        hits.append(torch.stack([words.gather(1, best.indices) for words in windows.unbind(2)]))
        place += size
    return torch.cat(pooled, dim=1), hits


def _touched(present: Tensor, size: int) -> Tensor:
    """Which windows touch a token; the first one, where a text has none. (B, W), bool."""
    padded = functional.pad(present, (size - 1, size - 1))
    touched = padded.unfold(1, size, 1).any(dim=2)
    touched[:, 0] |= ~present.any(dim=1)
    return touched


def _weight_grad(hits: Tensor, grad: Tensor, rows: Tensor) -> Tensor:
    """Add up the words that each filter's winning windows had; (F, D, k)."""
    size, n_texts, n_filters = hits.shape
    bags = hits.transpose(1, 2).reshape(-1, n_texts)  # (k * F, B)
    shares = grad.T.expand(size, n_filters, n_texts).reshape(-1, n_texts)
    summed = functional.embedding_bag(bags, rows, per_sample_weights=shares, mode="sum")
    return summed.view(size, n_filters, -1).permute(1, 2, 0)


def _products_grad(hits: Sequence[Tensor], grads: Sequence[Tensor], n_words: int) -> Tensor:
    """Send each winner's gradient to its words and places; (U, K * F)."""
    n_filters = grads[0].shape[1]
    n_places = sum(len(words) for words in hits)
    result = grads[0].new_zeros(n_words * n_places * n_filters)
    place = 0
    for words, grad in zip(hits, grads, strict=True):
        size = len(words)
        places = torch.arange(place, place + size, device=words.device)[:, None, None]
        filters = torch.arange(n_filters, device=words.device)
        index = (words * n_places + places) * n_filters + filters  # (k, B, F)
        result.scatter_add_(0, index.flatten(), grad.expand(index.shape).flatten())
        place += size
    return result.view(n_words, -1)
