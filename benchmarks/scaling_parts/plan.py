"""What a corpus of a million to ten billion texts needs, computed from measured constants.

The constants are those that the other parts print. Nothing is measured here.
"""

import argparse

_SIZES = (10**6, 10**7, 10**8, 10**9, 10**10)
_MACHINES = (1, 8, 64)
_HOUR = 3600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this part."""
    for name, help_ in (
        ("--vectorized", "texts a second, one core (streaming)"),
        ("--trained", "texts a second of an epoch, batches of 32, one core (streaming)"),
        ("--scored", "texts a second, one core (scoring)"),
        ("--bytes-in-memory", "bytes a text of fit_chunks (streaming)"),
        ("--step", "ms of a step whatever its share of the batch, a (data_parallel)"),
        ("--text", "ms of a text in a step, b (data_parallel)"),
        ("--latency", "ms of the messages of a step, c (data_parallel)"),
        ("--megabytes", "exchanged in a step (data_parallel)"),
    ):
        parser.add_argument(name, type=float, required=True, help=help_)
    parser.add_argument("--tokens", type=float, default=50, help="of a text")
    parser.add_argument("--batch", type=int, default=4096, help="of data-parallel training")
    parser.add_argument("--gigabits", type=float, default=10, help="a second, of the network")


def run(args: argparse.Namespace) -> list:
    """Return the tables."""
    ms_per_megabyte = 8 / args.gigabits
    steps = []
    for n in _MACHINES:
        exchange = 0.0
        if n > 1:
            exchange = args.latency + ms_per_megabyte * 2 * (n - 1) / n * args.megabytes
        ms = args.step + args.text * args.batch / n + exchange
        steps.append((n, ms, exchange))
    alone = steps[0][1]
    parallel = [
        {
            "machines": n,
            "ms a step": f"{ms:.1f}",
            "of that exchange": f"{exchange:.1f}",
            "speed-up": f"{alone / ms:.1f}",
            "efficiency": f"{alone / ms / n:.0%}",
        }
        for n, ms, exchange in steps
    ]
    sizes = []
    for n_texts in _SIZES:
        row = {
            "texts": f"{n_texts:.0e}".replace("e+0", "e").replace("e+", "e"),
            "file of ids, GB": f"{n_texts * args.tokens * 4 / 1e9:,.1f}",
            "memory, GB": f"{n_texts * args.bytes_in_memory / 1e9:,.2f}",
            "vectorizing, h": f"{n_texts / args.vectorized / _HOUR:,.2f}",
            "an epoch, h": f"{n_texts / args.trained / _HOUR:,.2f}",
        }
        for n, ms, _ in steps[1:]:
            row[f"on {n}, h"] = f"{n_texts / args.batch * ms / 1000 / _HOUR:,.2f}"
        row["scoring, h"] = f"{n_texts / args.scored / _HOUR:,.2f}"
        row["scoring on 64, h"] = f"{n_texts / args.scored / 64 / _HOUR:,.2f}"
        sizes.append(row)
    return [
        (f"Data-parallel training, batches of {args.batch:,}", parallel),
        ("Sizes of a corpus", sizes),
    ]
