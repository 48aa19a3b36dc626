"""The data of a training: checked ids, targets and weights, and the part for validation."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from sktextcnn._text import Ids
from sktextcnn._token_ids import PADDING_ID, UNKNOWN_ID, TokenTable
from sktextcnn._training.dataset import TokenDataset
from sktextcnn._training.inputs import (
    check_few_gaps,
    check_token_ids,
    check_vocabulary,
    find_table,
)
from sktextcnn._training.rows import chosen_rows, n_tokens_of
from sktextcnn._training.targets import (
    Targets,
    combine_weights,
    encode_targets,
    split_off_validation,
)
from sktextcnn._wide import WideModel

# For the wide part: the share of texts that are held out, but up to so many of a few texts if
# that is at most a fifth of them; and the number of distinct texts below which none are.
_HELD_OUT, _MORE_OF_FEW, _MOST_OF_FEW = 0.1, 500, 0.2
_FEWEST_DISTINCT = 50
# The tokens of a sample. What is fitted to it takes up to some 100 bytes for each.
_MOST_TOKENS = 1 << 22


@dataclass(frozen=True)
class TrainingData:
    """Texts as a training sees them.

    Attributes
    ----------
    ids : ndarray of shape (n_texts, n_tokens), int32, or PaddedDocuments
    table : TokenTable or None
        The words and vectors of the ids; None for plain ids.
    targets : Targets
        Encoded labels and their classes.
    weight : ndarray of shape (n_texts,), float64, or None
        The product of the weights of samples and classes.
    """

    ids: Ids
    table: TokenTable | None
    targets: Targets
    weight: np.ndarray | None = None

    @property
    def n_ids(self) -> int:
        """How many ids the network must know."""
        if self.table is not None:
            return len(self.table)
        return max(UNKNOWN_ID, int(cast(np.ndarray, self.ids).max())) + 1

    @property
    def n_weighted(self) -> int:
        """How many texts have a positive weight."""
        return len(self.ids) if self.weight is None else int(np.count_nonzero(self.weight > 0))

    @property
    def n_tokens(self) -> int:
        """How many tokens the texts of positive weight have."""
        lengths = n_tokens_of(self.ids)
        return int((lengths if self.weight is None else lengths[self.weight > 0]).sum())

    @property
    def words(self) -> tuple[str, ...] | None:
        """The word of each id, or None."""
        return None if self.table is None else self.table.words

    @property
    def vectors(self) -> np.ndarray | None:
        """The given word vector of each id, or None."""
        return None if self.table is None else self.table.vectors

    def __getitem__(self, rows: np.ndarray) -> "TrainingData":
        return replace(
            self,
            ids=chosen_rows(self.ids, rows),
            targets=self.targets._replace(encoded=self.targets.encoded[rows]),
            weight=None if self.weight is None else self.weight[rows],
        )

    def sampled(self) -> "TrainingData":
        """All texts, or so many drawn at random that they have 2**22 tokens at most.

        For what needs a multiple of the memory of its texts. The draw is always the same one.
        """
        lengths = n_tokens_of(self.ids)
        if lengths.sum() <= _MOST_TOKENS:
            return self
        order = np.random.default_rng(0).permutation(len(lengths))
        n_texts = int(np.searchsorted(lengths[order].cumsum(), _MOST_TOKENS, side="right"))
        return self[np.sort(order[: max(1, n_texts)])]

    def to_dataset(self, device: str, wide: WideModel | None = None) -> TokenDataset:
        """Without the rows of weight 0, and with the others' weights scaled to a mean of 1.

        The logits of the wide part, if there is one, are added to those of the network.
        """
        kept, weight = self, None
        if self.weight is not None:
            kept = self[self.weight > 0]
            assert kept.weight is not None
            weight = kept.weight / kept.weight.mean()
        offset = None if wide is None else wide.logits(kept.ids).astype(np.float32)
        return TokenDataset(kept.ids, kept.targets.encoded, weight, device, offset)


def training_data(
    X: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Any,
    classes: np.ndarray | None = None,
    *,
    plain: bool = False,
) -> TrainingData:
    """Validate what ``fit`` was given.

    Parameters
    ----------
    X, y, sample_weight, class_weight
        As in ``fit``.
    classes : ndarray or None
        The classes that may occur; None for those of `y`.
    plain : bool, default=False
        Whether ids without words are accepted.
    """
    ids, table = check_token_ids(X)
    table = table or find_table(X, ids, plain=plain)
    if table is None:
        check_few_gaps(ids)
    targets = encode_targets(y, len(ids), classes)
    weight = combine_weights(len(ids), y, sample_weight, class_weight)
    return TrainingData(ids, table, targets, weight)


def validation_data(
    train: TrainingData, X_val: Any, y_val: Any, sample_weight_val: Any, class_weight: Any
) -> TrainingData | None:
    """Validate the validation data that ``fit`` was given; None if there are none.

    Classes weigh what they weigh in training, so that the loss is that of texts which
    `split_validation` would have taken from the training data.
    """
    if (X_val is None) != (y_val is None):
        raise ValueError("X_val and y_val go together; give both or none.")
    if X_val is None:
        if sample_weight_val is not None:
            raise ValueError("sample_weight_val needs X_val and y_val; give all three or none.")
        return None
    ids, table = check_token_ids(X_val, "X_val")
    if ids.shape[1] != train.ids.shape[1]:
        raise ValueError(
            f"X_val has {ids.shape[1]} columns, but X has {train.ids.shape[1]}. Use the "
            f"same fitted vectorizer for both."
        )
    ids = check_vocabulary(ids, table, train.words, train.n_ids, "X_val")
    targets = encode_targets(
        y_val, len(ids), train.targets.classes, train.targets.multilabel, ("X_val", "y_val")
    )
    weight = combine_weights(
        len(ids),
        y_val,
        sample_weight_val,
        class_weight,
        name="sample_weight_val",
        balanced_by=(train.targets.encoded, targets.encoded),
    )
    return TrainingData(ids, table, targets, weight)


def split_validation(
    data: TrainingData, fraction: float, seed: int
) -> tuple[TrainingData, TrainingData]:
    """Divide the texts of positive weight into those to train on and those to validate on."""
    if data.weight is not None:
        data = data[data.weight > 0]
    train, valid = split_off_validation(data.targets, fraction, seed)
    return data[train], data[valid]


def hold_out(data: TrainingData, seed: int) -> tuple[TrainingData, TrainingData] | None:
    """Divide the texts of positive weight, for the scales of the network and the wide part.

    Equal texts with equal targets are not parted. The division depends neither on the order of
    the texts nor on whether a text has the weight 2 or is there twice. Each class that has several
    distinct texts is in both parts, if it is frequent enough.

    Parameters
    ----------
    data : TrainingData
        The texts.
    seed : int
        Chooses the division.

    Returns
    -------
    train, held_out : TrainingData, or None
        None if there are too few distinct texts.
    """
    if data.weight is not None:
        data = data[data.weight > 0]
    weight = np.ones(len(data.ids)) if data.weight is None else data.weight
    labels = data.targets.encoded
    strata = np.zeros(len(labels), dtype=np.int64) if data.targets.multilabel else labels
    keys = _digests(data.ids, labels, seed)
    if len(np.unique(keys)) < _FEWEST_DISTINCT:
        return None
    total = float(weight.sum())
    share = max(_HELD_OUT, min(_MORE_OF_FEW / total, _MOST_OF_FEW))
    order = np.lexsort((keys, strata))
    held = np.zeros(len(keys), dtype=bool)
    for rows in np.split(order, np.flatnonzero(np.diff(strata[order])) + 1):
        begins = np.flatnonzero(np.append(True, keys[rows[1:]] != keys[rows[:-1]]))
        # The weight up to the middle of each distinct text.
        before = np.concatenate([[0.0], weight[rows].cumsum()])
        ends = np.append(begins[1:], len(rows))
        middle = (before[begins] + before[ends]) / 2
        chosen = middle < share * before[-1]
        chosen[-1] = False
        held[rows] = np.repeat(chosen, np.diff(np.append(begins, len(rows))))
    return (data[~held], data[held]) if held.any() else None


def is_predicted(data: TrainingData, logits: np.ndarray) -> bool:
    """Whether logits predict the targets better than chance, by two standard errors.

    Chance is the most frequent class, or value of each label.
    """
    truth = data.targets.encoded
    weight = np.ones(len(truth)) if data.weight is None else data.weight
    if data.targets.multilabel:
        right = ((logits > 0) == truth).mean(axis=1)
        shares = np.average(truth, axis=0, weights=weight)
        chance = np.maximum(shares, 1 - shares).mean()
    else:
        right = logits.argmax(axis=1) == truth
        chance = np.bincount(truth, weight).max() / weight.sum()
    # The number of texts of equal weights that has the same error.
    n_texts = weight.sum() ** 2 / (weight**2).sum()
    error = np.sqrt(chance * (1 - chance) / n_texts)
    return bool(np.average(right, weights=weight) >= chance + 2 * error)


def _digests(ids: Ids, targets: np.ndarray, seed: int) -> np.ndarray:
    """A random number for each text and target, which equal ones share; (n,), uint64, not 0."""
    salt = seed.to_bytes(8, "little")
    keys = np.empty(len(ids), dtype=np.uint64)
    for i, (row, target) in enumerate(zip(ids, targets, strict=True)):
        text = row[row != PADDING_ID].tobytes() + b"/" + target.tobytes()
        digest = hashlib.blake2b(text, digest_size=8, key=salt)
        keys[i] = int.from_bytes(digest.digest(), "little") | 1
    return keys
