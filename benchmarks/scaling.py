"""Measure what runs beyond one process: searches, corpora in chunks, training, scoring.

    python benchmarks/scaling.py PART ...

Each part has options of its own, which ``--help`` after its name shows. Parts that need Dask,
Ray or Spark run in the environment of ``make test-engines``, on a machine that does nothing else.
Figures of both sides of a ratio are of the same run.
"""

import argparse
import importlib
import pkgutil
import warnings

import scaling_parts
from report import add_record_option, show


def main() -> None:
    """Run one part, and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="part", required=True)
    for module in pkgutil.iter_modules(scaling_parts.__path__):
        part = importlib.import_module(f"scaling_parts.{module.name}")
        subparser = parts.add_parser(module.name, description=part.__doc__.splitlines()[0])
        part.add_arguments(subparser)
        add_record_option(subparser)
        subparser.set_defaults(run=part.run)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    for title, rows in args.run(args):
        show(title, rows, args.record)


if __name__ == "__main__":
    main()
