"""The page: its numbers as text, and the template that they are put into.

The page needs nothing but itself: no network, no fonts, no library. Its only script sorts tables.
"""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

import jinja2
import numpy as np

from sktextcnn._inspection import percent
from sktextcnn._report import matrix
from sktextcnn._report.charts import calibration_chart, training_chart
from sktextcnn._report.intervals import Estimate
from sktextcnn._report.outcomes import SHOWN_LENGTH, Outcomes

# How much of a label, of an n-gram or word, and of the name of a file is shown.
_LABEL_LENGTH, _NAME_LENGTH, _COLUMN_LENGTH = 80, 60, 16
#: How many rows of a table, pairs, and classes with n-grams a page has at most.
MOST_CLASSES, MOST_PAIRS, MOST_WITH_NGRAMS = 500, 20, 100

# Characters that a page must not contain, that no font shows, or that would turn the direction of
# the text around them.
_UNFIT = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    "\ufffe\uffff]"
)
_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029]")
# More marks on one letter than any script has would be drawn over what is above it.
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_MARKS = re.compile(f"({_MARK}{{4}}){_MARK}+")
# Parts of Persian words and of emoji.
_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
_SPACE = re.compile("[\x0b\x0c]")


def render(
    outcomes: Outcomes,
    measures: dict[str, Any],
    about: dict[str, Any],
    details: dict[str, Any],
    names: dict[str, Any],
) -> str:
    """Return the page.

    Parameters
    ----------
    outcomes : Outcomes
        For the examples.
    measures : dict
        Its numbers.
    about : dict
        The model, as `about_model` describes it.
    details : dict
        ``labels``, what `label_texts` returns; ``errors``, ``ngrams``, ``n_of_class``, ``history``,
        ``tokens``, ``trained_on``, ``guess_loss``; and ``references``, the name of each model that
        is compared and a sentence about it.
    names : dict
        ``model``, ``data`` and ``n_left_out``.
    """
    labels = details["labels"]
    context = {
        **details,
        "now": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "multilabel": outcomes.multilabel,
        "m": measures,
        "about": about,
        "names": {**names, **{key: visible(names[key], 120) for key in ("model", "data")}},
        "headline": measures["micro_f1" if outcomes.multilabel else "accuracy"],
        "classes": _sorted_classes(measures["classes"])[:MOST_CLASSES],
        "pairs": _pairs(outcomes, measures),
        "matrix": None if outcomes.multilabel else _matrix(measures, labels),
        "calibration": calibration_chart(measures["calibration"]),
        "training": training_chart(details["history"]),
        "shown_length": SHOWN_LENGTH,
        "style": _part("page.css"),
        "script": _part("page.js"),
        "script_hash": _hash(_part("page.js")),
    }
    return fit(_environment().get_template("page.html").render(context))


def fit(page: str) -> str:
    """Replace the characters that must not be in a page; it has no mark-up with any of them."""
    page = _MARKS.sub(r"\1", _SPACE.sub(" ", _LINE_END.sub("\n", page)))
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", page)


def label_text(label: Any) -> str:
    """Return a label as it is shown; one that would not be seen is quoted."""
    text = str(label)
    return visible(text if text.strip() else repr(text), _LABEL_LENGTH)


def label_texts(labels: Sequence[Any]) -> list[str]:
    """Return labels as they are shown; those that would look alike get their numbers."""
    texts = [label_text(label) for label in labels]
    counts = Counter(texts)
    return [f"{text} ({i})" if counts[text] > 1 else text for i, text in enumerate(texts, 1)]


def visible(text: str, length: int) -> str:
    """Return the beginning of a name in one line, with escapes for characters that are not seen.

    Names that differ only in such characters stay different.
    """
    shown = (c if c.isprintable() or c in _JOINERS else repr(c)[1:-1] for c in text[: length + 1])
    return shortened("".join(shown), length)


def shortened(text: str, length: int) -> str:
    """Return the beginning of a text."""
    text = str(text)
    return text if len(text) <= length else f"{text[:length].rstrip()}…"


@cache
def _part(name: str) -> str:
    return resources.files(__package__).joinpath("template", name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_part),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "points": points,
        "interval": interval,
        "short": shortened,
        "name": lambda text: shortened(text, _NAME_LENGTH),
        "column": lambda text: shortened(text, _COLUMN_LENGTH),
        "count": lambda n: f"{n:,}",
    }
    return environment


# Numbers ------------------------------------------------------------------------------


def points(value: float) -> str:
    """Return a difference of shares in percentage points."""
    # What is rounded to 0 has no sign: 0 is added to -0.
    return f"{round(100 * value, 1) + 0:.1f}".replace("-", "\N{MINUS SIGN}")


def interval(estimate: Estimate) -> str:
    """Return the ends of an interval of shares, in per cent."""
    return f"{points(estimate.low)} to {points(estimate.high)}"


# Tables -------------------------------------------------------------------------------


def _sorted_classes(classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The worst first; those that no text has are at the end."""
    rows = [{"index": i, **each} for i, each in enumerate(classes)]
    return sorted(rows, key=lambda row: (row["n_texts"] == 0, row["f1"], -row["n_texts"]))


def _pairs(outcomes: Outcomes, measures: dict[str, Any]) -> list[dict[str, Any]]:
    """The most confused pairs; of those alike, the one with the larger share of its class."""
    counts = outcomes.confusions()
    totals = np.array([max(each["n_texts"], 1) for each in measures["classes"]])
    shares = counts / totals[:, None]
    order = np.lexsort((-shares.ravel(), -counts.ravel()))[:MOST_PAIRS]
    places = zip(*np.unravel_index(order, counts.shape), strict=True)
    return [
        {
            "true": int(true),
            "predicted": int(predicted),
            "n": int(counts[true, predicted]),
            "share": float(shares[true, predicted]),
            "examples": outcomes.examples(int(true), int(predicted)),
        }
        for true, predicted in places
        if counts[true, predicted]
    ]


def _matrix(measures: dict[str, Any], labels: list[str]) -> dict[str, Any]:
    counts = np.array(measures["confusion_matrix"])
    classes = matrix.shown_classes(counts)
    return {
        "classes": classes,
        "rows": matrix.cells(counts, classes),
        "with_numbers": len(labels) <= matrix.MOST_WITH_NUMBERS,
        "with_names": len(labels) <= 8,
    }
