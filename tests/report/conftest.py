"""Small models of each kind, and what a parser sees in a page."""

from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer

SMALL = {"num_filters": 3, "kernel_sizes": (1, 2), "max_epochs": 2, "random_state": 0}
COLOURS = ["red", "green", "blue"]
VOID = {"meta", "wbr", "br", "img", "input", "link", "hr"}


def texts_of(colours, seed=0):
    rng = np.random.default_rng(seed)
    things = ["car", "house", "shirt", "door", "bird"]
    return [f"a {colour} {rng.choice(things)} of {rng.choice(things)}s" for colour in colours]


class Page(HTMLParser):
    """The elements of a page, with their attributes and the text within them."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self._open = [], [], []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")
        if tag not in VOID:
            self._open.append((tag, len(self.texts) - 1))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self._open, tag
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        for _, i in self._open:
            self.texts[i] += data

    def all(self, tag, **attributes):
        """The texts of the elements of a tag, and of attributes if any are given."""
        return [
            " ".join(text.split())
            for (name, found), text in zip(self.elements, self.texts, strict=True)
            if name == tag and all(found.get(key) == value for key, value in attributes.items())
        ]

    @property
    def text(self):
        return self.all("html")[0]


@pytest.fixture(scope="session")
def colours():
    """A model of three classes, and held-out texts and labels, of which some are wrong."""
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL | {"max_epochs": 20}))
    model.fit(texts_of(COLOURS * 10), COLOURS * 10)
    labels = COLOURS * 8
    texts = texts_of(labels, 1)
    labels[::5] = ["blue"] * len(labels[::5])
    return model, texts, labels


@pytest.fixture(scope="session")
def several():
    """A multilabel model, and held-out texts and targets, of which some are wrong."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, (60, 3))
    texts = [
        " ".join(["a", *(c for c, is_there in zip(COLOURS, row, strict=True) if is_there), "car"])
        for row in targets
    ]
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL | {"max_epochs": 20}))
    model.fit(texts[:40], targets[:40])
    wrong = targets[40:].copy()
    wrong[::4, 0] = 1 - wrong[::4, 0]
    return model, texts[40:], wrong
