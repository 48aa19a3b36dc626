"""Scorers on Dask, Polars and pyarrow, which run in this process. Others are in tests/engines."""

import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
from dask.base import tokenize

from sktextcnn import Scorer
from tests.scoring.models import TEXTS

# Of Dask.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


@pytest.fixture(scope="module")
def frame():
    """Rows in an order that is seen again: more than one partition or file of them."""
    return pd.DataFrame({"id": range(60), "review": TEXTS * 10})


@pytest.fixture
def files(frame, tmp_path):
    """The same rows in three Parquet files, the second one without rows."""
    for number, rows in enumerate((frame[:40], frame[:0], frame[40:])):
        rows.to_parquet(tmp_path / f"{number}.parquet", index=False)
    return tmp_path


def assert_scored(scored, frame, model):
    scored = scored.sort_values("id")
    assert scored["id"].tolist() == frame["id"].tolist()
    assert scored["prediction"].tolist() == model.predict(frame["review"]).tolist()
    proba = model.predict_proba(frame["review"])
    assert scored["probability"].tolist() == proba.max(axis=1).tolist()


def test_dask_scores_partitions_in_threads(path, model, frame, files):
    score = Scorer(path, "review", keep=["id"])
    for ddf in (dd.from_pandas(frame, npartitions=7), dd.read_parquet(files)):
        meta = score.meta(ddf)
        scored = ddf.map_partitions(score, meta=meta)
        computed = scored.compute(scheduler="threads", num_workers=4)
        assert_scored(computed, frame, model)
        assert computed.dtypes.to_dict() == meta.dtypes.to_dict() == scored.dtypes.to_dict()


def test_dask_scores_partitions_without_rows(path, frame):
    score = Scorer(path, "review", missing="null", all_classes=True)
    ddf = dd.from_pandas(frame, npartitions=3)
    ddf = ddf[ddf["id"] < 0]
    scored = ddf.map_partitions(score, meta=score.meta(ddf)).compute(scheduler="sync")
    assert len(scored) == 0
    assert scored.dtypes.to_dict() == score.meta(ddf).dtypes.to_dict()


def test_several_labels_go_through_dask_to_parquet(
    multilabel_path, multilabel_model, frame, tmp_path
):
    score = Scorer(multilabel_path, "review", keep=["id"])
    ddf = dd.from_pandas(frame, npartitions=3)
    scored = ddf.map_partitions(score, meta=score.meta(ddf))
    schema = score.schema(pa.schema({"id": pa.int64(), "review": pa.string()}))
    scored.to_parquet(tmp_path / "scored", schema=schema, write_index=False)
    table = pa.dataset.dataset(tmp_path / "scored").to_table()
    wanted = [np.flatnonzero(row).tolist() for row in multilabel_model.predict(frame["review"])]
    assert table["prediction"].to_pylist() == wanted


def test_scorers_with_the_same_parameters_are_the_same_task_for_dask(path):
    assert tokenize(Scorer(path, "review")) == tokenize(Scorer(path, "review"))
    assert tokenize(Scorer(path, "review")) != tokenize(Scorer(path, "text"))


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_polars_scores_lazy_frames(path, model, frame, files, engine):
    score = Scorer(path, "review")
    lazy = pl.scan_parquet(files / "*.parquet")
    schema = score.schema(lazy)
    scored = lazy.map_batches(score, schema=schema, streamable=True)
    assert list(scored.collect_schema()) == ["id", "review", "prediction", "probability"]
    collected = scored.filter(pl.col("id") >= 0).collect(engine=engine)
    assert collected.schema == schema == score.schema(pl.read_parquet(files / "0.parquet"))
    assert_scored(collected.to_pandas(), frame, model)


def test_polars_scores_a_frame_in_a_pipe(path, model, frame):
    assert_scored(pl.from_pandas(frame).pipe(Scorer(path, "review")).to_pandas(), frame, model)


def test_pyarrow_scores_a_dataset_batch_by_batch(path, model, frame, files, tmp_path):
    score = Scorer(path, "review")
    dataset = pa.dataset.dataset(files, format="parquet")
    schema = score.schema(dataset)
    assert schema == score.schema(dataset.schema) == score.schema(dataset.to_table())
    for name, parts in (("whole", dataset), ("batches", dataset.to_batches(batch_size=7))):
        batches = score.batches(parts)
        pa.dataset.write_dataset(batches, tmp_path / name, schema=schema, format="parquet")
        scored = pa.dataset.dataset(tmp_path / name).to_table()
        assert scored.schema.names == schema.names
        assert_scored(scored.to_pandas(), frame, model)


def test_batches_are_scored_one_by_one(path):
    taken = []

    def frames():
        for number in range(3):
            taken.append(number)
            yield {"review": TEXTS[:number]}

    scored = Scorer(path, "review").batches(frames())
    assert (taken, len(next(scored)["prediction"])) == ([0], 0)
    assert (taken, len(next(scored)["prediction"])) == ([0, 1], 1)


def test_a_frame_of_an_engine_is_named_with_what_to_write(path, frame):
    ddf = dd.from_pandas(frame, npartitions=2)
    with pytest.raises(TypeError, match=r"DataFrame of dask. Write frame\.map_partitions\(score"):
        Scorer(path, "review")(ddf)
    with pytest.raises(TypeError, match=r"Dataset of pyarrow\. Write score.batches"):
        Scorer(path, "review")(pa.dataset.dataset(pa.table({"review": TEXTS})))


def test_meta_and_schema_find_errors_before_the_job_begins(path, frame):
    ddf = dd.from_pandas(frame, npartitions=2)
    with pytest.raises(ValueError, match="no column 'text', which text names"):
        Scorer(path, "text").meta(ddf)
    with pytest.raises(TypeError, match="'id' has the type int64"):
        Scorer(path, "id").meta(ddf)
    with pytest.raises(TypeError, match="'id' has the type Int64"):
        Scorer(path, "id").schema(pl.from_pandas(frame).lazy())
    with pytest.raises(TypeError, match=r"got a DataFrame\. For Dask and pandas there is meta"):
        Scorer(path, "review").schema(frame)
    with pytest.raises(TypeError, match="takes a data frame"):
        Scorer(path, "review").meta(["a text"])
