"""Fuzz the readers of files of vectors: python -m fuzz.fuzz_vector_files -max_total_time=60."""

import atheris

with atheris.instrument_imports(
    include=[
        "sktextcnn._embeddings",
        "sktextcnn._vector_files",
        "sktextcnn._vector_records",
        "sktextcnn._text_vectors",
        "sktextcnn._word2vec_vectors",
        "sktextcnn._fasttext_vectors",
    ]
):
    import sktextcnn._embeddings  # noqa: F401

from fuzz import harness, seeds
from fuzz.properties import check_vector_file

if __name__ == "__main__":
    harness.run("vector_files", seeds.vector_files(), check_vector_file, longest=8192)
