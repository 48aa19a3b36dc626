"""Displays: what is drawn, and what of a text reaches a page or a terminal."""

import copy
import html
import itertools
import re
import sys

import matplotlib
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sktextcnn import (
    ExplanationDisplay,
    LearnedNGramsDisplay,
    TextCNNClassifier,
    TextVectorizer,
    TrainingHistoryDisplay,
    explain,
    top_ngrams,
)
from sktextcnn._inspection.rendering import cut, printable

matplotlib.use("agg")

HOSTILE = "<script>alert('1')</script> array & \"the\" of\x1b[2J <b title='x'>tensor</b> \u202e"


@pytest.fixture(scope="module")
def model(corpus, vectors_file):
    texts, labels = corpus
    return make_pipeline(
        TextVectorizer(embeddings=vectors_file, random_state=0),
        TextCNNClassifier(
            num_filters=6, max_epochs=4, random_state=0, finetune=2, early_stopping=True
        ),
    ).fit(texts, labels)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def test_the_words_on_a_page_are_the_text(model, corpus):
    for text in [*corpus[0][:20], HOSTILE, "", "\ud800 array"]:
        explanation = explain(model, [text])[0]
        pieces = cut(text, explanation.token_spans, explanation.evidence("torch", by="token"))
        assert "".join(piece for piece, _ in pieces) == text
        body = re.search(r"pre-wrap'>(.*?)</div>", explanation.to_html("torch"), re.S)[1]
        shown = html.unescape(re.sub(r"</?span[^>]*>", "", body))
        assert shown == text.replace("\ud800", "?")
        assert explanation.to_html("torch").encode("utf-8")


def test_a_hostile_text_stays_text(model):
    explanation = explain(model, [HOSTILE])[0]
    page = explanation._repr_html_()
    tags = set(re.findall(r"</?(\w+)", page))
    assert tags == {"div", "b", "bdi", "span", "details", "summary", "table", "tr", "td"}
    assert page.count("<b>") == page.count("</b>") == 1
    assert "&lt;" in page
    shown = re.sub(r"\x1b\[(?:[14](?:;38;5;16;48;5;\d+)?|0)m", "", explanation.to_ansi())
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_tokens_in_the_same_characters_are_one_piece(model):
    model = copy.deepcopy(model)
    model[0].set_params(normalize=None, token_pattern=r"\w+|[^\w\s]")
    (explanation,) = explain(model, ["İ array"])
    assert explanation.tokens == ("i", "\u0307", "array")
    evidence = explanation.evidence("torch", by="token")
    assert evidence[1] != 0
    pieces = cut(explanation.text, explanation.token_spans, evidence)
    assert pieces == [
        ("İ", evidence[0] + evidence[1]),
        (" ", 0),
        ("array", evidence[2]),
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\xa0c\u3000d\u2028e\tf", "a \nb c d e\tf"),
        ("می\u200cروم 👩\u200d💻", "می\u200cروم 👩\u200d💻"),
        ("a\x1b[2J\u202e\ud800\x9b", "a\ufffd[2J\ufffd\ufffd\ufffd"),
    ],
    ids=ascii,
)
def test_terminals_get_what_is_harmless(text, shown):
    assert printable(text) == shown


def test_hostile_labels_stay_labels(corpus):
    texts, labels = corpus
    names = np.where(np.array(labels) == "torch", "<i>\x1b[2J", "<u>")
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(num_filters=2, max_epochs=1))
    explanation = explain(model.fit(texts, names), ["array"])[0]
    assert "<i>" not in explanation.to_html("<i>\x1b[2J")
    assert "&lt;i&gt;" in explanation.to_html("<i>\x1b[2J")
    assert "\x1b[2J" not in explanation.to_ansi("<i>\x1b[2J")


def test_an_explanation_is_drawn(model):
    text = "Returns a $tensor$ on the device"
    display = ExplanationDisplay.from_estimator(model, text, label="torch", n=4)
    assert display.figure_ is display.ax_.figure
    bars = {bar.get_width() for bar in display.ax_.patches}
    assert bars == {value for _, value in explain(model, [text])[0].top("torch", n=4)}
    assert display.ax_.get_xlabel() == "Evidence for torch"
    display.figure_.canvas.draw()
    assert "torch" in display._repr_html_()
    assert "tensor" in str(display)
    again = ExplanationDisplay(display.explanation).plot(by="token", ax=display.ax_)
    assert again.ax_ is display.ax_


def test_dollars_in_labels_begin_no_formula(corpus):
    texts, labels = corpus
    names = np.where(np.array(labels) == "torch", "$a_$", "a\nb\x01")
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(num_filters=2, max_epochs=1))
    model.fit(texts, names)
    for label, shown in (("$a_$", r"\$a_\$"), ("a\nb\x01", "a b\ufffd")):
        for display in (
            ExplanationDisplay.from_estimator(model, "array", label=label),
            LearnedNGramsDisplay.from_estimator(model, texts[:3], label),
        ):
            assert display.ax_.get_xlabel().startswith(f"Evidence for {shown}")
            display.figure_.canvas.draw()


@pytest.mark.parametrize("text", ["", "$ x_{ \\frac", "\ud800 \x00 array", "word " * 500])
def test_odd_texts_are_drawn(model, text):
    ExplanationDisplay.from_estimator(model, text).figure_.canvas.draw()


def test_a_history_is_drawn_with_the_moment_of_thawing(model):
    display = TrainingHistoryDisplay.from_estimator(model)
    lines = {line.get_label(): line for line in display.ax_.lines + display.accuracy_ax_.lines}
    history = model[-1].history_
    for name, label in (
        ("train_loss", "training loss"),
        ("valid_loss", "validation loss"),
        ("valid_acc", "validation accuracy"),
    ):
        np.testing.assert_allclose(lines[label].get_ydata(), history[:, name])
    assert lines["word vectors thawed"].get_xdata() == [3, 3]
    best = int(np.argmin(history[:, "valid_loss"]))
    marked = lines[f"lowest validation loss, epoch {best + 1}"]
    assert marked.get_xydata().tolist() == [[best + 1, history[best, "valid_loss"]]]
    assert [text.get_text() for text in display.ax_.get_legend().texts] == [
        *("training loss", "validation loss", "validation accuracy"),
        f"lowest validation loss, epoch {best + 1}",
        "word vectors thawed",
    ]


@pytest.mark.parametrize(
    ("finetune", "thawed"),
    [
        (True, {}),
        (np.int64(1), {2: "word vectors"}),
        ("gradual", {2: "convolutions", 3: "word vectors"}),
    ],
)
def test_a_history_without_validation_has_one_curve(corpus, vectors_file, finetune, thawed):
    texts, labels = corpus
    X = TextVectorizer(embeddings=vectors_file).fit_transform(texts)
    classifier = TextCNNClassifier(num_filters=2, max_epochs=2, finetune=finetune).fit(X, labels)
    display = TrainingHistoryDisplay.from_estimator(classifier)
    assert display.accuracy_ax_ is None
    assert display.thawed == thawed
    # The third epoch was not reached.
    assert [text.get_text() for text in display.ax_.get_legend().texts] == [
        "training loss",
        *(f"{what} thawed" for epoch, what in thawed.items() if epoch <= 2),
    ]


@pytest.mark.parametrize("n_epochs", [1, 40, 3000])
def test_the_legend_covers_no_curve(n_epochs):
    import matplotlib.pyplot as plt

    rng = np.random.default_rng(0)
    history = [
        {"train_loss": 1 / epoch, "valid_loss": 0.5 + rng.random(), "valid_acc": rng.random()}
        for epoch in range(1, n_epochs + 1)
    ]
    _, both = plt.subplots(1, 2, figsize=(14, 4), layout="constrained")
    for ax in (None, both[0]):
        display = TrainingHistoryDisplay(history, {2: "convolutions", 3: "word vectors"})
        display.plot(ax=ax)
        display.figure_.canvas.draw()
        legend = display.ax_.get_legend().get_window_extent()
        assert legend.y0 >= display.ax_.get_window_extent().y1 - 1
        assert legend.y1 <= display.figure_.bbox.y1
        ticks = [tick.get_text() for tick in display.ax_.get_xticklabels()]
        assert len(ticks) == len(set(ticks))


def test_many_epochs_are_smoothed_and_none_is_hidden():
    values = np.sin(np.arange(300) / 30) + np.tile([0.5, -0.5], 150)
    display = TrainingHistoryDisplay([{"train_loss": value} for value in values], {}).plot()
    raw, mean = display.ax_.lines
    np.testing.assert_array_equal(raw.get_ydata(), values)
    assert mean.get_label() == "training loss, mean of 17 epochs"
    middle = [np.mean(values[i - 8 : i + 9]) for i in range(8, 292)]
    np.testing.assert_allclose(mean.get_ydata()[8:292], middle)
    np.testing.assert_allclose(mean.get_ydata()[[0, -1]], [values[:9].mean(), values[-9:].mean()])
    assert [text.get_text() for text in display.ax_.get_legend().texts] == [mean.get_label()]


def test_long_ngrams_are_broken_into_lines_that_do_not_meet(model):
    text = " ".join(["incomprehensibilities"] * 9)
    explanation = explain(model, [text])[0]
    display = ExplanationDisplay(explanation).plot(n=8)
    names = display.ax_.get_yticklabels()
    longest = max((name.get_text() for name in names), key=len)
    assert longest.replace("\n", " ") == " ".join(["incomprehensibilities"] * 5)
    assert len(longest.splitlines()) == 3
    display.figure_.canvas.draw()
    boxes = [name.get_window_extent() for name in names]
    assert all(below.y1 <= above.y0 + 1 for below, above in itertools.pairwise(boxes))
    assert all(box.x0 >= 0 for box in boxes)
    title = display.ax_.title.get_window_extent()
    assert display.figure_.bbox.x0 <= title.x0 < title.x1 <= display.figure_.bbox.x1


def test_ngrams_of_a_class_are_drawn(model, corpus):
    display = LearnedNGramsDisplay.from_estimator(model, corpus[0], "torch", n=5)
    totals = sorted(ngram.total for ngram in top_ngrams(model, corpus[0], "torch", n=5)["torch"])
    assert [bar.get_width() for bar in display.ax_.patches] == totals
    assert "torch" in display.ax_.get_xlabel()


def test_matplotlib_is_named_where_it_is_missing(model, corpus, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (
        lambda: ExplanationDisplay.from_estimator(model, "array"),
        lambda: TrainingHistoryDisplay.from_estimator(model),
        lambda: LearnedNGramsDisplay.from_estimator(model, corpus[0], "torch"),
    ):
        with pytest.raises(ImportError, match=r"Display draws .*pip install 'sktextcnn\[plot\]'"):
            draw()
    assert explain(model, ["array"])[0].to_html()


def test_odd_requests_are_refused(model, corpus):
    with pytest.raises(TypeError, match="text must be one text, a str; got list"):
        ExplanationDisplay.from_estimator(model, ["array"])
    with pytest.raises(TypeError, match="TrainingHistoryDisplay takes a TextCNNClassifier"):
        TrainingHistoryDisplay.from_estimator(TextVectorizer())
    with pytest.raises(ValueError, match="label='nonsense' is not one of the classes"):
        LearnedNGramsDisplay.from_estimator(model, corpus[0], "nonsense")
    with pytest.raises(ValueError, match="label=None is not one of the classes"):
        LearnedNGramsDisplay.from_estimator(model, corpus[0], None)
    search = GridSearchCV(model, {})
    with pytest.raises(NotFittedError, match="TrainingHistoryDisplay takes the best model of a s"):
        TrainingHistoryDisplay.from_estimator(search)
