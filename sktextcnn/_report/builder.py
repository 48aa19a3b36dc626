"""ReportBuilder: runs a model, and those to compare it with, over labelled texts."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sktextcnn._baseline import BASELINE, fit_baseline
from sktextcnn._pipeline import best_model, fitted_parts
from sktextcnn._report.explained import explained_errors, ngrams_of_classes
from sktextcnn._report.facts import about_model, token_counts
from sktextcnn._report.measures import measure
from sktextcnn._report.outcomes import Outcomes
from sktextcnn._report.page import MOST_WITH_NGRAMS, label_texts, render
from sktextcnn._report.result import Report

_LINEAR, _CONSTANT = "Its linear part alone", "Always the same answer"


class ReportBuilder:
    """Collects what a report is made of, so that texts need not be in memory all at once.

    Parameters
    ----------
    model : Pipeline
        A fitted model, or a search over one.
    train : (sequence of str, ndarray) or None, default=None
        Training texts of the baseline, and targets as those of `add`.
    """

    def __init__(self, model: Any, train: tuple[Sequence[str], np.ndarray] | None = None) -> None:
        self._vectorizer, self._classifier = fitted_parts(model, "report")
        self._model = best_model(model, "report")
        self.multilabel: bool = self._classifier.net_.multilabel
        self.labels = self._classifier.classes_.tolist()
        self._baseline = None if train is None else fit_baseline(*train)
        self._n_train = 0 if train is None else len(train[0])
        self._train_texts = frozenset() if train is None else frozenset(map(hash, train[0]))
        self._n_known = 0
        names = [BASELINE] if self._baseline is not None else []
        if self._classifier._wide is not None:
            names.append(_LINEAR)
        # What the most frequent answer is, is known at the end only.
        self._outcomes = Outcomes(len(self.labels), self.multilabel, names)

    def add(self, texts: Sequence[str], targets: np.ndarray) -> None:
        """Predict some texts, and keep what the report needs of them.

        Parameters
        ----------
        texts : sequence of str
            The texts.
        targets : ndarray of shape (n_texts,) or (n_texts, n_classes)
            The index of the class of each, or whether it has each label.
        """
        if not len(texts):
            return
        ids = self._vectorizer.transform(texts)
        proba = self._classifier.predict_proba(ids)
        predicted_by = {}
        if self._baseline is not None:
            predicted_by[BASELINE] = self._baseline.predict(texts)
            self._n_known += sum(hash(text) in self._train_texts for text in texts)
        if self._classifier._wide is not None:
            logits = self._classifier._wide.logits(np.asarray(ids))
            predicted_by[_LINEAR] = logits > 0 if self.multilabel else logits.argmax(axis=1)
        self._outcomes.add(texts, targets, proba, predicted_by)

    @property
    def n_texts(self) -> int:
        """How many texts were added."""
        return self._outcomes.n_texts

    def finish(self, names: Mapping[str, Any]) -> Report:
        """Return the report on what was added.

        Parameters
        ----------
        names : mapping
            ``model`` and ``data``, how both are called; ``n_left_out``, of how many rows the data
            lacks a text or label; and ``train``, how the training texts are called.
        """
        outcomes = self._outcomes
        self._add_constant()
        measures = measure(outcomes)
        about = about_model(self._vectorizer, self._classifier)
        order = np.argsort([each["f1"] for each in measures["classes"]], kind="stable")
        shown = np.sort(order[:MOST_WITH_NGRAMS]).tolist()
        texts_of = {i: outcomes.sample_of_class(i) for i in shown}
        labels = label_texts(self.labels)
        details = {
            "labels": labels,
            "errors": explained_errors(self._model, outcomes.errors, labels),
            "ngrams": ngrams_of_classes(self._model, texts_of, 10 if len(shown) <= 20 else 5),
            "n_of_class": outcomes.n_of_class,
            "history": list(self._classifier.history_),
            "tokens": token_counts(self._vectorizer, outcomes.sample),
            "references": [
                {"name": name, "what": self._what(name, names)} for name in outcomes.references
            ],
            "trained_on": self._trained_on(about["card"]),
            "guess_loss": math.log(len(self.labels)),
        }
        page = render(outcomes, measures, about, details, {**names, "n_known": self._n_known})
        return Report(page, measures | {"classes": self._named(measures["classes"])})

    def _add_constant(self) -> None:
        """Compare with the best of those that answer the same for every text."""
        true = self._outcomes.column("true")
        if self.multilabel:
            counts = true.sum(axis=0)
            order = np.argsort(-counts, kind="stable")
            # Twice what is found, by what is there and what is predicted: F1 of the first labels.
            n_predicted = len(true) * np.arange(1, len(counts) + 1)
            f1 = 2 * counts[order].cumsum() / (n_predicted + counts.sum())
            answer = np.zeros(len(counts), dtype=bool)
            answer[order[: f1.argmax() + 1]] = True
            constant = np.broadcast_to(answer, true.shape)
        else:
            constant = np.full(len(true), np.bincount(true).argmax())
        self._outcomes.add_reference(_CONSTANT, constant)

    def _what(self, name: str, names: Mapping[str, Any]) -> str:
        if name == BASELINE:
            return (
                f"words and pairs of words, trained on the {self._n_train:,} texts of "
                f"{names['train']}."
            )
        if name == _LINEAR:
            return (
                "the linear model over words and pairs of words beside the network, which was "
                "trained with it. The rest is what the network adds."
            )
        if self.multilabel:
            return "the most frequent labels of these texts, as many as are best."
        return "the most frequent class of these texts."

    def _trained_on(self, card: Mapping[str, Any]) -> list[int] | None:
        counts = card.get("class_counts")
        return counts if counts and len(counts) == len(self.labels) else None

    def _named(self, classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"label": self.labels[i], **each} for i, each in enumerate(classes)]
