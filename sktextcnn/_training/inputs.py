"""Validation of the token ids that are passed to the classifier."""

from typing import Any

import numpy as np
from sklearn.utils import check_array

from sktextcnn._token_ids import UNKNOWN_ID, TokenIds, TokenTable, lost_table

_REMEDY = (
    "Put TextVectorizer before the classifier: "
    "make_pipeline(TextVectorizer(), TextCNNClassifier())."
)


def check_token_ids(X: Any, name: str = "X") -> tuple[np.ndarray, TokenTable | None]:
    """Validate token ids.

    Parameters
    ----------
    X : TokenIds or array-like of int, shape (n_texts, n_tokens)
        The token ids.
    name : str, default="X"
        The name of the parameter in error messages.

    Returns
    -------
    ids : ndarray of shape (n_texts, n_tokens), dtype int32
    table : TokenTable or None
        The words and vectors that they refer to; None for plain ids.

    Raises
    ------
    TypeError, ValueError
        If X holds texts, counts, fractions or negative numbers, or has another shape.
    """
    if isinstance(X, TokenIds) and X.table is not None and X.ndim == 2 and X.size:
        values = X.view(np.ndarray)  # int32, as the vectorizer made it
    else:
        _check_dtype(X, name)
        values = check_array(X, estimator="TextCNNClassifier", input_name=name)
    if values.min() < 0:
        raise ValueError(
            f"Negative values in data passed to TextCNNClassifier: {name} must hold token "
            f"ids, which begin at 0."
        )
    if values.dtype.kind == "f" and (fractions := values != np.floor(values)).any():
        raise ValueError(
            f"{name} must hold token ids, which are whole numbers; got "
            f"{values[fractions][0]}. {_REMEDY}"
        )
    if values.max() >= np.iinfo(np.int32).max:
        raise ValueError(f"{name} must hold token ids below 2**31 - 1; got {values.max()}.")
    ids = np.ascontiguousarray(values, dtype=np.int32)
    return ids, X.table if isinstance(X, TokenIds) else None


def _check_dtype(X: Any, name: str) -> None:
    if hasattr(X, "tocsr"):
        raise TypeError(
            f"{name} is a sparse matrix, but TextCNNClassifier takes token ids, not counts or "
            f"TF-IDF. {_REMEDY}"
        )
    try:
        values = np.asarray(X)
    except ValueError as error:
        raise ValueError(
            f"{name} must be a matrix of token ids whose rows all have the same length, shorter "
            f"ones padded with 0: {error}. {_REMEDY}"
        ) from error
    kind = values.dtype.kind
    objects = values.ravel().tolist() if kind == "O" else []
    if kind in "US" or any(isinstance(value, str | bytes) for value in objects):
        raise ValueError(f"{name} holds texts, but TextCNNClassifier takes token ids. {_REMEDY}")
    if kind in "mM" or any(value is None for value in objects):
        what = "None" if kind == "O" else f"values of type {values.dtype}"
        raise ValueError(f"{name} must hold token ids, which are whole numbers; got {what}.")


def check_vectors_present(X: Any) -> None:
    """Raise an error if X has lost its word vectors, instead of training on random ones."""
    lost = None if isinstance(X, TokenIds) and X.table is not None else lost_table(X)
    if lost is not None and lost[1]:
        raise ValueError(
            f"X has lost the {lost[1]}-d word vectors that TextVectorizer gave it: np.asarray, "
            f"data frames, FeatureUnion, ColumnTransformer and meta-estimators that convert X "
            f"drop them. Put TextCNNClassifier right after TextVectorizer in a Pipeline, let "
            f"meta-estimators wrap the Pipeline, and leave out set_output('pandas'). For "
            f"random vectors set embeddings=None."
        )


def check_vocabulary(
    ids: np.ndarray,
    table: TokenTable | None,
    words: tuple[str, ...] | None,
    n_ids: int,
    name: str = "X",
) -> np.ndarray:
    """Compare ids with the vocabulary of a network.

    Parameters
    ----------
    ids, table
        What `check_token_ids` returned.
    words : tuple of str or None
        The word of each id of the network, or None if they are not known.
    n_ids : int
        The number of ids of the network.
    name : str, default="X"
        The name of the parameter in error messages.

    Returns
    -------
    ids : ndarray
        If no words are known, ids that the network does not have become unknown words.

    Raises
    ------
    ValueError
        If the ids come from another vocabulary.
    """
    remedy = (
        "Use the fitted vectorizer that the classifier was trained with. A Pipeline does so, and "
        "transforms validation data with transform_input=['X_val']."
    )
    if not (table is None or words is None or table.words is words or table.words == words):
        raise ValueError(
            f"{name} comes from another vocabulary than the classifier's, so its ids mean other "
            f"words. {remedy}"
        )
    if ids.max() < n_ids:
        return ids
    if words is not None:
        raise ValueError(
            f"{name} has ids up to {ids.max()}, but the classifier's vocabulary ends at "
            f"{n_ids - 1}. {remedy}"
        )
    return np.where(ids < n_ids, ids, UNKNOWN_ID).astype(np.int32)
