"""Files and folders that are not files of vectors: what they are, and what to do with them."""

import contextlib
import os
import pickletools
import re
import tarfile
import zipfile
from typing import BinaryIO

from sktextcnn._vectors.text_format import BYTE_ORDER_MARK, is_number

# How the files begin that hold no vectors this package reads, and what to do with them.
_OTHER_FORMATS = {
    b"\x89HDF": "an HDF5 file, as Keras and h5py write; {in_memory}",
    b"\xff\xfe": "UTF-16 text; convert it to UTF-8",
    b"\xfe\xff": "UTF-16 text; convert it to UTF-8",
    b"BZh": "compressed with bzip2; decompress it or use gzip",
    b"\xfd7zX": "compressed with xz; decompress it or use gzip",
    b"]\0\0": "compressed with lzma; decompress it or use gzip",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard; decompress it or use gzip",
    b"\x04\x22\x4d\x18": "compressed with LZ4; decompress it or use gzip",
    b"\x1f\x9d": "compressed with compress; decompress it or use gzip",
    b"LZIP": "compressed with lzip; decompress it or use gzip",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it and give the path of the file inside",
    b"Rar!": "a RAR archive; unpack it and give the path of the file inside",
    b"PAR1": "a Parquet file; read it by pandas and give the DataFrame, with the words as its "
    "index: Embeddings(pandas.read_parquet(path).set_index(...))",
    b"ARROW1": "a Feather file; read it by pandas and give the DataFrame, with the words as its "
    "index: Embeddings(pandas.read_feather(path).set_index(...))",
    b"FEA1": "a Feather file; read it by pandas and give the DataFrame, with the words as its "
    "index: Embeddings(pandas.read_feather(path).set_index(...))",
    b"SQLite format 3\0": "an SQLite database, as Magnitude writes; {in_memory}",
    b"GGUF": "a GGUF file, which is a language model and has no vectors of words",
    b"%PDF": "a PDF file",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself; run git lfs pull",
}
# Pickles of protocol 0, as Python 2 wrote them: an object of a class, a dict or a list.
_TEXT_PICKLE = re.compile(rb"c[\w.]+\r?\n[\w.]+\r?\n|\([dl]p\d+\r?\n")
_IN_MEMORY = "load it, and give the words and the matrix: Embeddings((words, matrix))"


def other_format(head: bytes, file: BinaryIO, path: str) -> str | None:
    """Return what a file is that is not one of vectors, and what to do; None if it may be one.

    Parameters
    ----------
    head : bytes
        How the file begins, decompressed.
    file : file object
        The file, decompressed. Its position changes.
    path : str
        Its path.
    """
    row = head.partition(b"\n")[0].split()
    is_row = len(row) > 1 and is_number(row[-1])
    for magic, what in _OTHER_FORMATS.items():
        # A word may begin as some files do.
        if head.startswith(magic) and not (is_row and magic.isascii()):
            return what.format(in_memory=_IN_MEMORY)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(file)
    if _is_tar(head):
        return _tar(file)
    if head.startswith(b"\x93NUMPY"):
        return f"a NumPy array, which has no words{_array_of(path)}"
    if _is_safetensors(head):
        return f"a safetensors file, which has no words; {_IN_MEMORY}"
    if head.startswith(b"\x80"):
        return pickled(head)
    if _TEXT_PICKLE.match(head):
        return f"a pickle; if you trust it, {_IN_MEMORY}"
    start = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    if start[:5].lower() in (b"<!doc", b"<html", b"<?xml", b"<head"):
        return "a web page, not a file of word vectors. Download the file again"
    # In GloVe's format, the brackets are followed by a number.
    if start[:1] in b"{[" and start[1:].lstrip()[:1] in (b'"', b"{", b"["):
        return "JSON; load it and give the dict of words and vectors: Embeddings(json.load(file))"
    return None


# Archives -----------------------------------------------------------------------------


def _zip(file: BinaryIO) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "a zip archive, and damaged. Download the file again"
    if names and all(name.endswith(".npy") for name in names):
        return (
            f"an .npz file of NumPy arrays ({_listed(names)}); load it by numpy.load, and give "
            f"the words and the matrix: Embeddings((words, matrix))"
        )
    if any(name.endswith("data.pkl") for name in names):
        return (
            "a .pt file of PyTorch; load it by torch.load, and give the words and the matrix: "
            "Embeddings((words, matrix))"
        )
    if any(name.endswith(".weights.h5") for name in names):
        return f"a model of Keras; {_IN_MEMORY}"
    return f"a zip archive; unzip it and give the path of the file inside ({_listed(names)})"


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head[:512], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _tar(file: BinaryIO) -> str:
    name = None
    # A damaged archive is still one.
    with contextlib.suppress(tarfile.TarError, OSError, EOFError):
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r|") as archive:
            # The first file only: to find the next one, all of its vectors would be read.
            name = next((member.name for member in archive if member.isfile()), None)
    inside = "" if name is None else f" ({name!r:.60}, ...)"
    return f"a tar archive; unpack it and give the path of the file inside{inside}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"{name!r:.60}" for name in names[:5])
    return f"{shown}, ..." if len(names) > 5 else shown or "it is empty"


# Arrays and pickles -------------------------------------------------------------------


def _array_of(path: str) -> str:
    for suffix in (".wv.vectors.npy", ".vectors.npy", ".wv.vectors_ngrams.npy", ".npy"):
        owner = path.removesuffix(suffix)
        if owner != path and os.path.isfile(owner):
            return f"; gensim wrote it beside {os.path.basename(owner)!r}: give the path of that"
    return "; load it by numpy.load, and give its words with it: Embeddings((words, matrix))"


def _is_safetensors(head: bytes) -> bool:
    return head[8:10] in (b'{"', b"{}", b"{ ") and int.from_bytes(head[:8], "little") < 1 << 30


def pickled(head: bytes) -> str | None:
    """Return what a pickle holds, without loading it, which may run code.

    None if it may be an object of gensim.
    """
    if head.startswith(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."):
        return (
            "a .pt file of PyTorch; load it by torch.load, and give the words and the matrix: "
            "Embeddings((words, matrix))"
        )
    strings: list[str] = []
    try:
        for code, argument, _ in pickletools.genops(head):
            if code.name in ("PROTO", "FRAME", "MEMOIZE", "BINPUT", "LONG_BINPUT", "MARK"):
                continue
            if code.name in ("EMPTY_DICT", "DICT"):
                return (
                    "a pickled dict; if you trust it, load it and give the dict of words and "
                    "vectors: Embeddings(pickle.load(file))"
                )
            if code.name in ("EMPTY_LIST", "LIST", "EMPTY_TUPLE", "TUPLE", "EMPTY_SET"):
                return f"a pickle of lists; if you trust it, {_IN_MEMORY}"
            if code.name == "GLOBAL":
                return _pickled_object(str(argument).replace(" ", "."))
            if code.name == "STACK_GLOBAL":
                return _pickled_object(".".join(strings[-2:]))
            if isinstance(argument, str):
                strings.append(argument)
    except Exception:
        return None  # Damaged: gensim says how.
    return None


def _pickled_object(name: str) -> str | None:
    library, _, kind = name.partition(".")
    if library in ("gensim", "copyreg", "copy_reg"):
        return None
    if library == "numpy" and "reconstruct" in kind:
        name = "numpy.ndarray"
    return f"a pickled {name}; if you trust it, {_IN_MEMORY}"


# Folders ------------------------------------------------------------------------------


def folder_hint(path: str) -> str:
    """Return what to do with a folder that was given as a file."""
    names = sorted(os.listdir(path))
    if "modules.json" in names:
        return "it has a SentenceTransformer: give embeddings=SentenceTransformer(path)"
    if "tokenizer.json" in names and "model.safetensors" in names:
        return "it may have a StaticModel of Model2Vec: give StaticModel.from_pretrained(path)"
    if "vocab" in names and "meta.json" in names:
        return (
            "it has a spaCy pipeline: load it, and give {nlp.vocab.strings[key]: vector for key, "
            "vector in nlp.vocab.vectors.items()}"
        )
    inside = f" ({_listed(names)})" if names else ""
    return f"give the path of a file of vectors in it{inside}"
