"""evaluate: measures as scikit-learn computes them."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from sktextcnn._cli import main
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
    assert out.startswith(f"accuracy {found['accuracy']:.4f} on 24 texts\n")
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
