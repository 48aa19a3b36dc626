"""examples/serve_onnx.py, which serves ONNX files with NumPy and onnxruntime alone."""

import json
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
import pytest
from nltk.tokenize import WordPunctTokenizer

from sktextcnn import export_onnx
from sktextcnn._files import onnx_export
from tests.files.onnx_helpers import ODD_TEXTS, TOLERANCE, fitted, squeezed, words_and_lengths

EXAMPLE = Path(__file__).parents[2] / "examples" / "serve_onnx.py"


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
    "don’t обʼєкт צה״ל में می‌خواهم ho\u0308ren J\u030c \u1112\u1161\u11ab so\xadft ሰላም፡ለዓለም",
    "   ",
    "",
]


# Serving without torch and scikit-learn -----------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"lowercase": False},
        {"normalize": None},
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
    names = [name for name in onnx_export._FUNCTIONS if callable(settings.get(name))]
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


def test_the_example_needs_numpy_and_onnxruntime_alone(docstrings_model, corpus, tmp_path):
    model = docstrings_model
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
def url(small_model, serve_onnx, tmp_path, monkeypatch):
    export_onnx(small_model, tmp_path / "model.onnx")
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


def test_the_example_answers_requests(small_model, url):
    texts = ["a gem", "so dull", ""]
    with urllib.request.urlopen(url, json.dumps({"texts": texts}).encode()) as response:
        answer = json.load(response)
    assert answer["labels"] == small_model.predict(texts).tolist()
    assert answer["classes"] == [0, 1]
    expected = small_model.predict_proba(texts)
    assert np.array(answer["probabilities"]) == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("body", [b"", b"{", b'{"texts": "a gem"}', b'["a"]', b'{"texts": [1]}'])
def test_the_example_refuses_other_requests(body, url):
    with pytest.raises(urllib.error.HTTPError, match="400") as caught:
        urllib.request.urlopen(urllib.request.Request(url, body, method="POST"))
    with caught.value as response:
        assert 'Send {"texts": [...]}' in json.load(response)["error"]


def test_the_example_says_what_is_wrong_with_a_file(small_model, serve_onnx, tmp_path):
    path = tmp_path / "model.onnx"
    export_onnx(small_model[1], path)
    with pytest.raises(ValueError, match="exported without a vectorizer"):
        serve_onnx.TextModel(str(path))
    proto = onnx.load(path)
    onnx.helper.set_model_props(proto, {"sktextcnn": '{"format_version": 3}'})
    onnx.save(proto, path)
    with pytest.raises(ValueError, match="has a newer format"):
        serve_onnx.TextModel(str(path))
    onnx.helper.set_model_props(proto, {"other": "1"})
    onnx.save(proto, path)
    with pytest.raises(ValueError, match=r"not written by sktextcnn\.export_onnx"):
        serve_onnx.TextModel(str(path))


def test_the_example_asks_for_functions_and_for_lists(serve_onnx, tmp_path):
    model = fitted(NASTY_TEXTS * 2, [0, 1] * len(NASTY_TEXTS), {"tokenizer": jieba.lcut})
    path = str(tmp_path / "model.onnx")
    export_onnx(model, path, omit=["textvectorizer__tokenizer"])
    with pytest.raises(ValueError, match=r"omits the tokenizer, which was jieba\.\S*lcut\. Pass"):
        serve_onnx.TextModel(path)
    with pytest.raises(ValueError, match="does not omit 'preprocessor'"):
        serve_onnx.TextModel(path, tokenizer=jieba.lcut, preprocessor=str.lower)
    with pytest.raises(TypeError, match="texts must be a list of str; got a single str"):
        serve_onnx.TextModel(path, tokenizer=jieba.lcut).predict("a gem")
