"""When a network takes the head of the pretrained model too: where it predicts the texts."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer

WORDS = {"bad": ("dull", "stale"), "good": ("warm", "witty")}
LABELS = np.array(["bad", "good"] * 10)
TEXTS = [f"{WORDS[label][i // 2 % 2]} film {i}" for i, label in enumerate(LABELS)]
OTHER_TEXTS = [f"{WORDS[label][i // 2 % 2]} book {i % 7}" for i, label in enumerate(LABELS)]
SMALL = {"num_filters": 8, "kernel_sizes": (1, 2), "token_dropout": 0.0, "random_state": 0}


class Start(Callback):
    """Keeps a copy of the weights before the first epoch."""

    def on_train_begin(self, net, **kwargs):
        self.head_ = {name: w.clone() for name, w in net.module_.head.state_dict().items()}


def fitted_source(labels=LABELS, **params):
    params = {"max_epochs": 30, "learning_rate": 0.01, "wide": False, **SMALL, **params}
    return make_pipeline(TextVectorizer(), TextCNNClassifier(**params)).fit(TEXTS, labels)


@pytest.fixture(scope="module")
def source():
    return fitted_source()


def starting_head(pretrained, labels=LABELS, **params):
    """The head of a network before it is trained, and whether it is the one of a new network."""
    X = TextVectorizer().fit_transform(OTHER_TEXTS)
    params = {"max_epochs": 1, "callbacks": [Start()], "embedding_dim": 300, **SMALL, **params}
    new = TextCNNClassifier(**params).fit(X, labels)
    started = clone(new).set_params(pretrained=pretrained).fit(X, labels)
    return start_of(started), equal(start_of(started), start_of(new))


def start_of(classifier):
    return next(each for _, each in classifier.net_.callbacks_ if isinstance(each, Start)).head_


def equal(ours, theirs):
    return ours.keys() == theirs.keys() and all(torch.equal(ours[n], theirs[n]) for n in ours)


def head(model):
    return model[-1].net_.module_.head.state_dict()


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("saved", [False, True], ids=["frozen", "file"])
def test_the_head_is_taken_if_it_predicts_the_texts(source, tmp_path, wide, saved):
    pretrained = FrozenEstimator(source)
    if saved:
        pretrained = tmp_path / "source.sktextcnn"
        sktextcnn.save(source, pretrained)
    found, is_new = starting_head(pretrained, wide=wide)
    assert equal(found, head(source))
    assert not is_new


def test_a_model_that_starts_with_the_head_knows_the_question_from_the_start(source):
    X = TextVectorizer().fit_transform(OTHER_TEXTS)
    params = {"max_epochs": 1, "learning_rate": 1e-9, "wide": False, **SMALL}
    started = TextCNNClassifier(pretrained=FrozenEstimator(source), **params).fit(X, LABELS)
    assert started.score(X, LABELS) == 1


def test_the_head_of_other_classes_is_not_taken(source):
    labels = np.where(LABELS == "good", "great", LABELS)
    assert starting_head(FrozenEstimator(source), labels)[1]
    three = np.where(np.arange(len(LABELS)) % 5, LABELS, "neither")
    assert starting_head(FrozenEstimator(source), three)[1]


@pytest.mark.parametrize("kind", ["opposite", "unrelated"])
def test_a_head_of_another_question_is_not_taken(kind):
    opposite = np.where(LABELS == "good", "bad", "good")
    # Each word has both labels equally often.
    unrelated = np.repeat(["bad", "good"], len(LABELS) // 2)
    other = fitted_source({"opposite": opposite, "unrelated": unrelated}[kind])
    assert starting_head(FrozenEstimator(other))[1]


def test_a_head_that_predicts_the_most_frequent_class_is_not_taken(source):
    # Texts of no known word are all alike for the source.
    labels = np.where(np.arange(20) < 18, "good", "bad")
    X = TextVectorizer().fit_transform([f"w{i}" for i in range(20)])
    params = {"max_epochs": 1, "callbacks": [Start()], **SMALL}
    classifier = TextCNNClassifier(pretrained=FrozenEstimator(source), **params).fit(X, labels)
    assert not equal(start_of(classifier), head(source))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [(None, 5), (5, None), (5, 7), (5, 5)],
    ids=["none and 5", "5 and none", "5 and 7", "both 5"],
)
def test_a_head_of_other_hidden_units_is_not_taken(theirs, ours):
    other = fitted_source(hidden_units=theirs)
    found, is_new = starting_head(FrozenEstimator(other), hidden_units=ours)
    assert is_new == (theirs != ours)
    assert equal(found, head(other)) == (theirs == ours)


def test_the_heads_of_several_labels():
    labels = np.stack([LABELS == "good", np.arange(len(LABELS)) % 3 == 0], axis=1).astype(int)
    other = FrozenEstimator(fitted_source(labels))
    found, is_new = starting_head(other, labels)
    assert equal(found, head(other.estimator))
    assert not is_new
    assert starting_head(other, 1 - labels)[1]
    assert starting_head(other, np.hstack([labels, labels]))[1]


def test_texts_without_weight_do_not_count(source):
    # The weighted texts have the opposite labels.
    labels = np.append(LABELS, np.where(LABELS == "good", "bad", "good")[:10])
    X = TextVectorizer().fit_transform(OTHER_TEXTS + OTHER_TEXTS[:10])
    of_source = np.repeat([1.0, 0.0], [20, 10])
    params = {"max_epochs": 1, "callbacks": [Start()], **SMALL}
    for weight, taken in ((of_source, True), (1 - of_source, False)):
        classifier = TextCNNClassifier(pretrained=FrozenEstimator(source), **params)
        classifier.fit(X, labels, sample_weight=weight)
        assert equal(start_of(classifier), head(source)) == taken
