"""The page: what is in it, in which order, and that texts and labels cannot change it."""

import base64
import hashlib
import itertools
import re
from importlib import resources

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer, report
from sktextcnn._report import ReportBuilder, matrix
from sktextcnn._report.intervals import Estimate
from sktextcnn._report.measures import measure
from sktextcnn._report.page import fit, label_texts, points
from tests.report.conftest import SMALL, Page


@pytest.fixture(scope="module")
def of_colours(colours):
    model, texts, labels = colours
    return report(model, texts, labels, train_texts=texts, train_labels=labels)


@pytest.fixture(scope="module")
def page(of_colours):
    return Page(of_colours.html)


@pytest.fixture(scope="module")
def many():
    """A model of 77 classes, which has hardly learned anything."""
    labels = [f"class_number_{i}_of_all_that_there_are" for i in range(77)] * 2
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL | {"wide": False}))
    return model.fit([f"about {label.split('_')[2]}" for label in labels], labels)


def test_the_verdict_has_the_scores(of_colours, page):
    accuracy = of_colours.measures["accuracy"]
    verdict = page.all("div", **{"class": "verdict"})[0]
    assert f"right for {100 * accuracy.value:.1f}% of 24 texts" in verdict
    assert f"(95% interval {100 * accuracy.low:.1f} to {100 * accuracy.high:.1f})" in verdict
    assert "TF-IDF and logistic regression is right for" in verdict


def test_the_verdict_says_of_what_the_probabilities_are(of_colours, page):
    error = of_colours.measures["calibration_error"]
    said = f"The model's probabilities are {100 * error:.1f} points off on average."
    assert said in page.all("p")


@pytest.mark.parametrize("kind", ["colours", "several"])
@pytest.mark.parametrize(
    ("difference", "n_different", "said"),
    [
        ((0, -0.1, 0.1), 0, "Both predict the same for all texts."),
        ((0, -0.1, 0.1), 3, "The model is as good (interval of the difference -10.0 to 10.0"),
        ((0.0002, -0.1, 0.1), 3, "The difference of less than 0.1 points may be chance (interval"),
        ((-0.0002, -0.1, 0), 3, "less than 0.1 points may be chance (interval -10.0 to 0.0"),
        ((0.05, -0.1, 0.2), 3, "The difference of 5.0 points may be chance (interval -10.0 to"),
        ((0.05, 0.01, 0.2), 3, "The model is ahead by 5.0 points (interval 1.0 to 20.0)."),
        ((-0.05, -0.2, -0.01), 3, "The model is behind by 5.0 points (interval of the difference"),
    ],
)
def test_the_verdict_on_a_difference(request, monkeypatch, kind, difference, n_different, said):
    changed = {"difference": Estimate(*difference), "n_different": n_different, "p_value": 0.01}

    def other_measure(outcomes):
        measures = measure(outcomes)
        measures["references"][0] |= changed
        return measures

    monkeypatch.setattr("sktextcnn._report.builder.measure", other_measure)
    model, texts, labels = request.getfixturevalue(kind)
    verdict = Page(report(model, texts, labels).html).all("div", **{"class": "verdict"})[0]
    assert said in verdict.replace("\N{MINUS SIGN}", "-")


def test_small_shares_are_said_in_the_same_words_everywhere(monkeypatch, colours):
    def sure(ids):
        return np.tile([[1e-5, 1 - 1e-5, 0]], (len(ids), 1))

    model, texts, _ = colours
    monkeypatch.setattr(model[1], "predict_proba", sure, raising=False)
    page = Page(report(model, texts[:2], ["red", "red"]).html).text
    assert "red was taken for green (over 99.9%)" in page
    assert not re.search(r"[<>] ?[\d.]+\s?%|\d\s%", page.split("N-grams", 2)[1])


def test_the_colours_are_explained_once_above_the_surest_errors(colours, page):
    html = report(*colours).html
    assert html.count("against the class:") == 1
    assert html.index("Each is explained") < html.index("against the class:")
    assert html.index("against the class:") < html.index('<article class="error">')
    right = report(colours[0], ["a red car"], colours[0].predict(["a red car"]))
    assert "against the class:" not in right.html


def test_classes_are_sorted_by_f1_the_worst_first(of_colours, page):
    classes = sorted(of_colours.measures["classes"], key=lambda each: each["f1"])
    headings = page.all("th", scope="row", dir="auto")
    assert headings == [each["label"] for each in classes]
    assert classes[0]["f1"] < classes[-1]["f1"]


def test_headings_are_in_order_and_links_lead_to_them(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    links = [found["href"] for tag, found in page.elements if tag == "a"]
    assert links == [f"#{each}" for each in ids]
    named = [found["aria-labelledby"] for _, found in page.elements if "aria-labelledby" in found]
    assert named == ids


def test_the_page_loads_nothing(page):
    assert dict(page.elements)["html"] == {"lang": "en"}
    for _, found in page.elements:
        assert not {"src", "srcset", "data", "action", "background"} & set(found)
        assert found.get("href", "#").startswith("#")
        assert not [name for name in found if name.startswith("on")]
    assert "url(" not in page.text
    assert "@import" not in page.text


def test_the_policy_allows_the_script_that_is_there(page, of_colours):
    policy = next(
        found["content"]
        for tag, found in page.elements
        if found.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")
    scripts = re.findall(r"<script>(.*?)</script>", of_colours.html, re.S)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy


def test_pictures_and_scrolling_regions_have_names(page):
    for tag, found in page.elements:
        if tag == "svg":
            assert found.get("role") == "img" or found.get("aria-hidden") == "true"
            assert found.get("aria-label") or found.get("aria-hidden")
        if "scroll" in found.get("class", "").split():
            assert found["role"] == "region"
            assert found["tabindex"] == "0"
            assert found["aria-label"]


def test_the_matrix_has_the_counts(of_colours):
    rows = re.findall(r'<tr><th scope="row" title=.*?</tr>', of_colours.html, re.S)
    counts = [[int(n) for n in re.findall(r">(\d+)</td>", row)] for row in rows]
    assert counts == of_colours.measures["confusion_matrix"]


# Many classes -------------------------------------------------------------------------


def test_a_report_of_many_texts_and_classes_is_small(many):
    builder = ReportBuilder(many)
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.full(77, 0.1), 10_000)
    for start in range(0, 100_000, 10_000):
        texts = [f"about {i} " + "z" * 310 for i in range(start, start + 10_000)]
        builder._outcomes.add(texts, rng.integers(0, 77, len(texts)), proba)
    names = {"model": "m", "data": "d", "train": None, "n_left_out": 3}
    found = builder.finish(names)
    assert len(found.html.encode()) < 1_000_000
    page = Page(found.html)
    assert "100,000 texts (3 rows that could not be used left out)" in page.text
    assert "a random sample of at most 25" in page.text
    assert "a random sample of 1,000 texts" in page.text
    assert len(page.all("th", scope="row", dir="auto")) == 77
    assert all(len(text) < 320 for text in page.all("div", **{"class": "text"}))


def test_the_order_of_the_matrix_brings_confused_classes_together():
    counts = np.diag(np.full(20, 50))
    for i, j in [(0, 13), (5, 19), (8, 2)]:
        counts[i, j] = 20
    places = {c: place for place, c in enumerate(matrix.shown_classes(counts))}
    assert sorted(places) == list(range(20))
    for i, j in [(0, 13), (5, 19), (8, 2)]:
        assert abs(places[i] - places[j]) == 1


def test_of_very_many_classes_the_matrix_has_those_that_are_confused():
    counts = np.eye(300, dtype=int)
    counts[7, 290] = counts[123, 4] = 3
    shown = matrix.shown_classes(counts)
    assert len(shown) == matrix.MOST_SHOWN
    assert {7, 290, 123, 4} <= set(shown)
    assert matrix.shown_classes(counts[:15, :15]) == list(range(15))


@pytest.mark.parametrize(
    ("share", "right", "wrong"),
    [(0, 0, 0), (0.01, 1, 1), (0.05, 1, 2), (0.2, 1, 3), (0.21, 2, 3), (0.36, 2, 3), (1, 5, 5)],
)
def test_cells_are_stronger_the_larger_their_share(share, right, wrong):
    n = round(1000 * share)
    first, second = matrix.cells(np.array([[n, 1000 - n], [n, 1000 - n]]), [0, 1])
    assert (first[0].n, first[0].share, first[0].shade) == (n, share, right)
    assert (second[0].n, second[0].share, second[0].shade) == (n, share, wrong)


def test_a_class_without_texts_has_no_shares():
    assert [cell.share for cell in matrix.cells(np.array([[1, 0], [0, 0]]), [0, 1])[1]] == [0, 0]


# Hostile input ------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    "</style></script></title><img src=x onerror=alert(1)>",
    '"\' onmouseover="alert(1)',
    "{{ 7 * 7 }} {% raw %} &lt;b&gt;",
    "\u202eright to left \u2066",
    "\x00\x07\x1b[31m \x85\x0b\x0c\r",
    "\ud800 half \udfff",
    "\ufdd0\ufffe\uffff",
    "👩‍👩‍👧 🏳️‍🌈",
    "سلام دنیا",
    "e" + "\u0301" * 500,
    "x" * 5000,
    "word " * 3000,
    "",
    " \t\n ",
]


@pytest.fixture(scope="module")
def of_hostile():
    labels = [text[:400] for text in HOSTILE]
    texts = [f"{text} n{i}" for i, text in enumerate(HOSTILE)]
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL))
    model.fit(texts * 2, labels * 2)
    shifted = labels[3:] + labels[:3]
    return report(
        model, texts * 2, labels + shifted, model_name="<i>\x00\ud800", data_name="\u202e<script>"
    )


def test_texts_and_labels_are_not_markup(of_hostile, of_colours):
    page = Page(of_hostile.html)
    known = {"wbr"} | {tag for tag, _ in Page(of_colours.html).elements}
    assert {tag for tag, _ in page.elements} <= known
    tags = [tag for tag, _ in page.elements]
    assert [tags.count(tag) for tag in ("script", "style", "title", "img", "i")] == [
        *(1, 1, 1, 0),
        # Of the bars only.
        len(HOSTILE),
    ]
    for _, found in page.elements:
        assert not [name for name in found if name.startswith("on")]
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "49" not in page.all("bdi")


def test_the_page_has_only_characters_that_html_may_have(of_hostile):
    page = of_hostile.html
    assert page.encode("utf-8").decode("utf-8") == page
    bad = [c for c in page if ord(c) < 32 and c not in "\n\t"]
    assert bad == []
    assert not set("\x7f\x85\u202e\u2066\ufdd0\ufffe\uffff") & set(page)
    assert not re.search("\u0301{5}", page)
    assert len(page) < 200_000


def test_labels_that_are_not_seen_are_told_apart(of_hostile):
    headings = Page(of_hostile.html).all("th", scope="row", dir="auto")
    assert len(set(headings)) == len(HOSTILE)
    assert {"''", r"' \t\n '", r"\ud800 half \udfff"} <= set(headings)
    assert all(len(heading) <= 85 for heading in headings)


def test_labels_that_begin_alike_have_numbers():
    assert label_texts(["a", "x" * 90, "x" * 91, 7]) == [
        "a",
        "x" * 80 + "… (2)",
        "x" * 80 + "… (3)",
        "7",
    ]


def test_unfit_characters_are_replaced():
    assert fit("a\r\nb\rc\u2028d") == "a\nb\nc\nd"
    assert fit("a\x00\x0b\u202eb") == "a\ufffd \ufffdb"
    assert fit("سلام\u200cدنیا 👩‍👧 \u200e é\tz") == "سلام\u200cدنیا 👩‍👧 \u200e é\tz"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0.0"), (-0.0001, "0.0"), (0.0001, "0.0"), (-0.0123, "\N{MINUS SIGN}1.2"), (1, "100.0")],
)
def test_points_that_are_rounded_to_zero_have_no_sign(share, text):
    assert points(share) == text


# Colours ------------------------------------------------------------------------------


def palettes():
    style = resources.files("sktextcnn._report").joinpath("template", "page.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", style, re.S)
    light, dark = (dict(re.findall(r"--([\w-]+): #(\w{6});", block)) for block in blocks)
    return {"light": light, "dark": dark}


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(scheme):
    palette = palettes()[scheme]
    assert palette.keys() == palettes()["light"].keys()
    pairs = [(text, ground) for text in ("text", "quiet", "link") for ground in ("page", "card")]
    for kind in ("right", "wrong"):
        pairs += [("on-pale", f"{kind}-{shade}") for shade in (1, 2, 3)]
        pairs += [("on-strong", f"{kind}-{shade}") for shade in (4, 5)]
    for text, ground in pairs:
        assert contrast(palette[text], palette[ground]) >= 4.5, (text, ground)
    # Lines and points of charts, which are not text.
    for line in ("right", "wrong", "quiet"):
        assert contrast(palette[line], palette["page"]) >= 3, line


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_shades_go_from_the_page_to_the_strongest(scheme):
    palette = palettes()[scheme]
    for kind in ("right", "wrong"):
        shades = [contrast(palette[f"{kind}-{i}"], palette["page"]) for i in range(1, 6)]
        assert shades == sorted(shades)
