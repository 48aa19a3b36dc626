"""Seconds of an epoch with frozen and tuned vectors, of sentences and of long documents."""

import argparse
from collections.abc import Iterator

import numpy as np
from contest import interleave
from corpora import Task
from report import Row, race, reached
from settings import EMBEDDING_DIM, KERNEL_SIZES, NUM_FILTERS

OURS = "sktextcnn"
RATES = {"torch.mm": "peers.ours:rate_of_mm", "the engine's product": "peers.ours:rate_of_engine"}
BUCKETED = "torch loop, bucketed, fused Adam"

TARGETS = {"Keras": 10, "skorch, default loader": 10, "torch loop, padded": 10, BUCKETED: 4}
TARGETS_LONG = {BUCKETED: 12}
MOST_TIMES_FLOOR = 2


def measure(args: argparse.Namespace) -> Iterator[tuple[str, list[Row]]]:
    for tuned in (False, True):
        task = Task(args.data, args.texts, tuned)
        competitors = {
            OURS: "peers.ours:training",
            "sktextcnn, a fit of one epoch in all": "peers.ours:whole_fit",
            "sktextcnn, bfloat16": "peers.ours:training_bfloat16",
            "Keras": "peers.keras_cnn:training",
            "skorch, default loader": "peers.skorch_net:training",
            "torch loop, padded": "peers.torch_loop:training",
            **_bucketed(tuned),
            **RATES,
            "words": "peers.torch_loop:words_of_batches",
        }
        title = f"Training epoch, MR sentences, {'tuned' if tuned else 'frozen'} vectors"
        figures = interleave(competitors, (task,), args.repeats, title)
        words = figures.pop("words")
        rates = {name: figures.pop(name) for name in RATES}
        yield title, race(figures, OURS, TARGETS, len(task.texts()[0]))
        rows = [_floor(figures[OURS], name, rates[name], words) for name in RATES]
        yield f"{title}, against the floor", rows
    for tuned in (False, True):
        task = Task(args.data, args.texts, tuned, long=True)
        competitors = {OURS: "peers.ours:training", **_bucketed(tuned)}
        title = f"Training epoch, documents of 700 words, {'tuned' if tuned else 'frozen'} vectors"
        figures = interleave(competitors, (task,), args.repeats, title)
        yield title, race(figures, OURS, TARGETS_LONG, len(task.texts()[0]))


def _bucketed(tuned: bool) -> dict[str, str]:
    competitors = {BUCKETED: "peers.torch_loop:training_bucketed"}
    if tuned:
        competitors["the same, SparseAdam for vectors"] = "peers.torch_loop:training_sparse"
    return competitors


def _floor(seconds: list[float], name: str, rates: list[float], words: list[list[int]]) -> Row:
    """Compare an epoch with the mere products of each batch's distinct words and the kernels."""
    columns = sum(KERNEL_SIZES) * NUM_FILTERS
    products = np.median([sum(epoch) for epoch in words]) * EMBEDDING_DIM * columns
    floor = products / np.median(rates)
    ratio = float(np.median(seconds) / floor)
    return {
        "at the rate of": name,
        "distinct words of a batch": float(np.mean([np.mean(epoch) for epoch in words])),
        "rate, GMA/s": float(np.median(rates)) / 1e9,
        "least": min(rates) / 1e9,
        "most": max(rates) / 1e9,
        "floor, s": float(floor),
        "ours, s": float(np.median(seconds)),
        "times the floor": ratio,
        **reached(ratio, MOST_TIMES_FLOOR, at_least=False),
    }
