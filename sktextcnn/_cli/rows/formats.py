"""The file formats, and the options that files are read with."""

import os
from dataclasses import dataclass

from sktextcnn._cli.errors import InputError

OUTPUT_FORMATS = ("csv", "tsv", "jsonl", "json", "parquet")
FORMATS = (*OUTPUT_FORMATS, "txt", "fasttext")
_FORMAT_OF_SUFFIX = {f".{name}": name for name in FORMATS if name != "fasttext"} | {
    ".ndjson": "jsonl",
    ".pq": "parquet",
    ".ft": "fasttext",
}
# What a compressed file is recognized by is its content; its name is only looked through.
_COMPRESSED = (".gz", ".gzip", ".bz2", ".xz", ".lzma", ".zst", ".zstd", ".zip")

#: The default delimiters of the formats whose rows are fields.
DELIMITERS = {"csv": ",", "tsv": "\t"}


@dataclass(frozen=True)
class ReadOptions:
    """How a file is read.

    Attributes
    ----------
    format : str or None
        One of `FORMATS`; None for the format of the file's suffix.
    encoding : str or None
        The encoding of text files; None for that of the byte order mark, or UTF-8.
    delimiter : str or None
        The delimiter between fields of csv and tsv; None for that of the format.
    quotes : bool
        Whether quotation marks enclose fields of csv and tsv; if not, they are ordinary
        characters.
    escape : str or None
        The character before quotation marks and the like in csv and tsv; None if there is none.
    header : bool
        Whether the first row of csv and tsv has the names of the columns.
    skip_bad_rows : bool
        Whether rows that cannot be used are counted and left out, instead of an error.
    """

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quotes: bool = True
    escape: str | None = None
    header: bool = True
    skip_bad_rows: bool = False


def format_of_path(path: str) -> str | None:
    """Return the format of a path's suffix, or None if the suffix is not known."""
    return _FORMAT_OF_SUFFIX.get(os.path.splitext(path)[1].lower())


def find_format(path: str | None, given: str | None) -> str:
    """Return the given format, else that of the path's suffix; for a pipe, csv.

    Suffixes of compression, such as .gz, are left out.
    """
    if given is not None:
        return given
    if path is None or path == "-":
        return "csv"
    stem = path
    while stem.lower().endswith(_COMPRESSED):
        stem = os.path.splitext(stem)[0]
    found = format_of_path(stem)
    if found is None:
        raise InputError(
            f"{path}: the format cannot be told from the suffix; expected one of "
            f"{' '.join(_FORMAT_OF_SUFFIX)}. Or give --format."
        )
    return found
