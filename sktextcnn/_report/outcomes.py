"""What a model did on labelled texts, collected text by text: numbers of all, texts of a few."""

import heapq
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

#: How many errors are kept with their whole text, and how many examples of a confused pair.
N_ERRORS, N_EXAMPLES = 10, 3
#: How many texts are kept for what would take too long with all of them: of all texts, and of the
#: texts that are predicted to be of a class, those of all classes together.
N_SAMPLED, N_SAMPLED_BY_CLASS = 1_000, 2_000
#: How much of a text is shown as an example.
SHOWN_LENGTH = 300
# How much of a text is kept for the n-grams of its class.
_KEPT_LENGTH = 10_000


class Error(NamedTuple):
    """A wrong decision; of a multilabel model, one about one label.

    Errors are compared by how sure the model was; of those alike, the earlier is greater.
    """

    probability: float  # of the decision
    order: int
    true: int  # the label that is right, or the label that the decision is about
    predicted: int  # the predicted label, or -1 if the label was missed
    text: str


# A random number, the place of the text, and the text.
_Sampled = tuple[float, int, str]


class Outcomes:
    """Collects what a model did on texts.

    The memory that it takes is some 30 bytes for each text, and for a multilabel model 5 bytes for
    each decision, besides the texts of the sample.

    Parameters
    ----------
    n_classes : int
        The number of classes.
    multilabel : bool
        Whether a text may have several labels or none.
    references : sequence of str
        The names of the models to compare with, which see the same texts.
    seed : int, default=0
        Of the sample.

    Attributes
    ----------
    n_texts : int
        How many texts were added.
    errors : list of Error
        The surest ones of different texts, the surest first.
    sample : list of str
        A random sample of the texts, in their order.
    n_of_class : int
        How many texts are kept at most of those that are predicted to be of a class.
    """

    def __init__(
        self, n_classes: int, multilabel: bool, references: Sequence[str] = (), seed: int = 0
    ) -> None:
        self.n_classes, self.multilabel, self.references = n_classes, multilabel, list(references)
        self.n_texts = 0
        self._rng = np.random.default_rng(seed)
        self.n_of_class = min(max(N_SAMPLED_BY_CLASS // n_classes, 10), 200)
        self._sample: list[_Sampled] = []
        self._samples_of_classes: dict[int, list[_Sampled]] = {}
        self._errors: list[Error] = []
        self._examples: dict[tuple[int, int], list[tuple[float, int, str]]] = {}
        self._counts = np.zeros((n_classes, n_classes), dtype=np.int64)
        self._columns: dict[str, list[np.ndarray]] = {}

    def add(
        self,
        texts: Sequence[str],
        true: np.ndarray,
        proba: np.ndarray,
        predicted_by: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Add some texts.

        Parameters
        ----------
        texts : sequence of str
            The texts.
        true : ndarray of int, shape (n,), or of bool, shape (n, n_classes)
            The index of the class of each; for a multilabel model, whether it has each label.
        proba : ndarray of shape (n, n_classes)
            The probabilities of the model.
        predicted_by : mapping of str to ndarray like `true`
            What each of the references predicts.
        """
        if not len(texts):
            return
        self._add_to_samples(texts, proba)
        (self._add_several if self.multilabel else self._add_single)(texts, true, proba)
        for name in self.references:
            predicted = (predicted_by or {})[name]
            self._keep(f"by {name}", predicted.astype(bool if self.multilabel else np.int32))
        self.n_texts += len(texts)

    def add_reference(self, name: str, predicted: np.ndarray) -> None:
        """Add what one more reference predicts for all texts; see `add`."""
        self.references.append(name)
        self._keep(f"by {name}", predicted.astype(bool if self.multilabel else np.int32))

    def _add_single(self, texts: Sequence[str], true: np.ndarray, proba: np.ndarray) -> None:
        rows = np.arange(len(texts))
        predicted = proba.argmax(axis=1)
        surest, of_true = proba[rows, predicted], proba[rows, true]
        self._keep("true", true.astype(np.int32))
        self._keep("predicted", predicted.astype(np.int32))
        self._keep("surest", surest.astype(np.float32))
        self._keep("of_true", of_true.astype(np.float64))
        # The squared distance from the vector that is 1 for the true class.
        squares = (proba.astype(np.float64) ** 2).sum(axis=1) - 2 * of_true + 1
        self._keep("squares", squares)
        for i in (predicted != true).nonzero()[0].tolist():
            pair, probability = (int(true[i]), int(predicted[i])), float(surest[i])
            self._add_error(Error(probability, -(self.n_texts + i), *pair, texts[i]))
            self._add_confusion(pair, probability, i, texts[i])

    def _add_several(self, texts: Sequence[str], true: np.ndarray, proba: np.ndarray) -> None:
        true = true.astype(bool)
        predicted = proba > 0.5
        self._keep("true", true)
        self._keep("proba", proba.astype(np.float32))
        missed, given = true & ~predicted, predicted & ~true
        for i in (missed | given).any(axis=1).nonzero()[0].tolist():
            of_missed, of_given = missed[i].nonzero()[0].tolist(), given[i].nonzero()[0].tolist()
            for label in of_missed:
                probability = 1 - float(proba[i, label])
                self._add_error(Error(probability, -(self.n_texts + i), label, -1, texts[i]))
            for label in of_given:
                probability = float(proba[i, label])
                self._add_error(Error(probability, -(self.n_texts + i), label, label, texts[i]))
            for label in of_missed:
                for other in of_given:
                    self._add_confusion((label, other), float(proba[i, other]), i, texts[i])

    def _keep(self, name: str, values: np.ndarray) -> None:
        self._columns.setdefault(name, []).append(values)

    def column(self, name: str) -> np.ndarray:
        """Return what was kept of all texts under a name."""
        parts = self._columns[name]
        if len(parts) > 1:
            self._columns[name] = parts = [np.concatenate(parts)]
        return parts[0]

    def _add_to_samples(self, texts: Sequence[str], proba: np.ndarray) -> None:
        keys = self._rng.random(len(texts)).tolist()
        items = [(key, self.n_texts + i, texts[i]) for i, key in enumerate(keys)]
        for item in items:
            _sample(self._sample, item, N_SAMPLED)
        if self.multilabel:
            places = zip(*(proba > 0.5).nonzero(), strict=True)
        else:
            places = zip(range(len(texts)), proba.argmax(axis=1), strict=True)
        for i, label in places:
            kept = self._samples_of_classes.setdefault(int(label), [])
            key, place, text = items[i]
            if len(kept) < self.n_of_class or key > kept[0][0]:
                _sample(kept, (key, place, text[:_KEPT_LENGTH]), self.n_of_class)

    def _add_error(self, error: Error) -> None:
        if len(self._errors) == N_ERRORS and error < self._errors[0]:
            return
        # A text is shown once, with its surest error, however often it occurs and is wrong.
        for other in self._errors:
            if other.text == error.text:
                if error > other:
                    self._errors.remove(other)
                    heapq.heapify(self._errors)
                    break
                return
        heapq.heappush(self._errors, error)
        if len(self._errors) > N_ERRORS:
            heapq.heappop(self._errors)

    def _add_confusion(self, pair: tuple[int, int], probability: float, i: int, text: str) -> None:
        self._counts[pair] += 1
        kept = self._examples.setdefault(pair, [])
        if len(kept) == N_EXAMPLES and probability < kept[0][0]:
            return
        item = (probability, -(self.n_texts + i), text[: SHOWN_LENGTH + 1])
        if len(kept) < N_EXAMPLES:
            if all(item[2] != other[2] for other in kept):
                heapq.heappush(kept, item)
        elif item > kept[0] and all(item[2] != other[2] for other in kept):
            heapq.heapreplace(kept, item)

    @property
    def errors(self) -> list[Error]:
        """The surest errors, the surest first."""
        return sorted(self._errors, reverse=True)

    @property
    def sample(self) -> list[str]:
        """A random sample of the texts."""
        return _texts(self._sample)

    def sample_of_class(self, label: int) -> list[str]:
        """Return a random sample of the texts that are predicted to be of a class."""
        return _texts(self._samples_of_classes.get(label, []))

    def confusions(self) -> np.ndarray:
        """Return how often each class (row) was taken for each other one; (n_classes, n_classes).

        Of a multilabel model, how often a label was missed in a text that was given another label
        wrongly.
        """
        return self._counts

    def examples(self, true: int, predicted: int) -> list[tuple[float, str]]:
        """Return texts of a confused pair, and the probability of what was predicted."""
        kept = self._examples.get((true, predicted), [])
        return [(probability, text) for probability, _, text in sorted(kept, reverse=True)]


def _sample(kept: list[_Sampled], item: _Sampled, most: int) -> None:
    """Keep an item if its random number is one of the largest, which makes a random sample."""
    if len(kept) < most:
        heapq.heappush(kept, item)
    elif item > kept[0]:
        heapq.heapreplace(kept, item)


def _texts(kept: list[_Sampled]) -> list[str]:
    return [text for _, _, text in sorted(kept, key=lambda item: item[1])]
