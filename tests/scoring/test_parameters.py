"""Parameters are checked when a scorer is made, before it is sent anywhere."""

import pathlib

import pytest

from sktextcnn import Scorer


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"path": "s3://bucket/model.sktextcnn"}, ValueError, "path='s3.*is an URL.*Download it"),
        ({"text": 0}, TypeError, "text must be the name of a column, a str; got 0"),
        ({"keep": "id"}, TypeError, "keep must be a list of the names of columns.*got 'id'"),
        ({"keep": [1]}, TypeError, r"keep must be a list .*got \[1\]"),
        ({"keep": 1}, TypeError, "keep must be a list .*got 1"),
        ({"prediction": 1}, TypeError, "prediction must be the name of a column"),
        ({"probability": True}, TypeError, "probability must be the name of a column"),
        ({"prediction": None, "probability": None}, ValueError, "leave nothing to add"),
        ({"prediction": "a", "probability": "a"}, ValueError, "are both 'a'; give two names"),
        ({"missing": "drop"}, ValueError, "missing must be 'error', 'null' or 'empty'; got 'drop'"),
        ({"missing": None}, ValueError, "missing must be"),
        ({"n_jobs": 2}, ValueError, "n_jobs must be 1, or -1 .*got 2"),
        ({"all_classes": "yes"}, TypeError, "all_classes must be a bool; got 'yes'"),
        ({"trusted": 1}, TypeError, "trusted must be a bool; got 1"),
    ],
    ids=str,
)
def test_a_parameter_that_makes_no_sense_is_an_error(params, error, message):
    with pytest.raises(error, match=message):
        Scorer(**{"path": "model.sktextcnn", "text": "review", **params})


def test_a_path_may_be_an_object_and_what_it_names_need_not_be_here():
    score = Scorer(pathlib.Path("/there/model.sktextcnn"), "review")
    assert repr(score) == "Scorer('/there/model.sktextcnn', text='review')"
    with pytest.raises(TypeError, match="path"):
        Scorer(b"model.sktextcnn", "review")
