"""report: models, texts and labels of all kinds, the parts of the page, and errors."""

import json
import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer, explain, report
from sktextcnn._baseline import tfidf_baseline
from sktextcnn._report.explained import WINDOW, shortened
from sktextcnn._report.result import Report
from tests.report.conftest import COLOURS, SMALL, Page, texts_of


def test_the_measures_are_those_of_the_predictions_and_plain_data(colours):
    model, texts, labels = colours
    found = report(model, texts, labels)
    accuracy = accuracy_score(labels, model.predict(texts))
    assert found.measures["accuracy"].value == accuracy < 1
    assert [each["label"] for each in found.measures["classes"]] == sorted(COLOURS)
    assert json.loads(json.dumps(found.measures))["n_texts"] == 24
    assert repr(found) == f"<Report on 24 texts: accuracy {accuracy:.3f}>"


def test_texts_and_labels_may_be_any_container(colours):
    model, texts, labels = colours
    expected = report(model, texts, labels).measures
    for given in (
        (pd.Series(texts, index=range(5, 29)), pd.Series(labels, dtype="category")),
        (np.array(texts), np.array(labels, dtype=object)),
        (iter(texts), tuple(labels)),
    ):
        assert report(model, *given).measures == expected


def test_a_search_has_the_report_of_its_best_model(colours):
    _, texts, labels = colours
    classifier = TextCNNClassifier(**SMALL)
    search = GridSearchCV(
        make_pipeline(TextVectorizer(), classifier), {"textcnnclassifier__dropout": [0.1]}, cv=2
    )
    found = report(search.fit(texts, labels), texts, labels)
    assert found.measures["accuracy"].value == search.score(texts, labels)


def test_the_baseline_is_trained_on_the_given_texts(colours):
    model, texts, labels = colours
    train = texts_of(COLOURS * 5, 7)
    found = report(model, texts, labels, train_texts=train, train_labels=COLOURS * 5)
    names = [each["name"] for each in found.measures["references"]]
    assert names == [
        "TF-IDF and logistic regression",
        "Its linear part alone",
        "Always the same answer",
    ]
    baseline, linear, constant = found.measures["references"]
    expected = tfidf_baseline().fit(train, COLOURS * 5).predict(texts)
    assert baseline["accuracy"].value == accuracy_score(labels, expected)
    ids = model[0].transform(texts)
    alone = model[1].classes_[model[1]._wide.logits(np.asarray(ids)).argmax(axis=1)]
    assert linear["accuracy"].value == accuracy_score(labels, alone)
    assert constant["accuracy"].value == labels.count("blue") / 24
    assert "trained on the 15 texts of train_texts" in found.html
    n_known = sum(text in train for text in texts)
    assert n_known
    assert f"{n_known} texts of the 24 are among the training texts, too" in found.html


def test_a_network_alone_is_compared_with_the_most_frequent_class(colours):
    _, texts, labels = colours
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(wide=False, **SMALL))
    found = report(model.fit(texts, labels), texts, labels)
    assert [each["name"] for each in found.measures["references"]] == ["Always the same answer"]


def test_several_labels(several):
    model, texts, targets = several
    found = report(model, texts, targets, train_texts=texts, train_labels=targets)
    micro = f1_score(targets, model.predict(texts), average="micro")
    assert found.measures["micro_f1"].value == pytest.approx(micro)
    assert repr(found) == f"<Report on 20 texts: micro_f1 {micro:.3f}>"
    page = Page(found.html)
    assert "F1 over all labels (micro) is" in page.text
    assert "so there is none" in page.text
    assert not page.all("table", **{"class": "matrix"})
    assert re.search(r"0 was (missed \(probability|given wrongly \()", page.text)
    # The best of all constant answers.
    constant = found.measures["references"][-1]
    best = max(
        f1_score(targets, np.tile(answer, (20, 1)), average="micro", zero_division=0)
        for answer in np.ndindex(2, 2, 2)
    )
    assert constant["micro_f1"].value == pytest.approx(best)


def test_labels_that_are_numbers_and_classes_that_the_data_lacks(colours):
    _, texts, _ = colours
    labels = [-1, 7, 10] * 8
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL)).fit(texts, labels)
    found = report(model, texts[:2], labels[:2])
    assert [each["label"] for each in found.measures["classes"]] == [-1, 7, 10]
    rows = re.findall(r'<tr><th scope="row" dir="auto">(.*?)</th>(.*?)</tr>', found.html, re.S)
    assert rows[-1][0] == "10"
    assert rows[-1][1].count("–") == 3


def test_a_single_text_that_is_right(colours):
    model, texts, _ = colours
    found = report(model, texts[1:2], model.predict(texts[1:2]))
    assert found.measures["accuracy"].value == 1
    page = Page(found.html)
    assert "100.0% of 1 text (95% interval 20.7 to 100.0)" in page.text
    assert page.text.count("There are none.") == 2


def test_texts_without_words(colours):
    model, _, _ = colours
    found = report(model, ["", " "], ["red", "blue"])
    assert "The texts have no words." in found.html


def test_other_networks_have_no_ngrams_and_no_explanations_without_captum(colours, monkeypatch):
    def refuse(*_):
        raise ImportError("no captum")

    monkeypatch.setattr("sktextcnn._report.explained.explain", refuse)
    _, texts, labels = colours
    classifier = TextCNNClassifier(hidden_units=2, **SMALL)
    model = make_pipeline(TextVectorizer(), classifier).fit(texts, labels)
    text = Page(report(model, texts, labels).html).text
    assert "not sums over n-grams" in text
    assert "pip install 'sktextcnn[explain]'" in text


# Long texts ---------------------------------------------------------------------------


def test_the_part_of_a_long_text_with_most_evidence_is_explained():
    vectorizer = TextVectorizer(max_length=2000)
    model = make_pipeline(vectorizer, TextCNNClassifier(**SMALL)).fit(COLOURS, COLOURS)
    filler = "of cars and houses "
    text = filler * 100 + "red blue green " * 5 + filler * 100
    whole = explain(model, [text])[0]
    # Whatever the model has learned, only the colours count here.
    is_colour = np.array([token in COLOURS for token in whole.tokens])
    contributions = is_colour[:, None] * np.array([0.1, 0.2, -0.7])
    whole = replace(whole, token_contributions=contributions)
    part = shortened(whole, "red")
    assert len(part.text) == WINDOW
    assert "red blue green" in part.text
    assert part.text in text
    for (start, end), token in zip(part.token_spans.tolist(), part.tokens, strict=True):
        assert part.text[start:end].lower() in token
    assert part.token_contributions.any(axis=1).sum() == 15
    assert len(part.spans) == len(part.contributions) == len(part.span_tokens)
    assert (part.spans >= 0).all()
    assert (part.spans <= WINDOW).all()
    assert "blue" in part.to_html("red")
    short = explain(model, ["a red car"])[0]
    assert shortened(short, "red") is short


@pytest.mark.parametrize("text", ["x" * 5000, " " * 5000, "red " + "x" * 5000])
def test_a_text_that_is_one_long_word_or_none(colours, text):
    model, _, _ = colours
    part = shortened(explain(model, [text])[0], "red")
    assert len(part.text) == WINDOW
    assert len(part.to_html("red")) < 5000


def test_the_page_says_how_much_of_a_text_it_shows(colours):
    model, _, _ = colours
    text = "a red car " + "of doors " * 1000
    wrong = next(each for each in COLOURS if each != model.predict([text])[0])
    found = report(model, [text], [wrong])
    assert "Shown are 600 of the text's 9,010 characters" in found.html
    assert len(found.html) < 60_000


# The card -----------------------------------------------------------------------------

CARD = {
    "trained": "2026-01-02T03:04:05+00:00",
    "n_texts": 4321,
    "class_counts": [1111, 2222, 988],
    "seconds": 12.3,
    "versions": {"sktextcnn": "9.8.7", "torch": "2.99", "scikit-learn": "1.99"},
    "held_out": {"n_texts": 99, "accuracy": 0.875, "log_loss": 0.321},
    "data": "colours.csv",
    "test": {"n_texts": 77, "accuracy": 0.81, "baseline_accuracy": 0.76},
}


@pytest.fixture
def carded(colours, monkeypatch):
    model, texts, labels = colours
    monkeypatch.setattr(model[1], "card_", CARD, raising=False)
    return model, texts, labels


def test_the_card_of_a_model_is_shown(carded):
    page = Page(report(*carded).html)
    text = page.text.replace("\xa0", " ")
    facts = [fact.replace("\xa0", " ") for fact in page.all("dd")]
    assert "2026-01-02T03:04:05+00:00, in 12 s" in facts
    assert "4,321 texts of colours.csv" in facts
    assert "99 texts: accuracy 87.5% log loss 0.321" in facts
    assert "right for 81.0% of 77 other texts, and TF-IDF and logistic regression for 76.0%" in (
        text
    )
    assert "sktextcnn 9.8.7, torch 2.99" in text
    assert "Texts in training" in text
    assert "1,111" in text


@pytest.mark.parametrize("missing", [*CARD, "baseline_accuracy", "all"])
def test_a_card_may_lack_a_part(carded, monkeypatch, missing):
    model, texts, labels = carded
    card = {name: value for name, value in CARD.items() if name != missing}
    if missing == "baseline_accuracy":
        card["test"] = {"n_texts": 77, "accuracy": 0.81}
    monkeypatch.setattr(model[1], "card_", None if missing == "all" else card)
    page = report(model, texts, labels).html
    assert ("This model has no card" in page) == (missing == "all")


def test_parameters_that_are_not_defaults_are_shown(colours):
    page = report(*colours).html
    assert "<code>num_filters=3</code>" in page
    assert "<code>max_epochs=20</code>" in page
    assert "<code>dropout" not in page
    assert "random_state=0" in page


def test_paths_of_the_machine_are_not_shown(colours, tmp_path):
    _, texts, labels = colours
    path = tmp_path / "secret-folder" / "vectors.txt"
    path.parent.mkdir()
    path.write_text("red 1 2\ngreen 3 4\nblue 5 6\n", encoding="utf-8")
    model = make_pipeline(TextVectorizer(embeddings=str(path)), TextCNNClassifier(**SMALL))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(texts, labels)
    page = report(model, texts, labels).html
    assert "secret-folder" not in page
    assert "vectors.txt" in page
    assert "of the different words have a vector in" in page


# The object ---------------------------------------------------------------------------


def test_a_report_is_saved_completely_or_not_at_all(tmp_path):
    found = Report("<p>é</p>", {})
    path = tmp_path / "page.html"
    found.save(path)
    assert path.read_bytes() == "<p>é</p>".encode()
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        found.save(tmp_path / "nowhere" / "page.html")
    with pytest.raises(IsADirectoryError, match="give the path of a file"):
        found.save(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]


def test_a_notebook_shows_the_page_in_a_frame(colours):
    found = report(*colours)
    frame = Page(found._repr_html_())
    assert [tag for tag, _ in frame.elements] == ["iframe"]
    assert frame.elements[0][1]["srcdoc"] == found.html
    assert frame.elements[0][1]["sandbox"] == "allow-scripts"


# Errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "labels", "options", "error", "message"),
    [
        ([], [], {}, ValueError, "texts is empty; a report needs at least one text"),
        (["a"], None, {}, ValueError, "labels is None; a report needs the label of each text"),
        (["a"], ["red", "red"], {}, ValueError, "texts has 1 texts, but labels has 2 labels"),
        (["a"], ["pink"], {}, ValueError, "labels has the label 'pink', which is not one of"),
        (["a"], [[0, 1, 1]], {}, ValueError, "labels must be labels, as in the training so far"),
        ("a", ["red"], {}, TypeError, "must be an iterable of texts"),
        (["a"], ["red"], {"train_texts": ["a"]}, ValueError, "train_labels is missing. Give both"),
        (["a"], ["red"], {"train_labels": ["a"]}, ValueError, "train_texts is missing. Give both"),
        (
            ["a"],
            ["red"],
            {"train_texts": ["a b", "b a"], "train_labels": ["red", "red"]},
            ValueError,
            "all training texts have the same label",
        ),
        (
            ["a"],
            ["red"],
            {"train_texts": ["a", "b"], "train_labels": ["red", "blue"]},
            ValueError,
            "the training texts have no words of two or more characters",
        ),
    ],
)
def test_input_that_cannot_be_used(colours, texts, labels, options, error, message):
    with pytest.raises(error, match=message):
        report(colours[0], texts, labels, **options)


def test_models_that_cannot_be_used():
    with pytest.raises(TypeError, match="report takes a Pipeline of a TextVectorizer and"):
        report(LogisticRegression(), ["a"], ["b"])
    with pytest.raises(NotFittedError):
        report(make_pipeline(TextVectorizer(), TextCNNClassifier()), ["a"], ["b"])
