"""Which Pipelines explain, save and export_onnx take, and what they say of others."""

import re

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sktextcnn import (
    TextCNNClassifier,
    TextVectorizer,
    TrainingHistoryDisplay,
    explain,
    export_onnx,
    load,
    save,
)

TEXTS = ["a gem of wit", "so dull a film", "a witty gem", "dull, dull film", "wit"] * 4
LABELS = ["good", "bad", "good", "bad", "good"] * 4


def without_tags(texts):
    return [re.sub("<[^>]*>", "", text) for text in texts]


def clean():
    return FunctionTransformer(without_tags)


def vectorizer():
    return TextVectorizer()


def classifier():
    return TextCNNClassifier(max_epochs=1, num_filters=2, embedding_dim=4, random_state=0)


TAKEN = {
    "a sampler": lambda: make_imblearn_pipeline(vectorizer(), RandomOverSampler(), classifier()),
    "an inner Pipeline": lambda: make_pipeline(make_pipeline(vectorizer(), classifier())),
    "an inner Pipeline of one": lambda: make_pipeline(make_pipeline(vectorizer()), classifier()),
    "steps that do nothing": lambda: Pipeline(
        [("no", "passthrough"), ("ids", vectorizer()), ("none", None), ("cnn", classifier())]
    ),
}


@pytest.mark.parametrize("name", TAKEN)
def test_pipelines_whose_prediction_is_by_our_two_steps_are_taken(name, tmp_path):
    model = TAKEN[name]().fit(TEXTS, LABELS)
    expected = model.predict_proba(TEXTS)
    found = explain(model, TEXTS[:2])
    logits = np.array([explanation.logits for explanation in found])
    np.testing.assert_allclose(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), expected[:2])
    save(model, tmp_path / "model.sktextcnn")
    loaded = load(tmp_path / "model.sktextcnn")
    assert [type(step) for _, step in loaded.steps] == [TextVectorizer, TextCNNClassifier]
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), expected)
    assert loaded.fit(TEXTS, LABELS).score(TEXTS, LABELS) >= 0
    TrainingHistoryDisplay.from_estimator(model)
    pytest.importorskip("onnx")
    export_onnx(model, tmp_path / "model.onnx")


# What to pass instead, and how to prepare texts for it.
REFUSED = {
    "model[1:]": lambda: make_pipeline(clean(), vectorizer(), classifier()),
    "model[2:]": lambda: make_pipeline(clean(), clean(), vectorizer(), classifier()),
    "model[1]": lambda: make_pipeline(clean(), make_pipeline(vectorizer(), classifier())),
    "model[0][1:]": lambda: make_pipeline(make_pipeline(clean(), vectorizer(), classifier())),
    "make_pipeline(model[0][1], model[1])": lambda: make_pipeline(
        make_pipeline(clean(), vectorizer()), classifier()
    ),
}


@pytest.mark.parametrize("part", REFUSED)
def test_of_pipelines_with_other_steps_the_error_names_the_part_to_pass(part, tmp_path):
    model = REFUSED[part]().fit([f"<b>{text}</b>" for text in TEXTS], LABELS)
    message = re.escape(f"Pass its last two steps, {part}, and texts as the steps before return")
    path = tmp_path / "model"
    for call in (lambda m: explain(m, TEXTS), lambda m: save(m, path)):
        with pytest.raises(TypeError, match=message):
            call(model)
    assert not path.exists()
    inner = eval(part, {"model": model, "make_pipeline": make_pipeline})
    save(inner, path)
    np.testing.assert_array_equal(load(path).predict(TEXTS), model.predict(TEXTS))
    assert len(explain(inner, TEXTS)) == len(TEXTS)


def test_of_a_search_the_part_is_one_of_its_best_model():
    model = make_pipeline(clean(), vectorizer(), classifier())
    search = GridSearchCV(model, {"textcnnclassifier__dropout": [0.1]}, cv=2).fit(TEXTS, LABELS)
    with pytest.raises(TypeError, match=r"Pass its last two steps, model.best_estimator_\[1:\]"):
        explain(search, TEXTS)


def test_other_last_steps_have_no_part_to_pass(tmp_path):
    model = make_pipeline(vectorizer(), LogisticRegression()).fit(TEXTS, LABELS)
    with pytest.raises(TypeError, match=r"got Pipeline of TextVectorizer, LogisticRegression\.$"):
        explain(model, TEXTS)
    with pytest.raises(TypeError, match=r"got LogisticRegression\. joblib and skops store other"):
        save(model, tmp_path / "model")
