"""Small valid files of every format, made as gensim makes them."""

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from gensim.models import FastText, KeyedVectors
from gensim.models.fasttext import save_facebook_model
from sklearn.pipeline import make_pipeline

import sktextcnn
from fuzz.properties import (
    CONFIG,
    HEADER,
    IN_SMALL_BLOCKS,
    PACKED,
    REPAIRED,
    WHOLE,
    header_of,
)
from sktextcnn import TextCNNClassifier, TextVectorizer

SENTENCES = [["the", "cat", "sat", "on", "the", "mat"], ["naïve", "マット", "1.5", "the"]] * 3


def vector_files() -> dict[str, bytes]:
    """Inputs of `check_vector_file` by the names of their formats."""
    contents = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors"
        vectors = KeyedVectors(3, dtype=np.float32)
        words = ["the", "cat", "naïve", "マット", "sat on", "1.5"]
        vectors.add_vectors(words, np.random.default_rng(0).normal(size=(len(words), 3)))
        for name, options in {
            "word2vec": {},
            "glove": {"write_header": False},
            "binary": {"binary": True},
        }.items():
            vectors.save_word2vec_format(str(path), **options)
            contents[name] = path.read_bytes()
        for name, maxn in (("fasttext", 4), ("fasttext-words", 0)):
            model = FastText(
                SENTENCES, vector_size=2, min_count=1, max_n=maxn, bucket=5, epochs=1, workers=1
            )
            save_facebook_model(model, str(path))
            contents[name] = path.read_bytes()
    # fastText's format of before it had a magic number and a flag of quantization.
    contents["fasttext-old"] = _without_magic(contents["fasttext"])
    contents["windows"] = contents["word2vec"].replace(b"\n", b" \r\n")
    contents["mark"] = b"\xef\xbb\xbf" + contents["glove"]
    contents["blanks"] = b"4 2\na 1.5 2\n  3 4\n\t 5 6\n\xc2\xa0 7 8\n"
    contents["rows"] = b"".join(b"w%d %d.25 -1e-3\n" % (i, i) for i in range(40))
    return {
        f"{name}-{mode}": bytes([mode]) + content
        for name, content in contents.items()
        for mode in (0, PACKED, IN_SMALL_BLOCKS, PACKED | IN_SMALL_BLOCKS, REPAIRED)
    }


def models() -> list[bytes]:
    """Models of `sktextcnn.save`, the bases of `check_model_file`."""
    contents = []
    for params in (
        {},
        {"architecture": "stacked", "kernel_sizes": (1, 1), "hidden_units": 1},
        {"early_stopping": True, "validation_fraction": 0.5, "class_weight": {"good": 2.0}},
    ):
        classifier = TextCNNClassifier(
            num_filters=1, kernel_sizes=(1,), embedding_dim=1, max_epochs=1, random_state=0
        )
        vectorizer = TextVectorizer(max_length=4, stop_words=["the"])
        model = make_pipeline(vectorizer, classifier.set_params(**params))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            sktextcnn.save(model.fit(["a gem", "so dull"] * 2, ["good", "bad"] * 2), path)
            contents.append(path.read_bytes())
    return contents


def model_files(bases: Sequence[bytes]) -> dict[str, bytes]:
    """Inputs of `check_model_file`: each of the bases as a whole, and parts of it."""
    inputs = {}
    for i, content in enumerate(bases):
        header, _ = header_of(content)
        length = int.from_bytes(content[:8], "little")
        inputs[f"whole-{i}"] = bytes([WHOLE + 3 * i]) + content
        inputs[f"header-{i}"] = bytes([HEADER + 3 * i]) + content[8 : 8 + length]
        config = header["__metadata__"]["config"].encode()
        inputs[f"config-{i}"] = bytes([CONFIG + 3 * i]) + config
    return inputs


def write(inputs: dict[str, bytes], folder: Path) -> None:
    """Write inputs as a corpus of libFuzzer."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in inputs.items():
        (folder / name).write_bytes(data)


def _without_magic(content: bytes) -> bytes:
    stream = io.BytesIO(content)
    stream.seek(8)
    arguments = stream.read(12 * 4 + 8)
    sizes = stream.read(3 * 4 + 8)
    stream.read(8)  # The number of pruned entries.
    n_entries = int.from_bytes(sizes[:4], "little")
    end = stream.tell()
    for _ in range(n_entries):
        end = content.index(b"\0", end) + 1 + 9
    # There a byte tells whether the model is quantized.
    return arguments + sizes + content[stream.tell() : end] + content[end + 1 :]
