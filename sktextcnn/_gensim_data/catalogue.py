"""The catalogue of gensim-data: what vectors there are, and how large they are."""

import contextlib
import dataclasses
import difflib
import json
import os
import re
import secrets
from collections.abc import Mapping
from typing import Any

from sktextcnn._gensim_data.places import address, catalogue_address, folder, is_name
from sktextcnn._gensim_data.transfer import TransferError, read
from sktextcnn._progress import one_line

#: Small, and good for English texts of any kind.
RECOMMENDED = "glove-wiki-gigaword-100"

# No vectors are in as many files.
_MAX_PARTS = 100

# Well-known files that gensim-data has under another name. Groups are filled in.
_FILES = {
    r"glove\.6b\.(50|100|200|300)d\b.*": "glove-wiki-gigaword-{}",
    r"glove\.twitter\.27b\.(25|50|100|200)d\b.*": "glove-twitter-{}",
    r"googlenews-vectors-negative300\b.*": "word2vec-google-news-300",
    r"wiki-news-300d-1m-subword\b.*": "fasttext-wiki-news-subwords-300",
    r"numberbatch\b.*": "conceptnet-numberbatch-17-06-300",
}


@dataclasses.dataclass(frozen=True)
class VectorsEntry:
    """Vectors of the catalogue.

    Parameters
    ----------
    name : str
        The name.
    n_words, width, size : int or None
        The number of words, of numbers per word, and of bytes of the file to download; None if
        the catalogue does not say.
    corpus, licence : str
        The texts that the vectors were trained on, and the licence; "" if the catalogue does not
        say.
    files : dict of str to (str or None)
        The files to download, which are put together in this order, and their checksums (MD5).
    """

    name: str
    n_words: int | None
    width: int | None
    size: int | None
    corpus: str
    licence: str
    files: dict[str, str | None]

    @property
    def addresses(self) -> list[str]:
        """The addresses of the files."""
        return [address(self.name, file) for file in self.files]


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """The catalogue, and where it is from.

    Parameters
    ----------
    vectors : dict of str to VectorsEntry
        The vectors by their names.
    corpora : frozenset of str
        The names of collections of texts, which are no vectors.
    why_old : str or None
        If the catalogue is the one that was read the last time: why there is no newer one.
    """

    vectors: dict[str, VectorsEntry]
    corpora: frozenset[str]
    why_old: str | None = None

    def entry(self, name: str) -> VectorsEntry:
        """Return the vectors of a name.

        Raises
        ------
        ValueError
            If there are none; the message has names that are similar.
        """
        if name in self.vectors:
            return self.vectors[name]
        if name in self.corpora:
            raise ValueError(
                f"{name!r} is a collection of texts in gensim-data, not word vectors. The command "
                f"sktextcnn vectors list shows the names of vectors."
            )
        similar = difflib.get_close_matches(name.lower(), self.vectors, n=3)
        similar = similar or [each for each in sorted(self.vectors) if name.lower() in each][:3]
        close = f" Did you mean {' or '.join(map(repr, similar))}?" if similar else ""
        raise ValueError(
            f"{name!r} is not a file in {os.getcwd()!r}, and gensim-data has no vectors of this "
            f"name.{file_hint(name) or close} The command sktextcnn vectors list shows all names."
        )


def read_catalogue(*, quiet: bool = False) -> Catalogue:
    """Read the catalogue, and keep it in gensim's folder for when there is no connection.

    Parameters
    ----------
    quiet : bool, default=False
        Whether to print nothing on stderr.

    Returns
    -------
    Catalogue
        The newest one, or that of the last time if it cannot be read now.

    Raises
    ------
    TransferError
        If it cannot be read and none was kept.
    """
    kept = os.path.join(folder(), "information.json")  # gensim's name for it
    url = catalogue_address()
    try:
        content = read(url, quiet=quiet)
        try:
            catalogue = _parsed(content)
        except ValueError as error:
            raise TransferError(
                f"{url} is not the catalogue but something else, such as the page of a proxy or "
                f"the login page of a network"
            ) from error
    except TransferError as error:
        # Without any connection the kept one is as good as it was.
        with contextlib.suppress(OSError, ValueError), open(kept, "rb") as file:
            return dataclasses.replace(_parsed(file.read()), why_old=str(error))
        raise
    # A catalogue that cannot be kept is as good.
    with contextlib.suppress(OSError):
        _keep(content, kept)
    return catalogue


def _keep(content: bytes, path: str) -> None:
    """Write a file that other processes may write and read at the same time."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{secrets.token_hex(4)}"
    try:
        with open(temporary, "xb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def download_hint(path: str) -> str:
    """Return the command that downloads the vectors of a file, as a sentence.

    Parameters
    ----------
    path : str
        A file that is missing.
    """
    file = os.path.basename(path).lower()
    for pattern, name in _FILES.items():
        if match := re.fullmatch(pattern, file):
            return _hint(name.format(*match.groups()), "the same vectors")
    if "glove" in file:
        return _hint(RECOMMENDED, "vectors of GloVe")
    return f"{_hint(RECOMMENDED, 'vectors')[:-1]}; sktextcnn vectors list shows others."


def file_hint(name: str) -> str:
    """Return a question if a name may be that of a file whose suffix was forgotten, or ""."""
    with contextlib.suppress(OSError):
        for file in sorted(os.listdir()):
            if file.lower().startswith(f"{name.lower()}."):
                return f" Did you mean the file {file!r}?"
    return ""


def _hint(name: str, what: str) -> str:
    command = f"sktextcnn vectors get {name}"
    return f"The command {command} downloads {what}, to be given by the name {name}."


def megabytes(size: int) -> str:
    """Return a number of bytes in megabytes, such as "134 MB", or in kB if it is small."""
    if size < 1e6:
        return f"{size / 1e3:.1f} kB"
    return f"{size / 1e6:,.0f} MB" if size >= 1e7 else f"{size / 1e6:.1f} MB"


def _parsed(content: bytes) -> Catalogue:
    """Return the catalogue of its JSON, or raise a ValueError if it is none."""
    parsed = json.loads(content)
    if not isinstance(parsed, dict) or not isinstance(parsed.get("models"), dict):
        raise ValueError("models is not an object")
    corpora = parsed.get("corpora")
    return Catalogue(
        {
            name: _entry(name, fields)
            for name, fields in parsed["models"].items()
            if is_name(name) and isinstance(fields, dict) and _n_parts(fields) <= _MAX_PARTS
        },
        frozenset(corpora if isinstance(corpora, dict) else ()),
    )


def _entry(name: str, fields: Mapping[str, Any]) -> VectorsEntry:
    parameters = fields.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    n_parts = _n_parts(fields)
    if n_parts == 1:
        files = {f"{name}.gz": _text(fields.get("checksum")) or None}
    else:  # gensim's names of them
        files = {
            f"{name}.gz_{i:02}": _text(fields.get(f"checksum-{i}")) or None for i in range(n_parts)
        }
    return VectorsEntry(
        name,
        _integer(fields.get("num_records")),
        _integer(parameters.get("dimension", parameters.get("dimensions"))),
        _integer(fields.get("file_size")),
        _text(fields.get("base_dataset")) or _text(fields.get("description")),
        _text(fields.get("license")).replace("not found", ""),
        files,
    )


def _n_parts(fields: Mapping[str, Any]) -> int:
    return _integer(fields.get("parts")) or 1


def _integer(value: Any) -> int | None:
    """Return a number that is known; -1 stands for an unknown one. Some are strings."""
    try:
        return max(int(value), 0) or None
    except (TypeError, ValueError, OverflowError):
        return None


def _text(value: Any) -> str:
    return one_line(value) if isinstance(value, str) else ""
