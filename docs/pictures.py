"""Draw the pictures of README and docs: python docs/pictures.py model.sktextcnn.

The model is a Pipeline trained on film reviews with the labels "positive" and "negative". Without
it, all other pictures are drawn; for the cards, a model of examples/tickets.csv is trained. A
browser takes screenshots; the environment variable BROWSER names its program.
"""

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
from plots import tables
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import datasets

HERE = Path(__file__).resolve().parent / "_static"
TICKETS = HERE.parents[1] / "examples" / "tickets.csv"
TEXT = (
    "The first hour drags, and the jokes are stale, but the two leads are a delight, and "
    "the ending is so moving that you won't regret a minute of it."
)
TICKET = "I was charged for a radio that never arrived. Where is it?"
SEARCH = """\
model = make_pipeline(
    TextVectorizer(embeddings="glove-wiki-gigaword-100"),
    TextCNNClassifier(random_state=0),
)
search = GridSearchCV(
    model,
    {"textcnnclassifier__finetune": [False, True]},
)
search.fit(texts, labels)
search.predict(["a witty gem"])
"""
# Width and height of the picture of a card.
CARD = (640, 300)


def with_margin(body: str) -> str:
    """Return a page with this body."""
    return f"<meta charset='utf-8'><body style='margin:1em'>{body}"


def screenshot(page: str, name: str, size: tuple[int, int], scale: float) -> None:
    """Save what a browser shows of a page."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(page, "utf-8")
        options = [
            "--headless",
            "--no-sandbox",
            "--hide-scrollbars",
            f"--user-data-dir={folder}",
            f"--force-device-scale-factor={scale}",
            "--window-size={},{}".format(*size),
            f"--screenshot={HERE / name}",
        ]
        browser = os.environ.get("BROWSER", "chromium")
        subprocess.run([browser, *options, source.as_uri()], check=True)


def explanation(model_file: str) -> None:
    """Save a text whose words are coloured by the class that they are evidence for."""
    page = sktextcnn.explain(sktextcnn.load(model_file), [TEXT])[0]._repr_html_()
    page = page.replace("<details>", "<details open>")
    screenshot(with_margin(page), "explanation.png", (760, 450), 2)


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


def speed() -> None:
    """Save the seconds of an epoch, beside those of Keras, skorch and torch."""
    tables.epochs()
    plt.gcf().savefig(HERE / "speed.png", dpi=120)


def card_train(model_file: Path) -> None:
    """Train on tickets, and save what the terminal shows."""
    shutil.copy(TICKETS, model_file.parent)
    command = "sktextcnn train tickets.csv --text message --label queue --test-size 0.2"
    done = subprocess.run(
        [sys.executable, "-m", *command.split(), "-o", model_file.name],
        cwd=model_file.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    lines = (done.stdout + done.stderr).splitlines()
    # Of the progress, which is lines where there is no terminal, the picture has no room.
    said = [line for line in lines if line and not re.search(r"\[\d+:\d+|: 0%", line)]
    command = command.replace(" --text", " \\\n    --text").replace(" --test", " \\\n    --test")
    text = html.escape("\n".join([f"$ {command} -o {model_file.name}", *said]))
    style = "white-space:pre-wrap;font:17px/1.3 monospace;color:#eee;margin:0"
    screenshot(
        f"<style>body{{background:#1e1e1e}}</style><pre style='{style}'>{text}</pre>",
        "card-train.png",
        CARD,
        1,
    )


def card_search() -> None:
    """Save lines of Python."""
    lines = highlight(SEARCH, PythonLexer(), HtmlFormatter(noclasses=True, style="a11y-light"))
    style = "<style>body{background:#f2f2f2}pre{font:18px/1.35 monospace!important}</style>"
    screenshot(with_margin(style + lines), "card-search.png", CARD, 1)


def card_explain(model_file: Path) -> None:
    """Save an explained ticket."""
    page = sktextcnn.explain(sktextcnn.load(model_file), [TICKET])[0].to_html()
    screenshot(with_margin(f"<div style='zoom:1.6'>{page}</div>"), "card-explain.png", CARD, 1)


def card_deploy() -> None:
    """Save how fast model files are."""
    width, height = (size / 100 for size in CARD)
    with plt.rc_context({"font.size": 12}):
        tables.single_texts_of_model_files()
        figure = plt.gcf()
        figure.set_size_inches(width, height)
        figure.savefig(HERE / "card-deploy.png", dpi=100)


if __name__ == "__main__":
    tables.DOCS = HERE.parent
    report()
    with tempfile.TemporaryDirectory() as folder:
        tickets = Path(folder) / "tickets.sktextcnn"
        card_train(tickets)
        card_explain(tickets)
    card_search()
    card_deploy()
    speed()
    if len(sys.argv) > 1:
        explanation(sys.argv[1])
