"""What save refuses, with a remedy that works, and what load does."""

import os

import numpy as np
import pytest
from safetensors.numpy import save as save_tensors
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer
from tests.fake_encoders import FakeEncoder
from tests.files.model_helpers import make_model


def shout(text):
    return text.upper().split()


def test_functions_are_refused_or_given_again(corpus, path):
    texts, labels = corpus
    model = make_model().set_params(textvectorizer__tokenizer=shout, textvectorizer__lowercase=True)
    model.fit(texts, labels)
    with pytest.raises(TypeError, match=r"textvectorizer__tokenizer is a function.*omit=\['text"):
        sktextcnn.save(model, path)
    assert not path.exists()
    sktextcnn.save(model, path, omit=["textvectorizer__tokenizer"])
    with pytest.raises(ValueError, match=r"textvectorizer__tokenizer was omitted by save; give it"):
        sktextcnn.load(path)
    loaded = sktextcnn.load(path, params={"textvectorizer__tokenizer": shout})
    np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))
    with pytest.raises(ValueError, match=r"'tokenizer' parameter.*or look at what params gives"):
        sktextcnn.load(path, params={"textvectorizer__tokenizer": 5})
    with pytest.raises(ValueError, match="params has nonsense, which the file did not omit"):
        sktextcnn.load(path, params={"textvectorizer__tokenizer": shout, "nonsense": 1})


def test_classes_of_the_user_are_refused_or_given_again(corpus, path):
    import torch

    class BagOfWords(torch.nn.Module):
        def __init__(self, num_embeddings, embedding_dim, num_outputs):
            super().__init__()
            self.embedding = torch.nn.Embedding(num_embeddings, embedding_dim)
            self.head = torch.nn.Linear(embedding_dim, num_outputs)

        def forward(self, ids):
            return self.head(self.embedding(ids).mean(dim=1))

    X, y = TextVectorizer().fit_transform(corpus[0]), corpus[1]
    classifier = TextCNNClassifier(
        architecture=BagOfWords, optimizer=torch.optim.NAdam, max_epochs=1, random_state=0
    ).fit(X, y)
    given = {"architecture": BagOfWords, "optimizer": torch.optim.NAdam}
    with pytest.raises(TypeError, match="architecture is a type"):
        sktextcnn.save(classifier, path)
    sktextcnn.save(classifier, path, omit=given)
    loaded = sktextcnn.load(path, params=given)
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


def test_vectors_in_memory_are_refused_or_left_out(corpus, path):
    from gensim.models import Word2Vec

    texts, labels = corpus
    vectors = Word2Vec([text.lower().split() for text in texts], vector_size=4, min_count=1).wv
    model = make_model(vectors).fit(texts, labels)
    with pytest.raises(TypeError, match=r"textvectorizer__embeddings is a .*KeyedVectors"):
        sktextcnn.save(model, path)
    sktextcnn.save(model, path, omit=["textvectorizer__embeddings"])
    loaded = sktextcnn.load(path, params={"textvectorizer__embeddings": None})
    np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))


def test_encoders_are_refused_or_left_out_alone_and_in_lists(corpus, vectors_file, path):
    for embeddings in (FakeEncoder(), [vectors_file, Embeddings(FakeEncoder(), width=2)]):
        vectorizer = TextVectorizer(embeddings=embeddings, random_state=0).fit(corpus[0])
        with pytest.raises(TypeError, match=r"^embeddings is a .*FakeEncoder"):
            sktextcnn.save(vectorizer, path)
        sktextcnn.save(vectorizer, path, omit=["embeddings"])
        loaded = sktextcnn.load(path, params={"embeddings": embeddings})
        np.testing.assert_array_equal(loaded.embedding_matrix_, vectorizer.embedding_matrix_)


def test_what_names_a_pickle_is_refused(corpus, path, tmp_path):
    texts, labels = corpus
    cached = make_model().set_params(memory=str(tmp_path / "cache")).fit(texts, labels)
    with pytest.raises(TypeError, match=r"^memory names '.*cache', where a later fit would load"):
        sktextcnn.save(cached, path)
    cached.set_params(memory=None, textcnnclassifier__pretrained="old.joblib")
    with pytest.raises(TypeError, match="textcnnclassifier__pretrained names 'old"):
        sktextcnn.save(cached, path)
    assert not path.exists()


def test_other_models_are_refused(corpus, path):
    texts, labels = corpus
    with pytest.raises(NotFittedError):
        sktextcnn.save(make_model(), path)
    for other in (CountVectorizer(), make_pipeline(CountVectorizer()), None):
        with pytest.raises(TypeError, match=r"save takes a TextVectorizer.* got (Count|None)"):
            sktextcnn.save(other, path)
    search = GridSearchCV(make_model(), {"textcnnclassifier__dropout": [0.1]}, cv=2)
    with pytest.raises(TypeError, match="Save its best_estimator_"):
        sktextcnn.save(search.fit(texts[:60], labels[:60]), path)
    sktextcnn.save(search.best_estimator_, path)
    with pytest.raises(ValueError, match="omit names nonsense, which is not a parameter"):
        sktextcnn.save(search.best_estimator_, path, omit="nonsense")


def test_what_is_no_model_file_is_refused(model, tmp_path, path):
    import joblib

    with pytest.raises(FileNotFoundError, match=r"There is no model file"):
        sktextcnn.load(path)
    joblib.dump(model, path)
    with pytest.raises(ValueError, match=r"not a model file of sktextcnn.*use joblib\.load"):
        sktextcnn.load(path)
    path.write_bytes(save_tensors({"x": np.ones(3)}))
    with pytest.raises(ValueError, match=r"not a model file of sktextcnn"):
        sktextcnn.load(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="truncated"):
        sktextcnn.load(path)
    with pytest.raises(ValueError, match="is not a file"):
        sktextcnn.load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is not a file"):
        sktextcnn.load(tmp_path / "pipe")
