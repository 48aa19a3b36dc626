"""The token ids of a training: a matrix, or one whose rows are made when they are asked for."""

from typing import cast

import numpy as np

from sktextcnn._text import Ids, PaddedDocuments
from sktextcnn._token_ids import PADDING_ID

# Ids in a block of rows, which bounds its memory to 16 MB.
_IDS_AT_ONCE = 1 << 22


def chosen_rows(ids: Ids, rows: np.ndarray) -> Ids:
    """Choose rows by their numbers or a mask; of rows that are not made yet, none is made."""
    return ids.chosen(rows) if isinstance(ids, PaddedDocuments) else ids[rows]


def n_tokens_of(ids: Ids) -> np.ndarray:
    """Return the number of tokens in each row; shape (n_texts,), int64."""
    if isinstance(ids, PaddedDocuments):
        return ids.lengths()
    return cast(np.ndarray, np.count_nonzero(ids != PADDING_ID, axis=1))


def row_blocks(ids: Ids) -> list[slice]:
    """Divide the rows into blocks that memory is needed for at a time."""
    n_rows = max(1, _IDS_AT_ONCE // max(1, ids.shape[1]))
    return [slice(first, first + n_rows) for first in range(0, len(ids), n_rows)]
