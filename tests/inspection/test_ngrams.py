"""N-grams, filters and neighbours, against explanations, loops over the weights and gensim."""

import copy
import re
from collections import Counter

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
        TextCNNClassifier(
            num_filters=6, max_epochs=12, wide=False, random_state=0, learning_rate=3e-3
        ),
    ).fit(texts, labels)


def by_loops(model, text):
    """The activation of each filter and the n-gram that it is from, window by window."""
    state = {k: v.double().numpy() for k, v in model[-1].net_.module_.state_dict().items()}
    tokens = model[0].inverse_transform(model[0].transform([text]))[0]
    vectors = [state["embedding.weight"][model[0].vocabulary_.get(t, 1)] for t in tokens]
    found = []
    for number in range(len(model[-1].net_.module_.convs)):
        kernel, bias = state[f"convs.{number}.weight"], state[f"convs.{number}.bias"]
        size = kernel.shape[2]
        padding = [np.zeros(kernel.shape[1])] * (size - 1)
        padded = [*padding, *vectors, *padding]
        for f in range(len(kernel)):
            values = [
                sum(padded[start + j] @ kernel[f, :, j] for j in range(size))
                for start in range(len(padded) - size + 1)
            ]
            best = int(np.argmax(values))
            window = [*["<s>"] * (size - 1), *tokens, *["</s>"] * (size - 1)][best : best + size]
            ngram = re.sub(r"(<s> )+", "<s> ", " ".join(window))
            ngram = re.sub(r"( </s>)+", " </s>", ngram)
            found.append((ngram, max(values[best] + bias[f], 0)))
    return found


def test_ngrams_of_a_long_text_are_those_of_its_regions(model):
    long = copy.deepcopy(model)
    long[-1].net_.module_.pool_size = 4
    words = ["returns", "an", "array", "of", "the", "same", "shape"]
    parts = [" ".join(words[at : at + 4]) for at in (0, 4)]
    label = model[-1].classes_[0]
    expected = Counter()
    for share, part in zip((4 / 7, 3 / 7), parts, strict=True):
        for ngram in top_ngrams(model, [part], label, n=10**6)[label]:
            # The second region does not begin the text, and the first one does not end it.
            outside = " </s>" if part is parts[0] else "<s> "
            expected[ngram.text.replace(outside, "")] += share * ngram.total
    found = {
        ngram.text: ngram.total
        for ngram in top_ngrams(long, [" ".join(words)], label, n=10**6)[label]
    }
    assert found == pytest.approx(expected, abs=1e-9)
    (first,) = top_filters(long, [" ".join(words)], label, n_filters=1, n=9)
    assert 1 <= len(first.ngrams) <= 2


def test_ngrams_are_those_of_a_network_in_loops(model, corpus):
    texts = [*corpus[0][:20], "zzyzx", "array of zzyzx", ""]
    weight = model[-1].net_.module_.head[-1].weight.detach().double().numpy()
    totals, counts = {}, Counter()
    for text in texts[:-1]:
        found = by_loops(model, text)
        for f, (ngram, activation) in enumerate(found):
            totals[ngram] = totals.get(ngram, 0) + weight[:, f] * activation
        counts.update({ngram for ngram, activation in found if activation > 0})
    assert counts["<s> <unk> </s>"] == 1
    for column, (label, ngrams) in enumerate(top_ngrams(model, texts, n=10**6).items()):
        assert label == model[-1].classes_[column]
        assert {ngram.text: ngram.count for ngram in ngrams} == counts
        for ngram in ngrams:
            terms = totals[ngram.text]
            expected = terms[column] - np.delete(terms, column).mean()
            np.testing.assert_allclose(ngram.total, expected, atol=1e-9)
            np.testing.assert_allclose(ngram.mean, expected / ngram.count, atol=1e-9)
        assert [n.total for n in ngrams] == sorted((n.total for n in ngrams), reverse=True)


def test_ngrams_add_up_to_the_explanations(model, corpus):
    texts = corpus[0][:50]
    explanations = explain(model, texts)
    for label, ngrams in top_ngrams(model, texts, n=10**6).items():
        total = sum(explanation.evidence(label).sum() for explanation in explanations)
        np.testing.assert_allclose(sum(ngram.total for ngram in ngrams), total)


def test_ngrams_are_sorted_by_their_mean(model, corpus):
    every = top_ngrams(model, corpus[0], "torch", n=10**6)["torch"]
    found = top_ngrams(model, corpus[0], "torch", n=10**6, sort_by="mean", min_count=3)["torch"]
    assert set(found) == {ngram for ngram in every if ngram.count >= 3}
    assert [n.mean for n in found] == sorted((n.mean for n in found), reverse=True)


def test_ngrams_of_many_labels(corpus):
    texts, labels = corpus
    indicator = np.stack([np.array(labels) == "torch", ["array" in t for t in texts]], axis=1)
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(num_filters=3, max_epochs=2))
    model.fit(texts, indicator.astype(int))
    totals = sum(each.contributions.sum(axis=0) for each in explain(model, texts[:30]))
    for label, ngrams in top_ngrams(model, texts[:30], n=10**6).items():
        np.testing.assert_allclose(sum(ngram.total for ngram in ngrams), totals[label])
    weight = model[-1].net_.module_.head[-1].weight.detach().numpy()
    for filter_ in top_filters(model, texts[:30], 1, n_filters=9):
        np.testing.assert_allclose(filter_.weight, weight[1, filter_.index], atol=1e-6)


def test_ngrams_of_one_class_are_those_of_all(model, corpus):
    found = top_ngrams(model, corpus[0][:50], "torch", n=8)
    assert found == {"torch": top_ngrams(model, corpus[0][:50], n=8)["torch"]}
    assert all(ngram.total > 0 for ngram in found["torch"])


def test_activations_of_filters_are_those_of_the_network(model, corpus):
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
        words = set(filter_.ngrams[0][0].split()) - {"<s>", "</s>"}
        assert 1 <= len(words) <= filter_.kernel_size
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
        top_ngrams(model, [], "nonsense")
    with pytest.raises(TypeError, match="a single str"):
        top_ngrams(model, "array")
    with pytest.raises(TypeError, match="Text 1001 "):
        top_ngrams(model, [*["array"] * 1001, None])
    with pytest.raises(ValueError, match="sort_by must be 'total' or 'mean'; got 'count'"):
        top_ngrams(model, texts, sort_by="count")
    with pytest.raises(ValueError, match="min_count == 0, must be >= 1"):
        top_ngrams(model, texts, min_count=0)
    for draw in (top_ngrams, top_filters, lambda *args, n: nearest_words(model, ["array"], n=n)):
        with pytest.raises(ValueError, match="n == -1, must be >= 0"):
            draw(model, texts, "torch", n=-1)
    with pytest.raises(TypeError, match="n_filters must be an instance of int, not float"):
        top_filters(model, texts, "torch", n_filters=0.5)
    hidden = make_pipeline(
        TextVectorizer(), TextCNNClassifier(hidden_units=2, max_epochs=1, num_filters=2)
    ).fit(texts, labels)
    with pytest.raises(ValueError, match="top_filters is for architecture='kim' without hidden"):
        top_filters(hidden, texts, "torch")
    with pytest.raises(ValueError, match="top_ngrams is for architecture='kim' without hidden"):
        top_ngrams(hidden, texts)
    with pytest.raises(ValueError, match="compares with the vectors of the vectorizer, which has"):
        nearest_words(hidden, ["array"])
