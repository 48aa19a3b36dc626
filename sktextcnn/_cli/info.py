"""``sktextcnn info``."""

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sktextcnn._cli.arguments import Commands, add_command
from sktextcnn._cli.errors import as_input_error
from sktextcnn._cli.messages import MAX_LISTED_CLASSES, counted, one_line, size_of

# What a training and the commands write to a card, which has lines of its own.
_OF_CARD = (
    *("trained", "n_texts", "class_counts", "seconds", "versions"),
    *("held_out", "data", "test"),
)
# More characters of what a user has added are for --json.
_MOST = 300

_EPILOG = """\
The file may hold a Pipeline, a vectorizer or a classifier. Long values are shortened, except in
JSON. What a file of an older version does not say is left out.

examples:
  sktextcnn info model.sktextcnn
  sktextcnn info model.sktextcnn --json > card.json
"""


def add_to(commands: Commands) -> None:
    """Add the command to the program."""
    parser = add_command(
        commands,
        "info",
        "show what a model was trained on, when, and how good it is",
        _EPILOG,
        info,
    )
    parser.add_argument("model", help="model file written by train or sktextcnn.save")
    parser.add_argument("--json", action="store_true", help="print JSON")


def info(args: argparse.Namespace) -> None:
    """Print the model card of a file, and what else the file says about the model."""
    from sktextcnn._files import load, stored_versions

    with as_input_error():
        model = load(args.model)
        versions = stored_versions(args.model)
    steps = [step for _, step in model.steps] if hasattr(model, "steps") else [model]
    described = _described(steps, versions)
    described = {"file": args.model, "bytes": os.path.getsize(args.model), **described}
    if args.json:
        print(json.dumps(_as_json(described), indent=2))
        return
    for name, value in _lines(described, steps):
        print(f"{name:<12}{one_line(value)}")


# What there is to say -----------------------------------------------------------------


def _described(steps: Sequence[Any], versions: Mapping[str, str]) -> dict[str, Any]:
    """Return what is known of the steps of a model; JSON data, except for the parameters."""
    from sktextcnn._report import changed_parameters

    kinds = [type(step).__name__ for step in steps]
    described: dict[str, Any] = {"kind": kinds}
    for step in steps:
        describe = _vectorizer if hasattr(step, "vocabulary_") else _classifier
        described |= describe(step)
    described["parameters"] = {
        kind: changed_parameters(step) for kind, step in zip(kinds, steps, strict=True)
    }
    card = described.get("card") or {}
    return {**described, "versions": {**versions, **card.get("versions", {})}}


def _vectorizer(vectorizer: Any) -> dict[str, Any]:
    table = vectorizer.token_table_
    coverage = vectorizer.coverage_
    vectors = None
    if table.vectors is not None:
        vectors = {"source": table.source, "dimensions": table.vectors.shape[1]}
        if coverage is not None:
            vectors |= {"tokens_covered": coverage.tokens, "words_covered": coverage.types}
    return {
        "n_words": len(vectorizer.vocabulary_),
        "max_length": vectorizer.max_length_,
        "truncated_fraction": vectorizer.truncated_fraction_,
        "vectors": vectors,
    }


def _classifier(classifier: Any) -> dict[str, Any]:
    return {
        "multilabel": classifier.net_.multilabel,
        "classes": [str(label) for label in classifier.classes_.tolist()],
        "n_epochs": classifier.n_iter_,
        "card": getattr(classifier, "card_", None),
    }


def _as_json(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known, with parameters that JSON does not have as Python writes them."""
    parameters: dict[str, dict[str, Any]] = {}
    for kind, changed in described["parameters"].items():
        parameters[kind] = {}
        for name, value in changed.items():
            try:
                parameters[kind][name] = json.loads(json.dumps(value, allow_nan=False))
            except (TypeError, ValueError):
                parameters[kind][name] = repr(value)
    return {**described, "parameters": parameters}


# As lines -----------------------------------------------------------------------------


def _lines(described: Mapping[str, Any], steps: Sequence[Any]) -> Iterator[tuple[str, str]]:
    from sktextcnn._report import parameters

    yield "file", f"{described['file']} ({size_of(described['bytes'])})"
    yield "kind", " and ".join(described["kind"])
    card = described.get("card")
    if "classes" in described:
        what = "labels, of which a text may have several" if described["multilabel"] else "classes"
        yield "classes", f"{len(described['classes']):,} {what}: {_classes(described, card)}"
        yield from _training(described, card)
        yield from _added(card or {})
    if "n_words" in described:
        yield (
            "vocabulary",
            f"{counted(described['n_words'], 'word')}; the first "
            f"{counted(described['max_length'], 'token')} of a text are read, and "
            f"{described['truncated_fraction']:.1%} of the training texts were longer",
        )
        yield "vectors", _vectors(described["vectors"])
    for kind, step in zip(described["kind"], steps, strict=True):
        values = ", ".join(f"{name}={value}" for name, value in parameters(step))
        yield "parameters", f"{kind}: {values or 'the defaults'}"
    yield "versions", ", ".join(f"{name} {value}" for name, value in described["versions"].items())


def _classes(described: Mapping[str, Any], card: Mapping[str, Any] | None) -> str:
    names = described["classes"]
    if card is not None:
        pairs = zip(names, card["class_counts"], strict=True)
        names = [f"{name} {count:,}" for name, count in sorted(pairs, key=lambda pair: -pair[1])]
    more = len(names) - MAX_LISTED_CLASSES
    return ", ".join(names[:MAX_LISTED_CLASSES]) + (f" and {more:,} others" if more > 0 else "")


def _training(
    described: Mapping[str, Any], card: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    from sktextcnn._baseline import BASELINE

    epochs = counted(described["n_epochs"], "epoch")
    if card is None:
        yield "trained", f"{epochs}; the file has no model card, as those of older versions"
        return
    of = f" of {card['data']}" if "data" in card else ""
    yield (
        "trained",
        f"{card['trained'].replace('T', ' ').replace('+00:00', ' UTC')} on "
        f"{counted(card['n_texts'], 'text')}{of}; {epochs} in {card['seconds']:,.1f} s",
    )
    held_out, test = card.get("held_out"), card.get("test")
    if held_out:
        loss = held_out.get("log_loss")
        loss = "" if loss is None else f", log loss {loss:.3f}"
        texts = counted(held_out["n_texts"], "text")
        yield (
            "held out",
            f"accuracy {held_out['accuracy']:.3f}{loss} on {texts} that the training left out",
        )
    if test:
        name, measure = "accuracy", "accuracy"
        if test.get("micro_f1") is not None:
            name, measure = "micro F1", "micro_f1"
        baseline = test.get(f"baseline_{measure}")
        compared = "" if baseline is None else f"; {BASELINE}: {baseline:.3f}"
        on = counted(test["n_texts"], "text")
        if "data" in test:
            on += f" of {test['data']}"
        yield "test", f"{name} {test[measure]:.3f} on {on}{compared}"


def _added(card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a user has added to a card."""
    for name, value in card.items():
        if name not in _OF_CARD:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            line = f"{name}: {text}"
            yield "card", line if len(line) <= _MOST else f"{line[:_MOST]} ..."


def _vectors(vectors: Mapping[str, Any] | None) -> str:
    if vectors is None:
        return "random"
    covered = ""
    if "tokens_covered" in vectors:
        covered = (
            f"; they cover {vectors['tokens_covered']:.1%} of the tokens and "
            f"{vectors['words_covered']:.1%} of the words"
        )
    return f"{vectors['source']}, {counted(vectors['dimensions'], 'dimension')}{covered}"
