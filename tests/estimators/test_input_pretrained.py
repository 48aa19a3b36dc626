"""The pretrained models that TextCNNClassifier refuses."""

import joblib
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer
from tests.estimators.refusals import IDS, LABELS, assert_refused, small


def test_pretrained_must_be_a_path_or_a_frozen_estimator():
    bare = small().fit(IDS, LABELS)
    for pretrained in (3, {}, bare, small(), make_pipeline(bare)):
        assert_refused(
            lambda classifier: classifier.fit(IDS, LABELS),
            TypeError,
            f"pretrained must be the path of a saved model or a FrozenEstimator; got "
            f"{type(pretrained).__name__}. clone\\(\\) unfits a bare estimator: give "
            r"sklearn.frozen.FrozenEstimator\(model\)",
            pretrained=pretrained,
        )


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (TextCNNClassifier(), "TextCNNClassifier"),
        (make_pipeline(TextVectorizer(), TextCNNClassifier()), "TextCNNClassifier"),
        (LogisticRegression(), "LogisticRegression"),
        (LogisticRegression().fit(IDS, LABELS), "LogisticRegression"),
        (make_pipeline(LogisticRegression()), "LogisticRegression"),
    ],
    ids=["unfitted", "unfitted pipeline", "unfitted other", "other", "pipeline of another"],
)
def test_a_frozen_estimator_without_a_fitted_network_is_refused(model, name):
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        f"pretrained: the FrozenEstimator does not hold a fitted TextCNNClassifier, but {name}",
        pretrained=FrozenEstimator(model),
    )


@pytest.mark.parametrize("as_path", [str, lambda path: path], ids=["str", "Path"])
def test_a_missing_file_of_a_pretrained_model_is_named(tmp_path, as_path):
    for path in (tmp_path / "missing.joblib", tmp_path):
        assert_refused(
            lambda classifier: classifier.fit(IDS, LABELS),
            FileNotFoundError,
            f"pretrained: there is no file .*{path.name}",
            pretrained=as_path(path),
        )


def test_a_file_of_another_object_is_named(tmp_path):
    path = tmp_path / "other.joblib"
    joblib.dump({"model": "bag of words"}, path)
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        "pretrained: .*other.joblib' does not hold a fitted TextCNNClassifier, but dict",
        pretrained=path,
    )


@pytest.mark.parametrize("content", ["a 0.1 0.2\n", "# readme\n", ""], ids=repr)
def test_a_file_that_is_no_saved_model_is_named(tmp_path, content):
    path = tmp_path / "vectors.txt"
    path.write_text(content)
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        "pretrained: .*vectors.txt",
        pretrained=str(path),
    )


def test_a_pretrained_model_of_other_convolutions_says_which_parameters_differ():
    other = FrozenEstimator(small(num_filters=3).fit(IDS, LABELS))
    assert_refused(
        lambda classifier: classifier.fit(IDS, LABELS),
        ValueError,
        "pretrained: convs.0.weight has shape .* Set kernel_sizes, num_filters and hidden_units",
        pretrained=other,
    )
