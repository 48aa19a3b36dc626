"""Explanations: sums that are the logits, and places in the text as it was written."""

import copy
import re
import sys
from collections import Counter

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer, explain, top_filters, top_ngrams
from sktextcnn._inspection import explainer, max_windows
from sktextcnn._inspection.word_vectors import word_vectors
from sktextcnn._text.offsets import token_finder

# Of the network alone; tests/wide has explanations of both parts.
SMALL = {
    "num_filters": 6,
    "max_epochs": 2,
    "wide": False,
    "random_state": 0,
    "learning_rate": 3e-3,
}
ODD = ["", "  \n ", "zzyzx", "array", "a b", "the THE the", "word " * 200]


def make_model(embeddings=None, vectorizer=None, **params):
    return make_pipeline(
        TextVectorizer(embeddings=embeddings, random_state=0, **(vectorizer or {})),
        TextCNNClassifier(**{**SMALL, **params}),
    )


@pytest.fixture(scope="module")
def plain(corpus):
    return make_model().fit(*corpus)


@pytest.fixture(scope="module")
def hidden(two_classes):
    return make_model(hidden_units=3).fit(*two_classes)


# The sum ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"kernel_sizes": (1, 7)},
        {"finetune": False},
        {"finetune": "multichannel"},
        {"activation": "tanh"},
        {"activation": "sigmoid"},
        {"activation": "identity"},
        {"convolution": "dense"},
        {"pool_size": 4},
        {"pool_size": 3, "kernel_sizes": (1, 7), "vectorizer": {"padding": "pre"}},
        {"vectorizer": {"padding": "pre", "truncating": "pre", "max_length": 8}},
        {"vectorizer": {"stop_words": "english", "min_df": 2}},
        {"vectorizer": {"analyzer": "char"}},
    ],
)
def test_contributions_sum_to_the_logits(corpus, vectors_file, params):
    texts, labels = corpus
    vectors = vectors_file if "analyzer" not in params.get("vectorizer", {}) else None
    model = make_model(vectors, **params).fit(texts, labels)
    asked = [*texts[:30], *ODD]
    expected = model.decision_function(asked)
    probabilities = model.predict_proba(asked)
    for i, explanation in enumerate(explain(model, asked)):
        assert explanation.method == "exact"
        np.testing.assert_allclose(explanation.logits, expected[i], atol=1e-5)
        np.testing.assert_allclose(explanation.probabilities, probabilities[i], atol=1e-5)
        for part, rest in (
            (explanation.contributions, explanation.remainder),
            (explanation.token_contributions, explanation.token_remainder),
        ):
            np.testing.assert_allclose(part.sum(axis=0) + rest, explanation.logits, atol=1e-9)
        assert explanation.prediction == model.predict([asked[i]])[0]


def test_two_classes_and_many_labels(two_classes):
    texts, labels = two_classes
    model = make_model().fit(texts, labels)
    explanation = explain(model, texts[:1])[0]
    difference = explanation.logits[1] - explanation.logits[0]
    np.testing.assert_allclose(difference, model.decision_function(texts[:1])[0], atol=1e-5)
    np.testing.assert_allclose(explanation.evidence("torch"), -explanation.evidence("other"))
    indicator = np.stack([np.array(labels) == "torch", ["array" in t for t in texts]], axis=1)
    model = make_model().fit(texts, indicator.astype(int))
    for i, explanation in enumerate(explain(model, texts[:20])):
        np.testing.assert_allclose(
            explanation.logits, model.decision_function(texts[i : i + 1])[0], atol=1e-5
        )
        np.testing.assert_allclose(
            explanation.probabilities, model.predict_proba(texts[i : i + 1])[0], atol=1e-6
        )
        np.testing.assert_array_equal(
            np.isin([0, 1], explanation.prediction), model.predict(texts[i : i + 1])[0]
        )
        np.testing.assert_array_equal(explanation.evidence(1), explanation.contributions[:, 1])


@pytest.mark.parametrize("labels", ["five classes", "two classes", "multilabel"])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"architecture": "stacked"},
        {"hidden_units": 3},
        {"precision": "bfloat16"},
        {"vectorizer": {"max_length": 5, "padding": "pre", "truncating": "pre"}},
        {"architecture": "stacked", "vectorizer": {"max_length": 5, "padding": "pre"}},
    ],
)
def test_explanations_of_odd_texts_sum_to_the_logits(corpus, two_classes, labels, params):
    texts, y = two_classes if labels == "two classes" else corpus
    if labels == "multilabel":
        y = np.stack([np.array(y) == "torch", ["array" in t for t in texts]], axis=1).astype(int)
    # decision_function of a bfloat16 model is rounded.
    tolerance = 0.05 if "precision" in params else 1e-5
    model = make_model(**{"num_filters": 3, "max_epochs": 1, **params}).fit(texts[:80], y[:80])
    asked = [*ODD, "zzyzx qqq zzyzx", " ".join(texts[:9])]
    explanations = explain(model, asked)
    logits = np.array([explanation.logits for explanation in explanations])
    if labels == "two classes":
        logits = logits[:, 1] - logits[:, 0]
    np.testing.assert_allclose(logits, model.decision_function(asked), atol=tolerance)
    rows = np.asarray(model[0].transform(asked))
    for e, row in zip(explanations, rows, strict=True):
        n_tokens, n_classes = np.count_nonzero(row), len(model[-1].classes_)
        assert e.tokens == tuple(e.text[a:b].lower() for a, b in e.token_spans)
        assert e.token_spans.shape == (n_tokens, 2)
        assert e.token_contributions.shape == (n_tokens, n_classes)
        assert e.contributions.shape == (len(e.spans), n_classes)
        assert e.span_tokens.shape == e.spans.shape
        assert (e.span_tokens[:, 0] < e.span_tokens[:, 1]).all()
        for part, rest in (
            (e.contributions, e.remainder),
            (e.token_contributions, e.token_remainder),
        ):
            np.testing.assert_allclose(part.sum(axis=0) + rest, e.logits, atol=1e-9)
        assert len(e.spans) > 0 or n_tokens == 0
        assert e.top(n=1) == e.top()[:1]
        assert e.to_html()
        assert e.to_ansi()


def squeezed(text):
    return text.lower().replace("the ", "")


def halves(text):
    return [half for word in text.split() for half in (word[:2], word[2:])]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"lowercase": False},
        {"strip_accents": "ascii"},
        {"token_pattern": r"(\w)\w*|\s"},
        {"stop_words": "english"},
        {"stop_words": ["the", "of"], "max_length": 3, "truncating": "pre"},
        {"analyzer": "char", "max_length": 11, "padding": "pre"},
        {"tokenizer": "treebank", "max_length": 4, "padding": "pre", "truncating": "pre"},
        {"tokenizer": halves, "stop_words": ["th"]},
        {"preprocessor": squeezed},
        {"strip_accents": squeezed},
        {"analyzer": halves, "max_features": 30},
    ],
)
@pytest.mark.filterwarnings("ignore:Your stop_words may be inconsistent")
def test_what_is_explained_is_what_transform_returns(corpus, settings):
    texts, labels = corpus
    model = make_model(vectorizer=settings, num_filters=2, max_epochs=1).fit(texts, labels)
    asked = [
        *texts[:30],
        *ODD,
        "ΟΔΟΣ, İ ﬁlm cafe\u0301 'tis <unk> <pad>",
        "don't\x00 do\u200b\ud800",
    ]
    rows = np.asarray(model[0].transform(asked))
    explanations = explain(model, asked)
    for explanation, row in zip(explanations, rows, strict=True):
        ids = [model[0].vocabulary_.get(token, 1) for token in explanation.tokens]
        assert ids == row[row != 0].tolist()
    logits = [explanation.logits for explanation in explanations]
    np.testing.assert_allclose(logits, model.decision_function(asked), atol=1e-5)


def test_batches_do_not_matter(plain, corpus, monkeypatch):
    asked = [*corpus[0][:40], *ODD]
    expected = explain(plain, asked)
    monkeypatch.setattr(explainer, "_TEXTS_AT_ONCE", 7)
    for tokens_at_once in (1, 50):
        monkeypatch.setattr(max_windows, "_TOKENS_AT_ONCE", tokens_at_once)
        for found, e in zip(explain(plain, iter(asked)), expected, strict=True):
            assert (found.text, found.tokens) == (e.text, e.tokens)
            np.testing.assert_array_equal(found.spans, e.spans)
            for name in ("logits", "contributions", "token_contributions", "token_remainder"):
                np.testing.assert_allclose(getattr(found, name), getattr(e, name), atol=1e-12)
    assert explain(plain, []) == []


def test_it_computes_in_one_thread_and_leaves_the_setting(plain, hidden, monkeypatch):
    n_threads = torch.get_num_threads()
    seen = []

    def vectors(*args):
        seen.append(torch.get_num_threads())
        return word_vectors(*args)

    for module in ("max_windows", "gradients"):
        monkeypatch.setattr(f"sktextcnn._inspection.{module}.word_vectors", vectors)
    torch.set_num_threads(2)
    try:
        explain(plain, ["array"])
        top_ngrams(plain, ["array"])
        top_filters(plain, ["array"], "torch")
        assert torch.get_num_threads() == 2
        assert seen == [1, 1, 1]
        explain(hidden, ["array"])
        assert seen[-1] == 1
    finally:
        torch.set_num_threads(n_threads)


def test_the_first_of_equal_windows_counts(plain):
    # Windows inside of the text are equal, and so are those of unknown words.
    for word in ("array", "zzyzx"):
        explanation = explain(plain, [" ".join([word] * 12)])[0]
        sizes = explanation.span_tokens[:, 1] - explanation.span_tokens[:, 0]
        inside = (explanation.span_tokens[:, 0] > 0) & (explanation.span_tokens[:, 1] < 12)
        assert not inside.any()
        assert sizes.max() <= 5


def by_loops(model, text):
    """What each n-gram and each token adds, by plain loops over the weights."""
    vectorizer, classifier = model[0], model[-1]
    state = {k: v.double().numpy() for k, v in classifier.net_.module_.state_dict().items()}
    ids = [i for i in vectorizer.transform([text])[0].tolist() if i]
    head, n_classes = state["head.1.weight"], len(classifier.classes_)
    spans, tokens = {}, np.zeros((len(ids), n_classes))
    column = 0
    for number in range(len(classifier.net_.module_.convs)):
        kernel, bias = state[f"convs.{number}.weight"], state[f"convs.{number}.bias"]
        size = kernel.shape[2]
        for f in range(len(kernel)):
            best, where, parts = -np.inf, None, None
            for start in range(-(size - 1), len(ids)):
                products = {
                    start + j: float(state["embedding.weight"][ids[start + j]] @ kernel[f, :, j])
                    for j in range(size)
                    if 0 <= start + j < len(ids)
                }
                if sum(products.values()) > best:
                    best, where, parts = sum(products.values()), start, products
            if best + bias[f] > 0:
                key = (max(where, 0), min(where + size, len(ids)))
                spans[key] = spans.get(key, 0) + head[:, column] * (best + bias[f])
                for token, product in parts.items():
                    tokens[token] += head[:, column] * product
            column += 1
    return spans, tokens


def test_the_terms_are_those_of_a_network_in_loops(corpus, vectors_file):
    texts, labels = corpus
    model = make_model(vectors_file).fit(texts, labels)
    for text in texts[:10]:
        explanation = explain(model, [text])[0]
        spans, tokens = by_loops(model, text)
        np.testing.assert_allclose(explanation.token_contributions, tokens, atol=1e-9)
        places = explanation.token_spans
        expected = {}
        for (first, last), terms in spans.items():
            key = (places[first][0], places[last - 1][1])
            expected[key] = expected.get(key, 0) + terms
        found = {}
        for span, terms in zip(explanation.spans.tolist(), explanation.contributions, strict=True):
            found[tuple(span)] = found.get(tuple(span), 0) + terms
        for key, terms in found.items():
            np.testing.assert_allclose(terms, expected.pop(key, 0), atol=1e-9)
        assert not expected


def test_the_terms_of_a_long_text_are_those_of_its_regions(corpus):
    long = make_model(pool_size=5).fit(*corpus)
    whole = copy.deepcopy(long)
    whole[-1].net_.module_.pool_size = None
    text = "returns an array of the same shape and type as a given array"
    words = text.split(" ")
    parts = [" ".join(words[at : at + 5]) for at in (0, 5, 10)]
    (explanation,), regions = explain(long, [text]), explain(whole, parts)
    shares = [len(region.token_spans) for region in regions]
    shares = np.array(shares) / sum(shares)
    assert len(explanation.token_spans) == len(words)
    np.testing.assert_allclose(
        explanation.logits, shares @ [region.logits for region in regions], atol=1e-12
    )
    found, expected = Counter(), Counter()
    for span, terms in zip(explanation.spans.tolist(), explanation.contributions, strict=True):
        found[text[slice(*span)]] += terms[0]
    for share, part, region in zip(shares, parts, regions, strict=True):
        for span, terms in zip(region.spans.tolist(), region.contributions, strict=True):
            expected[part[slice(*span)]] += share * terms[0]
    assert found == pytest.approx(expected, abs=1e-9)


# Where it lies ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "text", "expected"),
    [
        ({}, "It's NOT a Gem, don't!", ["It", "'s", "NOT", "a", "Gem", ",", "do", "n't", "!"]),
        ({"strip_accents": "unicode"}, "Un CAFÉ cafe\u0301 ﬁn", ["Un", "CAFÉ", "cafe\u0301", "ﬁn"]),
        ({"strip_accents": "ascii"}, "naïve ﬁlm 中 x", ["naïve", "ﬁlm", "x"]),
        ({}, "İstanbul 👍🏽 ok", ["İstanbul", "👍🏽", "ok"]),
        ({"normalize": None}, "ΟΔΟΣ, İ", ["ΟΔΟΣ", ",", "İ"]),
        ({}, "ΟΔΟΣ, I\u0307X I\u0307", ["ΟΔΟΣ", ",", "I\u0307X", "I\u0307"]),
        (
            {},
            "Don’t co\xadoperate, cafe\u0301!",
            ["Do", "n’t", "co\xadoperate", ",", "cafe\u0301", "!"],
        ),
        ({}, "\ufeff하\u11abx हिन्दी ሰላም፡ለ", ["하\u11abx", "हिन्दी", "ሰላም", "ለ"]),
        ({}, "x o\u0323\u0301\u0302y", ["x", "o\u0323\u0301\u0302y"]),
        ({"strip_accents": "unicode"}, "Ο ΛΌΓΟΣ ΤΟΎ", ["Ο", "ΛΌΓΟΣ", "ΤΟΎ"]),
        ({"analyzer": "char"}, "ΟΣ İ e\u0301\xadx", ["Ο", "Σ", " ", "İ", " ", "e\u0301", "x"]),
        ({"normalize": None, "analyzer": "char"}, "Σ İ", ["Σ", " ", "İ", "İ"]),
        ({"stop_words": ["a", "the"]}, "The gem a GEM the", ["gem", "GEM"]),
        ({"analyzer": "char"}, "A  \n b", ["A", " ", "b"]),
        ({"tokenizer": "treebank"}, 'He said: "Don\'t (go)."', None),
        ({"tokenizer": "wordpunct"}, "Hi, you.", ["Hi", ",", "you", "."]),
        ({"token_pattern": r"(?u)#(\w+)"}, "x #one y #Two", ["one", "Two"]),
        ({"preprocessor": str.upper}, "some thing", ["some", "thing"]),
        ({"strip_accents": lambda s: s.replace("ß", "ss" * 9)}, "a straße", ["a", "straße"]),
        ({"tokenizer": str.split}, " some  thing ", ["some", "thing"]),
        ({"analyzer": str.split}, " Some  thing ", ["Some", "thing"]),
    ],
)
@pytest.mark.filterwarnings("ignore:The parameter 'token_pattern' will not be used")
def test_tokens_are_found_where_they_were_written(params, text, expected):
    vectorizer = TextVectorizer(**params).fit([text])
    found = token_finder(vectorizer._analysis())(text)
    assert [token for token, _, _ in found] == vectorizer.inverse_transform(
        vectorizer.transform([text])
    )[0]
    pieces = [text[start:end] for _, start, end in found]
    if expected is None:
        assert pieces == ["He", "said", ":", '"', "Do", "n't", "(", "go", ")", ".", '"']
    else:
        assert pieces[: len(expected)] == expected


def test_tokens_lie_in_order_in_real_texts(corpus):
    texts, _ = corpus
    vectorizer = TextVectorizer().fit(texts)
    for text in texts:
        found = token_finder(vectorizer._analysis())(text)
        for token, start, end in found:
            assert text[start:end].lower() == token
        places = [place for _, start, end in found for place in (start, end)]
        assert places == sorted(places)
        rest = re.sub(r"\s", "", text)
        assert sum(end - start for _, start, end in found) == len(rest)


def test_tokens_beyond_the_length_are_not_explained(corpus):
    texts, labels = corpus
    for truncating, kept in (("post", ["array", "of"]), ("pre", ["the", "tensor"])):
        model = make_model(vectorizer={"max_length": 2, "truncating": truncating})
        explanation = explain(model.fit(texts, labels), ["array of the tensor"])[0]
        assert list(explanation.tokens) == kept
        assert [explanation.text[a:b] for a, b in explanation.token_spans] == kept


# Other networks -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        {"hidden_units": 4},
        {"hidden_units": 4, "finetune": "multichannel"},
        {"architecture": "stacked", "num_filters": 4},
        {"architecture": "stacked", "vectorizer": {"padding": "pre"}},
    ],
)
def test_integrated_gradients_explain_the_rest(two_classes, vectors_file, params):
    texts, labels = two_classes
    model = make_model(vectors_file, **params).fit(texts, labels)
    asked = [*texts[:4], "", "array"]
    expected = model.decision_function(asked)
    empty = explain(model, [""])[0]
    before = {k: v.clone() for k, v in model[-1].net_.module_.state_dict().items()}
    for i, explanation in enumerate(explain(model, asked)):
        assert explanation.method == "integrated gradients"
        logits = explanation.logits
        np.testing.assert_allclose(logits[1] - logits[0], expected[i], atol=1e-5)
        total = explanation.contributions.sum(axis=0) + explanation.remainder
        np.testing.assert_allclose(total, logits, atol=1e-9)
    # Zero vectors, from which the path begins, are those of an empty text for "kim".
    if "architecture" not in params:
        for explanation in explain(model, texts[:3]):
            np.testing.assert_allclose(explanation.remainder, empty.logits, atol=0.05)
    for name, value in model[-1].net_.module_.state_dict().items():
        assert (value == before[name]).all()


def test_integrated_gradients_of_a_linear_network_are_exact(corpus, vectors_file):
    texts, labels = corpus
    model = make_model(vectors_file, kernel_sizes=(1,), activation="identity").fit(texts, labels)
    text = "array"
    exact, path = (
        explain(model, [text])[0],
        explain(model, [text], method="integrated gradients")[0],
    )
    np.testing.assert_allclose(path.token_contributions, exact.token_contributions, atol=1e-9)


def test_integrated_gradients_of_long_texts_take_bounded_memory(hidden, corpus, monkeypatch):
    text = min(corpus[0][:50], key=len)
    (expected,) = explain(hidden, [text])
    tokens = []
    network = hidden[-1].net_.module_
    forward = type(network).forward

    def counted(self, ids):
        tokens.append(int((ids != 0).sum()))
        return forward(self, ids)

    monkeypatch.setattr(type(network), "forward", counted)
    monkeypatch.setattr("sktextcnn._inspection.gradients._TOKENS_AT_ONCE", 100)
    (found,) = explain(hidden, [text])
    assert max(tokens) <= 100
    np.testing.assert_allclose(found.token_contributions, expected.token_contributions, atol=1e-12)


def test_captum_is_named_where_it_is_missing(hidden, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(ImportError, match=r"pip install 'sktextcnn\[explain\]'"):
        explain(hidden, ["array"])


# What is refused ----------------------------------------------------------------------


def test_a_search_is_explained_by_its_best_model(corpus):
    texts, labels = corpus
    search = GridSearchCV(make_model(), {"textcnnclassifier__dropout": [0.1]}, cv=2)
    search.fit(texts[:40], labels[:40])
    assert explain(search, ["array"])[0].prediction == search.predict(["array"])[0]


def test_odd_requests_are_refused(corpus, plain, hidden):
    texts, labels = corpus
    with pytest.raises(NotFittedError):
        explain(make_model(), texts)
    with pytest.raises(TypeError, match=r"explain takes a Pipeline .* got Pipeline of CountVec"):
        explain(make_pipeline(CountVectorizer()), texts)
    with pytest.raises(TypeError, match="got TextCNNClassifier"):
        explain(TextCNNClassifier(), texts)
    search = GridSearchCV(make_model(max_epochs=1), {}, cv=2, refit=False)
    for each in (search, search.fit(texts[:40], labels[:40])):
        with pytest.raises(NotFittedError, match=r"explain takes the best model .* refit=True"):
            explain(each, texts)
    with pytest.raises(ValueError, match="method='exact' is for architecture='kim' without hidden"):
        explain(hidden, texts, method="exact")
    with pytest.raises(ValueError, match="method must be 'auto'"):
        explain(hidden, texts, method="lime")
    with pytest.raises(TypeError, match="a single str"):
        explain(plain, "array")
    with pytest.raises(TypeError, match="Text 1"):
        explain(plain, ["array", None])
    explanation = explain(plain, ["array"])[0]
    for label in ("nonsense", 0, ["torch"], ("torch",)):
        with pytest.raises(ValueError, match=r"label=.* is not one of the classes \['"):
            explanation.evidence(label)
    with pytest.raises(ValueError, match="n == -1, must be >= 0"):
        explanation.top(n=-1)
    with pytest.raises(TypeError, match="n must be an instance of int, not float"):
        explanation.top(n=2.5)
    with pytest.raises(ValueError, match="by must be 'span' or 'token'; got 'word'"):
        explanation.top(by="word")


def test_the_largest_evidence_comes_first(corpus, vectors_file):
    texts, labels = corpus
    model = make_model(vectors_file).fit(texts, labels)
    explanation = explain(model, texts[:1])[0]
    for by, values in (
        ("span", explanation.contributions),
        ("token", explanation.token_contributions),
    ):
        top = explanation.top(explanation.classes[2], n=3, by=by)
        sizes = [abs(value) for _, value in top]
        assert sizes == sorted(sizes, reverse=True)
        others = values[:, [0, 1, 3, 4]].mean(axis=1)
        np.testing.assert_allclose(sizes[0], np.abs(values[:, 2] - others).max())
        assert all(piece in texts[0] for piece, _ in top)
    assert explanation.top()[0] == explanation.top(explanation.prediction)[0]
