"""Files that are something else, damaged, or made to cost memory: errors that name them."""

import bz2
import functools
import gzip
import io
import json
import lzma
import pickle
import re
import struct
import tarfile
import tracemalloc
import zipfile
from collections import OrderedDict

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import torch
from gensim.models.fasttext import load_facebook_vectors

from sktextcnn import Embeddings
from sktextcnn._vectors import formats
from tests.vector_files import (
    ARGUMENTS,
    GLOVE,
    binary_rows,
    compress,
    fasttext_with,
    matrix_start,
    random_vectors,
    save_binary,
    save_glove,
    save_text,
    text_rows,
    write,
)


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("glove.6B.100d.txt", content)
    return file.getvalue()


def zipped_names(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "content")
    return file.getvalue()


def tarred(mode="w", kind=tarfile.DEFAULT_FORMAT):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, format=kind) as archive:
        folder = tarfile.TarInfo("vectors")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        member = tarfile.TarInfo("vectors/glove.txt")
        member.size = len(GLOVE)
        archive.addfile(member, io.BytesIO(GLOVE.encode()))
    return file.getvalue()


def saved(save, what):
    file = io.BytesIO()
    save(what, file)
    return file.getvalue()


def array_file(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


PAGE = "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head>\n<body></body></html>\n"
STRANGERS = {
    "empty": (b"", "is empty; expected a file of word vectors"),
    "blanks": (b"\n  \r\n\t\n", "is empty; expected a file of word vectors"),
    "zip": (zipped(GLOVE), "is a zip archive; unzip it and give the path of the file inside"),
    "hdf5": (
        b"\x89HDF\r\n\x1a\n\0\0\0\0",
        "is an HDF5 file, as Keras and h5py write; load it, and give the words",
    ),
    "npy": (array_file(np.zeros((2, 3))), "is a NumPy array, which has no words"),
    "page": (PAGE.encode(), "is a web page, not a file of word vectors. Download"),
    "html": (PAGE[16:].encode(), "is a web page, not a file of word vectors. Download"),
    "utf-16": (GLOVE.encode("utf-16"), "is UTF-16 text; convert it to UTF-8"),
    "utf-16-be": (b"\xfe\xff" + GLOVE.encode("utf-16-be"), "is UTF-16 text; convert it to UTF-8"),
    "utf-16 without mark": (GLOVE.encode("utf-16-le"), "this binary format is not known"),
    "bz2": (bz2.compress(GLOVE.encode()), "is compressed with bzip2; decompress it or use gzip"),
    "xz": (lzma.compress(GLOVE.encode()), "is compressed with xz; decompress it or use gzip"),
    "zip of NLPL": (
        zipped_names("meta.json", "model.bin", "model.txt"),
        "is a zip archive; unzip it and give the path of the file inside ('meta.json', 'model.bin'",
    ),
    "zip of many": (zipped_names(*map(str, range(9))), "('0', '1', '2', '3', '4', ...)"),
    "empty zip": (zipped_names(), "is a zip archive; unzip it and give the path of the file"),
    "cut zip": (zipped(GLOVE)[:60], "is a zip archive, and damaged. Download the file again"),
    "npz": (
        saved(lambda what, file: np.savez(file, words=["a"], matrix=what), np.ones((1, 2))),
        "is an .npz file of NumPy arrays ('words.npy', 'matrix.npy'); load it by numpy.load",
    ),
    "pt": (saved(torch.save, torch.ones(2, 3)), "is a .pt file of PyTorch; load it by torch.load"),
    "old pt": (
        saved(functools.partial(torch.save, _use_new_zipfile_serialization=False), {"a": 1}),
        "is a .pt file of PyTorch; load it by torch.load",
    ),
    "safetensors": (
        safetensors.numpy.save({"vectors": np.ones((2, 3))}),
        "is a safetensors file, which has no words; load it, and give the words and the matrix",
    ),
    "tar": (tarred(), "is a tar archive; unpack it and give the path of the file inside ('vectors"),
    "old tar": (tarred(kind=tarfile.GNU_FORMAT), "is a tar archive"),
    "pickled dict": (pickle.dumps({"the": [0.1]}), "is a pickled dict; if you trust it, load it"),
    "pickled dict of arrays": (pickle.dumps({"a": np.ones(2)}, 2), "is a pickled dict"),
    "pickled dict of Python 2": (pickle.dumps({"the": [0.1]}, 0), "is a pickle; if you trust it"),
    "pickled pair": (pickle.dumps((["a"], np.ones((1, 2)))), "is a pickle of lists; if you trust"),
    "pickled array": (pickle.dumps(np.ones((2, 3))), "is a pickled numpy.ndarray; if you trust"),
    "pickled frame": (pickle.dumps(pd.DataFrame([[1]])), "is a pickled pandas."),
    "pickled class": (pickle.dumps(OrderedDict(a=[1])), "is a pickled collections.OrderedDict"),
    "parquet": (
        saved(pd.DataFrame.to_parquet, pd.DataFrame({"a": [1]})),
        "is a Parquet file; read it by pandas and give the DataFrame",
    ),
    "feather": (
        saved(pd.DataFrame.to_feather, pd.DataFrame({"a": [1]})),
        "is a Feather file; read it by pandas and give the DataFrame",
    ),
    "json": (b'{"the": [0.1, 0.2], "of": [0.3, 0.4]}\n', "is JSON; load it and give the dict"),
    "indented json": (json.dumps({"the": [0.1, 0.2]}, indent=1).encode(), "is JSON; load it"),
    "json lines": (b'{"word": "the", "vector": [0.1]}\n' * 3, "is JSON; load it"),
    "json list": (b'[["the", [0.1, 0.2]]]\n', "is JSON; load it"),
    "git lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n",
        "is a pointer of Git LFS, not the file itself; run git lfs pull",
    ),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(40), "is compressed with Zstandard; decompress it or use"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(40), "is a 7z archive; unpack it"),
    "jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(64), "this binary format is not known"),
    "sqlite": (
        b"SQLite format 3\0" + bytes(64),
        "is an SQLite database, as Magnitude writes; load it, and give",
    ),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("what", STRANGERS)
def test_a_file_that_is_no_file_of_vectors_is_named_for_what_it_is(what, packed, tmp_path):
    content, expected = STRANGERS[what]
    path = write(tmp_path / "vectors.txt", content)
    if packed:
        compress(path)
    with pytest.raises(ValueError, match=rf"vectors\.txt.*{re.escape(expected)}"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize("word", ["PAR1", "Rar!", "BZh9", "{", "[", "(dp1", "cat", "%PDF", "GGUF"])
def test_a_first_word_that_looks_like_the_beginning_of_another_file_is_a_word(word, tmp_path):
    path = write(tmp_path / "vectors.txt", f"{word} 1 2\nof 3 4\nthe 5 6\n")
    assert list(Embeddings(path).lookup([word, "the"])) == [word, "the"]


def test_arrays_that_gensim_saved_apart_name_the_file_beside_them(tmp_path):
    random_vectors(30, 5, seed=1).save(str(tmp_path / "own.kv"), sep_limit=0)
    match = r"own\.kv\.vectors\.npy is a NumPy array.* gensim wrote it beside 'own\.kv': give"
    with pytest.raises(ValueError, match=match):
        Embeddings(tmp_path / "own.kv.vectors.npy").lookup(["the"])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["meta.json", "model.bin"],
            r"give the path of a file of vectors in it \('meta.json', 'mod",
        ),
        ([], "give the path of a file of vectors in it"),
        (["modules.json"], r"give embeddings=SentenceTransformer\(path\)"),
        (["tokenizer.json", "model.safetensors"], r"StaticModel\.from_pretrained\(path\)"),
        (["meta.json", "vocab"], r"spaCy pipeline: load it, and give \{nlp\.vocab"),
    ],
)
def test_a_folder_is_named_for_what_is_in_it(names, expected, tmp_path):
    folder = tmp_path / "vectors"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("")
    with pytest.raises(FileNotFoundError, match=f"vectors' is a folder; .*{expected}"):
        Embeddings(folder)


def test_a_pickle_is_named_without_running_what_is_in_it(tmp_path):
    class Runs:
        def __reduce__(self):
            return (tmp_path / "ran").write_text, ("code",)

    path = write(tmp_path / "vectors.pkl", pickle.dumps(Runs()))
    with pytest.raises(ValueError, match=r"vectors\.pkl is a pickled .*; if you trust it"):
        Embeddings(path).lookup(["the"])
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "page",
    [PAGE.lower(), PAGE[16:].upper(), "\n\n" + PAGE, "<!doctype html><html lang=en><p>404</html>"],
    ids=["lower case", "upper case", "blank lines before", "one line"],
)
def test_a_web_page_is_named_in_whatever_letters_it_is_written(page, tmp_path):
    path = write(tmp_path / "vectors.txt", page)
    with pytest.raises(ValueError, match=r"vectors\.txt is a web page"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize(
    "content",
    [
        "It was a bright cold day\n",
        "word count\n" * 5,
        "%%MatrixMarket matrix coordinate\n",
    ],
    ids=["prose", "words", "matrix market"],
)
def test_text_without_any_numbers_is_refused_whichever_words_are_wanted(content, tmp_path):
    path = write(tmp_path / "vectors.txt", content)
    with pytest.raises(ValueError, match=r"vectors\.txt.*line 1.*(number|word vectors)"):
        Embeddings(path).lookup(["the"])


def gzipped(kind, fasttext_file):
    vectors = {f"w{i}": np.random.default_rng(i).normal(size=20) for i in range(2000)}
    content = {
        "text": lambda: text_rows(vectors).encode(),
        "binary": lambda: binary_rows(vectors),
        "fasttext": fasttext_file.read_bytes,
    }[kind]()
    return gzip.compress(content)


@pytest.mark.parametrize("kind", ["text", "binary", "fasttext"])
def test_a_truncated_gzip_file_is_named(kind, fasttext_file, tmp_path):
    content = gzipped(kind, fasttext_file)
    path = write(tmp_path / "vectors.gz", content[: len(content) // 3])
    match = r"vectors\.gz: the gzip stream is damaged or truncated.*Download the file again"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["w0"])


@pytest.mark.parametrize("length", [2, 9, 11, 20])
def test_a_gzip_file_of_which_only_the_beginning_came_is_named(length, fasttext_file, tmp_path):
    path = write(tmp_path / "vectors.gz", gzipped("text", fasttext_file)[:length])
    with pytest.raises(ValueError, match=r"vectors\.gz: the gzip stream is damaged or truncated"):
        Embeddings(path).lookup(["w0"])


@pytest.mark.parametrize(
    "where",
    [pytest.param(12, id="beginning"), pytest.param(-6, id="checksum")],
)
def test_a_gzip_file_with_damaged_bytes_is_named(where, fasttext_file, tmp_path):
    content = bytearray(gzipped("text", fasttext_file))
    content[where : where + 4] = bytes(255 - byte for byte in content[where : where + 4])
    path = write(tmp_path / "vectors.gz", bytes(content))
    with pytest.raises(ValueError, match=r"vectors\.gz: the gzip stream is damaged or truncated"):
        Embeddings(path).lookup(["w1999"])


def damaged(content, rng, first):
    """Up to three bytes changed, half of the time among the first ones, and maybe the end lost."""
    content = bytearray(content)
    last = min(len(content), first + 100) if rng.random() < 0.5 else len(content)
    for _ in range(rng.integers(1, 4)):
        content[rng.integers(first, last)] = rng.integers(256)
    if rng.random() < 0.3:
        del content[rng.integers(first, len(content)) :]
    return bytes(content)


# What overflows is the subject of a test above, and so are headers that count too many rows.
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:.*its header says:UserWarning")
@pytest.mark.parametrize(
    "packed",
    [
        False,
        pytest.param(True),
    ],
    ids=["plain", "gzip"],
)
@pytest.mark.parametrize("kind", ["text", "glove", "binary", "fasttext"])
def test_any_damage_is_read_over_or_a_value_error_that_names_the_file(
    kind, packed, fasttext_file, tmp_path
):
    save = {"text": save_text, "glove": save_glove, "binary": save_binary}
    vectors = random_vectors(n_words=30, size=5, seed=10)
    words = [*vectors.index_to_key, *load_facebook_vectors(str(fasttext_file)).index_to_key]
    path = tmp_path / "plain"
    if kind == "fasttext":
        content, first = fasttext_file.read_bytes(), ARGUMENTS
    else:
        save[kind](vectors, str(path))
        content, first = path.read_bytes(), 0
    if packed:
        content, first = gzip.compress(content), 2
    rng = np.random.default_rng(0)
    refused = {}
    for i in range(200):
        path = write(tmp_path / f"damaged{i}", damaged(content, rng, first))
        try:
            Embeddings(path).lookup(words)
        except ValueError as error:
            refused[path.name] = str(error)
    assert len(refused) > 20
    assert [name for name, message in refused.items() if name not in message] == []


@pytest.mark.parametrize("n_digits", [19, 5_000])
def test_a_header_of_many_digits_names_the_file(n_digits, tmp_path):
    path = write(tmp_path / "vectors.txt", "9" * n_digits + " 3\nthe 1 2 3\n")
    with pytest.raises(ValueError, match=r"vectors\.txt"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize("start", ["", "the 1 2 3\n", "the 1 2 3\n" * 50_000], ids=len)
def test_a_line_without_end_is_refused_without_reading_it_all(start, tmp_path):
    path = write(tmp_path / "vectors.txt", start + "of" + " 1" * 5_000_000)
    number = start.count("\n") + 1
    match = rf"vectors\.txt, line {number}: .* does not end within 4,194,304 bytes"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["the"])


def test_blank_lines_beyond_the_number_of_rows_are_refused(tmp_path):
    path = write(tmp_path / "vectors.txt", "the 1 2 3\n" * 500 + "\n" * 1_500)
    assert list(Embeddings(path).lookup(["the"])) == ["the"]
    path = write(tmp_path / "other.txt", "the 1 2 3\n" * 500 + "\n" * 1_501)
    with pytest.raises(ValueError, match=r"other\.txt, line 2001: .*more blank lines than rows"):
        Embeddings(path).lookup(["the"])


BOMBS = {
    "text": b"the 1 2 3\n" + b"a 0 0 0\n" * 600_000,
    "line": b"the" + b" 0" * 2_000_000,
    "blank lines": b"the 1 2 3\n" + b"\n" * 4_000_000,
    "binary": b"4000000 1\nthe \x01\0\0\0" + b" \0\0\0\0" * 800_000,
    "word": b"9 1\nthe \x01\0\0\0" + b"x" * 4_000_000,
}


@pytest.mark.parametrize("kind", [*BOMBS, "fasttext", "dictionary"])
def test_what_grows_without_measure_when_decompressed_is_refused(
    kind, fasttext_file, tmp_path, monkeypatch
):
    monkeypatch.setattr(formats, "_ALWAYS_DECOMPRESSED", 1 << 18)
    monkeypatch.setattr(formats, "_MAX_COMPRESSION_RATIO", 20)
    content = fasttext_file.read_bytes()
    if kind == "fasttext":
        content = fasttext_with(content, "bucket", 200_000)[:-1_000] + bytes(4_800_000)
    elif kind == "dictionary":
        content = content[: matrix_start(content)] + bytes(4_000_000)
        content = content[:ARGUMENTS] + struct.pack("<i", 2**31 - 1) + content[ARGUMENTS + 4 :]
    else:
        content = BOMBS[kind]
    path = write(tmp_path / "vectors.gz", gzip.compress(content, 9))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"vectors\.gz"):
            Embeddings(path).lookup(["the", "catlike"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 15_000_000


def test_what_grows_too_much_says_how_to_read_it_all_the_same(tmp_path):
    packed = write(tmp_path / "vectors.gz", gzip.compress(BOMBS["text"]))
    with pytest.raises(ValueError, match=r"vectors\.gz decompresses to more than 100 times its .*"):
        Embeddings(packed).lookup(["the"])
    plain = write(tmp_path / "vectors.txt", BOMBS["text"])
    assert Embeddings(plain).lookup(["the"])["the"].tolist() == [1, 2, 3]
    # A few megabytes may be as alike as they like.
    small = write(tmp_path / "small.gz", gzip.compress(BOMBS["text"][:4_000_010]))
    assert Embeddings(small).lookup(["the"])["the"].tolist() == [1, 2, 3]
