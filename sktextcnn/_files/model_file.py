"""save and load: models in a file that holds data only."""

import os
import warnings
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sktextcnn._classifier import TextCNNClassifier
from sktextcnn._network import ARCHITECTURES
from sktextcnn._pipeline import are_our_two, inference_steps, part_to_pass
from sktextcnn._state import (
    Container,
    ContainerWriter,
    NotPlainError,
    check_versions,
    from_plain,
    to_plain,
    versions,
)
from sktextcnn._training import SETTINGS, check_card, check_stored
from sktextcnn._vectorizer import TextVectorizer
from sktextcnn._vectors import (
    TRAINED,
    as_embeddings,
    embeddings_config,
    embeddings_from_config,
    list_sources,
)
from sktextcnn._wide import check_arrays

_KINDS: dict[str, type[BaseEstimator]] = {
    "TextVectorizer": TextVectorizer,
    "TextCNNClassifier": TextCNNClassifier,
    "Pipeline": Pipeline,
}


# Parameters that belong to a session rather than to the model.
_NOT_STORED: dict[type[BaseEstimator], tuple[str, ...]] = {
    TextVectorizer: ("verbose",),
    TextCNNClassifier: ("verbose",),
    Pipeline: (),
}

# Saving -------------------------------------------------------------------------------


def save(model: BaseEstimator, path: str | os.PathLike[str], *, omit: Collection[str] = ()) -> None:
    """Save a fitted model in one file that cannot run code when it is loaded.

    Parameters
    ----------
    model : Pipeline, TextVectorizer or TextCNNClassifier
        A fitted model. A Pipeline must consist of these two estimators. It may be one of
        imbalanced-learn, or have inner Pipelines: the file has the two steps, without samplers,
        "passthrough", and the parameters of the other Pipelines.
    path : str or path-like
        The file, usually named ``*.sktextcnn``. An existing file is replaced when the new one is
        complete on the disk. Until then, and on any error, the existing file stays.
    omit : collection of str, default=()
        Parameters to leave out because they are functions, classes or other objects that a file
        of data cannot hold. They are named as in ``model.get_params()``, and must be passed to
        `load`.

    Raises
    ------
    TypeError
        If the model is of another type, or a parameter is not data and not in `omit`.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ValueError
        If `omit` has a name that is not a parameter, or `card_` is not JSON data.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : Load the file.
    export_onnx : Write a file that predicts without sktextcnn.

    Notes
    -----
    The file holds the weights, the vocabulary, the word vectors of the vectorizer, the parameters
    except `verbose`, the requests of metadata routing, the history of training, and the model card
    (`card_`). It holds nothing else of the texts, no state of the optimizer, and no attribute that
    other tools have set. It is a safetensors file that other tools can open.

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
    model = _storable(model)
    writer = _Writer(model, omit)
    described_model = writer.estimator(model)
    writer.check_all_omitted()
    for name, kind in writer.left_out.items():
        warnings.warn(
            f"history_ has the entry {name!r} of type {kind}, which cannot be stored as data. It "
            f"is left out.",
            UserWarning,
            stacklevel=2,
        )
    writer.container.write(path, described_model)


class _Writer:
    """Takes estimators apart into JSON and tensors."""

    def __init__(self, model: Any, omit: Collection[str]) -> None:
        self.omit = {omit} if isinstance(omit, str) else set(omit)
        self.container = ContainerWriter()
        # Entries of the history that are not data, and their types.
        self.left_out: dict[str, str] = {}
        self._omitted: set[str] = set()

    def check_all_omitted(self) -> None:
        unknown = sorted(self.omit - self._omitted)
        if unknown:
            raise ValueError(
                f"omit names {', '.join(unknown)}, which is not a parameter that is stored. They "
                f"are named as in model.get_params(), such as 'textvectorizer__tokenizer'."
            )

    def estimator(self, estimator: Any, prefix: str = "") -> dict[str, Any]:
        params = {
            name: value
            for name, value in estimator.get_params(deep=False).items()
            if name not in ("steps", *_NOT_STORED[type(estimator)])
        }
        described: dict[str, Any] = {
            "kind": type(estimator).__name__,
            "params": {name: self._param(prefix, name, value) for name, value in params.items()},
        }
        if isinstance(estimator, Pipeline):
            described["steps"] = [
                [name, self.estimator(step, f"{prefix}{name}__")] for name, step in estimator.steps
            ]
            return described
        check_is_fitted(estimator)
        state = estimator._fitted_state()
        card = state.pop("card_", None)
        described["fitted"] = {
            **{name: self._fitted(name, value, prefix) for name, value in state.items()},
            **versions(),
        }
        if card is not None:
            # Beside what is fitted, where versions that do not know it leave it alone.
            try:
                described["card"] = check_card(card, len(estimator.classes_))
            except ValueError as error:
                raise ValueError(f"{prefix}card_ cannot be stored: {error}.") from None
        requests = _metadata_requests(estimator)
        if requests:
            described["requests"] = requests
        return described

    def _fitted(self, name: str, value: Any, prefix: str) -> Any:
        if name == "net_":
            return self._net(value, prefix)
        if name == "_wide":
            return self._wide(value, prefix)
        if name in ("_table", "token_table_"):
            return self.container.add_table(value)
        try:
            return to_plain(value)
        except NotPlainError as error:
            raise TypeError(
                f"{prefix}{name} holds {error}, which a file that runs no code cannot hold. Fit "
                f"with labels that are str, numbers, bools or dates, or store the model with "
                f"joblib."
            ) from None

    def _param(self, prefix: str, name: str, value: Any) -> Any:
        full = prefix + name
        if full in self.omit:
            self._omitted.add(full)
            return {"omitted": full}
        if name == "embeddings" and value is not None and not _is_trained(value):
            sources = [self._source(full, source) for source in list_sources(value)]
            # A source is described by a dict or a str, so a list is a list of sources.
            return {"embeddings": sources if isinstance(value, list | tuple) else sources[0]}
        elif name in ("memory", "pretrained") and value is not None:
            raise _refused(full, f"names {value!r:.80}, where a later fit would load pickles from")
        return self._plain(value, full)

    def _source(self, name: str, source: Any) -> Any:
        """Describe where word vectors are from."""
        if _is_trained(source):
            return source
        file = embeddings_config(source)
        if file is None and callable(getattr(source, "word", None)):
            raise _refused(name, f"has a function as `word`, {as_embeddings(source)!r}")
        if file is None:
            # By its handle, since vectors in memory may be written as megabytes.
            raise _refused(name, f"is a source in memory, {as_embeddings(source)!r}")
        return file

    def _plain(self, value: Any, name: str) -> Any:
        try:
            return to_plain(value)
        except NotPlainError as error:
            raise _refused(name, f"is a {error}") from None

    def _epoch(self, epoch: Mapping[str, Any]) -> Any:
        """What callbacks have recorded of an epoch, without objects that are not data."""
        kept = []
        for name, value in epoch.items():
            try:
                kept.append([name, to_plain(value)])
            except (NotPlainError, RecursionError):
                self.left_out[name] = type(value).__name__
        return {"dict": kept}

    def _wide(self, arrays: dict[str, np.ndarray] | None, prefix: str) -> list[str] | None:
        """Add the arrays of the wide part; returns their names, or None if there are none."""
        if arrays is None:
            return None
        for name, array in arrays.items():
            self.container.tensors[f"{prefix}wide.{name}"] = array
        return sorted(arrays)

    def _net(self, stored: dict[str, Any], prefix: str) -> dict[str, Any]:
        for name, array in stored["weights"].items():
            self.container.tensors[f"{prefix}{name}"] = array
        return {
            "module_params": self._plain(stored["module_params"], f"{prefix}architecture"),
            "history": [self._epoch(epoch) for epoch in stored["history"]],
            "architecture": self._param(prefix, "architecture", stored["architecture"]),
            "settings": {
                name: self._param(prefix, name, value) for name, value in stored["settings"].items()
            },
            "weights": sorted(stored["weights"]),
            "shared": stored["shared"],
            "frozen": stored["frozen"],
        }


def _metadata_requests(estimator: Any) -> dict[str, dict[str, Any]]:
    """Return the requests of metadata that were set on an estimator, by method."""
    ours = estimator.get_metadata_routing()
    default = type(estimator)().get_metadata_routing()
    found = {}
    for method in _requesting_methods(estimator):
        before = getattr(default, method).requests
        requests = getattr(ours, method).requests
        changed = {name: value for name, value in requests.items() if value != before.get(name)}
        if changed:
            found[method] = changed
    return found


def _requesting_methods(estimator: Any) -> list[str]:
    names = (name for name in dir(type(estimator)) if name.startswith("set_"))
    return [name[4:-8] for name in names if name.endswith("_request")]


def _refused(name: str, why: str) -> TypeError:
    return TypeError(
        f"{name} {why}, which a file that runs no code cannot hold. Save with omit=[{name!r}] and "
        f"give it again: load(path, params={{{name!r}: ...}}). Or store the model with joblib."
    )


def _storable(model: Any) -> Pipeline | TextVectorizer | TextCNNClassifier:
    """Return the model, or a Pipeline of those steps that act in a prediction."""
    steps = [step for _, step in model.steps] if type(model) is Pipeline else [model]
    ours = (TextVectorizer, TextCNNClassifier)
    if all(type(step) in ours for step in steps):
        return model
    found = inference_steps(model)
    if are_our_two(found):
        names = [step.path[-1] for step in found]
        if names[0] == names[1]:
            names = ["textvectorizer", "textcnnclassifier"]
        return Pipeline([(name, step.estimator) for name, step in zip(names, found, strict=True)])
    other = next(
        step for step in (*(each.estimator for each in found), *steps) if type(step) not in ours
    )
    hint = part_to_pass(found, "model")
    if hasattr(other, "best_estimator_"):
        hint = " Save its best_estimator_."
    raise TypeError(
        f"save takes a TextVectorizer, a TextCNNClassifier, or a Pipeline of them; got "
        f"{type(other).__name__}.{hint} joblib and skops store other models."
    )


# Loading ------------------------------------------------------------------------------


def load(
    path: str | os.PathLike[str], *, params: Mapping[str, Any] | None = None
) -> Pipeline | TextVectorizer | TextCNNClassifier:
    """Load a model from a file that `save` has written.

    Nothing is unpickled, and no module that the file names is imported.

    Parameters
    ----------
    path : str or path-like
        The file.
    params : mapping of str to object, or None, default=None
        The parameters that `save` has omitted, by the same names.

    Returns
    -------
    model : Pipeline, TextVectorizer or TextCNNClassifier
        The fitted model. Its network is on the CPU and moves to `device` when it is used.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file was not written by `save`, is damaged, or has a newer format; if a parameter
        that was omitted is missing in `params`.

    Warns
    -----
    InconsistentVersionWarning
        If it was saved with another version of sktextcnn or scikit-learn.

    See Also
    --------
    save : Save a model, with an example.

    Notes
    -----
    The checksum finds damage, not manipulation. Whoever can write the file cannot run code, but
    decides what the model predicts and, by the regular expression for tokens, how long it takes.
    A file of word vectors that the model file names is read only if the model is fitted again,
    and is refused if it is a pickle.

    Examples
    --------
    >>> import os, tempfile, sktextcnn
    >>> path = os.path.join(tempfile.mkdtemp(), "vectorizer.sktextcnn")
    >>> sktextcnn.save(sktextcnn.TextVectorizer().fit(["a gem", "so dull"]), path)
    >>> sktextcnn.load(path).transform(["a gem"]).tolist()
    [[2, 4]]
    """
    container = Container(path)
    given = dict(params or {})
    reader = _Reader(container, given)
    try:
        with container.content_errors(", or look at what params gives" if given else ""):
            model = reader.estimator(container.model)
    except ValueError as error:
        if isinstance(error.__cause__, _MissingParameterError):
            raise ValueError(f"{container.path!r}: {error.__cause__}") from None
        raise
    reader.check_all_used()
    return model


class _MissingParameterError(Exception):
    """A parameter was omitted by `save` and is not passed to `load`."""


class _Reader:
    """Puts estimators together again, and validates everything that it reads."""

    def __init__(self, container: Container, given: dict[str, Any]) -> None:
        self.container, self.given = container, given
        self._used: set[str] = set()

    def estimator(self, described: Mapping[str, Any], prefix: str = "") -> Any:
        kind = _KINDS[described["kind"]]
        params = {
            name: self._param(name, value)
            for name, value in described["params"].items()
            if name not in _NOT_STORED[kind]
        }
        if kind is Pipeline:
            if prefix:
                raise ValueError("a Pipeline in a Pipeline")
            params["steps"] = [
                (name, self.estimator(step, f"{name}__")) for name, step in described["steps"]
            ]
            if not params["steps"]:
                raise ValueError("a Pipeline without steps")
            return Pipeline(**params)
        estimator = kind(**{**getattr(kind, "_params_of_before", {}), **params})
        estimator._validate_params()
        fitted = dict(described["fitted"])
        _strings(fitted, *versions())
        fitted = check_versions(described["kind"], fitted)
        if kind is TextVectorizer:
            state = self._vectorizer(**fitted)
        else:
            state = self._classifier(fitted, prefix)
            if "card" in described:
                state["card_"] = check_card(described["card"], len(state["classes_"]))
        estimator._set_fitted_state(state)
        _set_metadata_requests(estimator, described.get("requests", {}))
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
            value = value["embeddings"]
            return [_source(each) for each in value] if isinstance(value, list) else _source(value)
        value = from_plain(value)
        # Any other string would be read as a path, and the file might be a pickle.
        if name == "embeddings" and value is not None and not _is_trained(value):
            raise ValueError("the word vectors are not described")
        if name in ("memory", "pretrained") and value is not None:
            raise ValueError(f"{name} is never stored")
        return value

    def _vectorizer(
        self,
        token_table_: int,
        max_length_: int,
        truncated_fraction_: float,
        coverage_: Any,
        max_undercount_: int = 0,
    ) -> dict[str, Any]:
        if _an_int("max_length_", max_length_) < 1:
            raise ValueError(f"max_length_ is {max_length_!r:.80}")
        return {
            "token_table_": self.container.table(token_table_),
            "max_length_": max_length_,
            "truncated_fraction_": float(truncated_fraction_),
            "coverage_": from_plain(coverage_),
            "max_undercount_": _an_int("max_undercount_", max_undercount_),
        }

    def _classifier(self, fitted: dict[str, Any], prefix: str) -> dict[str, Any]:
        classes = from_plain(fitted["classes_"])
        table = self.container.table(fitted["_table"])
        state: dict[str, Any] = {
            "classes_": classes,
            "_table": table,
            "net_": self._net(fitted["net_"], prefix),
            **_strings(fitted, "embedding_source_"),
        }
        if "_wide" in fitted:
            state["_wide"] = self._wide(fitted["_wide"], prefix)
        for name in ("n_iter_", "_seed", "n_features_in_"):
            state[name] = _an_int(name, fitted[name])
        if "feature_names_in_" in fitted:
            state["feature_names_in_"] = from_plain(fitted["feature_names_in_"])
        if set(fitted) != set(state):
            raise ValueError(f"unexpected {sorted(set(fitted) ^ set(state))}")
        if not isinstance(classes, np.ndarray) or classes.ndim != 1 or len(classes) < 1:
            raise ValueError("the classes are not a one-dimensional array")
        check_stored(state["net_"], table, len(classes))
        if state.get("_wide") is not None:
            n_ids = state["net_"]["module_params"]["num_embeddings"]
            check_arrays(state["_wide"], n_ids, len(classes))
        return state

    def _wide(self, names: Any, prefix: str) -> dict[str, np.ndarray] | None:
        if names is None:
            return None
        return {name: self.container.tensors[f"{prefix}wide.{name}"] for name in names}

    def _net(self, stored: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        settings = {
            name: self._param(name, value)
            for name, value in stored["settings"].items()
            if name not in _NOT_STORED[TextCNNClassifier]
        }
        TextCNNClassifier(**{name: settings[name] for name in SETTINGS})._validate_params()
        if set(settings) != {*SETTINGS, "multilabel", "patience"}:
            raise ValueError(f"unexpected settings {sorted(settings)}")
        if not isinstance(settings["multilabel"], bool):
            raise ValueError("multilabel is not a bool")
        if settings["patience"] is not None:
            _an_int("patience", settings["patience"])
        architecture = self._param("architecture", stored["architecture"])
        if isinstance(architecture, str) and architecture not in ARCHITECTURES:
            raise ValueError(f"there is no architecture {architecture!r:.80}")
        tensors = self.container.tensors
        return {
            "architecture": architecture,
            "module_params": from_plain(stored["module_params"]),
            "settings": settings,
            "weights": {name: tensors[prefix + name] for name in stored["weights"]},
            "shared": stored["shared"],
            "frozen": stored["frozen"],
            "history": from_plain(stored["history"]),
        }


def stored_versions(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the versions of sktextcnn and scikit-learn that saved a valid model file."""
    model = Container(path).model
    fitted = dict(model.get("steps", [["", model]]))
    names = ("sktextcnn", "scikit-learn")
    state = next(iter(fitted.values()))["fitted"]
    return dict(zip(names, (state[key] for key in versions()), strict=True))


def _set_metadata_requests(estimator: Any, requests: Mapping[str, Any]) -> None:
    for method, of_method in requests.items():
        if method not in _requesting_methods(estimator):
            raise ValueError(f"there is no method {method!r:.80} that takes metadata")
        if not all(value is None or isinstance(value, bool | str) for value in of_method.values()):
            raise ValueError(f"the requests of {method} are not valid")
        with config_context(enable_metadata_routing=True):
            getattr(estimator, f"set_{method}_request")(**of_method)


def _is_trained(source: Any) -> bool:
    return isinstance(source, str) and source in TRAINED


def _source(described: Any) -> Any:
    """Return word vectors that `_Writer._source` has described."""
    if _is_trained(described):
        return described
    if not set(described) <= {"name", "path", "encoding", "width", "word"}:
        raise ValueError("the word vectors have an unknown description")
    return embeddings_from_config(
        **_strings(described, "name", "path", "encoding"),
        width=described.get("width"),
        word=described.get("word"),
    )


def _strings(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Those values, which must be str, or None for a path."""
    chosen = {name: values[name] for name in names}
    for name, value in chosen.items():
        if not isinstance(value, str) and not (name == "path" and value is None):
            raise ValueError(f"{name} is not a str")
    return chosen


def _an_int(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} is {value!r:.80}")
    return value
