"""What an explanation looks like: colours, headings, legends, the rival class and the truth."""

import html
import re
from dataclasses import replace

import numpy as np
import pytest

from sktextcnn import Explanation
from sktextcnn._inspection import rendering
from sktextcnn._inspection.rendering import STEPS, percent, step

# Background and text of pages: browsers, notebooks and documentation, light and dark.
PAGES = {
    "browser, light": ("#ffffff", "#000000"),
    "Jupyter, light": ("#ffffff", "#212121"),
    "editor, light": ("#ffffff", "#3b3b3b"),
    "Chromium, dark": ("#121212", "#ffffff"),
    "Firefox, dark": ("#1c1b22", "#fbfbfe"),
    "Jupyter, dark": ("#111111", "#e0e0e0"),
    "editor, dark": ("#1f1f1f", "#cccccc"),
    "hosted notebook, dark": ("#383838", "#e3e3e3"),
    "documentation, dark": ("#131416", "#ced6dd"),
}


def rgb(colour):
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)


def terminal_colour(number):
    """The colour of a number from 16 on, of the 256 of terminals."""
    if number >= 232:
        return np.full(3, 8.0 + 10 * (number - 232))
    levels = np.array([0, 95, 135, 175, 215, 255], dtype=float)
    number -= 16
    return levels[[number // 36, number // 6 % 6, number % 6]]


def luminance(colour):
    c = colour / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a, b):
    """The contrast of WCAG 2."""
    dark, light = sorted([luminance(a), luminance(b)])
    return (light + 0.05) / (dark + 0.05)


def an_explanation(values, text=None, *, classes=("a", "b", "c"), multilabel=False, logits=None):
    """An explanation of words w0, w1, ..., whose n-grams are the words."""
    values = np.asarray(values, dtype=float)
    words = [f"w{i}" for i in range(len(values))] if text is None else text.split()
    text = " ".join(words)
    starts = np.cumsum([0, *(len(word) + 1 for word in words)])[:-1]
    spans = np.stack([starts, starts + [len(word) for word in words]], axis=1)
    total = values.sum(axis=0) if logits is None else np.asarray(logits, dtype=float)
    odds = np.exp(total)
    return Explanation(
        text=text,
        classes=np.array(classes),
        logits=total,
        probabilities=odds / (1 + odds) if multilabel else odds / odds.sum(),
        spans=spans,
        span_tokens=np.stack([np.arange(len(words)), np.arange(len(words)) + 1], axis=1),
        contributions=values,
        remainder=total - values.sum(axis=0),
        tokens=tuple(words),
        token_spans=spans,
        token_contributions=values,
        token_remainder=total - values.sum(axis=0),
        method="exact",
        multilabel=multilabel,
    )


def of_two(*evidence):
    """An explanation whose words have this evidence for "b", of two classes."""
    return an_explanation([(0, value) for value in evidence], classes=("a", "b"))


# Colours ------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("sign", [1, -1])
def test_words_have_contrast_on_light_and_dark_pages(page, sign):
    below, text = map(rgb, PAGES[page])
    marked = of_two(*(sign * value for value in STEPS)).to_html("b")
    seen = re.findall(r"rgba\((\d+),(\d+),(\d+),([\d.]+)\)", marked)
    assert len(seen) == len(STEPS)
    contrasts = []
    for *colour, opacity in seen:
        alpha = float(opacity)
        contrasts.append(
            contrast(alpha * np.array(colour, dtype=float) + (1 - alpha) * below, text)
        )
    assert min(contrasts) >= 4.5
    # Each step is farther from the page than the one before.
    assert contrasts == sorted(contrasts, reverse=True)


def test_tables_have_the_colour_of_the_text():
    # Without a doctype, those of browsers are black.
    assert "<table style='color:inherit" in of_two(1.0).to_html("b")


def test_words_have_contrast_in_terminals():
    shown = of_two(*STEPS, *(-value for value in STEPS)).to_ansi("b")
    seen = re.findall(r"38;5;(\d+);48;5;(\d+)m", shown)
    assert len(set(seen)) == 2 * (len(STEPS) - 2)
    for text, below in seen:
        # Themes change the first 16 colours.
        assert int(text) >= 16
        assert int(below) >= 16
        assert contrast(terminal_colour(int(text)), terminal_colour(int(below))) >= 4.5
    # Stronger evidence has more colour.
    for numbers in (rendering.BLUES, rendering.ORANGES):
        spread = [np.ptp(terminal_colour(number)) for number in numbers]
        assert spread == sorted(spread)


def test_the_same_number_has_the_same_colour_in_all_texts():
    for shown in (Explanation.to_html, Explanation.to_ansi):
        alone, beside = shown(of_two(0.7), "b"), shown(of_two(0.7, 9.0), "b")
        colour = r"rgba\([^)]*\)|48;5;\d+"
        assert re.findall(colour, alone)[0] == re.findall(colour, beside)[0]
    assert "rgba" not in of_two(0.02, -0.04).to_html("b")
    assert "\x1b" not in of_two(0.02, -0.14).to_ansi("b")
    values = (0, 0.04, -0.05, 0.3, 0.4, -1.9, 2, 4, 99)
    assert [step(value) for value in values] == [0, 0, 1, 2, 3, 4, 5, 6, 6]


def test_evidence_against_a_class_is_seen_without_colours():
    explanation = of_two(3.0, -3.0)
    marks = re.findall(r"<span title='(.)[^>]*style='([^']*)'", explanation.to_html("b"))
    assert [(sign, "underline" in style) for sign, style in marks] == [("+", False), ("-", True)]
    assert re.findall(r"\x1b\[(\d);38", explanation.to_ansi("b")) == ["1", "4"]
    assert re.findall(r"\x1b\[(\d)m", of_two(0.2, -0.2).to_ansi("b")) == ["1", "0", "4", "0"]


@pytest.mark.parametrize(
    ("legend", "steps"),
    # Terminals do not show the first step.
    [(Explanation.html_legend, STEPS), (Explanation.ansi_legend, STEPS[1:])],
)
def test_a_legend_shows_each_colour_with_its_number(legend, steps):
    colour = r"(rgba\([^)]*\)|\x1b\[[^m]*m)(?:[^>]*>)?(?:&nbsp;| )([-+][.\d]+)"
    shown = {float(number): found for found, number in re.findall(colour, legend(of_two(1.0)))}
    assert sorted(shown) == sorted([*steps, *(-value for value in steps)])
    page = of_two(*shown).to_html("b") + of_two(*shown).to_ansi("b")
    assert all(found in page for found in shown.values())


def test_a_legend_says_what_the_numbers_are():
    two, three = of_two(1.0), an_explanation([(1, 0, 0)])
    several = an_explanation([(1, 0, 0)], multilabel=True)
    assert "minus what they add to that of the other class. +1 multiplies" in two.html_legend()
    assert "minus the mean of what they add to those of the others" in three.html_legend()
    assert "add to the logit of the class. +1 multiplies" in several.html_legend()
    for each in (two, three, several):
        assert "They are exact: those of all n-grams" in " ".join(each.ansi_legend().split())
        assert each.html_legend() in each._repr_html_().replace(
            "</div></div></div>", "</div></div>"
        )
    other = replace(two, method="integrated gradients")
    assert "They are integrated gradients: " in other.html_legend()
    assert "exact:" not in other.html_legend()


# Headings -----------------------------------------------------------------------------


def heading(explanation, label=None, **options):
    return explanation.to_ansi(label, **options).splitlines()


def test_three_classes_are_named_with_their_probabilities():
    logits = np.log([0.05, 0.6, 0.25, 0.1])
    explanation = an_explanation([(0, 1, 0, 0)], classes=tuple("abcd"), logits=logits)
    assert heading(explanation)[0] == "b 60.0%, c 25.0%, d 10.0%"
    assert heading(explanation, "a")[:2] == [
        "b 60.0%, c 25.0%, d 10.0%, a 5.0%",
        "evidence for a:",
    ]
    assert "<div><b><bdi>b</bdi> 60.0%</b>, <bdi>c</bdi> 25.0%, " in explanation.to_html()
    assert heading(of_two(1.0))[0] == "b 73.1%, a 26.9%"


def test_of_several_labels_all_predicted_ones_are_named():
    classes = tuple("abcde")
    several = an_explanation([(1, 2, 3, 4, -1)], classes=classes, multilabel=True)
    assert heading(several)[0] == "d 98.2%, c 95.3%, b 88.1%, a 73.1%"
    none = an_explanation([(-1, -2, -3, -4, -5)], classes=classes, multilabel=True)
    assert heading(none)[0] == "no label: a 26.9%, b 11.9%, c 4.7%"
    assert "rather than" not in several.to_html() + none.to_ansi()


def test_probabilities_are_neither_rounded_to_nothing_nor_to_certainty():
    shown = [percent(p) for p in (0.0, 1e-9, 0.0004, 0.0123, 0.5, 0.9994, 0.99961, 1.0)]
    assert shown[:4] == ["0.0%", "under 0.1%", "under 0.1%", "1.2%"]
    assert shown[4:] == ["50.0%", "99.9%", "over 99.9%", "100.0%"]


def test_the_true_label_is_shown_beside_the_prediction():
    explanation = an_explanation([(2, 1, 0)], classes=("<a>", "b", "c"))
    assert heading(explanation, true="<a>")[1] == "true label: <a> (right)"
    assert heading(explanation, true="b")[1] == "true label: b (wrong)"
    assert "true label: <bdi>&lt;a&gt;</bdi> (right)" in explanation.to_html(true="<a>")
    assert "true label" not in explanation.to_html() + explanation.to_ansi()
    several = an_explanation([(2, 1, -1)], multilabel=True)
    assert heading(several, true=["b", "a"])[1] == "true labels: a, b (right)"
    assert heading(several, true=np.array(["a"]))[1] == "true label: a (wrong)"
    assert heading(several, true=[])[1] == "true labels: none (wrong)"


def test_true_labels_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"true='z' is not one of the classes \['a', 'b', 'c'\]"):
        an_explanation([(2, 1, 0)]).to_html(true="z")
    several = an_explanation([(2, 1, -1)], multilabel=True)
    with pytest.raises(TypeError, match=r"true must be a list of the true labels .* got 'a'"):
        several.to_html(true="a")
    with pytest.raises(ValueError, match="an entry of true='z' is not one of the classes"):
        several.to_ansi(true=["a", "z"])


# What tells two classes apart ---------------------------------------------------------


def test_the_rival_is_told_apart_by_the_largest_differences_in_both_directions():
    values = [(5, 5, 0), (3, 1, 0), (1, 0, 0), (0, 1.5, 0), (0, 0.04, 9), (1, 0.5, 0), (1, 0.8, 0)]
    explanation = an_explanation(values, logits=(3, 2, 1))
    last = heading(explanation)[-1]
    assert last == '  rather than b 24.5%: "w1" +2.00, "w2" +1.00, "w5" +0.50; but "w3" -1.50'
    assert heading(explanation, n=1)[-1].endswith(': "w1" +2.00; but "w3" -1.50')
    # Another class than the predicted one is compared with the predicted one.
    assert heading(explanation, "c")[-1].startswith('  rather than a 66.5%: "w4" +9.00; but "w0"')
    assert html.unescape(re.sub("</?bdi>", "", explanation.to_html())).count(last.strip()) == 1
    alike = an_explanation([(1, 1, 0)], logits=(1, 0.5, 0))
    assert "rather than b 30.7%: no n-gram tells them apart" in alike.to_ansi()
    assert "rather than" not in of_two(1.0).to_ansi()
    # Without n-grams there is nothing to say about the rival.
    assert "rather than" not in explanation.to_html(n=0) + explanation.to_ansi(n=0)


def test_evidence_can_compare_with_one_class():
    explanation = an_explanation([(5, 4, 0), (1, 3, 0)])
    np.testing.assert_array_equal(explanation.evidence("a", rather_than="b"), [1, -2])
    np.testing.assert_array_equal(explanation.evidence(rather_than="a", by="token"), [-1, 2])
    assert explanation.top("a", n=1, rather_than="b") == [("w1", -2.0)]
    with pytest.raises(ValueError, match="rather_than='z' is not one of the classes"):
        explanation.evidence("a", rather_than="z")
    with pytest.raises(ValueError, match="rather_than='a' is the class that is explained"):
        explanation.top("a", rather_than="a")


def test_a_label_or_an_ngram_of_several_lines_is_shown_in_one():
    explanation = replace(
        an_explanation([(2, 1, 0)], "long", classes=("a\nb", "c\x1b[2J", "d")), text="lo\ng"
    )
    lines = explanation.to_ansi(true="d").splitlines()
    assert lines[0].startswith("a b 66.5%, c\ufffd[2J 24.5%")
    assert lines[-2].endswith("  lo g")
