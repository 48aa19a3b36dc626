"""Convolutional text classification (Kim, 2014) as scikit-learn estimators.

The public names are imported on first use, so that ``import sktextcnn`` costs
neither torch nor gensim.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sktextcnn._version import __version__ as __version__

if TYPE_CHECKING:
    from sktextcnn import datasets as datasets
    from sktextcnn._classifier import TextCNNClassifier as TextCNNClassifier
    from sktextcnn._data_parallel import data_parallel as data_parallel
    from sktextcnn._files import export_onnx as export_onnx
    from sktextcnn._files import load as load
    from sktextcnn._files import save as save
    from sktextcnn._fit_chunks import fit_chunks as fit_chunks
    from sktextcnn._inspection import Explanation as Explanation
    from sktextcnn._inspection import ExplanationDisplay as ExplanationDisplay
    from sktextcnn._inspection import LearnedNGramsDisplay as LearnedNGramsDisplay
    from sktextcnn._inspection import TrainingHistoryDisplay as TrainingHistoryDisplay
    from sktextcnn._inspection import explain as explain
    from sktextcnn._inspection import nearest_words as nearest_words
    from sktextcnn._inspection import top_filters as top_filters
    from sktextcnn._inspection import top_ngrams as top_ngrams
    from sktextcnn._report import report as report
    from sktextcnn._scorer import Scorer as Scorer
    from sktextcnn._token_ids import TokenIds as TokenIds
    from sktextcnn._vectorizer import TextVectorizer as TextVectorizer
    from sktextcnn._vectors import Embeddings as Embeddings

__all__ = [
    "Embeddings",
    "Explanation",
    "ExplanationDisplay",
    "LearnedNGramsDisplay",
    "Scorer",
    "TextCNNClassifier",
    "TextVectorizer",
    "TokenIds",
    "TrainingHistoryDisplay",
    "data_parallel",
    "datasets",
    "explain",
    "export_onnx",
    "fit_chunks",
    "load",
    "nearest_words",
    "report",
    "save",
    "top_filters",
    "top_ngrams",
]

_MODULE_OF = {
    "Embeddings": "sktextcnn._vectors",
    "Explanation": "sktextcnn._inspection",
    "ExplanationDisplay": "sktextcnn._inspection",
    "LearnedNGramsDisplay": "sktextcnn._inspection",
    "Scorer": "sktextcnn._scorer",
    "TextCNNClassifier": "sktextcnn._classifier",
    "TextVectorizer": "sktextcnn._vectorizer",
    "TokenIds": "sktextcnn._token_ids",
    "TrainingHistoryDisplay": "sktextcnn._inspection",
    "data_parallel": "sktextcnn._data_parallel",
    "explain": "sktextcnn._inspection",
    "export_onnx": "sktextcnn._files",
    "fit_chunks": "sktextcnn._fit_chunks",
    "load": "sktextcnn._files",
    "nearest_words": "sktextcnn._inspection",
    "report": "sktextcnn._report",
    "save": "sktextcnn._files",
    "top_filters": "sktextcnn._inspection",
    "top_ngrams": "sktextcnn._inspection",
}


def __getattr__(name: str) -> Any:
    if name == "datasets":
        return import_module("sktextcnn.datasets")
    if name in _MODULE_OF:
        return getattr(import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
