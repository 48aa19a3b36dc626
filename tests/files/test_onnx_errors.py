"""What export_onnx refuses, and with which message."""

import re
import sys

import onnx
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer, export_onnx
from sktextcnn._files import onnx_export
from sktextcnn._network.modules import KimCNN
from tests.files.onnx_helpers import (
    TABLES,
    TOLERANCE,
    fitted,
    metadata_of,
    run,
    session_of,
    squeezed,
    words_and_lengths,
)

# Errors -------------------------------------------------------------------------------


class OwnNetwork(torch.nn.Module):
    def __init__(self, num_embeddings, embedding_dim, num_outputs, num_filters):
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


def test_models_that_are_not_fitted_are_refused(small_model, tmp_path):
    with pytest.raises(NotFittedError, match="TextVectorizer instance is not fitted"):
        export_onnx(make_pipeline(TextVectorizer(), TextCNNClassifier()), tmp_path / "model.onnx")
    with pytest.raises(NotFittedError, match="TextCNNClassifier instance is not fitted"):
        export_onnx(make_pipeline(small_model[0], TextCNNClassifier()), tmp_path / "model.onnx")
    with pytest.raises(NotFittedError, match="TextCNNClassifier instance is not fitted"):
        export_onnx(TextCNNClassifier(), tmp_path / "model.onnx")


def test_a_vectorizer_that_was_fitted_again_is_refused(small_model, tmp_path):
    other = TextVectorizer(max_length=small_model[0].max_length_).fit(["other words here"])
    with pytest.raises(ValueError, match="another vocabulary than the classifier's"):
        export_onnx(Pipeline([("v", other), ("c", small_model[1])]), tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("name", "function", "known_as"),
    [
        ("tokenizer", str.split, "builtins.str.split"),
        ("tokenizer", "tweet", "nltk.tokenize.TweetTokenizer().tokenize"),
        ("preprocessor", squeezed, "tests.files.onnx_helpers.squeezed"),
        ("analyzer", words_and_lengths, "tests.files.onnx_helpers.words_and_lengths"),
        ("strip_accents", squeezed, "tests.files.onnx_helpers.squeezed"),
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


def asked_for(model, path):
    """The name that the error says to omit."""
    with pytest.raises(TypeError, match=r"is a function.*Export with omit=\['") as caught:
        export_onnx(model, path)
    return re.search(r"omit=\['(\w+)'\]", str(caught.value))[1]


@pytest.mark.parametrize("steps", [("textvectorizer", "textcnnclassifier"), ("words", "cnn")])
def test_functions_have_the_names_of_the_error_and_of_get_params(steps, tmp_path):
    texts, y = ["a gem", "so dull"] * 4, [1, 0] * 4
    parts = fitted(texts, y, {"tokenizer": str.split}, max_epochs=1, num_filters=2)
    pipeline = Pipeline(list(zip(steps, [part for _, part in parts.steps], strict=True)))
    search = GridSearchCV(pipeline, {f"{steps[1]}__max_epochs": [1]}, cv=2).fit(texts, y)
    path = tmp_path / "model.onnx"
    for model in (pipeline, search):
        names = [name for name in model.get_params() if name.endswith(f"{steps[0]}__tokenizer")]
        assert len(names) == 1
        for name in (*names, asked_for(model, path), [*names, asked_for(model, path)]):
            export_onnx(model, path, omit=name)
            omitted = metadata_of(path)["text"]["omitted"]
            assert omitted == {"tokenizer": "builtins.str.split"}
    for model, name in ((pipeline, f"estimator__{steps[0]}__tokenizer"), (search, "tokenizer")):
        with pytest.raises(ValueError, match=rf"omit names {name}.*, such as '{steps[0]}__tok"):
            export_onnx(model, path, omit=[name, f"{steps[0]}__tokenizer"])


def test_a_classifier_alone_has_no_functions_to_omit(small_model, tmp_path):
    with pytest.raises(ValueError, match="omit names v__tokenizer, but a classifier alone has no"):
        export_onnx(small_model[1], tmp_path / "model.onnx", omit=["v__tokenizer"])


@pytest.mark.parametrize("name", ["textvectorizer__lowercase", "tokenizer", "nothing"])
def test_what_is_no_function_is_not_omitted(name, small_model, tmp_path):
    with pytest.raises(ValueError, match=f"omit names {name}, but only functions"):
        export_onnx(small_model, tmp_path / "model.onnx", omit=[name])


def test_bad_tables_are_named(small_model, tmp_path):
    with pytest.raises(ValueError, match="tables must be 'auto', 'stored', 'computed'; got 'fast'"):
        export_onnx(small_model, tmp_path / "model.onnx", tables="fast")
    stacked = fitted(["a gem", "so dull"] * 4, [1, 0] * 4, architecture="stacked", max_epochs=1)
    with pytest.raises(ValueError, match="tables='stored' is for architecture='kim'"):
        export_onnx(stacked, tmp_path / "model.onnx", tables="stored")


def test_files_beyond_the_limit_of_onnx_are_refused_before_they_are_made(
    small_model, tmp_path, monkeypatch
):
    sizes = {}
    for tables in TABLES:
        export_onnx(small_model, tmp_path / "model.onnx", tables=tables)
        sizes[tables] = (tmp_path / "model.onnx").stat().st_size
    monkeypatch.setattr(onnx_export, "_MOST_BYTES", sizes["computed"])
    export_onnx(small_model, tmp_path / "model.onnx", tables="computed")
    with pytest.raises(ValueError, match=r"would have .* GiB.*Set tables='computed'"):
        export_onnx(small_model, tmp_path / "other.onnx", tables="stored")
    monkeypatch.setattr(onnx_export, "_MOST_BYTES", sizes["computed"] // 2)
    with pytest.raises(ValueError, match=r"would have .* GiB.*smaller vocabulary, with .*min_df"):
        export_onnx(small_model, tmp_path / "other.onnx", tables="computed")
    assert not (tmp_path / "other.onnx").exists()


def test_words_that_json_cannot_hold_are_refused(tmp_path):
    # Two halves side by side, which JSON makes one character.
    model = fitted(["\ud83d\ude00 gem", "so dull"] * 4, [1, 0] * 4, {"token_pattern": r"\S+"})
    with pytest.raises(ValueError, match=r"The vocabulary of the model .*surrogate"):
        export_onnx(model, tmp_path / "model.onnx")


def test_without_onnx_the_error_names_the_extra(small_model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'sktextcnn\[onnx\]'"):
        export_onnx(small_model, tmp_path / "model.onnx")


def test_an_error_leaves_the_old_file_and_nothing_else(small_model, tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    export_onnx(small_model, path)
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise RuntimeError("the check failed")

    monkeypatch.setattr(onnx.checker, "check_model", fail)
    with pytest.raises(RuntimeError, match="the check failed"):
        export_onnx(small_model, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


def test_a_missing_folder_is_named(small_model, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere"):
        export_onnx(small_model, tmp_path / "nowhere" / "model.onnx")
