"""The command line: what it prints, writes and refuses, and that streams need no memory."""

import csv
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import textwrap
import time
import tomllib
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._cli import explain, main, train

SMALL = {"num_filters": 4, "kernel_sizes": (1, 2), "max_epochs": 3, "random_state": 0}
GOOD = ["a gorgeous, witty movie", "what a gem", "witty and warm", "a gem of a film"]
BAD = ["so dull", "a dull, dull film", "tedious and flat", "flat as a board"]
COMMANDS = ["train", "predict", "evaluate", "explain", "demo"]


@pytest.fixture(scope="session")
def model():
    labels = ["positive"] * 20 + ["negative"] * 20
    return make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL)).fit(
        GOOD * 5 + BAD * 5, labels
    )


@pytest.fixture
def folder(tmp_path, monkeypatch, model):
    """The working directory, with a model and the files that the examples name."""
    monkeypatch.chdir(tmp_path)
    sktextcnn.save(model, "model.sktextcnn")
    rows = [("positive", text) for text in GOOD * 3] + [("negative", text) for text in BAD * 3]
    table = pd.DataFrame(rows, columns=["sentiment", "review"])
    table.insert(0, "id", range(100, 100 + len(rows)))
    table.to_csv("reviews.csv", index=False)
    table[::5].to_csv("test.csv", index=False)
    table[["id", "review"]][::4].to_csv("new.csv", index=False)
    words = sorted({word for text in GOOD + BAD for word in re.findall(r"\w+", text)})
    vectors = np.random.default_rng(0).normal(size=(len(words), 8))
    lines = [f"{w} {' '.join(map(str, row))}\n" for w, row in zip(words, vectors, strict=True)]
    Path("glove.txt").write_text("".join(lines), encoding="utf-8")
    return tmp_path


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


# train --------------------------------------------------------------------------------


def test_train_saves_the_model_that_python_would_fit(folder, capsys):
    argv = ["train", "reviews.csv", "--text", "review", "--label", "sentiment", "--seed", "3"]
    argv += ["--vectors", "glove.txt", "--max-epochs", "2", "--finetune", "1"]
    argv += ["--set", "classifier.num_filters=5", "--set", "vectorizer.stop_words=english"]
    argv += ["--set", "classifier.kernel_sizes=[1,2]", "--set", "vectorizer.min_df=2"]
    assert main([*argv, "-o", "m.sktextcnn"]) == 0
    data = pd.read_csv("reviews.csv")
    expected = make_pipeline(
        TextVectorizer(embeddings="glove.txt", stop_words="english", min_df=2, random_state=3),
        TextCNNClassifier(
            num_filters=5, kernel_sizes=(1, 2), max_epochs=2, finetune=1, random_state=3
        ),
    ).fit(data["review"], data["sentiment"])
    loaded = sktextcnn.load("m.sktextcnn")
    np.testing.assert_array_equal(loaded.predict_proba(GOOD), expected.predict_proba(GOOD))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "24 texts of 2 classes: negative 12, positive 12." in captured.err
    assert "The vectors cover 8" in captured.err
    assert "100%" in captured.err
    assert "2 epochs in " in captured.err
    assert "Saved m.sktextcnn (0.0 MB)." in captured.err


TRAIN = ["train", "reviews.csv", "--text", "review", "--label", "sentiment", "-o", "m.sktextcnn"]
QUICK = ["--max-epochs", "2", "--set", "classifier.num_filters=4"]


def test_quiet_is_silent(folder, capsys):
    assert main([*TRAIN, *QUICK, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("options", [["--test-size", "0.25"], ["--test", "test.csv"]])
def test_the_accuracy_on_other_texts_is_that_of_the_saved_model(folder, capsys, options):
    assert main([*TRAIN, *QUICK, *options]) == 0
    said = re.search(r"Accuracy on (\d+) held-out texts: ([\d.]+)\.", capsys.readouterr().err)
    data = pd.read_csv("reviews.csv")
    if options[0] == "--test":
        test = pd.read_csv("test.csv")
    else:
        from sklearn.model_selection import train_test_split

        _, test = train_test_split(data, test_size=0.25, random_state=0, stratify=data["sentiment"])
    score = sktextcnn.load("m.sktextcnn").score(test["review"], test["sentiment"])
    assert int(said[1]) == len(test)
    assert float(said[2]) == pytest.approx(score, abs=5e-4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--vectors", "glov.txt"], "There is no file of vectors .*Did you mean 'glove.txt'"),
        (["-o", "nowhere/m.sktextcnn"], "nowhere/m.sktextcnn: there is no folder"),
        (["-o", "."], "is a folder"),
        (["-o", "/dev/null"], "is a device or a pipe"),
        (["--vectors", "reviews.csv"], "reviews.csv, line 1: expected a word and 2 numbers"),
        (["--set", "classifier.num_filter=2"], "Did you mean classifier.num_filters"),
        (["--set", "classifier.num_filters=0"], "'num_filters' parameter of TextCNNClassifier"),
        (["--set", "classifier.num_filters=true"], "true is not a valid value"),
        (["--set", "classifier.lr=2"], r"Expected one of classifier\.activation, .*learning_rate"),
        (["--set", "tokens.min_df=2"], "Did you mean vectorizer.min_df"),
        (["--set", "vectorizer.embeddings=3"], "Give --vectors"),
        (["--set", "classifier.callbacks=3"], "It can be set in Python"),
        (["--label", "id2"], "no column 'id2'; it has id, sentiment, review"),
        (["--test-size", "0.01"], "--test-size 0.01: "),
        (["--test", "nothing.csv"], "nothing.csv: No such file"),
    ],
)
def test_train_refuses(folder, capsys, options, said):
    assert re.search(said, fails(capsys, *TRAIN, *options, "--quiet"))
    assert not Path("m.sktextcnn").exists()


@pytest.mark.filterwarnings("default")
def test_warnings_are_lines_without_the_code_that_warned(folder, capsys):
    assert main([*TRAIN, *QUICK, "--finetune", "false", "--quiet"]) == 0
    said = capsys.readouterr().err
    assert said.startswith("sktextcnn: warning: finetune=False is for word vectors that are given")
    assert said.count("\n") == 1


def test_train_refuses_one_class_no_label_other_types_and_no_rows(folder, capsys):
    def of(data, *options):
        suffix = ".jsonl" if data.startswith("{") else ".csv"
        Path(f"d{suffix}").write_text(data, encoding="utf-8")
        return fails(capsys, "train", f"d{suffix}", "-o", "m.sktextcnn", *options)

    assert "column 'label': all labels are 'x'" in of("text,label\na,x\nb,x\n")
    assert of("text,label\na,x\nb,\n") == "d.csv, row 2, column 'label': the label is missing."
    assert of("text,label\n") == "d.csv has no rows."
    mixed = of('{"text": "a", "label": "x"}\n{"text": "b", "label": 1}\n')
    assert mixed.startswith("d.jsonl, row 2, column 'label': the label 1 is of type int")
    listed = of('{"text": "a", "label": ["x"]}\n')
    assert "a label must be a string or a number; got ['x'] of type list" in listed
    for number in ("1.5", "1e999", str(2**63), str(10**30)):
        said = of(f'{{"text": "a", "label": 2.0}}\n{{"text": "b", "label": {number}}}\n')
        assert said.startswith(
            "d.jsonl, row 2, column 'label': a label that is a number must be an integer"
        )
    Path("t.csv").write_text("text,label\na,x\nb,z\n", encoding="utf-8")
    unknown = of("text,label\na,x\nb,y\n", "--test", "t.csv")
    assert unknown.startswith(
        "t.csv, row 2, column 'label': the label 'z' is not a class of the model"
    )


def test_numbers_as_labels_stay_numbers_where_the_file_has_them(folder):
    data = pd.DataFrame({"text": GOOD + BAD, "label": [1] * 4 + [0] * 4})
    data.to_parquet("d.parquet")
    data.to_json("d.jsonl", orient="records", lines=True)
    data.to_csv("d.csv", index=False)
    for form, kind in (("parquet", int), ("jsonl", int), ("csv", str)):
        assert main(["train", f"d.{form}", "-o", "m.sktextcnn", "--quiet", *QUICK]) == 0
        assert type(sktextcnn.load("m.sktextcnn").classes_.tolist()[0]) is kind
        # Whichever type the labels of the test have.
        assert main(["evaluate", "m.sktextcnn", "d.csv", "--json"]) == 0


# predict ------------------------------------------------------------------------------


READERS = {
    "csv": pd.read_csv,
    "tsv": lambda path: pd.read_csv(path, sep="\t"),
    "jsonl": lambda path: pd.read_json(path, lines=True),
    "parquet": pd.read_parquet,
}


def written(table, form):
    path = f"in.{form}"
    if form == "parquet":
        table.to_parquet(path)
    elif form == "jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_csv(path, index=False, sep="\t" if form == "tsv" else ",")
    return path


@pytest.mark.parametrize("source", READERS)
@pytest.mark.parametrize("target", READERS)
def test_predict_copies_the_rows_and_adds_what_the_model_says(folder, model, source, target):
    texts = ['so "dull", so flat', "a\ngem\tof", "schön", "漢字 🙂", "x"]
    table = pd.DataFrame({"n": [1, 2, 3, 4, 5], "text": texts, "where": ["a", "b", "c", "d", "e"]})
    path = written(table, source)
    assert main(["predict", "model.sktextcnn", path, "-o", f"out.{target}", "--chunk-size=2"]) == 0
    found = READERS[target](f"out.{target}")
    assert list(found) == ["n", "text", "where", "prediction", "probability"]
    assert found["text"].tolist() == texts
    assert [int(n) for n in found["n"]] == table["n"].tolist()
    assert found["prediction"].tolist() == model.predict(texts).tolist()
    assert found["probability"].tolist() == pytest.approx(
        model.predict_proba(texts).max(axis=1), rel=1e-12
    )


def test_proba_is_a_column_for_each_class(folder, model, capsys):
    argv = ["predict", "model.sktextcnn", "new.csv", "--text", "review", "--proba"]
    assert main([*argv, "--prefix", "cnn_"]) == 0
    found = pd.read_csv(io.StringIO(capsys.readouterr().out))
    names = ["cnn_probability_negative", "cnn_probability_positive"]
    assert list(found) == ["id", "review", "cnn_prediction", *names]
    np.testing.assert_allclose(found[names], model.predict_proba(found["review"]), rtol=1e-12)


def test_parquet_keeps_types_and_what_pandas_says_of_its_index(folder):
    table = pd.DataFrame(
        {
            "when": pd.to_datetime(["2024-01-01", "2024-02-03"]).astype("datetime64[ns]"),
            "text": pd.Categorical(["a gem", "dull"]),
            "parts": [[1, 2], [3]],
        },
        index=pd.Index([7, 9], name="key"),
    )
    table.to_parquet("in.parquet")
    assert main(["predict", "model.sktextcnn", "in.parquet", "-o", "out.parquet"]) == 0
    found = pd.read_parquet("out.parquet")
    pd.testing.assert_frame_equal(found[list(table)], table)
    assert main(["predict", "model.sktextcnn", "in.parquet", "-o", "out.jsonl"]) == 0
    first = json.loads(Path("out.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["when"] == "2024-01-01 00:00:00"
    assert first["parts"] == [1, 2]


def test_plain_lines_and_pipes(folder, model, monkeypatch, capsys):
    pipe(monkeypatch, b"a gem\r\n\nso dull, so flat")
    assert main(["predict", "model.sktextcnn", "--format", "txt"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    texts = ["a gem", "", "so dull, so flat"]
    assert [row[0] for row in rows] == ["text", *texts]
    assert [row[1] for row in rows[1:]] == model.predict(texts).tolist()
    pipe(monkeypatch, b'{"text": "a gem", "x": [1, null]}\n\n{"text": "", "y": "\\ud800"}\n')
    assert main(["predict", "model.sktextcnn", "-", "--format", "jsonl", "-o", "-"]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["x"], second["y"]) == ([1, None], "\ud800")
    assert not sys.stdin.buffer.closed


def test_encodings_marks_and_delimiters(folder, capsys):
    out = ["-o", "out.csv"]
    Path("bom.csv").write_bytes("\ufefftext;n\r\nschön;1\r\n\r\n".encode())
    assert main(["predict", "model.sktextcnn", "bom.csv", *out, "--delimiter", ";"]) == 0
    assert Path("out.csv").read_text(encoding="utf-8").startswith("text;n;prediction;probability\n")
    for encoding in ("utf-8", "utf-16-be"):
        Path("mark.csv").write_bytes("\ufefftext,n\nschön,1\n".encode(encoding))
        argv = ["predict", "model.sktextcnn", "mark.csv", *out, "--encoding", encoding]
        assert main(argv) == 0
        assert Path("out.csv").read_text(encoding="utf-8").startswith("text,n,prediction")
    for encoding in ("cp1252", "utf-16", "utf-16-le"):
        Path("other.csv").write_bytes("text,n\nschön,1\n".encode(encoding))
        argv = ["predict", "model.sktextcnn", "other.csv", *out]
        assert "--encoding" in fails(capsys, *argv)
        assert main([*argv, "--encoding", encoding]) == 0
        assert "\nschön,1," in Path("out.csv").read_text(encoding="utf-8")
    Path("quotes.tsv").write_text('text\tn\n"so dull\t1\n', encoding="utf-8")
    argv = ["predict", "model.sktextcnn", "quotes.tsv", "-o", "out.tsv"]
    assert "--no-quotes" in fails(capsys, *argv)
    assert main([*argv, "--no-quotes"]) == 0
    assert Path("out.tsv").read_text(encoding="utf-8").splitlines()[1].startswith('"so dull\t1\t')


def test_who_forgets_the_file_is_told_that_rows_are_waited_for(folder, monkeypatch, capsys):
    pipe(monkeypatch, b"text\na gem\n")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert main(["predict", "model.sktextcnn"]) == 0
    assert capsys.readouterr().err == "sktextcnn: reading rows from the terminal; end with Ctrl-D\n"


def test_missing_texts_are_empty_ones_if_that_is_asked_for(folder, model, capsys):
    data = b'{"text": null, "n": 1}\n{"n": 2}\n{"text": ""}\n'
    assert refused(capsys, data, name="d.jsonl").startswith(
        "d.jsonl, row 1, column 'text': the text is missing"
    )
    assert main(["predict", "model.sktextcnn", "d.jsonl", "--empty-ok"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["prediction"] for row in rows] == model.predict(["", "", ""]).tolist()


def test_each_kind_of_line_end_within_a_field_survives_csv(folder):
    texts = ["a\rb", "a\nb", "a\r\nb", "\r"]
    with open("d.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text in texts)])
    for path, out in (("d.csv", "out.csv"), ("out.csv", "again.csv")):
        prefix = f"--prefix={out}"
        assert main(["predict", "model.sktextcnn", path, "-o", out, prefix, "--quiet"]) == 0
    with open("again.csv", encoding="utf-8", newline="") as file:
        data = file.read()
    assert data.split("\n")[0].endswith("again.csvprobability")
    rows = list(csv.reader(io.StringIO(data, newline="")))
    assert [row[0] for row in rows] == ["text", *texts]
    assert {len(row) for row in rows} == {5}


def test_json_has_no_nan_wherever_it_is_written(folder, capsys):
    def strict(text):
        return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))

    deep = f"{'[' * 500}NaN{']' * 500}"
    data = f'{{"text": "a", "n": NaN, "x": {{"y": [-Infinity, 1e999, 2.5]}}, "deep": {deep}}}\n'
    Path("d.jsonl").write_text(data, encoding="utf-8")
    assert main(["predict", "model.sktextcnn", "d.jsonl"]) == 0
    row = strict(capsys.readouterr().out)
    assert (row["n"], row["x"]) == (None, {"y": [None, None, 2.5]})
    assert main(["predict", "model.sktextcnn", "d.jsonl", "--output-format", "csv"]) == 0
    row = next(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert strict(row["x"]) == {"y": [None, None, 2.5]}
    pairs = pa.array([[("k", float("nan")), ("l", 1.0)]], pa.map_(pa.string(), pa.float64()))
    pq.write_table(pa.table({"text": ["a"], "m": pairs}), "d.parquet")
    assert main(["predict", "model.sktextcnn", "d.parquet", "--output-format", "jsonl"]) == 0
    assert strict(capsys.readouterr().out)["m"] == [["k", None], ["l", 1.0]]


def test_a_header_alone_gives_a_header(folder, capsys):
    Path("d.csv").write_text("text,n\n", encoding="utf-8")
    assert main(["predict", "model.sktextcnn", "d.csv"]) == 0
    assert capsys.readouterr().out == "text,n,prediction,probability\n"
    assert main(["predict", "model.sktextcnn", "d.csv", "-o", "out.parquet"]) == 0
    assert pd.read_parquet("out.parquet").shape == (0, 4)


def test_labels_of_a_multilabel_model_are_joined(folder, capsys):
    targets = np.array([[1, 0, 1]] * 4 + [[0, 1, 0]] * 4)
    several = make_pipeline(TextVectorizer(), TextCNNClassifier(**{**SMALL, "max_epochs": 60}))
    several.fit(GOOD + BAD, targets)
    sktextcnn.save(several, "several.sktextcnn")
    pd.DataFrame({"text": GOOD + BAD, "label": 0}).to_csv("d.csv", index=False)
    assert main(["predict", "several.sktextcnn", "d.csv"]) == 0
    found = pd.read_csv(io.StringIO(capsys.readouterr().out), dtype=str, keep_default_na=False)
    expected = [" ".join(map(str, row.nonzero()[0])) for row in several.predict(GOOD + BAD)]
    assert found["prediction"].tolist() == expected
    assert any(" " in labels for labels in expected)
    for joined, proba in zip(found["probability"], several.predict_proba(GOOD + BAD), strict=True):
        assert [float(p) for p in joined.split()] == pytest.approx(proba[proba > 0.5].tolist())
    said = fails(capsys, "evaluate", "several.sktextcnn", "d.csv")
    assert "evaluate does not support multilabel models" in said


# What predict refuses -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("review,n\na,1\n", "data.csv: there is no column 'text'; it has review, n. Choose one "),
        ("txt,n\na,1\n", "Did you mean 'txt'?"),
        ("text;n\na;1\n", "give --delimiter ';'"),
        ("text,n\na,1\n,2\n", "data.csv, row 2, column 'text': the text is missing"),
        (
            'text,n\n"a\nb",1\n\n,2\n',
            "data.csv, row 2 (line 5), column 'text': the text is missing",
        ),
        ("text,n\na\n", "data.csv, row 1: the row has 1 field, but the header has 2."),
        ("text,n\na,1\na,1,2\n", "data.csv, row 2: the row has 3 fields, but the header has 2."),
        ('text,n\na,1\n"b,2\nc,3\n', "row 2, from line 3 on: a quotation mark is not closed"),
        ('text,n\n"a" b,1\n', "row 1, from line 2 on: a quotation mark"),
        ("text,n,n\na,1,2\n", "two columns have the name 'n'"),
        ("text,prediction\na,1\n", "has a column 'prediction' already. Give --prefix"),
        ("", "data.csv is empty"),
        ("\n\n", "data.csv is empty"),
        (b"text,n\na,1\nsch\xf6n,2\n", "data.csv, line 3: the byte 0xf6 is not UTF-8"),
        ("text,n\na,1\n".encode("utf-16-le"), "If the file is UTF-16, give --encoding utf-16-le."),
        ("text,n\na,1\n".encode("utf-16-be"), "If the file is UTF-16, give --encoding utf-16-be."),
        ("a\x1b[31m,n\na,1\n", "there is no column 'text'; it has a\\x1b[31m, n."),
    ],
)
def test_what_is_wrong_with_csv_is_named_by_file_row_and_column(folder, capsys, data, said):
    assert said in refused(capsys, data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('{"text": "a"}\n{"text": "a"\n', "data.jsonl, line 2: this is not JSON"),
        ('[{"text": "a"}]\n', "line 1: expected a JSON object"),
        ('[\n{"text": "a"}\n]\n', "(Expecting value); expected a JSON object on each line."),
        ('{"other": "a"}\n{"text": "b"}\n', "no column 'text'; its first row has other."),
        ("{}\n", "no column 'text'; its first row has none."),
        ("[" * 100_000 + "\n", "line 1: this is not JSON"),
        ('{"text": "a"}\n\n{"text": 5}\n', "row 2 (line 3), column 'text': expected a text; got 5"),
        (
            '{"text": "a"}\n{"text": "b", "prediction": 1}\n',
            "row 2, column 'prediction': predict would add",
        ),
        ("", "data.jsonl is empty"),
    ],
)
def test_what_is_wrong_with_json_lines_is_named(folder, capsys, data, said):
    assert said in refused(capsys, data, name="data.jsonl")


@pytest.mark.parametrize("target", ["csv", "parquet"])
def test_a_column_that_comes_late_has_no_place_in_a_table(folder, capsys, target):
    data = '{"text": "a"}\n{"text": "b", "new": 1}\n'
    said = refused(capsys, data, "-o", f"out.{target}", name="data.jsonl")
    assert said.startswith(
        "data.jsonl, row 2, column 'new': the first row does not have this column"
    )
    assert sorted(path.name for path in folder.glob("*out*")) == []


def test_values_of_several_types_do_not_fit_in_parquet(folder, capsys):
    data = '{"text": "a", "n": 1}\n{"text": "b", "n": "x"}\n'
    said = refused(capsys, data, "-o", "out.parquet", "--chunk-size=1", name="data.jsonl")
    assert said.startswith(
        "data.jsonl, row 2 and below: the values of a column do not fit one type"
    )


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("1", "2.5", 2.5),
        ('{"a": 1}', '{"a": 2, "b": 3}', {"a": 2, "b": 3}),
        ('[{"a": 1}]', '[{"b": 3}]', [{"a": None, "b": 3}]),
    ],
)
def test_parquet_loses_no_part_of_a_value_of_json(folder, capsys, first, second, kept):
    data = f'{{"text": "a", "n": {first}}}\n{{"text": "b", "n": {second}}}\n'
    said = refused(capsys, data, "-o", "out.parquet", "--chunk-size=1", name="data.jsonl")
    assert said.startswith(f"data.jsonl, row 2, column 'n': {json.loads(second)!r} does not fit")
    assert not Path("out.parquet").exists()
    # Of one chunk, the type is that of all of its rows.
    argv = ["predict", "model.sktextcnn", "data.jsonl", "-o", "out.parquet", "--quiet"]
    assert main(argv) == 0
    assert pq.read_table("out.parquet").column("n").to_pylist()[1] == kept


def test_values_of_parquet_that_python_has_not(folder, capsys):
    def said_of(*options, **columns):
        pq.write_table(pa.table(columns), "data.parquet")
        return fails(capsys, "predict", "model.sktextcnn", "data.parquet", "-o", "o.csv", *options)

    no_text = [None, pa.py_buffer(np.array([0, 1, 3], np.int32)), pa.py_buffer(b"a\xff\xfe")]
    no_text = pa.Array.from_buffers(pa.string(), 2, no_text)
    assert said_of(text=no_text).startswith("data.parquet, row 2, column 'text': the value cannot")
    said = said_of("--chunk-size=1", text=["a", "b"], n=no_text)
    assert said.startswith("data.parquet, row 2, column 'n': the value cannot be read")
    far = pa.array([0, 2**62], pa.timestamp("us"))
    assert "row 2, column 'n': the value cannot be read (date" in said_of(text=["a", "b"], n=far)


def test_parquet_that_is_none_damaged_or_piped(folder, capsys, monkeypatch):
    argv = ["predict", "model.sktextcnn", "data.parquet", "-o", "out.csv"]
    said = refused(capsys, b"PAR1 no PAR1", name="data.parquet")
    assert said.startswith("data.parquet: this is not a Parquet file")
    pd.DataFrame({"text": GOOD * 1000}).to_parquet("whole.parquet", compression=None)
    data = bytearray(Path("whole.parquet").read_bytes())
    data[4:60] = bytes(56)
    Path("data.parquet").write_bytes(data)
    said = fails(capsys, *argv)
    assert said.startswith("data.parquet: the Parquet file is damaged")
    pd.DataFrame({"text": [b"bytes"]}).to_parquet("data.parquet")
    said = fails(capsys, *argv)
    assert "row 1, column 'text': expected a text; got b'bytes' of type bytes" in said
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    said = fails(capsys, *argv)
    assert "pip install 'sktextcnn[parquet]'" in said


def test_names_and_models_that_are_wrong(folder, capsys):
    csv_file = ["new.csv", "--text", "review"]
    assert "Did you mean 'new.csv'" in fails(capsys, "predict", "model.sktextcnn", "nw.csv")
    Path("data.xls").touch()
    assert "the suffix does not tell the format" in fails(capsys, "predict", "m", "data.xls")
    assert "There is no model file 'm'" in fails(capsys, "predict", "m", *csv_file)
    assert "is no model file" in fails(capsys, "predict", "new.csv", *csv_file)
    sktextcnn.save(sktextcnn.load("model.sktextcnn")[0], "vectorizer.sktextcnn")
    said = fails(capsys, "predict", "vectorizer.sktextcnn", *csv_file)
    assert said.startswith("vectorizer.sktextcnn: the command line takes a Pipeline")
    said = fails(capsys, "predict", "model.sktextcnn", *csv_file, "--encoding", "utf-9")
    assert said == "--encoding utf-9: unknown encoding: utf-9."
    said = fails(capsys, "predict", "model.sktextcnn", *csv_file, "-o", "out.txt")
    assert said == "out.txt: predict writes csv, tsv, jsonl or parquet."
    for path in ("out.xlsx", "out.csv.gz"):
        said = fails(capsys, "predict", "model.sktextcnn", *csv_file, "-o", path)
        assert said.startswith(
            f"{path}: {Path(path).suffix} is not the suffix of a format; predict "
        )
        assert not Path(path).exists()
    argv = ["predict", "model.sktextcnn", *csv_file, "-o", "out.dat", "--output-format", "tsv"]
    assert main(argv) == 0
    assert Path("out.dat").read_text(encoding="utf-8").startswith("id\treview\t")
    said = fails(capsys, "predict", "model.sktextcnn", *csv_file, "-o", "nowhere/out.csv")
    assert "nowhere" in said


def test_a_run_that_fails_leaves_the_file_that_was_there(folder, capsys):
    Path("out.csv").write_text("precious", encoding="utf-8")
    refused(capsys, "text\na\nb\n\xa0,\n", "-o", "out.csv", "--chunk-size=1")
    assert Path("out.csv").read_text(encoding="utf-8") == "precious"
    assert not list(folder.glob(".out*"))


@pytest.mark.parametrize(
    "argv",
    [
        ["train", "reviews.csv", "-o", "reviews.csv"],
        ["train", "reviews.csv", "--test", "test.csv", "-o", "./test.csv"],
        ["train", "reviews.csv", "--vectors", "glove.txt", "-o", "link.txt"],
        ["predict", "model.sktextcnn", "new.csv", "-o", "model.sktextcnn"],
        ["explain", "model.sktextcnn", "a gem", "-o", "model.sktextcnn"],
        ["explain", "model.sktextcnn", "--file", "new.csv", "-o", "new.csv"],
    ],
)
def test_no_input_is_replaced_by_another_kind_of_file(folder, capsys, argv):
    os.symlink("glove.txt", "link.txt")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    said = fails(capsys, *argv)
    assert (
        said
        == f"{argv[-1]}: -o would overwrite this file, which the command reads. Choose another file."
    )
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_rows_may_be_labelled_in_place(folder, capsys):
    before = pd.read_csv("new.csv")
    argv = ["predict", "model.sktextcnn", "new.csv", "--text", "review", "-o", "new.csv"]
    assert main(argv) == 0
    after = pd.read_csv("new.csv")
    assert list(after) == [*before, "prediction", "probability"]
    pd.testing.assert_frame_equal(after[list(before)], before)
    labelled = Path("new.csv").read_bytes()
    assert "has a column 'prediction' already" in fails(capsys, *argv)
    assert Path("new.csv").read_bytes() == labelled


def test_a_defect_keeps_its_traceback(folder, monkeypatch):
    def defect(*_):
        raise ValueError("a defect")

    monkeypatch.setattr(TextCNNClassifier, "predict_proba", defect)
    with pytest.raises(ValueError, match="a defect"):
        main(["predict", "model.sktextcnn", "new.csv", "--text", "review"])


# evaluate -----------------------------------------------------------------------------


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


# explain ------------------------------------------------------------------------------


def test_explain_prints_what_the_explanation_says(folder, model, capsys):
    text = "what a GEM, so witty"
    explanation = sktextcnn.explain(model, [text])[0]
    argv = ["explain", "model.sktextcnn", text]
    assert main([*argv, "--color", "always"]) == 0
    coloured = capsys.readouterr().out
    assert coloured == explanation.to_ansi() + "\n\n"
    assert "\x1b[30;48;5;" in coloured
    assert main([*argv, "--label", "negative", "--n", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "\x1b" not in "".join(lines)
    assert lines[1] == text
    assert [line.split(maxsplit=1)[1] for line in lines[2:] if line] == [
        ngram for ngram, _ in explanation.top("negative", n=2)
    ]


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize("no_colour", ["", "1"])
def test_colours_are_for_terminals(monkeypatch, is_terminal, no_colour):
    monkeypatch.setenv("NO_COLOR", no_colour)
    stream = io.StringIO()
    stream.isatty = lambda: is_terminal
    assert explain.wants_color("auto", stream) == (is_terminal and not no_colour)
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


def test_explain_writes_a_page_that_says_its_encoding(folder, capsys):
    argv = ["explain", "model.sktextcnn", "<b>schön</b> & a gem", "so dull", "-o", "page.html"]
    assert main(argv) == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert '<meta charset="utf-8">' in page
    assert "color-scheme: light dark" in page
    assert page.endswith("</body>\n</html>\n")
    assert "<b>schön" not in page
    assert "schön" in page
    assert page.count("n-grams that matter most") == 2
    assert main([*argv, "--n", "1"]) == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.count("<tr>") == 2


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


# demo ---------------------------------------------------------------------------------


def test_demo_trains_compares_explains_and_saves(folder, corpus, monkeypatch, capsys):
    monkeypatch.setattr(sktextcnn.datasets, "load_docstrings", lambda: corpus)
    assert main(["demo", "--color", "always", "--quiet", "-o", "demo.sktextcnn"]) == 0
    out = capsys.readouterr().out
    accuracies = re.findall(r"accuracy ([\d.]+) on 48 held-out texts", out)
    assert len(accuracies) == 2
    texts, labels = corpus
    # The share trained on is most of the corpus.
    assert sktextcnn.load("demo.sktextcnn").score(texts, labels) > 0.5
    assert out.count("\x1b[30;48;5;") >= 2
    assert "Returns a" in out


# Help, versions, usage ----------------------------------------------------------------


def test_help_and_version_import_nothing_heavy():
    code = """
        import sys
        from sktextcnn._cli import main
        for argv in (["--version"], ["--help"], ["train", "--help"]):
            try:
                main(argv)
            except SystemExit as error:
                assert error.code == 0
        heavy = {"torch", "numpy", "sklearn", "gensim", "tqdm", "pyarrow", "pandas"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
    """
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.startswith(f"sktextcnn {sktextcnn.__version__}\n")


def test_the_script_of_the_distribution_is_the_command():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    module, _, name = project["project"]["scripts"]["sktextcnn"].partition(":")
    assert getattr(import_module(module), name) is main


def examples_of(help_text):
    lines = help_text.split("examples:\n")[1].replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip()]


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_examples_of_the_help_run(folder, corpus, capsys, monkeypatch, command):
    monkeypatch.setattr(sktextcnn.datasets, "load_docstrings", lambda: corpus)
    new_model = train.new_model

    def quick(args):
        args.max_epochs = 2
        return new_model(args)

    monkeypatch.setattr(train, "new_model", quick)
    with pytest.raises(SystemExit, match="0"):
        main([*([command] if command else []), "--help"])
    examples = examples_of(capsys.readouterr().out)
    assert len(examples) >= 2
    for example in examples:
        before, pipes, line = example.rpartition(" | ")
        if pipes:
            feeder, argument = shlex.split(before)
            data = Path(argument).read_bytes() if feeder == "cat" else argument.encode()
            pipe(monkeypatch, data)
        line, redirected, path = line.partition(" > ")
        name, *argv = shlex.split(line)
        assert name == "sktextcnn"
        assert main(argv) == 0, (example, capsys.readouterr().err)
        out = capsys.readouterr().out
        if redirected:
            assert out
            Path(path).write_text(out, encoding="utf-8")
    if command == "train":
        assert sktextcnn.load("m.sktextcnn").classes_.tolist() == ["negative", "positive"]


def test_files_and_texts_stand_where_one_likes(folder, capsys):
    outs = []
    for argv in (
        ["predict", "model.sktextcnn", "new.csv", "--text", "review"],
        ["predict", "--text", "review", "model.sktextcnn", "new.csv"],
        ["predict", "model.sktextcnn", "--text", "review", "new.csv"],
    ):
        assert main(argv) == 0
        outs.append(capsys.readouterr().out)
    assert outs[0].count("\n") == 7
    assert outs[1:] == outs[:1] * 2
    assert main(["explain", "--n=1", "model.sktextcnn", "a gem", "--color=never", "dull"]) == 0
    assert len(re.findall(r"^(a gem|dull)$", capsys.readouterr().out, re.M)) == 2
    assert main([*TRAIN[:1], *TRAIN[2:], *QUICK, "reviews.csv", "--quiet"]) == 0
    with pytest.raises(SystemExit, match="0"):
        main(["predict", "--help"])
    out = capsys.readouterr().out
    assert re.search(r"\] model \[data\]", " ".join(out.split()))
    assert re.search(r"^  model +model file of train", out, re.M)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "required: COMMAND"),
        (["trian"], "invalid choice"),
        (["train"], "required: -o"),
        (["predict"], "required: model"),
        (["predict", "m", "d.csv", "e.csv"], "unrecognized arguments: e.csv"),
        (["train", "-o", "m", "--test-size", "2"], "between 0 and 1; got '2'"),
        (["train", "-o", "m", "--test-size", ".2", "--test", "t"], "not allowed with"),
        (["train", "-o", "m", "--set", "min_df"], "expected STEP.NAME=VALUE"),
        (["train", "-o", "m", "--finetune", "yes"], "expected true, false, a number of epochs"),
        (["train", "-o", "m", "--max-epochs", "0"], "expected an integer from 1 to"),
        (["train", "-o", "m", "--seed", "-1"], "--seed: expected an integer from 0 to 4294967295"),
        (["train", "-o", "m", "--seed", str(2**32)], "expected an integer from 0 to 4294967295"),
        (["predict", "m", "--chunk-size", "9" * 30], "expected an integer from 1 to"),
        (["predict", "m", "--chunk-size", "-3"], "expected an integer from 1"),
        (["predict", "m", "--delimiter", "ab"], "expected one character"),
        (["predict", "m", "--format", "xls"], "invalid choice"),
    ],
)
def test_wrong_usage_ends_with_2(capsys, argv, said):
    with pytest.raises(SystemExit) as error:
        main(argv)
    assert error.value.code == 2
    assert said in capsys.readouterr().err


# Processes ----------------------------------------------------------------------------

PREDICT = ["predict", "model.sktextcnn"]


def test_a_pipe_in_a_locale_that_is_not_utf_8(folder, model):
    env = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    process = run("predict", "model.sktextcnn", input="text\nschön 漢字\n".encode(), env=env)
    assert process.returncode == 0, process.stderr
    assert process.stderr == b""
    row = process.stdout.decode("utf-8").splitlines()[1].split(",")
    assert row[:2] == ["schön 漢字", model.predict(["schön 漢字"])[0]]


def test_a_reader_that_stops_reading_ends_the_command_quietly(folder):
    Path("many.csv").write_text("text\n" + "a gem of a film\n" * 20_000, encoding="utf-8")
    command = [sys.executable, "-m", "sktextcnn", "predict", "model.sktextcnn", "many.csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"text,prediction,probability\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk_is_said_in_one_line(folder):
    for argv in (["new.csv"], ["new.csv", "-o", "/dev/full"]):
        with open("/dev/full", "wb") as full:
            process = subprocess.run(
                [sys.executable, "-m", "sktextcnn", *PREDICT, "--text", "review", *argv],
                stdout=full,
                stderr=subprocess.PIPE,
                check=False,
            )
        assert process.returncode == 1
        named = b"/dev/full: " if "-o" in argv else b""
        assert process.stderr == b"sktextcnn: %sNo space left on device\n" % named


@pytest.mark.skipif(not os.path.exists("/proc/self"), reason="a folder of Linux")
def test_a_folder_that_takes_no_file_is_said_without_the_temporary_name(folder, capsys):
    said = fails(capsys, *PREDICT, "new.csv", "--text", "review", "-o", "/proc/self/out.csv")
    assert said.startswith("/proc/self/out.csv: ")


@pytest.mark.skipif(os.name != "posix", reason="closes streams by a shell")
def test_streams_may_be_closed(folder):
    command = f"{shlex.quote(sys.executable)} -m sktextcnn"

    def shell(line):
        return subprocess.run(line, shell=True, capture_output=True, check=False)

    process = shell(f"{command} predict model.sktextcnn <&-")
    assert process.returncode == 1
    assert process.stderr.startswith(b"sktextcnn: stdin is empty")
    named = "new.csv --text review"
    process = shell(f"{command} predict model.sktextcnn {named} -o out.csv >&- 2>&-")
    assert process.returncode == 0
    assert len(pd.read_csv("out.csv")) == 6
    process = shell(f"{command} predict model.sktextcnn {named} --encoding utf-9 2>&-")
    assert (process.returncode, process.stdout) == (1, b"")


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="a file of Linux")
def test_an_input_that_cannot_be_read_is_named(folder, capsys):
    said = fails(capsys, *PREDICT, "/proc/self/mem", "--format", "csv")
    assert said == "/proc/self/mem: Input/output error."


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("SIGINT", 130, b"sktextcnn: interrupted\n"),
        ("SIGTERM", 143, b""),
        ("SIGHUP", 129, b""),
    ],
)
def test_a_run_that_is_ended_leaves_no_file(folder, name, code, said):
    command = [sys.executable, "-m", "sktextcnn", "predict", "model.sktextcnn", "-o", "out.csv"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Tests that run in the background, or by nohup, are born with some ignored.
        preexec_fn=lambda: signal.signal(getattr(signal, name), signal.SIG_DFL),
    ) as process:
        # Wait until it reads the rows.
        process.stdin.write(b"text\n")
        process.stdin.flush()
        while not list(folder.glob(".out.csv.*.part")):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(getattr(signal, name))
        process.stdin.close()
        assert process.stderr.read() == said
    assert process.returncode == code
    assert not list(folder.glob("*out.csv*"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_memory_does_not_grow_with_the_rows(folder):
    # The peak after 200,000 rows, less that after 20,000, in one process. getrusage would count
    # what its parent had, too. The words are few, as the vectorizer remembers some of those it saw.
    code = """
        import os, sys, threading
        from sktextcnn._cli import main

        def peak(n_rows):
            source, sink = os.pipe()
            def feed():
                with open(sink, "wb") as file:
                    file.write(b"text,other\\n")
                    for i in range(n_rows):
                        file.write(b"a gem %d,%0200d\\n" % (i % 999, i))
            feeder = threading.Thread(target=feed)
            feeder.start()
            with open(source) as sys.stdin:
                assert main(["predict", "model.sktextcnn", "-o", "out.csv", "--quiet"]) == 0
            feeder.join()
            status = open("/proc/self/status").read()
            return int(status.split("VmHWM:")[1].split()[0])

        few = peak(20_000)
        many = peak(200_000)
        print(few, many - few)
    """
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    with open("out.csv", "rb") as file:
        assert sum(1 for _ in file) == 200_001
    # In kB; the rows alone have 45 MB.
    assert int(process.stdout.split()[1]) < 16_000
