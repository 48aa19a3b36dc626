"""Validation of the token ids that are passed to the classifier."""

from typing import Any

import numpy as np
from sklearn.utils import check_array

from sktextcnn._text import PaddedDocuments
from sktextcnn._token_ids import (
    UNKNOWN_ID,
    TokenIds,
    TokenTable,
    foreign_columns,
    lost_table,
    table_of_rows,
    table_of_some_rows,
)

_REMEDY = (
    "Put TextVectorizer before the classifier: "
    "make_pipeline(TextVectorizer(), TextCNNClassifier())."
)

_PASS_TOKEN_IDS = (
    "Put TextCNNClassifier right after TextVectorizer in a Pipeline. Let meta-estimators wrap the "
    "Pipeline, or leave their n_jobs at 1. To another process, pass the TokenIds themselves, by "
    "joblib or pickle."
)
# Plain ids are refused if there are more than so many, and so many times those that occur.
_MANY_IDS, _GAPS = 1_000_000, 100


def check_token_ids(X: Any, name: str = "X", *, least: int = 1) -> tuple[Any, TokenTable | None]:
    """Validate token ids.

    Parameters
    ----------
    X : TokenIds, PaddedDocuments or array-like of int, shape (n_texts, n_tokens)
        The token ids.
    name : str, default="X"
        The name of the parameter in error messages.
    least : int, default=1
        The least number of texts.

    Returns
    -------
    ids : ndarray of shape (n_texts, n_tokens), dtype int32, or PaddedDocuments
    table : TokenTable or None
        The words and vectors that they refer to; None for plain ids.

    Raises
    ------
    TypeError, ValueError
        If X holds texts, counts, fractions or negative numbers, or has another shape.
    """
    if isinstance(X, PaddedDocuments):
        return X, X.table
    if isinstance(X, TokenIds) and X.table is not None and X.ndim == 2 and X.size:
        values = X.view(np.ndarray)  # int32, as the vectorizer made it
    else:
        _check_dtype(X, name)
        values = check_array(
            X, estimator="TextCNNClassifier", input_name=name, ensure_min_samples=least
        )
    if not len(values):
        return values.astype(np.int32), X.table if isinstance(X, TokenIds) else None
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


def find_table(X: Any, ids: np.ndarray, *, plain: bool) -> TokenTable | None:
    """Find the words and vectors of ids that came in another container than TokenIds.

    Parameters
    ----------
    X : array-like
        What was passed.
    ids : ndarray of shape (n_texts, n_tokens), int32
        Its values.
    plain : bool
        Whether ids are accepted that no vectorizer is known to have made.

    Returns
    -------
    TokenTable or None
        Those of the vectorizer that made all of the rows, in this process. None if no vectorizer is
        known to have made them, or if it had no word vectors and is no longer in this process.

    Raises
    ------
    ValueError
        If a vectorizer made the ids but rows were changed or columns added; if its vectors are not
        in this process; or if `plain` is false and no vectorizer is known to have made the ids.
    """
    mark = lost_table(X)
    key = None if mark is None else mark[0]
    # Where plain ids are accepted, those that equal a vectorizer's by chance must not be refused.
    surely = plain and key is None
    table = table_of_rows(ids, key, surely=surely)
    if table is not None:
        return table
    if (beside := foreign_columns(ids, key, surely=surely)) is not None:
        table, before, after = beside
        raise ValueError(
            f"X has {before + after} columns beside those of TextVectorizer ({before} before them "
            f"and {after} after them), whose values would be taken for words; {_lost(table)}. "
            f"FeatureUnion, ColumnTransformer and ClassifierChain add columns. Give "
            f"TextCNNClassifier the columns of one TextVectorizer only. For several labels, pass "
            f"an indicator matrix as y; for numbers beside texts, use StackingClassifier."
        )
    if (changed := table_of_some_rows(ids, key, surely=surely)) is not None:
        table, n_changed = changed
        raise ValueError(
            f"{n_changed} of {len(ids)} rows of X are not as TextVectorizer made them; "
            f"{_lost(table)}. Token ids are names of words, so they must not be interpolated, "
            f"scaled or cut, as SMOTE and scalers do. Rows may be chosen and repeated, as "
            f"RandomOverSampler does, or set class_weight='balanced'."
        )
    if mark is not None and mark[1]:
        raise ValueError(
            f"X has lost the {mark[1]}-d word vectors that TextVectorizer gave it, by np.asarray, "
            f"arithmetic, FeatureUnion, ColumnTransformer or another conversion. {_PASS_TOKEN_IDS}"
        )
    if mark is None and not plain:
        raise ValueError(
            f"X is a plain matrix of token ids, which has no words and no word vectors, or has "
            f"lost them. {_PASS_TOKEN_IDS} If random word vectors are meant, say so by their "
            f"dimension: TextCNNClassifier(embedding_dim=300)."
        )
    return None


def _lost(table: TokenTable) -> str:
    lost = f"{table.vector_size}-d word vectors" if table.vector_size else "words"
    return f"it has lost the {lost}"


def check_few_gaps(ids: np.ndarray) -> None:
    """Raise an error if an embedding of plain ids would be large and almost empty."""
    n_ids, n_distinct = int(ids.max()) + 1, len(np.unique(ids))
    if n_ids > _MANY_IDS and n_ids > _GAPS * n_distinct:
        raise ValueError(
            f"X has ids up to {n_ids - 1}, but only {n_distinct} different ones. Each id up to the "
            f"largest needs a word vector. If they are token ids, number the words from 2 on; if "
            f"they are other numbers, such as counts, leave them out. {_REMEDY}"
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
    if not len(ids) or ids.max() < n_ids:
        return ids
    if words is not None:
        raise ValueError(
            f"{name} has ids up to {ids.max()}, but the classifier's vocabulary ends at "
            f"{n_ids - 1}. {remedy}"
        )
    return np.where(ids < n_ids, ids, UNKNOWN_ID).astype(np.int32)
