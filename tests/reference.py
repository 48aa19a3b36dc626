"""Networks in plain NumPy loops, which others are held against."""

import numpy as np
from scipy.special import erf

NUMPY_ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "gelu": lambda x: 0.5 * x * (1 + erf(x / np.sqrt(2))),
    "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "identity": lambda x: x,
}


def numpy_kim(state, ids, activation="relu", pool_size=None):
    """Kim's network in explicit loops, in float64; the logits."""
    state = {name: value.numpy(force=True).astype(np.float64) for name, value in state.items()}
    layers = [name[:-7] for name in state if name.startswith("head.") and "weight" in name]
    logits = []
    for text in np.asarray(ids).tolist():
        while len(text) > 1 and text[0] == 0:
            text.pop(0)
        regions = [
            text[at : at + (pool_size or len(text))]
            for at in range(0, len(text), pool_size or len(text))
        ]
        counts = [np.count_nonzero(region) for region in regions]
        if not any(counts):
            counts[0] = 1
        hidden = sum(
            count / sum(counts) * _numpy_features(state, region, activation)
            for region, count in zip(regions, counts, strict=True)
        )
        for layer in layers[:-1]:
            hidden = state[f"{layer}.weight"] @ hidden + state[f"{layer}.bias"]
            hidden = NUMPY_ACTIVATIONS[activation](hidden)
        logits.append(state[f"{layers[-1]}.weight"] @ hidden + state[f"{layers[-1]}.bias"])
    return np.array(logits)


def _numpy_features(state, text, activation):
    vectors = state["embedding.weight"] + state.get("embedding.static", 0)
    n_convs = sum(name.startswith("convs.") and name.endswith("weight") for name in state)
    features = []
    for i in range(n_convs):
        kernel, bias = state[f"convs.{i}.weight"], state[f"convs.{i}.bias"]
        size = kernel.shape[2]
        padded = [0] * (size - 1) + text + [0] * (size - 1)
        windows = [padded[at : at + size] for at in range(len(padded) - size + 1)]
        windows = [window for window in windows if any(window)] or [[0] * size]
        for weight, constant in zip(kernel, bias, strict=True):
            features.append(
                max(
                    constant
                    + sum(
                        weight[:, place] @ (vectors[word] if word else np.zeros(len(weight)))
                        for place, word in enumerate(window)
                    )
                    for window in windows
                )
            )
    return NUMPY_ACTIVATIONS[activation](np.array(features))
