"""``sktextcnn vectors``, and names of vectors for train."""

import os
import re
from pathlib import Path

import gensim.downloader
import pytest

import sktextcnn
from sktextcnn._cli import main
from tests.cli.commands import QUICK, TRAIN, fails
from tests.gensim_data_server import CONTENT, NAME, described

OTHER = "word2vec-google-news-300"


def stored():
    return Path(gensim.downloader.BASE_DIR, NAME, f"{NAME}.gz")


def test_get_prints_the_path_and_says_the_size_before_and_what_to_do_after(gensim_data, capsys):
    assert main(["vectors", "get", NAME]) == 0
    out, err = capsys.readouterr()
    assert out == f"{stored()}\n"
    assert stored().read_bytes() == CONTENT
    first, *_, checked, last = err.splitlines()
    assert first == f"Downloading {NAME}: 404 words of 5 numbers, 7.1 kB, to {stored()}"
    assert checked.endswith(f"The checksum is right: 7.1 kB in {stored()}")
    assert last == f"Now train: sktextcnn train FILE.csv --vectors {NAME} -o model.sktextcnn"


def test_get_checks_vectors_that_are_there(gensim_data, capsys):
    main(["vectors", "get", NAME])
    capsys.readouterr()
    assert main(["vectors", "get", NAME]) == 0
    out, err = capsys.readouterr()
    assert out == f"{stored()}\n"
    assert f"{NAME} is there already, and its checksum is right." in err
    assert len(gensim_data.asked()) == 1
    stored().write_bytes(CONTENT[:-100])
    said = fails(capsys, "vectors", "get", NAME)
    assert re.search(r"gz has the checksum .* To download it again, delete it first\.$", said)
    gensim_data.list_content = b"no JSON"
    os.unlink(os.path.join(gensim.downloader.BASE_DIR, "information.json"))
    assert main(["vectors", "get", NAME]) == 0
    assert "is there already, and there is no checksum to compare" in capsys.readouterr().err


def test_get_is_quiet(gensim_data, capsys):
    assert main(["vectors", "get", NAME, "--quiet"]) == 0
    assert capsys.readouterr() == (f"{stored()}\n", "")


def test_get_fails_with_one_line(gensim_data, capsys):
    assert "Did you mean 'glove-wiki-gigaword-100'?" in fails(capsys, "vectors", "get", "glove")
    gensim_data.faults = [("status", 404)]
    capsys.readouterr()
    assert main(["vectors", "get", NAME]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    address = f"{gensim_data.address}/{NAME}/{NAME}.gz"
    assert said.endswith(
        f"sktextcnn: {NAME} could not be downloaded: {gensim_data.address[7:]} answered 404 Not "
        f"Found. Try again, or download {address} by other means and save it as {stored()}, where "
        f"it is found by its name."
    )


def test_an_interrupted_get_says_that_it_goes_on(gensim_data, capsys, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    gensim_data.faults = [("cut", 1000), ("reset",)]
    monkeypatch.setattr("time.sleep", interrupt)
    assert main(["vectors", "get", NAME]) == 130
    said = capsys.readouterr().err.splitlines()[-2:]
    assert said[0].endswith(f"1.0 kB of {NAME} were received. The next try goes on from there.")
    assert said[1] == "sktextcnn: interrupted"


@pytest.fixture
def two(gensim_data):
    """A catalogue of two, and one of gensim's own tests."""
    gensim_data.catalogue["models"] |= {
        OTHER: described(
            b"", OTHER, file_size=1743563840, license="not found", num_records=3 * 10**6
        ),
        "__testing_vectors": {},
    }
    return gensim_data


def test_list_shows_names_sizes_and_where_they_are_from(two, capsys):
    assert main(["vectors", "list"]) == 0
    out, err = capsys.readouterr()
    corpus = "Wikipedia 2014 + Gigaword 5 (6B tokens, uncased)"
    assert [re.sub("  +", "|", line) for line in out.splitlines()] == [
        "|name|words|width|MB|trained on; licence",
        f"|{NAME}|404|5|0|{corpus}; opendatacommons.org/licenses/pddl",
        f"|{OTHER}|3,000,000|5|1,744|{corpus}",
    ]
    assert err == f"For English, begin with: sktextcnn vectors get {NAME} (uncased, 7.1 kB)\n"


def test_list_marks_and_selects(two, capsys):
    main(["vectors", "get", NAME, "--quiet"])
    capsys.readouterr()
    assert main(["vectors", "list", "GLOVE"]) == 0
    out, err = capsys.readouterr()
    assert [line[:2] for line in out.splitlines()] == ["  ", "* "]
    assert err == "* is downloaded.\n"
    assert main(["vectors", "list", "--installed", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert NAME in out
    assert OTHER not in out
    assert err == ""
    assert fails(capsys, "vectors", "list", "elmo") == (
        f"No name has 'elmo'. There are: {NAME}, {OTHER}."
    )
    assert main(["vectors", "list", "word2vec", "--installed"]) == 0
    assert capsys.readouterr() == ("", "None of these vectors were downloaded yet.\n")


@pytest.mark.parametrize(("columns", "n_lines"), [(200, 3), (80, 7), (60, 7)])
def test_list_fits_into_a_terminal(two, capsys, monkeypatch, columns, n_lines):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    main(["vectors", "list"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) < columns
    assert len(lines) == n_lines


def test_list_has_no_control_characters_of_the_catalogue(two, capsys):
    fields = {"base_dataset": "News \x1b]0;x\x07", "license": "free\x9b2J"}
    two.catalogue["models"] = {
        NAME: described(b"", **fields),
        "\x1b]0;y\x07": described(b""),
        "no-corpus": described(b"", base_dataset=None, description="\x1b[2J"),
    }
    main(["vectors", "list"])
    out, err = capsys.readouterr()
    assert r"News \x1b]0;x\x07; free\x9b2J" in out
    assert r"\x1b[2J" in out
    assert "0;y" not in out
    assert all(line.isprintable() for line in (out + err).splitlines())


def test_list_without_a_connection_is_that_of_the_last_time(two, capsys):
    main(["vectors", "list"])
    before = capsys.readouterr().out
    two.list_content = b"<html>Log in"
    assert main(["vectors", "list"]) == 0
    out, err = capsys.readouterr()
    assert out == before
    assert re.match(
        "sktextcnn: warning: this is the list of the last time, since http.* is not", err
    )
    # What came instead was not kept.
    assert main(["vectors", "list"]) == 0
    os.unlink(os.path.join(gensim.downloader.BASE_DIR, "information.json"))
    said = fails(capsys, "vectors", "list")
    assert re.match("The list of vectors cannot be read, since .* is not the catalogue", said)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"models": []}', b'{"models": {"a": 1, "../b": {}}}', b"\xff\xfe"]
)
def test_a_strange_catalogue_is_refused_or_empty(gensim_data, capsys, content):
    gensim_data.list_content = content
    fails(capsys, "vectors", "get", NAME)
    assert gensim_data.asked() == []


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["get"], "get needs the name of vectors"),
        (["get", NAME, "--installed"], "--installed is for list"),
        (["fetch"], "invalid choice: 'fetch'"),
        ([], "required: action"),
    ],
)
def test_wrong_usage_ends_with_2(capsys, argv, said):
    with pytest.raises(SystemExit) as error:
        main(["vectors", *argv])
    assert error.value.code == 2
    assert said in capsys.readouterr().err


def test_train_downloads_vectors_by_their_name(folder, gensim_data, capsys):
    assert main([*TRAIN, *QUICK, "--vectors", NAME]) == 0
    assert re.search(
        r"(?s)Downloading .*The checksum is right.*The vectors cover", capsys.readouterr().err
    )
    assert sktextcnn.load("m.sktextcnn")[0].embedding_matrix_.shape[1] == 5
    assert main([*TRAIN, *QUICK, "--vectors", NAME, "--vectors-word", "(.+)", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert len(gensim_data.asked()) == 1


def test_train_refuses_an_unknown_name_before_it_reads_the_texts(folder, gensim_data, capsys):
    os.unlink("reviews.csv")
    said = fails(capsys, *TRAIN, "--vectors", "glove-wiki-gigaword-10", "--quiet")
    assert re.search("gensim-data has no vectors of this name. Did you mean 'glove-wiki-giga", said)
