"""The scripts of the gallery take a corpus that the user names."""

import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
REVIEWS = {"spam": ["buy it now", "win a prize", "call now"], "ham": ["see you", "at home", "ok"]}


@pytest.fixture(autouse=True)
def few_epochs(monkeypatch):
    """So few texts would be seen 300 times."""
    monkeypatch.setattr("sktextcnn._classifier._MOST_EPOCHS", 5)


@pytest.fixture(autouse=True)
def no_windows():
    backend = plt.get_backend()
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.switch_backend(backend)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:jieba", "ignore::SyntaxWarning")
@pytest.mark.filterwarnings("ignore:pkg_resources")
@pytest.mark.parametrize("name", ["plot_sentiment.py", "plot_spam.py", "plot_chinese.py"])
def test_examples_take_a_file_of_labels_and_texts(name, tmp_path, monkeypatch, capsys):
    lines = [f"{label}\t{text}" for label, texts in REVIEWS.items() for text in texts] * 4
    (tmp_path / "corpus.tsv").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setenv("DATA", str(tmp_path / "corpus.tsv"))
    used = runpy.run_path(str(EXAMPLES / name))
    used_lines = map("\t".join, zip(used["labels"], used["texts"], strict=True))
    assert sorted(used_lines) == sorted(lines)
    assert capsys.readouterr().out


def test_tickets_take_a_csv(tmp_path, monkeypatch, capsys):
    rows = [f'{label},"{text}"' for label, texts in REVIEWS.items() for text in texts] * 4
    (tmp_path / "mine.csv").write_text("\n".join(["queue,message", *rows]), encoding="utf-8")
    monkeypatch.setenv("DATA", str(tmp_path / "mine.csv"))
    used = runpy.run_path(str(EXAMPLES / "plot_tickets.py"))
    assert (len(used["messages"]), set(used["queues"])) == (24, {"ham", "spam"})
    assert "TextCNN" in capsys.readouterr().out


def test_topics_take_a_folder_of_folders(tmp_path, monkeypatch, capsys):
    for topic in ("space", "hockey"):
        folder = tmp_path / topic
        folder.mkdir()
        for i in range(10):
            (folder / str(i)).write_text(f"a text of {topic} number {i}", encoding="latin-1")
    monkeypatch.setenv("DATA", str(tmp_path))
    used = runpy.run_path(str(EXAMPLES / "plot_topics.py"))
    assert set(used["topics"]) == {"space", "hockey"}
    assert "16 texts of 2 topics, 4 to test on" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_study_prunes_some_of_its_trials(docstrings, monkeypatch, capsys):
    monkeypatch.setattr("sktextcnn.datasets.load_docstrings", lambda: docstrings)
    used = runpy.run_path(str(EXAMPLES / "plot_optuna.py"))
    states = {trial.state.name for trial in used["study"].trials}
    assert states == {"COMPLETE", "PRUNED"}
    assert "The best loss is" in capsys.readouterr().out


@pytest.mark.soak
def test_transfer_is_better_than_few_labels_alone(docstrings, monkeypatch, capsys):
    texts, libraries = (each[::2] for each in docstrings)
    monkeypatch.setattr("sktextcnn.datasets.load_docstrings", lambda: (texts, libraries))
    used = runpy.run_path(str(EXAMPLES / "plot_transfer.py"))
    assert used["accuracies"]["pretrained"][0] > used["accuracies"]["alone"][0]
    assert "long sentences" in capsys.readouterr().out
