"""Rows of a matrix of token ids that are padded when they are asked for."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sktextcnn._text.documents import Documents
from sktextcnn._token_ids import TokenTable

# Texts looked at together where all are.
_BLOCK = 1 << 16


@dataclass(frozen=True)
class PaddedRows:
    """What the matrix of padded texts would have, for texts whose matrix is too large to be made.

    An index gives the rows as an array of int32.

    Attributes
    ----------
    documents : Documents
        All texts as ids.
    width, padding, truncating
        As in `Documents.padded`.
    table : TokenTable
        The words and vectors of the ids.
    chosen : ndarray of int or None
        The documents that are rows, in this order; None for all.
    """

    documents: Documents
    width: int
    padding: str
    truncating: str
    table: TokenTable
    chosen: np.ndarray | None = None

    ndim = 2
    dtype = np.dtype(np.int32)

    def __len__(self) -> int:
        return len(self.documents) if self.chosen is None else len(self.chosen)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self.width

    def select(self, rows: np.ndarray) -> "PaddedRows":
        """Return some rows, given by their numbers or by a mask, without making them."""
        rows = np.arange(len(self))[rows] if rows.dtype == bool else rows
        return replace(self, chosen=rows if self.chosen is None else self.chosen[rows])

    def __getitem__(self, rows: Any) -> np.ndarray:
        if isinstance(rows, slice) and self.chosen is None:
            texts = np.arange(*rows.indices(len(self)))
        else:
            texts = np.asarray(rows) if self.chosen is None else self.chosen[rows]
        return self.documents.padded(self.width, self.padding, self.truncating, texts)

    def lengths(self) -> np.ndarray:
        """Return the number of tokens of each row; (n,)."""
        lengths = np.minimum(self.documents.lengths(), self.width)
        return lengths if self.chosen is None else lengths[self.chosen]

    def max(self) -> int:
        """Return the largest id of all texts."""
        starts = range(0, len(self), _BLOCK)
        return max(int(self[start : start + _BLOCK].max()) for start in starts)
