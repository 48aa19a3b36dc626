"""Seconds of an epoch on a CUDA device, and on the CPU of this machine."""

import argparse
from collections.abc import Iterator
from dataclasses import replace

import torch
from contest import interleave
from corpora import Task
from report import Row, race

OURS = "sktextcnn"
COMPETITORS = {
    OURS: "peers.ours:training",
    "sktextcnn, convolution='dense'": "peers.ours:training_dense",
    "sktextcnn, bfloat16": "peers.ours:training_bfloat16",
    "torch loop, padded": "peers.torch_loop:training",
    "torch loop, bucketed, fused Adam": "peers.torch_loop:training_bucketed",
}
IN_BATCHES = {
    OURS: "peers.ours:training_in_batches",
    "sktextcnn, convolution='dense'": "peers.ours:training_dense_in_batches",
}
ON_CPU = "sktextcnn, on the processor"
BATCH_SIZES = (32, 256, 1024)


def measure(args: argparse.Namespace) -> Iterator[tuple[str, list[Row]]]:
    if not torch.cuda.is_available():
        return
    name = torch.cuda.get_device_name()
    for tuned in (False, True):
        title = f"Training epoch, MR sentences, {'tuned' if tuned else 'frozen'} vectors, {name}"
        task = Task(args.data, args.texts, tuned, device="cuda")
        yield title, _raced(title, task, COMPETITORS, {ON_CPU: "peers.ours:training"}, args.repeats)
    for long in (False, True):
        for batch_size in BATCH_SIZES:
            texts = "documents of 700 words" if long else "MR sentences"
            title = f"Training epoch, {texts}, tuned vectors, batches of {batch_size}, {name}"
            task = Task(args.data, args.texts, True, long, device="cuda")
            on_cpu = {ON_CPU: "peers.ours:training_in_batches"}
            yield title, _raced(title, task, IN_BATCHES, on_cpu, args.repeats, batch_size)


def _raced(
    title: str,
    task: Task,
    on_cuda: dict[str, str],
    on_cpu: dict[str, str],
    repeats: int,
    *args: int,
) -> list[Row]:
    figures = interleave(on_cuda, (task, *args), repeats, title)
    figures |= interleave(on_cpu, (replace(task, device="cpu"), *args), repeats, title)
    return race(figures, OURS, {}, len(task.texts()[0]))
