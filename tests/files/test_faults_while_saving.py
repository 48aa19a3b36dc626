"""Errors, kills and full disks while a model is saved."""

import errno
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import sktextcnn
from sktextcnn import TextCNNClassifier
from tests.files.model_helpers import SMALL


def test_an_error_while_writing_leaves_the_old_file(model, saved, path, monkeypatch):
    path.write_bytes(saved.read_bytes())

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        sktextcnn.save(model, path)
    assert path.read_bytes() == saved.read_bytes()
    assert os.listdir(path.parent) == [path.name]


def test_no_folder_to_save_to(model, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere' to write 'model'"):
        sktextcnn.save(model, tmp_path / "nowhere" / "model")
    with pytest.raises(IsADirectoryError, match="is a folder; give the path of a file"):
        sktextcnn.save(model, tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is not a regular file"):
        sktextcnn.save(model, tmp_path / "pipe")


def test_links_and_permissions_stay(model, tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    sktextcnn.save(model, real)
    assert real.stat().st_mode & 0o777 == 0o666 & ~_umask()
    real.chmod(0o640)
    link.symlink_to(real)
    sktextcnn.save(model, link)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    sktextcnn.load(link)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


KILLS = """
import os, random, signal, sys, time
import sktextcnn
first, second = (sktextcnn.load(name) for name in sys.argv[1:3])
target = sys.argv[3]
start = time.perf_counter()
sktextcnn.save(second, target)
sktextcnn.save(first, target)
both = time.perf_counter() - start
random.seed(0)
filters = []
for _ in range(int(sys.argv[4])):
    child = os.fork()
    if child == 0:
        while True:
            sktextcnn.save(second, target)
            sktextcnn.save(first, target)
    time.sleep(random.uniform(0, 2 * both))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    filters.append(sktextcnn.load(target).num_filters)
assert set(filters) <= {first.num_filters, second.num_filters}, set(filters)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.soak
@pytest.mark.parametrize("n_kills", [300])
def test_killed_saves_leave_a_whole_file(tmp_path, n_kills):
    rng = np.random.default_rng(0)
    for name, n_filters in (("first", 4), ("second", 400)):
        classifier = TextCNNClassifier(**{**SMALL, "num_filters": n_filters, "embedding_dim": 300})
        classifier.fit(rng.integers(0, 99, (20, 5)), np.arange(20) % 2)
        sktextcnn.save(classifier, tmp_path / name)
    subprocess.run(
        [sys.executable, "-c", KILLS, "first", "second", "target", str(n_kills)],
        cwd=tmp_path,
        check=True,
        timeout=300,
    )
    # What was being written when its process was killed is named so that anyone sees it.
    others = set(os.listdir(tmp_path)) - {"first", "second", "target"}
    assert all(re.fullmatch(r"\.target\.[0-9a-f]{8}\.part", name) for name in others)


FULL = """
import errno, os, resource, signal, sys
import sktextcnn
model = sktextcnn.load("model")

def fails(folder, expected):
    before = sorted(os.listdir(folder))
    old = open(folder + "/target", "rb").read()
    try:
        sktextcnn.save(model, folder + "/target")
    except OSError as error:
        assert error.errno == expected, error
    else:
        raise AssertionError("no error")
    assert sorted(os.listdir(folder)) == before
    assert open(folder + "/target", "rb").read() == old

if sys.argv[1] == "full":
    fails("disk", errno.ENOSPC)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
fails("folder", errno.EFBIG)
"""


def _full_disk(folder):
    """A command's prefix under which `folder` is a file system of a few pages."""
    mount = f'mount -t tmpfs -o size=16k none {folder} && echo old > {folder}/target && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, "sh"]


def test_a_full_disk_leaves_the_old_file_and_no_other(saved, tmp_path):
    (tmp_path / "model").write_bytes(saved.read_bytes())
    for name in ("disk", "folder"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "target").write_text("old")
    # Where no file system may be mounted, the limit of a file's size alone stands for it.
    prefix = _full_disk(tmp_path / "disk")
    mounts = not subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode
    command = [sys.executable, "-c", FULL, "full" if mounts else "limit"]
    subprocess.run([*prefix, *command] if mounts else command, cwd=tmp_path, check=True)
