"""From chunks of any kind to texts, and beside them their labels and weights."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sktextcnn._compat.arrow import batches_of_dataset, is_arrow_dataset
from sktextcnn._fit_chunks.gathering import LabelsOfChunks, WeightsOfChunks
from sktextcnn._text import read_texts

_FORMS = (
    "Give tuples (texts, labels) or (texts, labels, weights); or data frames, Arrow batches, dicts "
    "or rows, or a dataset of pyarrow, and the names of the columns as text= and label="
)


class Chunks:
    """The chunks of the user, gone through once.

    Parameters
    ----------
    chunks : iterable, or dataset of pyarrow
        Tuples of texts, labels and perhaps weights; or tables or single rows.
    text, weight : str or None
        The names of the columns; `text` is None for tuples.
    label : str, sequence of str, or None
        The name of the column, or those of the columns of an indicator matrix.

    Attributes
    ----------
    labels : LabelsOfChunks
    weights : WeightsOfChunks
        Those of the chunks that were read.
    """

    def __init__(
        self,
        chunks: Iterable[Any],
        text: str | None,
        label: str | Sequence[str] | None,
        weight: str | None,
    ) -> None:
        if (text is None) != (label is None) or (text is None and weight is not None):
            raise ValueError(
                "text, label and weight are names of columns, and text and label go together; give "
                "both, or none of the three for chunks that are tuples."
            )
        if is_arrow_dataset(chunks):
            labels = [label] if isinstance(label, str) else label or []
            names = [text, *labels, weight]
            chunks = batches_of_dataset(chunks, [name for name in names if name is not None])
        if isinstance(chunks, str | bytes | Mapping) or not hasattr(chunks, "__iter__"):
            raise TypeError(
                f"chunks must be an iterable of chunks; got {type(chunks).__name__}. {_FORMS}."
            )
        if hasattr(chunks, "columns") or hasattr(chunks, "column_names"):
            raise TypeError(
                f"chunks must be an iterable of chunks; got one table, {type(chunks).__name__}. "
                f"Put it in a list: [table]."
            )
        self._chunks, self._text, self._label, self._weight = chunks, text, label, weight
        self.labels, self.weights = LabelsOfChunks(), WeightsOfChunks()
        self.n_chunks = 0

    def texts(self) -> Iterator[str]:
        """Yield the texts, and gather the labels and weights of each chunk before its texts."""
        iterator = iter(self._chunks)
        while True:
            try:
                try:
                    chunk = next(iterator)
                except StopIteration:
                    break
                texts = self._gathered(chunk)
            except Exception as error:
                error.add_note(f"In chunk {self.n_chunks:,} of `chunks`, counting from 0.")
                raise
            self.n_chunks += 1
            yield from texts
        if not len(self.labels):
            raise ValueError(
                f"chunks has no text ({self.n_chunks:,} chunks). If it is a generator, it may have "
                f"been used up: give a new one."
            )

    def _gathered(self, chunk: Any) -> list[str]:
        texts, labels, weights = self._parts(chunk)
        texts = list(read_texts(texts))
        for name, values in (("labels", labels), ("weights", weights)):
            if values is not None and np.ndim(values) == 0 and not hasattr(values, "__len__"):
                raise TypeError(f"The {name} must be an array or a list; got {values!r:.60}.")
        n_labels = _length(labels)
        if len(texts) != n_labels:
            raise ValueError(f"{len(texts):,} texts, but {n_labels:,} labels.")
        if weights is not None and len(texts) != _length(weights):
            raise ValueError(f"{len(texts):,} texts, but {_length(weights):,} weights.")
        if texts:
            self.labels.append(labels)
            self.weights.append(weights, len(texts))
        return texts

    def _parts(self, chunk: Any) -> tuple[Any, Any, Any]:
        if self._text is None:
            if type(chunk) not in (tuple, list) or len(chunk) not in (2, 3):
                raise TypeError(f"A chunk is of type {type(chunk).__name__}. {_FORMS}.")
            return chunk[0], chunk[1], chunk[2] if len(chunk) == 3 else None
        texts = _column(chunk, self._text)
        weights = None if self._weight is None else _column(chunk, self._weight)
        if isinstance(self._label, str):
            labels = _column(chunk, self._label)
        else:
            assert self._label is not None
            labels = np.stack([np.asarray(_column(chunk, name)) for name in self._label], axis=-1)
        if isinstance(texts, str):  # One row, as Spark's toLocalIterator yields them.
            return [texts], [labels], None if weights is None else [weights]
        return texts, labels, weights


def _column(chunk: Any, name: str) -> Any:
    try:
        return chunk[name]
    except Exception as error:  # Each library has a class of its own for this.
        # Those of a data frame, or of a row of Spark.
        names = getattr(chunk, "columns", getattr(chunk, "__fields__", None))
        if hasattr(chunk, "schema"):
            names = getattr(chunk.schema, "names", names)
        if isinstance(chunk, Mapping):
            names = list(chunk)
        has = "" if names is None else f" Its columns are {[str(each) for each in names]!r:.300}."
        raise ValueError(
            f"A chunk, of type {type(chunk).__name__}, has no column {name!r}.{has}"
        ) from error


def _length(values: Any) -> int:
    shape = getattr(values, "shape", None)
    return int(shape[0]) if isinstance(shape, tuple) and shape else len(values)
