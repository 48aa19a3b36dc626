"""The windows that max-over-time pooling selects, in double precision and for many texts at once.

Shapes: B texts, T tokens, D numbers in a vector, F filters of a kernel of k words, W windows,
U distinct words.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from sktextcnn._inspection.word_vectors import word_vectors
from sktextcnn._network import KimCNN
from sktextcnn._token_ids import PADDING_ID

# Tokens in a batch, padding included, unless one text alone has more. This bounds the memory
# that the products of words and the sums of windows take.
_TOKENS_AT_ONCE = 1 << 12


class Region(NamedTuple):
    """A part of a text that has maxima of its own."""

    document: int
    first: int  # its first token
    ids: np.ndarray
    share: float  # of the tokens of the text


def regions_of(network: KimCNN, documents: Sequence[np.ndarray]) -> list[Region]:
    """Divide texts, given as ids without padding, as the network does."""
    found = []
    for document, ids in enumerate(documents):
        size = network.pool_size or max(1, len(ids))
        for first in range(0, max(1, len(ids)), size):
            part = ids[first : first + size]
            found.append(Region(document, first, part, len(part) / len(ids) if len(ids) else 1.0))
    return found


class Batch(NamedTuple):
    """Texts, or regions of texts, of similar length.

    Attributes
    ----------
    rows : list of int of length B
        Where the texts are among all documents.
    lengths : Tensor of shape (B,), int64
        Numbers of tokens.
    maxima : list of KernelMaxima
        One for each kernel.
    """

    rows: list[int]
    lengths: Tensor
    maxima: list["KernelMaxima"]

    def activations(self) -> Tensor:
        """Activations of the filters of all kernels; (B, F * number of kernels)."""
        return torch.cat([each.activations for each in self.maxima], dim=1)

    def windows(self) -> Tensor:
        """The selected windows; (B, F * number of kernels, 2).

        Their first token and the one after their last, which may lie outside of the text.
        """
        starts = torch.cat([each.starts for each in self.maxima], dim=1)
        stops = torch.cat([each.starts + each.size for each in self.maxima], dim=1)
        return torch.stack([starts, stops], dim=2)


class KernelMaxima(NamedTuple):
    """The largest window of each filter of one kernel, in each text of a batch.

    Attributes
    ----------
    size : int
        Width of the kernel.
    values : Tensor of shape (B, F), float64
        Outputs of the convolution for these windows, with the bias.
    activations : Tensor of shape (B, F), float64
        Outputs of the activation.
    starts : Tensor of shape (B, F), int64
        The first token of each window; negative before the beginning of the text.
    products : Tensor of shape (U, k, F), float64
        Products of distinct words with the places of the kernel.
    positions : Tensor of shape (B, T), int64
        The row of `products` of each token.
    """

    size: int
    values: Tensor
    activations: Tensor
    starts: Tensor
    products: Tensor
    positions: Tensor


def max_windows(network: KimCNN, documents: Sequence[np.ndarray]) -> Iterator[Batch]:
    """Find the window of each text that each filter takes its maximum from.

    Parameters
    ----------
    network : KimCNN
        The network.
    documents : sequence of ndarray of int
        The ids of each text, without padding.

    Yields
    ------
    Batch
        Some of the documents; every document is in one batch. In a document without tokens the
        value of each window is the bias.
    """
    convs = [
        (conv.weight.detach().cpu().double(), conv.bias.detach().cpu().double())
        for conv in cast(list[Any], network.convs)
    ]
    for rows in _of_similar_length([len(document) for document in documents]):
        ids = nn.utils.rnn.pad_sequence(
            [torch.from_numpy(documents[row].astype(np.int64)) for row in rows],
            batch_first=True,
            padding_value=PADDING_ID,
        )
        lengths = torch.tensor([len(documents[row]) for row in rows])
        if not ids.shape[1]:
            ids = torch.full((len(rows), 1), PADDING_ID)
        words, positions = ids.unique(return_inverse=True)
        vectors = word_vectors(network, words.numpy()).double()  # (U, D)
        vectors[words == PADDING_ID] = 0
        with torch.no_grad():
            maxima = [
                _maxima(vectors, positions, lengths, kernel, bias, network.activation)
                for kernel, bias in convs
            ]
        yield Batch(rows, lengths, maxima)


def unique_windows(windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Find the distinct windows of each text.

    Parameters
    ----------
    windows : Tensor of shape (B, F, 2), int64
        The first token and the one after the last.

    Returns
    -------
    unique : Tensor of shape (S, 2)
        The windows of the first text, then those of the second, and so on.
    owners : Tensor of shape (S,)
        The text of each.
    index : Tensor of shape (B, F)
        The row of `unique` of each window.
    """
    least = windows.min()
    width = windows.max() - least + 1
    first, stop = (windows - least).unbind(dim=2)
    texts = torch.arange(len(windows))[:, None]
    # As numbers, which are sorted faster than rows.
    codes, index = ((texts * width + first) * width + stop).unique(return_inverse=True)
    unique = torch.stack([codes // width % width, codes % width], dim=1) + least
    return unique, codes // (width * width), index


def _of_similar_length(lengths: list[int]) -> Iterator[list[int]]:
    """Yield rows of documents, sorted by length, in batches of _TOKENS_AT_ONCE."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * max(lengths[row], 1) > _TOKENS_AT_ONCE:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _maxima(
    vectors: Tensor,
    positions: Tensor,
    lengths: Tensor,
    kernel: Tensor,
    bias: Tensor,
    activation: nn.Module,
) -> KernelMaxima:
    n_texts, n_tokens = positions.shape
    n_filters, dim, size = kernel.shape
    products = vectors @ kernel.permute(1, 2, 0).reshape(dim, size * n_filters)
    products = products.view(-1, size, n_filters)  # (U, k, F)
    sums = torch.zeros(n_texts, n_tokens + size - 1, n_filters, dtype=torch.float64)  # (B, W, F)
    for place in range(size):
        first = size - 1 - place
        sums[:, first : first + n_tokens] += products[:, place][positions]
    # Windows of padding alone do not count, except in a text without tokens.
    starts = torch.arange(n_tokens + size - 1) - (size - 1)
    outside = starts >= lengths.clip(min=1)[:, None]  # (B, W)
    values, windows = sums.masked_fill_(outside[:, :, None], -torch.inf).max(dim=1)
    values = values + bias
    return KernelMaxima(size, values, activation(values), windows - (size - 1), products, positions)
