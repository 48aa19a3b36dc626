"""Kinds of data frames: how to read the texts of a column, and how to add columns.

Libraries of frames are not imported here: who passes a frame has imported its library.
"""

import datetime
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from sktextcnn._scoring.outputs import Column


class Frames(Protocol):
    """A kind of frames."""

    def names(self, frame: Any) -> list[Any]:
        """Return the names of the columns."""

    def texts(self, frame: Any, name: str) -> list[Any]:
        """Return the values of a column, with None for missing ones.

        Raises
        ------
        TypeError
            If the column is of a type that has no texts.
        """

    def joined(self, frame: Any, kept: Sequence[Any] | None, columns: list[Column]) -> Any:
        """Return those columns of a frame that are kept, None for all, and new ones."""


def frames_of(frame: Any) -> Frames:
    """Return the kind of a frame.

    Raises
    ------
    TypeError
        If it is none that is known here.
    """
    if _is_a(frame, "pandas", "DataFrame"):
        return PandasFrames()
    if _is_a(frame, "polars", "DataFrame"):
        return PolarsFrames()
    if _is_a(frame, "pyarrow", "Table", "RecordBatch"):
        return ArrowFrames()
    if isinstance(frame, Mapping):
        return Columns()
    library, kind = type(frame).__module__.partition(".")[0], type(frame).__name__
    remedy = _ON_ENGINES.get(library, "")
    if kind in ("Series", "Array", "ChunkedArray", "ndarray", "list"):
        remedy = " Pass the whole frame, where text= names the column."
    raise TypeError(
        f"Scorer takes a data frame of pandas, Polars or pyarrow, or a dict of columns; got a "
        f"{kind} of {library}.{remedy}"
    )


_ON_ENGINES = {
    "dask": " Write frame.map_partitions(score, meta=score.meta(frame)).",
    "polars": " Write frame.map_batches(score, schema=score.schema(frame)).",
    "pyarrow": " Write score.batches(dataset).",
    "pyspark": " Write frame.mapInArrow(score.batches, score.schema(frame)).",
    "ray": " Write dataset.map_batches(score).",
}


def _is_a(value: Any, module: str, *names: str) -> bool:
    library = sys.modules.get(module)
    # A module that is being imported by another thread has not all names yet.
    types = tuple(getattr(library, name, ()) for name in names)
    return isinstance(value, types)


def no_texts(name: str, dtype: Any) -> TypeError:
    return TypeError(f"The column {name!r} has the type {dtype}; texts must be str.")


# Arrays of NumPy and pandas, by `dtype.kind`: bools, integers, complex numbers and dates. Floats
# may all be NaN, which stands for missing texts.
_WITHOUT_TEXTS = "biucmM"


class PandasFrames:
    """Data frames of pandas."""

    _DTYPES: Mapping[type, Any] = {
        bool: "bool",
        int: "int64",
        float: "float64",
        datetime.datetime: "datetime64[us]",
    }
    _NULLABLE: Mapping[type, str] = {bool: "boolean", int: "Int64"}

    def names(self, frame: Any) -> list[Any]:
        """Return the names of the columns."""
        return frame.columns.tolist()

    def texts(self, frame: Any, name: str) -> list[Any]:
        """Return the values of a column, with None for missing ones."""
        series = frame[name]
        dtype = getattr(series.dtype, "categories", series).dtype
        if dtype.kind in _WITHOUT_TEXTS:
            raise no_texts(name, series.dtype)
        values = series.tolist()
        for i in np.flatnonzero(series.isna()).tolist():
            values[i] = None
        return values

    def joined(self, frame: Any, kept: Sequence[Any] | None, columns: list[Column]) -> Any:
        """Return those columns of a frame that are kept, None for all, and new ones."""
        pandas = sys.modules["pandas"]
        new = {
            column.name: pandas.Series(column.values, frame.index, self._dtype(column))
            for column in columns
        }
        old = frame if kept is None else frame[list(kept)]
        # At once, as pandas warns of frames to which many columns were added one by one.
        scored = pandas.concat([old, pandas.DataFrame(new, frame.index)], axis=1)
        scored.columns.names = frame.columns.names
        scored.attrs = frame.attrs
        return scored

    def _dtype(self, column: Column) -> Any:
        if column.several:
            return object
        if column.kind is str:  # As this version has it by itself, also where there are no rows.
            return sys.modules["pandas"].Series(["a"]).dtype
        if column.nullable and column.kind in self._NULLABLE:
            return self._NULLABLE[column.kind]
        return self._DTYPES.get(column.kind, object)


class PolarsFrames:
    """Data frames of Polars."""

    def names(self, frame: Any) -> list[Any]:
        """Return the names of the columns."""
        return frame.columns

    def texts(self, frame: Any, name: str) -> list[Any]:
        """Return the values of a column, with None for missing ones."""
        polars = sys.modules["polars"]
        column = frame[name]
        of_texts = (polars.String, polars.Categorical, polars.Enum, polars.Null, polars.Object)
        if not isinstance(column.dtype, of_texts):
            raise no_texts(name, column.dtype)
        return column.to_list()

    def joined(self, frame: Any, kept: Sequence[Any] | None, columns: list[Column]) -> Any:
        """Return those columns of a frame that are kept, None for all, and new ones."""
        polars = sys.modules["polars"]
        types = {
            bool: polars.Boolean(),
            int: polars.Int64(),
            float: polars.Float64(),
            str: polars.String(),
            datetime.datetime: polars.Datetime("us"),
            datetime.date: polars.Date(),
        }
        new = []
        for column in columns:
            kind = types[column.kind]
            dtype = polars.List(kind) if column.several else kind
            new.append(polars.Series(column.name, column.values, dtype, nan_to_null=True))
        if kept is not None and not kept:
            return polars.DataFrame(new)
        return (frame if kept is None else frame.select(list(kept))).with_columns(new)


class ArrowFrames:
    """Tables and record batches of pyarrow."""

    def names(self, frame: Any) -> list[Any]:
        """Return the names of the columns."""
        return frame.schema.names

    def texts(self, frame: Any, name: str) -> list[Any]:
        """Return the values of a column, with None for missing ones."""
        types = sys.modules["pyarrow"].types
        column = frame.column(name)
        kind = column.type
        if types.is_dictionary(kind):
            kind = kind.value_type
        # Ray has objects in a type of its own, if a column has NaN beside texts.
        of_others = isinstance(kind, sys.modules["pyarrow"].BaseExtensionType)
        if not of_others and str(kind) not in ("string", "large_string", "string_view", "null"):
            raise no_texts(name, column.type)
        return [None if _is_missing(value) else value for value in column.to_pylist()]

    def joined(self, frame: Any, kept: Sequence[Any] | None, columns: list[Column]) -> Any:
        """Return those columns of a frame that are kept, None for all, and new ones."""
        pyarrow = sys.modules["pyarrow"]
        kinds = {
            bool: pyarrow.bool_(),
            int: pyarrow.int64(),
            float: pyarrow.float64(),
            str: pyarrow.string(),
            datetime.datetime: pyarrow.timestamp("us"),
            datetime.date: pyarrow.date32(),
        }
        schema = frame.schema
        places = range(len(schema)) if kept is None else [schema.names.index(n) for n in kept]
        fields = [schema.field(place) for place in places]
        arrays = [frame.column(place) for place in places]
        for column in columns:
            kind = kinds[column.kind]
            dtype = pyarrow.list_(kind) if column.several else kind
            fields.append(pyarrow.field(column.name, dtype))
            # With from_pandas, NaN is a missing value.
            arrays.append(pyarrow.array(column.values, dtype, from_pandas=True))
        schema = pyarrow.schema(fields, metadata=schema.metadata)
        return type(frame).from_arrays(arrays, schema=schema)


class Columns:
    """Dicts of columns, which are arrays of NumPy or lists."""

    def names(self, frame: Any) -> list[Any]:
        """Return the names of the columns."""
        return list(frame)

    def texts(self, frame: Any, name: str) -> list[Any]:
        """Return the values of a column, with None for missing ones."""
        column = frame[name]
        if isinstance(column, np.ndarray):
            if column.ndim != 1:
                raise TypeError(
                    f"The column {name!r} has the shape {column.shape}; texts must be an array of "
                    f"one dimension."
                )
            if column.dtype.kind in _WITHOUT_TEXTS:
                raise no_texts(name, column.dtype)
        elif not isinstance(column, list):
            raise TypeError(
                f"The column {name!r} is a {type(column).__name__}; columns of a dict must be "
                f"arrays of NumPy or lists."
            )
        values = column.tolist() if isinstance(column, np.ndarray) else column
        return [None if _is_missing(value) else value for value in values]

    def joined(self, frame: Any, kept: Sequence[Any] | None, columns: list[Column]) -> Any:
        """Return those columns of a frame that are kept, None for all, and new ones."""
        lists = any(isinstance(column, list) for column in frame.values())
        as_kept = _as_list if lists else _as_array
        old = dict(frame) if kept is None else {name: frame[name] for name in kept}
        return old | {column.name: as_kept(column) for column in columns}


def _is_missing(value: Any) -> bool:
    # Those of pandas are known by their names, as a comparison with NA does not give a bool.
    if type(value).__name__ in ("NAType", "NaTType"):
        return True
    return value is None or (isinstance(value, float) and value != value)


def _as_list(column: Column) -> list[Any]:
    values = column.values
    if not isinstance(values, np.ndarray):
        return values
    return [None if value != value else value for value in values.tolist()]


def _as_array(column: Column) -> np.ndarray:
    dtypes: dict[type, Any] = {
        datetime.datetime: "datetime64[us]",
        datetime.date: "datetime64[D]",
    }
    dtype = dtypes.get(column.kind, column.kind)
    if column.several or (column.nullable and column.kind in (bool, int, str)):
        dtype = object
    if dtype is not object:
        return np.array(column.values, dtype)
    array = np.empty(len(column.values), object)
    for row, value in enumerate(column.values):  # Lists of one length would become a matrix.
        array[row] = value
    return array
