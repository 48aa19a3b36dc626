"""explain: text, JSON and HTML of an explanation."""

import io
import json
import sys
from pathlib import Path

import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._cli import explain, main
from tests.cli.commands import BAD, GOOD, SMALL, fails


def test_explain_prints_what_the_explanation_says(folder, model, capsys):
    text = "what a GEM, so witty"
    explanation = sktextcnn.explain(model, [text])[0]
    argv = ["explain", "model.sktextcnn", text]
    assert main([*argv, "--color", "always"]) == 0
    coloured = capsys.readouterr().out
    assert coloured == f"{explanation.to_ansi()}\n\n{explanation.ansi_legend()}\n"
    assert ";38;5;16;48;5;" in coloured
    assert main([*argv, "--label", "negative", "--n", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "\x1b" not in "".join(lines)
    assert lines[:3] == [
        f"positive {explanation.probabilities[1]:.1%}, negative {explanation.probabilities[0]:.1%}",
        "evidence for negative:",
        text,
    ]
    assert [line.split(maxsplit=1)[1] for line in lines[3:] if line] == [
        ngram for ngram, _ in explanation.top("negative", n=2)
    ]


def test_a_terminal_gets_a_legend_once(folder, model, monkeypatch, capsys):
    argv = ["explain", "model.sktextcnn", "what a GEM", "so dull"]
    assert main(argv) == 0
    assert "The numbers are" not in capsys.readouterr().out
    monkeypatch.setattr(explain, "is_terminal", lambda stream: True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(argv) == 0
    shown = capsys.readouterr().out
    numbers = sktextcnn.explain(model, ["a"])[0].ansi_legend().split("\n", 1)[1]
    assert shown.endswith(f"\n\n{numbers}\n")
    assert shown.count(numbers) == 1
    assert "\x1b" not in shown
    assert main([*argv, "--json"]) == 0
    assert "The numbers are" not in capsys.readouterr().out


def test_true_labels_are_shown_on_pages_in_terminals_and_in_json(folder, model, capsys):
    rows = [("what a gem", "positive"), ("so dull", "positive"), ("a dull film", "negative")]
    pd.DataFrame(rows, columns=["review", "sentiment"]).to_csv("checked.csv", index=False)
    argv = ["explain", "model.sktextcnn", "--file", "checked.csv", "--text", "review"]
    argv += ["--true-label", "sentiment", "--n", "1"]
    assert main(argv) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if "true label" in line]
    predicted = model.predict([text for text, _ in rows])
    assert shown == [
        f"true label: {true} ({'right' if true == found else 'wrong'})"
        for (_, true), found in zip(rows, predicted, strict=True)
    ]
    assert main([*argv, "-o", "page.html"]) == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.count("true label: ") == 3
    assert main([*argv, "--json"]) == 0
    found = [json.loads(line)["true"] for line in capsys.readouterr().out.splitlines()]
    assert found == [true for _, true in rows]


def test_true_labels_of_a_model_of_several_are_lists(folder, capsys):
    indicator = [[1, 0]] * 4 + [[0, 1]] * 4
    several = make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL)).fit(GOOD + BAD, indicator)
    sktextcnn.save(several, "several.sktextcnn")
    Path("tags.tsv").write_text("text\ttags\nwhat a gem\t0;1\nso dull\t\n", encoding="utf-8")
    argv = ["explain", "several.sktextcnn", "--file", "tags.tsv", "--true-label", "tags"]
    assert main([*argv, "--label-separator", ";"]) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if "true label" in line]
    assert [line.rsplit(" ", 1)[0] for line in shown] == ["true labels: 0, 1", "true labels: none"]


def test_true_labels_that_are_not_there_are_told(folder, capsys):
    Path("odd.csv").write_text("text,mood\nwhat a gem,happy\n", encoding="utf-8")
    argv = ["explain", "model.sktextcnn", "--file", "odd.csv", "--true-label"]
    said = fails(capsys, *argv, "mood", "-o", "page.html")
    assert said.startswith("odd.csv, row 1, column 'mood': the label 'happy' is not a class of")
    assert not Path("page.html").exists()
    assert "there is no column 'label'; it has text, mood." in fails(capsys, *argv, "label")
    for wrong in (["a gem", "--true-label", "x"], ["--file", "odd.csv", "--label-separator", ";"]):
        with pytest.raises(SystemExit):
            main(["explain", "model.sktextcnn", *wrong])
        assert "--true-label" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize("no_colour", ["", "1"])
@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_colours_are_for_terminals(monkeypatch, is_terminal, no_colour, term):
    monkeypatch.setenv("NO_COLOR", no_colour)
    monkeypatch.setenv("TERM", term)
    stream = io.StringIO()
    stream.isatty = lambda: is_terminal
    wanted = is_terminal and not no_colour and term != "dumb"
    assert explain.wants_color("auto", stream) == wanted
    assert explain.wants_color("always", stream)
    assert not explain.wants_color("never", stream)


def test_explain_writes_json_whose_parts_sum_to_the_logits(folder, model, capsys):
    argv = ["explain", "model.sktextcnn", "--file", "new.csv", "--text", "review", "--json"]
    assert main(argv) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    texts = pd.read_csv("new.csv")["review"].tolist()
    assert [row["text"] for row in rows] == texts
    assert [row["prediction"] for row in rows] == model.predict(texts).tolist()
    logits = model.decision_function(texts)
    for row, logit in zip(rows, logits, strict=True):
        for parts, rest in (("spans", "remainder"), ("tokens", "token_remainder")):
            sums = {
                name: sum(part["contributions"][name] for part in row[parts]) + row[rest][name]
                for name in ("negative", "positive")
            }
            assert sums["positive"] - sums["negative"] == pytest.approx(logit, abs=1e-5)
            for part in row[parts]:
                assert part["text"] == row["text"][part["start"] : part["end"]]


def test_explain_writes_a_page_that_says_its_encoding(folder, model, capsys):
    argv = ["explain", "model.sktextcnn", "<b>schön</b> & a gem", "so dull", "-o", "page.html"]
    assert main(argv) == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert '<meta charset="utf-8">' in page
    assert "color-scheme: light dark" in page
    assert '<html lang="en">' in page
    assert "<title>Explanations by model.sktextcnn</title>" in page
    assert page.count(sktextcnn.explain(model, ["a"])[0].html_legend()) == 1
    assert page.endswith("</body>\n</html>\n")
    assert "<b>schön" not in page
    assert "schön" in page
    assert page.count("n-grams that matter most") == 2
    assert main([*argv, "--n", "1"]) == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.count("<tr>") == 2
    Path("<b>&.txt").write_text("a gem\n", encoding="utf-8")
    assert main(["explain", "model.sktextcnn", "--file", "<b>&.txt", "-o", "page.html"]) == 0
    page = Path("page.html").read_text(encoding="utf-8")
    title = "&lt;b&gt;&amp;.txt explained by model.sktextcnn"
    assert f"<title>{title}</title>" in page
    assert f"<h1>{title}</h1>" in page


def test_explain_of_a_network_that_needs_captum_says_so(folder, monkeypatch, capsys):
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL, hidden_units=3))
    sktextcnn.save(model.fit(GOOD + BAD, [1] * 4 + [0] * 4), "deep.sktextcnn")
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    assert "pip install 'sktextcnn[explain]'" in fails(capsys, "explain", "deep.sktextcnn", "gem")


def test_explain_refuses_a_class_that_is_not_there_and_needs_a_text(folder, capsys):
    said = fails(capsys, "explain", "model.sktextcnn", "a gem", "--label", "neutral")
    assert (
        said
        == "--label neutral: this is not a class of the model; its classes are negative, positive."
    )
    for argv in ([], ["a gem", "--file", "new.csv"]):
        with pytest.raises(SystemExit) as error:
            main(["explain", "model.sktextcnn", *argv])
        assert error.value.code == 2
        assert "give either texts or --file" in capsys.readouterr().err


def test_explain_ends_with_what_it_wrote_unless_it_is_quiet(folder, capsys):
    argv = ["explain", "model.sktextcnn", "a gem", "so dull", "-o", "page.html"]
    assert main(argv) == 0
    assert capsys.readouterr() == ("", "Wrote 2 explanations to page.html.\n")
    assert main([*argv[:3], *argv[4:], "--json"]) == 0
    assert capsys.readouterr().err == "Wrote 1 explanation to page.html.\n"
    assert main([*argv, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_page_has_all_texts_of_a_file_whatever_the_bar_counts(folder, capsys, monkeypatch):
    monkeypatch.setattr(explain, "_TEXTS_AT_ONCE", 2)
    argv = ["explain", "model.sktextcnn", "--file", "new.csv", "--text", "review"]
    assert main([*argv, "--json", "--chunk-size", "3"]) == 0
    found = [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()]
    assert found == pd.read_csv("new.csv")["review"].tolist()
