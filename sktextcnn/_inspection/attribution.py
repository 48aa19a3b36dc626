"""Attributions of logits to tokens and spans of tokens."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Attribution:
    """What the tokens of one text, given as ids, add to its logits.

    Shapes: T tokens, S spans, C classes. Numbers are float64.
    """

    logits: np.ndarray  # (C,)
    spans: np.ndarray  # (S, 2), the first token of each span and the one after its last
    contributions: np.ndarray  # (S, C)
    remainder: np.ndarray  # (C,)
    token_contributions: np.ndarray  # (T, C)
    token_remainder: np.ndarray  # (C,)
