"""A real corpus for examples and tests, without a download."""

import ast
import hashlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

# The names of installed dependencies, and the names to import them by.
_LIBRARIES = {
    "gensim": "gensim",
    "numpy": "numpy",
    "scikit-learn": "sklearn",
    "scipy": "scipy",
    "torch": "torch",
}
# The number of summaries taken from a library, which balances the classes and limits the time.
_MOST = 900
# Folders with tests and with code of other projects.
_LEFT_OUT = {"tests", "test", "testing", "externals", "_vendor", "vendor", "third_party"}
_LARGEST_FILE = 100_000
_LEAST_WORDS = 3
# Letters of a paragraph that are read: the time of the patterns below can grow with the square.
_LOOKED_AT = 2_000


def load_docstrings() -> tuple[list[str], list[str]]:
    """Load summaries of docstrings, and the library of each.

    The texts are the first sentences of about 900 docstrings from each of five scientific
    libraries that are installed with this one. The docstrings are those of modules, classes and
    functions; the source files are parsed, not imported. The task is to predict the library: a
    topic classification of real English, with a few thousand texts in classes of similar size.

    Returns
    -------
    texts : list of str
        The summaries, without duplicates and without those that two libraries share.
    libraries : list of str
        The library of each text, such as "scikit-learn".

    Notes
    -----
    The texts depend on the versions of the libraries. With the same versions, they are the same
    and in the same order.

    Examples
    --------
    >>> from sktextcnn.datasets import load_docstrings
    >>> texts, libraries = load_docstrings()
    >>> len(texts) == len(libraries) > 2000
    True
    >>> {"gensim", "numpy", "scikit-learn", "scipy", "torch"} <= set(libraries)
    True
    """
    library_of: dict[str, str | None] = {}
    for library, module in _LIBRARIES.items():
        own: list[str] = []
        for text in _summaries(module):
            if len(own) == _MOST:
                break
            if text not in library_of:
                library_of[text] = library
                own.append(text)
            elif library_of[text] != library:
                library_of[text] = None
    kept = [(text, name) for text, name in library_of.items() if name is not None]
    return [text for text, _ in kept], [name for _, name in kept]


def _summaries(module: str) -> Iterator[str]:
    for path in _source_files(module):
        for docstring in _docstrings(path):
            text = _first_sentence(docstring)
            if len(text.split()) >= _LEAST_WORDS and not re.search("---|===", text):
                yield text  # The other docstrings begin with a section, such as Parameters.


def _source_files(module: str) -> list[Path]:
    """Return the source files of a package, in a stable order that mixes its subjects."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return []
    root = Path(spec.origin).parent
    files = [
        path.relative_to(root)
        for path in root.rglob("*.py")
        if _LEFT_OUT.isdisjoint(path.relative_to(root).parts)
        and not path.name.startswith("test_")
        and path.stat().st_size <= _LARGEST_FILE
    ]
    files.sort(key=lambda path: hashlib.sha256(path.as_posix().encode()).digest())
    return [root / path for path in files]


def _docstrings(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        return  # It is a template, or for another version of Python.
    # Definitions are statements; visiting only statements is twice as fast as ast.walk.
    pending: list[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef] = [tree]
    while pending:
        node = pending.pop()
        if docstring := ast.get_docstring(node):
            yield docstring
        pending += [
            child
            for child in reversed(node.body)
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        ]


def _first_sentence(docstring: str) -> str:
    """Return the first sentence of the first paragraph, without markup."""
    paragraph = " ".join(docstring.split("\n\n")[0].split())[:_LOOKED_AT]
    paragraph = re.sub(r":[a-z:]+:`~?([^`<]*)[^`]*`", r"\1", paragraph)
    paragraph = re.sub(r"`([^`<]+?)\s*<[^>]*>`_*", r"\1", paragraph)
    paragraph = re.sub(r"[`*]+", "", paragraph)
    return re.split(r"(?<=[.!?])\s", paragraph)[0]
