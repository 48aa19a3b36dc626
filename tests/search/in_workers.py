"""What workers of a cluster import."""

import os
import signal
from pathlib import Path

from sklearn.base import BaseEstimator, TransformerMixin


class KilledOnce(TransformerMixin, BaseEstimator):
    """Gives texts back. The first process to fit one that marks a file is killed."""

    def __init__(self, mark=None):
        self.mark = mark

    def fit(self, texts, labels=None):
        if self.mark is not None:
            try:
                Path(self.mark).open("x").close()
            except FileExistsError:
                return self
            os.kill(os.getpid(), signal.SIGKILL)
        return self

    def transform(self, texts):
        return texts

    def __sklearn_is_fitted__(self):
        return True


def note_in(path):
    """Let this process note its number in a file, see `noted`."""
    os.environ["NOTED"] = path


def noted(word):
    """The word as it is. A file has the number of each process that reads the word "the"."""
    if word == "the":
        with open(os.environ["NOTED"], "a", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")
    return word
