"""How much the logits of the network and of the wide part count, found on held-out texts."""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit, log_expit, log_softmax

#: What scales are without held-out texts: networks are surer than they may be.
PRIOR = (0.4, 0.5)
#: The same for the wide part of another model.
PRIOR_OF_OTHER = 0.5
# How many held-out texts the prior is worth, roughly.
_PRIOR_WEIGHT = 2.0
_LEAST, _MOST = 1e-3, 20.0


def fit_scales(
    parts: Sequence[np.ndarray],
    targets: np.ndarray,
    weight: np.ndarray | None = None,
    prior: Sequence[float] = PRIOR,
) -> tuple[np.ndarray, float]:
    """Find the scales of logits whose sum has the least log loss.

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

    Returns
    -------
    scales : ndarray of shape (n_parts,)
        All are positive.
    loss : float
        The sum of log losses with these scales, and the penalty of the prior.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), On Calibration of Modern Neural Networks, ICML.
    """
    # Only here, as programs that predict do not need it.
    from scipy.optimize import minimize

    logits = np.stack(parts)  # (P, N, C)
    n_texts = logits.shape[1]
    weight = np.ones(n_texts) if weight is None else np.asarray(weight, dtype=np.float64)
    center = np.log(prior)

    def objective(log_scales: np.ndarray) -> tuple[float, np.ndarray]:
        scales = np.exp(log_scales)
        loss, gradient = _loss(np.tensordot(scales, logits, axes=1), targets, weight)
        distance = log_scales - center
        slopes = scales * (logits * gradient).sum(axis=(1, 2)) + _PRIOR_WEIGHT * distance
        return loss + _PRIOR_WEIGHT * (distance**2).sum() / 2, slopes

    bounds = [(np.log(_LEAST), np.log(_MOST))] * len(parts)
    found = minimize(objective, center, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.exp(found.x), float(found.fun)


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
