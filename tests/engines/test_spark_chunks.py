"""Spark's toLocalIterator feeds fit_chunks, row by row."""

import numpy as np
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer, fit_chunks


def new():
    classifier = TextCNNClassifier(
        wide=False, embedding_dim=5, num_filters=3, max_epochs=1, random_state=0
    )
    return make_pipeline(TextVectorizer(), classifier)


def test_rows_of_spark_give_the_bits_of_a_list(spark):
    texts, labels = ["a gem", "so dull", "a witty gem"] * 10, ["good", "bad", "good"] * 10
    table = spark.createDataFrame(list(zip(texts, labels, strict=True)), ["text", "label"])
    rows = table.coalesce(1).toLocalIterator()
    found = fit_chunks(new(), rows, text="text", label="label")
    expected = new().fit(texts, labels)
    np.testing.assert_array_equal(found.predict_proba(texts), expected.predict_proba(texts))
