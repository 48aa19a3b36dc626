"""TextVectorizer: from texts to padded token ids and word vectors."""

import numbers
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from typing import Any, ClassVar

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sktextcnn._compat.sklearn import Interval, StrOptions, check_parameters, refuse_diagram
from sktextcnn._coverage import Coverage
from sktextcnn._progress import progress_bar, waiting
from sktextcnn._state import StoredEstimator
from sktextcnn._text import (
    NLTK_TOKENIZERS,
    TOKEN_PATTERN,
    Analyzer,
    CachedEncoder,
    DecodedDocuments,
    Documents,
    TokenCounts,
    build_analyzer,
    choose_length,
    read_texts,
    tokenize,
    warn_of_tokens,
)
from sktextcnn._token_ids import (
    PADDING_ID,
    RESERVED_WORDS,
    UNKNOWN_ID,
    TokenIds,
    TokenTable,
)
from sktextcnn._vectors import (
    TRAINED,
    Embeddings,
    as_embeddings,
    build_matrix,
    first_words,
    list_sources,
    other_spellings,
    shared,
    train_embeddings,
)


class TextVectorizer(TransformerMixin, StoredEstimator):
    r"""Convert texts to a padded matrix of token ids that refers to their word vectors.

    Id 0 is padding, id 1 is any unknown token, and ids from 2 are the words, the most frequent
    first. :meth:`transform` returns an int32 array of shape (n_texts, `max_length_`), which
    refers to the vocabulary and the vectors. A :class:`TextCNNClassifier` that follows in a
    Pipeline uses them.

    The parameters that concern texts have the names and meanings of scikit-learn's
    :class:`~sklearn.feature_extraction.text.CountVectorizer`; those that concern sequences have
    the names and meanings of Keras.

    Parameters
    ----------
    normalize : "NFC" or None, default="NFC"
        Spell alike what is written alike, before tokenizing: letters and their accents are composed
        (Unicode's NFC), a typographic apostrophe within a word becomes ', characters that are not
        seen, such as soft hyphens, are removed, and with `lowercase`, a Turkish İ becomes i. None
        leaves texts as they are.
    lowercase : bool, default=True
        Convert texts to lower case before tokenizing.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        Remove accents before tokenizing.
    preprocessor : callable or None, default=None
        Takes a text and returns the text to tokenize. Overrides `normalize`, `lowercase` and
        `strip_accents`.
    tokenizer : {"treebank", "tweet", "wordpunct"}, callable or None, default=None
        A tokenizer of NLTK that needs no data (extra `nltk`), or a function that takes a text
        and returns its tokens. None means that `token_pattern` is used.
    stop_words : "english", str, list of str or None, default=None
        Words to leave out. "english" is scikit-learn's list. Another name or code of a
        language, such as "french" or "fr", is the list of the package stop-words (extra
        `stop-words`).
    token_pattern : str
        The regular expression of a token, used if `tokenizer` is None. The default matches
        words of any length in all scripts that separate them, and punctuation marks, and splits
        off clitics ("do", "n't") as GloVe and word2vec do. In a pattern of your own,
        ``\p{M}`` stands for combining marks, which Python's ``\w`` does not match;
        ``[\w\p{M}]+`` matches words of Hindi.
    analyzer : {"word", "char"} or callable, default="word"
        With "char", each character is a token, which needs no tokenizer for languages
        written without spaces. A callable takes an entry of `X` and returns its tokens.
    min_df, max_df : int or float in [0, 1], default=1, 1.0
        Leave out words that occur in fewer than `min_df` or more than `max_df` texts. An int
        is a number of texts; a float is a proportion of the texts.
    max_vocab_size : int or None, default=None
        Bound the words that are counted at a time, as in gensim's Word2Vec, so that the memory of
        `fit` does not grow with the distinct words of a stream. Whenever a text makes them more,
        the rarest are left out, and at most half of them stay. It never leaves out a word that
        occurs more than `max_undercount_` times, which is at most
        ``n_tokens / (max_vocab_size // 2 + 1)`` and usually much less. A word that is left out
        can come back, and is counted from there: a count is never too high, and too low by
        `max_undercount_` at most. `min_df`, `max_df`, `max_features` and `coverage_` go by these
        counts. Not to be combined with `vocabulary`. None counts all words.
    max_features : int or None, default=None
        The maximum size of the vocabulary; the most frequent words are kept.
    vocabulary : iterable of str, mapping of str to id, or None, default=None
        The words to use instead of those of the texts. The ids of a mapping must be
        2, 3, ...; the words of an iterable get these ids in their order.
    max_length : int, "auto" or None, default="auto"
        The width of the matrix; longer texts are truncated to so many tokens. None is the
        length of the longest fitted text. "auto" is the same, unless that text is an outlier:
        a width above 256 is limited to 4 times the length that 95 % of the texts do not exceed.
    padding : {"post", "pre"}, default="post"
        Whether to pad after or before the tokens.
    truncating : {"post", "pre"}, default="post"
        Whether to remove tokens from the end or from the beginning of texts that are longer
        than `max_length`.
    embeddings : str, path-like, object, Embeddings, list of these or None, default=None
        The word vectors: anything that :class:`Embeddings` takes (a file, a gensim object, a
        name of gensim-data, a dict of words and vectors, a pair of words and a matrix, an object
        that encodes words), or "word2vec" or "fasttext" to train them on the fitted texts. The
        vectors of a list of sources are put side by side; those of each are scaled so that their
        numbers have the standard deviation 0.5, about that of GloVe's. With None, the classifier
        starts from random vectors.
    embeddings_params : dict or None, default=None
        Parameters of gensim's Word2Vec or FastText, for vectors trained on the fitted texts,
        such as ``{"vector_size": 50, "window": 3, "epochs": 20}``. The defaults are gensim's
        except for vector_size=100, sg=1, min_count=1, epochs=10 and workers=1. Use more epochs
        for a corpus of less than about 100,000 words.
    unseen_words : int, default=50_000
        Add those of the first `unseen_words` words of `embeddings` that the fitted texts do not
        contain, so that they have their vectors in later texts. Most files have the most
        frequent words first. The classifier is not trained on these words, but on words with
        similar vectors; accuracy gains most with few texts. 0 adds none and makes models
        smaller. `max_features` limits the vocabulary with these words. Of a list, they are the
        words of the first source that has a list of words; encoders, and vectors trained on the
        fitted texts, have none. With a given `vocabulary`, none are added.
    random_state : int, RandomState or None, default=None
        Controls the random vectors of words that have none in `embeddings`, and the training of
        vectors. Pass an int for reproducible results.
    verbose : int, default=0
        1 shows on stderr what takes more than two seconds: tokenizing, reading vectors, training
        them. Not stored by :func:`sktextcnn.save`.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        The id of each word, from 2: first the words of the texts, then those that
        `unseen_words` added.
    max_length_ : int
        The width of the matrix.
    embedding_matrix_ : ndarray of shape (n_words + 2, vector_size), float32, or None
        The vector of each id, read-only. Row 0 is zeros. Words without a vector have random ones
        from a uniform distribution with the variance of the vectors that were found (Kim, 2014,
        section 4.3). With a list of sources, so has the part of each source that has no vector of
        a word. None without `embeddings`.
    coverage_ : Bunch or None
        The share of the fitted texts that has vectors, printed on a few lines. `types` is the
        share of words with a vector in any source, `tokens` is the share of their occurrences, and
        `missing` are the most frequent words without a vector, as (word, count). `sources` has the
        shares of each source, as (name, types, tokens). None without `embeddings`.
    truncated_fraction_ : float
        The proportion of fitted texts that are longer than `max_length_`.
    max_undercount_ : int
        The most occurrences of a word that `max_vocab_size` has left uncounted; 0 if it has left
        out none.
    token_table_ : TokenTable
        The words and vectors to which the matrices refer.

    See Also
    --------
    TextCNNClassifier : Classifier for the token ids.
    Embeddings : Handle on word vectors.
    TokenIds : The matrix that `transform` returns.

    References
    ----------
    Kim (2014), Convolutional Neural Networks for Sentence Classification, EMNLP.

    `max_vocab_size`: Manku and Motwani (2002), Approximate Frequency Counts over Data Streams,
    VLDB; Anderson et al. (2017), A High-Performance Algorithm for Identifying Frequent Items in
    Data Streams, IMC.

    Examples
    --------
    >>> from sktextcnn import TextVectorizer
    >>> vectorizer = TextVectorizer()
    >>> vectorizer.fit_transform(["a gem", "a gem of a film"])
    TokenIds([[2, 3, 0, 0, 0],
              [2, 3, 5, 2, 4]],
             shape=(2, 5), dtype=int32, n_words=4)
    >>> vectorizer.transform(["a rare gem"]).tolist()
    [[2, 1, 3, 0, 0]]
    >>> vectorizer.inverse_transform([[2, 1, 3, 0, 0]])
    [['a', '<unk>', 'gem']]
    """

    _parameter_constraints: ClassVar = {
        "normalize": [StrOptions({"NFC"}), None],
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
        "max_vocab_size": [Interval(numbers.Integral, 1, None, closed="left"), None],
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
        "verbose": ["verbose"],
    }

    _fitted_attributes: ClassVar = (
        "token_table_",
        "max_length_",
        "truncated_fraction_",
        "coverage_",
        "max_undercount_",
    )
    # The table contains the vocabulary, and the encoder can be made again.
    _derived_attributes: ClassVar = ("vocabulary_", "_encoder")
    # Models that were stored before there was `normalize` tokenize as they did.
    _params_of_before: ClassVar = {"normalize": None, "verbose": 0, "max_vocab_size": None}

    vocabulary_: dict[str, int]
    max_length_: int
    coverage_: Coverage | None
    truncated_fraction_: float
    max_undercount_: int
    token_table_: TokenTable
    _encoder: CachedEncoder

    def __init__(
        self,
        *,
        normalize: str | None = "NFC",
        lowercase: bool = True,
        strip_accents: Any = None,
        preprocessor: Callable[[str], str] | None = None,
        tokenizer: str | Callable[[str], Iterable[str]] | None = None,
        stop_words: str | Collection[str] | None = None,
        token_pattern: str = TOKEN_PATTERN,
        analyzer: str | Callable[[str], Iterable[str]] = "word",
        min_df: int | float = 1,
        max_df: int | float = 1.0,
        max_vocab_size: int | None = None,
        max_features: int | None = None,
        vocabulary: Mapping[str, int] | Iterable[str] | None = None,
        max_length: int | str | None = "auto",
        padding: str = "post",
        truncating: str = "post",
        embeddings: Any = None,
        embeddings_params: dict[str, Any] | None = None,
        unseen_words: int = 50_000,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.normalize = normalize
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.preprocessor = preprocessor
        self.tokenizer = tokenizer
        self.stop_words = stop_words
        self.token_pattern = token_pattern
        self.analyzer = analyzer
        self.min_df = min_df
        self.max_df = max_df
        self.max_vocab_size = max_vocab_size
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.max_length = max_length
        self.padding = padding
        self.truncating = truncating
        self.embeddings = embeddings
        self.embeddings_params = embeddings_params
        self.unseen_words = unseen_words
        self.random_state = random_state
        self.verbose = verbose

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            With False, a handle stands for each source of `embeddings` that is in memory. So
            :func:`sklearn.base.clone` shares the vectors instead of copying them, and a
            vectorizer is shown without their numbers.

        Returns
        -------
        params : dict
            The value of each parameter by its name.
        """
        params = super().get_params(deep)
        return params if deep else {**params, "embeddings": shared(params["embeddings"])}

    def fit(self, X: Iterable[str], y: Any = None) -> "TextVectorizer":
        """Learn the vocabulary and the length, and load or train the vectors.

        Parameters
        ----------
        X : iterable of str
            The texts: a list, an array, a Series or a generator. It is iterated over once.
        y : array-like of length n_texts or None
            Ignored, except that its length must be that of `X`.

        Returns
        -------
        self : TextVectorizer
            The fitted vectorizer. After an error or an interrupt it is as it was before.

        Raises
        ------
        TypeError
            If `X` is not an iterable of str; the message names the first entry that is not one.
        ValueError
            If `X` has no text or no word, `y` has another length, a parameter is not valid,
            or the vectors cannot be read.
        """
        self._fit(X, y, None)
        return self

    def fit_transform(self, X: Iterable[str], y: Any = None) -> TokenIds:
        """Fit to texts and transform them, without tokenizing them twice.

        Parameters
        ----------
        X : iterable of str
            The texts. It is iterated over once.
        y : array-like of length n_texts or None
            Ignored, except that its length must be that of `X`.

        Returns
        -------
        X : TokenIds of shape (n_texts, `max_length_`)
            The same as ``fit(X).transform(X)``, except that a word that `max_vocab_size` had
            left out, and that came back later, is unknown in the texts before.
        """
        documents = Documents()
        self._fit(X, y, documents)
        return self._padded(documents)

    def transform(self, X: Iterable[str]) -> TokenIds:
        """Convert texts to a matrix of token ids.

        Parameters
        ----------
        X : iterable of str
            The texts. It is iterated over once.

        Returns
        -------
        X : TokenIds of shape (n_texts, `max_length_`)
            The ids of known words, 1 for unknown words and 0 for padding; dtype int32.

        Raises
        ------
        TypeError
            If `X` is not an iterable of str; the message names the first entry that is not one.
        """
        check_is_fitted(self, "vocabulary_")
        documents = self._encoder.encode(self._counted(X), self._analysis(), self.vocabulary_)
        return self._padded(documents)

    def inverse_transform(self, X: Any) -> list[list[str]]:
        """Convert token ids back to tokens.

        Parameters
        ----------
        X : array-like of int, shape (n_texts, n_tokens)
            Token ids.

        Returns
        -------
        tokens : list of list of str
            The tokens of each text without padding. "<unk>" stands for unknown words.

        Raises
        ------
        ValueError
            If `X` is not a matrix of integers, or an id is not in the vocabulary.
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
                f"X has ids from {ids.min()} to {ids.max()}, but the ids of this vectorizer are "
                f"those from 0 to {len(words) - 1}."
            )
        return [[words[i] for i in row if i != PADDING_ID] for row in ids.tolist()]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns: "token0", "token1", ...

        Parameters
        ----------
        input_features : ignored
            Not used; present for API consistency.

        Returns
        -------
        names : ndarray of str, shape (`max_length_`,)
            One name for each position in a text.
        """
        check_is_fitted(self, "vocabulary_")
        refuse_diagram()  # Hundreds of positions would fill it.
        return np.array([f"token{i}" for i in range(self.max_length_)], dtype=object)

    @property
    def embedding_matrix_(self) -> np.ndarray | None:
        """The vector of each id; None without `embeddings`."""
        return self.token_table_.vectors

    def _fit(self, X: Iterable[str], y: Any, documents: Documents | None) -> None:
        """Fit to texts, and append their ids to documents, if there are any."""
        self._validate_params()
        if self.vocabulary is not None and self.max_vocab_size is not None:
            raise ValueError(
                f"max_vocab_size={self.max_vocab_size} bounds the words that are counted to choose "
                f"a vocabulary, but vocabulary gives it. Leave out one of them."
            )
        embeddings = self._check_embeddings()
        given = None if self.vocabulary is None else _given_words(self.vocabulary)
        analyzer = build_analyzer(**self._analysis())
        if documents is None and any(isinstance(source, str) for source in embeddings or ()):
            documents = Documents()  # To train vectors on them.
        found = TokenCounts(analyzer, self.max_vocab_size, self._limits_df(), documents)
        found.count(self._counted(X))
        n_texts = len(found.lengths)
        if y is not None and (n_labels := _length(y)) not in (None, n_texts):
            raise ValueError(f"X has {n_texts:,} texts, but y has {n_labels:,} labels.")
        words, counts = self._select_words(found, given)
        warned = warn_of_tokens(found.tokens, found.counts, n_texts)

        if embeddings is None:
            table, coverage = TokenTable((*RESERVED_WORDS, *words)), None
        else:
            random_state = check_random_state(self.random_state)
            given_sources = [source for source in embeddings if isinstance(source, Embeddings)]
            unseen: list[str] = []
            names = " and ".join(source.name for source in given_sources)
            with waiting(f"Reading vectors of {names}", shown=bool(self.verbose and names)):
                if given is None:
                    unseen = self._select_unseen(given_sources, found.tokens, analyzer, len(words))
            sources = [
                self._trained(source, documents, words, random_state)
                if isinstance(source, str)
                else source
                for source in embeddings
            ]
            with waiting(f"Reading vectors of {names}", shown=bool(self.verbose and names)):
                vectors, coverage = build_matrix(
                    sources,
                    words,
                    counts,
                    unseen,
                    len(RESERVED_WORDS),
                    random_state,
                    warns=not warned,
                )
            name = " + ".join(source.name for source in sources)
            table = TokenTable((*RESERVED_WORDS, *words, *unseen), vectors, name)

        width = choose_length(self.max_length, found.lengths)
        # In one step, so that after an interrupt the vectorizer is as before, or fitted.
        self.__dict__.update(
            **_table_attributes(table),
            coverage_=None if coverage is None else Coverage(**coverage),
            max_length_=width,
            truncated_fraction_=float(np.mean(found.lengths > width)),
            max_undercount_=found.undercount,
        )

    def _check_embeddings(self) -> list[Embeddings | str] | None:
        """Return the sources; raise an error about the parameter before any text is read."""
        given = list_sources(self.embeddings)
        if not given:
            raise ValueError(
                "embeddings is an empty list. Give one or more sources, or None for random vectors."
            )
        trained = [isinstance(source, str) and source in TRAINED for source in given]
        if self.embeddings_params and not any(trained):
            raise ValueError(
                f"embeddings_params only applies to embeddings='word2vec' and "
                f"embeddings='fasttext'; got embeddings={self.embeddings!r:.100}. Leave it out."
            )
        if self.embeddings is None:
            return None
        return [
            source if is_trained else as_embeddings(source)
            for source, is_trained in zip(given, trained, strict=True)
        ]

    def _trained(
        self,
        algorithm: str,
        documents: Documents | None,
        words: list[str],
        random_state: np.random.RandomState,
    ) -> Embeddings:
        """Train vectors on the texts."""
        assert documents is not None
        what = f"Training {algorithm} vectors on {len(documents):,} texts"
        with waiting(what, shown=bool(self.verbose)):
            return train_embeddings(
                algorithm,
                DecodedDocuments(documents, (*RESERVED_WORDS, *words)),
                self.embeddings_params or {},
                int(random_state.randint(2**31 - 1)),
            )

    def _counted(self, X: Iterable[str]) -> Iterable[str]:
        """The texts, counted by a bar if `verbose` says so and they take long."""
        texts = read_texts(X)
        if not self.verbose:
            return texts
        n_texts = _length(X)
        return progress_bar(
            slow=True, iterable=texts, total=n_texts, desc="Tokenizing", unit=" texts"
        )

    def _analysis(self) -> dict[str, Any]:
        """Return the parameters that control how a text is split into tokens."""
        return {
            "normalize": self.normalize,
            "lowercase": self.lowercase,
            "strip_accents": self.strip_accents,
            "preprocessor": self.preprocessor,
            "tokenizer": self.tokenizer,
            "stop_words": self.stop_words,
            "token_pattern": self.token_pattern,
            "analyzer": self.analyzer,
        }

    def _select_words(
        self, found: TokenCounts, given: list[str] | None
    ) -> tuple[list[str], np.ndarray]:
        """Choose the vocabulary, and replace the ids of the documents by its ids."""
        tokens = found.tokens
        if given is not None:
            index = {token: i for i, token in enumerate(tokens)}
            chosen = np.array([index.get(word, -1) for word in given])
            words = given
            word_counts = np.where(chosen >= 0, np.append(found.counts, 0)[chosen], 0)
        else:
            if not tokens and found.undercount:
                raise ValueError(
                    f"No word is left, since none occurs more than {found.undercount:,} times, and "
                    f"max_vocab_size={self.max_vocab_size} left out words so rare. Increase "
                    f"max_vocab_size; ten times as many words as you need are a good start."
                )
            if not tokens:
                raise ValueError(
                    "The texts have no tokens. Check that they are not empty, that they contain "
                    "other words than stop words, and that `token_pattern` matches words."
                )
            kept = self._within_df(found)
            kept &= np.array([token not in RESERVED_WORDS for token in tokens])
            # The most frequent first; ties by the word, so that the order of texts has no effect.
            chosen = np.array(sorted(np.flatnonzero(kept).tolist(), key=tokens.__getitem__))
            if not len(chosen):
                raise ValueError(
                    f"No word is left with min_df={self.min_df} and max_df={self.max_df} for "
                    f"{len(found.lengths):,} texts. Decrease min_df or increase max_df."
                )
            chosen = chosen[np.argsort(-found.counts[chosen], kind="stable")][: self.max_features]
            words = [tokens[i] for i in chosen.tolist()]
            word_counts = found.counts[chosen]
        new_id = np.full(len(tokens) + 1, UNKNOWN_ID, dtype=np.int32)
        new_id[chosen] = np.arange(len(RESERVED_WORDS), len(RESERVED_WORDS) + len(words))
        found.renumber(new_id[:-1])
        return words, word_counts

    def _select_unseen(
        self, sources: list[Embeddings], tokens: list[str], analyzer: Analyzer, n_words: int
    ) -> list[str]:
        """Choose words of the vectors that are not in the texts, but may be in later texts."""
        # `tokens` includes words that min_df, max_df or max_features left out of the vocabulary.
        seen = {*tokens, *RESERVED_WORDS}
        words: Iterable[str] = first_words(sources, self.unseen_words)
        # Other tokenizers may be slow, and their tokens may depend on a word's neighbours.
        if self.tokenizer is None and not callable(self.analyzer):
            words = (
                found[0]
                for word in words
                if len(found := tokenize(word, analyzer)) == 1
                and (found[0] == word or word in other_spellings(found[0]))
            )
        most = None if self.max_features is None else self.max_features - n_words
        return list(islice(dict.fromkeys(word for word in words if word not in seen), most))

    def _limits_df(self) -> bool:
        """Whether `min_df` or `max_df` may leave out words."""
        # 1 is one text, and 1.0 is all of them.
        of_all = [not isinstance(df, numbers.Integral) for df in (self.min_df, self.max_df)]
        lowest = self.min_df == 0 if of_all[0] else self.min_df == 1
        return not (lowest and of_all[1] and self.max_df == 1)

    def _within_df(self, found: TokenCounts) -> np.ndarray:
        if found.frequency is None:
            return np.ones(len(found.tokens), dtype=bool)
        low, high = (
            df if isinstance(df, numbers.Integral) else df * len(found.lengths)
            for df in (self.min_df, self.max_df)
        )
        return (found.frequency >= low) & (found.frequency <= high)

    def _padded(self, documents: Documents) -> TokenIds:
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
                # Models that were stored before there was `max_vocab_size` do not have it.
                "max_undercount_": 0,
                **state,
                **_table_attributes(state["token_table_"]),
                "coverage_": None if coverage is None else Coverage(**coverage),
            }
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags


def _table_attributes(table: TokenTable) -> dict[str, Any]:
    """Return the attributes that are determined by a table."""
    first = len(RESERVED_WORDS)
    return {
        "token_table_": table,
        "vocabulary_": {word: i for i, word in enumerate(table.words[first:], first)},
        "_encoder": CachedEncoder(),
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
                f"padding and 1 is any unknown word; got {ids[:3]}... Pass a list of the "
                f"words to have them numbered."
            )
    else:
        words = sorted(vocabulary) if isinstance(vocabulary, set) else list(vocabulary)
    if not words:
        raise ValueError(
            "vocabulary is empty. Pass its words, or None to learn them from the texts."
        )
    seen: set[str] = set()
    for word in words:
        if not isinstance(word, str):
            raise ValueError(f"vocabulary must contain only str; got {word!r:.60}.")
        if word in seen:
            raise ValueError(f"vocabulary contains {word!r:.60} twice.")
        if word in RESERVED_WORDS:
            raise ValueError(
                f"vocabulary contains {word!r}, which is reserved for id "
                f"{RESERVED_WORDS.index(word)}. Leave it out."
            )
        seen.add(word)
    return words
