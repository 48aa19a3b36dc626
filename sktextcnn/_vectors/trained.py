"""Word vectors that gensim trains on the fitted texts."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sktextcnn._vectors.embeddings import Embeddings
from sktextcnn._vectors.gensim_objects import is_encodable

#: Values of `TextVectorizer(embeddings=...)` that train vectors on the fitted texts.
TRAINED = ("word2vec", "fasttext")

# gensim ignores the tokens of a sentence after this many.
_LONGEST_SENTENCE = 10_000


def train_embeddings(
    algorithm: str,
    documents: Iterable[list[str]],
    params: Mapping[str, Any],
    seed: int,
) -> Embeddings:
    """Train Word2Vec or FastText on documents.

    Parameters
    ----------
    algorithm : {"word2vec", "fasttext"}
        What to train.
    documents : iterable of list of str
        The tokens of each document. They are iterated over several times.
    params : mapping
        Parameters of gensim's class, which override the defaults chosen here.
    seed : int
        With one worker, the same seed gives exactly the same vectors.

    Returns
    -------
    Embeddings
        A handle on the trained vectors.

    Raises
    ------
    ValueError
        If gensim cannot train with these parameters.
    """
    from gensim.models import FastText, Word2Vec

    model_class = {"word2vec": Word2Vec, "fasttext": FastText}[algorithm]
    settings = {
        "vector_size": 100,
        "min_count": 1,
        "sg": 1,
        "epochs": 10,
        "workers": 1,
        "hashfxn": _stable_hash,
        "seed": seed,
        **params,
    }
    try:
        if settings["vector_size"] < 1:
            raise ValueError(f"vector_size must be at least 1, got {settings['vector_size']}")
        sentences = _Sentences(documents, encodable=algorithm == "fasttext")
        model = model_class(sentences=sentences, **settings)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"embeddings={algorithm!r} could not be trained on the texts with "
            f"embeddings_params={dict(params)!r}: {error}"
        ) from error
    return Embeddings(model.wv)


def _stable_hash(text: str) -> int:
    """Hash a word to the same number in every process, unlike Python's own function."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


class _Sentences:
    """Documents cut into sentences that gensim does not truncate.

    With `encodable`, words with lone surrogates are left out, since gensim's fastText hashes
    n-grams by their bytes in UTF-8.
    """

    def __init__(self, documents: Iterable[list[str]], encodable: bool) -> None:
        self.documents, self.encodable = documents, encodable

    def __iter__(self) -> Iterator[list[str]]:
        for document in self.documents:
            if self.encodable:
                document = [word for word in document if is_encodable(word)]
            for start in range(0, len(document), _LONGEST_SENTENCE):
                yield document[start : start + _LONGEST_SENTENCE]
