"""Names of gensim-data as sources of vectors."""

import re
from pathlib import Path

import gensim.downloader
import numpy as np
import pytest
from gensim.models import KeyedVectors

from sktextcnn import Embeddings, TextVectorizer
from sktextcnn._gensim_data import fetch
from tests.gensim_data_server import NAME


def test_a_name_is_downloaded_with_a_progress_bar_when_it_is_first_read(
    gensim_data, monkeypatch, reads, tmp_path, capsys
):
    monkeypatch.chdir(tmp_path)
    handle = Embeddings(NAME)
    assert gensim_data.requests == []
    assert repr(handle) == f"Embeddings('{NAME}')"
    for _ in range(2):
        rows = handle.lookup(["the", "nosuchword"])
    assert len(gensim_data.asked()) == len(reads) == 1
    assert re.search(rf"{NAME}: 100%.*7\.\d+k/7\.\d+k", capsys.readouterr().err)
    path = Path(gensim.downloader.BASE_DIR, NAME, f"{NAME}.gz")
    expected = KeyedVectors.load_word2vec_format(str(path))
    assert list(rows) == ["the"]
    np.testing.assert_array_equal(rows["the"], expected["the"])
    fitted = TextVectorizer(embeddings=NAME).fit(["the"])
    np.testing.assert_array_equal(fitted.embedding_matrix_[2], expected["the"])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("folder", [".", "elsewhere"])
def test_a_folder_of_gensim_data_stands_for_its_file(gensim_data, monkeypatch, tmp_path, folder):
    base = tmp_path / folder
    monkeypatch.setattr(gensim.downloader, "BASE_DIR", str(base))
    fetch(NAME)
    monkeypatch.chdir(tmp_path)
    for source in (NAME, base / NAME, f"{base / NAME}/"):
        handle = Embeddings(source)
        assert handle.name == NAME
        assert list(handle.lookup(["the"])) == ["the"]


def test_a_name_that_cannot_be_downloaded_is_an_error_of_the_fit(gensim_data):
    del gensim_data.files[f"/{NAME}/{NAME}.gz"]
    with pytest.raises(ValueError, match=rf"^{NAME} could not be downloaded: .* answered 404"):
        TextVectorizer(embeddings=NAME).fit(["the"])
    with pytest.raises(ValueError, match=rf"'glove' is not a file in .* Did you mean '{NAME}'"):
        TextVectorizer(embeddings="glove").fit(["the"])


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("glove.6B.100d.txt", "glove-wiki-gigaword-100"),
        ("glove.6B.300d.txt.gz", "glove-wiki-gigaword-300"),
        ("nowhere/glove.twitter.27B.25d.txt", "glove-twitter-25"),
        ("GoogleNews-vectors-negative300.bin.gz", "word2vec-google-news-300"),
        ("glove.840B.300d.txt", "glove-wiki-gigaword-100"),
        ("vectors.txt", "glove-wiki-gigaword-100"),
    ],
)
def test_the_error_for_a_missing_file_names_the_command_that_downloads_one(
    tmp_path, monkeypatch, file, name
):
    monkeypatch.chdir(tmp_path)
    match = rf"file of vectors .*The command sktextcnn vectors get {name} downloads"
    with pytest.raises(FileNotFoundError, match=match):
        Embeddings(file)
