"""Draw the pictures of README and docs: python docs/pictures.py model.sktextcnn.

The model is a Pipeline trained on film reviews with the labels "positive" and "negative". A browser
takes the pictures of pages; the environment variable BROWSER names its program.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
from plots import tables
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import datasets

HERE = Path(__file__).resolve().parent / "_static"
TEXT = (
    "The first hour drags, and the jokes are stale, but the two leads are a delight, and "
    "the ending is so moving that you won't regret a minute of it."
)


def explanation(model_file: str) -> None:
    """Save a text whose words are coloured by the class that they are evidence for."""
    page = sktextcnn.explain(sktextcnn.load(model_file), [TEXT])[0]._repr_html_()
    page = page.replace("<details>", "<details open>")
    screenshot(
        f"<meta charset='utf-8'><body style='margin:1em'>{page}", "explanation.png", (760, 400), 2
    )


def report() -> None:
    """Save the beginning of a report on a model of docstrings."""
    texts, libraries = datasets.load_docstrings()
    train, test, y_train, y_test = train_test_split(
        texts, libraries, test_size=0.25, random_state=0, stratify=libraries
    )
    classifier = sktextcnn.TextCNNClassifier(max_epochs=4, random_state=0)
    model = make_pipeline(sktextcnn.TextVectorizer(), classifier).fit(train, y_train)
    page = sktextcnn.report(
        model,
        test,
        y_test,
        train_texts=train,
        train_labels=y_train,
        model_name="docstrings.sktextcnn",
        data_name="test.csv",
    )
    screenshot(page.html, "report.png", (1000, 1450), 0.8)


def screenshot(page: str, name: str, size: tuple[int, int], scale: float) -> None:
    """Save the picture of a page."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(page, "utf-8")
        browser = os.environ.get("BROWSER", "chromium")
        options = [
            "--headless",
            "--no-sandbox",
            "--hide-scrollbars",
            f"--force-device-scale-factor={scale}",
            f"--window-size={size[0]},{size[1]}",
            f"--screenshot={HERE / name}",
        ]
        subprocess.run([browser, *options, source.as_uri()], check=True)


def speed() -> None:
    """Save the seconds of an epoch, beside those of Keras, skorch and torch."""
    tables.DOCS = HERE.parent
    tables.epochs()
    plt.gcf().savefig(HERE / "speed.png", dpi=120)


if __name__ == "__main__":
    explanation(sys.argv[1])
    report()
    speed()
