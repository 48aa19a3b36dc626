"""Texts with several labels or none, and labels that are the same in every format."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, hamming_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._cli import main
from sktextcnn._cli.labels import Classes, label_key
from tests.cli.commands import BAD, GOOD, fails

TEXTS = GOOD + BAD
LABELS = [["new film", "good"]] * 4 + [["bad"]] * 3 + [[]]
NAMES = ["bad", "good", "new film"]
PARAMS = {"num_filters": 4, "max_epochs": 15, "learning_rate": 0.02}
MANY = [
    *("--set=classifier.num_filters=4", "--max-epochs=15", "--set=classifier.learning_rate=0.02"),
    "--quiet",
]
TRAIN = ["train", "-o", "m.sktextcnn", *MANY]


def write(form):
    """Write the texts and labels; returns the options that they are read with."""
    table = pd.DataFrame({"text": TEXTS, "label": LABELS})
    if form == "jsonl":
        table.to_json("d.jsonl", orient="records", lines=True)
    elif form == "json":
        table.to_json("d.json", orient="records")
    elif form == "parquet":
        table.to_parquet("d.parquet")
    elif form == "csv":
        table["label"] = [" | ".join(labels) for labels in LABELS]
        table.to_csv("d.csv", index=False)
        return ["d.csv", "--label-separator", "|"]
    elif form == "columns":
        for name in NAMES:
            table[name] = [int(name in labels) for labels in LABELS]
        table.drop(columns="label").to_csv("c.csv", index=False)
        return ["c.csv", *(part for name in NAMES for part in ("--label", name))]
    else:
        rows = [
            " ".join([*(f"__label__{label.replace(' ', '-')}" for label in labels), text])
            for text, labels in zip(TEXTS, LABELS, strict=True)
        ]
        Path("d.txt").write_text("\n".join(rows), encoding="utf-8")
        return ["d.txt"]
    return [f"d.{form}"]


FORMS = ["csv", "jsonl", "json", "parquet", "columns", "fasttext"]


@pytest.fixture(scope="module")
def of_python():
    """The model of Python, of the same texts and labels."""
    targets = MultiLabelBinarizer().fit_transform(LABELS)
    classifier = TextCNNClassifier(**PARAMS, random_state=0)
    return make_pipeline(TextVectorizer(random_state=0), classifier).fit(TEXTS, targets)


@pytest.fixture
def several(folder, of_python):
    """The same, and the folder with files as the working directory."""
    return of_python


@pytest.mark.parametrize("form", FORMS)
def test_multilabel_targets_of_every_format(several, capsys, form):
    options = write(form)
    assert main([*TRAIN, *options]) == 0
    loaded = sktextcnn.load("m.sktextcnn")
    names = [name.replace(" ", "-") for name in NAMES] if form == "fasttext" else NAMES
    assert loaded[-1].classes_.tolist() == names
    proba = several.predict_proba(TEXTS)
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), proba)
    np.testing.assert_array_equal(loaded.predict(TEXTS), several.predict(TEXTS))
    capsys.readouterr()
    assert main(["evaluate", "m.sktextcnn", *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    y = MultiLabelBinarizer().fit_transform(LABELS)
    predicted = several.predict(TEXTS)
    assert found["n_texts"] == 8
    assert found["subset_accuracy"] == (y == predicted).all(axis=1).mean()
    assert found["hamming_loss"] == pytest.approx(hamming_loss(y, predicted))
    for average in ("micro", "macro"):
        expected = f1_score(y, predicted, average=average, zero_division=0)
        assert found[f"{average}_f1"] == pytest.approx(expected)
    assert [each["support"] for each in found["classes"].values()] == y.sum(axis=0).tolist()
    assert list(found["classes"]) == names


def test_labels_come_back_by_name_in_the_form_of_the_file(several, capsys):
    write("jsonl")
    write("parquet")
    assert main([*TRAIN, *write("csv"), "--test-size", "0.3"]) == 0
    assert main([*TRAIN, *write("csv"), "--test", "d.csv"]) == 0
    expected = [
        [name for name, yes in zip(NAMES, row, strict=True) if yes]
        for row in several.predict(TEXTS)
    ]
    assert [] in expected
    assert ["good", "new film"] in expected

    def predicted(*options):
        capsys.readouterr()
        assert main(["predict", "m.sktextcnn", *options]) == 0
        return capsys.readouterr().out

    rows = [json.loads(line) for line in predicted("d.jsonl").splitlines()]
    assert [row["prediction"] for row in rows] == expected
    found = list(csv.DictReader(io.StringIO(predicted("d.csv", "--label-separator", "|"))))
    assert [row["prediction"] for row in found] == ["|".join(row) for row in expected]
    # Labels with spaces cannot be joined by spaces.
    said = fails(capsys, "predict", "m.sktextcnn", "d.csv")
    assert "the label 'new film' contains ' '" in said
    assert main(["predict", "m.sktextcnn", "d.parquet", "-o", "o.parquet", "--quiet"]) == 0
    table = pd.read_parquet("o.parquet")
    assert [list(row) for row in table["prediction"]] == expected
    assert [len(row) for row in table["probability"]] == [len(row) for row in expected]
    header = predicted("d.csv", "--proba", "--label-separator", ",").splitlines()[0]
    assert header.endswith("probability_bad,probability_good,probability_new film")
    assert main(["explain", "m.sktextcnn", "a gem", "--label", "new film", "--json"]) == 0
    explained = json.loads(capsys.readouterr().out)
    assert list(explained["probabilities"]) == NAMES
    assert set(explained["prediction"]) <= set(NAMES)
    ngrams = sktextcnn.top_ngrams(sktextcnn.load("m.sktextcnn"), TEXTS, n=1)
    assert list(ngrams) == NAMES


@pytest.mark.parametrize("written", [json.dumps, str])
def test_lists_in_a_field_of_csv(several, capsys, written):
    table = pd.DataFrame({"text": TEXTS, "label": [written(labels) for labels in LABELS]})
    table.to_csv("lists.csv", index=False)
    assert main([*TRAIN, "lists.csv", "--label-separator", ","]) == 0
    assert sktextcnn.load("m.sktextcnn")[-1].classes_.tolist() == NAMES
    # A multilabel model expects lists. Numbers in csv are strings.
    numbers = table.assign(label=["[1]", "[1, 2]"] * 4)
    numbers.to_csv("numbers.csv", index=False)
    argv = ["train", "numbers.csv", "--label-separator", ",", "-o", "n.sktextcnn", *MANY]
    assert main(argv) == 0
    assert sktextcnn.load("n.sktextcnn")[-1].classes_.tolist() == ["1", "2"]
    assert main(["evaluate", "m.sktextcnn", "lists.csv"]) == 0
    table.assign(label="[film]").to_csv("lists.csv", index=False)
    said = fails(capsys, "evaluate", "m.sktextcnn", "lists.csv")
    assert "the label '[film]' is not a class of the model" in said


def test_other_uses_of_the_model_keep_the_names(several):
    assert main([*TRAIN, *write("jsonl")]) == 0
    model = sktextcnn.load("m.sktextcnn")
    sktextcnn.export_onnx(model, "m.onnx")
    ids = model[0].transform(TEXTS)
    model[1].partial_fit(ids, several.predict(TEXTS))
    assert model[1].classes_.tolist() == NAMES


def test_evaluate_prints_micro_and_macro_f1(several, capsys):
    options = write("csv")
    assert main([*TRAIN, *options]) == 0
    assert main(["evaluate", "m.sktextcnn", *options]) == 0
    out = capsys.readouterr().out
    assert re.match(r"micro F1 [\d.]+, macro F1 [\d.]+ on 8 texts\n", out)
    assert "Hamming loss" in out
    assert re.search(r"^ *new film ", out, re.M)
    # Without the separator, the labels of a field are one.
    said = fails(capsys, "evaluate", "m.sktextcnn", "d.csv")
    assert "the label 'new film | good' is not a class of the model" in said
    assert "Give --label-separator" in said


def test_the_summary_of_training_says_how_many_texts_have_a_label(folder, capsys):
    argv = [each for each in TRAIN if each != "--quiet"]
    assert main([*argv, *write("jsonl"), "--test", "d.jsonl"]) == 0
    said = capsys.readouterr().err
    assert "8 texts with any of 3 labels: bad 3, good 4, new film 4." in said
    assert re.search(
        r"Micro F1 on 8 held-out texts: [\d.]+; TF-IDF and logistic regression: [\d.]+ "
        r"\([\d.]+ s\)\. All labels of a text are right in [\d.]+%\.\n",
        said,
    )


def test_fasttext_files_of_one_label_each_are_not_multilabel(folder, capsys):
    rows = [f"__label__good {text}" for text in GOOD] + [f"{text} __label__bad" for text in BAD]
    Path("d.ft").write_text("\n".join(rows), encoding="utf-8")
    assert main([*TRAIN, "d.ft"]) == 0
    model = sktextcnn.load("m.sktextcnn")
    assert not model[-1].net_.multilabel
    assert model[-1].classes_.tolist() == ["bad", "good"]
    capsys.readouterr()
    assert main(["predict", "m.sktextcnn", "d.ft"]) == 0
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["text"] for row in found] == TEXTS
    assert [row["label"] for row in found] == ["good"] * 4 + ["bad"] * 4
    assert [row["prediction"] for row in found] == model.predict(TEXTS).tolist()
    # A text without a label is one that was forgotten.
    Path("d.txt").write_text("\n".join([*rows, "a gem"]), encoding="utf-8")
    for command in ([*TRAIN, "d.txt"], ["evaluate", "m.sktextcnn", "d.txt"]):
        said = fails(capsys, *command)
        assert said.startswith("d.txt, row 9, column 'label': the label is missing.")
        assert main([*command, "--skip-bad-rows"]) == 0
        assert "1 row was left out" in capsys.readouterr().err


def test_a_model_of_one_label_is_not_measured_on_several(folder, capsys):
    Path("d.jsonl").write_text('{"text": "a", "label": ["positive"]}\n', encoding="utf-8")
    assert main(["evaluate", "model.sktextcnn", "d.jsonl"]) == 0
    for labels in ("[]", '["positive", "negative"]'):
        Path("d.jsonl").write_text(f'{{"text": "a", "label": {labels}}}\n', encoding="utf-8")
        said = fails(capsys, "evaluate", "model.sktextcnn", "d.jsonl")
        assert said.startswith("d.jsonl, row 1, column 'label': the model has one label for each")


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        ("text,a,b\nx,1,0\ny,2,1\n", ["--label=a", "--label=b"], "row 2, columns 'a', 'b': expe"),
        ("text,a,b\nx,1,0\ny,,1\n", ["--label=a", "--label=b"], "got '' for 'a'"),
        ("text,a,b\nx,1,0\ny,1,0\n", ["--label=a", "--label=b"], "all labels are 'a'"),
        ("text,label\nx,\ny,\n", ["--label-separator=;"], "no text has a label"),
        ("text,label\nx,a;a\ny,a\n", ["--label-separator=;"], "all labels are 'a'"),
    ],
)
def test_labels_that_cannot_be_learned(folder, capsys, data, options, said):
    Path("d.csv").write_text(data, encoding="utf-8")
    assert said in fails(capsys, *TRAIN, "d.csv", *options)


# The same labels in every format ------------------------------------------------------

VALUES = {
    "int": [1] * 4 + [0] * 4,
    "float": [1.0] * 4 + [0.0] * 4,
    "bool": [True] * 4 + [False] * 4,
    "str": ["1"] * 4 + ["0"] * 4,
    "float as str": ["1.0"] * 4 + ["0.00"] * 4,
    "bool as str": ["true"] * 4 + ["FALSE"] * 4,
}


@pytest.mark.parametrize("trained", VALUES)
def test_a_model_is_measured_on_the_same_labels_of_any_format(folder, capsys, trained):
    def write(kind, form):
        table = pd.DataFrame({"text": TEXTS, "label": VALUES[kind]})
        path = f"{kind}.{form}"
        if form == "csv":
            table.to_csv(path, index=False)
        elif form == "parquet":
            table.to_parquet(path)
        else:
            rows = zip(TEXTS, VALUES[kind], strict=True)
            lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
            Path(path).write_text("\n".join(lines), encoding="utf-8")
        return path

    alike = [kind for kind in VALUES if ("bool" in kind) == ("bool" in trained)]
    for form in ("csv", "jsonl", "parquet"):
        argv = ["train", write(trained, form), "-o", "m.sktextcnn", "--quiet"]
        assert main([*argv, "--max-epochs=1", "--set=classifier.num_filters=2"]) == 0
        for i, kind in enumerate(alike):
            # The labels of training in every format, the others each in another one.
            others = ("csv", "jsonl", "parquet")
            for other in others if kind == trained else [others[i % 3]]:
                assert main(["evaluate", "m.sktextcnn", write(kind, other), "--json"]) == 0
                found = json.loads(capsys.readouterr().out)
                assert found["n_texts"] == 8
        kinds = sorted(
            {type(label) for label in sktextcnn.load("m.sktextcnn")[-1].classes_.tolist()}
        )
        if form != "csv":
            assert kinds == [int if trained == "float" else type(VALUES[trained][0])]
        assert main(["explain", "m.sktextcnn", "a", "--label", str(VALUES[trained][0])]) == 0
        capsys.readouterr()


def test_labels_that_differ_only_in_form_are_one_class(folder):
    labels = ["1", "1.0", "1", "1.00", "0", "0.0", "0", "-0"]
    pd.DataFrame({"text": TEXTS, "label": labels}).to_csv("d.csv", index=False)
    assert main([*TRAIN, "d.csv"]) == 0
    assert sktextcnn.load("m.sktextcnn")[-1].classes_.tolist() == ["0", "1"]


def test_labels_that_are_not_alike():
    labels = ["1", "01", "1.5", "+1", "1e0", "", "yes", "Yes", "1.0.0", " 1", "-1"]
    assert len({label_key(label) for label in labels}) == len(labels)
    # A model of Python may have classes that are alike.
    classes = Classes(["1", "1.0", "True", "true"])
    assert [classes.index(label) for label in ("1", "1.0", "True", "true")] == [0, 1, 2, 3]
    assert [classes.index(label) for label in (1, 1.0, "1.00", True, "TRUE", 2)] == [
        *(0, 1, 0, 2, 3),
        None,
    ]
