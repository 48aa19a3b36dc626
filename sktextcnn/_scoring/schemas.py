"""The columns of scored frames, as an engine wants to know them beforehand.

As in ``frames``, no library is imported here.
"""

import datetime
import sys
from collections.abc import Sequence
from typing import Any

from sktextcnn._scoring.frames import no_texts
from sktextcnn._scoring.outputs import Column

# Spark's names of types in JSON.
_SPARK_TYPES: dict[type, str] = {
    bool: "boolean",
    int: "long",
    float: "double",
    str: "string",
    datetime.datetime: "timestamp_ntz",
    datetime.date: "date",
}


def empty_like(like: Any) -> Any:
    """Return a frame without rows, with the columns of a frame, a lazy one, or a schema.

    Parameters
    ----------
    like : object of pandas, Dask, Polars or pyarrow
        Anything else is returned as it is.
    """
    library = type(like).__module__.partition(".")[0]
    if library == "polars":
        schema = like.collect_schema() if hasattr(like, "collect_schema") else like
        return sys.modules["polars"].DataFrame(schema=schema)
    if library == "pyarrow":  # A table, a dataset, a reader or a schema.
        return getattr(like, "schema", like).empty_table()
    frame = getattr(like, "_meta", like)  # Of Dask.
    return frame.iloc[:0] if hasattr(frame, "iloc") else frame


def is_of_spark(like: Any) -> bool:
    """Whether an object is a data frame or a schema of Spark."""
    return type(like).__module__.startswith("pyspark.") and (
        hasattr(like, "fieldNames") or hasattr(getattr(like, "schema", None), "fieldNames")
    )


def spark_schema(
    like: Any, text: str, kept: Sequence[str] | None, columns: Sequence[Column]
) -> Any:
    """Return the StructType of scored rows.

    Parameters
    ----------
    like : pyspark.sql.DataFrame or StructType
    text : str
        The column of the texts.
    kept : sequence of str, or None
        The columns that are kept; None for all.
    columns : sequence of Column
        The new ones.

    Raises
    ------
    TypeError
        If the texts are no strings.
    """
    schema = getattr(like, "schema", like)
    kind = schema[text].dataType.simpleString()
    if not kind.startswith(("string", "varchar", "char")):
        raise no_texts(text, kind)
    # By way of JSON, as the class of a schema is at hand, but not those of its fields.
    fields = schema.jsonValue()["fields"]
    if kept is not None:
        fields = [field for name in kept for field in fields if field["name"] == name]
    return type(schema).fromJson({"type": "struct", "fields": [*fields, *map(_field, columns)]})


def _field(column: Column) -> dict[str, Any]:
    kind: Any = _SPARK_TYPES[column.kind]
    if column.several:
        kind = {"type": "array", "elementType": kind, "containsNull": False}
    return {"name": column.name, "type": kind, "nullable": True, "metadata": {}}
