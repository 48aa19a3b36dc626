"""export_onnx: a Pipeline's inference as one ONNX file."""

import json
import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sktextcnn._classifier import TextCNNClassifier
from sktextcnn._network import KimCNN, StackedCNN
from sktextcnn._pipeline import best_model, fitted_parts, inference_steps
from sktextcnn._state import atomic_write
from sktextcnn._text import NLTK_TOKENIZERS, describe_analyzer
from sktextcnn._token_ids import RESERVED_WORDS
from sktextcnn._vectorizer import TextVectorizer
from sktextcnn._version import __version__

if TYPE_CHECKING:
    import onnx

#: The key of the metadata, and the version of what is under it.
METADATA_KEY, FORMAT_VERSION = "sktextcnn", 2

# The limit of protobuf, minus some room for the operators.
_MOST_BYTES = 2**31 - 2**20
# Up to this size the products of all words are stored in the file by default.
STORED_BYTES = 1 << 28

_TABLES = ("auto", "stored", "computed")
_FUNCTIONS = ("tokenizer", "preprocessor", "strip_accents", "analyzer")


def export_onnx(
    model: Any, path: str | os.PathLike[str], *, tables: str = "auto", omit: Collection[str] = ()
) -> None:
    """Write the fast inference graph of a fitted Pipeline as an ONNX file.

    The graph maps token ids to probabilities. For ``architecture="kim"`` it looks up products
    of words with the kernels and adds them, as the engine does, without a convolution. The
    metadata of the file describe how texts become ids, so that it can be served with onnxruntime
    and NumPy alone, as ``examples/serve_onnx.py`` does.

    Parameters
    ----------
    model : Pipeline or TextCNNClassifier
        A fitted Pipeline of a TextVectorizer and a TextCNNClassifier, or a search over one. The
        file of a classifier alone does not say how texts become ids.
    path : str or path-like
        The file, usually named ``*.onnx``. An existing file is replaced once the new one is
        complete on the disk. On an error it stays as it was.
    tables : {"auto", "stored", "computed"}, default="auto"
        Where the graph gets the products of words with the kernels.

        - "stored": the file contains the products of all words. This is fastest, and takes
          4 bytes for each word, place of a kernel and filter. Words that the training texts
          lacked count too; ``TextVectorizer(unseen_words=0)`` makes the file smaller.
        - "computed": the file contains only the vectors, and the graph computes the products of
          the distinct words of each call.
        - "auto": "stored" if the products take up to 256 MB, else "computed".
    omit : collection of str, default=()
        Parameters to leave out because they are functions, which an ONNX file cannot hold, such
        as ``["textvectorizer__tokenizer"]``. They are named as in ``get_params()`` of the
        Pipeline or of the search. The metadata names them, and the program that serves the file
        must provide them.

    Raises
    ------
    ImportError
        If the package onnx is not installed; the message names the extra to install.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model is of another type, has a network class of your own, has labels other than
        str, int, float and bool, or has a function for texts that is not in `omit`.
    ValueError
        If `tables` or `omit` is not as described, the vectorizer is not the one that the
        classifier was fitted with, or the file would exceed the 2 GiB limit of ONNX files.
    OSError
        If the file cannot be written.

    See Also
    --------
    save : Writes a file from which `load` restores the Pipeline.

    Notes
    -----
    The input "ids" is int32 of shape (texts, tokens), both of any size from 1. Id 0 is padding,
    id 1 the unknown word. The output "probabilities" is float32 of shape (texts, classes) and
    differs from ``predict_proba`` by at most 1e-5. As in the Pipeline, padding does not matter
    for "kim"; for "stacked" the graph pads to ``max_length_``. A model with
    ``precision="bfloat16"`` is exported in float32. It is then more exact than the Pipeline and
    differs from it by about 1e-3.

    The operators are those of opset 13, which onnxruntime supports since version 1.7.

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
    vectorizer, classifier, prefixes = _parts(model)
    stored = _stores_products(classifier, tables)
    metadata = _metadata(vectorizer, classifier, prefixes, omit)
    _check_size(classifier, stored, metadata)
    with atomic_write(path) as file:
        file.write(_model(vectorizer, classifier, stored, metadata).SerializeToString())


def _parts(model: Any) -> tuple[TextVectorizer | None, TextCNNClassifier, list[str]]:
    """Return the vectorizer, the classifier, and the prefixes of the vectorizer's parameters.

    The prefixes are that of the Pipeline's ``get_params`` and, for a search, that of its own.
    """
    vectorizer: TextVectorizer | None
    if type(model) is TextCNNClassifier:
        check_is_fitted(model)
        vectorizer, classifier, prefixes = None, model, []
    else:
        vectorizer, classifier = fitted_parts(model, "export_onnx")
        pipeline = best_model(model, "export_onnx")
        prefixes = ["__".join(inference_steps(pipeline)[0].path) + "__"]
        if pipeline is not model:
            prefixes.append(f"estimator__{prefixes[0]}")
    network = type(classifier.net_.module_)
    if network not in (KimCNN, StackedCNN):
        raise TypeError(
            f"export_onnx exports architecture='kim' and 'stacked', but not that of "
            f"{network.__name__}. Export its module, classifier.net_.module_, with "
            f"torch.onnx.export."
        )
    if vectorizer is not None:
        # Raises the error of the Pipeline if its steps were not fitted together.
        classifier.predict_proba(vectorizer.transform([""]))
    return vectorizer, classifier, prefixes


def _stores_products(classifier: TextCNNClassifier, tables: str) -> bool:
    """Whether to store the products of all words in the file."""
    if tables not in _TABLES:
        raise ValueError(f"tables must be {', '.join(map(repr, _TABLES))}; got {tables!r}.")
    if type(classifier.net_.module_) is not KimCNN:
        if tables != "auto":
            raise ValueError(
                f"tables={tables!r} is for architecture='kim'; other networks do not look up "
                f"products of words. Leave tables='auto'."
            )
        return False
    return tables == "stored" or (tables == "auto" and _product_bytes(classifier) <= STORED_BYTES)


def _product_bytes(classifier: TextCNNClassifier) -> int:
    """Size of the products of all words, in bytes."""
    module = classifier.net_.module_
    n_products = sum(conv.weight.shape[0] * conv.weight.shape[2] for conv in module.convs)
    return module.embedding.num_embeddings * n_products * np.dtype(np.float32).itemsize


def _check_size(classifier: TextCNNClassifier, stored: bool, metadata: str) -> None:
    state = classifier.net_.module_.state_dict()
    state.pop("embedding.static", None)
    n_bytes = sum(value.nbytes for value in state.values()) + len(metadata)
    if classifier._wide is not None:
        n_bytes += sum(array.nbytes for array in classifier._wide.arrays().values())
    if stored:
        n_bytes += _product_bytes(classifier) - state["embedding.weight"].nbytes
    if n_bytes > _MOST_BYTES:
        remedy = (
            "Set tables='computed', which leaves the products of words out."
            if stored
            else "Fit a smaller vocabulary, with unseen_words=0, min_df or max_features of "
            "TextVectorizer."
        )
        raise ValueError(
            f"The file would have {n_bytes / 2**30:.1f} GiB, but an ONNX file must have less than "
            f"2 GiB. {remedy}"
        )


# Metadata -----------------------------------------------------------------------------


def _metadata(
    vectorizer: TextVectorizer | None,
    classifier: TextCNNClassifier,
    prefixes: list[str],
    omit: Collection[str],
) -> str:
    """Return what a reader needs besides the graph, as JSON."""
    words = classifier.words_ if vectorizer is None else vectorizer.token_table_.words
    reserved = [None] * len(RESERVED_WORDS)
    metadata = {
        "format_version": FORMAT_VERSION,
        "sktextcnn_version": __version__,
        "classes": _labels(classifier.classes_),
        "multilabel": classifier.net_.multilabel,
        "vocabulary": None if words is None else [*reserved, *words[len(reserved) :]],
        "text": _text(vectorizer, prefixes, omit),
    }
    for name, value in metadata.items():
        if json.loads(json.dumps(value)) != value:
            raise ValueError(
                f"The {name} of the model cannot be stored as JSON. Do its words contain halves of "
                f"surrogate pairs? Read texts with errors='replace' before fitting."
            )
    return json.dumps(metadata)


def _labels(classes: np.ndarray) -> list[str | int | float | bool]:
    labels = []
    for label in classes:
        if not isinstance(label, str | int | float | np.integer | np.floating | np.bool_):
            raise TypeError(
                f"classes_ has the label {label!r} of type {type(label).__name__}, but labels in "
                f"an ONNX file must be str, int, float or bool. Fit with str(label)."
            )
        labels.append(label.item() if isinstance(label, np.generic) else label)
    return labels


def _text(
    vectorizer: TextVectorizer | None, prefixes: list[str], omit: Collection[str]
) -> dict[str, Any] | None:
    """Describe how a text becomes ids."""
    unused = {omit} if isinstance(omit, str) else set(omit)
    if vectorizer is None:
        if unused:
            raise ValueError(
                f"omit names {', '.join(sorted(unused))}, but a classifier alone has no functions "
                f"that turn texts into tokens. Leave omit empty."
            )
        return None
    text = describe_analyzer(**vectorizer._analysis())
    text["omitted"] = {}
    for name in _FUNCTIONS:
        function = text[name]
        if not (callable(function) or function in NLTK_TOKENIZERS):
            continue
        full_names = {prefix + name for prefix in prefixes}
        if not full_names & unused:
            full = prefixes[0] + name
            raise TypeError(
                f"{full}={function!r} is a function, which an ONNX file cannot hold. Export with "
                f"omit=[{full!r}]; the program that serves the file must then provide the function."
            )
        unused -= full_names
        text[name] = None
        text["omitted"][name] = _name_of(function)
    if unused:
        raise ValueError(
            f"omit names {', '.join(sorted(unused))}, but only functions that turn texts into "
            f"tokens can be omitted, such as '{prefixes[0]}tokenizer'."
        )
    text["max_length"] = vectorizer.max_length_
    text["padding"], text["truncating"] = vectorizer.padding, vectorizer.truncating
    return text


def _name_of(function: Any) -> str:
    """The full name of a function, for people."""
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
    activation = classifier.net_.plan.network_params["activation"]
    graph, ids, width = graphs.Graph(), "ids", None
    if classifier.words_ is None:
        ids = graphs.known_ids(graph, ids, module.embedding.num_embeddings)
    if isinstance(module, KimCNN):
        features = graphs.kim_features(
            graph,
            ids,
            weights,
            activation,
            stored_products=stored,
            pool_size=module.pool_size,
        )
    else:
        lengths = []
        if vectorizer is None:
            # Padding matters here, and without a vectorizer its side is not known.
            width = classifier.n_features_in_
        else:
            lengths.append((vectorizer.padding, vectorizer.max_length_))
        lengths.append(("post", module.min_length))
        features = graphs.stacked_features(
            graph, ids, weights, activation, pool_size=module.POOL_SIZE, lengths=lengths
        )
    wide = None
    if classifier._wide is not None:
        wide = graphs.wide_logits(graph, "ids", **classifier._wide.described())
    output = graphs.probabilities(
        graph,
        features,
        weights,
        activation,
        multilabel=classifier.net_.multilabel,
        wide=wide,
    )
    return graphs.finish(
        graph,
        output,
        width=width,
        n_classes=len(classifier.classes_),
        metadata={METADATA_KEY: metadata},
    )
