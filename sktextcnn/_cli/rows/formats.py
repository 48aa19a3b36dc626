"""The file formats, and the options that files are read with."""

import os
from dataclasses import dataclass

from sktextcnn._cli.errors import InputError

OUTPUT_FORMATS = ("csv", "tsv", "jsonl", "parquet")
FORMATS = (*OUTPUT_FORMATS, "txt")
_FORMAT_OF_SUFFIX = {f".{name}": name for name in FORMATS} | {
    ".ndjson": "jsonl",
    ".pq": "parquet",
}

#: The default delimiters of the formats whose rows are fields.
DELIMITERS = {"csv": ",", "tsv": "\t"}


@dataclass(frozen=True)
class ReadOptions:
    """How a file is read.

    Attributes
    ----------
    format : str or None
        One of `FORMATS`; None for the format of the file's suffix.
    encoding : str
        The encoding of text files. "utf-8-sig" is UTF-8 with or without a byte order mark.
    delimiter : str or None
        The delimiter between fields of csv and tsv; None for that of the format.
    quotes : bool
        Whether quotation marks enclose fields of csv and tsv; if not, they are ordinary
        characters.
    """

    format: str | None = None
    encoding: str = "utf-8-sig"
    delimiter: str | None = None
    quotes: bool = True


def format_of_path(path: str) -> str | None:
    """Return the format of a path's suffix, or None if the suffix is not known."""
    return _FORMAT_OF_SUFFIX.get(os.path.splitext(path)[1].lower())


def find_format(path: str | None, given: str | None) -> str:
    """Return the given format, else that of the path's suffix; for a pipe, csv."""
    if given is not None:
        return given
    if path is None or path == "-":
        return "csv"
    found = format_of_path(path)
    if found is None:
        raise InputError(
            f"{path}: the format cannot be told from the suffix; expected one of "
            f"{' '.join(_FORMAT_OF_SUFFIX)}. Or give --format."
        )
    return found
