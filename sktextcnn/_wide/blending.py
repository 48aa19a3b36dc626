"""How much the logits of the network and of the wide part count, found on held-out texts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_expit, log_softmax

#: What scales are without held-out texts: networks are surer than they may be.
PRIOR = (0.4, 0.5)
# How many held-out texts the priors of a scale and of an intercept are worth, roughly.
_SCALE_WEIGHT, _INTERCEPT_WEIGHT = 2.0, 1.0
_LEAST, _MOST = 1e-3, 20.0


class Blend(NamedTuple):
    """A sum of scaled logits."""

    scales: np.ndarray  # (n_parts,), all positive
    intercept: np.ndarray  # (C,), what is added to the sum
    loss: float  # the sum of log losses of the texts it was fitted to, and the penalties


def fit_blend(
    parts: Sequence[np.ndarray],
    targets: np.ndarray,
    weight: np.ndarray | None = None,
    prior: Sequence[float] = PRIOR,
) -> Blend:
    """Find the scales of logits, and the intercepts, whose sum has the least log loss.

    The scale of the network's logits is the inverse of a temperature (Guo et al., 2017).

    Parameters
    ----------
    parts : sequence of ndarray of shape (N, C)
        The logits of each part for texts that it was not trained on.
    targets : ndarray of shape (N,), int64, or (N, C), float32
        Classes, or an indicator matrix.
    weight : ndarray of shape (N,) or None
        Weights of the texts.
    prior : sequence of float
        Scales that are assumed before any text is seen.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), On Calibration of Modern Neural Networks, ICML.
    """
    # Only here, as programs that predict do not need it.
    from scipy.optimize import minimize

    logits = np.stack(parts)  # (P, N, C)
    n_parts, n_texts, n_classes = logits.shape
    weight = np.ones(n_texts) if weight is None else np.asarray(weight, dtype=np.float64)
    start = np.concatenate([np.log(prior), np.zeros(n_classes)])
    strength = np.repeat([_SCALE_WEIGHT, _INTERCEPT_WEIGHT], [n_parts, n_classes])

    def objective(params: np.ndarray) -> tuple[float, np.ndarray]:
        scales, intercept = np.exp(params[:n_parts]), params[n_parts:]
        loss, gradient = _loss(np.tensordot(scales, logits, axes=1) + intercept, targets, weight)
        slopes = np.concatenate(
            [scales * (logits * gradient).sum(axis=(1, 2)), gradient.sum(axis=0)]
        )
        distance = params - start
        return loss + (strength * distance**2).sum() / 2, slopes + strength * distance

    bounds = [(np.log(_LEAST), np.log(_MOST))] * n_parts + [(None, None)] * n_classes
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return Blend(np.exp(found.x[:n_parts]), found.x[n_parts:], float(found.fun))


def _loss(logits: np.ndarray, targets: np.ndarray, weight: np.ndarray) -> tuple[float, np.ndarray]:
    """The sum of log losses, and its gradient with respect to the logits."""
    column = weight[:, None]
    if targets.ndim == 2:
        share = 1 / targets.shape[1]  # As in training, the mean over labels.
        losses = -(targets * log_expit(logits) + (1 - targets) * log_expit(-logits))
        return float((column * losses).sum() * share), column * share * (expit(logits) - targets)
    log_p = log_softmax(logits, axis=1)
    rows = np.arange(len(targets))
    gradient = np.exp(log_p)
    gradient[rows, targets] -= 1
    return float(-(weight * log_p[rows, targets]).sum()), column * gradient
