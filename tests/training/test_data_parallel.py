"""Several processes that train one model: equal to one process, and errors in place of waiting."""

import multiprocessing
import pickle
import re
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from sktextcnn import data_parallel, load
from sktextcnn._data_parallel import Group
from tests.training import parallel_cases
from tests.training.parallel_cases import CASES

# Its children have imported everything.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.training.parallel_preloaded"])

# Three are tested by make soak.
SIZES = [2, pytest.param(3, marks=pytest.mark.soak)]
SECONDS = 300  # after which a test fails, rather than waiting for ever


def in_processes(function, size, folder, n_results=None):
    """What a function of `parallel_cases` returns in each process."""
    folder.mkdir()
    started = [
        processes.Process(target=parallel_cases.run, args=(function, rank, size, str(folder)))
        for rank in range(size)
    ]
    for process in started:
        process.start()
    try:
        for process in started[:n_results]:
            process.join(SECONDS)
            assert process.exitcode == 0
    finally:
        for process in started:
            process.kill()
            process.join()
    return [
        pickle.loads((folder / f"{rank}.pickle").read_bytes())
        for rank in range(size if n_results is None else n_results)
    ]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results of all cases in a number of processes, which is asked for by calling it."""
    folder = tmp_path_factory.mktemp("groups")
    return lru_cache(lambda size: in_processes("truth", size, folder / f"{size}"))


def same(first, second):
    np.testing.assert_equal(first, second)


@pytest.mark.parametrize("case", parallel_cases.ALSO_ALONE)
def test_a_group_of_one_process_changes_no_bit(results, case):
    (alone,) = results(1)
    for part in ("weights", "outputs", "history"):
        same(alone[case][part], alone[f"{case}, alone"][part])


def test_chunks_have_the_bits_of_a_list(results):
    (alone,) = results(1)
    for several in (alone, *results(2)):
        for part in ("weights", "outputs", "history", "gradients"):
            same(several["chunks"][part], several["plain"][part])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", CASES)
def test_all_processes_have_the_same_model(results, case, size):
    first, *others = (result[case] for result in results(size))
    for other in others:
        for part in ("weights", "outputs", "history", "gradients", "card"):
            same(first[part], other[part])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", [case for case in CASES if case != "no seed"])
def test_gradients_and_losses_are_those_of_one_process(results, case, size):
    tolerance = {"rtol": 0, "atol": 2e-2 if case == "bfloat16" else 1e-6}
    one, several = results(1)[0][case], results(size)[0][case]
    assert len(several["gradients"]) == parallel_cases.N_STEPS
    for expected, found in zip(one["gradients"][:2], several["gradients"][:2], strict=True):
        assert found.keys() == expected.keys()
        for name, grad in expected.items():
            np.testing.assert_allclose(found[name], grad, **tolerance, err_msg=name)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", [case for case in CASES if case != "no seed"])
def test_trainings_are_those_of_one_process(results, case, size):
    # Adam makes much of gradients that are nothing but rounding.
    by_adam = case in ("sparse gradients", "regions")
    tolerance = {"rtol": 0, "atol": 2e-2 if by_adam or case == "bfloat16" else 1e-5}
    one, several = results(1)[0][case], results(size)[0][case]
    np.testing.assert_allclose(several["outputs"], one["outputs"], **tolerance)
    assert len(several["history"]) == len(one["history"])
    for expected, found in zip(one["history"], several["history"], strict=True):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            same(type(found[name]), type(value))
            if isinstance(value, float):
                np.testing.assert_allclose(found[name], value, **tolerance, err_msg=name)


def test_early_stopping_and_scores_of_callbacks_see_all_texts(results):
    history = results(2)[0]["validation"]["history"]
    assert 1 < len(history) < 9
    assert history[0]["train_batch_count"] == -(-parallel_cases.N_TEXTS // 8)
    assert {"f1_macro", "accuracy", "valid_loss"} <= history[0].keys()


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    return in_processes("differing", 2, tmp_path_factory.mktemp("differing") / "2")


@pytest.mark.parametrize(
    ("what", "match"),
    [
        ("texts", "differ in the texts"),
        ("number", r"differ in the texts: shape \(41, 13\).* shape \(40, 13\)"),
        ("words", "differ in the words"),
        ("vectors", "differ in the vectors"),
        ("labels", "differ in the labels"),
        ("parameter", "differ in batch_size: 8 in process 0, 9 in process 1"),
        ("weights", "differ in the weights of texts"),
        ("pretrained", "differ in the weights of pretrained"),
        ("version", "differ in the version of sktextcnn: .* in process 0, '?9.9"),
        ("changed", "differ in the weights head.*Callbacks must act"),
    ],
)
def test_processes_that_differ_all_say_in_what(said, what, match):
    for message in (each[what] for each in said):
        assert message is not None
        assert message.startswith("ValueError")
        assert re.search(match, message), message


@pytest.mark.parametrize(
    ("what", "own"), [("failed", "no space left"), ("interrupted", "KeyboardInterrupt")]
)
def test_an_error_in_one_process_ends_the_others(said, what, own):
    assert own in said[1][what]
    assert said[0][what].startswith("RuntimeError")
    assert "Process 0 of 2 has lost the others" in said[0][what]


def test_the_seed_is_that_of_the_first_process(said):
    assert [each["seed"] for each in said] == [None, None]


@pytest.mark.parametrize("how", ["kill", pytest.param("stop", marks=pytest.mark.soak)])
def test_a_lost_process_ends_the_others(tmp_path, how):
    for message, seconds in in_processes(f"lost_by_{how}", 3, tmp_path / how, n_results=2):
        assert "has lost the others of data_parallel()" in message
        # Far less than torch's 30 minutes.
        assert seconds < 120


def test_the_context_needs_a_group_and_sensible_times():
    with pytest.raises(RuntimeError, match=r"init_process_group\('gloo'\)"), data_parallel():
        pass
    for name in ("timeout", "start_timeout"):
        for value in (0, -1.0, "5", None, True, float("nan"), float("inf")):
            with pytest.raises(ValueError, match=f"{name} must be"), data_parallel(**{name: value}):
                pass


@pytest.mark.parametrize(
    ("computing", "exchanging", "least"),
    [(0.004, 0.006, 96), (0.001, 0.5, 32_000), (0.02, 0.02, 0)],
)
def test_a_warning_says_at_which_batch_size_processes_pay(computing, exchanging, least):
    # 2 processes compute half a batch of 64 texts each.
    group = object.__new__(Group)
    group.rank, group.size, group._seconds = 0, 2, []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for step in range(100):
            slow = 10 if step < 5 else 1
            group.note_step(group.part_of(64), computing, slow * exchanging)
    assert len(caught) == (1 if least else 0)
    if least:
        assert f"batch_size to at least {least}" in str(caught[0].message)


@pytest.mark.soak
@pytest.mark.parametrize("n_processes", [2, 3])
def test_the_recipe_for_torchrun(n_processes, tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "data_parallel.md").read_text(encoding="utf-8")
    program = re.search(r"^:caption: train.py\n\n(.*?)^```", page, re.M | re.S)[1]
    (tmp_path / "train.py").write_text(program, encoding="utf-8")
    rows = [("a warm and witty film", "good"), ("a dull and dead film", "bad")] * 15
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(tmp_path / "reviews.csv")
    # What torchrun does, with processes that have imported everything.
    config = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=n_processes, rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0", start_method="forkserver", monitor_interval=0.1,
    )  # fmt: skip
    elastic_launch(config, parallel_cases.recipe_by_torchrun)(str(tmp_path))
    model = load(tmp_path / "reviews.sktextcnn")
    assert list(model.predict(["warm and witty", "dull and dead"])) == ["good", "bad"]
