"""save and load: models in a file that holds data only.

The file is a safetensors file. Its tensors are the weights, the word vectors, and the words
as UTF-8 bytes of a JSON list; its metadata are

``format``, ``format_version``
    "sktextcnn" and a number, which grows when older versions could not read the file.
``config``
    JSON: versions, parameters and fitted attributes.
``sha256``
    The digest of the whole file with 64 zeros in this place.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Collection, Mapping
from typing import Any, BinaryIO

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sktextcnn._classifier import TextCNNClassifier
from sktextcnn._network import ARCHITECTURES
from sktextcnn._state import NotPlainError, atomic_write, from_plain, to_plain
from sktextcnn._token_ids import RESERVED_WORDS, TokenTable, words_as_json
from sktextcnn._training import check_stored
from sktextcnn._vectorizer import TextVectorizer
from sktextcnn._vectors import TRAINED, described, description

FORMAT, FORMAT_VERSION = "sktextcnn", 1

# What safetensors allows for a header.
_LONGEST_HEADER = 100_000_000
_NO_DIGEST = "0" * 64

_KINDS: dict[str, type[BaseEstimator]] = {
    "TextVectorizer": TextVectorizer,
    "TextCNNClassifier": TextCNNClassifier,
    "Pipeline": Pipeline,
}


# Saving -------------------------------------------------------------------------------


def save(model: BaseEstimator, path: str | os.PathLike[str], *, omit: Collection[str] = ()) -> None:
    """Save a fitted model in one file that cannot run code when it is loaded.

    Parameters
    ----------
    model : Pipeline, TextVectorizer or TextCNNClassifier
        A fitted model; a Pipeline must be of these two.
    path : str or path-like
        The file, usually named ``*.sktextcnn``. It is replaced when the new one is complete
        on the disk; until then, and on any error, the old one stays.
    omit : collection of str, default=()
        Parameters to leave out, named as in ``model.get_params()``, since they are functions,
        classes or other objects that a file of data cannot hold. `load` asks for them.

    Raises
    ------
    TypeError
        If the model is of another type, or a parameter is no data and not in `omit`.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ValueError
        If `omit` names no parameter.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : The other way.
    export_onnx : A file that predicts without sktextcnn.

    Notes
    -----
    The file holds the weights, the vocabulary, the word vectors of the vectorizer, and the
    parameters; nothing else of the texts, and no state of the optimizer. It is a safetensors
    file that other tools can open.

    Examples
    --------
    >>> import os, tempfile, sktextcnn
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> path = os.path.join(tempfile.mkdtemp(), "model.sktextcnn")
    >>> sktextcnn.save(model.fit(texts, labels), path)
    >>> sktextcnn.load(path).predict(["what a gem"])
    array(['good'], dtype='<U4')
    """
    writer = _Writer(model, omit)
    config = {"model": writer.estimator(model), "tables": writer.tables}
    metadata = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "sha256": _NO_DIGEST,
        "config": json.dumps(config, allow_nan=False),
    }
    from safetensors.numpy import save as serialize

    data = bytearray(serialize(writer.tensors, metadata))
    digest = hashlib.sha256(data).hexdigest()
    place = data.index(_digest_field(_NO_DIGEST))
    data[place : place + len(_digest_field(digest))] = _digest_field(digest)
    with atomic_write(path) as file:
        file.write(data)


def _digest_field(digest: str) -> bytes:
    # Inside of `config` the quotes are escaped, so that this occurs once.
    return f'"sha256":"{digest}"'.encode()


class _Writer:
    """Takes estimators apart into JSON and tensors."""

    def __init__(self, model: Any, omit: Collection[str]) -> None:
        self.omit = {omit} if isinstance(omit, str) else set(omit)
        self.tensors: dict[str, np.ndarray] = {}
        self.tables: list[dict[str, Any]] = []
        self._numbers: dict[str, int] = {}
        _check_kind(model)
        unknown = sorted(self.omit - set(model.get_params()))
        if unknown:
            raise ValueError(
                f"omit names {', '.join(unknown)}, which is no parameter of the model. They are "
                f"named as in model.get_params(), such as 'textvectorizer__tokenizer'."
            )

    def estimator(self, estimator: Any, prefix: str = "") -> dict[str, Any]:
        kind = type(estimator).__name__
        params = {
            name: value
            for name, value in estimator.get_params(deep=False).items()
            if name != "steps"
        }
        described: dict[str, Any] = {
            "kind": kind,
            "params": {name: self._param(prefix, name, value) for name, value in params.items()},
        }
        if isinstance(estimator, Pipeline):
            described["steps"] = [
                [name, self.estimator(step, f"{prefix}{name}__")] for name, step in estimator.steps
            ]
            return described
        check_is_fitted(estimator)
        state = estimator.__getstate__()
        fitted = {name: value for name, value in state.items() if name not in params}
        if "net_" in fitted:
            fitted["net_"] = self._net(fitted["net_"], prefix)
        for name in ("_table", "token_table_"):
            if name in fitted:
                fitted[name] = self._table(fitted[name])
        if "classes_" in fitted:
            fitted["classes_"] = self._plain(fitted["classes_"], f"{prefix}classes_")
        described["fitted"] = {
            name: value if name in ("net_", "classes_") else self._plain(value, name)
            for name, value in fitted.items()
        }
        return described

    def _param(self, prefix: str, name: str, value: Any) -> Any:
        full = prefix + name
        if full in self.omit:
            return {"omitted": full}
        if name == "embeddings" and not (isinstance(value, str) and value in TRAINED):
            file = description(value)
            if file is not None:
                return {"embeddings": file}
        elif name in ("memory", "pretrained") and value is not None:
            raise _refused(full, f"names {value!r:.80}, where a later fit would load pickles from")
        return self._plain(value, full)

    def _plain(self, value: Any, name: str) -> Any:
        try:
            return to_plain(value)
        except NotPlainError as error:
            raise _refused(name, f"is a {error}") from None

    def _net(self, stored: dict[str, Any], prefix: str) -> dict[str, Any]:
        for name, array in stored["weights"].items():
            self.tensors[f"{prefix}{name}"] = array
        architecture = stored["architecture"]
        settings = {
            name: self._param(prefix, name, value) for name, value in stored["settings"].items()
        }
        return {
            **{name: self._plain(stored[name], name) for name in ("module_params", "history")},
            "architecture": self._param(prefix, "architecture", architecture),
            "settings": settings,
            "weights": sorted(stored["weights"]),
            "shared": stored["shared"],
            "frozen": stored["frozen"],
        }

    def _table(self, table: TokenTable | None) -> int | None:
        if table is None:
            return None
        if table.key not in self._numbers:
            number = self._numbers[table.key] = len(self.tables)
            words = words_as_json(table.words)
            self.tensors[f"tables.{number}.words"] = np.frombuffer(words, dtype=np.uint8)
            if table.vectors is not None:
                self.tensors[f"tables.{number}.vectors"] = table.vectors
            self.tables.append({"source": table.source, "has_vectors": table.vectors is not None})
        return self._numbers[table.key]


def _refused(name: str, why: str) -> TypeError:
    return TypeError(
        f"{name} {why}, which a file that runs no code cannot hold. Save with omit=[{name!r}] and "
        f"give it again: load(path, params={{{name!r}: ...}}). Or store the model with joblib."
    )


def _check_kind(model: Any) -> None:
    steps = [step for _, step in model.steps] if type(model) is Pipeline else [model]
    for step in steps:
        if type(step) not in (TextVectorizer, TextCNNClassifier):
            hint = " Save its best_estimator_." if hasattr(step, "best_estimator_") else ""
            raise TypeError(
                f"save takes a TextVectorizer, a TextCNNClassifier, or a Pipeline of them; got "
                f"{type(step).__name__}.{hint} joblib and skops store other models."
            )


# Loading ------------------------------------------------------------------------------


def load(
    path: str | os.PathLike[str], *, params: Mapping[str, Any] | None = None
) -> Pipeline | TextVectorizer | TextCNNClassifier:
    """Load a model that `save` has written.

    Nothing is unpickled, and nothing imported that the file names.

    Parameters
    ----------
    path : str or path-like
        The file.
    params : mapping of str to object, or None, default=None
        The parameters that `save` had to omit, named as there.

    Returns
    -------
    model : Pipeline, TextVectorizer or TextCNNClassifier
        The fitted model, on the CPU; it moves to `device` when it is used.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no file of `save`, is damaged, or comes from a newer format; if an omitted
        parameter is missing in `params`.

    Warns
    -----
    InconsistentVersionWarning
        If it was saved with another version of sktextcnn or scikit-learn.

    See Also
    --------
    save : The other way, with an example.

    Notes
    -----
    The checksum finds damage, not malice: whoever can write the file can make it say what
    they like. They cannot run code, but choose what the model predicts, and how long it
    takes, by the regular expression of its tokens. A word-vector file that it names is read
    only if the model is fitted again, and refused then if it is a pickle.
    """
    name = os.fspath(path)
    if not os.path.exists(name):
        raise FileNotFoundError(f"There is no model file {name!r}.")
    # Opening a pipe would wait for somebody to write to it.
    if not stat.S_ISREG(os.stat(name).st_mode):
        raise ValueError(f"{name!r} is not a file.")
    with open(name, "rb") as file:
        header = _read_header(file, name)
        file.seek(0)
        data = file.read()
    _check_digest(data, header["__metadata__"]["sha256"], name)
    try:
        from safetensors import deserialize

        tensors = {tensor: _array(description) for tensor, description in deserialize(data)}
        config = json.loads(header["__metadata__"]["config"])
        reader = _Reader(config, tensors, dict(params or {}))
        model = reader.estimator(config["model"])
    except _MissingParameterError as error:
        raise ValueError(f"{name!r}: {error}") from None
    except (Warning, MemoryError):
        # A warning of versions that the user has made an error says nothing against the file.
        raise
    except Exception as error:
        remedy = "Save the model again" + (", or look at what params gives." if params else ".")
        raise ValueError(
            f"{name!r} is no valid model file, though its checksum is right "
            f"({type(error).__name__}: {error}). {remedy}"
        ) from error
    reader.check_all_used()
    return model


def _read_header(file: BinaryIO, name: str) -> dict[str, Any]:
    """Read and check the header before anything of the size that it claims is allocated."""
    size = os.fstat(file.fileno()).st_size
    prefix = file.read(8)
    length = int.from_bytes(prefix, "little")
    foreign = (
        f"{name!r} is no model file of sktextcnn.save. If it is a pickle, such as joblib "
        f"writes, and you trust it, use joblib.load."
    )
    if len(prefix) < 8 or length > min(_LONGEST_HEADER, size - 8):
        raise ValueError(foreign + " It may also be truncated.")
    try:
        header = json.loads(file.read(length))
        metadata = header["__metadata__"]
        is_ours = metadata["format"] == FORMAT
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(foreign + " It may also be damaged.") from error
    if not is_ours:
        raise ValueError(foreign)
    version = metadata.get("format_version")
    if version != str(FORMAT_VERSION):
        if isinstance(version, str) and re.fullmatch("[0-9]{1,6}", version):
            raise ValueError(
                f"{name!r} has version {version} of the format, but this sktextcnn knows only "
                f"{FORMAT_VERSION}. Install a newer sktextcnn."
            )
        raise ValueError(f"{name!r} is damaged: it has no version of its format.")
    try:
        ends = [int(tensor["data_offsets"][1]) for key, tensor in header.items() if key[:2] != "__"]
        expected = 8 + length + max(ends, default=0)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ValueError(f"{name!r} is damaged: its header lists no tensors.") from error
    if size != expected:
        what = "truncated" if size < expected else "too long"
        raise ValueError(f"{name!r} is {what}: it has {size:,} bytes instead of {expected:,}.")
    if not isinstance(metadata.get("sha256"), str) or not isinstance(metadata.get("config"), str):
        raise ValueError(f"{name!r} is damaged: its header has no checksum or no parameters.")
    return header


def _check_digest(data: bytes, digest: str, name: str) -> None:
    field, view = _digest_field(digest), memoryview(data)
    place = max(data.find(field), 0)
    found = hashlib.sha256(view[:place])
    found.update(_digest_field(_NO_DIGEST))
    found.update(view[place + len(field) :])
    if found.hexdigest() != digest:
        raise ValueError(
            f"{name!r} is damaged: its checksum does not match. Copy or save it again."
        )


def _array(description: Mapping[str, Any]) -> np.ndarray:
    dtype = {"F32": np.float32, "U8": np.uint8}[description["dtype"]]
    return np.frombuffer(description["data"], dtype=dtype).reshape(description["shape"])


class _MissingParameterError(Exception):
    """A parameter was omitted by `save` and is not given to `load`."""


class _Reader:
    """Puts estimators together again, and believes nothing."""

    def __init__(
        self, config: Mapping[str, Any], tensors: dict[str, np.ndarray], given: dict[str, Any]
    ) -> None:
        self.tensors, self.given = tensors, given
        self._used: set[str] = set()
        self.tables = [self._table(i, **table) for i, table in enumerate(config["tables"])]

    def estimator(self, described: Mapping[str, Any], prefix: str = "") -> Any:
        kind = _KINDS[described["kind"]]
        params = {name: self._param(name, value) for name, value in described["params"].items()}
        if kind is Pipeline:
            if prefix:
                raise ValueError("a Pipeline in a Pipeline")
            params["steps"] = [
                (name, self.estimator(step, f"{name}__")) for name, step in described["steps"]
            ]
            if not params["steps"]:
                raise ValueError("a Pipeline without steps")
            return Pipeline(**params)
        estimator = kind(**params)
        estimator._validate_params()
        fitted = dict(described["fitted"])
        state = (
            self._vectorizer(**fitted)
            if kind is TextVectorizer
            else self._classifier(fitted, prefix)
        )
        estimator.__setstate__({**estimator.get_params(deep=False), **state})
        return estimator

    def check_all_used(self) -> None:
        unused = sorted(set(self.given) - self._used)
        if unused:
            raise ValueError(f"params has {', '.join(unused)}, which the file did not omit.")

    def _param(self, name: str, value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"omitted"}:
            full = value["omitted"]
            if full not in self.given:
                raise _MissingParameterError(
                    f"{full} was omitted by save; give it: load(path, params={{{full!r}: ...}})."
                )
            self._used.add(full)
            return self.given[full]
        if isinstance(value, dict) and set(value) == {"embeddings"}:
            return described(**_strings(value["embeddings"], "name", "path", "encoding"))
        value = from_plain(value)
        if name in ("memory", "pretrained") and value is not None:
            raise ValueError(f"{name} is never stored")
        return value

    def _table(self, number: int, source: str | None, has_vectors: bool) -> TokenTable:
        words = json.loads(self.tensors.pop(f"tables.{number}.words").tobytes())
        if not all(isinstance(word, str) for word in words) or len(set(words)) != len(words):
            raise ValueError("words are no list of different str")
        if tuple(words[: len(RESERVED_WORDS)]) != RESERVED_WORDS:
            raise ValueError("the first words are not those for padding and unknown words")
        vectors = None
        if has_vectors:
            vectors = self.tensors.pop(f"tables.{number}.vectors")
            if vectors.ndim != 2 or len(vectors) != len(words) or vectors.dtype != np.float32:
                raise ValueError("the word vectors do not belong to the words")
            if not np.isfinite(vectors).all() or vectors[0].any():
                raise ValueError("the word vectors are not finite, or padding has one")
        return TokenTable(words, vectors, source)

    def _vectorizer(
        self,
        token_table_: int,
        max_length_: int,
        truncated_fraction_: float,
        coverage_: Any,
        **versions: str,
    ) -> dict[str, Any]:
        if _an_int("max_length_", max_length_) < 1:
            raise ValueError(f"max_length_ is {max_length_!r:.80}")
        return {
            "token_table_": self.tables[token_table_],
            "max_length_": max_length_,
            "truncated_fraction_": float(truncated_fraction_),
            "coverage_": from_plain(coverage_),
            **_strings(versions, "_sktextcnn_version", "_sklearn_version"),
        }

    def _classifier(self, fitted: dict[str, Any], prefix: str) -> dict[str, Any]:
        classes = from_plain(fitted["classes_"])
        number = fitted["_table"]
        table = None if number is None else self.tables[number]
        state: dict[str, Any] = {
            "classes_": classes,
            "_table": table,
            "net_": self._net(fitted["net_"], prefix),
            **_strings(fitted, "embedding_source_", "_sktextcnn_version", "_sklearn_version"),
        }
        for name in ("n_iter_", "_seed", "n_features_in_"):
            state[name] = _an_int(name, fitted[name])
        if "feature_names_in_" in fitted:
            state["feature_names_in_"] = from_plain(fitted["feature_names_in_"])
        if set(fitted) != set(state):
            raise ValueError(f"unexpected {sorted(set(fitted) ^ set(state))}")
        if not isinstance(classes, np.ndarray) or len(classes) < 1:
            raise ValueError("the classes are no array")
        check_stored(state["net_"], table, len(classes))
        return state

    def _net(self, stored: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        settings = {name: self._param(name, value) for name, value in stored["settings"].items()}
        params = {k: v for k, v in settings.items() if k not in ("multilabel", "patience")}
        TextCNNClassifier(**params)._validate_params()
        if not isinstance(settings["multilabel"], bool):
            raise ValueError("multilabel is no bool")
        if settings["patience"] is not None:
            _an_int("patience", settings["patience"])
        architecture = self._param("architecture", stored["architecture"])
        if isinstance(architecture, str) and architecture not in ARCHITECTURES:
            raise ValueError(f"there is no architecture {architecture!r:.80}")
        return {
            "architecture": architecture,
            "module_params": from_plain(stored["module_params"]),
            "settings": settings,
            "weights": {name: self.tensors[prefix + name] for name in stored["weights"]},
            "shared": stored["shared"],
            "frozen": stored["frozen"],
            "history": from_plain(stored["history"]),
        }


def _strings(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Those values, which must be str, or None for a path."""
    chosen = {name: values[name] for name in names}
    for name, value in chosen.items():
        if not isinstance(value, str) and not (name == "path" and value is None):
            raise ValueError(f"{name} is no str")
    return chosen


def _an_int(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} is {value!r:.80}")
    return value
