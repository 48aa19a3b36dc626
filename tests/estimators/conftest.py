"""Token ids with word vectors, for the tests of the classifier's input."""

import pytest

from sktextcnn import TextVectorizer
from tests.estimators.refusals import TEXTS


@pytest.fixture(scope="session")
def with_vectors(tmp_path_factory):
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    path.write_text("4 3\na 1 2 3\ngem 4 5 6\ndull 7 8 9\nso -1 -2 -3\n")
    X = TextVectorizer(embeddings=str(path), token_pattern=r"\w+").fit_transform(TEXTS)
    assert X.table.vectors is not None
    return X
