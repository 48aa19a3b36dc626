"""Names of gensim-data, which gensim downloads."""

import logging
from contextlib import nullcontext
from urllib.error import URLError

import gensim.downloader
import numpy as np
import pytest

from sktextcnn import Embeddings, TextVectorizer
from tests.embeddings import assert_rows, write_vectors


def test_a_name_of_gensim_data_is_looked_up_in_the_file_that_gensim_has(
    glove, monkeypatch, reads, tmp_path
):
    rows = write_vectors(glove)
    asked = []

    def load(name, return_path=False):
        asked.append((name, return_path))
        return str(glove)

    monkeypatch.setattr(gensim.downloader, "load", load)
    monkeypatch.chdir(tmp_path)
    handle = Embeddings("glove-wiki-gigaword-100")
    assert asked == []
    assert repr(handle) == "Embeddings('glove-wiki-gigaword-100')"
    for _ in range(2):
        assert_rows(handle.lookup(["the", "nosuchword"]), {"the": rows["the"]})
    assert set(asked) == {("glove-wiki-gigaword-100", True)}
    assert len(reads) == 1
    fitted = TextVectorizer(embeddings="glove-wiki-gigaword-100").fit(["the"])
    np.testing.assert_array_equal(fitted.embedding_matrix_[2], rows["the"])


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (URLError("no route to host"), "URLError: .*no route to host"),
        (ValueError("Incorrect model/corpus name"), "ValueError: Incorrect model/corpus name"),
        (TimeoutError("timed out"), "TimeoutError: timed out"),
    ],
)
def test_a_name_that_cannot_be_downloaded_is_an_error_with_its_cause_and_the_remedy(
    error, shown, monkeypatch
):
    def load(name, return_path=False):
        raise error

    monkeypatch.setattr(gensim.downloader, "load", load)
    match = (
        rf"embeddings='glove-wiki-gigaword-10' is not a file in .*, and vectors of this name could "
        rf"not be downloaded from gensim-data \({shown}.*\)\. Give the path of a file of vectors, "
        r"or one of the names that gensim\.downloader\.info\(name_only=True\) lists"
    )
    with pytest.raises(ValueError, match=match) as raised:
        Embeddings("glove-wiki-gigaword-10").lookup(["the"])
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("fails", [True, False])
def test_the_logger_of_gensims_downloader_is_left_as_it_was(fails, glove, monkeypatch):
    logger = logging.getLogger("gensim.downloader")

    def load(name, return_path=False):
        if fails:
            raise URLError("no route to host")
        return str(glove)

    monkeypatch.setattr(gensim.downloader, "load", load)
    monkeypatch.setattr(logger, "disabled", False)
    with pytest.raises(ValueError, match="could not be downloaded") if fails else nullcontext():
        Embeddings("glove-wiki-gigaword-100").lookup(["the"])
    assert not logger.disabled
