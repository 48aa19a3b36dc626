"""evaluate: measures as scikit-learn computes them."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._cli import main
from sktextcnn._cli.evaluate import _as_text
from sktextcnn._cli.measures import of_one_label, of_several_labels
from sktextcnn._cli.tables import columns_of, table
from tests.cli.commands import BAD, GOOD, QUICK, fails


def test_evaluate_agrees_with_scikit_learn(folder, model, capsys):
    argv = ["evaluate", "model.sktextcnn", "reviews.csv", "--text", "review"]
    argv += ["--label", "sentiment"]
    data = pd.read_csv("reviews.csv")
    data.loc[::3, "sentiment"] = "negative"
    data.to_csv("reviews.csv", index=False)
    predicted = model.predict(data["review"])
    assert main([*argv, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n_texts"] == len(data)
    assert found["accuracy"] == accuracy_score(data["sentiment"], predicted)
    assert found["macro_f1"] == pytest.approx(
        f1_score(data["sentiment"], predicted, average="macro")
    )
    matrix = confusion_matrix(data["sentiment"], predicted)
    assert found["confusion_matrix"] == matrix.tolist()
    assert found["classes"]["negative"]["support"] == (data["sentiment"] == "negative").sum()
    assert main([*argv, "--chunk-size", "5"]) == 0
    out = capsys.readouterr().out
    scores = f"accuracy {found['accuracy']:.4f}, macro F1 {found['macro_f1']:.4f}"
    assert out.startswith(f"{scores} on 24 texts\n")
    wrong = [(t, p) for t, p in zip(data["sentiment"], predicted, strict=True) if t != p]
    assert sum(pair["count"] for pair in found["confusions"]) == len(wrong)
    assert {(pair["true"], pair["predicted"]) for pair in found["confusions"]} == set(wrong)
    for name, row in zip(["negative", "positive"], matrix, strict=True):
        assert re.search(rf"^{name} +{row[0]} +{row[1]}$", out, re.M)


def test_labels_do_not_break_the_tables_nor_steer_the_terminal(folder, capsys):
    labels = ["a\nb", "x\x1b[31m", "01", "schön gut"]
    data = pd.DataFrame({"text": (GOOD + BAD), "label": labels * 2})
    data.to_csv("d.csv", index=False)
    assert main(["train", "d.csv", "-o", "m.sktextcnn", *QUICK]) == 0
    said = capsys.readouterr().err
    assert "8 texts of 4 classes: 01 2, a b 2, schön gut 2, x\\x1b[31m 2." in said
    assert main(["evaluate", "m.sktextcnn", "d.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.rsplit(maxsplit=4)[0].strip() for line in lines[-4:]] == [
        "01",
        "a b",
        "schön gut",
        "x\\x1b[31m",
    ]


def test_a_label_that_the_model_does_not_know_is_named(folder, capsys):
    Path("d.csv").write_text("text,label\na,positive\nb,neutral\n", encoding="utf-8")
    assert fails(capsys, "evaluate", "model.sktextcnn", "d.csv") == (
        "d.csv, row 2, column 'label': the label 'neutral' is not a class of the model; its "
        "classes are negative, positive."
    )


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A model of 14 classes, and texts of 13 of them with labels that are right or not."""
    folder = tmp_path_factory.mktemp("many")
    names = [f"class {i}" for i in range(13)] + ["漢字"]
    words = [f"word{i}" for i in range(14)]
    classifier = TextCNNClassifier(max_epochs=1, num_filters=2, random_state=0)
    model = make_pipeline(TextVectorizer(), classifier).fit(words * 20, names * 20)
    sktextcnn.save(model, folder / "m.sktextcnn")
    texts = [word for word in words for _ in range(10)]
    predicted = model.predict(texts)
    labels = predicted.copy()
    labels[::10] = names[3]
    labels[labels == names[0]] = names[13]
    table = pd.DataFrame({"text": texts, "label": labels})
    table.to_csv(folder / "d.csv", index=False)
    return folder, names, labels, predicted


def test_of_many_classes_the_worst_and_their_confusions_are_shown(many, monkeypatch, capsys):
    folder, names, true, predicted = many
    monkeypatch.chdir(folder)
    assert main(["evaluate", "m.sktextcnn", "d.csv"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"accuracy {accuracy_score(true, predicted):.4f}, macro F1 ")
    present = sorted(set(true))
    scores = f1_score(true, predicted, labels=present, average=None, zero_division=0.0)
    absent = len(names) - len(present)
    assert f"{absent} of 14 classes are not in the file.\n" in out
    assert f"The 10 worst of {len(present)} classes, by F1:\n" in out
    rows = re.findall(r"^(.+?) +[\d.]+ +[\d.]+ +([\d.]+) +\d+$", out, re.M)
    found = [float(f1) for _, f1 in rows]
    assert found == pytest.approx(sorted(scores)[:10], abs=5e-4)
    pairs = re.findall(r"^(class \d+|漢字) +(class \d+|漢字) +(\d+) +([\d.]+)%$", out, re.M)
    wrong = Counter((t, p) for t, p in zip(true, predicted, strict=True) if t != p)
    assert f"The 10 most frequent of {len(wrong)} confusions, with " in out
    assert len(pairs) == 10
    assert [int(count) for _, _, count, _ in pairs] == sorted(wrong.values(), reverse=True)[:10]
    for t, p, count, share in pairs:
        assert wrong[t, p] == int(count)
        assert float(share) == pytest.approx(100 * int(count) / (true == t).sum(), abs=0.05)
    assert "--all prints all classes and confusions." in out
    assert main(["evaluate", "m.sktextcnn", "d.csv", "--all"]) == 0
    out = capsys.readouterr().out
    assert {name for name, _ in re.findall(r"^(.+?) +([\d.]+ +){3}\d+$", out, re.M)} == set(names)
    assert len(re.findall(r"%$", out, re.M)) == len(wrong)
    assert "--all" not in out


def test_what_is_shown_already_needs_no_option(many, monkeypatch, capsys):
    folder, _, true, predicted = many
    monkeypatch.chdir(folder)
    table = pd.read_csv("d.csv")
    few = sorted(set(true))[:3]
    chosen = np.isin(true, few) & (true == predicted)
    table[chosen].to_csv("few.csv", index=False)
    assert main(["evaluate", "m.sktextcnn", "few.csv"]) == 0
    out = capsys.readouterr().out
    # As scikit-learn, whose mean is over the classes that it meets.
    assert out.startswith(f"accuracy 1.0000, macro F1 1.0000 on {chosen.sum()} texts\n")
    assert "11 of 14 classes are not in the file.\n" in out
    assert "The classes of the file, the worst first:\n" in out
    assert "confusions" not in out
    assert "--all" not in out


def test_macro_f1_counts_what_is_predicted_by_mistake():
    true, predicted = [0, 0, 1, 1], [0, 3, 1, 1]
    found = of_one_label(true, predicted, ["a", "b", "c", "d"])
    assert found["macro_f1"] == pytest.approx(f1_score(true, predicted, average="macro"))
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_labels_of_many_have_no_confusions_to_print():
    names = [f"label {i}" for i in range(13)]
    every = [[i] for i in range(13)]
    out = _as_text(of_several_labels(every, every, names), 13, everything=False)
    assert "The 10 worst of 13 classes, by F1:\n" in out
    assert out.endswith("\n--all prints all classes.")
    nothing = _as_text(of_several_labels([[]], [[]], names), 1, everything=False)
    assert nothing.endswith("13 of 13 classes are not in the file.")


def test_columns_are_aligned_whatever_the_letters():
    rows = [["", "n"], ["漢字", "1"], ["e\u0301té", "22"], ["🙂", "333"]]
    assert table(rows).splitlines() == ["        n", "漢字    1", "e\u0301té    22", "🙂    333"]
    assert columns_of("漢字e\u0301\u200d🙂") == 7
