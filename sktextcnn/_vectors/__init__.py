"""Word vectors: the handle, the matrix of a vocabulary, and a reader for each format."""

from sktextcnn._vectors.embeddings import TRAINED as TRAINED
from sktextcnn._vectors.embeddings import Embeddings as Embeddings
from sktextcnn._vectors.embeddings import as_embeddings as as_embeddings
from sktextcnn._vectors.embeddings import described as described
from sktextcnn._vectors.embeddings import description as description
from sktextcnn._vectors.embeddings import train_embeddings as train_embeddings
from sktextcnn._vectors.matrix import build_matrix as build_matrix
