"""skops stores a Pipeline, and these are the types to trust."""

import numpy as np
import pytest
import skops.io
from sklearn.pipeline import make_pipeline

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer
from tests.fake_encoders import FakeEncoder

TRUSTED = [
    "sktextcnn._classifier.TextCNNClassifier",
    "sktextcnn._token_ids.TokenTable",
    "sktextcnn._vectorizer.TextVectorizer",
]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"finetune": False},
        {"finetune": "multichannel", "kernel_sizes": (1, 2), "class_weight": "balanced"},
        {"architecture": "stacked", "num_filters": 8},
    ],
    ids=str,
)
def test_skops_gives_the_model_back(corpus, vectors_file, tmp_path, params):
    texts, labels = corpus
    model = make_pipeline(
        TextVectorizer(embeddings=vectors_file, random_state=0),
        TextCNNClassifier(**{"num_filters": 4, "max_epochs": 2, "random_state": 0, **params}),
    ).fit(texts, labels)
    model.predict(texts)
    path = tmp_path / "model.skops"
    skops.io.dump(model, path)
    assert skops.io.get_untrusted_types(file=path) == TRUSTED
    loaded = skops.io.load(path, trusted=TRUSTED)
    np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))
    assert loaded[0].coverage_ == model[0].coverage_
    loaded.fit(texts[:50], labels[:50])


def test_a_handle_on_a_file_is_one_type_more(corpus, vectors_file):
    vectorizer = TextVectorizer(embeddings=Embeddings(vectors_file)).fit(corpus[0])
    data = skops.io.dumps(vectorizer)
    trusted = ["sktextcnn.Embeddings", *TRUSTED[1:]]
    assert skops.io.get_untrusted_types(data=data) == trusted
    loaded = skops.io.loads(data, trusted=trusted)
    np.testing.assert_array_equal(loaded.embedding_matrix_, vectorizer.embedding_matrix_)
    loaded.fit(corpus[0])


def test_several_sources_need_no_more_types(corpus, vectors_file):
    handle = Embeddings(vectors_file, width=3)
    vectorizer = TextVectorizer(embeddings=[handle, vectors_file], random_state=0).fit(corpus[0])
    data = skops.io.dumps(vectorizer)
    trusted = ["sktextcnn.Embeddings", *TRUSTED[1:]]
    assert skops.io.get_untrusted_types(data=data) == trusted
    loaded = skops.io.loads(data, trusted=trusted)
    again = loaded.fit(corpus[0])
    np.testing.assert_array_equal(again.embedding_matrix_, vectorizer.embedding_matrix_)


def test_an_encoder_is_one_type_more(corpus):
    vectorizer = TextVectorizer(embeddings=Embeddings(FakeEncoder()), random_state=0)
    data = skops.io.dumps(vectorizer.fit(corpus[0]))
    trusted = skops.io.get_untrusted_types(data=data)
    assert trusted == ["sktextcnn.Embeddings", *TRUSTED[1:], "tests.fake_encoders.FakeEncoder"]
    loaded = skops.io.loads(data, trusted=trusted)
    np.testing.assert_array_equal(loaded.embedding_matrix_, vectorizer.embedding_matrix_)
