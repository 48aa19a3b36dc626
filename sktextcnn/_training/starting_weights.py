"""The weights that a network starts from: word vectors, random ones, another model's."""

import os
from typing import Any, cast

import joblib
import numpy as np
import torch
from torch import nn

from sktextcnn._token_ids import PADDING_ID, RESERVED_WORDS

Words = tuple[str, ...] | None

# Kim's range of random vectors; from N(0, 1) accuracy falls by some ten points.
_RANDOM_BOUND = 0.25


def fill_embedding(embedding: nn.Embedding, vectors: np.ndarray | None, seed: int) -> None:
    """Set the rows of an embedding.

    Parameters
    ----------
    embedding : nn.Embedding
        Its frozen copy, if it is multichannel, is set alike.
    vectors : ndarray of shape (num_embeddings, embedding_dim) or None
        The rows; None to draw them from U(-0.25, 0.25), row by row, so that the first rows
        do not depend on how many follow.
    seed : int
        Of the generator that draws.
    """
    if vectors is not None:
        rows = torch.tensor(vectors)
    else:
        generator = torch.Generator().manual_seed(seed)
        rows = torch.empty(embedding.weight.shape)
        rows.uniform_(-_RANDOM_BOUND, _RANDOM_BOUND, generator=generator)
        rows[PADDING_ID] = 0
    with torch.no_grad():
        embedding.weight.copy_(rows)
        if getattr(embedding, "static", None) is not None:
            cast(torch.Tensor, embedding.static).copy_(rows)


def copy_weights(
    source: nn.Module,
    source_words: Words,
    target: nn.Module,
    target_words: Words,
    *,
    with_head: bool,
    purpose: str,
) -> None:
    """Copy the weights of a network into another, which may know other words.

    Parameters
    ----------
    source, target : nn.Module
        The networks.
    source_words, target_words : tuple of str or None
        The word of each id; None where ids came without words. Rows of the embedding are
        matched by word, since ids of another vocabulary mean other words; without words on
        both sides they are matched by id. Other rows of the target stay.
    with_head : bool
        Whether the head is copied too.
    purpose : str
        The parameter that asked for it, for errors.

    Raises
    ------
    ValueError
        If the networks differ in more than their words, or only one side knows its words.
    """
    ours, theirs = target.state_dict(), source.state_dict()
    if not with_head:
        ours, theirs = (
            {name: value for name, value in state.items() if not name.startswith("head.")}
            for state in (ours, theirs)
        )
    if ours.keys() != theirs.keys():
        different = sorted(ours.keys() ^ theirs.keys())
        raise ValueError(
            f"{purpose}: the networks have different layers ({', '.join(different)}). "
            f"architecture, kernel_sizes and hidden_units must be those of the other model, "
            f"and finetune='multichannel' goes with itself only."
        )
    target_rows, source_rows = _matching_rows(source_words, target_words, source, target, purpose)
    with torch.no_grad():
        for name, value in ours.items():
            other = theirs[name].to(value.device)
            if name.startswith("embedding."):
                if value.shape[1] != other.shape[1]:
                    raise ValueError(
                        f"{purpose}: the word vectors have {value.shape[1]} numbers here and "
                        f"{other.shape[1]} in the other model; use vectors of the same width."
                    )
                value[target_rows] = other[source_rows]
            elif value.shape != other.shape:
                raise ValueError(
                    f"{purpose}: {name} has shape {tuple(value.shape)} here and "
                    f"{tuple(other.shape)} in the other model. Set kernel_sizes, num_filters "
                    f"and hidden_units to those of the other model."
                )
            else:
                value.copy_(other)


def _matching_rows(
    source_words: Words, target_words: Words, source: Any, target: Any, purpose: str
) -> tuple[list[int], list[int]]:
    if source_words is None and target_words is None:
        n_rows = min(len(network.embedding.weight) for network in (source, target))
        return list(range(n_rows)), list(range(n_rows))
    if source_words is None or target_words is None:
        which = "the other model" if source_words is None else "X"
        raise ValueError(
            f"{purpose}: words must be matched, but {which} has ids without words. Use what "
            f"TextVectorizer returns, as it is, for both models."
        )
    reserved = len(RESERVED_WORDS)
    row_of = {word: row for row, word in enumerate(source_words) if row >= reserved}
    pairs = [(row, row) for row in range(reserved)]
    pairs += [
        (row, row_of[word])
        for row, word in enumerate(target_words)
        if row >= reserved and word in row_of
    ]
    target_rows, source_rows = zip(*pairs, strict=True)
    return list(target_rows), list(source_rows)


def find_pretrained(source: Any) -> Any:
    """Return the fitted TextCNNClassifier behind `pretrained`.

    Parameters
    ----------
    source : path or FrozenEstimator
        A model saved with sktextcnn.save or joblib, or a fitted one in FrozenEstimator; the
        classifier itself, a Pipeline that ends in it, or a search over either.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If there is no such file, or no fitted TextCNNClassifier behind it.
    """
    from sklearn.frozen import FrozenEstimator

    if isinstance(source, str | os.PathLike):
        if not os.path.isfile(source):
            raise FileNotFoundError(f"pretrained: there is no file {os.fspath(source)!r}.")
        where = os.fspath(source)
        try:
            model = _load(where)
        except Exception as error:
            raise ValueError(
                f"pretrained: {where!r} is no model that can be loaded here: {error!r}. To "
                f"start from word vectors, give them to TextVectorizer(embeddings=...)."
            ) from error
    elif isinstance(source, FrozenEstimator):
        model, where = source.estimator, "the FrozenEstimator"
    else:
        raise TypeError(
            f"pretrained must be the path of a saved model or a FrozenEstimator; got "
            f"{type(source).__name__}. clone() unfits a bare estimator: give "
            f"sklearn.frozen.FrozenEstimator(model)."
        )
    while True:
        if isinstance(model, FrozenEstimator):
            model = model.estimator
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        elif hasattr(model, "steps"):
            model = model.steps[-1][1]
        else:
            break
    if not hasattr(model, "net_") or not hasattr(model, "words_"):
        raise ValueError(
            f"pretrained: {where} holds no fitted TextCNNClassifier, but {type(model).__name__}."
        )
    return model


def _load(path: str) -> Any:
    with open(path, "rb") as file:
        start = file.read(9)
    if start[8:] == b"{":  # The header of a safetensors file.
        from sktextcnn._files import load

        return load(path)
    return joblib.load(path)
