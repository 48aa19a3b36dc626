"""Checks of the file that a command is to write, before the work begins."""

import os

from sktextcnn._cli.errors import InputError


def check_not_input(path: str, *inputs: str | None) -> None:
    """Raise an `InputError` if a file to be written is one that the command reads."""
    for each in inputs:
        if each and os.path.isfile(path) and os.path.exists(each) and os.path.samefile(path, each):
            raise InputError(
                f"{path}: -o would overwrite this file, which the command reads. Choose another "
                f"file."
            )


def check_model_path(path: str, *inputs: str | None) -> None:
    """Raise an `InputError` if no model can be written to a path."""
    check_not_input(path, *inputs)
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder; give the path of a file.")
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path} is a device or a pipe; give the path of a file.")
    if not os.path.isdir(folder):
        raise InputError(f"{path}: there is no folder {folder}.")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{path}: the folder {folder} is not writable.")
