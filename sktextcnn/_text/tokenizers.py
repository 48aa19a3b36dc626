"""Tokenizers and stop words that have a name."""

import re
from collections.abc import Callable, Collection

#: The tokenizers of NLTK that need no data.
NLTK_TOKENIZERS = {
    "treebank": "TreebankWordTokenizer",
    "tweet": "TweetTokenizer",
    "wordpunct": "WordPunctTokenizer",
}

# The time of NLTK's pattern for tweets grows with the square of the length of such a run.
_LONG_RUN = re.compile(r"(\S{1000})(?=\S)")


def named_tokenizer(name: str) -> Callable[[str], list[str]]:
    """Return the function of one of NLTK's tokenizers.

    The one for tweets ends a token after 1,000 characters without whitespace.

    Parameters
    ----------
    name : {"treebank", "tweet", "wordpunct"}
        The tokenizer.

    Raises
    ------
    ImportError
        If NLTK is not installed; the message names the extra to install.
    """
    try:
        from nltk import tokenize
    except ImportError as error:
        raise ImportError(
            f"tokenizer={name!r} needs NLTK, which is not installed: pip install 'sktextcnn[nltk]'."
        ) from error
    tokens = getattr(tokenize, NLTK_TOKENIZERS[name])().tokenize
    if name != "tweet":
        return tokens
    return lambda text: tokens(_LONG_RUN.sub(r"\1 ", text))


def stop_words_of_language(language: str, pieces: Callable[[str], Collection[str]]) -> list[str]:
    """Return the stop words of a language, split as a tokenizer splits texts.

    Parameters
    ----------
    language : str
        A name such as "french" or a code such as "fr".
    pieces : callable
        Preprocesses and tokenizes a stop word, so that words that the tokenizer splits, such
        as "c'est", are left out too.

    Raises
    ------
    ImportError
        If the package `stop-words` is not installed; the message names the extra to install.
    ValueError
        If it does not know the language; the message lists those that it knows.
    """
    try:
        import stop_words
    except ImportError as error:
        raise ImportError(
            f"stop_words={language!r} needs the package stop-words, which is not "
            f"installed: pip install 'sktextcnn[stop-words]'. A list of words and 'english' do not "
            f"need it."
        ) from error
    try:
        words = stop_words.get_stop_words(language)
    except stop_words.StopWordError:
        known = ", ".join(sorted(stop_words.AVAILABLE_LANGUAGES))
        raise ValueError(
            f"There are no stop words for stop_words={language!r}. Give a list of words, "
            f"or one of: {known}."
        ) from None
    return sorted({piece for word in words for piece in pieces(word)})
