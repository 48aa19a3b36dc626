"""Real texts and a real file of vectors, small enough for tests."""

import gc
import logging
import re
from importlib.metadata import version

import gensim.downloader
import numpy as np
import pytest
from gensim.models import Word2Vec
from hypothesis import HealthCheck, settings

from sktextcnn.datasets import load_docstrings
from tests.gensim_data_server import GensimData, serve

SIZE = 16

# The same examples every time, and no measuring of time. `make soak` looks for new ones.
_ALWAYS = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}
settings.register_profile("suite", max_examples=25, derandomize=True, database=None, **_ALWAYS)
settings.register_profile("long", max_examples=2_000, **_ALWAYS)
settings.load_profile("suite")


def pytest_report_header():
    names = ("torch", "skorch", "scikit-learn", "gensim", "scipy", "numpy")
    return ", ".join(f"{name} {version(name)}" for name in names)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    # What is imported and collected stays for good. A tenth of the time of the tests would go into
    # looking through it for garbage, again and again.
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def pytest_make_parametrize_id(val):
    # Without addresses, so that all processes that share the tests have the same names.
    return re.sub(" at 0x[0-9a-f]+", "", str(val)) if isinstance(val, dict) else None


@pytest.fixture(scope="session")
def docstrings():
    """The whole corpus, which takes seconds to collect."""
    return load_docstrings()


@pytest.fixture(scope="session")
def corpus(docstrings):
    """Summaries of docstrings and the library of each: 240 texts, five classes."""
    texts, libraries = docstrings
    chosen = np.random.default_rng(0).permutation(len(texts))[:240]
    return [texts[i] for i in chosen], [libraries[i] for i in chosen]


@pytest.fixture(scope="session")
def two_classes(corpus):
    texts, libraries = corpus
    return texts, ["torch" if library == "torch" else "other" for library in libraries]


@pytest.fixture(scope="session")
def vectors_file(docstrings, tmp_path_factory):
    """word2vec vectors of the docstrings, as gensim writes them in text."""
    texts, _ = docstrings
    sentences = [text.lower().split() for text in texts]
    # Several workers take turns by chance, so that the vectors would differ from run to run.
    model = Word2Vec(sentences, vector_size=SIZE, min_count=2, epochs=2, seed=1, workers=1)
    path = tmp_path_factory.mktemp("vectors") / "docstrings.txt"
    model.wv.save_word2vec_format(str(path))
    return str(path)


@pytest.fixture(scope="session")
def dask_client():
    """A client of a Dask cluster: two processes of one thread."""
    dask = pytest.importorskip("dask")
    distributed = pytest.importorskip("distributed")
    quiet = {
        "distributed.worker.memory.terminate": False,
        "distributed.admin.low-level-log-length": 0,
    }
    with (
        dask.config.set(quiet),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def gensim_data(tmp_path, monkeypatch):
    """A server of gensim-data on this machine in place of the real one, and an empty folder."""
    data = GensimData()
    server = serve(data)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    monkeypatch.delenv("SKTEXTCNN_GENSIM_DATA_URL", raising=False)
    monkeypatch.setattr(gensim.downloader, "DATA_LIST_URL", f"{address}/list.json")
    # gensim's own functions have bound the address already.
    defaults = (f"{address}/list.json", "utf-8")
    monkeypatch.setattr(gensim.downloader._load_info, "__defaults__", defaults)
    monkeypatch.setattr(gensim.downloader, "DOWNLOAD_BASE_URL", address)
    monkeypatch.setattr(gensim.downloader, "BASE_DIR", str(tmp_path / "gensim-data"))
    monkeypatch.setattr(gensim.downloader, "base_dir", str(tmp_path / "gensim-data"))
    monkeypatch.setattr("sktextcnn._gensim_data.transfer._WAITS", (0.0,) * 4)
    data.address = address
    yield data
    data.released.set()
    server.shutdown()
    server.server_close()
