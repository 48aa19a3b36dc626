"""What a model file keeps beside weights and parameters, and what it leaves out."""

import datetime
import enum

import numpy as np
import pytest
from sklearn import config_context
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer

SMALL = {"num_filters": 2, "embedding_dim": 2, "max_epochs": 1, "random_state": 0}
TEXTS = ["a gem", "so dull", "a witty gem", "a dull, dull film"]


def saved_and_loaded(model, path):
    sktextcnn.save(model, path)
    return sktextcnn.load(path)


def fitted(labels, **params):
    return make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL, **params)).fit(TEXTS, labels)


@pytest.mark.parametrize(
    "labels",
    [
        *(np.array([0, 1, 0, 1], dtype=dtype) for dtype in np.typecodes["AllInteger"]),
        *(np.array([0, 1, 0, 1], dtype=dtype) for dtype in "efd?"),
        np.array([2**64 - 1, 0, 2**64 - 1, 0], dtype=np.uint64),
        np.array([-(2**63), 2**63 - 1] * 2, dtype=np.int64),
        np.array([True, False, True, False], dtype=object),
        np.array(["bad", "good"] * 2, dtype=object),
        np.array(["bad", "good"] * 2),
        np.array(["2020-01-01", "2021-01-01"] * 2, dtype="datetime64[D]"),
        np.array(["2020-01-01T10:00", "2021-01-01"] * 2, dtype="datetime64[ns]"),
        np.array([1, 2, 1, 2], dtype=">i4"),
    ],
    ids=lambda labels: f"{labels.dtype}-{labels[0]}",
)
def test_labels_come_back_as_they_were(labels, path):
    try:
        model = fitted(labels)
    except (TypeError, ValueError) as error:
        pytest.skip(f"scikit-learn takes no such labels: {error}")
    loaded = saved_and_loaded(model, path)
    classes, expected = loaded[-1].classes_, model[-1].classes_
    assert classes.dtype == expected.dtype
    assert list(map(type, classes.tolist())) == list(map(type, expected.tolist()))
    np.testing.assert_array_equal(classes, expected)
    np.testing.assert_array_equal(loaded.predict(TEXTS), model.predict(TEXTS))


class Colour(enum.Enum):
    RED = 1
    BLUE = 2

    def __lt__(self, other):
        return self.value < other.value


def test_labels_that_are_not_data_are_named_with_a_remedy_that_works(path):
    model = fitted([0, 1, 0, 1])
    model[-1].classes_ = np.array([Colour.RED, Colour.BLUE], dtype=object)
    with pytest.raises(TypeError, match=r"textcnnclassifier__classes_ holds Colour.*with joblib"):
        sktextcnn.save(model, path)
    assert not path.exists()


class Records(Callback):
    def __init__(self, values):
        self.values = values

    def on_epoch_end(self, net, **kwargs):
        for name, value in self.values.items():
            net.history.record(name, value)


def test_what_callbacks_record_is_kept(path):
    values = {
        "half": np.float16(0.5),
        "unsigned": np.uint64(2**64 - 1),
        "date": np.datetime64("2020-01-01"),
        "nothing": None,
        "nan": np.nan,
        "matrix": np.arange(6, dtype=np.uint16).reshape(2, 3),
        "flags": np.array([True, False], dtype=object),
    }
    model = fitted([0, 1, 0, 1], callbacks=[Records(values)])
    sktextcnn.save(model, path, omit=["textcnnclassifier__callbacks"])
    loaded = sktextcnn.load(path, params={"textcnnclassifier__callbacks": None})
    epoch = loaded[-1].history_[-1]
    for name, value in values.items():
        np.testing.assert_array_equal(epoch[name], value)
    assert epoch["matrix"].dtype == np.uint16


def test_records_that_are_not_data_are_left_out_with_a_warning(path):
    model = fitted([0, 1, 0, 1], callbacks=[Records({"now": datetime.datetime(2020, 1, 1)})])
    with pytest.warns(
        UserWarning, match=r"history_ has the entry 'now' of type datetime.*left out"
    ):
        sktextcnn.save(model, path, omit=["textcnnclassifier__callbacks"])
    loaded = sktextcnn.load(path, params={"textcnnclassifier__callbacks": None})
    assert "now" not in loaded[-1].history_[-1]
    assert loaded[-1].history_[:, "train_loss"] == model[-1].history_[:, "train_loss"]


def test_what_tools_set_on_an_estimator_is_not_part_of_the_model(path):
    model = fitted([0, 1, 0, 1])
    model[0].note_ = model[-1].note_ = object()
    loaded = saved_and_loaded(model, path)
    assert not hasattr(loaded[-1], "note_")
    assert not hasattr(loaded[0], "note_")
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), model.predict_proba(TEXTS))


def test_requests_of_metadata_are_kept(path):
    with config_context(enable_metadata_routing=True):
        classifier = TextCNNClassifier(**SMALL).set_fit_request(sample_weight="weight", X_val=False)
        classifier.set_score_request(sample_weight=True)
        model = make_pipeline(TextVectorizer(), classifier)
        model.fit(TEXTS, [0, 1, 0, 1], weight=[1, 2, 1, 0])
    sktextcnn.save(model, path)
    loaded = sktextcnn.load(path)[-1]
    routing = loaded.get_metadata_routing()
    assert routing.fit.requests == classifier.get_metadata_routing().fit.requests
    assert routing.score.requests == {"sample_weight": True}
    assert (
        routing.partial_fit.requests
        == TextCNNClassifier().get_metadata_routing().partial_fit.requests
    )
    with config_context(enable_metadata_routing=True):
        again = make_pipeline(TextVectorizer(), loaded)
        again.fit(TEXTS, [0, 1, 0, 1], weight=[1, 2, 1, 0])
    np.testing.assert_array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))


def test_a_loaded_model_is_silent(path, capsys):
    model = fitted([0, 1, 0, 1], verbose=1)
    capsys.readouterr()
    loaded = saved_and_loaded(model, path)
    assert loaded[-1].verbose == 0
    loaded[-1].partial_fit(loaded[0].transform(TEXTS), [0, 1, 0, 1])
    loaded.fit(TEXTS, [0, 1, 0, 1])
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "value",
    [
        np.ma.array([1, 2], mask=[0, 1]),
        10**5000,
        Colour.RED,
    ],
    ids=["masked", "giant", "enum"],
)
def test_records_that_would_come_back_as_others_are_left_out(path, value):
    model = fitted([0, 1, 0, 1])
    model[-1].history_[-1]["x"] = value
    with pytest.warns(UserWarning, match="history_ has the entry 'x' of type"):
        sktextcnn.save(model, path)
    assert "x" not in sktextcnn.load(path)[-1].history_[-1]


def test_nested_sets_come_back(path):
    model = fitted([0, 1, 0, 1])
    value = {frozenset([1]): 2, "set": {frozenset([1]), 3}}
    model[-1].history_[-1]["x"] = value
    assert saved_and_loaded(model, path)[-1].history_[-1]["x"] == value


class Two(enum.IntEnum):
    TWO = 2


def test_an_omitted_parameter_is_omitted_wherever_it_is_stored(path):
    model = make_pipeline(
        TextVectorizer(), TextCNNClassifier(**{**SMALL, "num_filters": Two.TWO})
    ).fit(TEXTS, [0, 1, 0, 1])
    name = "textcnnclassifier__num_filters"
    with pytest.raises(TypeError, match=rf"Save with omit=\['{name}'\]"):
        sktextcnn.save(model, path)
    sktextcnn.save(model, path, omit=[name])
    loaded = sktextcnn.load(path, params={name: Two.TWO})
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), model.predict_proba(TEXTS))


@pytest.mark.parametrize("name", ["textcnnclassifier", "steps", "textcnnclassifier__verbose"])
def test_what_is_not_stored_cannot_be_omitted(path, name):
    with pytest.raises(ValueError, match=f"omit names {name}, which is not a parameter that"):
        sktextcnn.save(fitted([0, 1, 0, 1]), path, omit=[name])
    assert not path.exists()
