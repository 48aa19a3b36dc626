"""export_onnx: a Pipeline's inference as one ONNX file."""

import json
import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sktextcnn._classifier import TextCNNClassifier
from sktextcnn._network import MOST_BYTES as STORED_BYTES
from sktextcnn._network import KimCNN, StackedCNN
from sktextcnn._pipeline import fitted_parts
from sktextcnn._state import atomic_write
from sktextcnn._text import NLTK_TOKENIZERS, describe_analyzer
from sktextcnn._token_ids import RESERVED_WORDS
from sktextcnn._vectorizer import TextVectorizer
from sktextcnn._version import __version__

if TYPE_CHECKING:
    import onnx

#: The key of the metadata, and the version of what is under it.
METADATA_KEY, FORMAT_VERSION = "sktextcnn", 1

# What protobuf reads and writes, less some room for the operators.
_MOST_BYTES = 2**31 - 2**20

_TABLES = ("auto", "stored", "computed")
_FUNCTIONS = ("tokenizer", "preprocessor", "strip_accents", "analyzer")


def export_onnx(
    model: Any, path: str | os.PathLike[str], *, tables: str = "auto", omit: Collection[str] = ()
) -> None:
    """Write the fast inference graph of a fitted Pipeline as an ONNX file.

    The graph maps token ids to probabilities. For ``architecture="kim"`` it looks up products
    of words with the kernels and adds them, as the engine does, without a convolution. What
    turns texts into ids is in the file's metadata, so that it can be served with onnxruntime
    and NumPy alone, as ``examples/serve_onnx.py`` does.

    Parameters
    ----------
    model : Pipeline or TextCNNClassifier
        A fitted Pipeline of a TextVectorizer and a TextCNNClassifier, or a search over one. A
        classifier alone gives a file without the treatment of texts.
    path : str or path-like
        The file, usually named ``*.onnx``. It is replaced when the new one is complete on the
        disk; until then, and on any error, the old one stays.
    tables : {"auto", "stored", "computed"}, default="auto"
        Where the products of words come from. "stored": the file has those of all words,
        which is fastest; 4 bytes for each word, place of a kernel and filter. "computed": the
        file has the vectors alone, and the graph multiplies the distinct words of each call.
        "auto": stored up to 256 MB of them, else computed. Words that the fitted texts lacked
        count too; ``TextVectorizer(unseen_words=0)`` makes the file smaller.
    omit : collection of str, default=()
        Parameters to leave out, named as in ``model.get_params()``, since they are functions
        that a file cannot hold, such as ``["textvectorizer__tokenizer"]``. The metadata names
        them, and whoever serves the file must bring them.

    Raises
    ------
    ImportError
        If the package onnx is not installed; names the extra to install.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model is of another type, has a network of your own, labels other than str,
        int, float and bool, or a function for texts that is not in `omit`.
    ValueError
        If `tables` or `omit` is not as described, the vectorizer is not the one that the
        classifier was fitted with, or the file would exceed the 2 GiB of ONNX files.
    OSError
        If the file cannot be written.

    See Also
    --------
    save : A file from which Python gets the Pipeline back.

    Notes
    -----
    The input "ids" is int32 of shape (texts, tokens), both of any size from 1. Id 0 is padding,
    1 the unknown word. The output "probabilities" is float32 of shape (texts, classes), equal
    to those of the Pipeline to 1e-5. As there, padding does not matter for "kim"; for
    "stacked" the graph pads to ``max_length_``. A model of ``precision="bfloat16"`` is
    exported in float32, which is more exact than the Pipeline, and differs from it by some 1e-3.

    The operators are those of opset 13, which onnxruntime reads from version 1.7 on.

    Examples
    --------
    >>> import os, tempfile, onnxruntime
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer, export_onnx
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> path = os.path.join(tempfile.mkdtemp(), "model.onnx")
    >>> export_onnx(model.fit(texts, labels), path)
    >>> session = onnxruntime.InferenceSession(path)
    >>> ids = model[0].transform(["what a gem"])
    >>> (probabilities,) = session.run(None, {"ids": ids})
    >>> bool(abs(probabilities - model.predict_proba(["what a gem"])).max() < 1e-5)
    True
    """
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "export_onnx needs the package onnx, which is not installed: "
            "pip install 'sktextcnn[onnx]'."
        ) from error
    vectorizer, classifier, prefix = _parts(model)
    stored = _stores_products(classifier, tables)
    metadata = _metadata(vectorizer, classifier, prefix, omit)
    _check_size(classifier, stored, metadata)
    with atomic_write(path) as file:
        file.write(_model(vectorizer, classifier, stored, metadata).SerializeToString())


def _parts(model: Any) -> tuple[TextVectorizer | None, TextCNNClassifier, str]:
    """Return the vectorizer if there is one, the classifier, and the prefix of the vectorizer's
    parameters.
    """
    if type(model) is TextCNNClassifier:
        check_is_fitted(model)
        vectorizer, classifier, prefix = None, model, ""
    else:
        vectorizer, classifier = fitted_parts(model, "export_onnx")
        prefix = f"{getattr(model, 'best_estimator_', model).steps[0][0]}__"
    network = type(classifier.net_.module_)
    if network not in (KimCNN, StackedCNN):
        raise TypeError(
            f"export_onnx knows the graphs of architecture='kim' and 'stacked', but not that of "
            f"{network.__name__}. Export its module, classifier.net_.module_, with "
            f"torch.onnx.export."
        )
    if vectorizer is not None:
        # Finds parts that were not fitted together, with the Pipeline's own errors.
        classifier.predict_proba(vectorizer.transform([""]))
    return vectorizer, classifier, prefix


def _stores_products(classifier: TextCNNClassifier, tables: str) -> bool:
    """Whether the file has the products of all words."""
    if tables not in _TABLES:
        raise ValueError(f"tables must be {', '.join(map(repr, _TABLES))}; got {tables!r}.")
    if type(classifier.net_.module_) is not KimCNN:
        if tables != "auto":
            raise ValueError(
                f"tables={tables!r} is for architecture='kim'; the products of words are no part "
                f"of other networks. Leave tables='auto'."
            )
        return False
    return tables == "stored" or (tables == "auto" and _product_bytes(classifier) <= STORED_BYTES)


def _product_bytes(classifier: TextCNNClassifier) -> int:
    """Size of the products of all words."""
    module = classifier.net_.module_
    n_products = sum(conv.weight.shape[0] * conv.weight.shape[2] for conv in module.convs)
    return module.embedding.num_embeddings * n_products * np.dtype(np.float32).itemsize


def _check_size(classifier: TextCNNClassifier, stored: bool, metadata: str) -> None:
    state = classifier.net_.module_.state_dict()
    state.pop("embedding.static", None)
    n_bytes = sum(value.nbytes for value in state.values()) + len(metadata)
    if stored:
        n_bytes += _product_bytes(classifier) - state["embedding.weight"].nbytes
    if n_bytes > _MOST_BYTES:
        remedy = (
            "Set tables='computed', which leaves the products of words out."
            if stored
            else "Fit a smaller vocabulary, by TextVectorizer's unseen_words=0, min_df or "
            "max_features."
        )
        raise ValueError(
            f"The file would have {n_bytes / 2**30:.1f} GiB, but files of ONNX hold less than 2. "
            f"{remedy}"
        )


# Metadata -----------------------------------------------------------------------------


def _metadata(
    vectorizer: TextVectorizer | None,
    classifier: TextCNNClassifier,
    prefix: str,
    omit: Collection[str],
) -> str:
    """Return what a reader needs beside the graph, as JSON."""
    words = classifier.words_ if vectorizer is None else vectorizer.token_table_.words
    reserved = [None] * len(RESERVED_WORDS)
    metadata = {
        "format_version": FORMAT_VERSION,
        "sktextcnn_version": __version__,
        "classes": _labels(classifier.classes_),
        "multilabel": classifier.net_.multilabel,
        "vocabulary": None if words is None else [*reserved, *words[len(reserved) :]],
        "text": _text(vectorizer, prefix, omit),
    }
    for name, value in metadata.items():
        if json.loads(json.dumps(value)) != value:
            raise ValueError(
                f"The {name} of the model cannot be kept as JSON. Are there halves of surrogate "
                f"pairs in its words? Read texts with errors='replace' before fitting."
            )
    return json.dumps(metadata)


def _labels(classes: np.ndarray) -> list[str | int | float | bool]:
    labels = []
    for label in classes:
        if not isinstance(label, str | int | float | np.integer | np.floating | np.bool_):
            raise TypeError(
                f"classes_ has the label {label!r} of type {type(label).__name__}, but an ONNX "
                f"file keeps those of type str, int, float and bool. Fit with str(label)."
            )
        labels.append(label.item() if isinstance(label, np.generic) else label)
    return labels


def _text(
    vectorizer: TextVectorizer | None, prefix: str, omit: Collection[str]
) -> dict[str, Any] | None:
    """Describe how a text becomes ids."""
    unused = {omit} if isinstance(omit, str) else set(omit)
    text: dict[str, Any] | None = None
    if vectorizer is not None:
        text = describe_analyzer(**vectorizer._analysis())
        text["omitted"] = {}
        for name in _FUNCTIONS:
            function = text[name]
            if not (callable(function) or function in NLTK_TOKENIZERS):
                continue
            full = prefix + name
            if full not in unused:
                raise TypeError(
                    f"{full}={function!r} is a function, which an ONNX file cannot hold. Export "
                    f"with omit=[{full!r}]; whoever serves the file must then bring the function."
                )
            unused.remove(full)
            text[name] = None
            text["omitted"][name] = _name_of(function)
        text["max_length"] = vectorizer.max_length_
        text["padding"], text["truncating"] = vectorizer.padding, vectorizer.truncating
    if unused:
        raise ValueError(
            f"omit names {', '.join(sorted(unused))}, but only functions that turn texts into "
            f"tokens can be omitted, such as 'textvectorizer__tokenizer'."
        )
    return text


def _name_of(function: Any) -> str:
    """Where to find a function, for people."""
    if isinstance(function, str):
        return f"nltk.tokenize.{NLTK_TOKENIZERS[function]}().tokenize"
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{getattr(named, '__module__', 'builtins')}.{named.__qualname__}"


# Graph --------------------------------------------------------------------------------


def _model(
    vectorizer: TextVectorizer | None, classifier: TextCNNClassifier, stored: bool, metadata: str
) -> "onnx.ModelProto":
    from sktextcnn._files import onnx_graphs as graphs

    module = classifier.net_.module_
    weights = {name: value.numpy(force=True) for name, value in module.state_dict().items()}
    activation = classifier.net_.module_params["activation"]
    graph, ids, width = graphs.Graph(), "ids", None
    if classifier.words_ is None:
        ids = graphs.known_ids(graph, ids, module.embedding.num_embeddings)
    if isinstance(module, KimCNN):
        features = graphs.kim_features(graph, ids, weights, activation, stored_products=stored)
    else:
        lengths = []
        if vectorizer is None:
            # Padding counts, and nobody tells on which side it belongs.
            width = classifier.n_features_in_
        else:
            lengths.append((vectorizer.padding, vectorizer.max_length_))
        lengths.append(("post", module.min_length))
        features = graphs.stacked_features(
            graph, ids, weights, activation, pool_size=module.POOL_SIZE, lengths=lengths
        )
    multilabel = classifier.net_.multilabel
    output = graphs.probabilities(graph, features, weights, activation, multilabel=multilabel)
    return graphs.finish(
        graph,
        output,
        width=width,
        n_classes=len(classifier.classes_),
        metadata={METADATA_KEY: metadata},
    )
