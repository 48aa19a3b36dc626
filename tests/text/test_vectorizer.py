"""TextVectorizer: CountVectorizer's options, Keras's padding, vectors, and bad input."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from nltk import tokenize
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer

from sktextcnn import Embeddings, TextVectorizer

TEXTS = ["A gem!", "a gem of a film", "It isn't dull, it's witty"]
COUNT_PATTERN = r"(?u)\b\w\w+\b"


def bare(text):
    return text.strip("!").upper()


def first_letters(text):
    return [word[0] for word in text.split()]


# The vocabulary is CountVectorizer's --------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lowercase": False},
        {"strip_accents": "unicode"},
        {"strip_accents": "ascii"},
        {"preprocessor": bare},
        {"tokenizer": str.split, "token_pattern": None},
        {"stop_words": "english"},
        {"stop_words": ["the", "of"]},
        {"token_pattern": r"[a-z]+"},
        {"analyzer": "char"},
        {"analyzer": first_letters},
        {"min_df": 3},
        {"min_df": 0.01},
        {"max_df": 20},
        {"max_df": 0.1, "min_df": 2},
        {"vocabulary": ["array", "tensor", "zzz"]},
    ],
)
def test_words_and_counts_are_those_of_count_vectorizer(corpus, options):
    texts = [*corpus[0], "Café naïve über", "ﬁne"]
    options = {"token_pattern": COUNT_PATTERN, **options}
    truth = CountVectorizer(**options)
    counts = truth.fit_transform(texts).toarray()
    if options["token_pattern"] is None:
        del options["token_pattern"]
    vectorizer = TextVectorizer(max_length=None, **options)
    X = np.asarray(vectorizer.fit_transform(texts))
    assert set(vectorizer.vocabulary_) == set(truth.vocabulary_)
    for word, column in truth.vocabulary_.items():
        own = (vectorizer.vocabulary_[word] == X).sum(axis=1)
        np.testing.assert_array_equal(own, counts[:, column])


WHITESPACE = "".join(chr(i) for i in range(0x110000) if chr(i).isspace())
ODD_TEXTS = [
    "Don't can't shan't CAN'T n't 'nt don't's it's it'sy we'll've o'clock 'em rock'n'roll",
    "don'tx dons't _n't n'tn't isn't! (isn't) \"it's\" 'twas l'été ﬁne İstanbul ΟΔΟΣ ΣΑΣ. e\u0301",
    WHITESPACE.join(["don't", "stop", "..."] * 9),
    "n't 't 's s' d'd 'd'd n'n't a'n't",
    "",
    WHITESPACE,
]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lowercase": False},
        {"strip_accents": "unicode"},
        {"preprocessor": bare},
        {"stop_words": "english"},
        {"stop_words": ["n't", "it"]},
    ],
)
@pytest.mark.parametrize("pieces_remembered", [1 << 18, 3])
def test_the_default_pattern_finds_clitics_words_and_marks(
    corpus, options, pieces_remembered, monkeypatch
):
    monkeypatch.setattr("sktextcnn._text.encoders._PIECES_REMEMBERED", pieces_remembered)
    texts = [*corpus[0], *ODD_TEXTS]
    plain = r"(?ui)\w+(?=n't\b)|n't\b|'(?:s|m|d|ll|re|ve)\b|\w+|[^\w\s]"
    analyze = CountVectorizer(token_pattern=plain, **options).build_analyzer()
    vectorizer = TextVectorizer(max_length=None, **options).fit(texts)
    expected = [analyze(text) for text in texts]
    for X in (vectorizer.transform(texts), vectorizer.fit_transform(texts)):
        assert vectorizer.inverse_transform(X) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("lowercase", False, ["<unk>", "gem"]),
        ("stop_words", ["a"], ["gem"]),
        ("token_pattern", r"\w{2,}", ["gem"]),
        ("analyzer", "char", ["a", "<unk>", "<unk>", "<unk>", "<unk>"]),
    ],
)
def test_what_is_remembered_between_calls_follows_the_parameters(name, value, expected):
    vectorizer = TextVectorizer().fit(["a gem", "so dull"])
    before = vectorizer.transform(["A gem"])
    assert vectorizer.inverse_transform(before) == [["a", "gem"]]
    vectorizer.set_params(**{name: value})
    if name == "analyzer":
        vectorizer.max_length_ = 5
    assert vectorizer.inverse_transform(vectorizer.transform(["A gem"])) == [expected]


def test_a_list_of_stop_words_that_grows_is_noticed():
    stop_words = ["so"]
    vectorizer = TextVectorizer(stop_words=stop_words).fit(["a gem", "so dull"])
    assert vectorizer.inverse_transform(vectorizer.transform(["a gem"])) == [["a", "gem"]]
    stop_words.append("a")
    assert vectorizer.inverse_transform(vectorizer.transform(["a gem"])) == [["gem"]]


def test_a_refitted_vectorizer_forgets_the_ids_of_before():
    vectorizer = TextVectorizer().fit(["b b a"])
    vectorizer.transform(["b a"])
    vectorizer.fit(["a a b"])
    assert vectorizer.transform(["b a"]).tolist() == [[3, 2, 0]]


def test_remembered_pieces_are_neither_pickled_nor_copied():
    vectorizer = TextVectorizer().fit(["a gem", "so dull"])
    before = pickle.dumps(vectorizer)
    expected = vectorizer.transform(["a rare gem", "x" * 1000])
    assert pickle.dumps(vectorizer) == before
    _, _, encoder = vectorizer._encoder._cached
    assert "rare" in encoder._ids_of
    # One huge word must not stay.
    assert max(map(len, encoder._ids_of)) < 1000
    for other in (copy.deepcopy(vectorizer), pickle.loads(pickle.dumps(vectorizer))):
        assert other._encoder._cached is None
        np.testing.assert_array_equal(other.transform(["a rare gem", "x" * 1000]), expected)


def test_max_features_keeps_the_most_frequent_words(corpus):
    texts, _ = corpus
    counts = CountVectorizer(token_pattern=COUNT_PATTERN).fit_transform(texts).sum(axis=0).A1
    vectorizer = TextVectorizer(token_pattern=COUNT_PATTERN, max_features=50).fit(texts)
    whole = TextVectorizer(token_pattern=COUNT_PATTERN).fit(texts)
    assert list(vectorizer.vocabulary_) == list(whole.vocabulary_)[:50]
    X = np.asarray(whole.transform(texts))
    frequencies = np.bincount(X.ravel())[2:]
    np.testing.assert_array_equal(frequencies, np.sort(counts)[::-1])


def test_ids_follow_frequency_and_then_the_alphabet():
    vectorizer = TextVectorizer().fit(["b a c c", "c b a d"])
    assert vectorizer.vocabulary_ == {"c": 2, "a": 3, "b": 4, "d": 5}
    again = TextVectorizer().fit(["c b a d", "b a c c"])
    assert again.vocabulary_ == vectorizer.vocabulary_


def test_tokens_are_those_that_word_vectors_have():
    vectorizer = TextVectorizer(max_length=None)
    X = vectorizer.fit_transform(["Don't! It's a well-known film (1994); can't, cannot, we're I"])
    assert vectorizer.inverse_transform(X) == [
        [
            "do",
            "n't",
            "!",
            "it",
            "'s",
            "a",
            "well",
            "-",
            "known",
            "film",
            "(",
            "1994",
            ")",
            ";",
            "ca",
            "n't",
            ",",
            "cannot",
            ",",
            "we",
            "'re",
            "i",
        ]
    ]


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("treebank", tokenize.TreebankWordTokenizer()),
        ("tweet", tokenize.TweetTokenizer()),
        ("wordpunct", tokenize.WordPunctTokenizer()),
    ],
)
def test_named_tokenizers_are_those_of_nltk(name, own, corpus):
    texts = [*corpus[0][:50], "Isn't #this @great?! :-) http://a.b"]
    vectorizer = TextVectorizer(tokenizer=name, lowercase=False, max_length=None)
    tokens = vectorizer.inverse_transform(vectorizer.fit_transform(texts))
    assert tokens == [own.tokenize(text) for text in texts]
    pickle.loads(pickle.dumps(vectorizer))


@pytest.mark.parametrize("name", ["treebank", "tweet", "wordpunct"])
def test_tweets_alone_are_cut_where_a_thousand_letters_have_no_whitespace(name):
    # NLTK's pattern for them takes the square of the length.
    vectorizer = TextVectorizer(tokenizer=name, max_length=9).fit(["a", "a" * 1000])
    X = vectorizer.transform(["a" * 1000, "a" * 1001, "a" * 2500])
    tokens = vectorizer.inverse_transform(X)
    whole = [["a" * 1000], ["<unk>"], ["<unk>"]]
    cut = [["a" * 1000], ["a" * 1000, "a"], ["a" * 1000, "a" * 1000, "<unk>"]]
    assert tokens == (cut if name == "tweet" else whole)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("french", "Je ne suis pas le chat, c'est un chien", ["chat", ",", "chien"]),
        ("de", "Das ist der Hund und die Katze", ["hund", "katze"]),
        ("english", "this is the film", ["film"]),
    ],
)
def test_stop_words_of_a_language(language, text, expected):
    vectorizer = TextVectorizer(stop_words=language)
    X = vectorizer.fit_transform([text])
    assert vectorizer.inverse_transform(X) == [expected]


@pytest.mark.filterwarnings("ignore")
def test_chinese_with_jieba_and_by_character():
    import jieba

    texts = ["我喜欢这部电影", "这部电影太长了"]
    vectorizer = TextVectorizer(tokenizer=jieba.lcut)
    tokens = vectorizer.inverse_transform(vectorizer.fit_transform(texts))
    assert tokens == [jieba.lcut(text) for text in texts]
    by_character = TextVectorizer(analyzer="char")
    tokens = by_character.inverse_transform(by_character.fit_transform(texts))
    assert tokens == [list(text) for text in texts]


# The matrix ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("padding", "truncating", "expected"),
    [
        ("post", "post", [[2, 0, 0], [3, 2, 4]]),
        ("pre", "post", [[0, 0, 2], [3, 2, 4]]),
        ("post", "pre", [[2, 0, 0], [4, 2, 2]]),
        ("pre", "pre", [[0, 0, 2], [4, 2, 2]]),
    ],
)
def test_padding_and_truncating_are_keras_s(padding, truncating, expected):
    vectorizer = TextVectorizer(max_length=3, padding=padding, truncating=truncating)
    X = vectorizer.fit_transform(["a", "b a c a a"])
    assert vectorizer.vocabulary_ == {"a": 2, "b": 3, "c": 4}
    assert X.dtype == np.int32
    np.testing.assert_array_equal(np.asarray(X), expected)
    assert vectorizer.truncated_fraction_ == 0.5


def test_unknown_words_are_1_and_every_transform_has_the_fitted_width():
    vectorizer = TextVectorizer().fit(["a b", "a b c"])
    assert vectorizer.transform(["a zzz", "", "c b a a a"]).tolist() == [
        [2, 1, 0],
        [0, 0, 0],
        [4, 3, 2],
    ]
    assert vectorizer.inverse_transform(vectorizer.transform(["a zzz"])) == [["a", "<unk>"]]


def test_one_giant_text_does_not_widen_the_matrix_for_all():
    texts = ["a few words here"] * 99 + ["word " * 100_000]
    vectorizer = TextVectorizer().fit(texts)
    assert vectorizer.max_length_ == 256
    assert vectorizer.truncated_fraction_ == 0.01
    assert TextVectorizer(max_length=None).fit(texts).max_length_ == 100_000
    usual = TextVectorizer().fit(["word " * 700] * 99 + ["word " * 2000])
    assert usual.max_length_ == 2000
    assert usual.truncated_fraction_ == 0


@pytest.mark.parametrize(
    "as_texts",
    [
        list,
        tuple,
        np.array,
        pd.Series,
        iter,
        lambda t: (x for x in t),
        lambda t: np.array(t, object),
    ],
)
def test_texts_in_any_iterable(as_texts):
    expected = TextVectorizer().fit_transform(TEXTS)
    vectorizer = TextVectorizer().fit(as_texts(TEXTS))
    np.testing.assert_array_equal(vectorizer.transform(as_texts(TEXTS)), expected)
    np.testing.assert_array_equal(TextVectorizer().fit_transform(as_texts(TEXTS)), expected)


@pytest.mark.parametrize(
    ("vocabulary", "expected"),
    [
        (["film", "gem"], {"film": 2, "gem": 3}),
        ({"gem", "film"}, {"film": 2, "gem": 3}),
        ({"gem": 2, "film": 3}, {"gem": 2, "film": 3}),
    ],
    ids=["list", "set", "mapping"],
)
def test_a_given_vocabulary(vocabulary, expected):
    vectorizer = TextVectorizer(vocabulary=vocabulary, max_length=5)
    X = vectorizer.fit_transform(["a gem of a film"])
    assert vectorizer.vocabulary_ == expected
    assert X.tolist() == [[1, expected["gem"], 1, 1, expected["film"]]]


def test_names_of_columns_and_pandas_output():
    vectorizer = TextVectorizer().set_output(transform="pandas")
    frame = vectorizer.fit_transform(TEXTS)
    assert list(frame.columns) == list(vectorizer.get_feature_names_out())
    assert frame.columns[0] == "token0"


def test_a_second_fit_leaves_no_trace_and_a_failed_one_changes_nothing(vectors_file):
    vectorizer = TextVectorizer(embeddings=vectors_file, random_state=0).fit(["the array of"])
    expected = vectorizer.transform(TEXTS).tolist()
    vectorizer.set_params(min_df=5)
    with pytest.raises(ValueError, match="No word is left with min_df=5"):
        vectorizer.fit(["something else"])
    assert vectorizer.transform(TEXTS).tolist() == expected
    vectorizer.set_params(min_df=1, embeddings=None).fit(TEXTS)
    fresh = TextVectorizer().fit(TEXTS)
    assert vectorizer.embedding_matrix_ is None
    assert vectorizer.coverage_ is None
    assert vectorizer.vocabulary_ == fresh.vocabulary_
    assert vectorizer.max_length_ == fresh.max_length_


# Vectors ------------------------------------------------------------------------------


@pytest.fixture
def four_words(tmp_path):
    path = tmp_path / "four.txt"
    path.write_text("a 1 2\nfilm 3 -4\ngem 0 1\nzzz 9 9\n", encoding="utf-8")
    return path


def test_rows_are_aligned_with_ids_and_missing_ones_are_drawn(four_words):
    texts = ["a gem of a film", "a dull film"]
    vectorizer = TextVectorizer(embeddings=four_words, random_state=0).fit(texts)
    matrix = vectorizer.embedding_matrix_
    assert matrix.dtype == np.float32
    assert matrix.shape == (len(vectorizer.vocabulary_) + 2, 2)
    np.testing.assert_array_equal(matrix[0], 0)
    for word, row in {"a": [1, 2], "film": [3, -4], "gem": [0, 1]}.items():
        np.testing.assert_array_equal(matrix[vectorizer.vocabulary_[word]], row)
    bound = np.sqrt(3 * np.var([1, 2, 3, -4, 0, 1]))
    drawn = matrix[[1, vectorizer.vocabulary_["of"], vectorizer.vocabulary_["dull"]]]
    assert (np.abs(drawn) <= bound).all()
    assert drawn.all()
    assert len(np.unique(drawn)) == drawn.size


def test_missing_rows_have_the_variance_of_those_found(vectors_file):
    texts = ["the array of " + " ".join(f"zz{i}" for i in range(5000))]
    vectorizer = TextVectorizer(embeddings=vectors_file, random_state=0, max_length=9).fit(texts)
    matrix = vectorizer.embedding_matrix_
    found = [vectorizer.vocabulary_[word] for word in ("the", "array", "of")]
    missing = [i for word, i in vectorizer.vocabulary_.items() if word.startswith("zz")]
    assert matrix[missing].var() == pytest.approx(matrix[found].var(), rel=0.02)


def test_coverage_counts_types_and_tokens(four_words):
    texts = ["a gem of a film", "a dull film of of"]
    coverage = TextVectorizer(embeddings=four_words, random_state=0).fit(texts).coverage_
    assert coverage.types == pytest.approx(3 / 5)
    assert coverage.tokens == pytest.approx(6 / 10)
    assert coverage.missing == [("of", 3), ("dull", 1)]


def test_random_state_draws_the_missing_rows(four_words):
    def matrix(random_state):
        vectorizer = TextVectorizer(embeddings=four_words, random_state=random_state)
        return vectorizer.fit(["a dull film"]).embedding_matrix_

    np.testing.assert_array_equal(matrix(1), matrix(1))
    assert not np.array_equal(matrix(1), matrix(2))


@pytest.mark.parametrize(
    ("words", "text", "lowercase", "remedy"),
    [
        (["paris", "is"], "Paris is PARIS", False, "set lowercase=True"),
        (["Paris", "is"], "Paris is Paris", True, "set lowercase=False"),
    ],
)
def test_a_casing_that_does_not_match_is_warned_of(tmp_path, words, text, lowercase, remedy):
    path = tmp_path / "cased.txt"
    path.write_text("".join(f"{word} 1 2\n" for word in words), encoding="utf-8")
    vectorizer = TextVectorizer(embeddings=path, lowercase=lowercase, random_state=0)
    with pytest.warns(UserWarning, match=remedy):
        vectorizer.fit([text])
    vectorizer.set_params(lowercase=not lowercase).fit([text])


@pytest.mark.parametrize("lowercase", [True, False])
def test_a_vocabulary_that_no_text_has(lowercase, tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("gem 1 2\nparis 3 4\n", encoding="utf-8")
    vectorizer = TextVectorizer(
        embeddings=path, vocabulary=["gem", "Paris", "dull"], lowercase=lowercase, random_state=0
    )
    assert vectorizer.fit_transform(["so witty"]).tolist() == [[1, 1]]
    coverage = vectorizer.coverage_
    assert (coverage.types, coverage.tokens) == (1 / 3, 0.0)
    assert coverage.missing == [("Paris", 0), ("dull", 0)]
    assert vectorizer.embedding_matrix_[2].tolist() == [1, 2]
    assert np.isfinite(vectorizer.embedding_matrix_).all()


# Words of the vectors that the texts lack ----------------------------------------------


@pytest.fixture
def nine_words(tmp_path):
    path = tmp_path / "nine.txt"
    words = ["the", "witty", "film", "Dull", "don't", "gem", "<s>", "x", "rare"]
    path.write_text("".join(f"{word} {i} 1\n" for i, word in enumerate(words)), encoding="utf-8")
    return path


def test_unseen_words_come_behind_those_of_the_texts_in_the_order_of_the_vectors(nine_words):
    vectorizer = TextVectorizer(embeddings=nine_words, random_state=0)
    X = vectorizer.fit_transform(["film of film"])
    assert list(vectorizer.vocabulary_) == ["film", "of", "the", "witty", "gem", "x", "rare"]
    np.testing.assert_array_equal(vectorizer.embedding_matrix_[4:, 0], [0, 1, 5, 7, 8])
    assert X.tolist() == [[2, 3, 2]]
    assert vectorizer.transform(["rare film , dull"]).tolist() == [[8, 2, 1]]
    assert vectorizer.inverse_transform(vectorizer.transform(["a rare gem"])) == [
        ["<unk>", "rare", "gem"]
    ]


def test_unseen_words_change_nothing_of_the_texts(nine_words, tmp_path):
    texts = ["a film", "film of a gem"]
    with_them = TextVectorizer(embeddings=nine_words, random_state=0)
    without = clone(with_them).set_params(unseen_words=0)
    np.testing.assert_array_equal(with_them.fit_transform(texts), without.fit_transform(texts))
    assert list(without.vocabulary_) == ["a", "film", "gem", "of"]
    matrix = without.embedding_matrix_
    np.testing.assert_array_equal(with_them.embedding_matrix_[: len(matrix)], matrix)
    assert with_them.coverage_ == without.coverage_
    assert without.coverage_.types == 1 / 2


@pytest.mark.parametrize(
    ("options", "unseen"),
    [
        ({"unseen_words": 3}, ["the", "witty"]),
        ({"unseen_words": 6}, ["the", "witty", "gem"]),
        ({"max_features": 3}, ["the", "witty"]),
        ({"max_features": 1}, []),
        ({"vocabulary": ["film"]}, []),
        ({"stop_words": ["the", "x"]}, ["witty", "gem", "rare"]),
        ({"lowercase": False}, ["the", "witty", "Dull", "gem", "x", "rare"]),
        ({"token_pattern": r"\S+"}, ["the", "witty", "don't", "gem", "<s>", "x", "rare"]),
        ({"tokenizer": str.split}, ["the", "witty", "Dull", "don't", "gem", "<s>", "x", "rare"]),
        ({"tokenizer": "wordpunct"}, ["the", "witty", "Dull", "don't", "gem", "<s>", "x", "rare"]),
        ({"preprocessor": lambda text: text if text == "film film" else text[::-1]}, ["x"]),
    ],
)
def test_unseen_words_are_those_that_the_analyzer_can_find(nine_words, options, unseen):
    vectorizer = TextVectorizer(embeddings=nine_words, random_state=0, **options)
    vectorizer.fit(["film film"])
    assert list(vectorizer.vocabulary_) == ["film", *unseen]


def test_words_left_out_by_their_frequency_do_not_come_back_as_unseen(nine_words):
    texts = ["film gem", "film rare", "film x"]
    vectorizer = TextVectorizer(embeddings=nine_words, random_state=0, min_df=2).fit(texts)
    assert list(vectorizer.vocabulary_) == ["film", "the", "witty"]
    vectorizer.set_params(min_df=1, max_features=2).fit(texts)
    assert list(vectorizer.vocabulary_) == ["film", "gem"]


def test_words_that_stand_for_padding_and_the_unknown_are_no_words(tmp_path):
    path = tmp_path / "reserved.txt"
    path.write_text("<pad> 0 0\n<unk> 1 1\nfilm 1 2\ngem 3 4\n", encoding="utf-8")
    vectorizer = TextVectorizer(embeddings=path, tokenizer=str.split, random_state=0)
    X = vectorizer.fit_transform(["film <unk> <pad> film"])
    assert list(vectorizer.vocabulary_) == ["film", "gem"]
    assert X.tolist() == [[2, 1, 1, 2]]
    with pytest.raises(ValueError, match=r"contains .<unk>., which is reserved for id 1"):
        TextVectorizer(vocabulary=["film", "<unk>"]).fit(["film"])


def test_a_broken_row_among_the_first_words_is_told(nine_words):
    nine_words.write_text(nine_words.read_text(encoding="utf-8") + "broken nan 4\n")
    vectorizer = TextVectorizer(embeddings=nine_words, random_state=0)
    with pytest.raises(ValueError, match="line 10: the vector of 'broken' has the value nan"):
        vectorizer.fit(["the film"])
    vectorizer.set_params(unseen_words=9).fit(["the film"])


def test_an_encoding_with_two_codes_for_a_letter(tmp_path):
    path = tmp_path / "cp932.txt"
    path.write_bytes(b"\xfa\x40 1 2\nthe 3 4\n")
    vectors = Embeddings(path, encoding="cp932")
    vectorizer = TextVectorizer(embeddings=vectors, tokenizer=str.split, random_state=0)
    assert list(vectorizer.fit(["film the"]).vocabulary_) == ["film", "the"]


def test_single_characters_are_the_unseen_words_of_characters(nine_words):
    vectorizer = TextVectorizer(embeddings=nine_words, random_state=0, analyzer="char")
    with pytest.raises(ValueError, match="None of the 3 words of the vocabulary has a vector"):
        vectorizer.fit(["gem"])
    assert list(vectorizer.fit(["x!"]).vocabulary_) == ["!", "x"]


def test_vectors_trained_on_the_texts_have_no_unseen_words(corpus):
    params = {"vector_size": 4, "epochs": 1}
    vectorizer = TextVectorizer(embeddings="word2vec", embeddings_params=params, min_df=2)
    vectorizer.fit(corpus[0])
    assert list(vectorizer.vocabulary_) == list(TextVectorizer(min_df=2).fit(corpus[0]).vocabulary_)


@pytest.mark.parametrize("unseen_words", [-1, 1.5, "all"])
def test_a_number_of_unseen_words_that_is_none_is_refused(unseen_words):
    with pytest.raises(ValueError, match="The 'unseen_words' parameter of TextVectorizer must be"):
        TextVectorizer(unseen_words=unseen_words).fit(TEXTS)


def test_no_text_of_the_vectors_language_is_an_error_though_unseen_words_have_vectors(nine_words):
    with pytest.raises(ValueError, match="None of the 2 words of the vocabulary has a vector"):
        TextVectorizer(embeddings=nine_words).fit(["zut alors"])


@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_vectors_trained_here_are_the_same_in_every_process(algorithm, corpus):
    texts = corpus[0][:60]
    params = {"vector_size": 6, "epochs": 2} | ({"bucket": 100} if algorithm == "fasttext" else {})
    vectorizer = TextVectorizer(embeddings=algorithm, embeddings_params=params, random_state=3)
    matrix = vectorizer.fit(texts).embedding_matrix_
    assert matrix.shape == (len(vectorizer.vocabulary_) + 2, 6)
    assert vectorizer.coverage_.types == 1
    other = clone(vectorizer).set_params(random_state=4).fit(texts).embedding_matrix_
    assert not np.array_equal(matrix, other)
    code = (
        "import pickle, sys; v, texts = pickle.load(sys.stdin.buffer);"
        "sys.stdout.buffer.write(pickle.dumps(v.fit(texts).embedding_matrix_))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps((clone(vectorizer), texts)),
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        check=True,
    )
    np.testing.assert_array_equal(pickle.loads(answer.stdout), matrix)


def test_global_generators_are_left_untouched(corpus):
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    TextVectorizer(
        embeddings="word2vec", embeddings_params={"vector_size": 4, "epochs": 1}, random_state=0
    ).fit(corpus[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before)


# Bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        (["a", None], TypeError, r"Text 1 \(counting from 0\) is None .* Drop missing texts, or"),
        (["a", float("nan")], TypeError, "Text 1 .* is nan of type float.* Drop missing texts"),
        (pd.Series(["a", pd.NA]), TypeError, "Text 1 .* Drop missing texts"),
        (["a", pd.NA], TypeError, "Text 1 .* is <NA> of type NAType.* Drop missing texts"),
        (["a", b"b"], TypeError, r"Text 1 .* is b'b' of type bytes.*text.decode\('utf-8'\)"),
        (["a", "b", 3], TypeError, r"Text 2 .* is 3 of type int.*Convert it with str\(\)"),
        (["a", ["b", "c"]], TypeError, r"Text 1 .* of type list.*Join tokens with spaces"),
        (["a", np.array(["b", "c"])], TypeError, r"Text 1 .* of type ndarray.*Join tokens with"),
        ("a gem", TypeError, r"got a single str\. Put it in a list"),
        (b"a gem", TypeError, "got a single bytes"),
        (
            np.array([["a", "b"]]),
            ValueError,
            r"one-dimensional.* of shape \(1, 2\).*Select the col",
        ),
        (pd.DataFrame({"text": ["a"]}), ValueError, r"one-dimensional.*df\['text'\]"),
        ({"a": 1}, TypeError, "in a fixed order; got dict"),
        ({"a", "b"}, TypeError, "in a fixed order; got set"),
        (5, TypeError, "iterable of texts, such as a list; got int"),
        (None, TypeError, "iterable of texts, such as a list; got NoneType"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_text_is_named(texts, error, message):
    with pytest.raises(error, match=message):
        TextVectorizer().fit(texts)
    with pytest.raises(error, match=message):
        TextVectorizer().fit(TEXTS).transform(texts)


@pytest.mark.parametrize(
    ("params", "texts", "message"),
    [
        ({}, [], "X is empty; give at least one text"),
        ({}, ["", "  "], "The texts have no tokens. Check that they are not empty"),
        ({"stop_words": "english"}, ["the of"], "The texts have no tokens. .*stop words"),
        ({"min_df": 3}, ["a b", "b c"], r"No word is left with min_df=3 and .*Decrease min_df"),
        (
            {"min_df": 2, "max_df": 1},
            TEXTS,
            "min_df=2 and max_df=1 for 3 texts.*increase max_df",
        ),
        ({"vocabulary": []}, TEXTS, "vocabulary is empty"),
        ({"vocabulary": ["a", "a"]}, TEXTS, "vocabulary contains 'a' twice"),
        ({"vocabulary": ["a", 3]}, TEXTS, "vocabulary must contain only str; got 3"),
        ({"vocabulary": "words"}, TEXTS, "vocabulary must be a collection of words; got 'words'"),
        ({"vocabulary": {"a": 0, "b": 1}}, TEXTS, r"ids of vocabulary must be 2, 3, .* 0 is pad"),
        ({"stop_words": "klingon"}, TEXTS, "no stop words for stop_words='klingon'.*or one of: .*"),
        (
            {"embeddings_params": {"epochs": 3}},
            TEXTS,
            "embeddings_params only applies",
        ),
        ({"embeddings": "word2vec", "embeddings_params": {"epoch": 3}}, TEXTS, "could not be trai"),
        ({"max_length": 0}, TEXTS, "The 'max_length' parameter of TextVectorizer must be"),
        ({"min_df": 1.5}, TEXTS, "The 'min_df' parameter"),
        ({"padding": "left"}, TEXTS, "The 'padding' parameter"),
        ({"truncating": "left"}, TEXTS, "The 'truncating' parameter"),
        ({"analyzer": "words"}, TEXTS, "The 'analyzer' parameter"),
        ({"tokenizer": "nltk"}, TEXTS, "The 'tokenizer' parameter"),
        ({"token_pattern": "("}, TEXTS, "token_pattern"),
        ({"stop_words": 5}, TEXTS, "The 'stop_words' parameter"),
        ({"random_state": "seed"}, TEXTS, "The 'random_state' parameter"),
    ],
    ids=lambda value: str(value)[:35],
)
def test_parameters_and_texts_that_will_not_do_are_named(params, texts, message):
    with pytest.raises(ValueError, match=message):
        TextVectorizer(**params).fit(texts)


def test_labels_of_another_length_are_noticed_before_training():
    with pytest.raises(ValueError, match="X has 3 texts, but y has 2 labels"):
        TextVectorizer().fit(TEXTS, [0, 1])


@pytest.mark.parametrize(
    ("embeddings", "error", "message"),
    [
        ("nowhere/glove.txt", FileNotFoundError, "There is no folder"),
        ("glove.6B.txt", FileNotFoundError, "There is no file of vectors"),
        (5, TypeError, "embeddings must be a path, .* got int"),
        ({"a": [1.0]}, TypeError, "embeddings must be a path, .* got dict"),
    ],
)
def test_embeddings_that_will_not_do_are_named_before_texts_are_read(embeddings, error, message):
    def texts():
        raise AssertionError("texts were read")
        yield

    with pytest.raises(error, match=message):
        TextVectorizer(embeddings=embeddings).fit(texts())


def test_vectors_of_another_language_are_named(four_words):
    with pytest.raises(ValueError, match=r"None of the 2 words .* in four.txt .*of the language"):
        TextVectorizer(embeddings=Embeddings(four_words)).fit(["bonjour monde"])


@pytest.mark.parametrize("method", ["transform", "inverse_transform", "get_feature_names_out"])
def test_an_unfitted_vectorizer_says_so(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(TextVectorizer(), method)([[2]])


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[2, 99]], r"ids from 2 to 99, but the ids of this vectorizer are those from 0 to \d"),
        ([[-1]], "ids from -1"),
        ([2, 3], r"2-d array of integer ids.* got shape \(2,\)"),
        ([[0.5]], "2-d array of integer ids"),
    ],
)
def test_ids_that_are_none_of_this_vocabulary(ids, message):
    with pytest.raises(ValueError, match=message):
        TextVectorizer().fit(TEXTS).inverse_transform(ids)
