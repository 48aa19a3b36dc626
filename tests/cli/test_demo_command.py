"""demo: a model that it trains, compares, explains and saves."""

import re

import sktextcnn
from sktextcnn._cli import main
from tests.cli.commands import quick_demo


def test_demo_trains_compares_explains_and_saves(folder, corpus, monkeypatch, capsys):
    quick_demo(monkeypatch, corpus)
    assert main(["demo", "--color", "always", "--quiet", "-o", "demo.sktextcnn"]) == 0
    out = capsys.readouterr().out
    accuracies = re.findall(r"accuracy ([\d.]+) on 48 held-out texts", out)
    assert len(accuracies) == 2
    texts, labels = corpus
    # The share trained on is most of the corpus.
    assert sktextcnn.load("demo.sktextcnn").score(texts, labels) > 0.5
    assert out.count(";38;5;16;48;5;") >= 2
    assert "tensor" in out
