"""The weights that a network starts from: word vectors, random ones, another model's."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import joblib
import numpy as np
import torch
from sklearn.frozen import FrozenEstimator
from torch import nn

from sktextcnn._state import Container, check_versions, from_plain, is_container
from sktextcnn._token_ids import PADDING_ID, RESERVED_WORDS
from sktextcnn._training.net_storage import stored_weights
from sktextcnn._wide import WideModel, check_arrays

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


class SourceModel(NamedTuple):
    """What another model gives to a new one.

    Attributes
    ----------
    purpose : {"pretrained", "warm_start"}
        The parameter that asked for it. With "warm_start" `copy_weights` takes the head too.
    weights : mapping of str to Tensor or ndarray
        The state of its network.
    words : tuple of str or None
        The word of each row of the embedding; None where ids came without words.
    embedding_source : str
        Where its word vectors came from.
    classes : ndarray
        Its classes.
    wide : WideModel or None
        Its wide part, for `purpose` "pretrained".
    """

    purpose: str
    weights: Mapping[str, Any]
    words: Words
    embedding_source: str
    classes: np.ndarray
    wide: WideModel | None = None

    @property
    def embedding_dim(self) -> int:
        return int(self.weights["embedding.weight"].shape[1])


def copy_weights(source: SourceModel, target: nn.Module, target_words: Words) -> None:
    """Copy the weights of a network into another, which may know other words.

    Parameters
    ----------
    source : SourceModel
        Where to copy from.
    target : nn.Module
        The network that gets the weights.
    target_words : tuple of str or None
        The word of each id; None where ids came without words. Rows of the embedding are
        matched by word, since ids of another vocabulary mean other words; without words on
        both sides they are matched by id. Other rows of the target stay.

    Raises
    ------
    ValueError
        If the networks differ in more than their words, or only one side knows its words.
    """
    purpose = source.purpose
    ours, theirs = target.state_dict(), dict(source.weights)
    if purpose == "pretrained":
        ours, theirs = (
            {name: value for name, value in state.items() if not name.startswith("head.")}
            for state in (ours, theirs)
        )
    if ours.keys() != theirs.keys():
        different = sorted(ours.keys() ^ theirs.keys())
        raise ValueError(
            f"{purpose}: the networks have different layers ({', '.join(different)}). "
            f"architecture, kernel_sizes and hidden_units must be those of the other model, "
            f"and finetune must be 'multichannel' in both or in neither."
        )
    n_ids = len(ours["embedding.weight"])
    target_rows, source_rows = _matching_rows(source, n_ids, target_words)
    with torch.no_grad():
        for name, value in ours.items():
            other = _tensor(theirs[name]).to(value.device)
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


def head_of(source: SourceModel, target: nn.Module) -> dict[str, torch.Tensor]:
    """Return the weights of the source's head; none if it is not one for the target."""
    ours, theirs = (
        {name: _tensor(value) for name, value in state.items() if name.startswith("head.")}
        for state in (target.state_dict(), source.weights)
    )
    shapes, of_theirs = ({name: w.shape for name, w in each.items()} for each in (ours, theirs))
    return theirs if shapes == of_theirs else {}


def wide_of(source: SourceModel, n_ids: int, target_words: Words) -> WideModel | None:
    """Return the source's wide part for the ids of the target, matched like those of rows."""
    if source.wide is None:
        return None
    target_rows, source_rows = _matching_rows(source, n_ids, target_words)
    new_ids = np.full(len(source.weights["embedding.weight"]), PADDING_ID, dtype=np.int64)
    new_ids[source_rows] = target_rows
    return source.wide.recoded(new_ids)


def _tensor(value: Any) -> torch.Tensor:
    # Copied, as arrays of a file are read-only.
    return value if isinstance(value, torch.Tensor) else torch.tensor(value)


def _matching_rows(
    source: SourceModel, n_ids: int, target_words: Words
) -> tuple[list[int], list[int]]:
    source_words = source.words
    if source_words is None and target_words is None:
        n_rows = min(n_ids, len(source.weights["embedding.weight"]))
        return list(range(n_rows)), list(range(n_rows))
    if source_words is None or target_words is None:
        which = "the other model" if source_words is None else "X"
        raise ValueError(
            f"{source.purpose}: words must be matched, but {which} has ids without words. Use what "
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


def find_pretrained(source: Any) -> SourceModel:
    """Return the weights of the model that `pretrained` names.

    Parameters
    ----------
    source : path or FrozenEstimator
        A model saved with sktextcnn.save or joblib, or a fitted one in FrozenEstimator; the
        classifier itself, a Pipeline that ends in it, or a search over either.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If there is no such file, or it holds no fitted TextCNNClassifier.
    """
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        if not os.path.isfile(path):
            raise FileNotFoundError(f"pretrained: there is no file {path!r}.")
        try:
            model = Container(path) if is_container(path) else joblib.load(path)
        except Exception as error:
            raise ValueError(
                f"pretrained: {path!r} is not a model that can be loaded here: {error!r}. To "
                f"start from word vectors, give them to TextVectorizer(embeddings=...)."
            ) from error
        of_model = _of_container if isinstance(model, Container) else _of_estimator
        return of_model(model, repr(path))
    if isinstance(source, FrozenEstimator):
        return _of_estimator(source.estimator, "the FrozenEstimator")
    raise TypeError(
        f"pretrained must be the path of a saved model or a FrozenEstimator; got "
        f"{type(source).__name__}. clone() unfits a bare estimator: give "
        f"sklearn.frozen.FrozenEstimator(model)."
    )


def _of_estimator(model: Any, where: str) -> SourceModel:
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
        raise _no_classifier(where, type(model).__name__)
    weights = model.net_.module_.state_dict()
    source = model.embedding_source_
    return SourceModel("pretrained", weights, model.words_, source, model.classes_, model._wide)


def _no_classifier(where: str, kind: str) -> ValueError:
    return ValueError(
        f"pretrained: {where} does not hold a fitted TextCNNClassifier, but {kind:.80}."
    )


def _of_container(container: Container, where: str) -> SourceModel:
    """Read the weights and the words, without making an estimator."""
    with container.content_errors():
        prefix, step = "", container.model
        while step["kind"] == "Pipeline":
            name, step = step["steps"][-1]
            prefix += f"{name}__"
        kind = str(step["kind"])
    if kind != "TextCNNClassifier":
        raise _no_classifier(where, kind)
    with container.content_errors():
        fitted = step["fitted"]
        check_versions(kind, fitted)
        table = container.table(fitted["_table"])
        stored = fitted["net_"]
        weights = {name: container.tensors[prefix + name] for name in stored["weights"]}
        weights = stored_weights({"weights": weights, "shared": stored["shared"]}, table)
        words = None if table is None else table.words
        if words is not None and len(words) != len(weights["embedding.weight"]):
            raise ValueError("the embedding does not have a row for each word")
        embedding_source, classes = str(fitted["embedding_source_"]), from_plain(fitted["classes_"])
        wide = None
        if fitted.get("_wide") is not None:
            arrays = {name: container.tensors[f"{prefix}wide.{name}"] for name in fitted["_wide"]}
            check_arrays(arrays, len(weights["embedding.weight"]), len(classes))
            wide = WideModel(**arrays)
        return SourceModel("pretrained", weights, words, embedding_source, classes, wide)
