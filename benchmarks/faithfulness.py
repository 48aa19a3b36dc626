"""Measure how faithful explanations are, by deletion and insertion curves on MR.

    python benchmarks/faithfulness.py --data DIR --vectors glove.6B.100d.txt

DIR has mr.tsv. Each line has a label, a tab and a text. Each method orders the tokens of a text by
their evidence for the predicted class. Deletion removes tokens from the text in this order,
insertion adds them to an empty text. The measure is the area under the probability of the predicted
class over the share of tokens, from 0 to 1: small is good for deletion, large for insertion
(Petsiuk, Das and Saenko, 2018, RISE, BMVC, section 4.1). The run also checks that contributions sum
to decision_function; a difference of more than 1e-5 is an error. Install LIME from
benchmarks/requirements.txt.
"""

import argparse
import pathlib
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from corpora import read
from models import kim_cnn
from report import Row, add_record_option, machine, show, table
from settings import TOLERANCE
from sklearn.metrics import auc
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from sktextcnn import Embeddings, TokenIds, explain
from sktextcnn._token_ids import PADDING_ID, UNKNOWN_ID

REMOVED, UNKNOWN = "removed", "replaced by the unknown word"
BY_TOKEN, BY_SPAN, GRADIENTS, RANDOM = (
    "exact, by token",
    "exact, by n-gram",
    "integrated gradients",
    "random",
)
SHARES = np.linspace(0, 1, 21)

Probabilities = Callable[[np.ndarray, np.ndarray], np.ndarray]
Curves = tuple[np.ndarray, np.ndarray]


def masks(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which tokens remain at each step of deletion and of insertion.

    Parameters
    ----------
    scores : ndarray of shape (n_tokens,)
        The token with the largest score is removed or added first; ties from left to right.

    Returns
    -------
    deletion, insertion : ndarray of shape (n_tokens + 1, n_tokens), bool
    """
    ranks = np.empty(len(scores), dtype=int)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    steps = np.arange(len(scores) + 1)[:, None]
    return ranks >= steps, ranks < steps


def variants(ids: np.ndarray, kept: np.ndarray, hiding: str, width: int) -> np.ndarray:
    """Return the ids of variants of a text that lack some of its tokens.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,)
        The text without padding.
    kept : ndarray of shape (n_variants, n_tokens), bool
        The tokens of each variant.
    hiding : {"removed", "replaced by the unknown word"}
        What happens to the other tokens.
    width : int
        Length of the padded rows.

    Returns
    -------
    ndarray of shape (n_variants, width), int32
    """
    rows = np.full((len(kept), width), PADDING_ID, dtype=np.int32)
    if hiding == UNKNOWN:
        rows[:, : len(ids)] = np.where(kept, ids, UNKNOWN_ID)
        return rows
    order = np.argsort(~kept, axis=1, kind="stable")
    gone = np.arange(len(ids)) >= kept.sum(axis=1, keepdims=True)
    rows[:, : len(ids)] = np.where(gone, PADDING_ID, ids[order])
    return rows


def area(curve: np.ndarray) -> float:
    """Return the area under a curve of equal steps from 0 to 1."""
    return float(auc(np.linspace(0, 1, len(curve)), curve))


def exact(model: Pipeline, texts: list[str], by: str) -> list[np.ndarray]:
    """Return the evidence of each token: its own, or an equal part of each of its n-grams'."""
    explanations = explain(model, texts, method="exact")
    if by == "token":
        return [e.evidence(by="token") for e in explanations]
    scores = [np.zeros(len(e.tokens)) for e in explanations]
    for score, e in zip(scores, explanations, strict=True):
        for (start, stop), value in zip(e.span_tokens, e.evidence(), strict=True):
            score[start:stop] += value / (stop - start)
    return scores


def gradients(model: Pipeline, texts: list[str]) -> list[np.ndarray]:
    """Return the evidence of each token by integrated gradients."""
    explanations = explain(model, texts, method="integrated gradients")
    return [e.evidence(by="token") for e in explanations]


def lime(
    documents: Sequence[np.ndarray],
    columns: Sequence[int],
    probabilities: Probabilities,
    n_samples: int,
    seed: int,
) -> list[np.ndarray]:
    """Return LIME's weight of each token for the class of a column.

    LIME gets a text of token positions, "0 1 2 ...", so that its tokens are those of the vectorizer
    and a word that occurs twice is two tokens. `probabilities` hides the tokens that LIME leaves
    out as the curves do, so that LIME is fitted to what is measured.
    """
    from lime.lime_text import LimeTextExplainer

    explainer = LimeTextExplainer(
        split_expression=r"\s+", feature_selection="none", random_state=seed
    )
    scores = []
    for ids, column in zip(documents, columns, strict=True):

        def of_places(texts: list[str], ids: np.ndarray = ids) -> np.ndarray:
            kept = np.zeros((len(texts), len(ids)), dtype=bool)
            for row, text in zip(kept, texts, strict=True):
                row[[int(place) for place in text.split()]] = True
            return probabilities(ids, kept)

        found = explainer.explain_instance(
            " ".join(map(str, range(len(ids)))),
            of_places,
            labels=(column,),
            num_features=len(ids),
            num_samples=n_samples,
        )
        weights = dict(found.local_exp[column])
        scores.append(np.array([weights[place] for place in range(len(ids))]))
    return scores


def check_sums(model: Pipeline, texts: list[str]) -> float:
    """Return the largest difference of the sums of contributions and decision_function."""
    expected = model.decision_function(texts)
    largest = 0.0
    for e, logit in zip(explain(model, texts, method="exact"), expected, strict=True):
        by_span = e.contributions.sum(axis=0) + e.remainder
        by_token = e.token_contributions.sum(axis=0) + e.token_remainder
        largest = max(largest, *(abs(sums[1] - sums[0] - logit) for sums in (by_span, by_token)))
    if not largest <= TOLERANCE:
        raise SystemExit(f"Contributions and decision_function differ by {largest:.2g}.")
    return float(largest)


class Measured:
    """Curves and seconds of all methods, for each way to hide tokens."""

    def __init__(self) -> None:
        self.curves: dict[tuple[str, str], list[Curves]] = defaultdict(list)
        self.seconds: dict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, hiding: str, method: str, curves: list[Curves], seconds: float) -> None:
        """Add the texts of a seed."""
        self.curves[hiding, method] += curves
        self.seconds[hiding, method].append(seconds / len(curves))

    def rows(self, hiding: str) -> list[Row]:
        """Return a row for each method, with 95 % intervals over texts."""
        areas = {
            method: np.array([[area(curve) for curve in curves] for curves in found])
            for (how, method), found in self.curves.items()
            if how == hiding
        }
        rows = []
        for method, values in areas.items():
            more = values - areas[BY_TOKEN]
            row: Row = {"": method}
            for i, name in enumerate(("deletion", "insertion")):
                row[f"{name} area"] = _mean(values[:, i])
                difference = "" if method == BY_TOKEN else _mean(more[:, i], "+")
                row[f"{name}, difference from exact"] = difference
            row["CPU ms a text"] = 1000 * float(np.mean(self.seconds[hiding, method]))
            rows.append(row)
        return rows

    def plot(self, path: pathlib.Path) -> None:
        """Draw the mean curves into a file."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 8), layout="constrained")
        axes = figure.subplots(2, 2, sharex=True, sharey=True)
        for (hiding, method), found in self.curves.items():
            row = (REMOVED, UNKNOWN).index(hiding)
            for i, name in enumerate(("deletion", "insertion")):
                curves = [
                    np.interp(SHARES, np.linspace(0, 1, len(pair[i])), pair[i]) for pair in found
                ]
                axes[row, i].plot(SHARES, np.mean(curves, axis=0), label=method)
                axes[row, i].set(title=f"{name}, tokens {hiding}", xlabel="share of tokens")
        axes[0, 0].set_ylabel("probability of the predicted class")
        axes[0, 0].legend()
        figure.savefig(path)


def _mean(values: np.ndarray, sign: str = "") -> str:
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():{sign}.3f} ± {half:.3f}"


def measure(args: argparse.Namespace, seed: int, vectors: Embeddings, measured: Measured) -> Row:
    """Train a model, and measure all methods on texts that it was not trained on."""
    texts, labels = read(args.data / "mr.tsv")
    train, test, y_train, y_test = train_test_split(
        texts, labels, test_size=0.1, random_state=seed, stratify=labels
    )
    model = kim_cnn(vectors, seed).fit(train, y_train)
    accuracy = 100 * model.score(test, y_test)
    vectorizer, classifier = model[0], model[-1]
    rows = [row[row != PADDING_ID] for row in np.asarray(vectorizer.transform(test))]
    # A text of one token has only one order.
    chosen = [i for i, ids in enumerate(rows) if len(ids) > 1][: args.texts]
    texts, documents = [test[i] for i in chosen], [rows[i] for i in chosen]
    columns = model.predict_proba(texts).argmax(axis=1).tolist()

    for hiding in (REMOVED, UNKNOWN):

        def probabilities(ids: np.ndarray, kept: np.ndarray, hiding: str = hiding) -> np.ndarray:
            matrix = variants(ids, kept, hiding, vectorizer.max_length_)
            return classifier.predict_proba(TokenIds(matrix, vectorizer.token_table_))

        rng = np.random.default_rng(seed)
        methods: dict[str, Callable[[], list[np.ndarray]]] = {
            BY_TOKEN: lambda: exact(model, texts, "token"),
            BY_SPAN: lambda: exact(model, texts, "span"),
            GRADIENTS: lambda: gradients(model, texts),
            **{
                f"LIME, {n} samples": lambda n=n, ask=probabilities: lime(
                    documents, columns, ask, n, seed
                )
                for n in args.samples
            },
            RANDOM: lambda rng=rng: [rng.random(len(ids)) for ids in documents],
        }
        for method, scores_of in (bar := tqdm(methods.items())):
            bar.set_postfix_str(f"seed {seed}, tokens {hiding}, {method}")
            start = time.process_time()
            scores = scores_of()
            seconds = time.process_time() - start
            curves = [
                tuple(probabilities(ids, kept)[:, column] for kept in masks(score))
                for ids, score, column in zip(documents, scores, columns, strict=True)
            ]
            measured.add(hiding, method, curves, seconds)
    return {
        "seed": seed,
        "accuracy, %": accuracy,
        "texts": len(texts),
        "mean tokens": float(np.mean([len(ids) for ids in documents])),
        "largest difference from `decision_function`": f"{check_sums(model, texts):.1e}",
    }


def main() -> None:
    """Measure, and show the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True)
    parser.add_argument("--texts", type=int, default=200, help="number of texts for each seed")
    parser.add_argument("--seeds", type=int, default=2, help="number of models")
    parser.add_argument(
        "--samples", type=int, nargs="*", default=[1000, 5000], help="numbers of samples of LIME"
    )
    parser.add_argument("--plot", type=pathlib.Path, help="file for a plot of the curves")
    add_record_option(parser)
    args: Any = parser.parse_args()
    warnings.simplefilter("ignore")
    about = machine() | {"threads": torch.get_num_threads()}
    print(table("Machine", [{"": key, " ": value} for key, value in about.items()]))
    vectors, measured = Embeddings(args.vectors), Measured()
    models = [measure(args, seed, vectors, measured) for seed in range(args.seeds)]
    show("Faithfulness, models", models, args.record)
    for hiding in (REMOVED, UNKNOWN):
        show(f"Faithfulness, tokens {hiding}", measured.rows(hiding), args.record)
    if args.plot:
        measured.plot(args.plot)


if __name__ == "__main__":
    main()
