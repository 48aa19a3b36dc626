"""report: a page of the rows of a file."""

import re
import time
from pathlib import Path

import pandas as pd
import pytest

import sktextcnn
from sktextcnn import _progress
from sktextcnn._cli import main
from sktextcnn._report import ReportBuilder
from tests.cli.commands import BAD, GOOD, SMALL, fails, pipe

REPORT = ["report", "model.sktextcnn", "reviews.csv", "--text", "review", "--label", "sentiment"]


def mislabel(every):
    data = pd.read_csv("reviews.csv")
    data.loc[::every, "sentiment"] = "negative"
    data.to_csv("reviews.csv", index=False)
    return data


def verdict(page):
    return " ".join(re.search(r'<div class="verdict">(.*?)</div>', page, re.S)[1].split())


def test_the_page_says_what_python_says(folder, model, capsys):
    data = mislabel(3)
    assert main([*REPORT, "-o", "page.html", "--chunk-size", "5"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    page = Path("page.html").read_text(encoding="utf-8")
    expected = sktextcnn.report(model, data["review"], data["sentiment"])
    assert verdict(page) == verdict(expected.html)
    assert "<bdi>model.<wbr>sktextcnn</bdi>" in page
    assert "<bdi>reviews.<wbr>csv</bdi>" in page
    accuracy = expected.measures["accuracy"]
    assert captured.err == (
        f"Accuracy on 24 texts: {accuracy.value:.3f} ({accuracy.low:.3f} to {accuracy.high:.3f}).\n"
        f"Wrote page.html ({Path('page.html').stat().st_size / 1000:,.0f} kB).\n"
    )


def test_the_page_has_a_name_by_default_and_may_go_to_standard_output(folder, capsys):
    assert main([*REPORT, "--quiet"]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
    page = Path("report.html").read_text(encoding="utf-8")
    assert main([*REPORT, "-o", "-", "--quiet"]) == 0
    assert verdict(capsys.readouterr().out) == verdict(page)


def test_the_training_file_trains_the_baseline(folder, capsys):
    mislabel(4)
    Path("train.csv").write_text(
        "review,sentiment\n" + "".join(f'"{each}",positive\n' for each in GOOD)
        + "".join(f'"{each}",negative\n' for each in BAD)
        + ",positive\n",
        encoding="utf-8",
    )  # fmt: skip
    said = fails(capsys, *REPORT, "--train", "train.csv")
    assert said.startswith("train.csv, row 9, column 'review': the text is missing")
    assert not Path("report.html").exists()
    assert main([*REPORT, "--train", "train.csv", "--skip-bad-rows"]) == 0
    said = capsys.readouterr().err
    assert "Training TF-IDF and logistic regression on 8 texts." in said
    page = Path("report.html").read_text(encoding="utf-8")
    assert "TF-IDF and logistic regression is right for" in verdict(page)
    assert "trained on the 8 texts of train.csv" in page
    assert "24 texts of the 24 are among the training texts" in page


def test_what_takes_long_is_said(folder, capsys, monkeypatch):
    monkeypatch.setattr(_progress, "_DELAY", 0.0)
    finish = ReportBuilder.finish

    def slow(self, names):
        time.sleep(0.1)
        return finish(self, names)

    monkeypatch.setattr(ReportBuilder, "finish", slow)
    Path("train.csv").write_bytes(Path("reviews.csv").read_bytes())
    assert main([*REPORT, "--train", "train.csv"]) == 0
    said = capsys.readouterr().err
    places = [said.index(each) for each in ("Reading: ", "Measuring: ", "Explaining the surest")]
    assert places == sorted(places)
    assert main([*REPORT, "--train", "train.csv", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_rows_that_are_left_out_are_counted_on_the_page(folder, capsys):
    with open("reviews.csv", "a", encoding="utf-8") as file:
        file.write("200,positive,\n201,,a gem\n")
    assert fails(capsys, *REPORT).startswith("reviews.csv, row 25, column 'review'")
    assert main([*REPORT, "--skip-bad-rows"]) == 0
    page = Path("report.html").read_text(encoding="utf-8")
    assert "24 texts (2 rows that could not be used left out)" in page


def test_rows_may_come_from_standard_input(folder, monkeypatch):
    pipe(monkeypatch, Path("reviews.csv").read_bytes())
    assert main([*REPORT[:2], *REPORT[3:], "--quiet"]) == 0
    assert "<bdi>stdin</bdi>" in Path("report.html").read_text(encoding="utf-8")


def test_several_labels(folder, capsys):
    pd.DataFrame(
        {"text": GOOD + BAD, "tags": ["film;good"] * 4 + ["film", "bad", "", "bad"]}
    ).to_csv("tags.csv", index=False)
    options = ["tags.csv", "--label", "tags", "--label-separator", ";"]
    quick = [f"--set=classifier.{name}={value}" for name, value in SMALL.items() if "num" in name]
    train = ["train", *options, "-o", "m.sktextcnn", "--quiet", "--max-epochs=20", *quick]
    assert main(train) == 0
    assert main(["report", "m.sktextcnn", *options]) == 0
    assert re.match(r"Micro F1 on 8 texts: [\d.]+ \(", capsys.readouterr().err)
    page = Path("report.html").read_text(encoding="utf-8")
    assert "F1 over all labels (micro)" in verdict(page)
    assert re.search(r'<th scope="row" dir="auto">film</th>', page)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([*REPORT, "--label", "id"], "columns 'sentiment', 'id': expected 0 or 1"),
        ([*REPORT[:-1], "sentimnt"], "Did you mean 'sentiment'?"),
        ([*REPORT, "-o", "reviews.csv"], "reviews.csv: -o would overwrite this file"),
        ([*REPORT, "-o", "model.sktextcnn"], "model.sktextcnn: -o would overwrite this file"),
        ([*REPORT, "-o", "nowhere/r.html"], "there is no folder"),
        ([*REPORT, "-o", "."], ". is a folder; give the path of a file"),
        ([*REPORT, "--train", "reviews.csv"], "--train reviews.csv: this is the file to measure"),
        ([*REPORT, "--train", "-"], "--train -: give a file; standard input is for the texts"),
        ([*REPORT, "--train", "revews.csv"], "Did you mean 'reviews.csv'?"),
        (["report", "glove.txt", *REPORT[2:]], "glove.txt"),
        (
            [*REPORT[:2], "d.csv"],
            "d.csv, row 2, column 'label': the label 'neutral'",
        ),
        ([*REPORT[:2], "empty.csv"], "empty.csv has no rows"),
        (
            [*REPORT[:2], "two.csv", "--train", "one.csv", "--quiet"],
            "one.csv: all training texts have",
        ),
    ],
)
def test_errors_name_the_file_and_write_nothing(folder, capsys, argv, said):
    Path("d.csv").write_text("text,label\na,positive\nb,neutral\n", encoding="utf-8")
    Path("empty.csv").write_text("text,label\n", encoding="utf-8")
    Path("one.csv").write_text("text,label\na gem,positive\n", encoding="utf-8")
    Path("two.csv").write_text("text,label\na,positive\nb,negative\n", encoding="utf-8")
    before = sorted(path.name for path in folder.iterdir())
    assert said in fails(capsys, *argv)
    assert sorted(path.name for path in folder.iterdir()) == before
