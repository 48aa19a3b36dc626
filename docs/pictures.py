"""Draw the pictures of the README: python docs/pictures.py model.sktextcnn.

The model is a Pipeline trained on film reviews with the labels "positive" and "negative". A browser
takes the first picture as a screenshot; the environment variable BROWSER names its program.
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

import sktextcnn

HERE = Path(__file__).resolve().parent / "_static"
TEXT = (
    "The first hour drags, and the jokes are stale, but the two leads are a delight, and "
    "the ending is so moving that you won't regret a minute of it."
)


def explanation(model_file: str) -> None:
    """Save a text whose words are coloured by the class that they are evidence for."""
    page = sktextcnn.explain(sktextcnn.load(model_file), [TEXT])[0]._repr_html_()
    page = page.replace("<details>", "<details open>")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(f"<meta charset='utf-8'><body style='margin:1em'>{page}", "utf-8")
        browser = os.environ.get("BROWSER", "chromium")
        options = [
            "--headless",
            "--no-sandbox",
            "--hide-scrollbars",
            "--force-device-scale-factor=2",
        ]
        picture = f"--screenshot={HERE / 'explanation.png'}"
        subprocess.run(
            [browser, *options, "--window-size=760,440", picture, source.as_uri()], check=True
        )


def speed() -> None:
    """Save the seconds of an epoch, beside those of Keras, skorch and torch."""
    tables.DOCS = HERE.parent
    tables.epochs()
    plt.gcf().savefig(HERE / "speed.png", dpi=120)


if __name__ == "__main__":
    explanation(sys.argv[1])
    speed()
