"""What processes that train one model must have in common, and how they find out."""

import hashlib
from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np
import torch

from sktextcnn._data_parallel import current_group
from sktextcnn._training.data import TrainingData
from sktextcnn._training.rows import Ids, row_blocks
from sktextcnn._training.starting_weights import SourceModel
from sktextcnn._version import __version__

# The first process decides the seed; where and how loud each one trains is its own matter.
_MAY_DIFFER = {"random_state", "device", "verbose"}
# Of texts that are in a file.
_ROWS_AT_ONCE = 1 << 16


def check_agreement(
    estimator: Any,
    data: TrainingData,
    validation: TrainingData | None = None,
    sources: list[SourceModel] | None = None,
) -> None:
    """Raise a ValueError in every process if they do not train the same model on the same texts.

    Parameters
    ----------
    estimator : TextCNNClassifier
        Its parameters are compared.
    data : TrainingData
        The texts.
    validation : TrainingData or None, default=None
        The texts that the user has given for validation.
    sources : list of SourceModel or None, default=None
        The models that the training starts from.
    """
    group = current_group()
    if group is None:
        return
    facts: dict[str, str | float] = {
        "the version of sktextcnn": __version__,
        "the version of torch": _torch_version(),
    }
    for name, value in estimator.get_params(deep=False).items():
        if name not in _MAY_DIFFER:
            facts[name] = _described(value)
    for i, source in enumerate(sources or ()):
        facts[f"the weights of {source.purpose} ({i})"] = _digest_of_weights(source.weights)
    for name, each in (("", data), (" of X_val", validation)):
        if each is None:
            continue
        words = "\0".join(each.words or ())
        facts[f"the words{name}"] = _digest(words.encode("utf-8", "surrogatepass"))
        facts[f"the vectors{name}"] = _digest(each.vectors)
        facts[f"the texts{name}"] = _digest_of_rows(each.ids)
        facts[f"the classes{name}"] = _described(each.targets.classes.tolist())
        facts[f"the labels{name}"] = _digest(each.targets.encoded)
        facts[f"the weights of texts{name}"] = _digest(each.weight)
    group.check_alike(
        facts,
        "Each must call fit with all texts, in one order, and with the same parameters, "
        "in the same environment.",
    )


def _torch_version() -> str:
    # Without what it was built for.
    return str(torch.__version__).partition("+")[0]


def _described(value: Any) -> str:
    """A short text that is the same in every process."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bytes | int | float | Enum):
        text = repr(value)
    elif isinstance(value, Mapping):
        text = repr(sorted((_described(key), _described(each)) for key, each in value.items()))
    elif isinstance(value, list | tuple | np.ndarray):
        text = f"[{', '.join(map(_described, value))}]"
    else:
        # Its own text may have an address.
        kind = value if isinstance(value, type) else type(value)
        text = f"{kind.__module__}.{kind.__qualname__}"
    return text if len(text) <= 60 else f"{text[:40]}... ({_digest(text.encode())})"


def _digest(values: Any) -> str:
    """Of bytes, of an array, or of anything whose slices are arrays; None has one too."""
    if values is None:
        return "none"
    digest = hashlib.blake2b(digest_size=6)
    if isinstance(values, bytes):
        digest.update(values)
        return f"digest {digest.hexdigest()}"
    for start in range(0, len(values), _ROWS_AT_ONCE):
        digest.update(np.ascontiguousarray(values[start : start + _ROWS_AT_ONCE]).data)
    return f"shape {values.shape}, digest {digest.hexdigest()}"


def _digest_of_rows(ids: Ids) -> str:
    digest = hashlib.blake2b(digest_size=6)
    for rows in row_blocks(ids):
        digest.update(np.ascontiguousarray(ids[rows]).data)
    return f"shape {ids.shape}, digest {digest.hexdigest()}"


def _digest_of_weights(weights: Mapping[str, Any]) -> str:
    digest = hashlib.blake2b(digest_size=6)
    for name, value in weights.items():
        array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array).data)
    return f"digest {digest.hexdigest()}"
