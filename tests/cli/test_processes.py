"""Pipes, signals, full disks, closed streams, and memory."""

import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.commands import fails, run

PREDICT = ["predict", "model.sktextcnn"]


@pytest.mark.soak
def test_a_pipe_in_a_locale_that_is_not_utf_8(folder, model):
    env = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    process = run("predict", "model.sktextcnn", input="text\nschön 漢字\n".encode(), env=env)
    assert process.returncode == 0, process.stderr
    assert process.stderr == b""
    row = process.stdout.decode("utf-8").splitlines()[1].split(",")
    assert row[:2] == ["schön 漢字", model.predict(["schön 漢字"])[0]]


def test_a_reader_that_stops_reading_ends_the_command_quietly(folder):
    Path("many.csv").write_text("text\n" + "a gem of a film\n" * 5_000, encoding="utf-8")
    command = [sys.executable, "-m", "sktextcnn", "predict", "model.sktextcnn", "many.csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"text,prediction,probability\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.soak
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk_is_said_in_one_line(folder, capsys):
    with open("/dev/full", "wb") as full:
        process = subprocess.run(
            [sys.executable, "-m", "sktextcnn", *PREDICT, "new.csv", "--text", "review"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert process.returncode == 1
    assert process.stderr == b"sktextcnn: No space left on device\n"
    said = fails(capsys, *PREDICT, "new.csv", "--text", "review", "-o", "/dev/full")
    assert said == "/dev/full: No space left on device"


@pytest.mark.skipif(not os.path.exists("/proc/self"), reason="a folder of Linux")
def test_a_folder_that_takes_no_file_is_said_without_the_temporary_name(folder, capsys):
    said = fails(capsys, *PREDICT, "new.csv", "--text", "review", "-o", "/proc/self/out.csv")
    assert said.startswith("/proc/self/out.csv: ")


@pytest.mark.soak
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
        pytest.param("SIGTERM", 143, b"", marks=pytest.mark.soak),
        pytest.param("SIGHUP", 129, b"", marks=pytest.mark.soak),
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


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_memory_does_not_grow_with_the_rows(folder):
    # The peak after 80,000 rows, less that after 10,000, in one process. getrusage would count
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
                        file.write(b"a gem %d,%0500d\\n" % (i % 999, i))
            feeder = threading.Thread(target=feed)
            feeder.start()
            with open(source) as sys.stdin:
                assert main(["predict", "model.sktextcnn", "-o", "out.csv", "--quiet"]) == 0
            feeder.join()
            status = open("/proc/self/status").read()
            return int(status.split("VmHWM:")[1].split()[0])

        few = peak(10_000)
        many = peak(80_000)
        print(few, many - few)
    """
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    with open("out.csv", "rb") as file:
        assert sum(1 for _ in file) == 80_001
    # In kB; the rows alone have 40 MB.
    assert int(process.stdout.split()[1]) < 16_000
