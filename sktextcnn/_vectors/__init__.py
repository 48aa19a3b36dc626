"""Word vectors: handles, the matrix of a vocabulary, encoders, and readers of file formats."""

from sktextcnn._vectors.embeddings import Embeddings as Embeddings
from sktextcnn._vectors.embeddings import as_embeddings as as_embeddings
from sktextcnn._vectors.embeddings import embeddings_config as embeddings_config
from sktextcnn._vectors.embeddings import embeddings_from_config as embeddings_from_config
from sktextcnn._vectors.embeddings import first_words as first_words
from sktextcnn._vectors.embeddings import list_sources as list_sources
from sktextcnn._vectors.embeddings import shared as shared
from sktextcnn._vectors.matrix import build_matrix as build_matrix
from sktextcnn._vectors.spellings import other_spellings as other_spellings
from sktextcnn._vectors.trained import TRAINED as TRAINED
from sktextcnn._vectors.trained import train_embeddings as train_embeddings
