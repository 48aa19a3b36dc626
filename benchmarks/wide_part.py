"""Measure what the wide part costs: seconds of a fit, texts a second, time of one text.

    python benchmarks/wide_part.py --data FILE [--vectors glove.6B.100d.txt]

Lines of FILE have a label, a tab and a text. A model with the wide part and the network alone are
fitted to four fifths of the texts. They take turns in labelling the rest, all at once and one text
at a time, from raw text to label. Ratios are the medians of the turns' ratios.
"""

import argparse
import pathlib
import time
import warnings
from collections.abc import Callable

import numpy as np
from corpora import read
from report import Row, add_record_option, show
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from tqdm import tqdm

from sktextcnn import TextCNNClassifier, TextVectorizer

TURNS = 7
WIDE = {"wide": True, "network alone": False}


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def row(name: str, times: dict[str, list[float]], scale: float = 1.0) -> Row:
    """Return the medians of both models, and that of their ratios."""
    ratios = np.divide(*times.values())
    medians = {model: f"{scale * np.median(values):.3g}" for model, values in times.items()}
    return {"": name, **medians, "ratio": f"{np.median(ratios):.2f}"}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, help="default: random vectors")
    add_record_option(parser)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    texts, labels = read(args.data)
    train, test, y_train, _ = train_test_split(
        texts, labels, test_size=0.2, random_state=0, stratify=labels
    )
    models: dict[str, Pipeline] = {
        name: make_pipeline(
            TextVectorizer(embeddings=args.vectors, random_state=0),
            TextCNNClassifier(wide=wide, random_state=0, device="cpu"),
        )
        for name, wide in WIDE.items()
    }
    fits: dict[str, list[float]] = {
        name: [seconds(lambda model=model: model.fit(train, y_train))]
        for name, model in tqdm(models.items(), desc="fits")
    }
    all_at_once: dict[str, list[float]] = {name: [] for name in models}
    one: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(TURNS + 1):
        for name, model in models.items():
            found = seconds(lambda model=model: model.predict(test))
            single = [seconds(lambda t=t, model=model: model.predict([t])) for t in test[:300]]
            if turn:  # The first one warms up.
                all_at_once[name].append(found / len(test))
                one[name].append(float(np.median(single)))
    rows = [
        row("a fit, s", fits),
        row("a text of many, microseconds", all_at_once, 1e6),
        row("one text, ms", one, 1e3),
    ]
    show(f"Cost of the wide part, {args.data.stem}", rows, args.record)


if __name__ == "__main__":
    main()
