"""A model that takes a moment to train."""

import numpy as np
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer

TEXTS = ["a witty gem", "so dull", "an odd film", "a dull, dull film", "what a gem", "odd jokes"]
LABELS = ["good", "bad", "odd", "bad", "good", "odd"]


def fitted(labels, seed=0, max_epochs=2):
    classifier = TextCNNClassifier(
        num_filters=4, wide=False, max_epochs=max_epochs, device="cpu", random_state=seed
    )
    model = make_pipeline(TextVectorizer(min_df=1), classifier)
    return model.fit(TEXTS * 2, np.concatenate([labels, labels]))
