"""What predict refuses, and that it replaces no file then."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sktextcnn
from sktextcnn import TextCNNClassifier
from sktextcnn._cli import main
from tests.cli.commands import GOOD, fails, refused


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
        ("text,text\na,1\n", "the columns 1 and 2 have the name 'text'. Give the number of one"),
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
        ('"a"\n', "line 1: expected a JSON object"),
        ('{"other": "a"}\n{"text": "b"}\n', "no column 'text'; its first row has other."),
        ("{}\n", "no column 'text'; its first row has none."),
        ('{"a": ' * 100_000 + "\n", "line 1: this is not JSON"),
        ("[" * 100_000 + "\n", "line 1: row 1 is not JSON"),
        ('{"text": "a"}\n\n{"text": 5}\n', "row 2 (line 3), column 'text': expected a text; got 5"),
        (
            '{"text": "a"}\n{"text": "b", "prediction": 1}\n',
            "row 2, column 'prediction': predict would",
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
        "data.jsonl, row 2: from this row on, a column has values of different types"
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
    assert "the format cannot be told from the suffix" in fails(capsys, "predict", "m", "data.xls")
    assert "There is no model file 'm'" in fails(capsys, "predict", "m", *csv_file)
    assert "is not a model file" in fails(capsys, "predict", "new.csv", *csv_file)
    sktextcnn.save(sktextcnn.load("model.sktextcnn")[0], "vectorizer.sktextcnn")
    said = fails(capsys, "predict", "vectorizer.sktextcnn", *csv_file)
    assert said.startswith("vectorizer.sktextcnn: the command line takes a Pipeline")
    said = fails(capsys, "predict", "model.sktextcnn", *csv_file, "--encoding", "utf-9")
    assert said == "--encoding utf-9: unknown encoding: utf-9."
    said = fails(capsys, "predict", "model.sktextcnn", *csv_file, "-o", "out.txt")
    assert said == "out.txt: predict writes csv, tsv, jsonl, json or parquet."
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
    assert said.startswith(f"{argv[-1]}: -o would overwrite this file, which the command reads.")
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
