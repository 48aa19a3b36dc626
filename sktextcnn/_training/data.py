"""The data of a training: checked ids, targets and weights, and the part for validation."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sktextcnn._token_ids import UNKNOWN_ID, TokenTable
from sktextcnn._training.dataset import TokenDataset
from sktextcnn._training.inputs import check_token_ids, check_vectors_present, check_vocabulary
from sktextcnn._training.targets import (
    Targets,
    combine_weights,
    encode_targets,
    split_off_validation,
)


@dataclass(frozen=True)
class TrainingData:
    """Texts as a training sees them.

    Attributes
    ----------
    ids : ndarray of shape (n_texts, n_tokens), int32
    table : TokenTable or None
        The words and vectors of the ids; None for plain ids.
    targets : Targets
        Encoded labels and their classes.
    weight : ndarray of shape (n_texts,), float64, or None
        The product of the weights of samples and classes.
    """

    ids: np.ndarray
    table: TokenTable | None
    targets: Targets
    weight: np.ndarray | None = None

    @property
    def n_ids(self) -> int:
        """How many ids the network must know."""
        if self.table is not None:
            return len(self.table)
        return max(UNKNOWN_ID, int(self.ids.max())) + 1

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
            ids=self.ids[rows],
            targets=self.targets._replace(encoded=self.targets.encoded[rows]),
            weight=None if self.weight is None else self.weight[rows],
        )

    def to_dataset(self, device: str) -> TokenDataset:
        """Without the rows of weight 0, and with the others' weights scaled to a mean of 1."""
        if self.weight is None:
            return TokenDataset(self.ids, self.targets.encoded, device=device)
        kept = self[self.weight > 0]
        assert kept.weight is not None
        weight = kept.weight / kept.weight.mean()
        return TokenDataset(kept.ids, kept.targets.encoded, weight, device)


def training_data(X: Any, y: Any, sample_weight: Any, class_weight: Any) -> TrainingData:
    """Check what ``fit`` was given."""
    ids, table = check_token_ids(X)
    check_vectors_present(X)
    targets = encode_targets(y, len(ids))
    weight = combine_weights(len(ids), y, sample_weight, class_weight)
    return TrainingData(ids, table, targets, weight)


def validation_data(
    train: TrainingData, X_val: Any, y_val: Any, sample_weight_val: Any, class_weight: Any
) -> TrainingData | None:
    """Check the validation data that ``fit`` was given; None if there are none.

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
