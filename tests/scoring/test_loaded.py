"""A process loads a model once, and again when its file has changed."""

import gc
import os
import pickle
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import sktextcnn
from sktextcnn import Scorer
from sktextcnn._scoring import loaded
from tests.scoring.models import LABELS, TEXTS, fitted
from tests.vectors.test_fork import exit_code, needs_fork

FRAME = {"review": TEXTS}


@pytest.fixture
def reads(monkeypatch):
    """The files that are read, in order."""
    read, paths = loaded._read, []

    def noted(path, trusted):
        paths.append(path)
        return read(path, trusted)

    monkeypatch.setattr(loaded, "_read", noted)
    return paths


def test_many_frames_and_scorers_load_a_file_once(path, reads):
    for _ in range(3):
        Scorer(path, "review")(FRAME)
    Scorer(path, "review", all_classes=True)(FRAME)
    assert reads == [str(path)]


def test_many_threads_load_it_once_and_predict_the_same_bits(path, model, reads):
    score, start = Scorer(path, "review"), threading.Barrier(8)

    def work(_):
        start.wait()
        return [score(FRAME)["probability"] for _ in range(3)]

    with ThreadPoolExecutor(8) as pool:
        scored = [each for of_thread in pool.map(work, range(8)) for each in of_thread]
    assert reads == [str(path)]
    wanted = model.predict_proba(TEXTS).max(axis=1).tolist()
    assert scored == [wanted] * 24


def test_a_file_that_changes_is_loaded_again_and_the_old_model_released(
    model, other_model, tmp_path, reads
):
    path = tmp_path / "model.sktextcnn"
    sktextcnn.save(model, path)
    score = Scorer(path, "review")
    assert score(FRAME)["prediction"] == model.predict(TEXTS).tolist()
    old = weakref.ref(loaded.loaded_model(str(path), trusted=False))
    sktextcnn.save(other_model, path)
    assert score(FRAME)["probability"] == other_model.predict_proba(TEXTS).max(axis=1).tolist()
    gc.collect()
    assert old() is None
    assert len(reads) == 2


def test_another_file_of_the_same_size_and_time_is_another_file(model, other_model, tmp_path):
    path, new = tmp_path / "model.joblib", tmp_path / "new.joblib"
    joblib.dump(model, path)
    joblib.dump(other_model, new)
    size = max(path.stat().st_size, new.stat().st_size)
    for file in (path, new):  # A pickle may have anything behind its end.
        file.write_bytes(file.read_bytes().ljust(size, b"\0"))
        os.utime(file, ns=(1, 1))
    score = Scorer(path, "review", trusted=True)
    before = score(FRAME)
    new.replace(path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (size, 1)
    assert score(FRAME)["probability"] != before["probability"]


def test_a_file_that_is_being_written_is_read_when_it_is_complete(
    path, model, tmp_path, monkeypatch
):
    complete = path.read_bytes()
    half = tmp_path / "model.sktextcnn"
    half.write_bytes(complete[: len(complete) // 2])
    read = loaded._read

    def read_while_others_write(path, trusted):
        try:
            return read(path, trusted)
        finally:
            half.write_bytes(complete)

    monkeypatch.setattr(loaded, "_read", read_while_others_write)
    assert Scorer(half, "review")(FRAME)["prediction"] == model.predict(TEXTS).tolist()


def test_a_damaged_file_is_an_error_until_it_is_mended(path, model, tmp_path):
    copy = tmp_path / "model.sktextcnn"
    copy.write_bytes(path.read_bytes())
    score = Scorer(copy, "review")
    score(FRAME)
    copy.write_bytes(path.read_bytes()[:-1])
    for _ in range(2):
        with pytest.raises(ValueError, match=r"model\.sktextcnn.*truncated"):
            score(FRAME)
    copy.write_bytes(path.read_bytes())
    assert score(FRAME)["prediction"] == model.predict(TEXTS).tolist()


def test_a_file_that_is_not_on_this_machine_is_named_with_the_machine(tmp_path):
    score = Scorer(tmp_path / "model.sktextcnn", "review")
    with pytest.raises(FileNotFoundError, match=r"no model file '.*model\.sktextcnn' on .*Each w"):
        score(FRAME)


def test_a_process_keeps_a_few_models_only(path, tmp_path, monkeypatch, reads):
    monkeypatch.setattr(loaded, "_MOST_MODELS", 2)
    paths = [tmp_path / f"{i}.sktextcnn" for i in range(3)]
    for each in paths:
        each.write_bytes(path.read_bytes())
        Scorer(each, "review")(FRAME)
    assert [key[0] for key in loaded._entries] == [str(paths[1]), str(paths[2])]


@needs_fork
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_that_is_forked_while_a_thread_loads_the_model_loads_it(path, model):
    score = Scorer(path, "review")
    wanted = model.predict(TEXTS).tolist()
    entry = loaded._entries[str(path), False] = loaded._Entry()
    with loaded._entries_lock.current, entry.lock.current:
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if score(FRAME)["prediction"] == wanted else 1)
            except BaseException:
                os._exit(2)
        assert exit_code(child) == 0


def test_a_scorer_is_sent_as_its_path_and_scores_in_a_new_process(path, model):
    score = Scorer(path, "review", missing="null")
    score(FRAME)
    pickled = pickle.dumps(score)
    assert len(pickled) < 400 + len(str(path))
    code = (
        "import pickle, sys\n"
        f"score = pickle.loads({pickled!r})\n"
        "assert not {'torch', 'sklearn', 'pandas'} & set(sys.modules)\n"
        f"print(score({FRAME!r})['prediction'])\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=path.parent
    ).stdout
    assert printed.strip() == repr(model.predict(TEXTS).tolist())


def test_a_relative_path_is_that_of_the_process_which_made_the_scorer(path, tmp_path, monkeypatch):
    monkeypatch.chdir(path.parent)
    score = Scorer(path.name, "review")
    monkeypatch.chdir(tmp_path)
    assert len(score(FRAME)["prediction"]) == len(TEXTS)


# Kinds of files -----------------------------------------------------------------------


def lowered(texts):
    return [text.lower() for text in texts]


def test_a_pickle_is_loaded_if_it_is_trusted(model, tmp_path):
    search = GridSearchCV(model, {"textcnnclassifier__max_epochs": [1]}, cv=2)
    search.fit(TEXTS * 2, LABELS * 2)
    lowering = make_pipeline(FunctionTransformer(lowered), *search.best_estimator_)
    for each in (search, lowering):
        joblib.dump(each, tmp_path / "model.joblib")
        scored = Scorer(tmp_path / "model.joblib", "review", trusted=True)(FRAME)
        assert scored["prediction"] == each.predict(TEXTS).tolist()


def test_a_pickle_that_is_not_trusted_is_not_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "exploded"),)

    file = tmp_path / "model.joblib"
    file.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match=r"model\.joblib.*you trust it, give trusted=True"):
        Scorer(file, "review")(FRAME)
    assert not (tmp_path / "exploded").exists()


def test_a_file_that_is_no_pickle_is_an_error(model, tmp_path):
    sktextcnn.export_onnx(model, tmp_path / "model.onnx")
    with pytest.raises(ValueError, match=r"model\.onnx' is neither a model file .* nor a pickle"):
        Scorer(tmp_path / "model.onnx", "review", trusted=True)(FRAME)


def test_a_model_without_a_vectorizer_or_classifier_is_an_error(model, tmp_path):
    for part in (model[0], model[-1]):
        sktextcnn.save(part, tmp_path / "part.sktextcnn")
        with pytest.raises(TypeError, match=r"part\.sktextcnn' has a Text.* the whole Pipeline"):
            Scorer(tmp_path / "part.sktextcnn", "review")(FRAME)
    other = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, LABELS)
    joblib.dump(other, tmp_path / "other.joblib")
    with pytest.raises(TypeError, match="ends with a TextCNNClassifier"):
        Scorer(tmp_path / "other.joblib", "review", trusted=True)(FRAME)


def test_a_file_that_lacks_parameters_is_an_error(tmp_path):
    model = fitted(LABELS)
    model[0].set_params(tokenizer=str.split)
    sktextcnn.save(model, tmp_path / "m.sktextcnn", omit=["textvectorizer__tokenizer"])
    with pytest.raises(ValueError, match=r"saved with omit=.*with joblib, and give trusted=True"):
        Scorer(tmp_path / "m.sktextcnn", "review")(FRAME)


# Threads ------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_jobs", "threads"), [(1, 1), (-1, 2)])
def test_a_frame_takes_one_thread_or_those_of_torch(path, monkeypatch, n_jobs, threads):
    from sktextcnn._network import threads as of_network

    monkeypatch.setattr(of_network.torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(of_network.joblib, "cpu_count", lambda: 2)
    monkeypatch.setattr(of_network, "limit_torch_threads", lambda n: lambda: None)
    model, seen = loaded.loaded_model(str(path), trusted=False), []

    def predict_proba(texts):
        seen.append(of_network.usable_threads())
        return np.ones((len(texts), 3)) / 3

    monkeypatch.setattr(model, "predict_proba", predict_proba)
    Scorer(path, "review", n_jobs=n_jobs)(FRAME)
    assert seen == [threads]


def test_a_large_frame_is_predicted_in_parts(path, monkeypatch):
    monkeypatch.setattr("sktextcnn._scorer._ROWS_AT_ONCE", 4)
    model, seen = loaded.loaded_model(str(path), trusted=False), []
    predict_proba = model.predict_proba
    monkeypatch.setattr(
        model, "predict_proba", lambda texts: seen.append(len(texts)) or predict_proba(texts)
    )
    scored = Scorer(path, "review")(FRAME)
    assert seen == [4, 2]
    assert scored["probability"] == predict_proba(TEXTS).max(axis=1).tolist()
