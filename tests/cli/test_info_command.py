"""info: what it says of new and old files, and of files of one estimator."""

import copy
import json
import re
from pathlib import Path

import joblib
import pytest

import sktextcnn
from sktextcnn._cli import main
from tests.cli.commands import QUICK, TRAIN, fails

OLD = Path(__file__).parents[1] / "files" / "version_0_1_0" / "kim.sktextcnn"


def said(capsys, *argv):
    capsys.readouterr()
    assert main(["info", *map(str, argv)]) == 0
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_info_says_what_train_has_reported(folder, capsys):
    assert main([*TRAIN, *QUICK, "--test", "test.csv", "--vectors", "glove.txt"]) == 0
    reported = capsys.readouterr().err
    out, err = said(capsys, "m.sktextcnn")
    assert err == ""
    lines = dict(re.split(r"  +", line, maxsplit=1) for line in out.splitlines())
    assert lines["kind"] == "TextVectorizer and TextCNNClassifier"
    assert lines["classes"] == "2 classes: negative 12, positive 12"
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC on 24 texts of reviews.csv; 2 epochs in [\d.]+ s",
        lines["trained"],
    )
    accuracy = re.search(r"Accuracy on 5 held-out texts: ([\d.]+);", reported)[1]
    baseline = re.search(r"TF-IDF and logistic regression: ([\d.]+) \([\d.]+ s\)\.", reported)[1]
    assert lines["test"] == (
        f"accuracy {accuracy} on 5 texts of test.csv; TF-IDF and logistic regression: {baseline}"
    )
    assert lines["vectors"].startswith("glove.txt, 8 dimensions; they cover ")
    assert "TextVectorizer: random_state=0\n" in out
    # The last of the two lines of parameters.
    assert lines["parameters"] == "TextCNNClassifier: max_epochs=2, num_filters=4, random_state=0"
    assert f"sktextcnn {sktextcnn.__version__}, scikit-learn " in lines["versions"]


def test_json_has_the_card_and_all_else(folder, model, capsys):
    found = json.loads(said(capsys, "model.sktextcnn", "--json")[0])
    assert found["card"] == model[-1].card_
    assert found["classes"] == ["negative", "positive"]
    assert found["bytes"] == Path("model.sktextcnn").stat().st_size
    assert found["n_words"] == len(model[0].vocabulary_)
    assert found["vectors"] is None
    assert found["parameters"]["TextCNNClassifier"]["kernel_sizes"] == [1, 2]
    assert "dropout" not in found["parameters"]["TextCNNClassifier"]


def test_long_values_are_shortened_and_json_has_them_whole(folder, model, capsys):
    changed = copy.deepcopy(model)
    words = [f"word{i}" for i in range(3000)]
    changed[0].set_params(vocabulary=words, stop_words=words)
    changed[-1].card_ |= {"author": "Ada\nand Bob", "trained for": {"é": 3}, "note": "x" * 9000}
    sktextcnn.save(changed, "m.sktextcnn")
    out, _ = said(capsys, "m.sktextcnn")
    assert max(map(len, out.splitlines())) < 500
    assert "vocabulary=['word0', 'word1', " in out
    assert "\ncard        author: Ada and Bob\n" in out
    assert '\ncard        trained for: {"é": 3}\n' in out
    assert re.search(r"^card        note: x{200,300} \.\.\.$", out, re.M)
    found = json.loads(said(capsys, "m.sktextcnn", "--json")[0])
    assert found["parameters"]["TextVectorizer"]["vocabulary"] == words
    assert found["card"] == changed[-1].card_


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_a_file_of_before_there_were_cards(capsys):
    out, _ = said(capsys, OLD)
    assert "the file has no model card" in out
    assert re.search(r"^versions +sktextcnn 0\.1\.0, scikit-learn [\d.]+$", out, re.M)
    found = json.loads(said(capsys, OLD, "--json")[0])
    assert found["card"] is None
    assert len(found["classes"]) >= 2


def test_a_file_of_one_estimator(folder, model, capsys):
    sktextcnn.save(model[0], "v.sktextcnn")
    out, _ = said(capsys, "v.sktextcnn")
    assert "kind        TextVectorizer\n" in out
    assert "classes" not in out
    assert "card" not in json.loads(said(capsys, "v.sktextcnn", "--json")[0])
    sktextcnn.save(model[-1], "c.sktextcnn")
    out, _ = said(capsys, "c.sktextcnn")
    assert "kind        TextCNNClassifier\n" in out
    assert "vocabulary" not in out
    assert "2 classes: negative 20, positive 20\n" in out


def test_other_files_are_refused(folder, model, capsys):
    joblib.dump(model, "m.joblib")
    assert "is not a model file of sktextcnn.save" in fails(capsys, "info", "m.joblib")
    assert "There is no model file 'nothing'" in fails(capsys, "info", "nothing")
