"""Compare word vectors with those of a sentence encoder, and with both side by side.

    python benchmarks/side_by_side.py --data mr.tsv --vectors glove.6B.100d.txt --encoder FOLDER

Lines of --data have a label, a tab and a text. FOLDER has a model of sentence-transformers, or,
with --model2vec, of Model2Vec. --labels are numbers of training texts, 0 for nine tenths; the model
is tested on all others. Each seed draws other texts. A difference is that of accuracies on the same
texts, with its standard error over the seeds.
"""

import argparse
import pathlib
import warnings
from typing import Any

import numpy as np
from corpora import read
from models import kim_cnn
from report import Row, add_record_option, show
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from sktextcnn import Embeddings


def encoder(args: argparse.Namespace) -> Any:
    """Return the object that encodes words."""
    if args.model2vec:
        from model2vec import StaticModel

        return StaticModel.from_pretrained(args.encoder)
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(args.encoder, device="cpu")


def accuracies(args: argparse.Namespace, sources: dict[str, Any], n_labels: int) -> list[Row]:
    """Return the accuracies of each seed in percent, for each name of vectors."""
    texts, labels = read(args.data)
    found = []
    for seed in tqdm(range(args.seeds), desc=f"{n_labels or 'all'} labels"):
        texts_in, texts_out, labels_in, labels_out = train_test_split(
            texts, labels, train_size=n_labels or 0.9, stratify=labels, random_state=seed
        )
        found.append(
            {
                name: 100
                * kim_cnn(source, seed).fit(texts_in, labels_in).score(texts_out, labels_out)
                for name, source in sources.items()
            }
        )
    return found


def main() -> None:
    """Measure, and show a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True, help="GloVe 6B.100d")
    parser.add_argument("--encoder", required=True, help="folder or name of a model")
    parser.add_argument("--model2vec", action="store_true", help="the model is one of Model2Vec")
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--labels", type=int, nargs="*", default=[1000, 0])
    parser.add_argument("--seeds", type=int, default=5)
    add_record_option(parser)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    words, encoded = Embeddings(args.vectors), Embeddings(encoder(args), width=args.width)
    first = "word vectors"
    sources = {first: words, "encoder": encoded, "side by side": [words, encoded]}
    for n_labels in args.labels:
        found = accuracies(args, sources, n_labels)
        rows: list[Row] = []
        for name in sources:
            gains = np.array([each[name] - each[first] for each in found])
            error = gains.std(ddof=1) / len(gains) ** 0.5 if len(gains) > 1 else float("nan")
            mean = np.mean([each[name] for each in found])
            difference = "" if name == first else f"{gains.mean():+.1f} ± {error:.1f}"
            rows.append(
                {"": name, "accuracy": f"{mean:.1f}", "difference": difference, "seeds": args.seeds}
            )
        show(f"Vectors side by side, {n_labels or 'all'} labels", rows, args.record)


if __name__ == "__main__":
    main()
