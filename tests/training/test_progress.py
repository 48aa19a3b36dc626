"""What is shown while something takes long: in a terminal, in a file, and not at all."""

import io
import re
import sys
import threading
import time
from contextlib import redirect_stderr

import numpy as np
import pytest
from skorch.callbacks import Callback, EarlyStopping

from sktextcnn import TextCNNClassifier, TextVectorizer, _progress
from sktextcnn._progress import progress_bar, say, waiting

SMALL = {"num_filters": 4, "kernel_sizes": (1, 2), "random_state": 0}


class Terminal(io.StringIO):
    """What redirect_stderr is given, as pytest's own stream takes the place of any other."""

    def isatty(self):
        return True


@pytest.fixture
def impatient(monkeypatch):
    """What takes any time is slow."""
    monkeypatch.setattr(_progress, "_DELAY", 1e-9)


def test_the_bar_counts_batches_and_names_the_epoch(data):
    X, y = data
    with redirect_stderr(Terminal()) as terminal:
        TextCNNClassifier(max_epochs=2, verbose=1, batch_size=10, **SMALL).fit(X, y)
    shown = terminal.getvalue()
    last = [line.rsplit("\r", 1)[1] for line in shown.rstrip("\n").split("\n")]
    # A fifth of the texts was held out from the first of two trainings.
    first, second = last[0], last[-1]
    assert re.match(r"TextCNN, to weigh the parts, epoch 2 of 2: 100%\|#+\| 40/40 batches", first)
    assert re.match(r"TextCNN, epoch 2 of 2: 100%\|#+\| 48/48 batches \[.*train_loss=", second)


def test_a_file_gets_lines_without_carriage_returns(data, capsys):
    X, y = data
    TextCNNClassifier(max_epochs=2, verbose=1, wide=False, **SMALL).fit(X, y)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert "\r" not in err
    assert "\x1b" not in err
    assert lines[0].startswith("TextCNN: 0%, 0/16 batches [")
    assert re.fullmatch(
        r"TextCNN, epoch 2 of 2: 100%, 16/16 batches \[00:\d\d, train_loss=[\d.]+\]", lines[-1]
    )


def test_nothing_is_shown_unless_it_is_asked_for(data, capsys, impatient):
    X, y = data
    TextCNNClassifier(max_epochs=1, **SMALL).fit(X, y)
    TextVectorizer(embeddings="word2vec").fit(["a gem", "so dull"])
    assert capsys.readouterr() == ("", "")


def test_an_early_stop_is_told_with_the_best_epoch(data, capsys):
    X, y = data
    # With labels by chance, the validation loss soon grows.
    y = np.random.default_rng(0).permutation(y)
    classifier = TextCNNClassifier(
        max_epochs=60, verbose=1, early_stopping=True, learning_rate=0.05, wide=False, **SMALL
    ).fit(X, y)
    n_epochs = classifier.n_iter_
    assert n_epochs < 60
    best = int(np.argmin(classifier.history_[:, "valid_loss"])) + 1
    *_, bar, sentence = capsys.readouterr().err.splitlines()
    assert f"epoch {n_epochs} of 60: 100%, " in bar
    assert sentence == (
        f"Stopped after epoch {n_epochs} of 60; the weights are those of epoch {best}, the best "
        f"one."
    )


def test_a_callback_that_keeps_the_last_weights_is_told_so(data, capsys):
    X, y = data
    stop = EarlyStopping("train_loss", patience=1, threshold=1e9, threshold_mode="abs", sink=str)
    classifier = TextCNNClassifier(
        max_epochs=9, verbose=1, wide=False, callbacks=[stop], lr_schedule="constant", **SMALL
    ).fit(X, y)
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"Stopped after epoch {classifier.n_iter_} of 9."
    )


def test_the_last_epoch_as_the_best_needs_no_words(data, capsys):
    X, y = data
    classifier = TextCNNClassifier(max_epochs=2, verbose=1, early_stopping=True, **SMALL)
    classifier.fit(X, y)
    losses = classifier.history_[:, "valid_loss"]
    assert losses[1] < losses[0]
    assert "best" not in capsys.readouterr().err


class Seen(Terminal):
    def __init__(self):
        super().__init__()
        self.baking = threading.Event()

    def write(self, text):
        if "Baking" in text:
            self.baking.set()
        return super().write(text)


def test_waiting_says_what_takes_long_and_ends_its_line(impatient):
    def interrupted(terminal):
        with waiting("Baking"):
            assert terminal.baking.wait(60)
            raise KeyboardInterrupt

    with redirect_stderr(Seen()) as terminal, pytest.raises(KeyboardInterrupt):
        interrupted(terminal)
    assert re.search(r"\rBaking \[00:0\d\] *\n$", terminal.getvalue())
    assert not any(thread.name == "Baking" for thread in threading.enumerate())


def test_a_line_is_above_the_bar_and_has_no_control_characters():
    with redirect_stderr(Terminal()) as terminal, progress_bar(desc="Baking", total=2) as bar:
        say("\x1b]0;x\x07 is\nhot")
        say("not shown", shown=False)
        bar.update()
    assert "\r\\x1b]0;x\\x07 is hot\n\rBaking" in terminal.getvalue()
    assert "not shown" not in terminal.getvalue()


def test_without_stderr_nothing_is_said(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr", None)
    say("Baking")
    assert capsys.readouterr().out == ""


def test_bars_of_bytes_have_units(capsys):
    with progress_bar(desc="Receiving", unit="B", unit_scale=True, total=4e6) as bar:
        bar.update(4_000_000)
    assert "Receiving: 100%, 4.00M/4.00MB [" in capsys.readouterr().err


def test_what_is_quick_or_quiet_is_not_told():
    with redirect_stderr(Terminal()) as terminal:
        with waiting("Baking"):
            pass
        with waiting("Baking", shown=False):
            pass
    assert terminal.getvalue() == ""


def test_bars_of_unknown_length_count_up_with_separators(capsys):
    with progress_bar(desc="Reading", unit=" rows") as bar:
        bar.update(1_234_567)
    assert "Reading: 1,234,567 rows [" in capsys.readouterr().err


def fit_and_wait(X, y):
    TextCNNClassifier(max_epochs=1, verbose=1, **SMALL).fit(X, y)
    TextVectorizer(verbose=1).fit(["a gem", "so dull"])
    with waiting("Baking"), progress_bar(desc="Reading", unit=" rows") as bar:
        time.sleep(0.01)
        bar.update(3)
    say("Baked.")


@pytest.mark.parametrize("is_closed", [False, True])
def test_without_a_stderr_nothing_is_shown(data, capsys, monkeypatch, impatient, is_closed):
    stream = Terminal() if is_closed else None
    if is_closed:
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    fit_and_wait(*data)
    assert capsys.readouterr().out == ""


def test_a_stderr_that_can_only_write_gets_lines(data, monkeypatch, impatient):
    class Stream:
        def __init__(self):
            self.written = []
            self.write = self.written.append

    stream = Stream()
    monkeypatch.setattr(sys, "stderr", stream)
    fit_and_wait(*data)
    shown = "".join(stream.written)
    assert "TextCNN, epoch 1 of 1: 100%, 8/8 batches" in shown
    assert shown.endswith("Baked.\n")
    assert "\r" not in shown


def test_a_callback_may_change_the_number_of_batches(data):
    class Halve(Callback):
        def on_train_begin(self, net, **kwargs):
            net.batch_size = 5

    X, y = data
    for stream, expected in ((Terminal(), r"100%\|#+\| "), (io.StringIO(), "100%, ")):
        with redirect_stderr(stream):
            TextCNNClassifier(
                max_epochs=1, batch_size=60, verbose=1, wide=False, callbacks=[Halve()], **SMALL
            ).fit(X, y)
        assert re.search(f"epoch 1 of 1: {expected}48/48 batches", stream.getvalue())


@pytest.mark.parametrize(("length", "shown"), [(1, "100%, 3/3"), (0, "3"), (9, "33%, 3/9")])
def test_a_wrong_length_of_the_texts_does_not_stop_the_work(capsys, impatient, length, shown):
    class Texts:
        def __len__(self):
            return length

        def __iter__(self):
            return iter(["a gem", "so dull", "a film"])

    TextVectorizer(verbose=1).fit(Texts())
    assert f"Tokenizing: {shown} texts [" in capsys.readouterr().err


def test_the_vectorizer_tells_what_takes_long(capsys, impatient):
    texts = ["a gem of a film", "so dull"] * 3
    vectorizer = TextVectorizer(embeddings="word2vec", random_state=0, verbose=1).fit(texts)
    shown = capsys.readouterr().err
    assert "Tokenizing: 100%, 6/6 texts" in shown
    assert "Training word2vec vectors on 6 texts ...\n" in shown
    vectorizer.transform(text for text in texts)
    assert "Tokenizing: 6 texts" in capsys.readouterr().err
    with pytest.raises(TypeError, match="Text 1"):
        vectorizer.transform(["a", None])
