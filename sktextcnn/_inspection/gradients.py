"""Integrated gradients (Sundararajan, Taly and Yan, 2017), by Captum.

Shapes: B texts, T tokens, D numbers in a vector, C classes.
"""

import copy
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from sktextcnn._inspection.attribution import Attribution
from sktextcnn._inspection.word_vectors import word_vectors
from sktextcnn._network import KimCNN, WordEmbedding
from sktextcnn._token_ids import PADDING_ID, UNKNOWN_ID

_STEPS = 64
# Tokens in a batch of steps, which bounds the memory that long texts take.
_TOKENS_AT_ONCE = 1 << 14


def integrated_gradients(
    network: nn.Module, pad: Callable[[np.ndarray], np.ndarray]
) -> Callable[[Sequence[np.ndarray]], list[Attribution]]:
    """Make a function that attributes the logits of texts to their tokens.

    Parameters
    ----------
    network : nn.Module
        Any network of the classifier.
    pad : callable
        From the ids of a text to the row of ids that the network gets.

    Returns
    -------
    callable
        From the ids of texts, without padding, to their attributions.

    Raises
    ------
    ImportError
        If Captum is not installed; the message names the extra to install.
    """
    try:
        from captum.attr import IntegratedGradients
    except ImportError as error:
        raise ImportError(
            "explain needs Captum for networks other than 'kim' without hidden units: "
            "pip install 'sktextcnn[explain]'."
        ) from error
    with torch.inference_mode(False):
        outputs = _outputs_of_vectors(network)

    def attribute(ids: np.ndarray) -> Attribution:
        n_tokens = len(ids)
        present = torch.from_numpy(pad(ids) != PADDING_ID)
        vectors = word_vectors(network, ids).double()[None]  # (1, T, D)
        with torch.no_grad():
            logits = outputs(vectors, present)[0].numpy()
        gradients = IntegratedGradients(lambda vectors: outputs(vectors, present))
        by_token = np.zeros((n_tokens, len(logits)))
        for column in range(len(logits) if n_tokens else 0):
            parts = gradients.attribute(
                vectors,
                target=column,
                n_steps=_STEPS,
                internal_batch_size=max(1, min(_STEPS, _TOKENS_AT_ONCE // n_tokens)),
            )
            by_token[:, column] = parts[0].sum(dim=1).detach().numpy()
        spans = np.stack([np.arange(n_tokens), np.arange(n_tokens) + 1], axis=1)
        remainder = logits - by_token.sum(axis=0)
        return Attribution(logits, spans, by_token, remainder, by_token, remainder)

    return lambda documents: [attribute(ids) for ids in documents]


def _outputs_of_vectors(network: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    """Make the network a function of the vectors of its tokens."""
    reserved = word_vectors(network, np.array([PADDING_ID, UNKNOWN_ID])).double()  # (2, D)
    tables = [
        value
        for name, value in network.state_dict(keep_vars=True).items()
        if name.startswith("embedding.")
    ]
    # The tables are not copied, since they are replaced at once.
    inner = copy.deepcopy(network, {id(table): table for table in tables})
    embedding = cast(nn.Embedding, inner.embedding)
    embedding.weight = nn.Parameter(torch.zeros_like(reserved))
    embedding.sparse = False
    if isinstance(embedding, WordEmbedding):
        embedding.register_buffer("static", None)
    if isinstance(inner, KimCNN):
        # Products of words must not be remembered while their vectors change.
        inner.convolution = "dense"
    inner = inner.cpu().double().eval()

    def outputs(vectors: Tensor, present: Tensor) -> Tensor:
        """Return logits for vectors (B, T, D) at the places that are `present` in a row of ids."""
        n_texts, n_tokens, dim = vectors.shape
        table = torch.cat([reserved, vectors.reshape(-1, dim)])
        embedding.num_embeddings = len(table)
        ids = torch.zeros(n_texts, len(present), dtype=torch.int64)
        ids[:, present] = torch.arange(len(reserved), len(table)).view(n_texts, n_tokens)
        return functional_call(inner, {"embedding.weight": table}, (ids,))

    return outputs
