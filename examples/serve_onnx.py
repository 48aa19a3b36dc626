"""Classify texts with a file of sktextcnn.export_onnx, with NumPy and onnxruntime only.

    python serve_onnx.py model.onnx "A gem." "So dull."
    python serve_onnx.py model.onnx < texts.txt
    python serve_onnx.py model.onnx --port 8000
    curl localhost:8000 -d '{"texts": ["A gem.", "So dull."]}'

Copy this file next to the model. It needs neither torch nor scikit-learn nor sktextcnn. To use it
from Python, import TextModel.
"""

import argparse
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import onnxruntime

PADDING_ID, UNKNOWN_ID = 0, 1

# Tokens in a call of the graph, so few that intermediate results fit into the processor's cache.
TOKENS_AT_ONCE = 1024
MAX_BYTES = 1 << 24  # of a request
PART = 256  # characters that are composed at a time


class TextModel:
    """A text classifier in an ONNX file.

    Parameters
    ----------
    path : str
        A file that sktextcnn.export_onnx wrote for a Pipeline.
    threads : int, default=1
        Number of threads in a call. The operators are small, so more processes help more than more
        threads.
    **functions : callable
        The functions that the export omitted, such as ``tokenizer=jieba.lcut``.

    Attributes
    ----------
    classes : list
        The labels; for a multilabel model, the numbers of the outputs.
    multilabel : bool
        Whether a text may have several labels, or none.
    """

    def __init__(self, path: str, *, threads: int = 1, **functions: Callable) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        metadata = self._session.get_modelmeta().custom_metadata_map
        if "sktextcnn" not in metadata:
            raise ValueError(f"{path} was not written by sktextcnn.export_onnx.")
        described = json.loads(metadata["sktextcnn"])
        if described["format_version"] not in (1, 2):
            raise ValueError(f"{path} has a newer format; this program reads versions 1 and 2.")
        if described["text"] is None:
            raise ValueError(f"{path} was exported without a vectorizer, so it takes no texts.")
        self.classes = described["classes"]
        self.multilabel = described["multilabel"]
        self._text = described["text"]
        self._id_of = {word: i for i, word in enumerate(described["vocabulary"])}
        self.tokens = analyzer(**{**self._text, **checked(functions, self._text["omitted"])})

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Return the probabilities of the classes; (n_texts, n_classes), float32."""
        if isinstance(texts, str):
            raise TypeError("texts must be a list of str; got a single str.")
        documents = [self.ids(text) for text in texts]
        probabilities = np.empty((len(documents), len(self.classes)), dtype=np.float32)
        for rows in batches([len(document) for document in documents]):
            ids = self._padded([documents[row] for row in rows])
            (probabilities[rows],) = self._session.run(["probabilities"], {"ids": ids})
        return probabilities

    def predict(self, texts: Iterable[str]) -> list:
        """Return the label of each text; for a multilabel model, the list of its labels."""
        return self.labels(self.predict_proba(texts))

    def labels(self, probabilities: np.ndarray) -> list:
        """Return the predicted labels for probabilities."""
        if self.multilabel:
            return [[self.classes[i] for i in np.flatnonzero(row > 0.5)] for row in probabilities]
        return [self.classes[i] for i in probabilities.argmax(axis=1)]

    def ids(self, text: str) -> list[int]:
        """Return the ids of the tokens of a text, without those that the model ignores."""
        id_of, most = self._id_of.get, self._text["max_length"]
        tokens = [id_of(token, UNKNOWN_ID) for token in self.tokens(text)]
        return tokens[:most] if self._text["truncating"] == "post" else tokens[-most:]

    def _padded(self, documents: list[list[int]]) -> np.ndarray:
        """Pad the ids of texts to the width of the longest; (n_texts, width)."""
        width = max(1, *map(len, documents))
        ids = np.full((len(documents), width), PADDING_ID, dtype=np.int32)
        for row, document in zip(ids, documents, strict=True):
            first = 0 if self._text["padding"] == "post" else width - len(document)
            row[first : first + len(document)] = document
        return ids


def batches(lengths: list[int]) -> Iterator[list[int]]:
    """Yield rows of texts of similar length, with about TOKENS_AT_ONCE tokens."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[row] > TOKENS_AT_ONCE:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def checked(functions: dict[str, Callable], omitted: dict[str, str]) -> dict[str, Callable]:
    """Return the functions, or raise a ValueError if they are not those that the file omits."""
    for name, known_as in omitted.items():
        if name not in functions:
            raise ValueError(
                f"The file omits the {name}, which was {known_as}. Pass it: "
                f"TextModel(path, {name}=...)."
            )
    for name in functions:
        if name not in omitted:
            raise ValueError(f"The file does not omit {name!r}; leave it out.")
    return functions


def analyzer(
    *,
    analyzer: str | Callable[[str], Iterable[str]],
    preprocessor: Callable[[str], str] | None,
    lowercase: bool,
    strip_accents: str | Callable[[str], str] | None,
    tokenizer: Callable[[str], Iterable[str]] | None,
    token_pattern: str | None,
    stop_words: list[str],
    normalize: str | None = None,
    replacements: Sequence[tuple[str, str]] = (),
    **others: Any,
) -> Callable[[str], Iterable[str]]:
    """Make the function from a text to its tokens, as the Pipeline finds them.

    Files of version 1 have no `normalize`, since their texts are not normalized.
    """
    if callable(analyzer):
        return analyzer
    strip = {"unicode": without_accents, "ascii": as_ascii}.get(strip_accents, strip_accents)
    excluded = frozenset(stop_words)
    replaced = [(re.compile(pattern), new) for pattern, new in replacements]

    def preprocess(text: str) -> str:
        if preprocessor is not None:
            return preprocessor(text)
        if normalize is not None:
            text = composed(text)
            for pattern, new in replaced if not text.isascii() else ():
                text = pattern.sub(new, text)
            text = composed(text)
        text = text.lower() if lowercase else text
        if normalize is not None and lowercase:
            text = text.replace("i\u0307", "i")
        text = text if strip is None else strip(text)
        return text if normalize is None else composed(text)

    if analyzer == "char":
        return lambda text: re.sub(r"\s\s+", " ", preprocess(text))
    split = re.compile(token_pattern).findall if tokenizer is None else tokenizer
    if not excluded:
        return lambda text: split(preprocess(text))
    return lambda text: [token for token in split(preprocess(text)) if token not in excluded]


def composed(text: str) -> str:
    """Compose letters and their marks, in parts, since a long run of marks takes its square."""
    if text.isascii():
        return text
    parts, start = [], 0
    while start < len(text):
        end = start + PART
        while end < min(len(text), start + 2 * PART) and continues(text[end]):
            end += 1
        parts.append(unicodedata.normalize("NFC", text[start:end]))
        start = end
    return "".join(parts)


def continues(character: str) -> bool:
    """Return whether a character is a mark, or a later part of a Korean syllable."""
    is_mark = unicodedata.category(character).startswith("M")
    return is_mark or "\u1160" <= character <= "\u11ff"


def without_accents(text: str) -> str:
    """Remove combining marks, such as accents."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def as_ascii(text: str) -> str:
    """Decompose letters with marks, and keep the characters that are ASCII."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


def handler(model: TextModel) -> type[BaseHTTPRequestHandler]:
    """Make a class that answers requests of the form {"texts": [...]}."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                length = int(self.headers["Content-Length"])
                if not 0 <= length <= MAX_BYTES:
                    raise ValueError(f"a request must have at most {MAX_BYTES} bytes")
                texts = json.loads(self.rfile.read(length))["texts"]
                if not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
                    raise ValueError("texts must be a list of strings")
            except (ValueError, KeyError, TypeError) as error:
                return self.answer(400, {"error": f'Send {{"texts": [...]}}: {error!r}.'})
            probabilities = model.predict_proba(texts)
            self.answer(
                200,
                {
                    "labels": model.labels(probabilities),
                    "classes": model.classes,
                    "probabilities": probabilities.tolist(),
                },
            )

        def answer(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def main() -> None:
    """Print the labels of texts, or serve the model over HTTP."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a file of sktextcnn.export_onnx")
    parser.add_argument("texts", nargs="*", help="texts; default: the lines of standard input")
    parser.add_argument("--port", type=int, help="serve over HTTP on this port of localhost")
    args = parser.parse_args()
    model = TextModel(args.model)
    if args.port is not None:
        with ThreadingHTTPServer(("127.0.0.1", args.port), handler(model)) as server:
            print(f"http://127.0.0.1:{server.server_port}", flush=True)
            server.serve_forever()
    texts = args.texts or [line.rstrip("\n") for line in sys.stdin]
    probabilities = model.predict_proba(texts)
    for text, labels, row in zip(texts, model.labels(probabilities), probabilities, strict=True):
        shown = ", ".join(map(str, labels)) if model.multilabel else labels
        print(f"{shown}\t{row.max():.3f}\t{text}")


if __name__ == "__main__":
    main()
