"""Atomic writes where the folder cannot be opened or synced."""

import errno
import os
import stat

import pytest

from sktextcnn._state import atomic_write


def write(path, data):
    with atomic_write(path) as file:
        file.write(data)


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="root reads every folder; posix only"
)
def test_a_folder_that_may_not_be_read(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "file"
    folder.chmod(0o300)
    try:
        write(path, b"first")
        write(path, b"second")
        assert path.read_bytes() == b"second"
    finally:
        folder.chmod(0o700)
    assert os.listdir(folder) == ["file"]


@pytest.fixture
def fail(monkeypatch):
    """Return a function that lets open or fsync of folders fail."""
    real = {"open": os.open, "fsync": os.fsync}

    def is_folder(target):
        return stat.S_ISDIR(os.stat(target).st_mode)

    def set_up(function, number):
        def failing(target, *args):
            if is_folder(target):
                raise OSError(number, os.strerror(number))
            return real[function](target, *args)

        monkeypatch.setattr(os, function, failing)

    return set_up


@pytest.mark.skipif(os.name != "posix", reason="folders are synced on posix only")
@pytest.mark.parametrize(
    ("function", "number"),
    [
        ("open", errno.EACCES),
        ("open", errno.EPERM),
        ("open", errno.EISDIR),
        ("fsync", errno.EINVAL),
        ("fsync", errno.ENOTSUP),
        ("fsync", errno.ENOSYS),
        ("fsync", errno.EBADF),
    ],
)
def test_a_folder_that_cannot_be_synced_is_no_error(tmp_path, fail, function, number):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    fail(function, number)
    write(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="folders are synced on posix only")
def test_a_sync_that_fails_is_an_error(tmp_path, fail):
    fail("fsync", errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        write(tmp_path / "file", b"new")
