"""What a model has learned, held against its explanations and its weights."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sktextcnn import (
    TextCNNClassifier,
    TextVectorizer,
    explain,
    nearest_words,
    top_filters,
    top_ngrams,
)


@pytest.fixture(scope="module")
def model(corpus, vectors_file):
    texts, labels = corpus
    return make_pipeline(
        TextVectorizer(embeddings=vectors_file, random_state=0),
        TextCNNClassifier(num_filters=6, max_epochs=12, random_state=0, learning_rate=3e-3),
    ).fit(texts, labels)


def test_ngrams_add_up_to_the_explanations(model, corpus):
    texts = corpus[0][:50]
    found = top_ngrams(model, texts, n=10**6)
    explanations = explain(model, texts)
    assert list(found) == model[-1].classes_.tolist()
    for label, ngrams in found.items():
        total = sum(explanation.evidence(label).sum() for explanation in explanations)
        np.testing.assert_allclose(sum(ngram.total for ngram in ngrams), total)
        assert [n.total for n in ngrams] == sorted((n.total for n in ngrams), reverse=True)
        assert sum(n.count for n in ngrams) == sum(len(e.spans) for e in explanations)
        np.testing.assert_allclose(ngrams[0].mean * ngrams[0].count, ngrams[0].total)


def test_ngrams_of_one_class_are_those_of_all(model, corpus):
    found = top_ngrams(model, corpus[0][:50], "torch", n=8)
    assert found == {"torch": top_ngrams(model, corpus[0][:50], n=8)["torch"]}
    assert all(ngram.total > 0 for ngram in found["torch"])


def test_filters_fire_as_the_network_says(model, corpus):
    import torch

    texts = corpus[0][:60]
    network = model[-1].net_.module_
    with torch.no_grad():
        features = network.features(torch.tensor(np.asarray(model[0].transform(texts))))
    for filter_ in top_filters(model, texts, "torch", n_filters=18, n=3):
        values = features[:, filter_.index].numpy()
        assert filter_.kernel_size == (3, 4, 5)[filter_.index // 6]
        activations = [value for _, value in filter_.ngrams]
        np.testing.assert_allclose(activations[0], values.max(), atol=1e-5)
        assert activations == sorted(activations, reverse=True)
        assert len(filter_.ngrams[0][0].split()) <= filter_.kernel_size
    weight = network.head[-1].weight.detach().numpy()
    row = model[-1].classes_.tolist().index("torch")
    expected = weight[row] - np.delete(weight, row, axis=0).mean(axis=0)
    np.testing.assert_allclose(filter_.weight, expected[filter_.index], atol=1e-6)


def test_neighbours_before_are_those_of_gensim(model, vectors_file):
    from gensim.models import KeyedVectors

    vectors = KeyedVectors.load_word2vec_format(vectors_file)
    (found,) = nearest_words(model, ["array"], n=5).values()
    known = set(model[0].vocabulary_) & set(vectors.key_to_index)
    drawn = set(model[0].vocabulary_) - known
    expected = [w for w, _ in vectors.most_similar("array", topn=2000) if w in known]
    ours = [word for word, _ in found.before if word not in drawn]
    assert ours == expected[: len(ours)]
    assert ours


def test_neighbours_after_are_those_of_the_tuned_vectors(model):
    (found,) = nearest_words(model, ["array"], n=3).values()
    rows = model[-1].net_.module_.embedding.weight.detach().numpy()
    word = rows[model[0].vocabulary_["array"]]
    for name, cosine in found.after:
        other = rows[model[0].vocabulary_[name]]
        expected = word @ other / np.linalg.norm(word) / np.linalg.norm(other)
        np.testing.assert_allclose(cosine, expected, atol=1e-5)
    assert found.before != found.after


def test_odd_requests_are_refused(model, corpus):
    texts, labels = corpus
    with pytest.raises(ValueError, match="'zzyzx' is not in the vocabulary"):
        nearest_words(model, ["zzyzx"])
    with pytest.raises(TypeError, match="words must be an iterable of words"):
        nearest_words(model, "array")
    with pytest.raises(ValueError, match="label='nonsense' is not one of the classes"):
        top_filters(model, texts, "nonsense")
    with pytest.raises(ValueError, match="label='nonsense' is not one of the classes"):
        top_ngrams(model, texts, "nonsense")
    hidden = make_pipeline(
        TextVectorizer(), TextCNNClassifier(hidden_units=2, max_epochs=1, num_filters=2)
    ).fit(texts, labels)
    with pytest.raises(ValueError, match="top_filters is for architecture='kim' without hidden"):
        top_filters(hidden, texts, "torch")
    with pytest.raises(ValueError, match="method='exact' is for architecture='kim'"):
        top_ngrams(hidden, texts)
    with pytest.raises(ValueError, match="compares with the vectors of the vectorizer, which has"):
        nearest_words(hidden, ["array"])
