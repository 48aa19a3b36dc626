"""Convolutional text classification (Kim, 2014) as scikit-learn estimators.

The public names are imported on first use, so that ``import sktextcnn`` costs
neither torch nor gensim.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sktextcnn import datasets as datasets
    from sktextcnn._classifier import TextCNNClassifier as TextCNNClassifier
    from sktextcnn._embeddings import Embeddings as Embeddings
    from sktextcnn._explanation import Explanation as Explanation
    from sktextcnn._explanation import explain as explain
    from sktextcnn._model_file import load as load
    from sktextcnn._model_file import save as save
    from sktextcnn._token_ids import TokenIds as TokenIds
    from sktextcnn._vectorizer import TextVectorizer as TextVectorizer

__version__ = "0.1.0"

__all__ = [
    "Embeddings",
    "Explanation",
    "TextCNNClassifier",
    "TextVectorizer",
    "TokenIds",
    "datasets",
    "explain",
    "load",
    "save",
]

_MODULE_OF = {
    "Embeddings": "sktextcnn._embeddings",
    "Explanation": "sktextcnn._explanation",
    "TextCNNClassifier": "sktextcnn._classifier",
    "TextVectorizer": "sktextcnn._vectorizer",
    "TokenIds": "sktextcnn._token_ids",
    "explain": "sktextcnn._explanation",
    "load": "sktextcnn._model_file",
    "save": "sktextcnn._model_file",
}


def __getattr__(name: str) -> Any:
    if name == "datasets":
        return import_module("sktextcnn.datasets")
    if name in _MODULE_OF:
        return getattr(import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
