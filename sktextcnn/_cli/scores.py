"""How good a model and the baseline are on test texts."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sktextcnn._cli.messages import counted
from sktextcnn._progress import waiting

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def measured(
    model: "Pipeline",
    train: tuple[Sequence[str], Any],
    test: tuple[Sequence[str], Any],
    *,
    multilabel: bool,
    baseline: bool,
    quiet: bool,
) -> tuple[dict[str, Any], str]:
    """Measure a model on test texts, and the baseline if it is asked for.

    Parameters
    ----------
    model : Pipeline
        A fitted model.
    train, test : tuple of texts and targets
        The targets are labels, or an indicator matrix. The baseline is fitted to `train`.
    multilabel : bool
        Whether they are an indicator matrix.
    baseline : bool
        Whether to measure the baseline.
    quiet : bool
        Whether to say nothing while it takes long.

    Returns
    -------
    scores : dict
        For the model card: `n_texts`, `accuracy`, and `baseline_accuracy`, which is None if the
        baseline is not asked for or cannot be fitted. For several labels, accuracy is the share
        of texts with all labels right, and `subset_accuracy`, `micro_f1` and `baseline_micro_f1`
        are there too.
    sentence : str
        What they say.
    """
    from sktextcnn._baseline import BASELINE, fit_baseline

    texts, targets = test
    # The vectorizer has a bar of its own.
    ids = model[:-1].transform(texts)
    with waiting(f"Predicting {counted(len(texts), 'text')}", shown=not quiet):
        scores = _scores(targets, model[-1].predict(ids), multilabel)
    of_baseline: dict[str, Any] = dict.fromkeys(scores)
    comparison = ""
    if baseline:
        start = time.perf_counter()
        try:
            with waiting(f"Training {BASELINE}", shown=not quiet):
                predicted = fit_baseline(*train).predict(texts)
            of_baseline = _scores(targets, predicted, multilabel)
        except (ValueError, MemoryError) as error:
            reason = str(error).rstrip(".") or "there is too little memory"
            comparison = f" {BASELINE} could not be fitted: {reason}."
        else:
            seconds = time.perf_counter() - start
            value = of_baseline["micro_f1" if multilabel else "accuracy"]
            comparison = f"; {BASELINE}: {value:.3f} ({seconds:.1f} s)."
    if not comparison.startswith(";"):
        comparison = f".{comparison}"
    where = f"on {counted(len(texts), 'held-out text')}"
    sentence = f"Accuracy {where}: {scores['accuracy']:.3f}{comparison}"
    if multilabel:
        sentence = (
            f"Micro F1 {where}: {scores['micro_f1']:.3f}{comparison} All labels of a text are "
            f"right in {scores['accuracy']:.1%}."
        )
        scores["subset_accuracy"] = scores["accuracy"]
    measured = {f"baseline_{name}": value for name, value in of_baseline.items()}
    return {"n_texts": len(texts), **scores, **measured}, sentence


def _scores(targets: Any, predicted: Any, multilabel: bool) -> dict[str, Any]:
    from sklearn.metrics import accuracy_score, f1_score

    scores = {"accuracy": float(accuracy_score(targets, predicted))}
    if multilabel:
        f1 = f1_score(targets, predicted, average="micro", zero_division=0.0)
        scores["micro_f1"] = float(f1)
    return scores
