"""Frames of each kind come back as what they are, with columns of predictions."""

import copy
import datetime
from fractions import Fraction

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import sktextcnn
from sktextcnn import Scorer
from sktextcnn._scoring import loaded
from tests.scoring.models import TEXTS, fitted


def record_batch(columns):
    return pa.RecordBatch.from_pydict(columns)


def arrays(columns):
    return {
        name: np.array(values, object if None in values else None)
        for name, values in columns.items()
    }


KINDS = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "Table": pa.table,
    "RecordBatch": record_batch,
    "arrays": arrays,
    "lists": dict,
}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def plain(frame):
    """The columns of a frame as lists of values of Python, with None for missing ones."""
    if isinstance(frame, pl.DataFrame):
        frame = frame.to_dict(as_series=False)
    elif isinstance(frame, pa.Table | pa.RecordBatch):
        frame = frame.to_pydict()
    else:
        columns = frame.items()
        frame = {name: col if isinstance(col, list) else col.tolist() for name, col in columns}
    return {
        name: [None if value is pd.NA or value != value else value for value in column]
        for name, column in frame.items()
    }


def rows():
    return {"id": list(range(6)), "review": list(TEXTS)}


def test_a_frame_comes_back_as_its_kind_with_predictions(kind, path, model):
    frame = kind(rows())
    scored = Scorer(path, "review")(frame)
    assert type(scored) is type(frame)
    proba = model.predict_proba(TEXTS)
    assert plain(scored) == {
        **rows(),
        "prediction": model.predict(TEXTS).tolist(),
        "probability": proba.max(axis=1).tolist(),
    }
    assert plain(frame) == rows()


def test_columns_are_kept_and_named_as_asked(kind, path, model):
    score = Scorer(path, "review", keep=["id"], prediction="label", probability="p")
    assert list(plain(score(kind(rows())))) == ["id", "label", "p"]
    score = Scorer(path, "review", keep=[], prediction=None, all_classes=True)
    proba = model.predict_proba(TEXTS).T.tolist()
    names = ["probability_bad", "probability_good", "probability_odd"]
    assert plain(score(kind(rows()))) == dict(zip(names, proba, strict=True))
    score = Scorer(path, "review", keep=[], probability=None)
    assert list(plain(score(kind(rows())))) == ["prediction"]


def types_of(frame):
    if isinstance(frame, dict):
        return {
            name: column.dtype.kind if isinstance(column, np.ndarray) else list
            for name, column in frame.items()
        }
    return dict(frame.dtypes) if isinstance(frame, pd.DataFrame) else frame.schema


@pytest.mark.parametrize("options", [{}, {"missing": "null"}, {"all_classes": True}], ids=str)
def test_an_empty_frame_has_the_columns_and_types_of_others(kind, path, options):
    score = Scorer(path, "review", **options)
    full = kind(rows())
    empty = (
        {name: column[:0] for name, column in full.items()} if isinstance(full, dict) else full[:0]
    )
    scored = score(empty)
    assert types_of(scored) == types_of(score(full))
    assert all(column == [] for column in plain(scored).values())


# Labels -------------------------------------------------------------------------------

DAY, MOMENT = datetime.date(2024, 5, 17), datetime.datetime(2024, 5, 17, 1, 2, 3)
CLASSES = {
    "str": ["a", "ß", "\N{GRINNING FACE}"],
    "int": [-1, 0, 2**40],
    "float": [0.5, 1.5, 2.5],
    "datetime": np.array([MOMENT, MOMENT, MOMENT], "datetime64[ns]")
    + np.arange(3).astype("timedelta64[s]"),
    "date": np.array([DAY, DAY, DAY], "datetime64[D]") + np.arange(3),
    "object": np.array([1, 2, 3], object),
}


@pytest.mark.parametrize("missing", ["error", "null"])
@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES)
def test_labels_are_values_of_their_type(kind, classes, missing, save_with_classes):
    path, model = save_with_classes(classes)
    if isinstance(classes, np.ndarray) and classes.dtype == "M8[ns]":
        classes = classes.astype("M8[us]")
    wanted = np.asarray(classes)[model.predict_proba(TEXTS).argmax(axis=1)].tolist()
    score = Scorer(path, "review", missing=missing)
    scored = plain(score(kind(rows())))
    assert scored["prediction"] == wanted
    assert {type(label) for label in scored["prediction"]} <= {type(wanted[0]), pd.Timestamp}
    with_null = plain(Scorer(path, "review", missing="null")(kind({"review": [None, TEXTS[0]]})))
    assert with_null["prediction"] == [None, wanted[0]]


@pytest.fixture(scope="module")
def bools_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "bools.sktextcnn"
    sktextcnn.save(fitted([False, True] * 3), path)
    return path


def test_labels_may_be_bools(kind, bools_path):
    scored = plain(Scorer(bools_path, "review")(kind(rows())))
    assert {type(label) for label in scored["prediction"]} == {bool}
    nullable = Scorer(bools_path, "review", missing="null")
    for texts in ([None, "a gem"], ["a gem", None, "dull"]):
        labels = plain(nullable(kind({"review": texts})))["prediction"]
        assert [type(label) for label in labels] == [
            type(None) if text is None else bool for text in texts
        ]


def test_several_labels_are_a_list_for_each_row(kind, multilabel_path, multilabel_model):
    texts = [*TEXTS, "a gem that is dull and odd", "no word of it"]
    proba, indicator = multilabel_model.predict_proba(texts), multilabel_model.predict(texts)
    assert len({row.sum() for row in indicator}) > 1
    score = Scorer(multilabel_path, "review", missing="null")
    full = kind({"review": [*texts, None]})
    scored = plain(score(full))
    assert scored["prediction"] == [*(np.flatnonzero(row).tolist() for row in indicator), None]
    pairs = zip(proba, indicator, strict=True)
    assert scored["probability"] == [*(p[i == 1].tolist() for p, i in pairs), None]
    of_classes = Scorer(multilabel_path, "review", all_classes=True, prediction=None, keep=[])
    assert list(plain(of_classes(kind({"review": texts}))).values()) == proba.T.tolist()
    empty = {"review": full["review"][:0]} if isinstance(full, dict) else full[:0]
    assert types_of(score(empty)) == types_of(score(full))


def test_lists_of_one_length_stay_lists(kind, multilabel_path):
    scored = Scorer(multilabel_path, "review")(kind({"review": ["a gem", "a gem"]}))
    assert [type(labels) for labels in plain(scored)["prediction"]] == [list, list]


def test_labels_of_several_types_are_an_error(tmp_path, model):
    mixed = copy.deepcopy(model)
    for classes, names in (
        ([1, "a", 2], "int and str"),
        ([Fraction(1), Fraction(2), Fraction(3)], "Fraction"),
    ):
        mixed[-1].classes_ = np.array(classes, object)
        joblib.dump(mixed, tmp_path / "model.joblib")
        with pytest.raises(TypeError, match=rf"model\.joblib' are {names}\. Train the model with"):
            Scorer(tmp_path / "model.joblib", "review", trusted=True)(rows())


# Missing texts ------------------------------------------------------------------------


def with_missing():
    texts = [TEXTS[0], None, TEXTS[1], None]
    return {"id": [0, 1, 2, 3], "review": texts}


def test_missing_texts_are_an_error_by_default(kind, path):
    message = "'review' has 2 missing of 4 texts; the first one is in row 1 .*missing='null'"
    with pytest.raises(ValueError, match=message):
        Scorer(path, "review")(kind(with_missing()))


def test_missing_texts_have_no_prediction_with_null(kind, path, model):
    score = Scorer(path, "review", missing="null", all_classes=True)
    scored = plain(score(kind(with_missing())))
    known = [TEXTS[0], TEXTS[1]]
    assert scored["id"] == [0, 1, 2, 3]
    assert scored["prediction"][::2] == model.predict(known).tolist()
    assert scored["prediction"][1::2] == [None, None]
    proba = np.array([scored[f"probability_{label}"] for label in model.classes_])
    assert proba[:, ::2].T.tolist() == model.predict_proba(known).tolist()
    assert (proba[:, 1::2] == None).all()  # noqa: E711


def test_missing_texts_are_as_empty_ones_with_empty(kind, path, model):
    scored = plain(Scorer(path, "review", missing="empty")(kind(with_missing())))
    assert scored["prediction"] == model.predict([TEXTS[0], "", TEXTS[1], ""]).tolist()
    assert scored["review"] == with_missing()["review"]


def test_a_frame_of_missing_texts_alone_is_like_others(kind, path):
    score = Scorer(path, "review", missing="null")
    scored = score(kind({"id": [1, 2], "review": [None, None]}))
    assert plain(scored)["prediction"] == [None, None]
    assert plain(scored)["probability"] == [None, None]
    names = ["prediction", "probability"]
    found, wanted = types_of(scored), types_of(score(kind(rows())))
    if isinstance(wanted, pa.Schema):
        assert [found.field(name) for name in names] == [wanted.field(name) for name in names]
    else:
        assert [found[name] for name in names] == [wanted[name] for name in names]


# Types of columns ---------------------------------------------------------------------

NULLED = [TEXTS[0], None, TEXTS[1]]
DICTIONARY = pa.array(NULLED).dictionary_encode()
COLUMNS = {
    "object": pd.Series(NULLED, dtype=object),
    "string": pd.Series(NULLED, dtype="string"),
    "string[pyarrow]": pd.Series(NULLED, dtype="string[pyarrow]"),
    "ArrowDtype": pd.Series(NULLED, dtype=pd.ArrowDtype(pa.string())),
    "ArrowDtype large": pd.Series(NULLED, dtype=pd.ArrowDtype(pa.large_string())),
    "ArrowDtype dictionary": pd.Series(DICTIONARY, dtype=pd.ArrowDtype(DICTIONARY.type)),
    "category": pd.Series(NULLED, dtype="category"),
    "NaN": pd.Series([TEXTS[0], float("nan"), TEXTS[1]], dtype=object),
    "NaT": pd.Series([TEXTS[0], pd.NaT, TEXTS[1]], dtype=object),
    "Arrow": pa.table({"review": NULLED}),
    "Arrow large": pa.table({"review": pa.array(NULLED, pa.large_string())}),
    "Arrow dictionary": pa.table({"review": DICTIONARY}),
    "Arrow chunks": pa.table({"review": pa.chunked_array([NULLED[:1], [], NULLED[1:]])}),
    "Polars categorical": pl.DataFrame({"review": pl.Series(NULLED, dtype=pl.Categorical)}),
    "Polars enum": pl.DataFrame({"review": pl.Series(NULLED, dtype=pl.Enum(TEXTS))}),
    "array of objects": {"review": np.array(NULLED, object)},
    "array with pandas.NA": {"review": np.array([TEXTS[0], pd.NA, TEXTS[1]], object)},
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_texts_of_each_type_are_read(column, path, model):
    frame = column.to_frame("review") if isinstance(column, pd.Series) else column
    scored = plain(Scorer(path, "review", missing="null")(frame))
    known = model.predict([TEXTS[0], TEXTS[1]]).tolist()
    assert scored["prediction"] == [known[0], None, known[1]]


def test_the_index_and_attributes_of_pandas_stay(path):
    frame = pd.DataFrame({"review": TEXTS}, index=[3, 3, 1, 0, -1, 3])
    frame.attrs["source"] = "a survey"
    frame.columns.name = "fields"
    for each in (frame, frame[:0], frame.set_index([[1] * 6, frame.index])):
        scored = Scorer(path, "review")(each)
        assert scored.index.equals(each.index)
        assert (scored.attrs, scored.columns.name) == (each.attrs, "fields")


def test_metadata_of_arrow_stays(path):
    table = pa.table(rows()).replace_schema_metadata({"source": "a survey"})
    assert Scorer(path, "review")(table).schema.metadata == {b"source": b"a survey"}


def test_many_classes_are_added_without_a_warning(path, monkeypatch):
    model = loaded.loaded_model(str(path), trusted=False)
    monkeypatch.setattr(model, "labels", list(range(300)))
    monkeypatch.setattr(model, "kind", int)
    monkeypatch.setattr(model, "predict_proba", lambda texts: np.full((len(texts), 300), 1 / 300))
    assert Scorer(path, "review", all_classes=True)(pd.DataFrame(rows())).shape == (6, 303)


# Errors -------------------------------------------------------------------------------


def test_a_column_that_is_not_there_is_named_with_those_that_are(kind, path):
    with pytest.raises(ValueError, match=r"no column 'text', which text names\. It has 'id', 'rev"):
        Scorer(path, "text")(kind(rows()))
    with pytest.raises(ValueError, match="no column 'key', which keep names"):
        Scorer(path, "review", keep=["key"])(kind(rows()))


def test_a_column_that_is_there_twice_is_an_error(path):
    for frame in (
        pd.DataFrame([["a", "b"]], columns=["review", "review"]),
        pa.Table.from_arrays([pa.array(["a"])] * 2, names=["review", "review"]),
    ):
        with pytest.raises(ValueError, match="several columns 'review', which text names"):
            Scorer(path, "review")(frame)


def test_new_columns_do_not_replace_old_ones(kind, path):
    frame = kind(rows() | {"prediction": [0] * 6})
    with pytest.raises(ValueError, match=r"two columns 'prediction'\. Give another name as predic"):
        Scorer(path, "review")(frame)
    frame = kind(rows() | {"p_odd": [0] * 6})
    with pytest.raises(ValueError, match=r"two columns 'p_odd'\. Give another name as probability"):
        Scorer(path, "review", probability="p", all_classes=True)(frame)
    scored = Scorer(path, "review", keep=["id"], probability="p", all_classes=True)(frame)
    assert "p_odd" in plain(scored)
    with pytest.raises(ValueError, match="two columns 'review'"):
        Scorer(path, "review", probability="review")(kind(rows()))


@pytest.mark.parametrize("n_rows", [0, 6])
@pytest.mark.parametrize("kind", [each for each in KINDS.values() if each is not dict])
def test_a_column_of_numbers_is_an_error_even_if_it_is_empty(kind, path, n_rows):
    frame = kind(rows())
    frame = {"id": frame["id"][:n_rows]} if isinstance(frame, dict) else frame[:n_rows]
    with pytest.raises(TypeError, match=r"'id' has the type \w+; texts must be str"):
        Scorer(path, "id")(frame)


@pytest.mark.parametrize("value", [b"bytes", 1.5, ["a list"], np.array(["an", "array"])], ids=str)
def test_a_value_that_is_no_text_is_named_with_its_row(path, value):
    frame = {"review": ["a gem", value]}
    for each in (frame, pd.DataFrame(frame)):
        with pytest.raises(TypeError, match=r"of type \w+ in row 1 \(counting from 0\); texts"):
            Scorer(path, "review")(each)


def test_columns_of_a_dict_are_arrays_of_one_dimension_or_lists(path):
    with pytest.raises(TypeError, match=r"'review' has the shape \(1, 2\)"):
        Scorer(path, "review")({"review": np.array([["a", "b"]])})
    with pytest.raises(TypeError, match="'review' is a tuple"):
        Scorer(path, "review")({"review": ("a", "b")})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (pl.LazyFrame({"review": ["a"]}), r"LazyFrame of polars. Write frame.map_batches\(score"),
        (pl.Series(["a"]), "Series of polars. Pass the whole frame"),
        (pd.Series(["a"]), "Series of pandas. Pass the whole frame"),
        (["a"], "list of builtins. Pass the whole frame"),
        ("a", "str of builtins"),
        (None, "NoneType of builtins"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_things_are_no_frames(path, value, message):
    with pytest.raises(TypeError, match=f"takes a data frame .*; got a {message}"):
        Scorer(path, "review")(value)
