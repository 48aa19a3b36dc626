"""The exact terms of a logit.

With max-over-time pooling and a linear head, a logit is a sum: the bias and, for each filter,
its weight times its activation. Each filter takes its activation from one window of the text, or
the mean of its activations from one window of each region of a long text. So each term belongs to
an n-gram. Nothing is approximated.

Shapes: B texts, T tokens, F filters of a kernel, C classes, S spans.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from sktextcnn._inspection.attribution import Attribution
from sktextcnn._inspection.max_windows import (
    Batch,
    KernelMaxima,
    Region,
    max_windows,
    regions_of,
    unique_windows,
)
from sktextcnn._network import KimCNN, output_layer


def has_exact_terms(network: nn.Module) -> bool:
    """Whether a logit of the network is a weighted sum of its filters' activations."""
    return type(network) is KimCNN and len(network.head) == 2


def exact_terms(network: KimCNN) -> Callable[[Sequence[np.ndarray]], list[Attribution]]:
    """Make a function that attributes the logits of texts to their n-grams and tokens.

    Parameters
    ----------
    network : KimCNN
        A network for which :func:`has_exact_terms` holds.

    Returns
    -------
    callable
        From the ids of texts, without padding, to their attributions.
    """
    head = output_layer(network)
    weight, bias = (value.detach().cpu().double() for value in (head.weight, head.bias))
    with torch.no_grad():
        at_zero = network.activation(torch.zeros(1, dtype=torch.float64))

    def attribute(documents: Sequence[np.ndarray]) -> list[Attribution]:
        regions = regions_of(network, documents)
        found: dict[int, Attribution] = {}
        with torch.no_grad():
            for batch in max_windows(network, [region.ids for region in regions]):
                attributions = _attributions(batch, weight, bias, at_zero)
                found.update(zip(batch.rows, attributions, strict=True))
        parts: list[list[tuple[Region, Attribution]]] = [[] for _ in documents]
        for row, region in enumerate(regions):
            parts[region.document].append((region, found[row]))
        return [_mean(of_text) for of_text in parts]

    return attribute


def _mean(parts: list[tuple[Region, Attribution]]) -> Attribution:
    """The attribution of a text from those of its regions, whose share is their weight."""
    if len(parts) == 1:
        return parts[0][1]
    regions, each = zip(*parts, strict=True)
    shares = np.array([region.share for region in regions])
    spans = [part.spans + region.first for region, part in parts]
    terms = [region.share * part.contributions for region, part in parts]
    by_token = [region.share * part.token_contributions for region, part in parts]
    return Attribution(
        shares @ np.stack([part.logits for part in each]),
        np.concatenate(spans),
        np.concatenate(terms),
        each[0].remainder,
        np.concatenate(by_token),
        shares @ np.stack([part.token_remainder for part in each]),
    )


def _attributions(batch: Batch, weight: Tensor, bias: Tensor, at_zero: Tensor) -> list[Attribution]:
    """Attribute the logits of a batch."""
    weights = list(weight.T.split([each.values.shape[1] for each in batch.maxima]))  # (F, C) each
    logits = bias + batch.activations() @ weight.T  # (B, C)
    spans, owners, index = unique_windows(_inside(batch))
    by_span = torch.zeros(len(spans), len(bias), dtype=torch.float64)  # (S, C)
    by_token = torch.zeros(*batch.maxima[0].positions.shape, len(bias), dtype=torch.float64)
    parts = index.split([len(part) for part in weights], dim=1)
    for each, to_logits, places in zip(batch.maxima, weights, parts, strict=True):
        terms = each.activations[:, :, None] * to_logits  # (B, F, C)
        by_span.index_add_(0, places.flatten(), terms.flatten(0, 1))
        by_token += _token_terms(each, batch.lengths, at_zero) @ to_logits  # (B, T, C)
    token_remainders = logits - by_token.sum(dim=1)
    counts = torch.bincount(owners, minlength=len(batch.rows)).tolist()
    return [
        _attribution(length, bias, *each)
        for length, *each in zip(
            batch.lengths.tolist(),
            logits,
            spans.split(counts),
            by_span.split(counts),
            by_token,
            token_remainders,
            strict=True,
        )
    ]


def _attribution(
    length: int,
    bias: Tensor,
    logits: Tensor,
    spans: Tensor,
    by_span: Tensor,
    by_token: Tensor,
    token_remainder: Tensor,
) -> Attribution:
    if not length:
        spans, by_span, bias = spans[:0], by_span[:0], logits
    # Copies, or else each would keep the arrays of the whole batch in memory.
    parts = (logits, spans, by_span, bias, by_token[:length], token_remainder)
    return Attribution(*(part.numpy().copy() for part in parts))


def _token_terms(maxima: KernelMaxima, lengths: Tensor, at_zero: Tensor) -> Tensor:
    """Share the activation of each filter, less that for zero input, among tokens; (B, T, F)."""
    values, lengths = maxima.values, lengths[:, None]
    shares = torch.where(values != 0, (maxima.activations - at_zero) / values, 0)  # (B, F)
    filters = torch.arange(values.shape[1])
    terms = torch.zeros(*maxima.positions.shape, values.shape[1], dtype=torch.float64)
    for place in range(maxima.size):
        tokens = maxima.starts + place  # (B, F)
        inside = (tokens >= 0) & (tokens < lengths)
        tokens = torch.where(inside, tokens, 0)
        products = maxima.products[maxima.positions.gather(1, tokens), place, filters]
        amounts = torch.where(inside, products * shares, 0)
        terms.scatter_add_(1, tokens[:, None], amounts[:, None])
    return terms


def _inside(batch: Batch) -> Tensor:
    """The selected windows without what lies outside of the texts."""
    return batch.windows().clip(min=0).minimum(batch.lengths[:, None, None])
