"""What class_weight="balanced" does for a rare class: TREC's ABBR, 86 of 5,452 questions.

    python benchmarks/imbalance.py --data DIR --vectors glove.6B.100d.txt

DIR holds trec-train.tsv, with a label, a tab and a text a line. Of its questions, ABBR against the
rest and all six classes are cross-validated, since the test part has nine of ABBR only.
"""

import argparse
import pathlib
import warnings

import numpy as np
from corpora import read
from models import text_cnn
from report import table
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_score, recall_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from sktextcnn import Embeddings

RARE = "ABBR"
FOLDS = 5


def main() -> None:
    """Cross-validate with and without weights, and print what the rare class has of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    vectors = Embeddings(args.vectors)
    texts, labels = read(args.data / "trec-train.tsv")
    tasks = {
        f"{RARE} against the rest": np.where(labels == RARE, RARE, "other"),
        "six classes": labels,
    }
    for title, y in tasks.items():
        rows = []
        for weights in (None, "balanced"):
            figures = []
            for seed in range(args.seeds):
                model = text_cnn(vectors, seed, class_weight=weights)
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
        print(table(f"TREC, {title}; recall, precision and F1 of {RARE}", rows), flush=True)


if __name__ == "__main__":
    main()
