"""predict: the columns that it adds, in every format."""

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._cli import main
from tests.cli.commands import BAD, GOOD, SMALL, fails, pipe, refused

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
    proba = model.predict_proba(texts).max(axis=1).tolist()
    # Texts have six digits; Parquet has numbers as they are.
    expected = proba if target == "parquet" else [float(f"{each:.6g}") for each in proba]
    assert found["probability"].tolist() == pytest.approx(expected, rel=1e-12)


def test_proba_is_a_column_for_each_class(folder, model, capsys):
    argv = ["predict", "model.sktextcnn", "new.csv", "--text", "review", "--proba"]
    assert main([*argv, "--prefix", "cnn_"]) == 0
    found = pd.read_csv(io.StringIO(capsys.readouterr().out))
    names = ["cnn_probability_negative", "cnn_probability_positive"]
    assert list(found) == ["id", "review", "cnn_prediction", *names]
    np.testing.assert_allclose(found[names], model.predict_proba(found["review"]), rtol=5e-6)


@pytest.mark.parametrize("target", READERS)
def test_the_most_probable_classes_stand_side_by_side(folder, corpus, target, capsys):
    texts, labels = corpus
    several = make_pipeline(TextVectorizer(), TextCNNClassifier(**{**SMALL, "wide": False}))
    several.fit(texts, labels)
    sktextcnn.save(several, "several.sktextcnn")
    pd.DataFrame({"text": texts[:20]}).to_parquet("d.parquet")
    argv = ["predict", "several.sktextcnn", "d.parquet", "-o", f"out.{target}"]
    assert main([*argv, "--top", "3", "--prefix", "p_"]) == 0
    assert f"Wrote 20 predictions to out.{target} in " in capsys.readouterr().err
    found = READERS[target](f"out.{target}")
    names = [f"p_{name}_{i}" for i in (1, 2, 3) for name in ("prediction", "probability")]
    assert list(found) == ["text", *names]
    assert found["p_prediction_1"].tolist() == several.predict(texts[:20]).tolist()
    proba = np.sort(several.predict_proba(texts[:20]), axis=1)[:, ::-1]
    np.testing.assert_allclose(found[names[1::2]], proba[:, :3], rtol=5e-6)
    for _, row in found.iterrows():
        assert len({row["p_prediction_1"], row["p_prediction_2"], row["p_prediction_3"]}) == 3


def test_top_has_no_more_classes_than_the_model_and_none_of_several_labels(folder, capsys):
    argv = ["predict", "model.sktextcnn", "new.csv", "--text", "review"]
    assert main([*argv, "--top", "5"]) == 0
    header, first, *_ = capsys.readouterr().out.splitlines()
    assert header.endswith("prediction_1,probability_1,prediction_2,probability_2")
    assert {first.split(",")[-4], first.split(",")[-2]} == {"negative", "positive"}
    with pytest.raises(SystemExit, match="2"):
        main([*argv, "--top", "2", "--proba"])
    targets = np.array([[1, 0]] * 4 + [[1, 1]] * 4)
    several = make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL)).fit(GOOD + BAD, targets)
    sktextcnn.save(several, "several.sktextcnn")
    said = fails(capsys, "predict", "several.sktextcnn", *argv[2:], "--top", "1")
    assert "--top is for models with one class for each text" in said
    assert "Give --proba" in said


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
    for encoding in ("cp1252", "utf-16-be", "utf-16-le"):
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
    assert main(["predict", "several.sktextcnn", "d.csv", "--output-format", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [" ".join(map(str, row["prediction"])) for row in rows] == expected
    assert [len(row["probability"]) for row in rows] == [len(row["prediction"]) for row in rows]
    # Labels of Python have no names, but numbers.
    assert main(["evaluate", "several.sktextcnn", "d.csv", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["classes"]) == ["0", "1", "2"]
