"""Use the installed package as a user does; `make dist` runs this where the clone is not at hand.

python -I tests/distribution/use_installed.py
"""

import csv
import importlib.metadata
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer

TEXTS = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
LABELS = ["good", "bad"] * 10


def command(*arguments: object) -> str:
    """Run the installed command and return what it prints."""
    program = Path(sys.executable).parent / "sktextcnn"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.run(
        [program, *map(str, arguments)], env=environment, capture_output=True, text=True
    )
    if process.returncode:
        sys.exit(f"{process.args} failed:\n{process.stderr}")
    return process.stdout


def check_version() -> None:
    """Check that the installed package is used, and that it knows its version."""
    version = importlib.metadata.version("sktextcnn")
    assert Path(sktextcnn.__file__).is_relative_to(sys.prefix), sktextcnn.__file__
    assert sktextcnn.__version__ == version, sktextcnn.__version__
    assert command("--version").split() == ["sktextcnn", version], command("--version")


def check_python(folder: Path) -> None:
    """Fit, search, save, load and predict."""
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0, max_epochs=20))
    search = GridSearchCV(model, {"textcnnclassifier__num_filters": [5, 20]}, cv=2)
    search.fit(TEXTS, LABELS)
    assert search.best_score_ == 1, search.cv_results_
    path = folder / "search.sktextcnn"
    sktextcnn.save(search.best_estimator_, path)
    expected = search.predict_proba(TEXTS)
    np.testing.assert_array_equal(sktextcnn.load(path).predict_proba(TEXTS), expected)


def check_command(folder: Path) -> None:
    """Train, predict and evaluate on a table."""
    table, model, labelled = folder / "films.csv", folder / "films.sktextcnn", folder / "out.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *zip(TEXTS, LABELS, strict=True)])
    command("train", table, "-o", model, "--max-epochs", 20, "--quiet")
    command("predict", model, table, "-o", labelled)
    with labelled.open(newline="", encoding="utf-8") as file:
        predicted = [row["prediction"] for row in csv.DictReader(file)]
    assert predicted == LABELS, predicted
    assert predicted == sktextcnn.load(model).predict(TEXTS).tolist()
    report = command("evaluate", model, table)
    assert "accuracy" in report, report


if __name__ == "__main__":
    check_version()
    with tempfile.TemporaryDirectory() as temporary:
        check_python(Path(temporary))
        check_command(Path(temporary))
    print(f"sktextcnn {sktextcnn.__version__} works as it is installed in {sys.prefix}")
