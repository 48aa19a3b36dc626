"""Tokens and vocabulary are those of CountVectorizer and NLTK."""

import copy
import pickle

import numpy as np
import pytest
from nltk import tokenize
from sklearn.feature_extraction.text import CountVectorizer, strip_accents_unicode

from sktextcnn import TextVectorizer
from tests.text import by_hand

COUNT_PATTERN = r"(?u)\b\w\w+\b"


def bare(text):
    return text.strip("!").upper()


def first_letters(text):
    return [word[0] for word in text.split()]


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
    "don’t l’homme ‘quoted’ ’tis dogs’ rock‘n’roll (film)’s ’ x’ DON’T ca\u200bn’t",
    "об'єкт об’єкт обʼєкт п'ять' o'neil col·laborar L·L a·b · l·",
    "צה\"ל צה״ל צה”ל ג'ירפה פרופ' 'הארץ' \"שלום\" ר׳ שָׁלוֹם",
    "हिन्दी क्या। বাংলা ক্‌ষ র‍্যা العَرَبِيَّة می‌خواهم کتاب‌ ‌x ինչո՞ւ ሰላም፡ለዓለም። བོད་ཡིག",
    "👩‍👩‍👧‍👦 👍🏽👍 🇩🇪🇫🇷🇩 ❤️ 1️⃣ #️⃣ 🏴\U000e0067\U000e007f 🏽 \u0301 \u0301a !\u0301",
    "\ufeffco\xadoperate \u200fשלום\u200e nonэ‐э a‑b ho\u0308ren hören 가\u11a8 J\u030c K",
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
    lowercase = options.get("lowercase", True)
    strip = strip_accents_unicode if "strip_accents" in options else str
    prepared = {"preprocessor": lambda text: by_hand.normalized(text, lowercase, strip)}
    analyze = CountVectorizer(
        tokenizer=by_hand.tokens, token_pattern=None, **{**prepared, **options}
    ).build_analyzer()
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
