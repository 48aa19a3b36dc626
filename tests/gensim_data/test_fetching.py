"""Vectors of gensim-data over good and broken connections."""

import contextlib
import gzip
import json
import os
import re
import socket
import ssl
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import gensim.downloader
import numpy as np
import pytest
from gensim.models import KeyedVectors

from sktextcnn import Embeddings
from sktextcnn._gensim_data import fetch
from tests.gensim_data_server import CONTENT, NAME, WORDS, md5


def folder():
    return Path(gensim.downloader.BASE_DIR)


def stored():
    return (folder() / NAME / f"{NAME}.gz").read_bytes()


def test_vectors_are_downloaded_once_and_are_where_gensim_looks_for_them(gensim_data, capsys):
    path = fetch(NAME)
    assert path == str(folder() / NAME / f"{NAME}.gz")
    assert stored() == CONTENT
    said = capsys.readouterr().err
    assert f"Downloading {NAME}: 404 words of 5 numbers, {len(CONTENT) / 1e3:.1f} kB, to" in said
    assert "The checksum is right" in said
    asked = len(gensim_data.requests)
    assert fetch(NAME) == path
    assert len(gensim_data.requests) == asked
    assert gensim.downloader.load(NAME, return_path=True) == path
    # Nothing else is left there but what gensim has too, and a lock.
    assert sorted(os.listdir(folder())) == [f".{NAME}.lock", NAME, "information.json"]


def test_quiet_says_nothing(gensim_data, capsys):
    gensim_data.faults = [("cut", 100), ("status", 503)]
    fetch(NAME, quiet=True)
    assert capsys.readouterr() == ("", "")
    assert stored() == CONTENT


@pytest.mark.parametrize(
    "faults",
    [
        [("cut", 1000)],
        [("cut", 0), ("cut", 10), ("cut", 1)],
        [("cut", 300)] * 12,
        [("reset",), ("status", 500), ("status", 429)],
        [("cut", 700), ("reset",), ("status", 503), ("reset",), ("cut", 50), ("reset",)],
        [("trickle",)],
        [("no length", 0), ("no length", 0)],
        [("no length", 900)],
        [("cut", 500), ("other range",)],
    ],
)
@pytest.mark.parametrize("redirects", [False, True])
def test_a_broken_connection_is_taken_up_where_it_broke(gensim_data, faults, redirects):
    gensim_data.faults = list(faults)
    gensim_data.redirects = redirects
    fetch(NAME)
    assert stored() == CONTENT
    assert not gensim_data.faults


def test_a_connection_is_taken_up_at_the_byte_where_it_broke(gensim_data, capsys):
    gensim_data.faults = [("cut", 1000), ("cut", 200), ("reset",), ("status", 503)]
    fetch(NAME)
    assert gensim_data.asked() == [None, 1000, 1200, 1200, 1200]
    host = gensim_data.address.removeprefix("http://")
    said = capsys.readouterr().err
    # Of those that brought something, the bar tells.
    assert said.count("broke off") == 1
    assert re.search(rf"The connection to {host} broke off \(.*\); trying again in 0 s\.", said)
    assert f"{host} answered 503 Service Unavailable; trying again in 0 s." in said
    assert "connection 5]" in said


def test_a_server_that_knows_no_ranges_sends_the_file_anew(gensim_data):
    gensim_data.ranges = False
    gensim_data.faults = [("cut", 1000), ("cut", 500)]
    fetch(NAME)
    assert stored() == CONTENT
    assert gensim_data.asked() == [None, 1000, 500]


def test_a_server_that_always_breaks_off_at_the_same_place_is_given_up(gensim_data):
    gensim_data.ranges = False
    gensim_data.faults = [("cut", 1000)] * 99
    with pytest.raises(ValueError, match=r"broke off\. Try again \(1\.0 kB were received"):
        fetch(NAME)
    assert len(gensim_data.asked()) == 6


def part():
    return folder() / f"{NAME}.gz.part"


def test_the_next_call_goes_on_where_the_last_one_gave_up(gensim_data, capsys):
    gensim_data.faults = [("cut", 1000)] + [("reset",)] * 5
    with pytest.raises(ValueError, match="broke off") as raised:
        fetch(NAME)
    file = folder() / NAME / f"{NAME}.gz"
    address = f"{gensim_data.address}/{NAME}/{NAME}.gz"
    said = str(raised.value)
    assert said.endswith(
        f"Try again (1.0 kB were received, and it goes on from there), or download {address} by "
        f"other means and save it as {file}, where it is found by its name."
    )
    # gensim takes a folder of the name for complete vectors.
    assert not file.parent.exists()
    assert part().read_bytes() == CONTENT[:1000]
    capsys.readouterr()
    fetch(NAME)
    assert gensim_data.asked()[-1] == 1000
    assert "Going on after the 1.0 kB that were received before" in capsys.readouterr().err
    assert stored() == CONTENT
    assert not part().exists()


def test_a_part_that_is_whole_already_is_only_checked(gensim_data):
    folder().mkdir()
    part().write_bytes(CONTENT)
    fetch(NAME)
    assert gensim_data.asked() == [len(CONTENT)]
    assert stored() == CONTENT


@pytest.mark.parametrize("content", [b"x" * 1000, b"x" * len(CONTENT), b"x" * 10**5])
@pytest.mark.parametrize("ranges", [False, True])
def test_a_part_of_another_file_is_replaced(gensim_data, content, ranges):
    gensim_data.ranges = ranges
    folder().mkdir()
    part().write_bytes(content)
    fetch(NAME)
    assert stored() == CONTENT


def test_a_stalled_connection_counts_as_broken(gensim_data, monkeypatch, capsys):
    monkeypatch.setattr("sktextcnn._gensim_data.transfer._TIMEOUT", 0.2)
    gensim_data.faults = [("stall", 600), ("stall", 0)]
    fetch(NAME)
    assert "sent nothing for 0.2 s; trying again" in capsys.readouterr().err
    assert gensim_data.asked() == [None, 600, 600]
    assert stored() == CONTENT


@pytest.mark.parametrize(
    "fault", [("status", 503, "\x1b]0;x\x07"), ("no HTTP", b"\x1b]0;x\x07\r\n\r\n")]
)
def test_what_a_server_says_has_no_control_characters(gensim_data, capsys, fault):
    gensim_data.faults = [fault] * 5
    with pytest.raises(ValueError, match=r"\\x1b\]0;x\\x07") as raised:
        fetch(NAME)
    said = capsys.readouterr().err
    assert said.count(r"\x1b]0;x\x07") == 4
    assert all(line.isprintable() for line in (str(raised.value), *said.splitlines()))


# Files that are not the right ones ----------------------------------------------------


def test_a_wrong_checksum_is_an_error_and_nothing_is_left(gensim_data):
    gensim_data.files[f"/{NAME}/{NAME}.gz"] = CONTENT[:-1] + b"x"
    with pytest.raises(ValueError, match=r"the checksum of what .* sent is .*, so it was deleted"):
        fetch(NAME)
    assert sorted(os.listdir(folder())) == [f".{NAME}.lock", "information.json"]


def test_a_file_without_a_checksum_is_taken(gensim_data, capsys):
    del gensim_data.catalogue["models"][NAME]["checksum"]
    fetch(NAME)
    assert stored() == CONTENT
    assert "The catalogue has no checksum" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["page", "page as text"])
def test_a_web_page_is_not_taken_for_the_file(gensim_data, kind):
    gensim_data.faults = [(kind,)]
    match = f"a web page came instead of the file .* or download {gensim_data.address}/{NAME}"
    with pytest.raises(ValueError, match=match):
        fetch(NAME)
    assert len(gensim_data.asked()) == 1
    assert not (folder() / NAME).exists()


@pytest.mark.parametrize(
    ("code", "said"),
    [(404, "answered 404 Not Found"), (403, "answered 403"), (407, "wants a user and a password")],
)
def test_an_answer_that_will_stay_is_an_error_at_once(gensim_data, code, said):
    gensim_data.faults = [("status", code)]
    with pytest.raises(ValueError, match=rf"{said}.*Try again, or download http"):
        fetch(NAME)
    assert len(gensim_data.asked()) == 1


def in_parts(gensim_data, pieces):
    entry = gensim_data.catalogue["models"][NAME]
    del entry["checksum"], gensim_data.files[f"/{NAME}/{NAME}.gz"]
    entry["parts"] = str(len(pieces))
    for i, piece in enumerate(pieces):
        gensim_data.files[f"/{NAME}/{NAME}.gz_0{i}"] = piece
        entry[f"checksum-{i}"] = md5(piece)


def test_vectors_in_very_many_parts_are_none(gensim_data):
    gensim_data.catalogue["models"][NAME]["parts"] = 10**12
    with pytest.raises(ValueError, match="no vectors of this name"):
        fetch(NAME)


def test_files_in_parts_are_put_together(gensim_data):
    in_parts(gensim_data, [CONTENT[:3000], CONTENT[3000:5000], CONTENT[5000:]])
    gensim_data.faults = [(), ("cut", 100), *[("reset",)] * 5]
    gensim_data.faults[0] = (None,)
    with pytest.raises(ValueError, match=rf"{NAME}.gz_00 and .*{NAME}.gz_02 by other means"):
        fetch(NAME)
    fetch(NAME)
    assert stored() == CONTENT
    assert sorted(os.listdir(folder())) == [f".{NAME}.lock", NAME, "information.json"]


# The disk -----------------------------------------------------------------------------


def test_too_little_room_is_an_error_before_anything_is_received(gensim_data, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=2_000))
    match = r"the disk of .* has 0\.0 MB free\. Make room in .*, or set .* GENSIM_DATA_DIR"
    with pytest.raises(ValueError, match=match):
        fetch(NAME)
    assert not part().exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_an_error_that_names_the_folder(gensim_data):
    folder().mkdir()
    part().symlink_to("/dev/full")
    match = r"could not be stored: .*part cannot be written \(No space left on device\)\. Make room"
    with pytest.raises(ValueError, match=match):
        fetch(NAME)
    assert not (folder() / NAME).exists()
    fetch(NAME)
    assert stored() == CONTENT


def test_a_folder_that_cannot_be_is_an_error_that_names_the_variable(gensim_data):
    folder().write_text("a file in its place")
    with pytest.raises(ValueError, match=r"could not be stored: .*GENSIM_DATA_DIR"):
        fetch(NAME)


# Interrupts and other processes -------------------------------------------------------


def test_an_interrupt_keeps_what_was_received(gensim_data, monkeypatch, capsys):
    def interrupt(*args):
        raise KeyboardInterrupt

    gensim_data.faults = [("cut", 1000), ("reset",)]
    monkeypatch.setattr("time.sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(NAME)
    said = capsys.readouterr().err
    assert f"1.0 kB of {NAME} were received. The next try goes on from there." in said
    assert part().read_bytes() == CONTENT[:1000]


@pytest.mark.parametrize("n_parts", [1, 2])
@pytest.mark.parametrize("done", [False, True])
# The first move is that of the catalogue. A folder that is there needs one more.
@pytest.mark.parametrize(
    ("there", "n_moves"), [(False, 0), (False, 1), (False, 2), (True, 2), (True, 3)]
)
def test_an_interrupt_at_any_move_of_files_loses_nothing(
    gensim_data, monkeypatch, n_parts, there, done, n_moves
):
    if n_parts == 2:
        in_parts(gensim_data, [CONTENT[:3000], CONTENT[3000:]])
    if there:
        (folder() / NAME).mkdir(parents=True)
    moves = []

    def interrupted(move):
        def moved(old, new):
            moves.append(old)
            if done or len(moves) <= n_moves:
                move(old, new)
            if len(moves) == n_moves + 1:
                raise KeyboardInterrupt

        return moved

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", interrupted(os.replace))
        patched.setattr("os.rename", interrupted(os.rename))
        with contextlib.suppress(KeyboardInterrupt):
            fetch(NAME)
    fetch(NAME)
    assert stored() == CONTENT
    # Nothing was received twice. At most, the server was asked whether there is more.
    asked = [start for path, start in gensim_data.requests if ".gz" in path]
    assert asked.count(None) == n_parts
    assert set(asked) <= {None, len(CONTENT), 3000, len(CONTENT) - 3000}
    assert len(moves) == n_moves + 1
    assert not list(folder().glob("*.part"))
    assert not list(folder().glob("information.json.*"))
    assert not list(folder().glob(f".{NAME}.new/*.gz"))
    assert sorted(os.listdir(folder() / NAME)) == ["__init__.py", f"{NAME}.gz"]


def test_a_damaged_file_that_was_left_is_not_taken(gensim_data):
    left = folder() / f".{NAME}.new"
    left.mkdir(parents=True)
    (left / f"{NAME}.gz").write_bytes(CONTENT[:-1])
    fetch(NAME)
    assert stored() == CONTENT


def test_two_that_download_the_same_wait_for_each_other(gensim_data, monkeypatch):
    said, waits = [], threading.Event()
    monkeypatch.setattr(
        "sktextcnn._gensim_data.fetching.say",
        lambda what, **kwargs: (said.append(what), waits.set() if "Waiting" in what else None),
    )
    gensim_data.faults = [("stall", 2000)]
    threads = [threading.Thread(target=fetch, args=[NAME]) for _ in range(2)]
    threads[0].start()
    assert gensim_data.begun.wait(20)
    threads[1].start()
    # The first one has the connection until the second one waits.
    assert waits.wait(20)
    gensim_data.released.set()
    for thread in threads:
        thread.join()
    assert f"Another process downloads {NAME}. Waiting for it." in said
    assert gensim_data.asked() == [None, 2000]
    assert stored() == CONTENT


def test_a_file_system_without_locks_will_do(gensim_data, monkeypatch):
    def refuse(*args, **kwargs):
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    fetch(NAME)
    assert stored() == CONTENT


# No connection ------------------------------------------------------------------------


@pytest.fixture
def no_connection(gensim_data, monkeypatch):
    """The addresses of a port that nobody listens to."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    monkeypatch.setattr(gensim.downloader, "DATA_LIST_URL", f"{address}/list.json")
    monkeypatch.setattr(gensim.downloader, "DOWNLOAD_BASE_URL", address)
    return address


def test_without_a_connection_the_error_says_how_to_do_it_by_hand(no_connection):
    file = folder() / NAME / f"{NAME}.gz"
    match = (
        rf"^{NAME} could not be downloaded: the catalogue cannot be read, since there is no "
        rf"connection to 127\.0\.0\.1:\d+ \(Connection refused\)\. Try again, or download "
        rf"{no_connection}/{NAME}/{NAME}\.gz by other means and save it as {file}, where it is "
        rf"found by its name\.$"
    )
    with pytest.raises(ValueError, match=match):
        fetch(NAME)
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    assert fetch(NAME) == str(file)
    assert sorted(Embeddings(NAME).lookup(["gem", "nosuchword"])) == ["gem"]


def test_a_catalogue_of_the_last_time_names_the_file_without_a_connection(
    gensim_data, no_connection
):
    folder().mkdir()
    (folder() / "information.json").write_text(json.dumps(gensim_data.catalogue))
    match = rf"there is no connection to .*\. Try again, or download {no_connection}/{NAME}/{NAME}"
    with pytest.raises(ValueError, match=match):
        fetch(NAME)
    with pytest.raises(ValueError, match=rf"Did you mean '{NAME}'"):
        fetch("glove-wiki-gigaword-1000")


def test_a_proxy_without_an_answer_is_named(gensim_data, no_connection, monkeypatch):
    monkeypatch.setattr(gensim.downloader, "DATA_LIST_URL", "https://data.example/list.json")
    proxy = no_connection.replace("//", "//user:secret@")
    monkeypatch.setenv("https_proxy", proxy)
    host = no_connection.removeprefix("http://")
    with pytest.raises(
        ValueError, match=rf"to data\.example through the proxy {host} \("
    ) as raised:
        fetch(NAME)
    assert "secret" not in str(raised.value)
    # The proxy of other addresses has nothing to do with it.
    monkeypatch.setattr(gensim.downloader, "DATA_LIST_URL", f"{no_connection}/list.json")
    with pytest.raises(ValueError, match=rf"no connection to {host} \("):
        fetch(NAME)


def test_a_proxy_is_used(gensim_data, monkeypatch):
    monkeypatch.setattr(gensim.downloader, "DOWNLOAD_BASE_URL", "http://data.example")
    monkeypatch.setenv("http_proxy", gensim_data.address)
    fetch(NAME)
    assert f"http://data.example/{NAME}/{NAME}.gz" in dict(gensim_data.requests)
    assert stored() == CONTENT


def test_a_certificate_that_is_not_trusted_is_an_error_at_once(gensim_data, monkeypatch):
    error = ssl.SSLCertVerificationError()
    error.verify_message = "self-signed certificate in certificate chain"

    def refuse(*args, **kwargs):
        raise URLError(error)

    monkeypatch.setattr("urllib.request.OpenerDirector.open", refuse)
    with pytest.raises(ValueError, match=r"not trusted \(self-signed .*SSL_CERT_FILE"):
        fetch(NAME)


def test_a_mirror_is_asked_instead(gensim_data, no_connection, monkeypatch):
    monkeypatch.setenv("SKTEXTCNN_GENSIM_DATA_URL", f"{gensim_data.address}/")
    fetch(NAME)
    assert stored() == CONTENT


# Other names --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("glove-wiki-gigaword-10", "Did you mean 'glove-wiki-gigaword-100'"),
        ("Glove-Wiki-Gigaword-100", "Did you mean 'glove-wiki-gigaword-100'"),
        ("glove", "Did you mean 'glove-wiki-gigaword-100'"),
        ("text8", "is a collection of texts in gensim-data, not word vectors"),
        ("nothing", "no vectors of this name. The command sktextcnn vectors list shows all names"),
        ("../nothing", "neither a file nor a name"),
        ("..", "neither a file nor a name"),
        ("", "neither a file nor a name"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_those_that_are_similar(gensim_data, name, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        fetch(name)
    assert gensim_data.asked() == []


def test_a_file_whose_suffix_was_forgotten_is_named(gensim_data, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("Glove.txt").write_text("the 1 2")
    with pytest.raises(ValueError, match=r"Did you mean the file 'Glove\.txt'\? The command"):
        fetch("glove")
    gensim_data.list_content = b"no JSON"
    os.unlink(folder() / "information.json")
    with pytest.raises(ValueError, match=r"by its name\. Did you mean the file 'Glove\.txt'\?$"):
        fetch("glove")


# The folder ---------------------------------------------------------------------------


def test_gensim_loads_what_was_downloaded(gensim_data, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    fetch(NAME)
    assert NAME not in sys.modules
    loaded = gensim.downloader.load(NAME)
    monkeypatch.delitem(sys.modules, NAME)
    assert loaded.index_to_key == WORDS


def test_what_gensim_downloaded_is_found(gensim_data):
    path = gensim.downloader.load(NAME, return_path=True)
    asked = len(gensim_data.requests)
    assert fetch(NAME) == path
    assert len(gensim_data.requests) == asked


def test_gensim_loads_binary_vectors_that_were_downloaded(gensim_data, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    vectors = KeyedVectors(50)
    vectors.add_vectors(WORDS, np.random.default_rng(0).normal(size=(len(WORDS), 50)))
    vectors.save_word2vec_format(str(tmp_path / "vectors.bin"), binary=True)
    content = gzip.compress((tmp_path / "vectors.bin").read_bytes())
    gensim_data.files[f"/{NAME}/{NAME}.gz"] = content
    gensim_data.catalogue["models"][NAME]["checksum"] = md5(content)
    fetch(NAME)
    loaded = gensim.downloader.load(NAME)
    monkeypatch.delitem(sys.modules, NAME)
    assert loaded.index_to_key == WORDS
    np.testing.assert_array_equal(loaded.vectors, vectors.vectors)


def test_no_code_is_downloaded(gensim_data):
    gensim_data.files[f"/{NAME}/__init__.py"] = b"def load_data(): raise SystemExit"
    fetch(NAME)
    assert gensim_data.asked(".py") == []
    assert "SystemExit" not in (folder() / NAME / "__init__.py").read_text()


def test_a_folder_without_the_file_gets_it(gensim_data):
    (folder() / NAME).mkdir(parents=True)
    (folder() / NAME / "notes.txt").write_text("mine")
    (folder() / f".{NAME}.new").mkdir()
    fetch(NAME)
    assert stored() == CONTENT
    assert sorted(os.listdir(folder() / NAME)) == ["__init__.py", f"{NAME}.gz", "notes.txt"]
    assert not (folder() / f".{NAME}.new").exists()


def test_a_module_that_is_there_already_stays(gensim_data):
    (folder() / NAME).mkdir(parents=True)
    (folder() / NAME / "__init__.py").write_text("mine = 1")
    fetch(NAME)
    assert stored() == CONTENT
    assert (folder() / NAME / "__init__.py").read_text() == "mine = 1"


def test_a_pickle_is_not_loaded_though_it_was_downloaded(gensim_data, tmp_path):
    path = tmp_path / "vectors.kv"
    vectors = KeyedVectors(2)
    vectors.add_vectors(["gem"], [[1, 2]])
    vectors.save(str(path))
    (folder() / NAME).mkdir(parents=True)
    (folder() / NAME / f"{NAME}.gz").write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match="is a pickle and may run code, and it was downloaded"):
        Embeddings(NAME).lookup(["gem"])
