"""Datasets of pyarrow are read in the order of their rows, and never much at a time."""

import time

import pytest

from sktextcnn._compat.arrow import batches_of_dataset, is_arrow_dataset

pa = pytest.importorskip("pyarrow")
ds = pytest.importorskip("pyarrow.dataset")
pq = pytest.importorskip("pyarrow.parquet")


def read(dataset, columns):
    return pa.Table.from_batches(batches_of_dataset(dataset, columns))


def test_groups_files_and_partitions(tmp_path):
    table = pa.table({"text": list("abcdef"), "n": range(6), "label": list("xyxyxy")})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    whole = ds.dataset(tmp_path / "a.parquet")
    assert read(whole, None) == table
    assert read(whole, ["label", "text", "text"]) == table.select(["label", "text"])
    assert read(whole, ["text", "missing"]) == table
    assert read(whole.filter(ds.field("n") > 2), ["text"]) == table.select(["text"])[3:]
    assert read(ds.dataset([whole, ds.dataset(table)]), ["n"])["n"].to_pylist() == [*range(6)] * 2
    pq.write_to_dataset(table, tmp_path / "parts", partition_cols=["label"])
    parts = ds.dataset(tmp_path / "parts", partitioning="hive")
    assert read(parts, ["n", "label"]).to_pydict() == {
        "n": [0, 2, 4, 1, 3, 5],
        "label": ["x", "x", "x", "y", "y", "y"],
    }


def test_a_part_alone_is_in_memory(tmp_path):
    text, n_groups = "x" * (1 << 20), 40
    with pq.ParquetWriter(tmp_path / "a.parquet", pa.schema([("text", pa.string())])) as writer:
        for i in range(n_groups):
            writer.write_table(pa.table([[f"{i}{text}"]], schema=writer.schema))
    before, most, read = pa.total_allocated_bytes(), 0, 0
    for batch in batches_of_dataset(ds.dataset(tmp_path), ["text"]):
        time.sleep(0.01)  # In which to_batches would read ahead.
        read += batch.num_rows
        most = max(most, pa.total_allocated_bytes() - before)
    assert read == n_groups
    assert most < 10 << 20


def test_only_datasets_are_taken_for_datasets():
    table = pa.table({"text": ["a"]})
    assert is_arrow_dataset(ds.dataset(table))
    assert not any(map(is_arrow_dataset, (table, table.to_batches(), None, [], {})))
