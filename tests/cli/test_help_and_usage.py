"""--help, its examples, --version and wrong usage."""

import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import sktextcnn
from sktextcnn._cli import main, train
from tests.cli.commands import COMMANDS, QUICK, TRAIN, pipe, quick_demo


def test_help_and_version_import_nothing_heavy():
    code = """
        import sys
        from sktextcnn._cli import main
        for argv in (["--version"], ["--help"], ["train", "--help"], ["vectors", "--help"]):
            try:
                main(argv)
            except SystemExit as error:
                assert error.code == 0
        heavy = {"torch", "numpy", "sklearn", "gensim", "tqdm", "pyarrow", "pandas"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
    """
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.startswith(f"sktextcnn {sktextcnn.__version__}\n")


def test_the_script_of_the_distribution_is_the_command():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    module, _, name = project["project"]["scripts"]["sktextcnn"].partition(":")
    assert getattr(import_module(module), name) is main


def examples_of(help_text):
    lines = help_text.split("examples:\n")[1].replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip()]


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_examples_of_the_help_run(folder, gensim_data, corpus, capsys, monkeypatch, command):
    quick_demo(monkeypatch, corpus)
    new_model = train.new_model

    def quick(args):
        args.max_epochs = 2
        return new_model(args)

    monkeypatch.setattr(train, "new_model", quick)
    with pytest.raises(SystemExit, match="0"):
        main([*([command] if command else []), "--help"])
    examples = examples_of(capsys.readouterr().out)
    assert len(examples) >= 2
    for example in examples:
        before, pipes, line = example.rpartition(" | ")
        if pipes:
            feeder, argument = shlex.split(before)
            data = Path(argument).read_bytes() if feeder == "cat" else argument.encode()
            pipe(monkeypatch, data)
        line, redirected, path = line.partition(" > ")
        name, *argv = shlex.split(line)
        assert name == "sktextcnn"
        assert main(argv) == 0, (example, capsys.readouterr().err)
        out = capsys.readouterr().out
        if redirected:
            assert out
            Path(path).write_text(out, encoding="utf-8")
    if command == "train":
        assert sktextcnn.load("m.sktextcnn").classes_.tolist() == ["negative", "positive"]


def test_files_and_texts_stand_where_one_likes(folder, capsys):
    outs = []
    for argv in (
        ["predict", "model.sktextcnn", "new.csv", "--text", "review"],
        ["predict", "--text", "review", "model.sktextcnn", "new.csv"],
        ["predict", "model.sktextcnn", "--text", "review", "new.csv"],
    ):
        assert main(argv) == 0
        outs.append(capsys.readouterr().out)
    assert outs[0].count("\n") == 7
    assert outs[1:] == outs[:1] * 2
    assert main(["explain", "--n=1", "model.sktextcnn", "a gem", "--color=never", "dull"]) == 0
    assert len(re.findall(r"^(a gem|dull)$", capsys.readouterr().out, re.M)) == 2
    assert main([*TRAIN[:1], *TRAIN[2:], *QUICK, "reviews.csv", "--quiet"]) == 0
    with pytest.raises(SystemExit, match="0"):
        main(["predict", "--help"])
    out = capsys.readouterr().out
    assert re.search(r"\] model \[data\]", " ".join(out.split()))
    assert re.search(r"^  model +model file written by train", out, re.M)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "required: COMMAND"),
        (["trian"], "invalid choice"),
        (["train"], "required: -o"),
        (["predict"], "required: model"),
        (["predict", "m", "d.csv", "e.csv"], "unrecognized arguments: e.csv"),
        (["train", "-o", "m", "--test-size", "2"], "between 0 and 1; got '2'"),
        (["train", "-o", "m", "--test-size", ".2", "--test", "t"], "not allowed with"),
        (["train", "-o", "m", "--set", "min_df"], "expected STEP.NAME=VALUE"),
        (["train", "-o", "m", "--finetune", "yes"], "expected true, false, a number of epochs"),
        (["train", "-o", "m", "--max-epochs", "0"], "expected an integer from 1 to"),
        (["train", "-o", "m", "--seed", "-1"], "--seed: expected an integer from 0 to 4294967295"),
        (["train", "-o", "m", "--seed", str(2**32)], "expected an integer from 0 to 4294967295"),
        (["predict", "m", "--chunk-size", "9" * 30], "expected an integer from 1 to"),
        (["predict", "m", "--chunk-size", "-3"], "expected an integer from 1"),
        (["predict", "m", "--delimiter", "ab"], "expected one character"),
        (["predict", "m", "--format", "xls"], "invalid choice"),
    ],
)
def test_wrong_usage_ends_with_2(capsys, argv, said):
    with pytest.raises(SystemExit) as error:
        main(argv)
    assert error.value.code == 2
    assert said in capsys.readouterr().err
