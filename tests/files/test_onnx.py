"""ONNX files, against the Pipelines that they come from, run by onnxruntime and by NumPy."""

import json
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer
from pathlib import Path

import jieba
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from nltk.tokenize import WordPunctTokenizer
from onnx.reference import ReferenceEvaluator
from scipy.special import softmax
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer, export_onnx
from sktextcnn._files import onnx_export as room
from sktextcnn._network.modules import ACTIVATIONS, KimCNN
from tests.reference import numpy_kim

EXAMPLE = Path(__file__).parents[2] / "examples" / "serve_onnx.py"
TOLERANCE = 1e-5
TABLES = ["stored", "computed"]

# None, none known, one word, shorter than the widest kernel, and longer than the matrix.
ODD_TEXTS = ["", "qqqq zzzz", "the", "the a", "qqqq the", "the model of a " * 40]

# What tokenizers trip over: final sigmas, dotted i, ligatures, combining and zero-width characters,
# all kinds of whitespace, quotes, digits, scripts without spaces, emoji, halves of surrogate pairs.
NASTY_TEXTS = [
    "ΟΔΥΣΣΕΥΣ, ΣΑΣ ΑΣ. ΑΣ'Α Σ",
    "İstanbul ISPARTA ı I\u0307 ǅ Ǆ ŉ ẞ STRASSE straße",
    "ﬁne ﬃ ﷺ ＦＵＬＬ１２３ ½ ² ٣٤٥ Ⅷ 𝔘𝔫𝔦 ℌ",
    "cafe\u0301 café CAFÉ Å \u212b a\u0300\u0301\u0302",
    "Don't can't DON’T n't it's IT'S o'clock 'tis rock'n'roll '' ' 's x'll",
    "a\u00a0b\u2003c\u2028d\x1ce\x1ff\x85g\u200bh\ufeffi\u3000j\x00k",
    "tab\t tab  two\r\n\nlines   \t end \n",
    "我喜欢这部电影。太长了！ 日本語テキスト 한국어 ไทย हिन्दी עִבְרִית العَرَبِيَّة",
    "👩‍👩‍👧‍👦 👍🏽 🇫🇷 ❤️ :-) ... --- %$#@ _under_ __ a_b",
    "\ud800x \udfff lone",
    "x" * 300 + " " + "! " * 50,
    "the and of le la les c'est l'été",
    "ÉÀ",
    "   ",
    "",
]


def session_of(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def run(session, ids):
    (probabilities,) = session.run(None, {"ids": np.asarray(ids, dtype=np.int32)})
    assert probabilities.dtype == np.float32
    return probabilities


def metadata_of(path):
    return json.loads(session_of(path).get_modelmeta().custom_metadata_map["sktextcnn"])


def fitted(texts, y, vectorizer=None, **params):
    # At a high rate, so that few epochs lead far from where all probabilities are alike.
    params = {"max_epochs": 3, "learning_rate": 0.01, "random_state": 0, "device": "cpu", **params}
    return make_pipeline(TextVectorizer(**(vectorizer or {})), TextCNNClassifier(**params)).fit(
        texts, y
    )


@pytest.fixture(scope="module")
def model(corpus):
    return fitted(*corpus)


@pytest.fixture(scope="module")
def small():
    """A model of few words, that is fitted in no time."""
    return fitted(["a gem", "so dull", "a witty gem", "a dull film"] * 3, [1, 0, 1, 0] * 3)


@pytest.fixture(scope="module")
def serve_onnx():
    sys.path.insert(0, str(EXAMPLE.parent))
    try:
        yield __import__("serve_onnx")
    finally:
        sys.path.remove(str(EXAMPLE.parent))


# Probabilities ------------------------------------------------------------------------

MODELS = {
    "default": {},
    "one kernel": {"kernel_sizes": (1,)},
    "many kernels": {"kernel_sizes": (2, 7, 1, 2), "num_filters": 9},
    "wider than any text": {"kernel_sizes": (3, 60), "num_filters": 5},
    "hidden": {"hidden_units": 20},
    "dense": {"convolution": "dense"},
    "multichannel": {"finetune": "multichannel", "vectorizer": {"embeddings": "file"}},
    "given vectors": {"finetune": True, "vectorizer": {"embeddings": "file"}},
    "before": {"vectorizer": {"padding": "pre", "truncating": "pre", "max_length": 15}},
    "behind": {"vectorizer": {"max_length": 15, "stop_words": "english", "min_df": 2}},
    **{
        name: {"activation": name, "num_filters": 20, "hidden_units": 7}
        for name in sorted(ACTIVATIONS)
    },
    "multilabel": {"multilabel": True},
    "multilabel, hidden": {"multilabel": True, "hidden_units": 20},
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
        "num_filters": 20,
        "vectorizer": {"max_length": 400},
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
    model = fitted(texts, y, vectorizer, **params)
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
        for row, probabilities in zip(ids[-30:], expected[-30:], strict=True):
            n_tokens = max(1, np.count_nonzero(row))
            short = row[-n_tokens:] if before else row[:n_tokens]
            assert run(session, short[None])[0] == pytest.approx(probabilities, abs=TOLERANCE)
        assert run(session, np.tile(ids, (2, 1))[:300]) == pytest.approx(
            np.tile(expected, (2, 1))[:300], abs=TOLERANCE
        )


@pytest.mark.parametrize("tables", TABLES)
def test_padding_on_either_side_does_not_matter(tables, model, corpus, tmp_path):
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
    model = fitted(texts, labels, num_filters=6, hidden_units=5, activation="tanh")
    export_onnx(model, tmp_path / "model.onnx", tables=tables)
    ids = np.asarray(model[0].transform([*texts[:20], *ODD_TEXTS[:5]]))
    # Padding within a text too.
    ids[3, 1] = ids[4, :3] = 0
    expected = softmax(numpy_kim(model[1].net_.module_.state_dict(), ids, "tanh"), axis=1)
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


def test_the_graph_has_look_ups_and_no_convolution(small, tmp_path):
    for tables in TABLES:
        export_onnx(small, tmp_path / "model.onnx", tables=tables)
        operators = {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node}
        assert "Gather" in operators
        assert not {"Conv", "Einsum"} & operators
        assert ("MatMul" in operators) == (tables == "computed")


def test_the_file_is_of_an_old_opset_with_named_dimensions(small, tmp_path):
    export_onnx(small, tmp_path / "model.onnx")
    proto = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(proto, full_check=True)
    assert [(opset.domain, opset.version) for opset in proto.opset_import] == [("", 13)]
    assert proto.ir_version == 7
    session = session_of(tmp_path / "model.onnx")
    (ids,), (probabilities,) = session.get_inputs(), session.get_outputs()
    assert (ids.name, ids.type, ids.shape) == ("ids", "tensor(int32)", ["texts", "tokens"])
    assert (probabilities.name, probabilities.shape) == ("probabilities", ["texts", 2])


def test_tables_are_stored_up_to_a_size(small, tmp_path, monkeypatch):
    def size(**params):
        export_onnx(small, tmp_path / "model.onnx", **params)
        return (tmp_path / "model.onnx").stat().st_size

    n_bytes = (len(small[0].vocabulary_) + 2) * (3 + 4 + 5) * 100 * 4
    monkeypatch.setattr(room, "STORED_BYTES", n_bytes)
    assert size() == size(tables="stored")
    monkeypatch.setattr(room, "STORED_BYTES", n_bytes - 1)
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
    classifier = TextCNNClassifier(max_epochs=1, random_state=0).fit(ids, y)
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
    classifier = TextCNNClassifier(architecture="stacked", max_epochs=1, random_state=0).fit(ids, y)
    export_onnx(classifier, tmp_path / "model.onnx")
    session = session_of(tmp_path / "model.onnx")
    assert run(session, ids) == pytest.approx(classifier.predict_proba(ids), abs=TOLERANCE)
    with pytest.raises(Exception, match="index: 1 Got: 11 Expected: 12"):
        run(session, ids[:, 1:])


def test_a_classifier_alone_keeps_the_words_that_it_knows(small, tmp_path):
    export_onnx(small[1], tmp_path / "model.onnx")
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
        "format_version": 1,
        "sktextcnn_version": sktextcnn.__version__,
        "classes": [1, 2],
        "multilabel": False,
        "vocabulary": [None, None, "cafe", "DULL", "The", "witty"],
        "text": {
            "analyzer": "word",
            "preprocessor": None,
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


# Serving without torch and scikit-learn -----------------------------------------------


def squeezed(text):
    return text.upper().replace("THE", "")


def words_and_lengths(text):
    return [*text.split(), str(len(text))]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"lowercase": False},
        {"strip_accents": "unicode"},
        {"strip_accents": "ascii", "lowercase": False},
        {"token_pattern": r"(?u)\b\w\w+\b"},
        {"token_pattern": r"(\w)\w*|\s", "lowercase": False},
        {"stop_words": "english"},
        {"stop_words": "french", "strip_accents": "ascii"},
        {"stop_words": ["the", "n't", "'"]},
        {"analyzer": "char"},
        {"analyzer": "char", "lowercase": False, "strip_accents": "unicode", "stop_words": ["a"]},
        {"max_length": 4},
        {"max_length": 4, "truncating": "pre", "padding": "pre"},
        {"tokenizer": "wordpunct", "stop_words": ["the"], "strip_accents": "ascii"},
        {"tokenizer": jieba.lcut},
        {"preprocessor": squeezed, "strip_accents": "ascii"},
        {"strip_accents": squeezed},
        {"analyzer": words_and_lengths, "tokenizer": jieba.lcut},
    ],
)
@pytest.mark.filterwarnings("ignore:Your stop_words may be inconsistent")
def test_the_example_tokenizes_as_the_pipeline_does(settings, serve_onnx, tmp_path):
    texts = NASTY_TEXTS * 2
    model = fitted(texts, [0, 1] * len(NASTY_TEXTS), settings, max_epochs=1)
    vectorizer = model[0]
    names = [name for name in room._FUNCTIONS if callable(settings.get(name))]
    functions = {name: settings[name] for name in names}
    if "analyzer" in functions:
        functions.pop("tokenizer")
    if settings.get("tokenizer") == "wordpunct":
        functions = {"tokenizer": WordPunctTokenizer().tokenize}
    omit = [f"textvectorizer__{name}" for name in functions]
    export_onnx(model, tmp_path / "model.onnx", omit=omit)
    served = serve_onnx.TextModel(str(tmp_path / "model.onnx"), **functions)
    for text in [*NASTY_TEXTS, *ODD_TEXTS, " ".join(NASTY_TEXTS)]:
        row = vectorizer.transform([text])[0]
        assert served.ids(text) == row[row != 0].tolist(), text
    assert served.predict_proba(texts) == pytest.approx(model.predict_proba(texts), abs=TOLERANCE)


@pytest.mark.parametrize("architecture", ["kim", "stacked"])
@pytest.mark.parametrize("padding", ["pre", "post"])
def test_the_example_gives_the_probabilities_of_the_pipeline(
    architecture, padding, corpus, serve_onnx, tmp_path, monkeypatch
):
    texts, labels = corpus
    model = fitted(texts, labels, {"padding": padding}, architecture=architecture)
    export_onnx(model, tmp_path / "model.onnx")
    served = serve_onnx.TextModel(str(tmp_path / "model.onnx"))
    texts = [*texts, *ODD_TEXTS]
    for tokens_at_once in (1, 50, 1024):
        monkeypatch.setattr(serve_onnx, "TOKENS_AT_ONCE", tokens_at_once)
        probabilities = served.predict_proba(iter(texts))
        assert probabilities == pytest.approx(model.predict_proba(texts), abs=TOLERANCE)
    assert served.predict(texts) == model.predict(texts).tolist()
    assert served.predict_proba([]).shape == (0, 5)


# Nothing but the standard library, NumPy and onnxruntime can be imported.
IN_A_BARE_PROCESS = """
import runpy, sys
allowed = {*sys.stdlib_module_names, "numpy", "onnxruntime", "__mp_main__"}
class Bare:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Bare())
for name in ("torch", "sklearn", "scipy", "onnx", "sktextcnn", "joblib"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    sys.exit(f"{name} was imported")
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def in_a_bare_process(*args, **kwargs):
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-W", "error", "-c", IN_A_BARE_PROCESS, EXAMPLE, *args],
        capture_output=True,
        encoding="utf-8",
        check=True,
        **kwargs,
    ).stdout


def test_the_example_needs_numpy_and_onnxruntime_alone(model, corpus, tmp_path):
    export_onnx(model, tmp_path / "model.onnx")
    texts = [*corpus[0][:20], "", "ΟΔΥΣΣΕΥΣ café 我喜欢这部电影"]
    expected = [
        f"{label}\t{row.max():.3f}\t{text}"
        for label, row, text in zip(
            model.predict(texts), model.predict_proba(texts), texts, strict=True
        )
    ]
    assert in_a_bare_process(tmp_path / "model.onnx", *texts).splitlines() == expected
    lines = "\n".join(texts) + "\n"
    assert in_a_bare_process(tmp_path / "model.onnx", input=lines).splitlines() == expected


def test_the_example_names_all_labels_of_a_text(serve_onnx, tmp_path, monkeypatch, capsys):
    texts, y = ["gem", "dull", "gem dull", "film"] * 4, [[1, 0], [0, 1], [1, 1], [0, 0]] * 4
    export_onnx(fitted(texts, y, max_epochs=60), tmp_path / "model.onnx")
    monkeypatch.setattr(sys, "argv", ["serve_onnx.py", str(tmp_path / "model.onnx"), *texts[:4]])
    serve_onnx.main()
    shown = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert shown == ["0", "1", "0, 1", ""]
    served = serve_onnx.TextModel(str(tmp_path / "model.onnx"))
    assert served.labels(np.array([[0.51, 0.49], [0.1, 0.9]])) == [[0], [1]]


@pytest.fixture
def url(small, serve_onnx, tmp_path, monkeypatch):
    export_onnx(small, tmp_path / "model.onnx")
    handler = serve_onnx.handler(serve_onnx.TextModel(str(tmp_path / "model.onnx")))
    monkeypatch.setattr(handler, "log_message", lambda *args: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_the_example_answers_requests(small, url):
    texts = ["a gem", "so dull", ""]
    with urllib.request.urlopen(url, json.dumps({"texts": texts}).encode()) as response:
        answer = json.load(response)
    assert answer["labels"] == small.predict(texts).tolist()
    assert answer["classes"] == [0, 1]
    expected = small.predict_proba(texts)
    assert np.array(answer["probabilities"]) == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("body", [b"", b"{", b'{"texts": "a gem"}', b'["a"]', b'{"texts": [1]}'])
def test_the_example_refuses_other_requests(body, url):
    with pytest.raises(urllib.error.HTTPError, match="400") as caught:
        urllib.request.urlopen(urllib.request.Request(url, body, method="POST"))
    with caught.value as response:
        assert 'Send {"texts": [...]}' in json.load(response)["error"]


def test_the_example_says_what_is_wrong_with_a_file(small, serve_onnx, tmp_path):
    path = tmp_path / "model.onnx"
    export_onnx(small[1], path)
    with pytest.raises(ValueError, match="exported without a vectorizer"):
        serve_onnx.TextModel(str(path))
    proto = onnx.load(path)
    onnx.helper.set_model_props(proto, {"sktextcnn": '{"format_version": 2}'})
    onnx.save(proto, path)
    with pytest.raises(ValueError, match="of a newer format"):
        serve_onnx.TextModel(str(path))
    onnx.helper.set_model_props(proto, {"other": "1"})
    onnx.save(proto, path)
    with pytest.raises(ValueError, match=r"not written by sktextcnn\.export_onnx"):
        serve_onnx.TextModel(str(path))


def test_the_example_asks_for_functions_and_for_lists(serve_onnx, tmp_path):
    model = fitted(NASTY_TEXTS * 2, [0, 1] * len(NASTY_TEXTS), {"tokenizer": jieba.lcut})
    path = str(tmp_path / "model.onnx")
    export_onnx(model, path, omit=["textvectorizer__tokenizer"])
    with pytest.raises(ValueError, match=r"omits the tokenizer, which was jieba\.\S*lcut\. Give"):
        serve_onnx.TextModel(path)
    with pytest.raises(ValueError, match="does not omit 'preprocessor'"):
        serve_onnx.TextModel(path, tokenizer=jieba.lcut, preprocessor=str.lower)
    with pytest.raises(TypeError, match="texts must be a list of str; got a single str"):
        serve_onnx.TextModel(path, tokenizer=jieba.lcut).predict("a gem")


# Errors -------------------------------------------------------------------------------


class OwnNetwork(torch.nn.Module):
    def __init__(self, num_embeddings, embedding_dim, num_outputs):
        super().__init__()
        self.embedding = torch.nn.Embedding(num_embeddings, embedding_dim, padding_idx=0)
        self.head = torch.nn.Linear(embedding_dim, num_outputs)

    def forward(self, ids):
        return self.head(self.embedding(ids).mean(dim=1))


class OwnKim(KimCNN):
    def forward(self, ids):
        return 2 * super().forward(ids)


@pytest.mark.parametrize("network", [OwnNetwork, OwnKim])
def test_networks_of_ones_own_are_refused(network, tmp_path):
    model = fitted(["a gem", "so dull"] * 4, [1, 0] * 4, architecture=network)
    with pytest.raises(TypeError, match=rf"not that of {network.__name__}\. .*torch\.onnx\.export"):
        export_onnx(model, tmp_path / "model.onnx")


def test_the_class_of_a_known_network_is_exported(tmp_path):
    model = fitted(["a gem", "so dull"] * 4, [1, 0] * 4, architecture=KimCNN)
    export_onnx(model, tmp_path / "model.onnx")
    probabilities = run(session_of(tmp_path / "model.onnx"), model[0].transform(["a gem"]))
    assert probabilities == pytest.approx(model.predict_proba(["a gem"]), abs=TOLERANCE)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (
            make_pipeline(CountVectorizer(), LogisticRegression()),
            "Pipeline of CountVectorizer, Log",
        ),
        (make_pipeline(TextVectorizer()), "Pipeline of TextVectorizer"),
        (TextVectorizer(), "TextVectorizer"),
        (None, "NoneType"),
        ("model.joblib", "str"),
    ],
)
def test_other_models_are_refused(other, what, tmp_path):
    message = rf"takes a Pipeline of a TextVectorizer and a TextCNNClassifier.*; got {what}"
    with pytest.raises(TypeError, match=message):
        export_onnx(other, tmp_path / "model.onnx")


def test_models_that_are_not_fitted_are_refused(small, tmp_path):
    with pytest.raises(NotFittedError, match="TextVectorizer instance is not fitted"):
        export_onnx(make_pipeline(TextVectorizer(), TextCNNClassifier()), tmp_path / "model.onnx")
    with pytest.raises(NotFittedError, match="TextCNNClassifier instance is not fitted"):
        export_onnx(make_pipeline(small[0], TextCNNClassifier()), tmp_path / "model.onnx")
    with pytest.raises(NotFittedError, match="TextCNNClassifier instance is not fitted"):
        export_onnx(TextCNNClassifier(), tmp_path / "model.onnx")


def test_a_vectorizer_that_was_fitted_again_is_refused(small, tmp_path):
    other = TextVectorizer(max_length=small[0].max_length_).fit(["other words here"])
    with pytest.raises(ValueError, match="another vocabulary than the classifier's"):
        export_onnx(Pipeline([("v", other), ("c", small[1])]), tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("name", "function", "known_as"),
    [
        ("tokenizer", str.split, "builtins.str.split"),
        ("tokenizer", "tweet", "nltk.tokenize.TweetTokenizer().tokenize"),
        ("preprocessor", squeezed, "test_onnx.squeezed"),
        ("analyzer", words_and_lengths, "test_onnx.words_and_lengths"),
        ("strip_accents", squeezed, "test_onnx.squeezed"),
    ],
)
def test_functions_must_be_omitted_by_name(name, function, known_as, tmp_path):
    model = fitted(["a gem", "so dull"] * 4, [1, 0] * 4, {name: function}, max_epochs=1)
    full = f"textvectorizer__{name}"
    message = rf"^{full}={re.escape(repr(function))} is a function.*omit=\['{full}'\].*must then"
    with pytest.raises(TypeError, match=message):
        export_onnx(model, tmp_path / "model.onnx")
    export_onnx(model, tmp_path / "model.onnx", omit=full)
    text = metadata_of(tmp_path / "model.onnx")["text"]
    assert text[name] is None
    assert text["omitted"] == {name: known_as}


@pytest.mark.parametrize("name", ["textvectorizer__lowercase", "tokenizer", "nothing"])
def test_what_is_no_function_is_not_omitted(name, small, tmp_path):
    with pytest.raises(ValueError, match=f"omit names {name}, but only functions"):
        export_onnx(small, tmp_path / "model.onnx", omit=[name])


def test_bad_tables_are_named(small, tmp_path):
    with pytest.raises(ValueError, match="tables must be 'auto', 'stored', 'computed'; got 'fast'"):
        export_onnx(small, tmp_path / "model.onnx", tables="fast")
    stacked = fitted(["a gem", "so dull"] * 4, [1, 0] * 4, architecture="stacked", max_epochs=1)
    with pytest.raises(ValueError, match="tables='stored' is for architecture='kim'"):
        export_onnx(stacked, tmp_path / "model.onnx", tables="stored")


def test_files_beyond_the_limit_of_onnx_are_refused_before_they_are_made(
    small, tmp_path, monkeypatch
):
    sizes = {}
    for tables in TABLES:
        export_onnx(small, tmp_path / "model.onnx", tables=tables)
        sizes[tables] = (tmp_path / "model.onnx").stat().st_size
    monkeypatch.setattr(room, "_MOST_BYTES", sizes["computed"])
    export_onnx(small, tmp_path / "model.onnx", tables="computed")
    with pytest.raises(ValueError, match=r"would have .* GiB.*Set tables='computed'"):
        export_onnx(small, tmp_path / "other.onnx", tables="stored")
    monkeypatch.setattr(room, "_MOST_BYTES", sizes["computed"] // 2)
    with pytest.raises(ValueError, match=r"would have .* GiB.*smaller vocabulary, by .*min_df"):
        export_onnx(small, tmp_path / "other.onnx", tables="computed")
    assert not (tmp_path / "other.onnx").exists()


def test_words_that_json_cannot_hold_are_refused(tmp_path):
    # Two halves side by side, which JSON makes one character.
    model = fitted(["\ud83d\ude00 gem", "so dull"] * 4, [1, 0] * 4, {"token_pattern": r"\S+"})
    with pytest.raises(ValueError, match=r"The vocabulary of the model .*surrogate"):
        export_onnx(model, tmp_path / "model.onnx")


def test_without_onnx_the_error_names_the_extra(small, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'sktextcnn\[onnx\]'"):
        export_onnx(small, tmp_path / "model.onnx")


def test_an_error_leaves_the_old_file_and_nothing_else(small, tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    export_onnx(small, path)
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise RuntimeError("the check failed")

    monkeypatch.setattr(onnx.checker, "check_model", fail)
    with pytest.raises(RuntimeError, match="the check failed"):
        export_onnx(small, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


def test_a_missing_folder_is_named(small, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere"):
        export_onnx(small, tmp_path / "nowhere" / "model.onnx")
