def test_spark_runs_python_in_its_workers(spark):
    def doubled(frames):
        for frame in frames:
            yield frame * 2

    table = spark.range(3).mapInPandas(doubled, "id long")
    assert sorted(row.id for row in table.collect()) == [0, 2, 4]
