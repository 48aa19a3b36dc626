"""Saved models that take a moment to train, shared by the tests of scoring."""

import copy

import numpy as np
import pytest

import sktextcnn
from sktextcnn._scoring import loaded
from tests.scoring.models import LABELS, TEXTS, fitted


@pytest.fixture(autouse=True)
def nothing_loaded():
    """Each test begins as a new process does."""
    loaded._entries.clear()


@pytest.fixture(scope="session")
def model():
    return fitted(LABELS)


@pytest.fixture(scope="session")
def other_model():
    """One with the same classes that predicts otherwise."""
    return fitted(LABELS[1:] + LABELS[:1], seed=1)


@pytest.fixture(scope="session")
def multilabel_model():
    words = ["gem", "dull", "film"]
    labels = [[word in text for word in words] for text in TEXTS]
    return fitted(np.array(labels, int), max_epochs=40)


@pytest.fixture(scope="session")
def path(model, tmp_path_factory):
    """A file of three classes, whose names are str."""
    path = tmp_path_factory.mktemp("models") / "model.sktextcnn"
    sktextcnn.save(model, path)
    return path


@pytest.fixture(scope="session")
def multilabel_path(multilabel_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "multilabel.sktextcnn"
    sktextcnn.save(multilabel_model, path)
    return path


@pytest.fixture
def save_with_classes(model, tmp_path):
    """Save the model with other names of its classes, and return the path and the new model."""

    def save(classes):
        renamed = copy.deepcopy(model)
        renamed[-1].classes_ = np.asarray(classes)
        sktextcnn.save(renamed, tmp_path / "renamed.sktextcnn")
        return tmp_path / "renamed.sktextcnn", renamed

    return save
