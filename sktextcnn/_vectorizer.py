"""TextVectorizer: texts to padded ids, and the vectors of their words."""

import numbers
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from typing import Any, ClassVar

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_is_fitted

from sktextcnn._compat import Interval, StrOptions, check_parameters
from sktextcnn._state import StoredEstimator
from sktextcnn._text import (
    NLTK_TOKENIZERS,
    TOKEN_PATTERN,
    Analyzer,
    Documents,
    KnownReader,
    WordsOf,
    build_analyzer,
    choose_length,
    read_texts,
    tokenize,
    tokens_of,
)
from sktextcnn._token_ids import (
    PADDING_ID,
    RESERVED_WORDS,
    UNKNOWN_ID,
    TokenIds,
    TokenTable,
)
from sktextcnn._vectors import TRAINED, Embeddings, as_embeddings, build_matrix, train_embeddings


class TextVectorizer(TransformerMixin, StoredEstimator):
    """Turn texts into a padded matrix of token ids that carries their word vectors.

    Id 0 is padding, id 1 any unknown token, and ids from 2 are the words by falling
    frequency. What :meth:`transform` returns is an int32 array of shape
    (n_texts, `max_length_`) that refers to the vocabulary and the vectors, so that
    :class:`TextCNNClassifier` behind it in a Pipeline finds them.

    The options of texts have the names and meanings of scikit-learn's
    :class:`~sklearn.feature_extraction.text.CountVectorizer`, those of sequences the names
    and meanings of Keras.

    Parameters
    ----------
    lowercase : bool, default=True
        Convert texts to lower case before tokenizing.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        Remove accents before tokenizing.
    preprocessor : callable or None, default=None
        Replaces lowercasing and the removal of accents.
    tokenizer : {"treebank", "tweet", "wordpunct"}, callable or None, default=None
        A tokenizer of NLTK that needs no data (extra `nltk`), or a function from a text to
        its tokens. None: `token_pattern`.
    stop_words : "english", str, list of str or None, default=None
        Words to leave out. "english" is scikit-learn's list; another name or code of a
        language, such as "french", takes its list from the package stop-words (extra
        `stop-words`).
    token_pattern : str
        What a token is, if `tokenizer` is None. The default keeps words of any length,
        punctuation marks, and splits clitics as GloVe and word2vec have them ("do", "n't").
    analyzer : {"word", "char"} or callable, default="word"
        "char" makes every character a token, which needs no tokenizer for languages
        written without spaces. A callable turns a raw text into tokens.
    min_df, max_df : int or float in [0, 1], default=1, 1.0
        Bounds of the number (int) or the share (float) of texts that a word occurs in.
    max_features : int or None, default=None
        Keep only so many of the most frequent words of the texts.
    vocabulary : iterable of str, mapping of str to id, or None, default=None
        Use these words instead of those of the texts. The ids of a mapping must be
        2, 3, ...; an iterable gets them in its order.
    max_length : int, "auto" or None, default="auto"
        Number of tokens kept of each text, the width of the matrix. None: that of the
        longest fitted text. "auto": the same, unless it is an outlier; a text of more than
        256 tokens does not widen the matrix beyond 4 times the length that 95 % of the
        texts stay within.
    padding : {"post", "pre"}, default="post"
        Whether padding goes behind or before the tokens.
    truncating : {"post", "pre"}, default="post"
        Whether tokens beyond `max_length` are cut from the end or from the beginning.
    embeddings : str, path-like, gensim object, Embeddings or None, default=None
        Word vectors: what :class:`Embeddings` takes (a file, gensim's objects, a name of
        gensim-data), or "word2vec" or "fasttext" to train them on the fitted texts.
        None: the classifier draws vectors at random.
    embeddings_params : dict or None, default=None
        Parameters of gensim's Word2Vec or FastText for vectors trained here, such as
        ``{"vector_size": 50, "window": 3, "epochs": 20}``. Defaults that differ from
        gensim's are vector_size=100, sg=1, min_count=1, epochs=10 and workers=1. A corpus of
        less than some 100,000 words wants more epochs.
    unseen_words : int, default=50_000
        Of so many first words of `embeddings`, in usual files the most frequent ones, also
        those that the texts lack become part of the vocabulary, so that later texts find their
        vectors. The classifier has not seen them, but words with vectors like theirs: the fewer
        the texts, the more is gained. 0: the words of the texts only, for smaller models. With
        `max_features`, only as many as leave the vocabulary within it; with `vocabulary`, none.
    random_state : int, RandomState or None, default=None
        Draws the vectors of words that have none, and seeds those trained here. An int
        gives the same bits every time.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        The id of each word, from 2: the words of the texts, then `unseen_words`.
    max_length_ : int
        The width of the matrix.
    embedding_matrix_ : ndarray of shape (n_words + 2, vector_size), float32, or None
        The vector of each id. Row 0 is zeros; words without a vector are drawn uniformly
        with the variance of those found, as in Kim (2014), section 4.3. Read-only.
    coverage_ : Bunch or None
        How well the vectors cover the fitted texts: `types`, the share of words with a
        vector; `tokens`, the same of their occurrences; `missing`, the most frequent words
        without a vector, as (word, count).
    truncated_fraction_ : float
        The share of fitted texts that are longer than `max_length_`.
    token_table_ : TokenTable
        Words and vectors, as the matrices refer to them.

    See Also
    --------
    TextCNNClassifier : Learns from the ids.
    Embeddings : A handle on word vectors.
    TokenIds : What `transform` returns.

    References
    ----------
    Kim (2014), Convolutional Neural Networks for Sentence Classification, EMNLP.

    Examples
    --------
    >>> from sktextcnn import TextVectorizer
    >>> vectorizer = TextVectorizer()
    >>> vectorizer.fit_transform(["a gem", "a gem of a film"])
    TokenIds([[2, 3, 0, 0, 0],
              [2, 3, 5, 2, 4]], dtype=int32)
    >>> vectorizer.transform(["a rare gem"]).tolist()
    [[2, 1, 3, 0, 0]]
    >>> vectorizer.inverse_transform([[2, 1, 3, 0, 0]])
    [['a', '<unk>', 'gem']]
    """

    _parameter_constraints: ClassVar = {
        "lowercase": ["boolean"],
        "strip_accents": [StrOptions({"ascii", "unicode"}), callable, None],
        "preprocessor": [callable, None],
        "tokenizer": [StrOptions(set(NLTK_TOKENIZERS)), callable, None],
        "stop_words": [str, list, tuple, set, frozenset, None],
        "token_pattern": [str],
        "analyzer": [StrOptions({"word", "char"}), callable],
        "min_df": [
            Interval(numbers.Integral, 1, None, closed="left"),
            Interval(numbers.Real, 0, 1, closed="both"),
        ],
        "max_df": [
            Interval(numbers.Integral, 1, None, closed="left"),
            Interval(numbers.Real, 0, 1, closed="both"),
        ],
        "max_features": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "vocabulary": [Mapping, Iterable, None],
        "max_length": [
            Interval(numbers.Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
            None,
        ],
        "padding": [StrOptions({"post", "pre"})],
        "truncating": [StrOptions({"post", "pre"})],
        "embeddings": "no_validation",
        "embeddings_params": [dict, None],
        "unseen_words": [Interval(numbers.Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    _fitted_attributes: ClassVar = (
        "token_table_",
        "max_length_",
        "truncated_fraction_",
        "coverage_",
    )
    # The table has the vocabulary, and the reader can be made again.
    _derived_attributes: ClassVar = ("vocabulary_", "_reader")

    vocabulary_: dict[str, int]
    max_length_: int
    coverage_: Bunch | None
    truncated_fraction_: float
    token_table_: TokenTable
    _reader: KnownReader

    def __init__(
        self,
        *,
        lowercase: bool = True,
        strip_accents: Any = None,
        preprocessor: Callable[[str], str] | None = None,
        tokenizer: str | Callable[[str], Iterable[str]] | None = None,
        stop_words: str | Collection[str] | None = None,
        token_pattern: str = TOKEN_PATTERN,
        analyzer: str | Callable[[str], Iterable[str]] = "word",
        min_df: int | float = 1,
        max_df: int | float = 1.0,
        max_features: int | None = None,
        vocabulary: Mapping[str, int] | Iterable[str] | None = None,
        max_length: int | str | None = "auto",
        padding: str = "post",
        truncating: str = "post",
        embeddings: Any = None,
        embeddings_params: dict[str, Any] | None = None,
        unseen_words: int = 50_000,
        random_state: Any = None,
    ) -> None:
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.preprocessor = preprocessor
        self.tokenizer = tokenizer
        self.stop_words = stop_words
        self.token_pattern = token_pattern
        self.analyzer = analyzer
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.max_length = max_length
        self.padding = padding
        self.truncating = truncating
        self.embeddings = embeddings
        self.embeddings_params = embeddings_params
        self.unseen_words = unseen_words
        self.random_state = random_state

    def fit(self, X: Iterable[str], y: Any = None) -> "TextVectorizer":
        """Learn the vocabulary and the length, and load or train the vectors.

        Parameters
        ----------
        X : iterable of str
            The texts, read once: a list, an array, a Series, or a generator.
        y : array-like of length n_texts or None
            Only its length is looked at.

        Returns
        -------
        self : TextVectorizer
            On an error, and when interrupted, the vectorizer is left as it was before.

        Raises
        ------
        TypeError
            If the texts are no iterable of str; names the first text that is none.
        ValueError
            If there is no text or no word, `y` has another length, a parameter is out of
            range, or the vectors cannot be read.
        """
        self._fit(X, y)
        return self

    def fit_transform(self, X: Iterable[str], y: Any = None) -> TokenIds:
        """Fit, and transform the same texts without tokenizing them twice.

        Parameters
        ----------
        X : iterable of str
            The texts.
        y : array-like of length n_texts or None
            Only its length is looked at.

        Returns
        -------
        X : TokenIds of shape (n_texts, n_tokens)
            What ``fit(X).transform(X)`` returns.
        """
        return self._padded(self._fit(X, y))

    def transform(self, X: Iterable[str]) -> TokenIds:
        """Turn texts into a matrix of token ids.

        Parameters
        ----------
        X : iterable of str
            The texts, read once.

        Returns
        -------
        X : TokenIds of shape (n_texts, n_tokens)
            Ids of known words, 1 for unknown ones, 0 for padding.

        Raises
        ------
        TypeError
            If the texts are no iterable of str; names the first text that is none.
        """
        check_is_fitted(self, "vocabulary_")
        documents = self._reader.read(read_texts(X), self._analysis(), self.vocabulary_)
        return self._padded(documents)

    def inverse_transform(self, X: Any) -> list[list[str]]:
        """Turn ids back into tokens.

        Parameters
        ----------
        X : array-like of int, shape (n_texts, n_tokens)
            Token ids.

        Returns
        -------
        tokens : list of list of str
            The tokens of each text without padding; "<unk>" for the id of unknown words.

        Raises
        ------
        ValueError
            If an id is beyond the vocabulary.
        """
        check_is_fitted(self, "vocabulary_")
        words = self.token_table_.words
        ids = np.asarray(X)
        if ids.ndim != 2 or not np.issubdtype(ids.dtype, np.integer):
            raise ValueError(
                f"X must be a 2-d array of integer ids, as transform returns it; got shape "
                f"{ids.shape} of {ids.dtype}."
            )
        if ids.size and not (ids.min() >= 0 and ids.max() < len(words)):
            raise ValueError(
                f"X has ids from {ids.min()} to {ids.max()}, but this vectorizer knows "
                f"those from 0 to {len(words) - 1}."
            )
        return [[words[i] for i in row if i != PADDING_ID] for row in ids.tolist()]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns: "token0", "token1", ...

        Parameters
        ----------
        input_features : ignored
            Present for the convention.

        Returns
        -------
        names : ndarray of str, shape (n_tokens,)
        """
        check_is_fitted(self, "vocabulary_")
        return np.array([f"token{i}" for i in range(self.max_length_)], dtype=object)

    @property
    def embedding_matrix_(self) -> np.ndarray | None:
        """The vector of each id, or None without `embeddings`."""
        return self.token_table_.vectors

    def _fit(self, X: Iterable[str], y: Any) -> "Documents":
        self._validate_params()
        embeddings = self._check_embeddings()
        given = None if self.vocabulary is None else _given_words(self.vocabulary)
        analyzer = build_analyzer(**self._analysis())
        documents, tokens = tokenize(read_texts(X), analyzer)
        if y is not None and (n_labels := _length(y)) not in (None, len(documents)):
            raise ValueError(f"X has {len(documents):,} texts, but y has {n_labels:,} labels.")
        words, counts = self._select_words(documents, tokens, given)

        if embeddings is None:
            table, coverage = TokenTable((*RESERVED_WORDS, *words)), None
        else:
            random_state = check_random_state(self.random_state)
            unseen: list[str] = []
            if isinstance(embeddings, str):
                embeddings = train_embeddings(
                    embeddings,
                    WordsOf(documents, (*RESERVED_WORDS, *words)),
                    self.embeddings_params or {},
                    int(random_state.randint(2**31 - 1)),
                )
            elif given is None:
                unseen = self._select_unseen(embeddings, tokens, analyzer, len(words))
            vectors, coverage = build_matrix(
                embeddings, words, counts, unseen, len(RESERVED_WORDS), random_state
            )
            table = TokenTable((*RESERVED_WORDS, *words, *unseen), vectors, embeddings.name)

        lengths = documents.lengths()
        width = choose_length(self.max_length, lengths)
        # In one step, so that an interrupt leaves the vectorizer as it was before or fitted.
        self.__dict__.update(
            **_of_table(table),
            coverage_=None if coverage is None else Bunch(**coverage),
            max_length_=width,
            truncated_fraction_=float(np.mean(lengths > width)),
        )
        return documents

    def _check_embeddings(self) -> Embeddings | str | None:
        """Find trouble with the vectors before any text is read."""
        trained = isinstance(self.embeddings, str) and self.embeddings in TRAINED
        if self.embeddings_params and not trained:
            raise ValueError(
                f"embeddings_params are those of vectors trained here, with embeddings "
                f"'word2vec' or 'fasttext'; got embeddings={self.embeddings!r}."
            )
        if trained or self.embeddings is None:
            return self.embeddings
        return as_embeddings(self.embeddings)

    def _analysis(self) -> dict[str, Any]:
        """The parameters that tell how a text becomes tokens."""
        return {
            "lowercase": self.lowercase,
            "strip_accents": self.strip_accents,
            "preprocessor": self.preprocessor,
            "tokenizer": self.tokenizer,
            "stop_words": self.stop_words,
            "token_pattern": self.token_pattern,
            "analyzer": self.analyzer,
        }

    def _select_words(
        self, documents: "Documents", tokens: list[str], given: list[str] | None
    ) -> tuple[list[str], np.ndarray]:
        """Choose the vocabulary and rewrite the documents' ids to its own."""
        counts = np.bincount(documents.ids(), minlength=len(tokens))
        if given is not None:
            index = {token: i for i, token in enumerate(tokens)}
            chosen = [index.get(word, -1) for word in given]
            words = given
            word_counts = np.array([counts[i] if i >= 0 else 0 for i in chosen], dtype=int)
        else:
            if not tokens:
                raise ValueError(
                    "The texts have no tokens. Are they empty, or do they hold only stop "
                    "words, or nothing that `token_pattern` matches?"
                )
            kept = self._within_df(documents, len(tokens))
            kept &= np.array([token not in RESERVED_WORDS for token in tokens])
            # By falling frequency; ties in the order of the words, whatever the texts'.
            chosen = sorted(np.flatnonzero(kept).tolist(), key=lambda i: (-counts[i], tokens[i]))
            if not chosen:
                raise ValueError(
                    f"No word is left with min_df={self.min_df} and max_df={self.max_df} in "
                    f"texts numbering {len(documents):,}. Try a lower min_df or a higher max_df."
                )
            chosen = chosen[: self.max_features]
            words = [tokens[i] for i in chosen]
            word_counts = counts[chosen]
        new_id = np.full(len(tokens) + 1, UNKNOWN_ID, dtype=np.int32)
        new_id[chosen] = np.arange(len(RESERVED_WORDS), len(RESERVED_WORDS) + len(words))
        documents.renumber(new_id[:-1])
        return words, word_counts

    def _select_unseen(
        self, embeddings: Embeddings, tokens: list[str], analyzer: Analyzer, n_words: int
    ) -> list[str]:
        """Choose the words of the vectors that the texts lack, but later ones may have."""
        # With those left out by their frequency, which the user wanted.
        seen = {*tokens, *RESERVED_WORDS}
        words = (word for word in embeddings.words(self.unseen_words) if word not in seen)
        # Other tokenizers may take their time, and may depend on a word's neighbours.
        if self.tokenizer is None and not callable(self.analyzer):
            words = (word for word in words if tokens_of(word, analyzer) == [word])
        most = None if self.max_features is None else self.max_features - n_words
        return list(islice(words, most))

    def _within_df(self, documents: "Documents", n_tokens: int) -> np.ndarray:
        n_texts = len(documents)
        low, high = (
            df if isinstance(df, numbers.Integral) else df * n_texts
            for df in (self.min_df, self.max_df)
        )
        if low <= 1 and high >= n_texts:
            return np.ones(n_tokens, dtype=bool)
        frequency = documents.document_frequency(n_tokens)
        return (frequency >= low) & (frequency <= high)

    def _padded(self, documents: "Documents") -> TokenIds:
        matrix = documents.padded(self.max_length_, self.padding, self.truncating)
        return TokenIds(matrix, self.token_table_)

    def _validate_params(self) -> None:
        check_parameters(self, self._parameter_constraints)

    def _fitted_state(self) -> dict[str, Any]:
        state = super()._fitted_state()
        if state.get("coverage_") is not None:
            state["coverage_"] = dict(state["coverage_"])
        return state

    def _set_fitted_state(self, state: dict[str, Any]) -> None:
        coverage = state["coverage_"]
        super()._set_fitted_state(
            {
                **state,
                **_of_table(state["token_table_"]),
                "coverage_": None if coverage is None else Bunch(**coverage),
            }
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags


def _of_table(table: TokenTable) -> dict[str, Any]:
    """The attributes that a table determines."""
    first = len(RESERVED_WORDS)
    return {
        "token_table_": table,
        "vocabulary_": {word: i for i, word in enumerate(table.words[first:], first)},
        "_reader": KnownReader(),
    }


def _length(y: Any) -> int | None:
    shape = getattr(y, "shape", None)
    if shape:
        return int(shape[0])
    return len(y) if hasattr(y, "__len__") else None


def _given_words(vocabulary: Mapping[str, int] | Iterable[str]) -> list[str]:
    if isinstance(vocabulary, str):
        raise ValueError(f"vocabulary must be a collection of words; got {vocabulary!r}.")
    first = len(RESERVED_WORDS)
    if isinstance(vocabulary, Mapping):
        words = sorted(vocabulary, key=lambda word: vocabulary[word])
        ids = [vocabulary[word] for word in words]
        if ids != list(range(first, first + len(words))):
            raise ValueError(
                f"The ids of vocabulary must be {first}, {first + 1}, ..., since 0 is "
                f"padding and 1 any unknown word; got {ids[:3]}... Give a list of the "
                f"words to have them numbered."
            )
    else:
        words = sorted(vocabulary) if isinstance(vocabulary, set) else list(vocabulary)
    if not words:
        raise ValueError("vocabulary is empty. Give its words, or None to learn them.")
    seen: set[str] = set()
    for word in words:
        if not isinstance(word, str):
            raise ValueError(f"vocabulary must hold words; got {word!r:.60}.")
        if word in seen:
            raise ValueError(f"vocabulary holds {word!r:.60} twice.")
        if word in RESERVED_WORDS:
            raise ValueError(
                f"vocabulary holds {word!r}, which stands for id {RESERVED_WORDS.index(word)}. "
                f"Leave it out."
            )
        seen.add(word)
    return words
