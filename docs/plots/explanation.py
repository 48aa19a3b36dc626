"""A training on docstrings, and the strongest n-grams of a text that it explains."""

from sklearn.pipeline import make_pipeline

from sktextcnn import (
    ExplanationDisplay,
    TextCNNClassifier,
    TextVectorizer,
    TrainingHistoryDisplay,
)
from sktextcnn.datasets import load_docstrings

texts, libraries = load_docstrings()
classifier = TextCNNClassifier(early_stopping=True, max_epochs=20, random_state=0)
model = make_pipeline(TextVectorizer(), classifier).fit(texts[::3], libraries[::3])


def explanation() -> None:
    """Draw the strongest n-grams of a sentence."""
    ExplanationDisplay.from_estimator(model, "Fit a linear model by least squares.")


def history() -> None:
    """Draw the losses and accuracies."""
    TrainingHistoryDisplay.from_estimator(model)
