"""Scorers on Spark and Ray give what the model gives in this process."""

import datetime

import numpy as np
import pandas as pd
import pytest

import sktextcnn
from sktextcnn import Scorer
from tests.scoring.models import LABELS, TEXTS, fitted

LABEL_KINDS = {
    "str": LABELS,
    "int": [LABELS.index(label) for label in LABELS],
    "bool": [label == "bad" for label in LABELS],
    "float": [float(LABELS.index(label)) for label in LABELS],
    "date": np.array(["2024-05-17", "2024-05-18", "2024-05-19"] * 2, "datetime64[D]"),
    "moment": np.array(["2024-05-17T01", "2024-05-18T02", "2024-05-19T03"] * 2, "datetime64[us]"),
    "several": np.array([["dull" in text, "film" in text] for text in TEXTS], int),
}


@pytest.fixture(scope="module", params=LABEL_KINDS)
def model_and_path(request, tmp_path_factory):
    model = fitted(LABEL_KINDS[request.param], max_epochs=20)
    path = tmp_path_factory.mktemp("models") / "model.sktextcnn"
    sktextcnn.save(model, path)
    return model, path


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.sktextcnn"
    sktextcnn.save(fitted(LABELS), path)
    return path


def rows():
    """Rows with one that has no text."""
    # pandas would make NaN of None.
    texts = pd.Series([*TEXTS * 5, None], dtype=object)
    return pd.DataFrame({"id": range(31), "review": texts})


def wanted(model):
    proba = model.predict_proba(TEXTS * 5)
    classes = model[-1].classes_.tolist()
    if model[-1].net_.multilabel:
        labels = [[classes[i] for i in np.flatnonzero(row > 0.5)] for row in proba]
        values = [row[row > 0.5].tolist() for row in proba]
    else:
        labels, values = [classes[i] for i in proba.argmax(1)], proba.max(1).tolist()
    return [*zip(labels, values, strict=True), (None, None)]


def plain(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    return None if value is pd.NA or value is pd.NaT or value != value else value


@pytest.mark.parametrize("method", ["mapInArrow", "mapInPandas"])
def test_spark_scores_partitions(spark, model_and_path, method):
    model, path = model_and_path
    score = Scorer(path, "review", missing="null", keep=["id"])
    frame = rows()
    data = list(zip(frame["id"].tolist(), frame["review"].tolist(), strict=True))
    # The last partition has no rows.
    sdf = spark.createDataFrame(data, "id long, review string").repartitionByRange(2, "id")
    sdf = sdf.unionAll(sdf.filter("id < 0"))
    scored = getattr(sdf, method)(score.batches, score.schema(sdf))
    assert scored.columns == ["id", "prediction", "probability"]
    found = {row.id: (row.prediction, row.probability) for row in scored.collect()}
    assert [found[number] for number in range(31)] == wanted(model)


def test_a_schema_of_spark_keeps_all_kinds_of_fields(spark, path):
    kind = "`a b` struct<`x y`: array<int>>, review string, m map<string, decimal(9,2)>"
    sdf = spark.createDataFrame([], kind)
    score = Scorer(path, "review", all_classes=True)
    fields = score.schema(sdf).fields
    assert fields[:3] == sdf.schema.fields
    assert [field.name for field in fields[3:]] == [
        "prediction",
        *(f"probability_{label}" for label in ("bad", "good", "odd")),
    ]
    assert score.schema(sdf.schema) == score.schema(sdf)
    names = [field.name for field in Scorer(path, "review", keep=["m"]).schema(sdf)]
    assert names == ["m", "prediction", "probability"]


def test_spark_is_told_of_errors_before_the_job_begins(spark, path):
    sdf = spark.createDataFrame([(1, "a gem")], "id long, review string")
    with pytest.raises(TypeError, match="'id' has the type bigint; texts must be str"):
        Scorer(path, "id").schema(sdf)
    with pytest.raises(ValueError, match="no column 'text'"):
        Scorer(path, "text").schema(sdf)
    with pytest.raises(TypeError, match=r"of pyspark. Write frame\.mapInArrow\(score\.batches"):
        Scorer(path, "review")(sdf)


@pytest.mark.parametrize("batch_format", ["numpy", "pandas", "pyarrow"])
def test_ray_scores_batches(ray, model_and_path, batch_format):
    model, path = model_and_path
    score = Scorer(path, "review", missing="null", keep=["id"])
    dataset = ray.data.from_pandas([rows()[:12], rows()[12:]])
    scored = dataset.map_batches(score, batch_format=batch_format, batch_size=10)
    found = {row["id"]: (row["prediction"], row["probability"]) for row in scored.take_all()}
    pairs = [tuple(map(plain, found[number])) for number in range(31)]
    expected = wanted(model)
    if batch_format == "numpy" and type(expected[0][0]) is datetime.date:
        # Ray makes moments of the dates of NumPy.
        pairs = [(label and label.date(), value) for label, value in pairs]
    assert pairs == expected


def test_ray_may_have_nan_beside_texts(ray, path):
    dataset = ray.data.from_pandas(rows().fillna(float("nan")))
    scored = dataset.map_batches(Scorer(path, "review", missing="null"), batch_format="pyarrow")
    assert [row["prediction"] for row in scored.take_all()].count(None) == 1


def test_ray_is_named_with_what_to_write(ray, path):
    with pytest.raises(TypeError, match=r"of ray. Write dataset\.map_batches\(score\)"):
        Scorer(path, "review")(ray.data.from_items([{"review": "a gem"}]))


def test_a_worker_uses_one_thread(spark, path, tmp_path):
    """Where Spark says nothing of threads, torch would use as many as there are cores."""
    score = Scorer(path, "review", probability=None)

    def threads(frames):
        from sktextcnn._network import threads
        from sktextcnn._scoring import loaded

        model = loaded.loaded_model(score.path, trusted=False)
        seen, predict = [], model.predict_proba
        model.predict_proba = lambda texts: seen.append(threads.usable_threads()) or predict(texts)
        threads.torch.set_num_threads(2)
        for frame in frames:
            score(frame)
            yield pd.DataFrame({"threads": seen})
        model.predict_proba = predict

    sdf = spark.createDataFrame([("a gem",)], "review string")
    found = sdf.mapInPandas(threads, "threads long").collect()
    assert [row.threads for row in found] == [1]
