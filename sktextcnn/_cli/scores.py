"""How good a model and the baseline are on test texts."""

import time
from typing import TYPE_CHECKING, Any

from sktextcnn._cli.messages import counted, size_of
from sktextcnn._cli.stored_samples import StoredTexts
from sktextcnn._progress import progress_bar, waiting

if TYPE_CHECKING:
    import numpy as np
    from sklearn.pipeline import Pipeline

# Texts predicted at a time, and bytes of texts that the baseline is trained on: it needs ten times
# as much memory.
_TEXTS_AT_ONCE = 4_000
_MOST_OF_BASELINE = 300_000_000


def measured(
    model: "Pipeline",
    train: "tuple[StoredTexts, np.ndarray]",
    test: "tuple[StoredTexts, np.ndarray]",
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
        The targets are indices of the classes, or an indicator matrix. The baseline is fitted to
        `train`.
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
    import numpy as np

    from sktextcnn._baseline import BASELINE, fit_baseline

    texts, targets = test
    chunks = []
    with progress_bar(
        shown=not quiet, slow=True, total=len(texts), desc="Predicting", unit=" texts"
    ) as bar:
        for chunk in texts.chunks(_TEXTS_AT_ONCE):
            predicted = model.predict(chunk)
            chunks.append(
                predicted.astype(np.int8)
                if multilabel
                else np.searchsorted(model[-1].classes_, predicted)
            )
            bar.update(len(chunk))
    scores = _scores(targets, np.concatenate(chunks), multilabel)
    of_baseline: dict[str, Any] = dict.fromkeys(scores)
    comparison = ""
    n_bytes = train[0].n_bytes + texts.n_bytes
    if baseline and n_bytes > _MOST_OF_BASELINE:
        comparison = (
            f" {BASELINE} were not trained, since {size_of(n_bytes)} of texts would take several "
            f"times as much memory."
        )
    elif baseline:
        start = time.perf_counter()
        try:
            with waiting(f"Training {BASELINE}", shown=not quiet):
                predicted = fit_baseline(list(train[0]), train[1]).predict(list(texts))
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
