"""The networks as ONNX graphs. This module uses NumPy and onnx only.

A graph maps the input "ids", int32 of shape (texts, tokens), to the output "probabilities",
float32 of shape (texts, classes).

Shapes: B texts, T tokens, W windows, U words, D numbers in a word vector, F filters of a kernel
of k words, K the sum of all k.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sktextcnn._token_ids import PADDING_ID, UNKNOWN_ID

# The oldest opset with all operators that are used here; onnxruntime supports it since 1.7.
OPSET, IR_VERSION = 13, 7

Weights = Mapping[str, np.ndarray]
Array = np.ndarray | np.generic
# An input of an operator: the name of another operator's output, or a constant.
Value = str | Array

_TO_THE_END = np.iinfo(np.int64).max


class Graph:
    """A graph under construction. Calling it adds an operator.

    Attributes
    ----------
    nodes : list of NodeProto
    constants : dict of str to TensorProto
    """

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def __call__(self, operator: str, *inputs: Value, **attributes: Any) -> str:
        """Add an operator with one output, and return the name of the output."""
        return self.add(operator, *inputs, **attributes)[0]

    def add(
        self,
        operator: str,
        *inputs: Value,
        n_outputs: int = 1,
        **attributes: Any,
    ) -> list[str]:
        """Add an operator, and return the names of its outputs; input arrays become constants."""
        names = [name if isinstance(name, str) else self._constant(name) for name in inputs]
        outputs = [f"{operator}_{len(self.nodes)}_{i}" for i in range(n_outputs)]
        self.nodes.append(helper.make_node(operator, names, outputs, **attributes))
        return outputs

    def constant(self, name: str, value: Array) -> str:
        """Add a constant with a name of its own."""
        self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def _constant(self, value: Array) -> str:
        return self.constant(f"constant_{len(self.constants)}", value)


def kim_features(
    graph: Graph,
    ids: str,
    weights: Weights,
    activation: str,
    *,
    stored_products: bool,
    pool_size: int | None,
) -> str:
    """Add ``KimCNN.features``: look-ups of the products of words with the kernels, and maxima.

    Parameters
    ----------
    graph : Graph
        The graph to add to.
    ids : str
        Name of the token ids, (B, T).
    weights : mapping of str to ndarray
        The state of a KimCNN.
    activation : str
        A key of the network's ``ACTIVATIONS``.
    stored_products : bool
        Whether the graph contains the products of all words, or computes those of the words that
        occur in a call.
    pool_size : int or None
        The number of tokens that a maximum is over at most.

    Returns
    -------
    str
        Name of the features, (B, F * number of kernels).
    """
    if pool_size is None:
        return _pooled(graph, ids, weights, activation, stored_products)
    regions, share = _regions(graph, ids, pool_size)
    of_regions = _pooled(graph, regions, weights, activation, stored_products)
    n_features = sum(len(bias) for bias in _convolutions(weights)[1])
    shape = graph("Concat", _n_texts(graph, ids), _ints(-1, n_features), axis=0)
    parts = graph("Mul", graph("Reshape", of_regions, shape), share)
    return graph("ReduceSum", parts, _ints(1), keepdims=0)


def _regions(graph: Graph, ids: str, pool_size: int) -> tuple[str, str]:
    """Add the division of texts into regions, as in KimCNN.

    Returns
    -------
    regions : str
        The ids of each region, (B * regions of a text, tokens of a region).
    share : str
        Its share of the tokens of its text, (B, regions of a text, 1).
    """
    n_tokens = graph("Gather", graph("Shape", ids), _ints(1))  # (1,)
    size = graph("Min", _ints(pool_size), n_tokens)
    present = graph("Cast", graph("Cast", ids, to=TensorProto.BOOL), to=TensorProto.INT32)
    first = graph("ArgMax", present, axis=1, keepdims=1)
    length = graph("Squeeze", n_tokens)
    column = graph("Add", graph("Range", np.int64(0), length, np.int64(1)), first)
    at = graph("Min", column, graph("Sub", n_tokens, _ints(1)))
    shifted = graph("GatherElements", ids, at, axis=1)
    shifted = graph("Where", graph("Less", column, n_tokens), shifted, np.int32(PADDING_ID))
    missing = graph("Mod", graph("Sub", size, graph("Mod", n_tokens, size)), size)
    padded = graph("Pad", shifted, graph("Concat", _ints(0, 0, 0), missing, axis=0))
    regions = graph("Reshape", padded, graph("Concat", _ints(-1), size, axis=0))
    known = graph("Cast", graph("Cast", regions, to=TensorProto.BOOL), to=TensorProto.FLOAT)
    counts = graph("ReduceSum", known, _ints(1), keepdims=1)
    shape = graph("Concat", _n_texts(graph, ids), _ints(-1, 1), axis=0)
    counts = graph("Reshape", counts, shape)
    # All regions of a text without tokens are alike.
    total = graph("ReduceSum", counts, _ints(1), keepdims=1)
    none = graph("Cast", graph("Equal", total, np.float32(0)), to=TensorProto.FLOAT)
    counts = graph("Add", counts, none)
    return regions, graph("Div", counts, graph("ReduceSum", counts, _ints(1), keepdims=1))


def _n_texts(graph: Graph, ids: str) -> str:
    return graph("Gather", graph("Shape", ids), _ints(0))


def _pooled(
    graph: Graph, ids: str, weights: Weights, activation: str, stored_products: bool
) -> str:
    """Add the activations of the maxima over all windows of each row of ids."""
    vectors = _vectors(weights)
    kernels, biases = _convolutions(weights)
    n_places = sum(kernel.shape[2] for kernel in kernels)
    if stored_products:
        rows = ids
        table = graph.constant("products", products(vectors, kernels))
        last = graph.constant("last_product", np.int32(len(vectors) * n_places))
    else:
        rows, table, last = _products_of_call(graph, ids, vectors, kernels)
    # In a text without tokens all windows count, though none touches a token.
    has_tokens = graph("Cast", graph("ReduceMax", rows, axes=[1]), to=TensorProto.BOOL)  # (B, 1)
    first_products = graph("Mul", rows, np.int32(n_places))  # (B, T), of each token
    pooled, place = [], 0
    for kernel in kernels:
        size = kernel.shape[2]
        padded = graph("Pad", first_products, _ints(0, size - 1, 0, size - 1))
        # The token at each place of the windows; (B, W) each.
        seen = [
            graph("Slice", padded, _ints(j), _ints(j - size + 1 or _TO_THE_END), _ints(1))
            for j in range(size)
        ]
        index = [graph("Add", first, np.int32(place + j)) for j, first in enumerate(seen)]
        # Windows that touch no token get -inf, so that they never win the maximum.
        untouched = graph("Equal", graph("Max", *seen), np.int32(0))
        index[0] = graph("Where", graph("And", untouched, has_tokens), last, index[0])
        sums = graph("Sum", *(graph("Gather", table, at) for at in index))  # (B, W, F)
        pooled.append(graph("ReduceMax", sums, axes=[1], keepdims=0))
        place += size
    features = graph("Add", graph("Concat", *pooled, axis=1), np.concatenate(biases))
    return _activate(graph, activation, features)


def _products_of_call(
    graph: Graph, ids: str, vectors: np.ndarray, kernels: list[np.ndarray]
) -> tuple[str, str, str]:
    """Add what :func:`products` returns, for the distinct words of a call.

    Returns
    -------
    rows : str
        The index of each token among the distinct words, (B, T). Index 0 is padding, whether it
        occurs or not.
    table : str
        Products, (U * K + 1, F).
    last : str
        The index of the last row of the table.
    """
    flat = graph("Cast", graph("Reshape", ids, _ints(-1)), to=TensorProto.INT64)
    with_padding = graph("Concat", _ints(PADDING_ID), flat, axis=0)
    words, _, inverse, _ = graph.add("Unique", with_padding, n_outputs=4, sorted=1)
    inverse = graph("Slice", inverse, _ints(1), _ints(_TO_THE_END))
    rows = graph("Cast", graph("Reshape", inverse, graph("Shape", ids)), to=TensorProto.INT32)
    found = graph("Gather", graph.constant("vectors", vectors), words)  # (U, D)
    # (D, K, F)
    matrix = np.concatenate([kernel.transpose(1, 2, 0) for kernel in kernels], axis=1)
    made = graph("MatMul", found, matrix.reshape(len(matrix), -1))
    made = graph("Reshape", made, _ints(-1, matrix.shape[2]))  # (U * K, F)
    n_made = graph("Gather", graph("Shape", made), np.int64(0))
    table = graph("Concat", made, np.full((1, matrix.shape[2]), -np.inf, np.float32), axis=0)
    return rows, table, graph("Cast", n_made, to=TensorProto.INT32)


def products(vectors: np.ndarray, kernels: list[np.ndarray]) -> np.ndarray:
    """Multiply the vectors of all words with every place of every kernel.

    Parameters
    ----------
    vectors : ndarray of shape (U, D)
    kernels : list of ndarray of shape (F, D, k)

    Returns
    -------
    ndarray of shape (U * K + 1, F), float32
        The products of a word are in consecutive rows. The last row is -inf.
    """
    n_filters = kernels[0].shape[0]
    n_places = sum(kernel.shape[2] for kernel in kernels)
    table = np.empty((len(vectors) * n_places + 1, n_filters), dtype=np.float32)
    table[-1] = -np.inf
    by_word = table[:-1].reshape(len(vectors), n_places, n_filters)
    # In double precision, so that only the stored products are rounded.
    exact = vectors.astype(np.float64)
    places = (kernel[:, :, j] for kernel in kernels for j in range(kernel.shape[2]))
    for place, kernel_at in enumerate(places):
        by_word[:, place] = exact @ kernel_at.T.astype(np.float64)
    return table


def stacked_features(
    graph: Graph,
    ids: str,
    weights: Weights,
    activation: str,
    *,
    pool_size: int,
    lengths: Sequence[tuple[str, int]],
) -> str:
    """Add ``StackedCNN.features``: convolutions with max pooling between them.

    Parameters
    ----------
    graph, ids, weights, activation
        As for :func:`kim_features`, of a StackedCNN.
    pool_size : int
        Size of the max pooling between convolutions.
    lengths : sequence of tuple of {"pre", "post"} and int
        The side on which texts are padded and the length that they are padded to, for each
        padding in turn.

    Returns
    -------
    str
        Name of the features, (B, F).
    """
    for side, length in lengths:
        ids = _pad_ids(graph, ids, side, length)
    found = graph("Gather", graph.constant("vectors", _vectors(weights)), ids)
    hidden = graph("Transpose", found, perm=[0, 2, 1])  # (B, D, T)
    for i, (kernel, bias) in enumerate(zip(*_convolutions(weights), strict=True)):
        if i > 0:
            hidden = graph("MaxPool", hidden, kernel_shape=[pool_size], strides=[pool_size])
        hidden = _activate(graph, activation, graph("Conv", hidden, kernel, bias))
    return graph("ReduceMax", hidden, axes=[2], keepdims=0)


def wide_logits(
    graph: Graph,
    ids: str,
    *,
    words: np.ndarray,
    pairs: np.ndarray,
    idf: np.ndarray,
    coef: np.ndarray,
    intercept: np.ndarray,
) -> str:
    """Add the logits of a wide part; (B, number of classes).

    Parameters
    ----------
    graph, ids
        As for :func:`kim_features`.
    words : ndarray of shape (n_words,)
        The ids of its words.
    pairs : ndarray of shape (n_pairs, 2)
        The ids of its pairs.
    idf : ndarray of shape (n_words + n_pairs,), float32
        Inverse document frequencies, of the words first.
    coef : ndarray of shape (n_words + n_pairs, number of classes), float32
        Weights.
    intercept : ndarray of shape (number of classes,), float32
        What is added for each text.
    """
    if not len(idf):
        # A sum over no n-gram, for as many texts as there are.
        zeros = graph("Mul", graph("Cast", ids, to=TensorProto.FLOAT), np.float32(0))
        return graph("Add", graph("ReduceSum", zeros, _ints(1), keepdims=1), intercept)
    counts = graph(
        "TfIdfVectorizer",
        ids,
        mode="TF",
        min_gram_length=1,
        max_gram_length=2,
        max_skip_count=0,
        ngram_counts=[0, len(words)],
        ngram_indexes=np.arange(len(idf)),
        pool_int64s=np.concatenate([words, pairs.ravel()]),
    )
    one = np.float32(1)
    logs = graph("Add", graph("Log", graph("Max", counts, one)), one)
    frequencies = graph("Mul", logs, graph("Min", counts, one))
    values = graph("Mul", frequencies, graph.constant("wide_idf", idf))
    norms = graph("ReduceL2", values, axes=[1], keepdims=1)
    # A text without n-grams has none but zeros.
    values = graph("Div", values, graph("Max", norms, np.float32(1e-30)))
    return graph("Gemm", values, graph.constant("wide_coef", coef), intercept)


def probabilities(
    graph: Graph,
    features: str,
    weights: Weights,
    activation: str,
    *,
    multilabel: bool,
    wide: str | None = None,
) -> str:
    """Add the head, the logits of the wide part, and softmax or the logistic function.

    Returns
    -------
    str
        Name of the probabilities, (B, number of classes).
    """
    layers = [name[: -len(".weight")] for name in weights if _is_of(name, "head.", ".weight")]
    outputs = features
    for i, layer in enumerate(layers):
        if i > 0:
            outputs = _activate(graph, activation, outputs)
        weight, bias = weights[f"{layer}.weight"], weights[f"{layer}.bias"]
        outputs = graph("Gemm", outputs, weight, bias, transB=1)
    if wide is not None:
        outputs = graph("Add", outputs, wide)
    return graph("Sigmoid", outputs) if multilabel else graph("Softmax", outputs, axis=1)


def known_ids(graph: Graph, ids: str, n_ids: int) -> str:
    """Replace ids outside of the vocabulary by that of the unknown word."""
    known = graph("Less", ids, np.int32(n_ids))
    return graph("Where", known, ids, np.int32(UNKNOWN_ID))


def finish(
    graph: Graph, output: str, *, width: int | None, n_classes: int, metadata: Mapping[str, str]
) -> onnx.ModelProto:
    """Make a checked model of a graph.

    Parameters
    ----------
    graph : Graph
        From the input "ids".
    output : str
        Name of the probabilities.
    width : int or None
        The number of tokens that a row of ids must have; None for any number.
    n_classes : int
        Width of the output.
    metadata : mapping of str to str
        The metadata of the file.
    """
    graph.nodes.append(helper.make_node("Identity", [output], ["probabilities"]))
    ids = helper.make_tensor_value_info("ids", TensorProto.INT32, ["texts", width or "tokens"])
    outputs = helper.make_tensor_value_info(
        "probabilities", TensorProto.FLOAT, ["texts", n_classes]
    )
    model = helper.make_model(
        helper.make_graph(
            graph.nodes, "text_cnn", [ids], [outputs], list(graph.constants.values())
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="sktextcnn",
    )
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    return model


def _ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def _is_of(name: str, begin: str, end: str) -> bool:
    return name.startswith(begin) and name.endswith(end)


def _vectors(weights: Weights) -> np.ndarray:
    vectors, static = weights["embedding.weight"], weights.get("embedding.static")
    # The convolution of both channels is that of their sum.
    return vectors if static is None else vectors + static


def _convolutions(weights: Weights) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The kernels, (F, D, k) each, and the biases, (F,) each."""
    kernels = [value for name, value in weights.items() if _is_of(name, "convs.", ".weight")]
    biases = [value for name, value in weights.items() if _is_of(name, "convs.", ".bias")]
    return kernels, biases


def _pad_ids(graph: Graph, ids: str, side: str, length: int) -> str:
    n_tokens = graph("Gather", graph("Shape", ids), _ints(1))
    missing = graph("Max", graph("Sub", _ints(length), n_tokens), _ints(0))
    before, after = (missing, _ints(0)) if side == "pre" else (_ints(0), missing)
    return graph("Pad", ids, graph("Concat", _ints(0), before, _ints(0), after, axis=0))


_OPERATORS = {
    "relu": "Relu",
    "tanh": "Tanh",
    "elu": "Elu",
    "leaky_relu": "LeakyRelu",
    "sigmoid": "Sigmoid",
}


def _activate(graph: Graph, activation: str, values: str) -> str:
    if activation == "identity":
        return values
    if activation == "gelu":
        # ONNX has an operator for it only since opset 20.
        half = np.float32(0.5)
        erf = graph("Erf", graph("Mul", values, np.sqrt(half)))
        return graph("Mul", graph("Mul", values, half), graph("Add", erf, np.float32(1)))
    return graph(_OPERATORS[activation], values)
