"""What the tests of ONNX files share."""

import json

import numpy as np
import onnxruntime
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer

TOLERANCE = 1e-5
TABLES = ["stored", "computed"]

# None, none known, one word, shorter than the widest kernel, and longer than the matrix.
ODD_TEXTS = ["", "qqqq zzzz", "the", "the a", "qqqq the", "the model of a " * 40]


def session_of(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def run(session, ids):
    (probabilities,) = session.run(None, {"ids": np.asarray(ids, dtype=np.int32)})
    assert probabilities.dtype == np.float32
    return probabilities


def metadata_of(path):
    return json.loads(session_of(path).get_modelmeta().custom_metadata_map["sktextcnn"])


def fitted(texts, y, vectorizer=None, **params):
    """A fitted Pipeline, with few filters and at a high learning rate, so that few epochs lead far
    from where all probabilities are alike.
    """
    defaults = {"num_filters": 20, "max_epochs": 3, "learning_rate": 0.01, "random_state": 0}
    defaults |= {"wide": False, "device": "cpu"}
    classifier = TextCNNClassifier(**{**defaults, **params})
    return make_pipeline(TextVectorizer(**(vectorizer or {})), classifier).fit(texts, y)


def squeezed(text):
    return text.upper().replace("THE", "")


def words_and_lengths(text):
    return [*text.split(), str(len(text))]
