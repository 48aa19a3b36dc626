"""The texts of the benchmarks."""

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from gensim.models import KeyedVectors
from settings import EMBEDDING_DIM, SEED

from sktextcnn import TextVectorizer, TokenIds

_TOKENS_OF_LONG = 700
_TEXTS_AT_ONCE = 10_000


def read(path: pathlib.Path) -> tuple[list[str], np.ndarray]:
    """Return the texts and labels of a file whose lines have a label, a tab and a text."""
    with path.open(encoding="utf-8") as lines:
        labels, texts = zip(*(line.split("\t", 1) for line in lines), strict=True)
    return [text.strip() for text in texts], np.array(labels)


@dataclass(frozen=True)
class Task:
    """Texts with labels, and how a network is trained on them.

    Parameters
    ----------
    data : Path
        The folder with mr.tsv.
    n_texts : int or None
        Number of sentences; None: all.
    tuned : bool, default=False
        Whether word vectors are trained.
    long : bool, default=False
        Whether sentences are joined to documents of 700 words.
    device : str, default="cpu"
        Device of the network.
    """

    data: pathlib.Path
    n_texts: int | None
    tuned: bool = False
    long: bool = False
    device: str = "cpu"

    def texts(self) -> tuple[list[str], np.ndarray]:
        """Return the texts in a random but fixed order, and their labels."""
        texts, labels = read(self.data / "mr.tsv")
        order = np.random.default_rng(SEED).permutation(len(texts))[: self.n_texts]
        texts, labels = [texts[i] for i in order], labels[order]
        return _joined(texts, labels) if self.long else (texts, labels)

    def vectorizer(self, texts: list[str]) -> TextVectorizer:
        """Return a vectorizer with random vectors that is fitted on texts."""
        words = list(TextVectorizer().fit(texts).vocabulary_)
        vectors = KeyedVectors(EMBEDDING_DIM)
        rng = np.random.default_rng(SEED)
        rows = rng.uniform(-0.25, 0.25, (len(words), EMBEDDING_DIM))
        vectors.add_vectors(words, rows.astype(np.float32))
        return TextVectorizer(embeddings=vectors, random_state=SEED).fit(texts)

    def ids(self) -> tuple[TokenIds, np.ndarray]:
        """Return the ids of the texts, and the indices of their classes."""
        texts, labels = self.texts()
        return self.vectorizer(texts).transform(texts), np.unique(labels, return_inverse=True)[1]

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return ids, indices of classes and the matrix of vectors as plain arrays."""
        texts, labels = self.texts()
        vectorizer = self.vectorizer(texts)
        y = np.unique(labels, return_inverse=True)[1]
        return np.array(vectorizer.transform(texts)), y, vectorizer.embedding_matrix_.copy()


def _joined(texts: list[str], labels: np.ndarray) -> tuple[list[str], np.ndarray]:
    documents, classes = [], []
    for label in np.unique(labels):
        tokens = " ".join(texts[i] for i in np.flatnonzero(labels == label)).split()
        for start in range(0, len(tokens) - _TOKENS_OF_LONG + 1, _TOKENS_OF_LONG):
            documents.append(" ".join(tokens[start : start + _TOKENS_OF_LONG]))
            classes.append(label)
    order = np.random.default_rng(SEED).permutation(len(documents))
    return [documents[i] for i in order], np.array(classes)[order]


def zipfian(n_texts: int, n_tokens: int = 50, n_words: int = 50_000) -> Iterator[str]:
    """Yield texts whose words have Zipf's frequencies, 1 / rank.

    Parameters
    ----------
    n_texts, n_tokens : int
        Number of texts, and number of words of each.
    n_words : int
        Size of the vocabulary.
    """
    rng: Any = np.random.default_rng(SEED)
    words = np.array([f"w{i}" for i in range(n_words)], dtype=object)
    upto = np.cumsum(1 / np.arange(1, n_words + 1))
    for start in range(0, n_texts, _TEXTS_AT_ONCE):
        size = (min(_TEXTS_AT_ONCE, n_texts - start), n_tokens)
        drawn = words[np.searchsorted(upto, rng.uniform(0, upto[-1], size))]
        yield from map(" ".join, drawn)
