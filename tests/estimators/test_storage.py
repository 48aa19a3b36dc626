"""What is in a pickle of a model, and what comes out of it again."""

import copy
import io
import os
import pickle
import re
import subprocess
import sys

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer

SMALL = {"num_filters": 6, "max_epochs": 2, "wide": False, "random_state": 0}


def make_model(vectors_file, **params):
    return make_pipeline(
        TextVectorizer(embeddings=vectors_file, random_state=0),
        TextCNNClassifier(**{**SMALL, **params}),
    )


@pytest.fixture(scope="module")
def wide_vectors(corpus, tmp_path_factory):
    """Vectors that outweigh everything else in a model."""
    texts, _ = corpus
    words = sorted({word for text in texts for word in re.findall(r"\w+", text.lower())})
    rows = np.random.default_rng(0).normal(size=(len(words), 300)).round(3)
    path = tmp_path_factory.mktemp("wide") / "wide.txt"
    path.write_text(
        "".join(
            f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words, rows, strict=True)
        ),
        encoding="utf-8",
    )
    return str(path)


def bytes_of_weights(model):
    return sum(value.nbytes for value in model[-1].net_.module_.state_dict().values())


@pytest.mark.parametrize(
    ("params", "most"),
    [
        ({"finetune": False}, 1.1),
        ({"finetune": 2}, 1.1),
        ({"finetune": True, "wide": True}, 2.1),
        ({"finetune": "multichannel"}, 1.1),
        ({"finetune": True, "early_stopping": True}, 2.1),
        ({"finetune": True, "warm_start": True}, 2.1),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:finetune=2 keeps")
def test_a_stored_model_is_hardly_larger_than_its_weights(
    corpus, wide_vectors, tmp_path, params, most
):
    texts, labels = corpus
    model = make_model(wide_vectors, **params).fit(texts, labels)
    # Remembers products of words and pieces of texts.
    model.predict(texts)
    joblib.dump(model, tmp_path / "model.joblib")
    assert os.path.getsize(tmp_path / "model.joblib") < most * bytes_of_weights(model)


@pytest.mark.parametrize("finetune", [False, True, "multichannel"])
def test_rows_that_were_not_trained_are_stored_once(corpus, wide_vectors, tmp_path, finetune):
    texts, labels = corpus[0][:40], corpus[1][:40]
    model = make_model(wide_vectors, finetune=finetune).fit(texts, labels)
    expected = model.predict_proba(corpus[0])
    n_ids, n_seen = len(model[-1].words_), len(TextVectorizer().fit(texts).vocabulary_) + 2
    assert n_ids > 2 * n_seen
    rows = n_ids + (n_seen if finetune else 0)
    for path, store, load in (
        (tmp_path / "model.joblib", joblib.dump, joblib.load),
        (tmp_path / "model.sktextcnn", sktextcnn.save, sktextcnn.load),
    ):
        store(model, path)
        assert rows * 1200 < os.path.getsize(path) < 1.1 * rows * 1200
        other = load(path)
        np.testing.assert_array_equal(other.predict_proba(corpus[0]), expected)
        for name, value in model[-1].net_.module_.state_dict().items():
            assert torch.equal(other[-1].net_.module_.state_dict()[name], value)
    if finetune:
        before = other[-1].net_.module_.embedding.weight.clone()
        other[-1].partial_fit(other[0].transform(corpus[0]), corpus[1])
        moved = (other[-1].net_.module_.embedding.weight != before).any(dim=1)
        assert moved[n_seen:].sum() > 0.5 * (n_ids - n_seen)


def test_weight_decay_moves_all_rows_and_all_are_stored(corpus, wide_vectors):
    texts, labels = corpus[0][:40], corpus[1][:40]
    model = make_model(wide_vectors, optimizer="adamw", weight_decay=0.1).fit(texts, labels)
    n_ids = len(model[-1].words_)
    assert 2 * n_ids * 1200 < len(pickle.dumps(model)) < 2.1 * n_ids * 1200
    other = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(other.predict_proba(texts), model.predict_proba(texts))


def test_a_classifier_alone_does_not_store_the_vectors_that_it_began_with(corpus, wide_vectors):
    texts, labels = corpus
    model = make_model(wide_vectors).fit(texts, labels)
    assert len(pickle.dumps(model[-1])) < 1.1 * bytes_of_weights(model)


class Names(pickle.Unpickler):
    def __init__(self, *args):
        super().__init__(*args)
        self.modules = set()

    def find_class(self, module, name):
        self.modules.add(module)
        return super().find_class(module, name)


def test_a_pickle_refers_neither_to_torch_nor_to_skorch(corpus, vectors_file):
    texts, labels = corpus
    reader = Names(io.BytesIO(pickle.dumps(make_model(vectors_file).fit(texts, labels))))
    reader.load()
    assert "sktextcnn._classifier" in reader.modules
    assert not [name for name in reader.modules if name.split(".")[0] in ("torch", "skorch")]


@pytest.mark.parametrize(
    "params",
    [
        {"wide": True},
        {"finetune": False},
        {"finetune": "multichannel"},
        {"finetune": "gradual"},
        {"architecture": "stacked"},
        {"hidden_units": 5, "activation": "tanh", "kernel_sizes": (1, 2)},
        {"precision": "bfloat16"},
    ],
    ids=str,
)
def test_a_stored_model_is_the_model(corpus, vectors_file, params):
    texts, labels = corpus
    model = make_model(vectors_file, **params).fit(texts, labels)
    expected = model.predict_proba(texts)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict_proba(texts), expected)
        assert other[0].vocabulary_ == model[0].vocabulary_
        assert other[0].coverage_ == model[0].coverage_
        assert other[0].coverage_.types == model[0].coverage_.types
        assert other[-1].words_ == model[-1].words_
        assert other[-1].history_[:, "train_loss"] == model[-1].history_[:, "train_loss"]
        assert other[-1].n_iter_ == len(other[-1].history_) == 2
        # Fitted anew it is the same again, so its parameters are those that it had.
        np.testing.assert_array_equal(
            clone(other).fit(texts, labels).predict_proba(texts), expected
        )
    assert torch.equal(torch.get_rng_state(), state)


def test_parameters_that_were_set_after_fit_do_not_change_what_is_stored(corpus, vectors_file):
    texts, labels = corpus
    model = make_model(vectors_file).fit(texts, labels)
    expected = model.predict_proba(texts)
    model.set_params(
        textcnnclassifier__num_filters=9,
        textcnnclassifier__architecture="stacked",
        textcnnclassifier__optimizer="no such optimizer",
    )
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict_proba(texts), expected)
    assert loaded[-1].num_filters == 9


def test_training_goes_on_after_loading(corpus, vectors_file):
    texts, labels = corpus
    model = make_model(vectors_file, finetune="gradual", max_epochs=2).fit(texts, labels)
    X = model[0].transform(texts)
    loaded = pickle.loads(pickle.dumps(model))
    frozen = [
        {name for name, value in each[-1].net_.module_.named_parameters() if value.requires_grad}
        for each in (model, loaded)
    ]
    assert frozen[0] == frozen[1]
    assert "embedding.weight" not in frozen[0]
    loaded[-1].partial_fit(X, labels)
    assert len(loaded[-1].history_) == 3
    # The third epoch thaws the embedding, whose rows the vectorizer must not share.
    np.testing.assert_array_equal(loaded[0].embedding_matrix_, model[0].embedding_matrix_)
    assert not np.array_equal(
        loaded[-1].net_.module_.embedding.weight.detach(), model[0].embedding_matrix_
    )


def test_a_loaded_model_is_fitted_again(corpus, vectors_file):
    texts, labels = corpus
    model = make_model(vectors_file).fit(texts, labels)
    loaded = pickle.loads(pickle.dumps(model))
    loaded.fit(texts[:100], labels[:100])
    expected = clone(model).fit(texts[:100], labels[:100]).predict_proba(texts)
    np.testing.assert_array_equal(loaded.predict_proba(texts), expected)
    warm = pickle.loads(pickle.dumps(model)).set_params(textcnnclassifier__warm_start=True)
    warm.fit(texts, labels)
    assert warm[-1].history_[-1]["train_loss"] < model[-1].history_[-1]["train_loss"]


class Counter(Callback):
    def on_train_end(self, net, **kwargs):
        self.n_fits_ = getattr(self, "n_fits_", 0) + 1


class BagOfWords(torch.nn.Module):
    def __init__(self, num_embeddings, embedding_dim, num_outputs):
        super().__init__()
        self.embedding = torch.nn.Embedding(num_embeddings, embedding_dim)
        self.head = torch.nn.Linear(embedding_dim, num_outputs)

    def forward(self, ids):
        return self.head(self.embedding(ids).mean(dim=1))


def test_classes_of_the_user_are_stored_by_name(corpus, vectors_file):
    texts, labels = corpus
    params = {"architecture": BagOfWords, "optimizer": torch.optim.NAdam, "callbacks": [Counter()]}
    model = make_model(vectors_file, num_filters=None, **params).fit(texts, labels)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))
    assert isinstance(loaded[-1].net_.module_, BagOfWords)
    loaded[-1].partial_fit(loaded[0].transform(texts), labels)
    assert isinstance(loaded[-1].net_.optimizer_, torch.optim.NAdam)


MAPPED = """
import sys
import joblib, numpy as np

for path in sys.argv[1:]:
    model = joblib.load(path, mmap_mode="r")
    texts, labels, expected = joblib.load(path + ".expected")
    np.testing.assert_array_equal(model.predict_proba(texts), expected)
    weight = model[-1].net_.module_.embedding.weight
    with open("/proc/self/maps") as maps:
        ranges = [line.split()[0].split("-") for line in maps if path in line]
    bounds = [(int(low, 16), int(high, 16)) for low, high in ranges]
    assert any(low <= weight.data_ptr() < high for low, high in bounds), "not mapped"
    model[-1].partial_fit(model[0].transform(texts), labels)
    assert not np.array_equal(model.predict_proba(texts), expected)
"""


@pytest.mark.soak
@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="needs /proc")
def test_mapped_models_use_the_file_as_their_memory(corpus, wide_vectors, tmp_path):
    texts, labels = [*corpus[0], "", "unseen words"], [*corpus[1], *corpus[1][:2]]
    saved = {}
    for params in (
        {"finetune": False},
        {"finetune": True},
        {"finetune": "multichannel"},
        {"architecture": "stacked"},
    ):
        model = make_model(wide_vectors, **params).fit(*corpus)
        path = tmp_path / f"{len(saved)}.joblib"
        joblib.dump(model, path)
        joblib.dump((texts, labels, model.predict_proba(texts)), f"{path}.expected")
        saved[path] = path.read_bytes()
    command = [sys.executable, "-W", "error", "-c", MAPPED, *map(str, saved)]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)
    assert {path: path.read_bytes() for path in saved} == saved


@pytest.mark.parametrize(
    ("where", "package"),
    [("sktextcnn._version.__version__", "sktextcnn"), ("sklearn.__version__", "sci")],
)
def test_a_model_of_another_version_warns(corpus, vectors_file, monkeypatch, where, package):
    texts, labels = corpus
    model = make_model(vectors_file).fit(texts, labels)
    with monkeypatch.context() as patch:
        patch.setattr(where, "0.0.7")
        stored = pickle.dumps(model)
    with pytest.warns(InconsistentVersionWarning) as caught:
        loaded = pickle.loads(stored)
    messages = [str(warning.message) for warning in caught]
    for name in ("TextVectorizer", "TextCNNClassifier"):
        assert any(
            re.match(rf"{name} was stored with {package}\S* 0\.0\.7 and is loaded", message)
            for message in messages
        )
    np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))


def test_versions_are_those_of_now():
    state = TextVectorizer().__getstate__()
    assert state["_sktextcnn_version"] == sktextcnn.__version__
    vectorizer = pickle.loads(pickle.dumps(TextVectorizer()))
    assert "_sktextcnn_version" not in vars(vectorizer)
