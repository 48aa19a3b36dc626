"""Seconds of an epoch on a CUDA device, beside those of this machine's processor."""

import argparse
from collections.abc import Iterator

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


def measure(args: argparse.Namespace) -> Iterator[tuple[str, list[Row]]]:
    if not torch.cuda.is_available():
        return
    for long in (False, True):
        for tuned in (False, True):
            texts = "documents of 700 words" if long else "MR sentences"
            title = f"Training epoch, {texts}, {'tuned' if tuned else 'frozen'} vectors"
            task = Task(args.data, args.texts, tuned, long, device="cuda")
            figures = interleave(COMPETITORS, (task,), args.repeats, title)
            on_cpu = Task(args.data, args.texts, tuned, long)
            label = "sktextcnn, on the processor"
            figures |= interleave({label: "peers.ours:training"}, (on_cpu,), args.repeats, title)
            yield (
                f"{title}, {torch.cuda.get_device_name()}",
                race(figures, OURS, {}, len(task.texts()[0])),
            )
