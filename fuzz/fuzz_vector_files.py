"""Fuzz the readers of files of vectors: python -m fuzz.fuzz_vector_files -max_total_time=60."""

import atheris

with atheris.instrument_imports(
    include=[
        "sktextcnn._vectors.embeddings",
        "sktextcnn._vectors.file_cache",
        "sktextcnn._vectors.formats",
        "sktextcnn._vectors.other_files",
        "sktextcnn._vectors.records",
        "sktextcnn._vectors.text_format",
        "sktextcnn._vectors.word2vec_format",
        "sktextcnn._vectors.fasttext_format",
    ]
):
    import sktextcnn._vectors.embeddings  # noqa: F401

from fuzz import harness, seeds
from fuzz.properties import check_vector_file

if __name__ == "__main__":
    harness.run("vector_files", seeds.vector_files(), check_vector_file, longest=8192)
