"""The corpus as a matrix of token ids."""

import numpy as np
import pytest

from sktextcnn import TextVectorizer


@pytest.fixture(scope="session")
def data(corpus):
    texts, labels = corpus
    return TextVectorizer().fit_transform(texts), np.array(labels)
