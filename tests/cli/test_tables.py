"""Tables as the world has them: no header, archives, other quotes, JSON arrays, bad rows."""

import bz2
import csv
import gzip
import io
import json
import lzma
import re
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sktextcnn._cli import main
from sktextcnn._cli.errors import InputError
from sktextcnn._cli.rows import ReadOptions, open_reader
from sktextcnn._cli.rows.json_rows import _Text
from tests.cli.commands import BAD, GOOD, QUICK, fails, pipe, refused

try:
    from compression import zstd
except ImportError:
    from backports import zstd

TRAIN = ["train", "-o", "m.sktextcnn", "--quiet", *QUICK]


def rows_of(data, name="data.csv", **options):
    """The rows of a file of these bytes."""
    Path(name).write_bytes(data if isinstance(data, bytes) else data.encode())
    with open_reader(name, ReadOptions(**options)) as reader:
        return [list(row.values()) for chunk in reader.chunks(3) for row in chunk.rows]


def predicted(capsys, *options):
    assert main(["predict", "model.sktextcnn", *map(str, options)]) == 0
    return capsys.readouterr().out


# Columns ------------------------------------------------------------------------------


def test_a_file_without_a_header_has_columns_by_number(folder, capsys, model):
    with open("ag.csv", "w", encoding="utf-8", newline="") as file:
        rows = [[1, "", text] for text in GOOD] + [[2, "so", text] for text in BAD]
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    columns = ["--no-header", "--text", "2", "--text", "3"]
    assert main([*TRAIN, "ag.csv", *columns, "--label", "1"]) == 0
    argv = ["evaluate", "m.sktextcnn", "ag.csv", *columns, "--label", "1", "--json"]
    assert main(argv) == 0
    assert json.loads(capsys.readouterr().out)["n_texts"] == 8
    # As the input has no header, the output has none.
    found = list(csv.reader(io.StringIO(predicted(capsys, "ag.csv", *columns))))
    assert [row[:3] for row in found] == [[str(x) for x in row] for row in rows]
    texts = [f"{title} {text}".strip() for _, title, text in rows]
    assert [row[3] for row in found] == model.predict(texts).tolist()
    out = predicted(capsys, "ag.csv", *columns, "--output-format", "jsonl").splitlines()[0]
    assert list(json.loads(out)) == ["1", "2", "3", "prediction", "probability"]


def test_a_name_goes_before_a_number(folder, capsys, model):
    Path("d.csv").write_text("3,x,text\na gem,n,so dull\n", encoding="utf-8")
    for column, text in (("3", "a gem"), ("text", "so dull"), ("1", "a gem"), ("2", "n")):
        out = predicted(capsys, "d.csv", "--text", column, "--output-format", "jsonl")
        found = json.loads(out)["probability"]
        assert found == pytest.approx(model.predict_proba([text]).max())
    pd.DataFrame({"a": [1], "text": ["a gem"]}).to_parquet("d.parquet")
    assert predicted(capsys, "d.parquet", "--text", "2", "--output-format", "csv")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            [],
            "there is no column 'text'; without a header, columns are given by their number, from",
        ),
        (["--text", "3"], "there is no column '3'; .* from 1 to 2: --text 1"),
        (["--text", "0"], "there is no column '0'"),
        (["--text", "1,2"], "there is no column '1,2'"),
    ],
)
def test_columns_that_are_not_there(folder, capsys, options, said):
    assert re.search(said, refused(capsys, "a,b\n", "--no-header", *options))


def test_the_remedies_for_columns(folder, capsys):
    assert "--text title --text body" in refused(
        capsys, "title,body\na,b\n", "--text", "title,body"
    )
    assert "give --no-header" in refused(capsys, "4,a gem of a film\n")
    assert "give --format jsonl" in refused(capsys, '[{"title": "a gem"}]\n')
    assert "give --format fasttext" in refused(capsys, "__label__x a gem\n")


def test_columns_that_nobody_asks_for_need_no_name(folder, capsys):
    Path("spam.csv").write_text("v1,v2,,,\nham,a gem,,,\nspam,so dull,,x,\n", encoding="utf-8")
    lines = predicted(capsys, "spam.csv", "--text", "v2").splitlines()
    assert lines[0] == "v1,v2,,,,prediction,probability"
    assert lines[2].startswith("spam,so dull,,x,,")
    out = predicted(capsys, "spam.csv", "--text", "v2", "--output-format", "jsonl")
    assert list(json.loads(out.splitlines()[0]))[:5] == ["v1", "v2", "3", "4", "5"]
    # The index of pandas; two columns of a name.
    assert rows_of(",n,text,n,1\n7,x,a,y,z\n") == [["7", "x", "a", "y", "z"]]
    table = pa.table([pa.array(["a gem"]), pa.array([1]), pa.array([2])], ["text", "n", "n"])
    pq.write_table(table, "d.parquet")
    assert main(["predict", "model.sktextcnn", "d.parquet", "-o", "o.parquet", "--quiet"]) == 0
    assert pq.ParquetFile("o.parquet").schema_arrow.names[:3] == ["text", "n", "n"]
    out = predicted(capsys, "d.parquet", "--output-format", "jsonl")
    assert json.loads(out)["n_3"] == 2


# Compression --------------------------------------------------------------------------


def zipped(data, *names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._d.csv", b"x")
        for name in names:
            archive.writestr(name, data)
    return file.getvalue()


COMPRESSORS = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zip": lambda data: zipped(data, "folder/d.csv"),
    "zstd": zstd.compress,
    "two gzip members": lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]),
    "two zstd frames": lambda data: zstd.compress(data[:9]) + zstd.compress(data[9:]),
    "gzip in zip": lambda data: zipped(gzip.compress(data), "d.csv.gz"),
}
TABLE = "text,n\n" + "".join(f"a gem of {i},{i}\n" for i in range(500))


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed_files_are_recognized_by_their_content(folder, monkeypatch, capsys, kind):
    expected = rows_of(TABLE)
    data = COMPRESSORS[kind](TABLE.encode())
    # Whatever the name says.
    for name in ("data.csv", "data.csv.gz", "data.csv.zst"):
        assert rows_of(data, name) == expected
    pipe(monkeypatch, data)
    with open_reader(None, ReadOptions()) as reader:
        assert sum(len(chunk) for chunk in reader.chunks(100)) == 500


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_what_is_cut_off_is_an_error(folder, capsys, kind):
    data = COMPRESSORS[kind](TABLE.encode())
    said = refused(capsys, data[: len(data) * 2 // 3], "-o", "out.csv", name="data.csv")
    assert said.startswith("data.csv: the ")
    assert "is damaged or cut off" in said
    assert not Path("out.csv").exists()


def test_a_damaged_byte_is_an_error(folder, capsys):
    data = bytearray(gzip.compress(TABLE.encode()))
    data[-6] ^= 1  # In the checksum.
    assert "the gzip file is damaged or cut off (CRC" in refused(capsys, bytes(data), "-o", "o.csv")


def test_archives_of_several_files_name_them(folder, capsys):
    said = refused(capsys, zipped(b"text\na\n", "train.csv", "test.csv"), name="d.zip")
    assert "it has train.csv, test.csv. Unpack it, or read one from a pipe: unzip -p" in said
    said = refused(capsys, zipped(b"text\na\n", "data"), name="d.zip")
    assert said.startswith("d.zip/data: the format cannot be told from the suffix")
    assert "it has none" in refused(capsys, zipped(b""), name="d.zip")
    assert "Office document" in refused(capsys, zipped(b"", "[Content_Types].xml"), name="d.csv")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x04\x22\x4d\x18....", "an lz4 file"),
        (b"7z\xbc\xaf\x27\x1c..", "a 7z archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document; save it as CSV"),
        (gzip.compress(b"d.csv" + bytes(252) + b"ustar" + bytes(250), mtime=0), "a tar archive"),
        (b"PAR1\x15\x04", "a Parquet file; give --format parquet"),
    ],
)
def test_other_formats_are_named(folder, capsys, data, said):
    assert f"this is {said}" in refused(capsys, data)


def test_zstd_needs_a_package(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "compression", None)
    monkeypatch.setitem(sys.modules, "backports", None)
    said = refused(capsys, zstd.compress(b"text\na\n"))
    assert said == (
        "data.csv: zstd needs Python 3.14 or backports.zstd: pip install 'sktextcnn[zstd]'."
    )


def test_parquet_may_be_compressed_or_piped(folder, monkeypatch, capsys):
    pd.DataFrame({"text": GOOD}).to_parquet("d.parquet")
    data = Path("d.parquet").read_bytes()
    assert rows_of(gzip.compress(data), "d.parquet.gz") == [[text] for text in GOOD]
    assert rows_of(zipped(data, "d.parquet"), "d.zip") == [[text] for text in GOOD]
    pipe(monkeypatch, data)
    with open_reader("-", ReadOptions(format="parquet")) as reader:
        assert sum(map(len, reader.chunks(2))) == len(GOOD)


# Text ---------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_byte_order_mark_tells_the_encoding(folder, encoding, compress):
    data = compress("text\tn\nschön 漢字\t1\n".encode(encoding))
    assert rows_of(data, "d.tsv") == [["schön 漢字", "1"]]
    data = compress('[{"text": "schön"}]'.encode(encoding))
    assert rows_of(data, "d.json") == [["schön"]]


def test_latin_1(folder):
    assert rows_of('"0","caf\xe9"\n'.encode("latin-1"), encoding="latin-1", header=False) == [
        ["0", "café"]
    ]


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
def test_the_first_line_may_tell_the_delimiter(folder, capsys, line):
    data = f'{line}\r\ntext;n\r\n"a;b";1\r\n;2\r\n'
    said = refused(capsys, data)
    assert said.startswith("data.csv, row 2, column 'text': the text is missing")
    assert rows_of(data) == [["a;b", "1"], ["", "2"]]
    assert rows_of(data, "data.tsv") == [["a;b", "1"], ["", "2"]]
    out = predicted(capsys, "data.csv", "--empty-ok")
    assert out.startswith("text;n;prediction;probability\n")


def test_sep_may_be_a_column_too(folder):
    assert rows_of("sep=x,n\na,1\n") == [["a", "1"]]


ESCAPED = [
    (r'"He said \"hi\"",1', 'He said "hi"'),
    (r"a\, b,1", "a, b"),
    (r"C:\dir,1", r"C:\dir"),
    (r"C:\\new,1", r"C:\new"),
    (r"one\ntwo\tthree,1", "one\ntwo\tthree"),
    ('"one\\\r\ntwo",1', "one\ntwo"),
    ("one\\\ntwo,1", "one\ntwo"),
    (r'"ends with \\",1', "ends with \\"),
    ('"doubled ""too""",1', 'doubled "too"'),
    (r"\N,1", None),
    (r'"",1', ""),
]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_escape_sequences(folder, capsys, end):
    data = f"text,n{end}" + "".join(row + end for row, _ in ESCAPED)
    expected = [[text, "1"] for _, text in ESCAPED]
    assert rows_of(data, escape="\\") == expected
    # What is written is read again.
    out = predicted(capsys, "data.csv", "--escape", "\\", "--empty-ok")
    again = [row[:2] for row in rows_of(out, escape="\\")]
    assert again == [[text or "", n] for text, n in expected]


def test_escapes_of_exports_without_quotes(folder):
    data = '1\ta \\\\ b\\\tc\n2\tone\\ntwo\n3\t\\N\n4\tso "dull\n'
    options = {"escape": "\\", "quotes": False, "header": False}
    expected = [["1", "a \\ b\tc"], ["2", "one\ntwo"], ["3", None], ["4", 'so "dull']]
    assert rows_of(data, "d.tsv", **options) == expected


def test_escapes_that_csv_writes_are_read(folder):
    texts = ['a "b"', "c\\d", "\\", "e,f", "g\nh", "\\n", '\\"', "x\\\\y"]
    file = io.StringIO(newline="")
    writer = csv.writer(file, escapechar="\\", doublequote=False)
    writer.writerows([["text", "n"], *([text, "1"] for text in texts)])
    assert rows_of(file.getvalue(), escape="\\") == [[text, "1"] for text in texts]


def test_wrong_escape_characters(folder, capsys):
    assert "this is the delimiter" in refused(capsys, "text\na\n", "--escape", ",")
    with pytest.raises(SystemExit, match="2"):
        main(["predict", "m", "--escape", '"'])
    assert "are read without this option" in capsys.readouterr().err
    assert "give --escape '\\'" in refused(capsys, 'text\n"He said \\"hi\\"."\n')


# JSON ---------------------------------------------------------------------------------


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", ["d.json", "d.jsonl"])
def test_arrays_of_json(folder, capsys, model, indent, name):
    long = "gem " * 50_000  # More than a block of text.
    rows = [{"text": "a gem", "n": [1, {"x": "]"}]}, {"text": long}, {"text": "ü", "n": None}]
    Path(name).write_text("\n" + json.dumps(rows * 3, indent=indent), encoding="utf-8")
    found = json.loads(predicted(capsys, name, "--chunk-size", "2"))
    assert [{key: row[key] for key in row if key[0] != "p"} for row in found] == rows * 3
    assert found[0]["prediction"] == model.predict(["a gem"])[0]
    # The suffix .json is also given to files of lines.
    Path("d.json").write_text('{"text": "a"}\n\n{"text": "b"}\n', encoding="utf-8")
    assert len(predicted(capsys, "d.json").splitlines()) == 2
    assert main(["predict", "model.sktextcnn", "d.json", "-o", "o.json", "--quiet"]) == 0
    assert len(json.loads(Path("o.json").read_text(encoding="utf-8"))) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('[{"text": "a"}\n', "line 2: it ends before the array does"),
        ('[{"text": "a"},\n{"text": "b"', "line 2: row 2 is not JSON (Expecting ',' delimiter)"),
        ('[{"text": "a"},]', "line 1: row 2 is not JSON"),
        ('[{"text": "a"} {"text": "b"}]', "line 1: expected ','; got '{'"),
        ('[{"text": "a"}]\n[]', "line 2: there is something after the end of the array"),
        ('[\n{"text": "a"},\n"b"]', "row 2 (line 3): expected a JSON object, such as"),
        ("[]", "d.json is empty"),
        ('{"data": [{"text": "a"}]}', "no column 'text'; its first row has data."),
    ],
)
def test_what_is_wrong_with_an_array(folder, capsys, data, said):
    assert said in refused(capsys, data, "-o", "o.json", name="d.json")
    assert not Path("o.json").exists()


def test_a_first_row_without_the_text_is_an_empty_text(folder, capsys, model):
    data = '{"n": 1}\n{"text": "a gem"}\n'
    assert "its first row has n" in refused(capsys, data, name="d.jsonl")
    out = predicted(capsys, "d.jsonl", "--empty-ok", "--chunk-size", "1")
    found = [json.loads(line)["prediction"] for line in out.splitlines()]
    assert found == model.predict(["", "a gem"]).tolist()
    # But a column that no row has is a mistake.
    said = fails(capsys, "predict", "model.sktextcnn", "d.jsonl", "--empty-ok", "--text", "txet")
    assert said.startswith("d.jsonl: there is no column 'txet'; its first row has n.")


# Bad rows -----------------------------------------------------------------------------

BAD_CSV = """\
text,label
a gem,good
,bad
so dull,
too,many,fields
few
so flat,bad
"not closed,bad
a "gem",good
caf\udce9,good
"witty
and warm",good
"so" dull,bad
tedious,bad
"""


def test_bad_rows_are_left_out_and_counted_if_that_is_asked_for(folder, capsys):
    data = BAD_CSV.encode("utf-8", "surrogateescape")
    skip = "--skip-bad-rows"
    assert main([*TRAIN, skip, _written("d.csv", data)]) == 0
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(
        "sktextcnn: warning: 7 rows were left out (--skip-bad-rows): the first are d.csv, row 2, "
    )
    assert main(["evaluate", "m.sktextcnn", "d.csv", skip, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_texts"], found["n_left_out"]) == (5, 7)
    # predict needs no label.
    found = list(csv.DictReader(io.StringIO(predicted(capsys, "d.csv", skip))))
    texts = ["a gem", "so dull", "so flat", 'a "gem"', "witty\nand warm", "tedious"]
    assert [row["text"] for row in found] == texts
    said = fails(capsys, "predict", "model.sktextcnn", "d.csv", "-o", "out.csv", "--empty-ok")
    assert said == (
        "d.csv, row 4: the row has 3 fields, but the header has 2. Give --skip-bad-rows to leave "
        "out such rows."
    )
    assert not Path("out.csv").exists()


def _written(name, data):
    Path(name).write_bytes(data)
    return name


@pytest.mark.parametrize(
    ("name", "data", "n_left", "said"),
    [
        ("d.jsonl", '{"text": 5}\n{"text": "a"}\nx\n[1]\n{"n": 1}\n', 1, "4 rows were left out"),
        ("d.json", '[{"text": "a"}, 3, {"text": null}]', 1, "2 rows were .* row 2 .*object.*; d"),
        ("d.txt", b"a\nb\xff\nc\n", 2, "1 row was .*: d.txt, row 2: the byte 0xff is not UTF-8"),
    ],
)
def test_bad_rows_of_other_formats(folder, capsys, name, data, n_left, said):
    Path(name).write_bytes(data if isinstance(data, bytes) else data.encode())
    argv = ["predict", "model.sktextcnn", name, "--skip-bad-rows", "--quiet"]
    assert main([*argv, "-o", "out.jsonl"]) == 0
    assert len(Path("out.jsonl").read_text(encoding="utf-8").splitlines()) == n_left
    assert re.search(said, capsys.readouterr().err)


def test_bad_rows_of_parquet_keep_the_numbers_of_the_others(folder, capsys):
    table = pd.DataFrame({"text": ["a", None, "b", "c"], "label": ["x", "y", None, "z"]})
    table.to_parquet("d.parquet")
    argv = ["predict", "model.sktextcnn", "d.parquet", "--skip-bad-rows", "-o", "out.parquet"]
    assert main(argv) == 0
    assert pd.read_parquet("out.parquet")["text"].tolist() == ["a", "b", "c"]
    table.assign(text=["a", None, "b", "c"], label="q").to_parquet("d.parquet")
    said = fails(capsys, *["evaluate", *argv[1:4]])
    assert said.startswith("d.parquet, row 1, column 'label': the label 'q' is not a class")


def test_rows_with_other_labels_or_without_any_are_bad_rows(folder, capsys):
    labels = [*(["good"] * 4 + ["bad"] * 4), 5, 1.5, None, {"a": 1}]
    texts = [*GOOD, *BAD, "a", "b", "c", "d"]
    rows = [json.dumps({"text": t, "label": x}) for t, x in zip(texts, labels, strict=True)]
    # The first row has no column of labels.
    Path("d.jsonl").write_text("\n".join(['{"text": "e"}', *rows]), encoding="utf-8")
    assert main([*TRAIN, "d.jsonl", "--skip-bad-rows"]) == 0
    said = capsys.readouterr().err
    assert "5 rows were left out" in said
    assert (
        "the first are d.jsonl, row 1, column 'label': the label is missing; d.jsonl, row 10"
        in said
    )
    said = fails(capsys, *TRAIN, "d.jsonl", "--skip-bad-rows", "--label", "lable")
    assert said.startswith("d.jsonl: there is no column 'lable'; its first row has text.")


def test_bad_rows_of_parquet_with_columns_of_every_kind(folder):
    table = pa.table(
        {
            "text": ["a gem", None, "so dull"],
            "kind": pa.array(["x", "y", None]).dictionary_encode(),
            "parts": [[{"a": 1}], [], None],
            "pairs": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        }
    )
    pq.write_table(table, "d.parquet")
    argv = ["predict", "model.sktextcnn", "d.parquet", "--skip-bad-rows", "--chunk-size=2"]
    assert main([*argv, "-o", "out.parquet"]) == 0
    found = pq.read_table("out.parquet").select(table.column_names)
    assert found.to_pylist() == table.take([0, 2]).to_pylist()


def test_a_file_of_bad_rows_only_is_an_error(folder, capsys):
    Path("d.csv").write_text("text,label\na,\n,b\n", encoding="utf-8")
    said = fails(capsys, *TRAIN, "d.csv", "--skip-bad-rows")
    assert said.startswith("d.csv has no row that can be used: 2 rows were left out")


class Blocks:
    """A file of JSON that counts how many blocks have been read."""

    name = "rows.json"

    def __init__(self, text, size):
        self.text, self.size, self.n_read = text, size, 0

    def blocks(self):
        for start in range(0, len(self.text), self.size):
            self.n_read += 1
            yield self.text[start : start + self.size]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 17, 1000])
def test_values_of_an_array_may_go_on_in_any_block(size):
    rows = [{"text": 'a "é" \\ 😀 gem', "n": number} for number in (-2.5e10, True, None)]
    rows += [{"n": float("-inf"), "l": [1, {"a": [12]}]}]
    for ensure_ascii in (True, False):
        written = json.dumps(rows, ensure_ascii=ensure_ascii)
        text = _Text(Blocks(written, size))
        text.skip("[")
        found = []
        while text.next_character() != "]":
            found.append(text.value(len(found) + 1)[0])
            if text.next_character() == ",":
                text.skip(",")
        assert found == rows


def test_a_damaged_array_is_not_read_to_its_end():
    file = Blocks('[{"text": "a" b}, ' + '{"text": "c"}, ' * 1000, 100)
    text = _Text(file)
    text.skip("[")
    text.next_character()
    with pytest.raises(InputError, match="row 1 is not JSON"):
        text.value(1)
    assert file.n_read < 5
