"""``sktextcnn demo``."""

import argparse
import sys
import time
from collections import Counter

from sktextcnn._cli.arguments import Commands, add_color, add_command, add_quiet
from sktextcnn._cli.explain import as_text, print_legend, wants_color
from sktextcnn._cli.messages import class_counts
from sktextcnn._cli.models import save_model
from sktextcnn._cli.outputs import check_model_path
from sktextcnn._progress import waiting

_EPILOG = """\
The texts are docstrings of the installed scientific libraries, the classes are the libraries.

examples:
  sktextcnn demo
  sktextcnn demo -o demo.sktextcnn
"""

_TEXTS = (
    "Returns a tensor on the CUDA device, filled with zeros.",
    "Fit a linear model with coordinate descent.",
)


def add_to(commands: Commands) -> None:
    """Add the command to the program."""
    parser = add_command(
        commands, "demo", "train and explain a model on example texts", _EPILOG, demo
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="save the model to this file")
    add_color(parser)
    add_quiet(parser)


def demo(args: argparse.Namespace) -> None:
    """Train a baseline and a model, and print their accuracies and explanations."""
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline

    from sktextcnn import datasets
    from sktextcnn._baseline import BASELINE, tfidf_baseline
    from sktextcnn._classifier import TextCNNClassifier
    from sktextcnn._inspection import explain
    from sktextcnn._vectorizer import TextVectorizer

    if args.output is not None:
        check_model_path(args.output)
    with waiting("Collecting docstrings", shown=not args.quiet):
        texts, libraries = datasets.load_docstrings()
    train, test, y_train, y_test = train_test_split(
        texts, libraries, test_size=0.2, random_state=0, stratify=libraries
    )
    print(f"Which library does a docstring come from? {class_counts(Counter(libraries))}")
    print(f"  For example, {texts[0]!r} comes from {libraries[0]}.", flush=True)
    classifier = TextCNNClassifier(random_state=0, verbose=0 if args.quiet else 1)
    model = make_pipeline(TextVectorizer(verbose=classifier.verbose), classifier)
    for name, one in ((BASELINE, tfidf_baseline()), ("sktextcnn", model)):
        start = time.perf_counter()
        with waiting(f"Training {name}", shown=one is not model and not args.quiet):
            one.fit(train, y_train)
        seconds = time.perf_counter() - start
        score = one.score(test, y_test)
        print(
            f"{name}: accuracy {score:.3f} on {len(test):,} held-out texts, {seconds:.1f} s",
            flush=True,
        )
    print("\nExplanations of two predictions:")
    color = wants_color(args.color, sys.stdout)
    for explanation in explain(model, _TEXTS):
        print(f"\n{as_text(explanation, None, 4, color=color)}")
    print()
    print_legend(explanation, color=color)
    if args.output is not None:
        save_model(model, args.output)
        print(f"\nSaved {args.output}. Try: sktextcnn explain {args.output} 'Solve an equation.'")
