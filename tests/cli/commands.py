"""Texts, arguments and ways to run a command that the tests share."""

import io
import subprocess
import sys
from functools import partial
from pathlib import Path

import sktextcnn
from sktextcnn import TextCNNClassifier
from sktextcnn._cli import main

SMALL = {"num_filters": 4, "kernel_sizes": (1, 2), "max_epochs": 3, "random_state": 0}
GOOD = ["a gorgeous, witty movie", "what a gem", "witty and warm", "a gem of a film"]
BAD = ["so dull", "a dull, dull film", "tedious and flat", "flat as a board"]
COMMANDS = ["train", "predict", "evaluate", "explain", "report", "info", "vectors", "demo"]
TRAIN = ["train", "reviews.csv", "--text", "review", "--label", "sentiment", "-o", "m.sktextcnn"]
QUICK = ["--max-epochs", "2", "--set", "classifier.num_filters=4"]


def pipe(monkeypatch, data):
    """Let standard input have these bytes."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def fails(capsys, *argv):
    """The one line that a command says when it fails."""
    capsys.readouterr()
    assert main([str(arg) for arg in argv]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1, captured.err
    assert captured.err.startswith("sktextcnn: ")
    return captured.err.removeprefix("sktextcnn: ").rstrip("\n")


def refused(capsys, data, *options, name="data.csv"):
    """What predict says of a file of these bytes."""
    Path(name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return fails(capsys, "predict", "model.sktextcnn", name, *options)


def run(*argv, **kwargs):
    return subprocess.run(
        [sys.executable, "-m", "sktextcnn", *argv], capture_output=True, check=False, **kwargs
    )


def quick_demo(monkeypatch, corpus):
    """Let demo train on a small corpus for a few epochs."""
    quick = partial(TextCNNClassifier, max_epochs=6)
    monkeypatch.setattr("sktextcnn._classifier.TextCNNClassifier", quick)
    monkeypatch.setattr(sktextcnn.datasets, "load_docstrings", lambda: corpus)
