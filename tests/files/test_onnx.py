"""ONNX files, against the Pipelines that they come from, run by onnxruntime and by NumPy."""

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator
from scipy.special import softmax
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer, export_onnx
from sktextcnn._files import onnx_export
from sktextcnn._network.modules import ACTIVATIONS
from sktextcnn._text.normalization import REPLACEMENTS
from tests.files.onnx_helpers import (
    ODD_TEXTS,
    TABLES,
    TOLERANCE,
    fitted,
    metadata_of,
    run,
    session_of,
)
from tests.reference import numpy_kim

# Probabilities ------------------------------------------------------------------------

MODELS = {
    "default": {"num_filters": 100},
    "one kernel": {"kernel_sizes": (1,)},
    "many kernels": {"kernel_sizes": (2, 7, 1, 2), "num_filters": 9},
    "wider than any text": {"kernel_sizes": (3, 60), "num_filters": 5},
    "hidden": {"hidden_units": 20},
    "dense": {"convolution": "dense"},
    "multichannel": {"finetune": "multichannel", "vectorizer": {"embeddings": "file"}},
    "given vectors": {"finetune": True, "vectorizer": {"embeddings": "file"}},
    "before": {"vectorizer": {"padding": "pre", "truncating": "pre", "max_length": 15}},
    "behind": {"vectorizer": {"max_length": 15, "stop_words": "english", "min_df": 2}},
    **{name: {"activation": name, "hidden_units": 7} for name in sorted(ACTIVATIONS)},
    "regions": {"pool_size": 4},
    "regions, before, hidden": {
        "pool_size": 5,
        "hidden_units": 6,
        "vectorizer": {"padding": "pre", "truncating": "pre", "max_length": 17},
    },
    "multilabel": {"multilabel": True},
    "multilabel, hidden": {"multilabel": True, "hidden_units": 20},
    "wide": {"wide": True},
    "wide, multilabel": {"wide": True, "multilabel": True},
    "wide, stacked, before": {
        "wide": True,
        "architecture": "stacked",
        "vectorizer": {"padding": "pre"},
    },
    "wide, rare words unknown": {"wide": True, "vectorizer": {"min_df": 3, "unseen_words": 0}},
    "stacked": {"architecture": "stacked"},
    "stacked, multilabel": {"multilabel": True, "architecture": "stacked"},
    "stacked, before": {"architecture": "stacked", "vectorizer": {"padding": "pre"}},
    "stacked, short, before": {
        "architecture": "stacked",
        "vectorizer": {"padding": "pre", "truncating": "pre", "max_length": 9},
    },
    "stacked, others": {
        "architecture": "stacked",
        "kernel_sizes": (2, 1, 3),
        "activation": "gelu",
        "hidden_units": 0,
        "vectorizer": {"max_length": 100},
    },
    "stacked, multichannel": {
        "architecture": "stacked",
        "finetune": "multichannel",
        "vectorizer": {"embeddings": "file"},
    },
}


@pytest.mark.parametrize("name", MODELS)
def test_probabilities_are_those_of_the_pipeline(name, corpus, vectors_file, tmp_path):
    params = dict(MODELS[name])
    vectorizer = dict(params.pop("vectorizer", {}))
    if "embeddings" in vectorizer:
        vectorizer |= {"embeddings": vectors_file, "random_state": 0}
    texts, y = corpus
    if params.pop("multilabel", False):
        y = np.array(
            [[label == "torch", "a " in text] for text, label in zip(texts, y, strict=True)]
        )
        y = y.astype(int)
    model = fitted(texts[:100], y[:100], vectorizer, **params)
    texts = [*texts, *ODD_TEXTS]
    ids = np.asarray(model[0].transform(texts))
    expected = model.predict_proba(texts)
    # Not all alike, so that errors show.
    assert np.ptp(expected, axis=0).max() > 500 * TOLERANCE
    stacked = params.get("architecture") == "stacked"
    for tables in ["auto"] if stacked else TABLES:
        export_onnx(model, tmp_path / "model.onnx", tables=tables)
        session = session_of(tmp_path / "model.onnx")
        assert run(session, ids) == pytest.approx(expected, abs=TOLERANCE)
        # One at a time, each as short as it can be.
        before = model[0].padding == "pre"
        for row, probabilities in zip(ids[-15:], expected[-15:], strict=True):
            n_tokens = max(1, np.count_nonzero(row))
            short = row[-n_tokens:] if before else row[:n_tokens]
            assert run(session, short[None])[0] == pytest.approx(probabilities, abs=TOLERANCE)
        assert run(session, np.tile(ids, (2, 1))[:300]) == pytest.approx(
            np.tile(expected, (2, 1))[:300], abs=TOLERANCE
        )


@pytest.mark.parametrize("tables", TABLES)
def test_padding_on_either_side_does_not_matter(tables, docstrings_model, corpus, tmp_path):
    model = docstrings_model
    export_onnx(model, tmp_path / "model.onnx", tables=tables)
    session = session_of(tmp_path / "model.onnx")
    texts = [*corpus[0][:50], *ODD_TEXTS]
    ids, expected = np.asarray(model[0].transform(texts)), model.predict_proba(texts)
    for before, behind in [(0, 500), (500, 0), (3, 4)]:
        padded = np.pad(ids, ((0, 0), (before, behind)))
        assert run(session, padded) == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("tables", TABLES)
def test_probabilities_are_those_of_loops_in_double_precision(tables, corpus, tmp_path):
    texts, labels = corpus
    model = fitted(texts, labels, num_filters=6, hidden_units=5, activation="tanh", pool_size=7)
    export_onnx(model, tmp_path / "model.onnx", tables=tables)
    ids = np.asarray(model[0].transform([*texts[:20], *ODD_TEXTS[:5]]))
    # Padding within a text too.
    ids[3, 1] = ids[4, :3] = 0
    expected = softmax(numpy_kim(model[1].net_.module_.state_dict(), ids, "tanh", 7), axis=1)
    assert run(session_of(tmp_path / "model.onnx"), ids) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("params", "tables"),
    [({}, "stored"), ({}, "computed"), ({"architecture": "stacked"}, "auto")],
    ids=["stored", "computed", "stacked"],
)
def test_the_graph_means_the_same_to_the_reference_of_onnx(params, tables, corpus, tmp_path):
    # onnxruntime may be laxer than the standard.
    texts, labels = corpus
    params = {"activation": "gelu", "num_filters": 8, "hidden_units": 4, **params}
    model = fitted(texts, labels, **params)
    export_onnx(model, tmp_path / "model.onnx", tables=tables)
    texts = [text for text in texts if len(text.split()) < 10][:5] + ODD_TEXTS[:5]
    ids = np.asarray(model[0].transform(texts))[:, :20]
    proto = onnx.load(tmp_path / "model.onnx")
    (probabilities,) = ReferenceEvaluator(proto).run(None, {"ids": ids})
    assert probabilities == pytest.approx(model.predict_proba(texts), abs=TOLERANCE)


def test_the_graph_has_look_ups_and_no_convolution(small_model, tmp_path):
    for tables in TABLES:
        export_onnx(small_model, tmp_path / "model.onnx", tables=tables)
        operators = {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node}
        assert "Gather" in operators
        assert not {"Conv", "Einsum"} & operators
        assert ("MatMul" in operators) == (tables == "computed")


def test_the_file_is_of_an_old_opset_with_named_dimensions(small_model, tmp_path):
    export_onnx(small_model, tmp_path / "model.onnx")
    proto = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(proto, full_check=True)
    assert [(opset.domain, opset.version) for opset in proto.opset_import] == [("", 13)]
    assert proto.ir_version == 7
    session = session_of(tmp_path / "model.onnx")
    (ids,), (probabilities,) = session.get_inputs(), session.get_outputs()
    assert (ids.name, ids.type, ids.shape) == ("ids", "tensor(int32)", ["texts", "tokens"])
    assert (probabilities.name, probabilities.shape) == ("probabilities", ["texts", 2])


def test_tables_are_stored_up_to_a_size(small_model, tmp_path, monkeypatch):
    def size(**params):
        export_onnx(small_model, tmp_path / "model.onnx", **params)
        return (tmp_path / "model.onnx").stat().st_size

    n_bytes = (len(small_model[0].vocabulary_) + 2) * (3 + 4 + 5) * 100 * 4
    monkeypatch.setattr(onnx_export, "STORED_BYTES", n_bytes)
    assert size() == size(tables="stored")
    monkeypatch.setattr(onnx_export, "STORED_BYTES", n_bytes - 1)
    assert size() == size(tables="computed")
    assert size(tables="computed") != size(tables="stored")


def test_a_model_in_bfloat16_is_exported_in_float32(corpus, tmp_path):
    texts, labels = corpus
    model = fitted(texts, labels, precision="bfloat16")
    export_onnx(model, tmp_path / "model.onnx")
    probabilities = run(session_of(tmp_path / "model.onnx"), model[0].transform(texts))
    assert probabilities == pytest.approx(model.predict_proba(texts), abs=0.05)
    model[1].net_.precision = "float32"
    model[1].net_.module_.train().eval()  # forgets the products
    assert probabilities == pytest.approx(model.predict_proba(texts), abs=TOLERANCE)


# What is exported ---------------------------------------------------------------------


def test_a_search_exports_its_best_pipeline(tmp_path):
    texts, y = ["a gem", "so dull", "a witty gem", "a dull film"] * 5, [1, 0, 1, 0] * 5
    pipeline = make_pipeline(TextVectorizer(), TextCNNClassifier(max_epochs=1, random_state=0))
    search = GridSearchCV(pipeline, {"textcnnclassifier__num_filters": [3, 4]}, cv=2)
    export_onnx(search.fit(texts, y), tmp_path / "model.onnx")
    ids = search.best_estimator_[0].transform(texts)
    probabilities = run(session_of(tmp_path / "model.onnx"), ids)
    assert probabilities == pytest.approx(search.predict_proba(texts), abs=TOLERANCE)


@pytest.mark.parametrize("tables", TABLES)
def test_a_classifier_of_plain_ids_is_exported_without_texts(tables, tmp_path):
    rng = np.random.default_rng(0)
    ids, y = rng.integers(0, 50, (40, 8)), rng.integers(0, 3, 40)
    classifier = TextCNNClassifier(embedding_dim=30, max_epochs=1, random_state=0).fit(ids, y)
    export_onnx(classifier, tmp_path / "model.onnx", tables=tables)
    metadata = metadata_of(tmp_path / "model.onnx")
    assert metadata["text"] is None
    assert metadata["vocabulary"] is None
    # Ids that it does not know are the unknown word.
    ids[:5, :3] = [[49, 50, 10**6]]
    probabilities = run(session_of(tmp_path / "model.onnx"), ids)
    assert probabilities == pytest.approx(classifier.predict_proba(ids), abs=TOLERANCE)


def test_a_stacked_classifier_alone_takes_the_width_of_its_training(tmp_path):
    rng = np.random.default_rng(0)
    ids, y = rng.integers(0, 50, (40, 12)), rng.integers(0, 3, 40)
    classifier = TextCNNClassifier(
        architecture="stacked", embedding_dim=30, max_epochs=1, random_state=0
    ).fit(ids, y)
    export_onnx(classifier, tmp_path / "model.onnx")
    session = session_of(tmp_path / "model.onnx")
    assert run(session, ids) == pytest.approx(classifier.predict_proba(ids), abs=TOLERANCE)
    with pytest.raises(Exception, match="index: 1 Got: 11 Expected: 12"):
        run(session, ids[:, 1:])


def test_a_classifier_alone_keeps_the_words_that_it_knows(small_model, tmp_path):
    export_onnx(small_model[1], tmp_path / "model.onnx")
    metadata = metadata_of(tmp_path / "model.onnx")
    assert metadata["vocabulary"][:4] == [None, None, "a", "dull"]
    assert metadata["text"] is None


def test_metadata_tell_all_that_a_reader_needs(tmp_path):
    texts = ["The café", "so DULL", "a witty café"] * 4
    settings = {
        "lowercase": False,
        "strip_accents": "unicode",
        "token_pattern": r"\S+",
        "stop_words": ["so", "a"],
        "max_length": 7,
        "padding": "pre",
        "truncating": "pre",
    }
    export_onnx(fitted(texts, [2, 1, 2] * 4, settings), tmp_path / "model.onnx")
    assert metadata_of(tmp_path / "model.onnx") == {
        "format_version": 2,
        "sktextcnn_version": sktextcnn.__version__,
        "classes": [1, 2],
        "multilabel": False,
        "vocabulary": [None, None, "cafe", "DULL", "The", "witty"],
        "text": {
            "analyzer": "word",
            "preprocessor": None,
            "normalize": "NFC",
            "replacements": [*map(list, REPLACEMENTS)],
            "lowercase": False,
            "strip_accents": "unicode",
            "tokenizer": None,
            "token_pattern": r"\S+",
            "stop_words": ["a", "so"],
            "omitted": {},
            "max_length": 7,
            "padding": "pre",
            "truncating": "pre",
        },
    }


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["gut", "böse\n\"'"], ["böse\n\"'", "gut"]),
        (np.array(["b", "a"], dtype=object), ["a", "b"]),
        ([3, -1], [-1, 3]),
        (np.array([2.0, 7.0], dtype=np.float32), [2.0, 7.0]),
        ([True, False], [False, True]),
        (np.array([[1, 0, 1], [0, 1, 0]]), [0, 1, 2]),
    ],
    ids=["str", "object", "int", "float", "bool", "multilabel"],
)
def test_labels_keep_their_type(labels, expected, serve_onnx, tmp_path):
    texts = ["a gem", "so dull"] * 4
    y = np.concatenate([labels] * 4) if isinstance(labels, np.ndarray) else labels * 4
    model = fitted(texts, y, max_epochs=30)
    export_onnx(model, tmp_path / "model.onnx")
    classes = metadata_of(tmp_path / "model.onnx")["classes"]
    assert classes == expected
    assert [type(label) for label in classes] == [type(label) for label in expected]
    predicted = model.predict(texts).tolist()
    if np.ndim(labels) == 2:
        predicted = [np.flatnonzero(row).tolist() for row in predicted]
    assert serve_onnx.TextModel(str(tmp_path / "model.onnx")).predict(texts) == predicted


def test_a_wide_part_without_ngrams(tmp_path):
    ids = np.ones((20, 3), dtype=np.int32)
    model = TextCNNClassifier(embedding_dim=5, num_filters=2, max_epochs=1, random_state=0)
    model.fit(ids, [0, 1, 1, 1] * 5)
    export_onnx(model, tmp_path / "model.onnx")
    session = session_of(tmp_path / "model.onnx")
    assert run(session, ids) == pytest.approx(model.predict_proba(ids), abs=TOLERANCE)
