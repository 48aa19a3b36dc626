"""The labels and weights of all chunks, in a few bytes for each text."""

from array import array
from typing import Any

import numpy as np
from scipy import sparse

from sktextcnn._training import CodedLabels, as_labels


class LabelsOfChunks:
    """Labels that are appended chunk by chunk.

    Each takes 4 bytes: that of a text is the number of a distinct label. A row of an indicator
    matrix takes a byte for each column.
    """

    def __init__(self) -> None:
        self._codes = array("i")
        # By type and value, as 1, 1.0 and True are equal.
        self._code_of: dict[tuple[type, Any], int] = {}
        self._dtypes: set[np.dtype] = set()
        self._matrices: list[np.ndarray] = []

    def __len__(self) -> int:
        return len(self._codes) + sum(map(len, self._matrices))

    def append(self, labels: Any) -> None:
        """Append the labels of one chunk, which has some."""
        is_matrix = sparse.issparse(labels) or np.ndim(labels) == 2
        if len(self) and is_matrix != bool(self._matrices):
            raise ValueError(
                "The labels have another number of dimensions than those of earlier chunks. Give "
                "one label for each text in all chunks, or an indicator matrix in all."
            )
        if is_matrix:
            self._append_matrix(labels)
            return
        labels = as_labels(labels, "The chunk")
        is_list = isinstance(labels, list | tuple)
        values = np.asarray(labels, dtype=object) if is_list else np.asarray(labels)
        if values.ndim != 1:
            raise ValueError(f"The labels must have one or two dimensions; got {values.ndim}.")
        # NumPy finds the type of a list's labels, once they are all known.
        self._dtypes.update([] if is_list else [values.dtype])
        code_of = self._code_of
        for label in values.tolist():
            key = (type(label), label)
            code = code_of.get(key)
            if code is None:
                self._check_type(label)
                code = code_of[key] = len(code_of)
            self._codes.append(code)

    def gathered(self) -> Any:
        """Return what stands for `y`."""
        if self._matrices:
            return np.concatenate(self._matrices)
        distinct: Any = [label for _, label in self._code_of]
        if self._dtypes:
            array_of_all = np.empty(len(distinct), dtype=object)
            array_of_all[:] = distinct
            distinct = array_of_all.astype(np.result_type(*self._dtypes))
        return CodedLabels(np.frombuffer(self._codes, dtype=np.int32), distinct)

    def _append_matrix(self, labels: Any) -> None:
        matrix = labels.toarray() if sparse.issparse(labels) else np.asarray(labels)
        if not np.isin(matrix, (0, 1)).all():
            raise ValueError(
                "The labels have two dimensions, but are no indicator matrix of zeros and ones, "
                "such as MultiLabelBinarizer makes."
            )
        if self._matrices and self._matrices[0].shape[1] != matrix.shape[1]:
            raise ValueError(
                f"The labels have {matrix.shape[1]} columns, those of the first chunk "
                f"{self._matrices[0].shape[1]}."
            )
        self._matrices.append(matrix.astype(np.int8))

    def _check_type(self, label: Any) -> None:
        first = next(iter(self._code_of), None)
        if first is not None and isinstance(label, str) != issubclass(first[0], str):
            raise TypeError(
                f"The labels are of several types: {first[1]!r:.60} in an earlier text, now "
                f"{label!r:.60}. Make all of them str, or none."
            )


class WeightsOfChunks:
    """Weights that are appended chunk by chunk: of all chunks, or of none."""

    def __init__(self) -> None:
        self._weights = array("d")
        self._n_texts = 0

    def append(self, weights: Any, n_texts: int) -> None:
        """Append the weights of one chunk of so many texts; None if it has none."""
        if self._n_texts and (weights is None) == bool(self._weights):
            has, had = ("no weights", "some") if weights is None else ("weights", "none")
            raise ValueError(f"The chunk has {has}, but earlier ones had {had}.")
        self._n_texts += n_texts
        if weights is None:
            return
        values = np.asarray(weights, dtype=np.float64)
        if values.ndim != 1 or not np.isfinite(values).all() or (values < 0).any():
            raise ValueError("The weights must be one finite number of at least 0 for each text.")
        self._weights.frombytes(values.tobytes())

    def gathered(self) -> np.ndarray | None:
        """Return what stands for `sample_weight`."""
        return np.frombuffer(self._weights) if self._weights else None
