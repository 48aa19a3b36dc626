"""Files of word vectors for the tests, and comparison of vectors bit by bit."""

import gzip
import struct
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors

SENTENCES = [
    ["the", "cat", "sat", "on", "the", "mat"],
    ["кошка", "сидит", "on", "naïve", "マット", "mat"],
    ["graph", "minors", "trees", "the", "trees", "1.5"],
] * 5


UNKNOWN = ["catlike", "graphs", "кошки", "テスト", "🚑🚒", "zzz", "sits on"]


def assert_bits(rows, words, truth):
    """The rows are those of the words that the truth has, bit by bit."""
    expected = {word: np.asarray(truth[word], dtype=np.float32) for word in words if word in truth}
    assert list(rows) == list(expected)
    for word, row in rows.items():
        assert row.dtype == np.float32
        assert row.shape == expected[word].shape
        assert row.tobytes() == expected[word].tobytes(), word


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def compress(path):
    """Compress a file in place, whatever its name says."""
    path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def binary_rows(rows, newline=b"", header=None):
    """The bytes of a word2vec binary file; word2vec.c ends rows with a newline, gensim does not."""
    size = len(next(iter(rows.values())))
    content = header or f"{len(rows)} {size}\n".encode()
    for word, row in rows.items():
        word = word if isinstance(word, bytes) else word.encode()
        content += word + b" " + np.asarray(row, dtype="<f4").tobytes() + newline
    return content


def random_vectors(n_words, size, seed):
    """Words of many alphabets, and float32 vectors of any finite bits."""
    rng = np.random.default_rng(seed)
    alphabets = [(33, 127), (0xA0, 0x250), (0x400, 0x460), (0xE01, 0xE30), (0x4E00, 0x9000)]
    alphabets += [(0x2000, 0x2070), (0x1F300, 0x1F600)]
    words = {"2010", "1.5", "-", "nan", "</s>", "a\xa0b", "x" * 300}
    while len(words) < n_words:
        low, high = alphabets[rng.integers(len(alphabets))]
        words.add("".join(map(chr, rng.integers(low, high, size=rng.integers(1, 9)))))
    bits = rng.integers(0, 2**32, size=(n_words, size), dtype=np.uint32).view(np.float32)
    bits = np.where(np.isfinite(bits), bits, np.float32(-0.0))
    bits[:2, 0] = np.finfo(np.float32).smallest_subnormal, np.finfo(np.float32).max
    vectors = KeyedVectors(size, dtype=np.float32)
    vectors.add_vectors(sorted(words), bits)
    return vectors


def save_text(vectors, path):
    vectors.save_word2vec_format(path)


def save_glove(vectors, path):
    vectors.save_word2vec_format(path, write_header=False)


def save_binary(vectors, path):
    vectors.save_word2vec_format(path, binary=True)


def save_binary_as_word2vec_c(vectors, path):
    rows = {word: vectors[word] for word in vectors.index_to_key}
    Path(path).write_bytes(binary_rows(rows, newline=b"\n"))


def save_own(vectors, path):
    vectors.save(path)


def save_own_apart(vectors, path):
    vectors.save(path, sep_limit=0)


STREAMED = [save_text, save_glove, save_binary, save_binary_as_word2vec_c]
THE, OF, NY = [0.5, -0.25, 1.0], [0.125, 2.0, -8.0], [3.0, 0.75, 0.0625]
ROWS = {"the": THE, "of": OF, "New York": NY}


def text_rows(rows, separator=" ", end="\n"):
    return "".join(
        separator.join([word, *(str(value) for value in row)]) + end for word, row in rows.items()
    )


GLOVE = text_rows({"the": THE, "of": OF, "and": NY})


# Magic number, version, twelve ints and a double; three ints and two longs.
ARGUMENTS, DICTIONARY = 8 + 12 * 4 + 8, 8 + 12 * 4 + 8 + 3 * 4 + 2 * 8


def matrix_start(content):
    """Where fastText's matrix begins: with a flag, two longs, and then the numbers."""
    (n_entries,) = struct.unpack_from("<i", content, ARGUMENTS)
    offset = DICTIONARY
    for _ in range(n_entries):
        offset = content.index(b"\0", offset) + 1 + 9
    return offset


def fasttext_with(content, field, value):
    """A fastText file with another number among its arguments, and a matrix that agrees."""
    content = bytearray(content)
    start = matrix_start(content) + 1
    offsets = {"size": 8, "bucket": 40, "maxn": 48, "n_words": ARGUMENTS + 4}
    struct.pack_into("<i", content, offsets[field], value)
    size, bucket, n_words = (
        struct.unpack_from("<i", content, offsets[name])[0]
        for name in ("size", "bucket", "n_words")
    )
    struct.pack_into("<2q", content, start, n_words + bucket, size)
    return bytes(content)


def naive_text(content):
    """The rows of a text, each line taken from the right and each number by float()."""
    lines = content.decode().removeprefix("\ufeff").split("\n")
    if len(lines[0].split()) == 2:
        del lines[0]
    rows = {}
    for line in filter(str.strip, lines):
        word, *values = line.rstrip(" \t\r").rsplit(None, 3)
        rows.setdefault(word, np.array([float(value) for value in values]).astype(np.float32))
    return rows
