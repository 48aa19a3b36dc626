"""Measure class_weight="balanced" on a rare class: TREC's ABBR, 86 of 5,452 questions.

    python benchmarks/imbalance.py --data DIR --vectors glove.6B.100d.txt

DIR has trec-train.tsv. Each line has a label, a tab and a text. ABBR against the rest and all six
classes are cross-validated on these questions, since the test part has only nine of ABBR.
Recall, precision and F1 are those of ABBR.
"""

import argparse
import pathlib
import warnings

import numpy as np
from corpora import read
from models import kim_cnn
from report import add_record_option, show
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_score, recall_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from sktextcnn import Embeddings

RARE = "ABBR"
FOLDS = 5


def main() -> None:
    """Cross-validate with and without weights, and show the scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    add_record_option(parser)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    vectors = Embeddings(args.vectors)
    texts, labels = read(args.data / "trec-train.tsv")
    tasks = {
        "against the rest": np.where(labels == RARE, RARE, "other"),
        "among six classes": labels,
    }
    for title, y in tasks.items():
        rows = []
        for weights in (None, "balanced"):
            figures = []
            for seed in range(args.seeds):
                model = kim_cnn(vectors, seed, class_weight=weights)
                folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
                found = cross_val_predict(model, texts, y, cv=folds)
                figures.append(
                    (
                        recall_score(y == RARE, found == RARE),
                        precision_score(y == RARE, found == RARE),
                        f1_score(y == RARE, found == RARE),
                        balanced_accuracy_score(y, found),
                        np.mean(y == found),
                    )
                )
            names = ("recall", "precision", "F1", "balanced accuracy", "accuracy")
            cells = (
                f"{100 * mean:.1f} ± {100 * deviation:.1f}"
                for mean, deviation in zip(np.mean(figures, 0), np.std(figures, 0), strict=True)
            )
            rows.append({"class_weight": repr(weights), **dict(zip(names, cells, strict=True))})
        show(f"Rare class {RARE} {title}", rows, args.record)


if __name__ == "__main__":
    main()
