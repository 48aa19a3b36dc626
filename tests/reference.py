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


def numpy_kim(state, ids, activation="relu"):
    """Kim's network in explicit loops, in float64; the logits."""
    state = {name: value.numpy(force=True).astype(np.float64) for name, value in state.items()}
    vectors = state["embedding.weight"] + state.get("embedding.static", 0)
    n_convs = sum(name.startswith("convs.") and name.endswith("weight") for name in state)
    logits = []
    for text in np.asarray(ids):
        features = []
        for i in range(n_convs):
            kernel, bias = state[f"convs.{i}.weight"], state[f"convs.{i}.bias"]
            size = kernel.shape[2]
            padded = [0] * (size - 1) + text.tolist() + [0] * (size - 1)
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
        hidden = NUMPY_ACTIVATIONS[activation](np.array(features))
        layers = [name[:-7] for name in state if name.startswith("head.") and "weight" in name]
        for layer in layers[:-1]:
            hidden = state[f"{layer}.weight"] @ hidden + state[f"{layer}.bias"]
            hidden = NUMPY_ACTIVATIONS[activation](hidden)
        logits.append(state[f"{layers[-1]}.weight"] @ hidden + state[f"{layers[-1]}.bias"])
    return np.array(logits)
