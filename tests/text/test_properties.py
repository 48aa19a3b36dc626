"""Arbitrary texts, parameters and vectors: what holds of all of them."""

import pickle
import re
from collections import Counter

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from nltk import tokenize
from sklearn.base import clone
from sklearn.feature_extraction.text import (
    CountVectorizer,
    strip_accents_ascii,
    strip_accents_unicode,
)
from sklearn.pipeline import make_pipeline
from stop_words import get_stop_words

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer, TokenIds
from tests.text import by_hand

NLTK = {
    "treebank": tokenize.TreebankWordTokenizer,
    "tweet": tokenize.TweetTokenizer,
    "wordpunct": tokenize.WordPunctTokenizer,
}

ODD = [
    "",
    " \t\n\r\x0b\x0c\x1c\x85\xa0\u2028\u3000",
    "\0",
    "a\0b",
    "\ud83d\ude00",
    "\udfff\ud800x",
    "e\u0301\u0323o\u0323\u0301",
    "\u0301\u0345\u0301",
    "\u202eabc\u202c\u200f",
    "שָׁלוֹם",
    "צה״ל 'רח'",
    "об’єкт's",
    "हिन्दी",
    "می‌خواهم‌",
    "السّلام",
    "👩\u200d👩\u200d👧\u200d👦",
    "👍🏿🇩🇪1\ufe0f\u20e3",
    "don't can't n't 'tis it's'd",
    "İıßﬁΣΑΣ",
    "\ufeff\u200b\xad",
    "<unk> <pad>",
    "&#xD800;&#99999999;&nbsp;",
    "http://a.b/c?d=e @you #tag :-) <3",
    "1,000.50 - _ -- ... !!!",
    "한국어 マット 我喜欢",
    "x" * 90,
]
PLAIN = ["film", "gem", "dull", "a", "of", "the", "so"]

pieces = st.one_of(
    st.sampled_from(PLAIN),
    st.sampled_from(ODD),
    st.text(st.characters(), max_size=6),
    st.text(st.characters(categories=["Cs", "Cc", "Cf", "Mn", "Zs", "Zl"]), max_size=6),
    st.text("n't s\u0301_-\n", max_size=9),
)
texts = st.builds(str.join, st.sampled_from([" ", " ", ""]), st.lists(pieces, max_size=9))
corpora = st.lists(texts, min_size=1, max_size=7)

# A million letters in `make soak`.
GIANT_LENGTH = 1_000_000 if settings.default.max_examples > 1_000 else 50_000
GIANT = [run * (GIANT_LENGTH // len(run)) for run in ("a", "n't", "\u0301\u0323", "👍", " ")]

thresholds = st.one_of(st.integers(1, 4), st.floats(0, 1))
vectorizer_params = st.fixed_dictionaries(
    {},
    optional={
        "lowercase": st.booleans(),
        "strip_accents": st.sampled_from([None, "ascii", "unicode"]),
        "tokenizer": st.sampled_from([None, None, *NLTK]),
        "stop_words": st.one_of(st.sampled_from([None, "english", "fr"]), st.lists(pieces)),
        "analyzer": st.sampled_from(["word", "word", "char"]),
        "min_df": thresholds,
        "max_df": thresholds,
        "max_features": st.one_of(st.none(), st.integers(1, 20)),
        "max_length": st.one_of(st.sampled_from([None, "auto"]), st.integers(1, 30)),
        "padding": st.sampled_from(["post", "pre"]),
        "truncating": st.sampled_from(["post", "pre"]),
    },
)


def analyzer_of(params):
    """The tokens of a text as scikit-learn and NLTK find them."""
    strip = {"ascii": strip_accents_ascii, "unicode": strip_accents_unicode}.get(
        params.get("strip_accents"), str
    )
    options = {
        "preprocessor": lambda text: by_hand.normalized(text, params.get("lowercase", True), strip),
        "tokenizer": by_hand.tokens,
        "token_pattern": None,
        **{name: params[name] for name in ("stop_words", "analyzer") if name in params},
    }
    if params.get("tokenizer"):
        options["tokenizer"] = NLTK[params["tokenizer"]]().tokenize
    if isinstance(options.get("stop_words"), list):
        options["stop_words"] = [
            by_hand.normalized(word, lowercase=False) for word in options["stop_words"]
        ]
    if options.get("stop_words") == "fr":
        # Cut by the same tokenizer, since those of French have apostrophes.
        analyze = CountVectorizer(**{**options, "stop_words": None}).build_analyzer()
        options["stop_words"] = [w for word in get_stop_words("fr") for w in analyze(word)]
    return CountVectorizer(**options).build_analyzer()


def words_by_hand(token_lists, params):
    """The vocabulary of tokenized texts, by counting."""
    counts = Counter(token for tokens in token_lists for token in tokens)
    frequency = Counter(token for tokens in token_lists for token in set(tokens))
    low, high = (
        df if isinstance(df, int) else df * len(token_lists)
        for df in (params.get("min_df", 1), params.get("max_df", 1.0))
    )
    kept = [token for token in counts if low <= frequency[token] <= high]
    return sorted(kept, key=lambda token: (-counts[token], token))[: params.get("max_features")]


def row_by_hand(tokens, vocabulary, width, params):
    """The ids of a text, by appending zeros."""
    ids = [vocabulary.get(token, 1) for token in tokens]
    ids = ids[:width] if params.get("truncating", "post") == "post" else ids[-width:]
    zeros = [0] * (width - len(ids))
    return ids + zeros if params.get("padding", "post") == "post" else zeros + ids


@given(corpora, corpora, vectorizer_params)
@example([*GIANT, "a film"], ["x" * GIANT_LENGTH], {})
@pytest.mark.filterwarnings("ignore:Your stop_words may be inconsistent")
def test_a_vectorizer_does_what_counting_and_padding_by_hand_does(fitted, others, params):
    analyze = analyzer_of(params)
    fitted_tokens, other_tokens = (list(map(analyze, some)) for some in (fitted, others))
    words = words_by_hand(fitted_tokens, params)
    vectorizer = TextVectorizer(**params)
    if not words:
        with pytest.raises(ValueError, match=r"The texts have no tokens|No word is left"):
            vectorizer.fit(fitted)
        return
    X = vectorizer.fit_transform(fitted)
    vocabulary = {word: i for i, word in enumerate(words, start=2)}
    assert vectorizer.vocabulary_ == vocabulary
    width = vectorizer.max_length_
    if params.get("max_length", "auto") not in ("auto", None):
        assert width == params["max_length"]
    for some, tokens in ((fitted, fitted_tokens), (others, other_tokens)):
        expected = [row_by_hand(tokens_, vocabulary, width, params) for tokens_ in tokens]
        for again in (vectorizer, vectorizer, pickle.loads(pickle.dumps(vectorizer))):
            np.testing.assert_array_equal(again.transform(some), expected)
        shown = vectorizer.inverse_transform(vectorizer.transform(some))
        names = [*[None, "<unk>"], *words]
        assert shown == [[names[i] for i in row if i] for row in expected]
    np.testing.assert_array_equal(X, vectorizer.transform(fitted))
    same = clone(vectorizer).set_params(vocabulary=words).fit(fitted)
    np.testing.assert_array_equal(same.transform(others), vectorizer.transform(others))
    for part in (X[:1], X[::-1], X[np.array([0])], X.copy(), pickle.loads(pickle.dumps(X))):
        assert isinstance(part, TokenIds)
        assert part.table is X.table
        assert part.dtype == np.int32


classifier_params = st.fixed_dictionaries(
    {
        "num_filters": st.integers(1, 4),
        "max_epochs": st.integers(1, 2),
        "embedding_dim": st.integers(1, 5),
        "random_state": st.integers(0, 2**32 - 1),
    },
    optional={
        "architecture": st.sampled_from(["kim", "stacked"]),
        "kernel_sizes": st.lists(st.integers(1, 9), min_size=1, max_size=3),
        "hidden_units": st.integers(0, 3),
        "activation": st.sampled_from(
            ["relu", "tanh", "gelu", "elu", "leaky_relu", "sigmoid", "identity"]
        ),
        "dropout": st.floats(0, 1, exclude_max=True),
        "token_dropout": st.floats(0, 1, exclude_max=True),
        "max_norm": st.one_of(st.none(), st.floats(0, 1e6, exclude_min=True)),
        "finetune": st.one_of(
            st.booleans(), st.integers(1, 3), st.sampled_from(["gradual", "multichannel"])
        ),
        "optimizer": st.sampled_from(["adam", "adamw", "adadelta", "adagrad", "rmsprop", "sgd"]),
        "learning_rate": st.floats(0, 1e9, exclude_min=True),
        "finetune_lr": st.one_of(st.none(), st.floats(0, 1e9, exclude_min=True)),
        "lr_schedule": st.sampled_from(["linear", "constant"]),
        "weight_decay": st.floats(0, 1),
        "batch_size": st.integers(1, 9),
        "shuffle": st.booleans(),
        "early_stopping": st.booleans(),
        "validation_fraction": st.floats(0.1, 0.9),
        "class_weight": st.sampled_from([None, "balanced", {"bad": 3.0}]),
        "precision": st.sampled_from(["float32", "bfloat16"]),
        "convolution": st.sampled_from(["lookup", "dense"]),
        "wide": st.booleans(),
    },
)
REFUSALS = (
    r"^Training diverged: .* Lower learning_rate=",
    r"^The outputs for text \d+ .* are not finite: .* Lower learning_rate=",
    r"^early_stopping=True cannot hold out validation_fraction=",
)


@pytest.fixture(scope="module")
def vectors():
    """Vectors of some of the words."""
    keyed = KeyedVectors(4, dtype=np.float32)
    keyed.add_vectors(PLAIN[:4], np.random.default_rng(0).normal(size=(4, 4)))
    return Embeddings(keyed)


@given(corpora, corpora, classifier_params, st.booleans(), st.data())
@pytest.mark.filterwarnings("ignore:finetune=", "ignore:.*of the tokens have (no|a) vector")
def test_a_model_is_refused_by_name_or_has_probabilities(
    vectors, fitted, others, params, has_vectors, data
):
    # Two texts that make every corpus one of two classes, and of a word that has a vector.
    fitted = [*fitted, "a film", "so dull"]
    labels = [
        *data.draw(
            st.lists(
                st.sampled_from(["good", "bad"]), min_size=len(fitted) - 2, max_size=len(fitted) - 2
            )
        ),
        "good",
        "bad",
    ]
    vectorizer = TextVectorizer(embeddings=vectors if has_vectors else None, random_state=0)
    model = make_pipeline(vectorizer, TextCNNClassifier(**params))
    texts = [*others, *fitted]
    refusal = None
    try:
        model.fit(fitted, labels)
        probabilities = model.predict_proba(texts)
    except ValueError as error:
        refusal = str(error)
    event(refusal[:20] if refusal else "fitted")
    if refusal is not None:
        assert any(re.search(expected, refusal) for expected in REFUSALS), refusal
        return
    assert probabilities.shape == (len(texts), 2)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    assert list(model.classes_) == ["bad", "good"]
    np.testing.assert_array_equal(
        model.predict(texts), model.classes_[probabilities.argmax(axis=1)]
    )
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(model)).predict_proba(texts), probabilities
    )
    np.testing.assert_array_equal(
        clone(model).fit(fitted, labels).predict_proba(texts), probabilities
    )
    kim = params.get("architecture", "kim") == "kim"
    # Other activations are rounded one way in the midst of an array, and another at its end.
    exact = params.get("activation", "relu") in ("relu", "leaky_relu", "identity")
    exact &= kim and params.get("convolution", "lookup") == "lookup"
    nearly = {"rtol": 0, "atol": 1e-12 if exact else 1e-6}
    alone = np.concatenate([model.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(alone, probabilities, **nearly)
    if kim:
        X = vectorizer.transform(texts)
        for row in X:
            row[:] = np.roll(row, np.count_nonzero(row == 0))
        np.testing.assert_allclose(model[-1].predict_proba(X), probabilities, **nearly)


# Files of vectors ----------------------------------------------------------------------

BLANKS = " \t\n\r\x0b\x0c"
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=BLANKS), min_size=1)
numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def keyed_vectors(draw):
    names = draw(st.lists(words, min_size=1, max_size=8, unique=True))
    size = draw(st.integers(1, 5))
    rows = draw(
        st.lists(
            st.lists(numbers, min_size=size, max_size=size),
            min_size=len(names),
            max_size=len(names),
        )
    )
    keyed = KeyedVectors(size, dtype=np.float32)
    keyed.add_vectors(names, np.array(rows, dtype=np.float32))
    return keyed


@given(keyed_vectors(), st.booleans(), st.booleans(), st.lists(words))
def test_any_vectors_come_back_from_the_files_that_gensim_writes(
    tmp_path_factory, keyed, binary, packed, others
):
    path = tmp_path_factory.mktemp("vectors") / ("vectors.gz" if packed else "vectors")
    keyed.save_word2vec_format(str(path), binary=binary)
    rows = Embeddings(path).lookup([*keyed.index_to_key, *others])
    assert set(rows) == set(keyed.index_to_key)
    for word, row in rows.items():
        assert row.tobytes() == keyed[word].tobytes()
