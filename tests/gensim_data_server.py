"""A server of gensim-data on this machine, whose connections can be broken in many ways."""

import contextlib
import gzip
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import numpy as np

NAME = "glove-wiki-gigaword-100"
WORDS = ["the", "of", "gem", "film", *(f"word{i}" for i in range(400))]


def packed(seed=0):
    """A small file in word2vec's text format, as gensim-data has them."""
    rows = np.random.default_rng(seed).normal(size=(len(WORDS), 5))
    lines = [
        f"{w} {' '.join(f'{x:.4f}' for x in row)}\n" for w, row in zip(WORDS, rows, strict=True)
    ]
    text = f"{len(WORDS)} 5\n{''.join(lines)}"
    return gzip.compress(text.encode(), mtime=0)


def md5(content):
    return hashlib.md5(content).hexdigest()


CONTENT = packed()
READER = """\
import os
from gensim.downloader import base_dir
from gensim.models import KeyedVectors

def load_data():
    path = os.path.join(base_dir, {name!r}, {name!r} + ".gz")
    return KeyedVectors.load_word2vec_format(path)
"""


def described(content, name=NAME, **fields):
    return {
        "num_records": len(WORDS),
        "file_size": len(content),
        "base_dataset": "Wikipedia 2014 + Gigaword 5 (6B tokens, uncased)",
        "license": "http://opendatacommons.org/licenses/pddl/",
        "parameters": {"dimension": 5},
        "description": "Vectors of words.",
        "checksum": md5(content),
        "file_name": f"{name}.gz",
        "parts": 1,
        **fields,
    }


class GensimData:
    """What the server has, how it misbehaves, and what it was asked for.

    `faults` are what happens to the next requests for files of vectors, one each:
    ("cut", n): the connection breaks off after n bytes; ("stall", n): nothing comes after n bytes;
    ("status", code) or ("status", code, reason); ("no HTTP", line): a line that is no answer;
    ("page",): a web page with the status 200; ("reset",): no answer at all;
    ("trickle",): a few bytes at a time; ("no length", n): an answer without its length, which
    ends after n bytes; ("other range",): bytes from the beginning in answer to a range.
    """

    def __init__(self):
        self.files = {f"/{NAME}/{NAME}.gz": CONTENT}
        self.files[f"/{NAME}/__init__.py"] = READER.format(name=NAME).encode()
        self.catalogue = {"corpora": {"text8": {}}, "models": {NAME: described(CONTENT)}}
        self.list_content = None
        self.faults = []
        self.ranges = True
        self.redirects = False
        self.requests = []
        self.released = threading.Event()
        self.begun = threading.Event()

    def asked(self, suffix=".gz"):
        """The ranges that were asked for, None where the whole file was."""
        return [start for path, start in self.requests if path.endswith(suffix)]


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        data = self.server.data
        path = urlsplit(self.path).path  # A proxy is asked for whole addresses.
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else None
        data.requests.append((self.path, start))
        if path == "/list.json":
            content = data.list_content
            if content is None:
                content = json.dumps(data.catalogue).encode()
            return self.whole(content, "text/plain")
        if data.redirects and not path.startswith("/stored"):
            self.send_response(302)
            self.send_header("Location", f"/stored{path}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        path = path.removeprefix("/stored")
        if path.endswith(".py") or path not in data.files:
            if path in data.files:
                return self.whole(data.files[path], "text/plain")
            return self.send_error(404)
        fault, *n = data.faults.pop(0) if data.faults else (None,)
        content = data.files[path]
        if fault == "status":
            return self.send_error(*n)
        if fault == "no HTTP":
            self.close_connection = True
            return self.wfile.write(n[0])
        if fault == "page":
            return self.whole(b"\n <!DOCTYPE html><p>Log in to the network.", "text/html")
        if fault == "page as text":
            return self.whole(b"\n <!DOCTYPE html><p>Log in to the network.", "text/plain")
        if fault == "reset":
            self.close_connection = True
            return self.connection.close()
        if data.ranges and start is not None:
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            first = 0 if fault == "other range" else start
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            content = content[first:]
        else:
            self.send_response(200)
        if fault != "no length":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(OSError):  # The client went.
            self.send(content, fault, *n)

    def send(self, content, fault, n=None):
        if fault == "trickle":
            for i in range(0, len(content), 500):
                self.wfile.write(content[i : i + 500])
            return
        self.wfile.write(content[:n])
        self.server.data.begun.set()
        if fault == "stall":
            self.server.data.released.wait(30)
        if n is not None:
            self.close_connection = True

    def whole(self, content, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args):
        pass  # A client that went.


def serve(data):
    """Start a server of its own thread on a free port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.data = data
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    return server
