"""Models for the tests of model files."""

from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer

SMALL = {"num_filters": 4, "kernel_sizes": (1, 2), "max_epochs": 2, "random_state": 0}


def make_model(embeddings=None, **params):
    return make_pipeline(
        TextVectorizer(embeddings=embeddings, random_state=0),
        TextCNNClassifier(**{**SMALL, **params}),
    )
