"""Small files of vectors for the tests of handles."""

import numpy as np

SENTENCES = [
    ["the", "cat", "sat", "on", "the", "mat"],
    ["a", "graph", "of", "minors", "and", "trees"],
] * 5


WORDS = ["the", "of", "and", "cat", "mat"]


def write_vectors(path, words=WORDS, size=4, seed=0):
    """A file in GloVe's format, and what is in it."""
    rows = np.random.default_rng(seed).normal(size=(len(words), size)).astype(np.float32)
    lines = (f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words, rows, strict=True))
    path.write_text("".join(lines), encoding="utf-8")
    return dict(zip(words, rows, strict=True))


def assert_rows(rows, expected):
    assert list(rows) == list(expected)
    for word, row in rows.items():
        assert row.dtype == np.float32
        np.testing.assert_array_equal(row, expected[word])
