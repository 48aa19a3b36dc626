"""train: the model that it saves, what it reports, and what it refuses."""

import errno
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._baseline import tfidf_baseline
from sktextcnn._cli import main
from sktextcnn._cli.stored_samples import StoredSamples
from tests.cli.commands import BAD, GOOD, QUICK, TRAIN, fails


def test_train_saves_the_model_that_python_would_fit(folder, capsys):
    argv = ["train", "reviews.csv", "--text", "review", "--label", "sentiment", "--seed", "3"]
    argv += ["--vectors", "glove.txt", "--max-epochs", "2", "--finetune", "1"]
    argv += ["--set", "classifier.num_filters=5", "--set", "vectorizer.stop_words=english"]
    argv += ["--set", "classifier.kernel_sizes=[1,2]", "--set", "vectorizer.min_df=2"]
    assert main([*argv, "-o", "m.sktextcnn"]) == 0
    data = pd.read_csv("reviews.csv")
    expected = make_pipeline(
        TextVectorizer(embeddings="glove.txt", stop_words="english", min_df=2, random_state=3),
        TextCNNClassifier(
            num_filters=5, kernel_sizes=(1, 2), max_epochs=2, finetune=1, random_state=3
        ),
    ).fit(data["review"], data["sentiment"])
    loaded = sktextcnn.load("m.sktextcnn")
    np.testing.assert_array_equal(loaded.predict_proba(GOOD), expected.predict_proba(GOOD))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "24 texts of 2 classes: negative 12, positive 12." in captured.err
    assert "The vectors cover 8" in captured.err
    assert "TextCNN, epoch 2 of 2: 100%, 2/2 batches [" in captured.err
    assert "2 epochs in " in captured.err
    size = Path("m.sktextcnn").stat().st_size
    assert captured.err.endswith(f"\nSaved m.sktextcnn ({size / 1000:.0f} kB).\n")


def test_a_pattern_removes_tags_of_the_vectors(folder, capsys):
    lines = Path("glove.txt").read_text(encoding="utf-8").splitlines()
    tagged = "".join(f"{word}_X {rest}\n" for word, rest in (line.split(" ", 1) for line in lines))
    Path("tagged.txt").write_text(tagged, encoding="utf-8")
    argv = [*TRAIN, *QUICK, "--vectors", "tagged.txt"]
    assert main(argv) == 1
    assert "word='(.+)_[A-Z]+'" in capsys.readouterr().err
    assert main([*argv, "--vectors-word", "(.+)_[A-Z]+"]) == 0
    assert "The vectors cover " in capsys.readouterr().err
    assert main([*argv, "--vectors-word", "_X"]) == 1
    assert "word='_X' must have one group" in capsys.readouterr().err
    assert main([*TRAIN, "--vectors-word", "(.+)_X"]) == 1
    assert "--vectors-word is for files of vectors" in capsys.readouterr().err


def test_vectors_of_several_files_are_put_side_by_side(folder):
    vectors = ["--vectors", "glove.txt", "--vectors", "glove.txt"]
    assert main([*TRAIN, *QUICK, *vectors]) == 0
    data = pd.read_csv("reviews.csv")
    expected = TextVectorizer(embeddings=["glove.txt"] * 2, random_state=0).fit(data["review"])
    matrix = sktextcnn.load("m.sktextcnn")[0].embedding_matrix_
    np.testing.assert_array_equal(matrix, expected.embedding_matrix_)


def test_quiet_is_silent(folder, capsys):
    assert main([*TRAIN, *QUICK, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("options", [["--test-size", "0.25"], ["--test", "test.csv"]])
def test_the_accuracy_on_other_texts_is_that_of_the_saved_model(folder, capsys, options):
    assert main([*TRAIN, *QUICK, *options]) == 0
    said = re.search(
        r"^Accuracy on (\d+) held-out texts: ([\d.]+); TF-IDF and logistic regression: ([\d.]+) "
        r"\([\d.]+ s\)\.$",
        capsys.readouterr().err,
        re.M,
    )
    data = pd.read_csv("reviews.csv")
    if options[0] == "--test":
        train, test = data, pd.read_csv("test.csv")
    else:
        from sklearn.model_selection import train_test_split

        train, test = train_test_split(
            data, test_size=0.25, random_state=0, stratify=data["sentiment"]
        )
    model = sktextcnn.load("m.sktextcnn")
    score = model.score(test["review"], test["sentiment"])
    baseline = tfidf_baseline().fit(train["review"], train["sentiment"])
    of_baseline = baseline.score(test["review"], test["sentiment"])
    assert int(said[1]) == len(test)
    assert float(said[2]) == pytest.approx(score, abs=5e-4)
    assert float(said[3]) == pytest.approx(of_baseline, abs=5e-4)
    card = model[-1].card_
    assert card["data"] == "reviews.csv"
    expected = {"n_texts": len(test), "accuracy": score, "baseline_accuracy": of_baseline}
    assert card["test"] == expected | ({"data": "test.csv"} if options[0] == "--test" else {})


def test_the_baseline_is_left_out_if_the_user_says_so(folder, capsys):
    assert main([*TRAIN, *QUICK, "--test", "test.csv", "--no-baseline"]) == 0
    assert re.search(r"^Accuracy on 5 held-out texts: [\d.]+\.$", capsys.readouterr().err, re.M)
    assert sktextcnn.load("m.sktextcnn")[-1].card_["test"]["baseline_accuracy"] is None


def test_a_baseline_that_finds_no_words_is_told_and_training_goes_on(folder, capsys):
    # Words of one letter, which scikit-learn's tokenizer leaves out.
    rows = "".join(f"{letter} {letter},{'xy'[i % 2]}\n" for i, letter in enumerate("abcdefgh"))
    Path("d.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    assert main(["train", "d.csv", "-o", "m.sktextcnn", *QUICK, "--test", "d.csv"]) == 0
    said = re.search(r"^Accuracy on 8 held-out texts: .*$", capsys.readouterr().err, re.M)[0]
    assert re.fullmatch(
        r"Accuracy on 8 held-out texts: [\d.]+\. TF-IDF and logistic regression could not be "
        r"fitted: the training texts have no words of two or more characters, which TF-IDF needs\.",
        said,
    )
    assert sktextcnn.load("m.sktextcnn")[-1].card_["test"]["baseline_accuracy"] is None


def test_a_baseline_without_enough_memory_is_told_and_training_goes_on(folder, capsys, monkeypatch):
    def fit(*_):
        raise MemoryError

    monkeypatch.setattr(TfidfVectorizer, "fit_transform", fit)
    assert main([*TRAIN, *QUICK, "--test", "test.csv"]) == 0
    said = capsys.readouterr().err
    assert "fitted: 24 training texts need more memory than there is.\n" in said
    assert said.count("Saved m.sktextcnn") == 1


def test_an_interrupted_measurement_leaves_the_trained_model(folder, capsys, monkeypatch):
    def fit(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(TfidfVectorizer, "fit_transform", fit)
    assert main([*TRAIN, *QUICK, "--test", "test.csv"]) == 130
    *_, saved, interrupted = capsys.readouterr().err.splitlines()
    assert saved == "Saved m.sktextcnn, without scores on the test texts."
    assert interrupted == "sktextcnn: interrupted"
    model = sktextcnn.load("m.sktextcnn")
    assert len(model.predict(GOOD)) == len(GOOD)
    assert model[-1].card_["data"] == "reviews.csv"
    assert "test" not in model[-1].card_


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--vectors", "glov.txt"], "There is no file of vectors .*Did you mean 'glove.txt'"),
        (["-o", "nowhere/m.sktextcnn"], "nowhere/m.sktextcnn: there is no folder"),
        (["-o", "."], "is a folder"),
        (["-o", "/dev/null"], "is a device or a pipe"),
        (["--vectors", "reviews.csv"], "reviews.csv, line 1: expected a word and 2 numbers"),
        (["--set", "classifier.num_filter=2"], "Did you mean classifier.num_filters"),
        (["--set", "classifier.num_filters=0"], "'num_filters' parameter of TextCNNClassifier"),
        (["--set", "classifier.num_filters=true"], "true is not a valid value"),
        (["--set", "classifier.lr=2"], r"Expected one of classifier\.activation, .*learning_rate"),
        (["--set", "tokens.min_df=2"], "Did you mean vectorizer.min_df"),
        (["--set", "vectorizer.embeddings=3"], "Give --vectors"),
        (["--set", "classifier.callbacks=3"], "It can be set in Python"),
        (["--label", "id2"], "no column 'id2'; it has id, sentiment, review"),
        (["--test-size", "0.01"], "--test-size 0.01: "),
        (["--test", "nothing.csv"], "nothing.csv: No such file"),
    ],
)
def test_train_refuses(folder, capsys, options, said):
    assert re.search(said, fails(capsys, *TRAIN, *options, "--quiet"))
    assert not Path("m.sktextcnn").exists()


@pytest.mark.filterwarnings("default")
def test_warnings_are_lines_without_the_code_that_warned(folder, capsys):
    assert main([*TRAIN, *QUICK, "--finetune", "false", "--quiet"]) == 0
    said = capsys.readouterr().err
    assert said.startswith("sktextcnn: warning: finetune=False needs word vectors, but X has none")
    assert said.count("\n") == 1


def test_train_refuses_one_class_no_label_other_types_and_no_rows(folder, capsys):
    def of(data, *options):
        suffix = ".jsonl" if data.startswith("{") else ".csv"
        Path(f"d{suffix}").write_text(data, encoding="utf-8")
        return fails(capsys, "train", f"d{suffix}", "-o", "m.sktextcnn", *options)

    assert "column 'label': all labels are 'x'" in of("text,label\na,x\nb,x\n")
    assert of("text,label\na,x\nb,\n") == (
        "d.csv, row 2, column 'label': the label is missing. Give --skip-bad-rows to leave out "
        "such rows."
    )
    assert of("text,label\n") == "d.csv has no rows."
    mixed = of('{"text": "a", "label": "x"}\n{"text": "b", "label": 1}\n')
    assert mixed.startswith("d.jsonl, row 2, column 'label': the label 1 is of type int")
    nested = of('{"text": "a", "label": [["x"]]}\n')
    assert "a label must be a string, a number or a truth value, or a list of these" in nested
    for number in ("1.5", "1e999", str(2**63), str(10**30)):
        said = of(f'{{"text": "a", "label": 2.0}}\n{{"text": "b", "label": {number}}}\n')
        assert said.startswith(
            "d.jsonl, row 2, column 'label': a label that is a number must be an integer"
        )
    Path("t.csv").write_text("text,label\na,x\nb,z\n", encoding="utf-8")
    unknown = of("text,label\na,x\nb,y\n", "--test", "t.csv")
    assert unknown.startswith(
        "t.csv, row 2, column 'label': the label 'z' is not a class of the model"
    )


def test_numbers_as_labels_stay_numbers_where_the_file_has_them(folder):
    data = pd.DataFrame({"text": GOOD + BAD, "label": [1] * 4 + [0] * 4})
    data.to_parquet("d.parquet")
    data.to_json("d.jsonl", orient="records", lines=True)
    data.to_csv("d.csv", index=False)
    for form, kind in (("parquet", int), ("jsonl", int), ("csv", str)):
        assert main(["train", f"d.{form}", "-o", "m.sktextcnn", "--quiet", *QUICK]) == 0
        assert type(sktextcnn.load("m.sktextcnn").classes_.tolist()[0]) is kind
        # Whichever type the labels of the test have.
        assert main(["evaluate", "m.sktextcnn", "d.csv", "--json"]) == 0


def test_the_saved_model_shows_no_progress_bars(folder, capsys):
    assert main([*TRAIN, *QUICK]) == 0
    assert "100%" in capsys.readouterr().err
    vectorizer, classifier = (step for _, step in sktextcnn.load("m.sktextcnn").steps)
    assert vectorizer.verbose == classifier.verbose == 0
    data = pd.read_csv("reviews.csv")
    ids = vectorizer.transform(data["review"])
    classifier.partial_fit(ids, data["sentiment"])
    classifier.fit(ids, data["sentiment"])
    assert capsys.readouterr() == ("", "")


def test_texts_that_are_put_aside_in_a_file_give_the_same_model(folder, capsys, monkeypatch):
    argv = [*TRAIN, *QUICK, "--test-size", "0.25"]
    assert main([*argv, "--quiet"]) == 0
    expected = sktextcnn.load("m.sktextcnn")
    monkeypatch.setattr("sktextcnn._cli.stored_samples._MOST_IN_MEMORY", 1)
    monkeypatch.setattr("sktextcnn._cli.scores._TEXTS_AT_ONCE", 4)
    monkeypatch.setattr("sktextcnn._cli.scores._MOST_OF_BASELINE", 1)
    before = set(Path().iterdir())
    assert main(argv) == 0
    assert set(Path().iterdir()) == before
    loaded = sktextcnn.load("m.sktextcnn")
    np.testing.assert_array_equal(loaded.predict_proba(GOOD), expected.predict_proba(GOOD))
    test, test_before = loaded[-1].card_["test"], expected[-1].card_["test"]
    assert test == {**test_before, "baseline_accuracy": None}
    said = "TF-IDF and logistic regression were not trained, since 0 kB of texts would take"
    assert said in capsys.readouterr().err


def test_texts_come_back_from_the_file_as_they_were(tmp_path):
    texts = ["", "a gem", "é 😀\n\0", "\ud83d", "x" * 100, "\r\n"]
    with StoredSamples(str(tmp_path)) as samples:
        for i, text in enumerate(texts):
            samples.append(text, range(i))
        stored = samples.texts(np.array([3, 0, 5, 2, 4, 1]))
        assert list(stored) == list(stored) == [texts[i] for i in (3, 0, 5, 2, 4, 1)]
        assert [len(chunk) for chunk in stored.chunks(4)] == [4, 2]
        assert stored.n_bytes == sum(len(t.encode("utf-8", "surrogatepass")) for t in texts)
        numbers = np.array([2, 0, 1, 4, 3])
        indicator = samples.targets(np.array([2, 0]), numbers, multilabel=True)
        assert indicator.tolist() == [[1, 0, 1, 0, 0], [0, 0, 0, 0, 0]]


def test_a_disk_that_is_full_is_told_with_the_folder(folder, capsys, monkeypatch):
    def write(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.write", write)
    said = fails(capsys, *TRAIN, *QUICK)
    assert re.search(r"put aside .* could not be written \(No space left.*Free space there", said)
    assert not Path("m.sktextcnn").exists()


def test_a_label_of_one_text_cannot_be_held_out(folder, capsys):
    data = pd.DataFrame({"text": ["a", "b", "c"], "label": ["x", "x", "y"]})
    data.to_csv("d.csv", index=False)
    said = fails(capsys, "train", "d.csv", "-o", "m.sktextcnn", "--test-size", "0.5")
    assert "--test-size 0.5: only one text has the label y, so that it cannot be both" in said
