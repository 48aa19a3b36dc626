"""Compare architecture="stacked" with the same layers of Keras, with the same weights and ids.

    python benchmarks/stacked.py --data DIR

DIR has trec-train.tsv. Each line has a label, a tab and a text. Install Keras from
benchmarks/requirements.txt. A difference of more than 1e-5 is an error.
"""

import argparse
import os
import pathlib
from typing import Any

import numpy as np
from corpora import read
from report import table
from settings import SEED, TOLERANCE
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer

# Widths of batches: shorter than the layers need, just enough, and longer.
_WIDTHS = (1, 20, 28, 29, 60, 300)
_TEXTS = 200


def keras_model(classifier: TextCNNClassifier) -> Any:
    """Return a Keras model with the weights of a fitted classifier."""
    import keras
    from keras import layers

    weights = {
        name: value.numpy(force=True)
        for name, value in classifier.net_.module_.state_dict().items()
    }
    model = keras.Sequential(
        [
            layers.Embedding(*weights["embedding.weight"].shape),
            layers.Conv1D(128, 5, activation="relu"),
            layers.MaxPooling1D(5),
            layers.Conv1D(128, 5, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(128, activation="relu"),
            layers.Dense(len(classifier.classes_), activation="softmax"),
        ]
    )
    model.build((None, None))
    embedding, *others = model.layers
    embedding.set_weights([weights["embedding.weight"]])
    with_weights = [layer for layer in others if layer.weights]
    # Dropout layers are between the dense layers of the head.
    for layer, name in zip(with_weights, ("convs.0", "convs.1", "head.1", "head.4"), strict=True):
        # (F, D, k) of torch to (k, D, F) of Keras; (out, in) to (in, out).
        layer.set_weights([weights[f"{name}.weight"].T, weights[f"{name}.bias"]])
    return model


def main() -> None:
    """Compare the probabilities of both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    args = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    texts, labels = read(args.data / "trec-train.tsv")
    classifier = TextCNNClassifier(
        architecture="stacked", max_epochs=2, wide=False, random_state=SEED, device="cpu"
    )
    model = make_pipeline(TextVectorizer(max_length=max(_WIDTHS)), classifier).fit(texts, labels)
    theirs = keras_model(classifier)
    n_words, least = len(model[0].vocabulary_) + 2, classifier.net_.module_.min_length
    rng = np.random.default_rng(SEED)
    rows = []
    for width in _WIDTHS:
        ids = rng.integers(1, n_words, (_TEXTS, width), dtype=np.int32)
        for row, length in enumerate(rng.integers(1, width + 1, _TEXTS)):
            ids[row, length:] = 0
        ours = classifier.net_.predict_proba(ids)
        # Keras rejects texts that are too short for its layers, so pad them as sktextcnn does.
        padded = np.pad(ids, ((0, 0), (0, max(0, least - width))))
        difference = float(np.abs(ours - theirs.predict(padded, verbose=0)).max())
        if not difference <= TOLERANCE:
            raise AssertionError(f"Probabilities differ by {difference:.2g} with {width} tokens.")
        rows.append({"tokens": width, "largest difference": f"{difference:.1e}"})
    print(table('Probabilities of architecture="stacked" and of Keras', rows))


if __name__ == "__main__":
    main()
