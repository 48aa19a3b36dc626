"""Time and memory of reading the GloVe vectors of the words of MR, in fresh processes."""

import argparse
import pathlib
import time
from collections.abc import Iterator

import numpy as np
from contest import in_turn
from corpora import Task
from memory import forget_peak, peak
from report import Row, race, reached

OURS = "sktextcnn"
GENSIM = "gensim, full load"
LEAST_TIMES_FASTER = 30
MOST_MEGABYTES = 100

Figure = tuple[float, float, float]


def measure(args: argparse.Namespace) -> Iterator[tuple[str, list[Row]]]:
    # This brings the file into the system's cache, for both.
    with args.vectors.open("rb") as file:
        while file.read(1 << 24):
            pass
    call = (Task(args.data, args.texts), args.vectors)
    competitors = {OURS: ("measures.vectors:ours", *call), GENSIM: ("measures.vectors:full", *call)}
    title = f"{args.vectors.name} into the matrix of MR's words"
    figures: dict[str, list[Figure]] = {label: [] for label in competitors}
    for label, figure in in_turn(competitors, args.repeats, title):
        figures[label].append(figure)
    seconds = {label: [figure[0] for figure in figures[label]] for label in figures}
    rows = race(seconds, OURS, {GENSIM: LEAST_TIMES_FASTER})
    yield title, rows
    memory = []
    for label, values in figures.items():
        _, added, matrix = np.median(values, axis=0)
        beyond = float(added - matrix)
        target = MOST_MEGABYTES if label == OURS else None
        memory.append(
            {
                "": label,
                "matrix, MB": float(matrix),
                "added at the peak, MB": float(added),
                "beyond the matrix, MB": beyond,
                **reached(beyond, target, at_least=False),
            }
        )
    yield f"{title}, memory", memory


def ours(task: Task, path: pathlib.Path) -> Iterator[Figure | None]:
    """Measure a fit with the file, minus a fit without it."""
    from sktextcnn import TextVectorizer

    texts = task.texts()[0]
    yield None
    without = []
    for _ in range(3):
        start = time.perf_counter()
        TextVectorizer().fit(texts)
        without.append(time.perf_counter() - start)
    before = forget_peak()
    start = time.perf_counter()
    fitted = TextVectorizer(embeddings=path).fit(texts)
    seconds = time.perf_counter() - start - float(np.median(without))
    yield seconds, (peak() - before) / 1e6, fitted.embedding_matrix_.nbytes / 1e6


def full(task: Task, path: pathlib.Path) -> Iterator[Figure | None]:
    """Measure loading the whole file and selecting the rows of the words."""
    from gensim.models import KeyedVectors

    from sktextcnn import TextVectorizer

    vocabulary = TextVectorizer().fit(task.texts()[0]).vocabulary_
    yield None
    before = forget_peak()
    start = time.perf_counter()
    vectors = KeyedVectors.load_word2vec_format(str(path), no_header=True)
    matrix = np.zeros((len(vocabulary) + 2, vectors.vector_size), dtype=np.float32)
    for word, row in vocabulary.items():
        if word in vectors:
            matrix[row] = vectors[word]
    yield time.perf_counter() - start, (peak() - before) / 1e6, matrix.nbytes / 1e6
