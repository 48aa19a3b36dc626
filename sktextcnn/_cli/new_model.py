"""The Pipeline that ``sktextcnn train`` trains, by its options."""

import argparse
import difflib
import json
from typing import TYPE_CHECKING, Any

from sktextcnn._cli.errors import InputError, as_input_error

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

# Parameters that --set refuses: those with an option of their own, and those that only Python
# can set.
_OPTION_OF = {
    "vectorizer.embeddings": "--vectors",
    "vectorizer.random_state": "--seed",
    "vectorizer.preprocessor": None,
    "vectorizer.verbose": "--quiet",
    "classifier.finetune": "--finetune",
    "classifier.max_epochs": "--max-epochs",
    "classifier.random_state": "--seed",
    "classifier.verbose": "--quiet",
    "classifier.callbacks": None,
    "classifier.pretrained": None,
    "classifier.warm_start": None,
}


def new_model(args: argparse.Namespace) -> "Pipeline":
    """Return the Pipeline to train, with its parameters validated."""
    from sklearn.pipeline import Pipeline

    from sktextcnn._classifier import TextCNNClassifier
    from sktextcnn._gensim_data import fetch
    from sktextcnn._vectorizer import TextVectorizer
    from sktextcnn._vectors import TRAINED, Embeddings, embeddings_config

    if args.vectors_word and set(args.vectors) <= set(TRAINED):
        raise InputError("--vectors-word is for files of vectors: give --vectors FILE with it.")
    sources: list[Any] = []
    for source in args.vectors:
        if source not in TRAINED:
            # An error for a missing file comes before the texts are read, and so does a download.
            with as_input_error():
                handle = Embeddings(source, word=args.vectors_word)
                config = embeddings_config(source)
                if config is not None and config["path"] is None:
                    fetch(config["name"], quiet=args.quiet)
            source = handle if args.vectors_word else source
        sources.append(source)
    embeddings = sources if len(sources) > 1 else next(iter(sources), None)
    verbose = 0 if args.quiet else 1
    steps: dict[str, Any] = {
        "vectorizer": TextVectorizer(
            embeddings=embeddings, random_state=args.seed, verbose=verbose
        ),
        "classifier": TextCNNClassifier(
            finetune=args.finetune,
            max_epochs=args.max_epochs,
            random_state=args.seed,
            verbose=verbose,
        ),
    }
    for name, value in args.settings:
        _set(steps, name, value)
    with as_input_error("--set: "):
        for step in steps.values():
            step._validate_params()
    return Pipeline(
        [("textvectorizer", steps["vectorizer"]), ("textcnnclassifier", steps["classifier"])]
    )


def _set(steps: dict[str, Any], name: str, value: Any) -> None:
    """Set a parameter that is named as ``STEP.NAME``."""
    if name in _OPTION_OF:
        option = _OPTION_OF[name]
        hint = f"Give {option}." if option else "It can be set in Python."
        raise InputError(f"--set {name}: --set cannot set this parameter. {hint}")
    step, _, parameter = name.partition(".")
    known = [f"{key}.{each}" for key, one in steps.items() for each in one.get_params()]
    settable = [each for each in known if each not in _OPTION_OF]
    if name not in settable:
        candidates = [each for each in settable if each.startswith(f"{step}.")] or settable
        # Without their steps, which would make all names of a step similar.
        names = [each.partition(".")[2] for each in candidates]
        close = difflib.get_close_matches(parameter, names, n=1)
        hint = f"Expected one of {', '.join(candidates)}."
        if close:
            hint = f"Did you mean {candidates[names.index(close[0])]}?"
        raise InputError(f"--set {name}: there is no such parameter. {hint}")
    # A bool is an int in Python, so that validation would accept true as 1.
    if isinstance(value, bool) and "boolean" not in steps[step]._parameter_constraints[parameter]:
        raise InputError(f"--set {name}: {json.dumps(value)} is not a valid value.")
    steps[step].set_params(**{parameter: value})
