"""Datasets of pyarrow, read one group of rows after the other."""

from collections.abc import Iterator, Sequence
from typing import Any


def is_arrow_dataset(value: Any) -> bool:
    """Whether a value is a ``pyarrow.dataset.Dataset``; pyarrow is not imported."""
    return type(value).__module__ == "pyarrow._dataset" and hasattr(value, "get_fragments")


def batches_of_dataset(dataset: Any, columns: Sequence[str] | None) -> Iterator[Any]:
    """Yield the record batches of a dataset.

    Its own ``to_batches`` reads Parquet on while the batches are used, until most of a file is in
    memory.

    Parameters
    ----------
    dataset : pyarrow.dataset.Dataset
        The dataset.
    columns : sequence of str or None
        The columns that are needed; None for all. All are read if the dataset lacks one of them,
        so that an error can name what there is.
    """
    schema = dataset.schema
    if columns is not None and not set(columns) <= set(schema.names):
        columns = None
    names = None if columns is None else list(dict.fromkeys(columns))
    try:
        fragments = dataset.get_fragments()
    except ValueError:  # A dataset with a filter, or with columns that are computed.
        yield from dataset.to_batches(columns=names)
        return
    for fragment in fragments:
        is_parquet = hasattr(fragment, "split_by_row_group")
        for part in fragment.split_by_row_group() if is_parquet else [fragment]:
            yield from part.to_batches(schema=schema, columns=names)
