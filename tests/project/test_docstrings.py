"""Docstrings of the public names: numpydoc's sections, complete, with examples that run."""

import ast
import dataclasses
import doctest
import importlib
import inspect
import re
import textwrap
from pathlib import Path

import pandas as pd
import pytest
from numpydoc.docscrape import ClassDoc, NumpyDocString
from numpydoc.validate import validate

import sktextcnn
from sktextcnn import Explanation, TextCNNClassifier, TextVectorizer

PACKAGE = Path(sktextcnn.__file__).parent
# Opinions on style, and examples of methods, which those of their class show.
# Older versions of numpydoc (GL01) want the summary in the line after the quotes.
NOT_ASKED_FOR = {"GL01", "ES01", "EX01", "SA01", "SA04", "RT02", "RT03"}


def members(name):
    """A public name and what is defined under it: methods, properties, functions of a module."""
    public = getattr(sktextcnn, name)
    if inspect.ismodule(public):
        found = {key: value for key, value in vars(public).items() if inspect.isfunction(value)}
        found = {key: value for key, value in found.items() if value.__module__ == public.__name__}
    else:
        yield name, public
        # Methods of other libraries' classes are documented there.
        classes = [base for base in getattr(public, "__mro__", ()) if is_ours(base)]
        found = {key: value for base in reversed(classes) for key, value in vars(base).items()}
    for key, value in found.items():
        function = function_of(value)
        if not key.startswith("_") and inspect.isfunction(function) and is_ours(function):
            yield f"{name}.{key}", function


def is_ours(member):
    return member.__module__.split(".")[0] == "sktextcnn"


def function_of(member):
    """The function within a property or class method."""
    member = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    return inspect.unwrap(member) if callable(member) else member


PUBLIC = {path: member for name in sktextcnn.__all__ for path, member in members(name)}
FUNCTIONS = {path: member for path, member in PUBLIC.items() if inspect.isfunction(member)}


def shows_examples(path):
    """Functions, and classes but the result of `explain`, which that shows."""
    in_module = inspect.ismodule(getattr(sktextcnn, path.split(".")[0]))
    return PUBLIC[path] is not Explanation and ("." not in path or in_module)


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_name_has_a_docstring_of_its_own_with_all_sections(path):
    assert PUBLIC[path].__doc__
    errors = dict(validate(f"sktextcnn.{path}")["errors"])
    if PUBLIC[path] is Explanation:
        # Users do not make one: its parameters are documented as attributes.
        del errors["PR01"]
    assert {code: text for code, text in errors.items() if code not in NOT_ASKED_FOR} == {}


@pytest.mark.parametrize("path", [*filter(shows_examples, PUBLIC)])
def test_public_functions_and_classes_show_an_example(path):
    assert ">>> " in PUBLIC[path].__doc__


@pytest.mark.parametrize("path", FUNCTIONS)
def test_the_errors_that_a_function_raises_itself_are_documented(path):
    tree = ast.parse(textwrap.dedent(inspect.getsource(FUNCTIONS[path])))
    errors = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc]
    raised = {error.func.id for error in errors if isinstance(error, ast.Call)}
    sections = NumpyDocString(inspect.cleandoc(FUNCTIONS[path].__doc__))["Raises"]
    documented = {name for section in sections for name in section.type.split(", ")}
    assert raised <= {name.rpartition(".")[2] for name in documented}


def documented_attributes(documented):
    return {
        name.strip()
        for attribute in ClassDoc(documented)["Attributes"]
        for name in attribute.name.split(",")
    }


def test_attributes_of_fitted_estimators_are_documented():
    vectorizer = TextVectorizer()
    X = vectorizer.fit_transform(["a gem", "dull"])
    classifier = TextCNNClassifier(num_filters=1, max_epochs=1, embedding_dim=1)
    classifier.fit(pd.DataFrame(X, columns=["first", "second"]), [0, 1])
    for fitted in (vectorizer, classifier):
        properties = {name for name, _ in inspect.getmembers(type(fitted), is_property)}
        learned = {name for name in {*vars(fitted), *properties} if not name.startswith("_")}
        assert learned - set(fitted.get_params()) == documented_attributes(type(fitted))


def is_property(member):
    return isinstance(member, property) and is_ours(member.fget)


def test_the_fields_of_an_explanation_are_documented_in_order():
    fields = [field.name for field in dataclasses.fields(Explanation)]
    documented = [
        name.strip()
        for attribute in ClassDoc(Explanation)["Attributes"]
        for name in attribute.name.split(",")
    ]
    assert [name for name in documented if name in fields] == fields


SHOWING = [path for path in PACKAGE.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", SHOWING, ids=lambda path: path.stem)
def test_examples_of_docstrings_run(path, docstrings, monkeypatch):
    # The few texts of examples would be seen 300 times.
    monkeypatch.setattr("sktextcnn._classifier._MOST_EPOCHS", 60)
    # Collecting them again takes long.
    monkeypatch.setattr("sktextcnn.datasets.load_docstrings", lambda: docstrings)
    module = importlib.import_module(
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    )
    source = path.read_text(encoding="utf-8")
    runner, parser = doctest.DocTestRunner(), doctest.DocTestParser()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            name = getattr(node, "name", module.__name__)
            text = ast.get_docstring(node) or ""
            runner.run(parser.get_doctest(text, {**vars(module)}, name, str(path), 0))
    assert runner.failures == 0
    assert runner.tries == source.count(">>> ")


@pytest.mark.parametrize("estimator", [TextCNNClassifier, TextVectorizer])
def test_every_parameter_has_its_real_default(estimator):
    documented = {
        name.strip(): parameter.type
        for parameter in ClassDoc(estimator)["Parameters"]
        for name in parameter.name.split(",")
    }
    signature = inspect.signature(estimator).parameters
    assert list(documented) == list(signature)
    for name, parameter in signature.items():
        default = re.search(r"default=(.*)$", documented[name])
        if name in ("min_df", "max_df"):
            values = dict(zip(("min_df", "max_df"), default[1].split(", "), strict=True))
            assert eval(values[name]) == parameter.default
        elif name != "token_pattern":
            assert default, name
            assert eval(default[1]) == parameter.default, name
