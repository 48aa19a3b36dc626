"""Measure the time and memory of the engine, Keras, skorch, torch, fastText and TF-IDF.

    python benchmarks/engine.py --data DIR --vectors glove.6B.100d.txt

DIR has mr.tsv, trec-train.tsv and trec-test.tsv. Each line has a label, a tab and a text. Install
the competitors from benchmarks/requirements.txt. Every competitor runs in a process of its own, and
they take turns. Probabilities are compared with those of dense convolutions during the run; a
difference of more than the tolerance is an error.
"""

import argparse
import importlib
import json
import os
import pathlib
import warnings

from settings import THREADS

MEASURES = (
    "training",
    "prediction",
    "latency",
    "vectors",
    "search",
    "growth",
    "imports",
    "accuracy",
    "cuda",
)


def arguments() -> argparse.Namespace:
    from report import add_record_option

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True, help="GloVe 6B.100d")
    parser.add_argument("--only", nargs="*", choices=MEASURES, default=MEASURES)
    parser.add_argument("--repeats", type=int, default=5, help="turns of each competitor")
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=[10_000, 100_000, 1_000_000], help="of growth"
    )
    parser.add_argument("--folds", type=int, default=10, help="of MR, for accuracy")
    parser.add_argument("--seeds", type=int, default=10, help="on TREC, for accuracy")
    parser.add_argument("--texts", type=int, help="number of sentences of MR to use; default: all")
    parser.add_argument("--quick", action="store_true", help="a small run of everything")
    parser.add_argument("--json", type=pathlib.Path)
    add_record_option(parser)
    args = parser.parse_args()
    if args.quick:
        args.repeats, args.folds, args.seeds = 2, 2, 2
        args.texts, args.sizes = 1000, [1000, 2000]
    return args


def main() -> None:
    # Before NumPy and torch are imported, here and in every process that this one starts.
    os.environ |= {"OMP_NUM_THREADS": str(THREADS), "TF_CPP_MIN_LOG_LEVEL": "3"}
    warnings.simplefilter("ignore")
    args = arguments()
    from report import machine, show, table

    results = {"machine": machine(), "tables": {}}
    print(table("Machine", [{"": key, " ": value} for key, value in results["machine"].items()]))
    for name in args.only:
        for title, rows in importlib.import_module(f"measures.{name}").measure(args):
            show(title, rows, args.record)
            results["tables"].setdefault(name, {})[title] = rows
            if args.json:
                args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
