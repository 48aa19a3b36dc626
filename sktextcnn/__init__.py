"""Convolutional text classification (Kim, 2014) as scikit-learn estimators.

The public names are imported on first use, so that ``import sktextcnn`` costs
neither torch nor gensim.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sktextcnn import datasets as datasets
    from sktextcnn._classifier import TextCNNClassifier as TextCNNClassifier
    from sktextcnn._displays import ExplanationDisplay as ExplanationDisplay
    from sktextcnn._displays import LearnedNGramsDisplay as LearnedNGramsDisplay
    from sktextcnn._displays import TrainingHistoryDisplay as TrainingHistoryDisplay
    from sktextcnn._embeddings import Embeddings as Embeddings
    from sktextcnn._explanation import Explanation as Explanation
    from sktextcnn._explanation import explain as explain
    from sktextcnn._learned import nearest_words as nearest_words
    from sktextcnn._learned import top_filters as top_filters
    from sktextcnn._learned import top_ngrams as top_ngrams
    from sktextcnn._model_file import load as load
    from sktextcnn._model_file import save as save
    from sktextcnn._onnx import export_onnx as export_onnx
    from sktextcnn._token_ids import TokenIds as TokenIds
    from sktextcnn._vectorizer import TextVectorizer as TextVectorizer

__version__ = "0.1.0"

__all__ = [
    "Embeddings",
    "Explanation",
    "ExplanationDisplay",
    "LearnedNGramsDisplay",
    "TextCNNClassifier",
    "TextVectorizer",
    "TokenIds",
    "TrainingHistoryDisplay",
    "datasets",
    "explain",
    "export_onnx",
    "load",
    "nearest_words",
    "save",
    "top_filters",
    "top_ngrams",
]

_MODULE_OF = {
    "Embeddings": "sktextcnn._embeddings",
    "Explanation": "sktextcnn._explanation",
    "ExplanationDisplay": "sktextcnn._displays",
    "LearnedNGramsDisplay": "sktextcnn._displays",
    "TextCNNClassifier": "sktextcnn._classifier",
    "TextVectorizer": "sktextcnn._vectorizer",
    "TokenIds": "sktextcnn._token_ids",
    "TrainingHistoryDisplay": "sktextcnn._displays",
    "explain": "sktextcnn._explanation",
    "export_onnx": "sktextcnn._onnx",
    "load": "sktextcnn._model_file",
    "nearest_words": "sktextcnn._learned",
    "save": "sktextcnn._model_file",
    "top_filters": "sktextcnn._learned",
    "top_ngrams": "sktextcnn._learned",
}


def __getattr__(name: str) -> Any:
    if name == "datasets":
        return import_module("sktextcnn.datasets")
    if name in _MODULE_OF:
        return getattr(import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
