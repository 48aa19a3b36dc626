"""save and load: what comes back, what is refused, and what damage does."""

import copy
import errno
import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import safetensors
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer

SMALL = {"num_filters": 4, "kernel_sizes": (1, 2), "max_epochs": 2, "random_state": 0}


def make_model(embeddings=None, **params):
    return make_pipeline(
        TextVectorizer(embeddings=embeddings, random_state=0),
        TextCNNClassifier(**{**SMALL, **params}),
    )


@pytest.fixture(scope="module")
def model(corpus, vectors_file):
    return make_model(vectors_file).fit(*corpus)


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.sktextcnn"
    sktextcnn.save(model, path)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.sktextcnn"


# What comes back ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"finetune": False},
        {"finetune": 1},
        {"finetune": "gradual", "early_stopping": True},
        {"finetune": "multichannel"},
        {"architecture": "stacked", "kernel_sizes": None},
        {"hidden_units": 3, "activation": "elu", "optimizer": "adamw", "weight_decay": 0.01},
        {"class_weight": {"torch": 2.0, "numpy": 0.5}, "precision": "bfloat16"},
    ],
    ids=str,
)
def test_a_loaded_model_is_the_model(corpus, vectors_file, path, params):
    texts, labels = corpus
    model = make_model(vectors_file, **params).fit(texts, labels)
    sktextcnn.save(model, path)
    loaded = sktextcnn.load(path)
    np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))
    assert loaded[0].vocabulary_ == model[0].vocabulary_
    assert loaded[0].coverage_ == model[0].coverage_
    np.testing.assert_array_equal(loaded[0].embedding_matrix_, model[0].embedding_matrix_)
    ours, theirs = model[-1].get_params(), loaded[-1].get_params()
    assert ours == theirs
    assert loaded[-1].history_[:, "train_loss"] == model[-1].history_[:, "train_loss"]
    assert vars(loaded[-1]).keys() == vars(model[-1]).keys()
    assert vars(loaded[0]).keys() == vars(model[0]).keys()
    np.testing.assert_array_equal(
        clone(loaded).fit(texts, labels).predict_proba(texts), model.predict_proba(texts)
    )


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: np.array(y, dtype=object),
        lambda y: (np.array(y) == "torch").astype(np.int32),
        lambda y: np.array(y) == "torch",
        lambda y: np.where(np.array(y) == "torch", -1.0, 2.0),
        lambda y: np.stack([np.array(y) == "torch", np.array(y) == "numpy"], axis=1).astype(int),
    ],
    ids=["object", "int", "bool", "float", "multilabel"],
)
def test_labels_keep_their_type(corpus, path, labels):
    texts, y = corpus
    model = make_model().fit(texts, labels(y))
    sktextcnn.save(model, path)
    loaded = sktextcnn.load(path)
    assert loaded[-1].classes_.dtype == model[-1].classes_.dtype
    np.testing.assert_array_equal(loaded.predict(texts), model.predict(texts))


def test_steps_alone_and_odd_words(path):
    texts = ["\ud800 \x00 a\nb", "‮שלום 🤦🏽‍♀️ e\u0301", '"quoted" \\ sha256'] * 3
    vectorizer = TextVectorizer(analyzer="char", stop_words=None).fit(texts)
    sktextcnn.save(vectorizer, path)
    loaded = sktextcnn.load(path)
    assert loaded.vocabulary_ == vectorizer.vocabulary_
    np.testing.assert_array_equal(loaded.transform(texts), vectorizer.transform(texts))
    ids = np.random.default_rng(0).integers(0, 9, (20, 5))
    classifier = TextCNNClassifier(**SMALL).fit(ids, np.arange(20) % 2)
    sktextcnn.save(classifier, path)
    np.testing.assert_array_equal(
        sktextcnn.load(path).predict_proba(ids), classifier.predict_proba(ids)
    )


def test_halves_of_a_surrogate_pair_are_not_the_letter_of_the_pair(path):
    vectorizer = TextVectorizer(tokenizer=str.split).fit(["\ud83d\ude00 \U0001f600"])
    sktextcnn.save(vectorizer, path, omit=["tokenizer"])
    loaded = sktextcnn.load(path, params={"tokenizer": str.split})
    assert loaded.vocabulary_ == vectorizer.vocabulary_
    assert len(loaded.vocabulary_) == 2


def test_containers_keep_their_type(corpus, path):
    vectorizer = TextVectorizer(stop_words=frozenset({"the", "a"}), max_df=np.float64(0.9))
    sktextcnn.save(vectorizer.fit(corpus[0]), path)
    loaded = sktextcnn.load(path)
    assert loaded.stop_words == {"the", "a"}
    assert loaded.max_df == 0.9
    vectorizer.set_params(stop_words=None, vocabulary=np.array(["the", "array"]))
    sktextcnn.save(vectorizer.fit(corpus[0]), path)
    np.testing.assert_array_equal(sktextcnn.load(path).vocabulary, ["the", "array"])


def test_vectors_are_in_the_file_once(corpus, vectors_file, path):
    for finetune, copies in ((False, 1), (True, 2), ("multichannel", 2)):
        model = make_model(vectors_file, finetune=finetune)
        model.set_params(textvectorizer__unseen_words=0).fit(*corpus)
        sktextcnn.save(model, path)
        shape = model[0].embedding_matrix_.shape
        tensors = load_tensors(path.read_bytes())
        assert sum(tensor.shape == shape for tensor in tensors.values()) == copies
        loaded = sktextcnn.load(path)
        if finetune is False:
            assert loaded[-1]._table is loaded[0].token_table_


def test_training_goes_on_after_loading(corpus, saved, model):
    texts, labels = corpus
    loaded = sktextcnn.load(saved)
    loaded[-1].partial_fit(loaded[0].transform(texts), labels)
    assert loaded[-1].n_iter_ == 3
    assert not np.array_equal(loaded.predict_proba(texts), model.predict_proba(texts))
    np.testing.assert_array_equal(
        sktextcnn.load(saved).predict_proba(texts), model.predict_proba(texts)
    )


def test_the_file_of_the_vectors_is_named_and_not_needed(corpus, vectors_file, path, tmp_path):
    file = tmp_path / "copy.txt"
    file.write_bytes(Path(vectors_file).read_bytes())
    for embeddings in (str(file), file, Embeddings(file)):
        sktextcnn.save(make_model(embeddings).fit(*corpus), path)
        text = repr(sktextcnn.load(path)[0].embeddings)
        assert text == "Embeddings('copy.txt')"
    file.unlink()
    loaded = sktextcnn.load(path)
    loaded.predict(corpus[0])
    with pytest.raises(FileNotFoundError, match=r"copy\.txt"):
        loaded.fit(*corpus)


def test_a_loaded_model_reads_no_pickle_of_gensim(corpus, path, tmp_path):
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(4)
    vectors.add_vectors(["array", "the", "of"], np.ones((3, 4), dtype=np.float32))
    vectors.save(str(tmp_path / "vectors.kv"))
    sktextcnn.save(make_model(tmp_path / "vectors.kv").fit(*corpus), path)
    loaded = sktextcnn.load(path)
    for each in (loaded, clone(loaded)):
        with pytest.raises(ValueError, match=r"comes from a model file.*set embeddings=Embeddings"):
            each.fit(*corpus)
    loaded.set_params(textvectorizer__embeddings=Embeddings(tmp_path / "vectors.kv"))
    loaded.fit(*corpus)


FRESH = """
import numpy as np, sktextcnn
model = sktextcnn.load("model.sktextcnn")
texts, expected = np.load("texts.npy"), np.load("expected.npy")
np.testing.assert_array_equal(model.predict_proba(texts), expected)
"""


def test_a_fresh_process_predicts_the_same(corpus, model, saved, tmp_path):
    (tmp_path / "model.sktextcnn").write_bytes(saved.read_bytes())
    np.save(tmp_path / "texts.npy", np.array(corpus[0]))
    np.save(tmp_path / "expected.npy", model.predict_proba(corpus[0]))
    subprocess.run([sys.executable, "-W", "error", "-c", FRESH], cwd=tmp_path, check=True)


def test_nothing_is_unpickled(saved, monkeypatch):
    import pickle

    import joblib
    import torch

    def refused(*args, **kwargs):
        raise AssertionError("load unpickles")

    for where, names in ((pickle, ("load", "loads", "Unpickler")), (joblib, ("load",))):
        for name in names:
            monkeypatch.setattr(where, name, refused)
    monkeypatch.setattr(torch, "load", refused)
    sktextcnn.load(saved)


def test_a_new_model_starts_from_a_saved_one(corpus, saved, model):
    texts, labels = corpus
    started = make_model(pretrained=str(saved), learning_rate=1e-9).fit(texts, labels)
    assert started[-1].embedding_source_ == "pretrained"
    ours, theirs = (each[-1].net_.module_.convs.state_dict() for each in (started, model))
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, atol=1e-6)
    sktextcnn.save(model[0], saved.with_name("vectorizer"))
    with pytest.raises(ValueError, match=r"does not hold a fitted .*, but TextVectorizer"):
        make_model(pretrained=saved.with_name("vectorizer")).fit(texts, labels)


def test_other_tools_can_open_the_file(saved, model):
    with safetensors.safe_open(saved, "np") as file:
        assert file.metadata()["format"] == "sktextcnn"
        weight = file.get_tensor("textcnnclassifier__embedding.weight")
        words = json.loads(file.get_tensor("tables.0.words").tobytes())
    # The rows of words that no text had are the vectorizer's.
    expected = model[-1].net_.module_.embedding.weight.detach()
    assert 900 < len(weight) < len(expected)
    np.testing.assert_array_equal(weight, expected[: len(weight)])
    assert tuple(words) == model[-1].words_


def test_another_version_warns(model, path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("sktextcnn._version.__version__", "0.0.7")
        sktextcnn.save(model, path)
    with pytest.warns(InconsistentVersionWarning, match=r"stored with sktextcnn 0\.0\.7"):
        sktextcnn.load(path)
    # As an error it is that warning still, and not a complaint of the file.
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        with pytest.raises(InconsistentVersionWarning, match=r"stored with sktextcnn 0\.0\.7"):
            sktextcnn.load(path)


# What is refused ----------------------------------------------------------------------


def shout(text):
    return text.upper().split()


def test_functions_are_refused_or_given_again(corpus, path):
    texts, labels = corpus
    model = make_model().set_params(textvectorizer__tokenizer=shout, textvectorizer__lowercase=True)
    model.fit(texts, labels)
    with pytest.raises(TypeError, match=r"textvectorizer__tokenizer is a function.*omit=\['text"):
        sktextcnn.save(model, path)
    assert not path.exists()
    sktextcnn.save(model, path, omit=["textvectorizer__tokenizer"])
    with pytest.raises(ValueError, match=r"textvectorizer__tokenizer was omitted by save; give it"):
        sktextcnn.load(path)
    loaded = sktextcnn.load(path, params={"textvectorizer__tokenizer": shout})
    np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))
    with pytest.raises(ValueError, match=r"'tokenizer' parameter.*or look at what params gives"):
        sktextcnn.load(path, params={"textvectorizer__tokenizer": 5})
    with pytest.raises(ValueError, match="params has nonsense, which the file did not omit"):
        sktextcnn.load(path, params={"textvectorizer__tokenizer": shout, "nonsense": 1})


def test_classes_of_the_user_are_refused_or_given_again(corpus, path):
    import torch

    class BagOfWords(torch.nn.Module):
        def __init__(self, num_embeddings, embedding_dim, num_outputs):
            super().__init__()
            self.embedding = torch.nn.Embedding(num_embeddings, embedding_dim)
            self.head = torch.nn.Linear(embedding_dim, num_outputs)

        def forward(self, ids):
            return self.head(self.embedding(ids).mean(dim=1))

    X, y = TextVectorizer().fit_transform(corpus[0]), corpus[1]
    classifier = TextCNNClassifier(
        architecture=BagOfWords, optimizer=torch.optim.NAdam, max_epochs=1, random_state=0
    ).fit(X, y)
    given = {"architecture": BagOfWords, "optimizer": torch.optim.NAdam}
    with pytest.raises(TypeError, match="architecture is a type"):
        sktextcnn.save(classifier, path)
    sktextcnn.save(classifier, path, omit=given)
    loaded = sktextcnn.load(path, params=given)
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


def test_vectors_in_memory_are_refused_or_left_out(corpus, path):
    from gensim.models import Word2Vec

    texts, labels = corpus
    vectors = Word2Vec([text.lower().split() for text in texts], vector_size=4, min_count=1).wv
    model = make_model(vectors).fit(texts, labels)
    with pytest.raises(TypeError, match=r"textvectorizer__embeddings is a .*KeyedVectors"):
        sktextcnn.save(model, path)
    sktextcnn.save(model, path, omit=["textvectorizer__embeddings"])
    loaded = sktextcnn.load(path, params={"textvectorizer__embeddings": None})
    np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))


def test_what_names_a_pickle_is_refused(corpus, path, tmp_path):
    texts, labels = corpus
    cached = make_model().set_params(memory=str(tmp_path / "cache")).fit(texts, labels)
    with pytest.raises(TypeError, match=r"^memory names '.*cache', where a later fit would load"):
        sktextcnn.save(cached, path)
    cached.set_params(memory=None, textcnnclassifier__pretrained="old.joblib")
    with pytest.raises(TypeError, match="textcnnclassifier__pretrained names 'old"):
        sktextcnn.save(cached, path)
    assert not path.exists()


def test_other_models_are_refused(corpus, path):
    texts, labels = corpus
    with pytest.raises(NotFittedError):
        sktextcnn.save(make_model(), path)
    for other in (CountVectorizer(), make_pipeline(CountVectorizer()), None):
        with pytest.raises(TypeError, match=r"save takes a TextVectorizer.* got (Count|None)"):
            sktextcnn.save(other, path)
    search = GridSearchCV(make_model(), {"textcnnclassifier__dropout": [0.1]}, cv=2)
    with pytest.raises(TypeError, match="Save its best_estimator_"):
        sktextcnn.save(search.fit(texts[:60], labels[:60]), path)
    sktextcnn.save(search.best_estimator_, path)
    with pytest.raises(ValueError, match="omit names nonsense, which is not a parameter"):
        sktextcnn.save(search.best_estimator_, path, omit="nonsense")


def test_what_is_no_model_file_is_refused(model, tmp_path, path):
    import joblib

    with pytest.raises(FileNotFoundError, match=r"There is no model file"):
        sktextcnn.load(path)
    joblib.dump(model, path)
    with pytest.raises(ValueError, match=r"not a model file of sktextcnn.*use joblib\.load"):
        sktextcnn.load(path)
    path.write_bytes(save_tensors({"x": np.ones(3)}))
    with pytest.raises(ValueError, match=r"not a model file of sktextcnn"):
        sktextcnn.load(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="truncated"):
        sktextcnn.load(path)
    with pytest.raises(ValueError, match="is not a file"):
        sktextcnn.load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is not a file"):
        sktextcnn.load(tmp_path / "pipe")


# Damage -------------------------------------------------------------------------------


def test_no_change_goes_unnoticed(saved, tmp_path):
    """Flipped bits, lost ends, added, swapped and zeroed parts, by the thousand."""
    data = saved.read_bytes()
    rng = np.random.default_rng(0)
    damaged = tmp_path / "damaged"
    header = 8 + int.from_bytes(data[:8], "little")
    places = [*range(200), *rng.integers(0, header, 500), *rng.integers(0, len(data), 800)]
    kinds = ["flip"] * len(places) + ["cut", "grow", "swap", "zero"] * 150
    places += rng.integers(0, len(data), 600).tolist()
    for place, kind in zip(places, kinds, strict=True):
        changed = bytearray(data)
        length = int(rng.integers(1, 200))
        if kind == "flip":
            changed[place] ^= 1 << int(rng.integers(8))
        elif kind == "cut":
            del changed[place:]
        elif kind == "grow":
            changed[place:place] = rng.bytes(length)
        elif kind == "swap":
            other = int(rng.integers(0, len(data)))
            a, b = changed[place : place + length], changed[other : other + length]
            changed[place : place + length], changed[other : other + length] = b, a
        else:
            changed[place : place + length] = bytes(len(changed[place : place + length]))
        if changed == data:
            continue
        damaged.write_bytes(changed)
        with pytest.raises(ValueError, match=r"damaged|truncated|too long|not a model|version"):
            sktextcnn.load(damaged)


def forged(saved, change):
    """A file with another header and the right checksum, as an attacker would write it."""
    import hashlib

    data = saved.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    config = json.loads(header["__metadata__"]["config"])
    tensors = load_tensors(data)
    change(config, tensors)
    metadata = {**header["__metadata__"], "config": json.dumps(config), "sha256": "0" * 64}
    new = bytearray(save_tensors(tensors, metadata))
    digest = hashlib.sha256(new).hexdigest().encode()
    return bytes(new).replace(b'"sha256":"' + b"0" * 64, b'"sha256":"' + digest)


def classifier_of(config):
    return config["model"]["steps"][1][1]


EMBEDDING = "textcnnclassifier__embedding.weight"

FORGERIES = {
    "giant": lambda c, t: classifier_of(c)["fitted"]["net_"]["module_params"]["dict"].append(
        ["num_filters", 10**12]
    ),
    "many kernels": lambda c, t: classifier_of(c)["fitted"]["net_"]["module_params"]["dict"].append(
        ["kernel_sizes", [3] * 10**5]
    ),
    "another architecture": lambda c, t: classifier_of(c)["fitted"]["net_"].update(
        architecture="stacked"
    ),
    "unknown architecture": lambda c, t: classifier_of(c)["fitted"]["net_"].update(
        architecture="os.system"
    ),
    "unknown kind": lambda c, t: classifier_of(c).update(kind="os.system"),
    "nested": lambda c, t: c["model"]["steps"].append(["again", copy.deepcopy(c["model"])]),
    "fewer classes": lambda c, t: classifier_of(c)["fitted"]["classes_"]["array"].pop(),
    "nan": lambda c, t: t.update(
        {k: np.full_like(v, np.nan) for k, v in t.items() if "embedding" in k}
    ),
    "transposed": lambda c, t: t.update(
        {k: np.ascontiguousarray(v.T) for k, v in t.items() if "embedding" in k}
    ),
    "fewer words": lambda c, t: t.update(
        {"tables.0.words": np.frombuffer(b'["<pad>", "<unk>"]', dtype=np.uint8)}
    ),
    "no words": lambda c, t: t.update({"tables.0.words": np.frombuffer(b"7", dtype=np.uint8)}),
    "deep": lambda c, t: t.update({"tables.0.words": np.frombuffer(b"[" * 10**5, dtype=np.uint8)}),
    "a path of pickles": lambda c, t: c["model"]["params"].update(memory="/tmp/cache"),
    "a pretrained pickle": lambda c, t: classifier_of(c)["params"].update(pretrained="/tmp/x"),
    "an unknown parameter": lambda c, t: classifier_of(c)["params"].update(nonsense=1),
    "a wrong parameter": lambda c, t: classifier_of(c)["params"].update(dropout="high"),
    "a wrong setting": lambda c, t: classifier_of(c)["fitted"]["net_"]["settings"].update(
        optimizer="os.system"
    ),
    "an unknown fact": lambda c, t: classifier_of(c)["fitted"].update(__class__="x"),
    "a wrong length": lambda c, t: c["model"]["steps"][0][1]["fitted"].update(max_length_=-1),
    "no table": lambda c, t: classifier_of(c)["fitted"].update(_table=7),
    "a shared layer": lambda c, t: classifier_of(c)["fitted"]["net_"]["shared"].append(
        "head.1.weight"
    ),
    "many shared": lambda c, t: classifier_of(c)["fitted"]["net_"]["shared"].extend(
        f"embedding.{i}" for i in range(10**5)
    ),
    "shared twice": lambda c, t: classifier_of(c)["fitted"]["net_"]["shared"].append(
        "embedding.weight"
    ),
    "shared narrow": lambda c, t: t.update({EMBEDDING: t[EMBEDDING][:, :3].copy()}),
    "shared long": lambda c, t: t.update({EMBEDDING: np.tile(t[EMBEDDING], (9, 1))}),
    "shared bytes": lambda c, t: t.update({EMBEDDING: t[EMBEDDING].astype(np.uint8)}),
    "unknown container": lambda c, t: classifier_of(c)["params"].update(seed={"eval": "1"}),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_files_are_refused(saved, path, name):
    path.write_bytes(forged(saved, lambda config, tensors: None))
    sktextcnn.load(path)
    path.write_bytes(forged(saved, FORGERIES[name]))
    with pytest.raises(ValueError, match="not a valid model file, though its checksum is right"):
        sktextcnn.load(path)


def test_a_newer_format_is_named(saved, path):
    data = saved.read_bytes().replace(b'"format_version":"1"', b'"format_version":"2"')
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"has version 2 of the format.*Install a newer sktextcnn"):
        sktextcnn.load(path)


def test_a_header_that_claims_gigabytes_is_refused_at_once(saved, path):
    data = bytearray(saved.read_bytes())
    data[:8] = (2**40).to_bytes(8, "little")
    path.write_bytes(data)
    with pytest.raises(ValueError, match="not a model file"):
        sktextcnn.load(path)


# Faults while saving ------------------------------------------------------------------


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
for _ in range(300):
    child = os.fork()
    if child == 0:
        while True:
            sktextcnn.save(second, target)
            sktextcnn.save(first, target)
    time.sleep(random.uniform(0, 2 * both))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    filters.append(sktextcnn.load(target).num_filters)
assert set(filters) == {first.num_filters, second.num_filters}, set(filters)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_hundreds_of_killed_saves_leave_a_whole_file(tmp_path):
    rng = np.random.default_rng(0)
    for name, n_filters in (("first", 4), ("second", 400)):
        classifier = TextCNNClassifier(**{**SMALL, "num_filters": n_filters})
        classifier.fit(rng.integers(0, 99, (20, 5)), np.arange(20) % 2)
        sktextcnn.save(classifier, tmp_path / name)
    subprocess.run(
        [sys.executable, "-c", KILLS, "first", "second", "target"],
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
if sys.argv[2] == "limit":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
before = sorted(os.listdir(sys.argv[1]))
old = open(sys.argv[1] + "/target", "rb").read()
try:
    sktextcnn.save(model, sys.argv[1] + "/target")
except OSError as error:
    assert error.errno in (errno.ENOSPC, errno.EFBIG), error
else:
    raise AssertionError("no error")
assert sorted(os.listdir(sys.argv[1])) == before
assert open(sys.argv[1] + "/target", "rb").read() == old
"""


def _full_disk(folder):
    """A command's prefix under which `folder` is a file system of a few pages."""
    mount = f'mount -t tmpfs -o size=16k none {folder} && echo old > {folder}/target && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, "sh"]


@pytest.mark.parametrize("how", ["limit", "full"])
def test_a_full_disk_leaves_the_old_file_and_no_other(saved, tmp_path, how):
    (tmp_path / "model").write_bytes(saved.read_bytes())
    folder = tmp_path / "disk"
    folder.mkdir()
    (folder / "target").write_text("old")
    prefix = _full_disk(folder) if how == "full" else []
    if prefix and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("may not mount a file system; the limit of a file's size stands for it")
    subprocess.run(
        [*prefix, sys.executable, "-c", FULL, str(folder), how], cwd=tmp_path, check=True
    )


# Privacy ------------------------------------------------------------------------------


def test_nothing_of_the_texts_but_words_is_in_a_file(corpus, vectors_file, path):
    import joblib

    texts, labels = corpus
    secret = "Zebulon's passphrase is xylophone quokka"
    model = make_model(vectors_file).set_params(textvectorizer__min_df=2)
    model.fit([*texts, secret], [*labels, labels[0]])
    model.predict([secret])
    sktextcnn.save(model, path)
    joblib.dump(model, path.with_suffix(".joblib"))
    for file in (path, path.with_suffix(".joblib")):
        data = file.read_bytes().lower()
        # Words of one text only are not in the vocabulary, nor anywhere else.
        for word in (b"zebulon", b"passphrase", b"xylophone", b"quokka"):
            assert word not in data
        for text in texts:
            if len(text) > 30:
                assert text.lower().encode() not in data
    model.set_params(textvectorizer__min_df=1).fit([*texts, secret], [*labels, labels[0]])
    sktextcnn.save(model, path)
    assert re.search(rb"quokka", path.read_bytes())
    assert b"passphrase is" not in path.read_bytes()
