"""The networks.

A network maps token ids of shape (n_texts, n_tokens) to logits of shape
(n_texts, num_outputs). It has an `embedding`, convolutions and a `head`. Id 0 is padding,
whose vector is zeros, and id 1 is the unknown word.

Shapes: B texts, T tokens, D the size of a word vector, F filters.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from sktextcnn._network.max_over_time import max_of_products, max_over_time, max_over_time_dense
from sktextcnn._network.products import Products
from sktextcnn._network.random_numbers import own_rows, uniform, uniform_like
from sktextcnn._token_ids import PADDING_ID, UNKNOWN_ID

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "sigmoid": nn.Sigmoid,
    "identity": nn.Identity,
}

# Ids whose words are marked at a time, which bounds the memory of their indices.
_IDS_AT_ONCE = 1 << 20


class WordEmbedding(nn.Embedding):
    """Word vectors, and the replacing of some tokens with the unknown word in training.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Number of ids, and size of their vectors.
    token_dropout : float, default=0.0
        Share of tokens that are replaced with the unknown word in training. This trains the
        vector of the unknown word and keeps the network from depending on single words.
    multichannel : bool, default=False
        Add a second, frozen copy of the vectors to the tuned one (Kim, 2014, section 2.1).
        There each filter is applied to both channels and the results are added. Since a
        convolution is linear, this equals the convolution of the sum of both channels.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        token_dropout: float = 0.0,
        multichannel: bool = False,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx=PADDING_ID)
        self.token_dropout = token_dropout
        static = torch.empty(num_embeddings, embedding_dim) if multichannel else None
        self.register_buffer("static", static)

    def reset_parameters(self) -> None:
        # The caller sets the rows. Without random numbers here, the other layers start the same
        # for any number of words, and no memory is written twice.
        pass

    def forward(self, ids: Tensor) -> Tensor:
        """Return the vectors of all tokens; (B, T, D)."""
        return self.vectors(ids)

    def distinct(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return the vectors of the distinct words, and the row of each token's word.

        Returns
        -------
        rows : Tensor of shape (U, D)
            Row 0 is padding, even if it does not occur.
        positions : Tensor of shape (B, T), int32
            The row of each token's word.
        """
        # Marking the words in the vocabulary is much faster than sorting them.
        occurs = torch.zeros(self.num_embeddings, dtype=torch.bool, device=ids.device)
        occurs[PADDING_ID] = True
        occurs[ids.flatten()] = True
        words = occurs.nonzero().flatten()
        row_of = torch.empty(self.num_embeddings, dtype=torch.int32, device=words.device)
        row_of[words] = torch.arange(len(words), dtype=torch.int32, device=words.device)
        return self.vectors(words), row_of[ids]

    def drop(self, ids: Tensor) -> Tensor:
        """Replace some tokens in training. `ids` has all rows of the batch."""
        if not self.training or self.token_dropout == 0:
            return ids
        dropped = uniform(ids.shape, ids.device) < self.token_dropout
        return ids.masked_fill(dropped & (ids != PADDING_ID), UNKNOWN_ID)

    @property
    def matrices(self) -> list[Tensor]:
        """Return the matrices of all channels; each (num_embeddings, embedding_dim)."""
        return [self.weight] if self.static is None else [self.weight, cast(Tensor, self.static)]

    def vectors(self, ids: Tensor) -> Tensor:
        """Return the vectors of words without token dropout; (..., D)."""
        vectors = super().forward(ids)
        if self.static is not None:
            vectors = vectors + functional.embedding(ids, cast(Tensor, self.static))
        return vectors


class _Network(nn.Module):
    """A module that is quickly switched to the mode that it is in.

    skorch switches the mode at each step, and torch then sets an attribute of each submodule.
    """

    def train(self, mode: bool = True) -> Self:
        if any(module.training != mode for module in self.modules()):
            super().train(mode)
        return self


class KimCNN(_Network):
    """Parallel convolutions with max-over-time pooling (Kim, 2014, section 2).

    The maximum is over all windows that touch a token, as if the text had ``kernel_size - 1``
    words of padding on both sides. Windows of padding only are left out. The outputs therefore
    do not depend on the amount or the side of the padding, nor on the other samples in the
    batch. A text without tokens is one window of padding.

    A text of more than `pool_size` tokens is divided into regions of so many tokens, as if each
    were a text, and the mean of their activations, weighted by their numbers of tokens, goes to
    the head: a maximum over a long text says whether something is there, but not how often.
    Johnson and Zhang (2015, section 2.1) divide texts likewise.

    Parameters
    ----------
    num_embeddings, embedding_dim, num_outputs : int
        Number of ids, size of their vectors, and number of logits.
    kernel_sizes : sequence of int, default=(3, 4, 5)
        The kernel sizes of the convolutions, in words.
    num_filters : int, default=100
        Number of filters of each kernel size.
    hidden_units : int, default=0
        Number of units of a layer between pooling and output; 0 for no such layer.
    activation : str, default="relu"
        The activation after the convolutions and the hidden layer; a key of ``ACTIVATIONS``.
    pool_size : int or None, default=None
        The number of tokens that a maximum is over at most; None for the whole text.
    dropout : float, default=0.5
        Share of pooled features, and of outputs of the hidden layer, that are dropped in training.
    token_dropout, multichannel
        See :class:`WordEmbedding`.
    convolution : {"lookup", "dense"}, default="lookup"
        Whether to compute the convolutions by look-ups of the products of each distinct word,
        or by ``conv1d``. Outputs and gradients are the same up to rounding.

    References
    ----------
    Johnson and Zhang (2015), Effective Use of Word Order for Text Categorization with
    Convolutional Neural Networks, NAACL.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        num_outputs: int,
        kernel_sizes: Sequence[int] = (3, 4, 5),
        num_filters: int = 100,
        hidden_units: int = 0,
        activation: str = "relu",
        dropout: float = 0.5,
        token_dropout: float = 0.0,
        multichannel: bool = False,
        convolution: str = "lookup",
        pool_size: int | None = None,
    ) -> None:
        super().__init__()
        if pool_size is not None and (not isinstance(pool_size, int) or pool_size < 1):
            raise ValueError(f"pool_size must be an int of at least 1, or None; got {pool_size!r}.")
        self.convolution, self.pool_size = convolution, pool_size
        self.embedding = WordEmbedding(num_embeddings, embedding_dim, token_dropout, multichannel)
        self.convs = nn.ModuleList(
            nn.Conv1d(embedding_dim, num_filters, size, padding=size - 1) for size in kernel_sizes
        )
        for conv in cast(list[nn.Conv1d], self.convs):
            # Stored place by place, which is the order of the products.
            conv.weight.data = conv.weight.data.permute(2, 0, 1).contiguous().permute(1, 2, 0)
        self.activation = ACTIVATIONS[activation]()
        num_features = num_filters * len(self.convs)
        self.head = _head(num_features, hidden_units, num_outputs, activation, dropout)
        self._products = Products()

    def train(self, mode: bool = True) -> Self:
        """Switch to training or evaluation; training discards the remembered products."""
        if mode:
            self._products.forget()
        super().train(mode)
        return self

    def remember(self, ids: Tensor) -> None:
        """Multiply all words of ids of shape (n, T), before they are predicted in batches."""
        if self.convolution != "lookup" or self.training:
            return
        occurs = torch.zeros(self.embedding.num_embeddings, dtype=torch.bool, device=ids.device)
        for some in ids.flatten().split(_IDS_AT_ONCE):
            occurs[some] = True
        weights = [cast(Tensor, conv.weight) for conv in self.convs]
        self._products.remember(occurs.nonzero().flatten(), self.embedding, weights)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.features(ids))

    def features(self, ids: Tensor) -> Tensor:
        """Return the inputs of the head; (B, F * number of kernels)."""
        ids = _trim(ids)
        if self.pool_size is None or ids.shape[1] <= self.pool_size:
            return self._activations(own_rows(self.embedding.drop(ids)))
        regions, text, share = _regions(ids, self.pool_size)
        regions = self.embedding.drop(regions)
        texts = own_rows(torch.arange(len(ids), device=ids.device))
        if len(texts) < len(ids):
            own = torch.isin(text, texts)
            regions, text, share = regions[own], torch.searchsorted(texts, text[own]), share[own]
        parts = self._activations(regions)
        parts = parts * share[:, None].to(parts.dtype)
        return parts.new_zeros(len(texts), parts.shape[1]).index_add(0, text, parts)

    def _activations(self, ids: Tensor) -> Tensor:
        weights = [cast(Tensor, conv.weight) for conv in self.convs]
        if self.convolution == "lookup" and not (torch.is_grad_enabled() or self.training):
            products, positions = self._products.products_for(ids, self.embedding, weights)
            pooled = max_of_products(positions, products, [weight.shape[2] for weight in weights])
        else:
            self._products.forget()
            convolve = max_over_time if self.convolution == "lookup" else max_over_time_dense
            rows, positions = self.embedding.distinct(ids)
            pooled = convolve(positions, rows, weights)
        # The bias does not change which window is largest.
        bias = torch.cat([cast(Tensor, conv.bias) for conv in self.convs])
        return self.activation(pooled + bias)


class StackedCNN(_Network):
    """A stack of convolutions with max pooling between them.

    The layers are an embedding, the convolutions with max pooling between them, a maximum over
    time, a dense layer and the output. This is the network of Keras's example "Using pre-trained
    word embeddings" without its third convolution. Padding is treated like tokens, as in Keras.
    Texts that are too short for the stack are padded on the right to its minimum length.

    Parameters
    ----------
    num_embeddings, embedding_dim, num_outputs : int
        Number of ids, size of their vectors, and number of logits.
    kernel_sizes : sequence of int, default=(5, 5)
        The kernel size of each convolution, in order.
    num_filters : int, default=128
        Number of filters of each convolution.
    hidden_units : int, default=128
        Number of units of the dense layer; 0 for no such layer.
    activation : str, default="relu"
        The activation after the convolutions and the dense layer; a key of ``ACTIVATIONS``.
    dropout : float, default=0.5
        Share of the inputs and outputs of the dense layer that are dropped in training.
    token_dropout, multichannel
        See :class:`WordEmbedding`.
    """

    POOL_SIZE = 5

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        num_outputs: int,
        kernel_sizes: Sequence[int] = (5, 5),
        num_filters: int = 128,
        hidden_units: int = 128,
        activation: str = "relu",
        dropout: float = 0.5,
        token_dropout: float = 0.0,
        multichannel: bool = False,
    ) -> None:
        super().__init__()
        self.embedding = WordEmbedding(num_embeddings, embedding_dim, token_dropout, multichannel)
        widths = [embedding_dim, *[num_filters] * (len(kernel_sizes) - 1)]
        self.convs = nn.ModuleList(
            nn.Conv1d(width, num_filters, size)
            for width, size in zip(widths, kernel_sizes, strict=True)
        )
        self.activation = ACTIVATIONS[activation]()
        self.head = _head(num_filters, hidden_units, num_outputs, activation, dropout)
        self.min_length = 1
        for i, size in enumerate(reversed(kernel_sizes)):
            if i > 0:
                self.min_length *= self.POOL_SIZE
            self.min_length += size - 1

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.features(ids))

    def features(self, ids: Tensor) -> Tensor:
        """Return the inputs of the head; (B, F)."""
        ids = functional.pad(ids, (0, max(0, self.min_length - ids.shape[1])), value=PADDING_ID)
        hidden = self.embedding(own_rows(self.embedding.drop(ids))).transpose(1, 2)  # (B, D, T)
        for i, conv in enumerate(self.convs):
            if i > 0:
                hidden = functional.max_pool1d(hidden, self.POOL_SIZE)  # (B, F, T // 5)
            hidden = self.activation(conv(hidden))  # (B, F, T - size + 1)
        return hidden.max(dim=2).values


class Dropout(nn.Dropout):
    """torch's dropout, with random numbers that take a third of the time on the CPU."""

    def forward(self, features: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return features
        return features * (uniform_like(features) >= self.p) / (1 - self.p)


ARCHITECTURES: dict[str, type[nn.Module]] = {"kim": KimCNN, "stacked": StackedCNN}


def _head(
    num_features: int, hidden_units: int, num_outputs: int, activation: str, dropout: float
) -> nn.Sequential:
    layers: list[nn.Module] = [Dropout(dropout)]
    if hidden_units:
        layers += [
            nn.Linear(num_features, hidden_units),
            ACTIVATIONS[activation](),
            Dropout(dropout),
        ]
    layers.append(nn.Linear(hidden_units or num_features, num_outputs))
    return nn.Sequential(*layers)


def _trim(ids: Tensor) -> Tensor:
    """Remove the columns at both ends that are padding in every text."""
    used = ids.amax(dim=0).nonzero()
    if len(used) == 0:
        return ids[:, :1]
    return ids[:, int(used[0]) : int(used[-1]) + 1]


def _regions(ids: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Divide texts into regions, from their first token on.

    Returns
    -------
    regions : Tensor of shape (R, size)
        The ids of those that have tokens. A text without tokens has one region.
    text : Tensor of shape (R,)
        The row of the text of each.
    share : Tensor of shape (R,), float64
        The share of the tokens of its text.
    """
    n_texts, n_tokens = ids.shape
    first = (ids != PADDING_ID).int().argmax(dim=1, keepdim=True)
    column = torch.arange(n_tokens, device=ids.device) + first
    ids = ids.gather(1, column.clip(max=n_tokens - 1)).masked_fill(column >= n_tokens, PADDING_ID)
    n_regions = -(-n_tokens // size)
    ids = functional.pad(ids, (0, n_regions * size - n_tokens), value=PADDING_ID)
    regions = ids.view(n_texts * n_regions, size)
    counts = (regions != PADDING_ID).sum(dim=1).view(n_texts, n_regions)
    share = counts.double() / counts.sum(dim=1, keepdim=True).clip(min=1)
    # The first region has tokens unless the text has none.
    share[:, 0] += counts[:, 0] == 0
    kept = share.flatten().nonzero().flatten()
    return regions[kept], kept // n_regions, share.flatten()[kept]


def network_class(
    architecture: str | type[nn.Module],
    chosen: Mapping[str, Any],
    others: Mapping[str, Any],
) -> tuple[type[nn.Module], dict[str, Any]]:
    """Return the class of a network and the parameters that it takes.

    Parameters
    ----------
    architecture : str or subclass of nn.Module
        A key of ``ARCHITECTURES`` or the class itself.
    chosen : mapping
        Parameters that the user has set, and that the class must therefore take.
    others : mapping
        Parameters that the class may take.

    Returns
    -------
    network : subclass of nn.Module
    params : dict
        The parameters of `chosen` and `others` that the class takes.

    Raises
    ------
    ValueError
        If the architecture is not a subclass of ``nn.Module``, or does not take a chosen parameter.
    """
    network = ARCHITECTURES[architecture] if isinstance(architecture, str) else architecture
    if not issubclass(network, nn.Module):
        raise ValueError(
            f"architecture must be {', '.join(map(repr, ARCHITECTURES))} or a subclass of "
            f"torch.nn.Module; got {network!r}."
        )
    signature = inspect.signature(network).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in signature.values())
    refused = sorted(name for name in chosen if name not in signature)
    if refused and not takes_all:
        raise ValueError(
            f"architecture {network.__name__} does not take {', '.join(refused)}. Leave them at "
            f"their defaults, or name them in its __init__."
        )
    params = {**others, **chosen}
    return network, {k: v for k, v in params.items() if takes_all or k in signature}


def check_network(network: nn.Module, n_ids: int, dim: int) -> None:
    """Raise a ValueError if a network does not have the parts that training needs."""
    name = type(network).__name__
    embedding = getattr(network, "embedding", None)
    if not isinstance(embedding, nn.Embedding):
        raise ValueError(
            f"architecture {name} must have a torch.nn.Embedding as its attribute `embedding`."
        )
    if embedding.weight.shape != (n_ids, dim):
        raise ValueError(
            f"architecture {name} has an embedding of shape {tuple(embedding.weight.shape)}; "
            f"expected (num_embeddings, embedding_dim) = ({n_ids}, {dim})."
        )
    if not _linear_layers(network):
        raise ValueError(
            f"architecture {name} must have its last layers, which end in a torch.nn.Linear, as "
            f"its attribute `head`."
        )


def check_scalable(network: nn.Module, ids: Tensor) -> None:
    """Raise a ValueError if a multiple of the output layer does not multiply the logits."""
    network.eval()
    parameters = list(output_layer(network).parameters())
    with torch.no_grad():
        logits = network(ids)
        for factor in (2.0, 0.5):  # without rounding
            for parameter in parameters:
                parameter.mul_(factor)
            if factor == 2.0:
                doubled = network(ids)
    if not torch.allclose(doubled, 2 * logits, rtol=1e-4, atol=1e-6, equal_nan=True):
        raise ValueError(
            f"wide=True scales the last torch.nn.Linear of the head, but the logits of architecture"
            f" {type(network).__name__} are not the outputs of this layer. Make it the last layer, "
            f"or set wide=False."
        )


def output_layer(network: nn.Module) -> nn.Linear:
    """Return the last linear layer of the head."""
    return _linear_layers(network)[-1]


def _linear_layers(network: nn.Module) -> list[nn.Linear]:
    head = getattr(network, "head", None)
    layers = head.modules() if isinstance(head, nn.Module) else ()
    return [layer for layer in layers if isinstance(layer, nn.Linear)]
