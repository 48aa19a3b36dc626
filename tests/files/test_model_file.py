"""save and load: what comes back, and what is in the file."""

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import safetensors
from safetensors.numpy import load as load_tensors
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning

import sktextcnn
from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer
from sktextcnn._files import model_file
from tests.files.model_helpers import SMALL, make_model


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"finetune": False, "wide": False},
        {"finetune": 1, "wide": False},
        {"finetune": "gradual", "early_stopping": True, "wide": False},
        {"finetune": "multichannel", "wide": False},
        {"architecture": "stacked", "kernel_sizes": None, "wide": False},
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
    classifier = TextCNNClassifier(**SMALL, embedding_dim=5).fit(ids, np.arange(20) % 2)
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


def test_several_sources_of_vectors_are_named(corpus, vectors_file, path):
    sources = [Embeddings(vectors_file, width=3, encoding="latin-1"), str(vectors_file), "word2vec"]
    model = make_model(sources)
    model.set_params(textvectorizer__embeddings_params={"vector_size": 2, "epochs": 1})
    model.fit(*corpus)
    sktextcnn.save(model, path)
    loaded = sktextcnn.load(path)
    np.testing.assert_array_equal(loaded.predict_proba(corpus[0]), model.predict_proba(corpus[0]))
    assert loaded[0].coverage_ == model[0].coverage_
    name = Path(vectors_file).name
    shown = f"[Embeddings({name!r}, width=3), Embeddings({name!r}), 'word2vec']"
    assert repr(loaded[0].embeddings) == shown
    again = clone(loaded[0]).fit(corpus[0])
    np.testing.assert_array_equal(again.embedding_matrix_, model[0].embedding_matrix_)


@pytest.mark.parametrize(
    "written",
    [
        "vectors.kv",
        ["vectors.kv"],
        {"embeddings": "vectors.kv"},
        {"embeddings": ["word2vec", "vectors.kv"]},
        {"embeddings": {"name": "a", "path": "/a", "encoding": "utf-8", "reads_pickles": True}},
        {"embeddings": {"name": "a", "path": "/a", "encoding": "utf-8", "width": 0}},
    ],
    ids=str,
)
def test_vectors_that_are_not_described_as_a_handle_are_refused(written, path, monkeypatch):
    vectorizer = sktextcnn.TextVectorizer().fit(["a gem"])
    write = model_file._Writer._param

    def crafted(writer, prefix, name, value):
        return written if name == "embeddings" else write(writer, prefix, name, value)

    monkeypatch.setattr(model_file._Writer, "_param", crafted)
    sktextcnn.save(vectorizer, path)
    with pytest.raises(ValueError, match="not a valid model file, though its checksum is right"):
        sktextcnn.load(path)


@pytest.mark.filterwarnings("ignore:Only .* of the tokens have a vector:UserWarning")
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
