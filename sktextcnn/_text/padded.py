"""A matrix of token ids whose rows are padded when they are asked for."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sktextcnn._text.documents import Documents, pad
from sktextcnn._token_ids import TokenTable

# Texts padded at a time where all are gone through.
_BLOCK = 1_024


class PaddedDocuments:
    """The rows of documents as `Documents.padded` makes them, each made when it is asked for.

    It stands for the `TokenIds` of documents that are larger than the memory.

    Parameters
    ----------
    documents : Documents
        The texts.
    width : int
        The number of columns.
    padding, truncating : {"post", "pre"}
        As in `TextVectorizer`.
    table : TokenTable
        The words and vectors of the ids.
    rows : ndarray of shape (n_texts,) or None, default=None
        The documents that are the rows; None for all of them.
    """

    dtype = np.dtype(np.int32)
    ndim = 2

    def __init__(
        self,
        documents: Documents,
        width: int,
        padding: str,
        truncating: str,
        table: TokenTable,
        rows: np.ndarray | None = None,
    ) -> None:
        self.documents, self.width, self.table = documents, width, table
        self.padding, self.truncating = padding, truncating
        self._rows = rows

    def __len__(self) -> int:
        return len(self.documents) if self._rows is None else len(self._rows)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self.width

    def lengths(self) -> np.ndarray:
        """Return the number of tokens in each row; (n_texts,), int64."""
        lengths = self.documents.lengths()
        return np.minimum(lengths if self._rows is None else lengths[self._rows], self.width)

    def chosen(self, rows: np.ndarray) -> "PaddedDocuments":
        """Return some of the rows, given by their numbers or a mask, without making them."""
        if rows.dtype == bool:
            rows = rows.nonzero()[0]
        # Numbers of texts are smaller than 2**32.
        rows = rows.astype(np.uint32) if self._rows is None else self._rows[rows]
        return PaddedDocuments(
            self.documents, self.width, self.padding, self.truncating, self.table, rows
        )

    def __getitem__(self, key: Any) -> np.ndarray:
        """Make the rows of a slice, or of an array of numbers; (n, width), int32."""
        rows = np.arange(*key.indices(len(self))) if isinstance(key, slice) else np.asarray(key)
        return self._made(rows if self._rows is None else self._rows[rows].astype(np.int64))

    def __iter__(self) -> Iterator[np.ndarray]:
        for first in range(0, len(self), _BLOCK):
            yield from self[first : first + _BLOCK]

    def _made(self, rows: np.ndarray) -> np.ndarray:
        ends = self.documents.ends()
        begin, end = ends[rows], ends[rows + 1]
        if self.truncating == "post":
            end = np.minimum(end, begin + self.width)
        else:
            begin = np.maximum(begin, end - self.width)
        if (begin[1:] == end[:-1]).all():
            ids = self.documents.part(begin[0], end[-1]) if len(rows) else np.empty(0, np.int32)
        else:
            part, places = self.documents.part, zip(begin.tolist(), end.tolist(), strict=True)
            ids = np.concatenate([part(*place) for place in places])
        return pad(ids, end - begin, self.width, self.padding, self.truncating)


#: A matrix, or one whose rows are made when they are asked for. Both have a length, a shape, and
#: rows for a slice or an array of numbers.
Ids = np.ndarray | PaddedDocuments
