"""examples/serve_http.py, in a process of its own and with real requests on loopback."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import runpy
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "serve_http.py"
SECONDS = 60

MAX_BYTES, MAX_TEXTS, MAX_CHARACTERS, MAX_CONNECTIONS = 20_000, 8, 300, 70
LIMITS = {
    "--max-bytes": MAX_BYTES,
    "--max-texts": MAX_TEXTS,
    "--max-characters": MAX_CHARACTERS,
    "--max-connections": MAX_CONNECTIONS,
    "--body-seconds": 2,
}


class Service:
    """The example in a process of its own, and requests to it."""

    def __init__(self, model, options):
        words = [str(word) for pair in options.items() for word in pair]
        self.process = subprocess.Popen(
            [sys.executable, str(EXAMPLE), str(model), "--port", "0", *words],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        too_late = threading.Timer(SECONDS, self.process.kill)
        too_late.start()
        first = self.process.stdout.readline()
        too_late.cancel()
        found = re.fullmatch(r"Serving on http://(127\.0\.0\.1):(\d+)\n", first)
        assert found, self.process.communicate()[1]
        self.address = found[1], int(found[2])

    def ask(self, method, path, body=None, **headers):
        """Return the status, the JSON and the headers of an answer."""
        connection = http.client.HTTPConnection(*self.address, timeout=SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.headers

    def predict(self, texts):
        status, content, _ = self.ask("POST", "/predict", json.dumps({"texts": texts}))
        return status, content

    @contextlib.contextmanager
    def speak(self, *headers):
        """A connection on which a request to predict has begun, for bytes of any kind."""
        with socket.create_connection(self.address, timeout=SECONDS) as connection:
            head = ["POST /predict HTTP/1.1", "Host: localhost", *headers, "", ""]
            connection.sendall("\r\n".join(head).encode())
            yield connection

    def end(self, signal_number=signal.SIGTERM):
        """Return the exit status and what was written to stderr."""
        self.process.send_signal(signal_number)
        _, errors = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, errors

    def kill(self):
        self.process.kill()
        self.process.communicate()


def wait_until(happened):
    end = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < end, "waited for in vain"
        time.sleep(0.01)


def answer_on(connection):
    """Return the status and the JSON of an answer, while the request may go on."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, json.loads(answer.read())


@pytest.fixture(scope="module")
def texts(corpus):
    return [text[:MAX_CHARACTERS] for text in corpus[0]]


@pytest.fixture(scope="module")
def model(corpus, texts):
    classifier = TextCNNClassifier(num_filters=6, max_epochs=1, random_state=0)
    return make_pipeline(TextVectorizer(), classifier).fit(texts, corpus[1])


@pytest.fixture(scope="module")
def model_path(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "model.sktextcnn"
    sktextcnn.save(model, path)
    return path


@pytest.fixture(scope="module")
def service(model_path):
    service = Service(model_path, LIMITS)
    yield service
    # Whatever was asked of it, it has neither died nor complained.
    status, errors = service.end()
    assert status == 0
    assert "Traceback" not in errors


@pytest.fixture
def healthy(service):
    """The service, which is still well afterwards."""
    yield service
    assert service.ask("GET", "/health")[:2] == (200, {"status": "ok"})


def test_an_answer_is_what_the_pipeline_says(healthy, model, texts):
    asked = [*texts[:4], "", "a\0b", "naïve 🤖 unseen", "x" * MAX_CHARACTERS]
    assert len(asked) == MAX_TEXTS
    status, content = healthy.predict(asked)
    assert status == 200
    assert content == {
        "classes": model.classes_.tolist(),
        "labels": model.predict(asked).tolist(),
        "probabilities": model.predict_proba(asked).tolist(),
    }


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"", 400, "body must be JSON: .*"),
        (b'{"texts": ["cut', 400, "body must be JSON: Unterminated string .*"),
        (b'{"texts": ["\xff"]}', 400, "body must be JSON: .*utf-8.*"),
        (b"[" * 15_000, 400, "body must be JSON: .*recursion.*"),
        (b"9" * 15_000, 400, "body must be JSON: .*"),
        (b'["a text"]', 422, "texts must be a list of strings.*"),
        (b'{"text": ["a text"]}', 422, "texts must be a list of strings.*"),
        (b'{"texts": "a text"}', 422, "texts must be a list of strings.*"),
        (b'{"texts": {"0": "a text"}}', 422, "texts must be a list of strings.*"),
        (b'{"texts": []}', 422, "texts must be a list of strings.*"),
        (b'{"texts": ["a", null]}', 422, r"texts\[1\] must be a string"),
        (b'{"texts": [NaN]}', 422, r"texts\[0\] must be a string"),
        (b'{"texts": [["a"]]}', 422, r"texts\[0\] must be a string"),
        (b'{"texts": ["a", "\\ud800"]}', 422, r"texts\[1\] must be Unicode; .* surrogate pair"),
        (b'{"texts": ["\\udc00\\ud800"]}', 422, r"texts\[0\] must be Unicode; .*"),
        (
            json.dumps({"texts": ["a"] * (MAX_TEXTS + 1)}).encode(),
            422,
            f"texts must be at most {MAX_TEXTS}; got {MAX_TEXTS + 1}",
        ),
        (
            json.dumps({"texts": ["a", "é" * (MAX_CHARACTERS + 1)]}).encode(),
            422,
            rf"texts\[1\] must have at most {MAX_CHARACTERS} characters; got {MAX_CHARACTERS + 1}",
        ),
        (b"x" * (MAX_BYTES + 1), 413, f"body must have at most {MAX_BYTES} bytes"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bad_requests_are_refused_with_what_is_wrong(healthy, body, status, error):
    found, content, _ = healthy.ask("POST", "/predict", body)
    assert found == status
    assert list(content) == ["error"]
    assert re.fullmatch(error, content["error"])


def test_a_pair_of_surrogates_is_a_character(healthy, model):
    status, content, _ = healthy.ask("POST", "/predict", b'{"texts": ["\\ud83e\\udd16 array"]}')
    assert status == 200
    assert content["probabilities"] == model.predict_proba(["🤖 array"]).tolist()


def test_a_body_as_long_as_it_may_be_is_read(healthy, model):
    body = json.dumps({"texts": ["array"]}).encode().ljust(MAX_BYTES)
    status, content, _ = healthy.ask("POST", "/predict", body)
    assert status == 200
    assert content["labels"] == model.predict(["array"]).tolist()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/predict", 405), ("POST", "/health", 405), ("GET", "/other", 404)],
)
def test_other_pages_and_methods_are_refused_in_json(healthy, method, path, status):
    found, content, _ = healthy.ask(method, path)
    assert found == status
    assert content == {"error": http.client.responses[status]}


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_a_body_of_unknown_length_is_predicted(healthy, model):
    with healthy.speak("Transfer-Encoding: chunked") as connection:
        connection.sendall(chunk(b'{"texts": ["arr') + chunk(b'ay"]}') + chunk(b""))
        status, content = answer_on(connection)
    assert status == 200
    assert content["probabilities"] == model.predict_proba(["array"]).tolist()


def test_a_body_without_end_is_refused_while_it_comes(healthy):
    with healthy.speak("Transfer-Encoding: chunked") as connection:
        for _ in range(2):
            connection.sendall(chunk(b"x" * (MAX_BYTES // 2 + 1)))
        status, content = answer_on(connection)
    assert (status, content) == (413, {"error": f"body must have at most {MAX_BYTES} bytes"})


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted by Linux")
def test_what_is_beyond_the_limit_is_not_kept(healthy):
    def peak():
        status = pathlib.Path(f"/proc/{healthy.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    before, sent = peak(), 0
    with healthy.speak("Transfer-Encoding: chunked") as connection:
        while sent < 50_000_000:
            connection.sendall(chunk(b"x" * 500_000))
            sent += 500_000
        assert answer_on(connection)[0] == 413
    assert peak() - before < sent / 4


def test_an_announced_length_beyond_the_limit_is_refused_before_the_body(healthy):
    with healthy.speak(f"Content-Length: {10**12}") as connection:
        assert answer_on(connection)[0] == 413


def test_a_body_longer_than_announced_is_cut_there(healthy):
    body = json.dumps({"texts": ["array"]}).encode()
    with healthy.speak(f"Content-Length: {len(body) - 5}") as connection:
        connection.sendall(body + b"x" * MAX_BYTES)
        status, content = answer_on(connection)
    assert status == 400
    assert "must be JSON" in content["error"]


def test_a_body_shorter_than_announced_is_waited_for_only_so_long(healthy):
    with healthy.speak("Content-Length: 100") as connection:
        connection.sendall(b'{"texts": [')
        status, content = answer_on(connection)
        assert (status, content) == (408, {"error": "body must arrive within 2 s"})
        assert connection.recv(1) == b""
    with healthy.speak("Content-Length: 100") as connection:
        connection.sendall(b'{"texts": [')


@pytest.mark.parametrize("length", ["-1", "many"])
def test_a_length_that_is_none_is_refused(healthy, length):
    with healthy.speak(f"Content-Length: {length}") as connection:
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 400


def test_connections_beyond_the_limit_are_turned_away(service):
    with contextlib.ExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            stack.enter_context(socket.create_connection(service.address, timeout=SECONDS))
        assert status_of_health(service) == 503
    wait_until(lambda: status_of_health(service) == 200)


def status_of_health(service):
    connection = http.client.HTTPConnection(*service.address, timeout=SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", "/health")
        return connection.getresponse().status


def ask_at_once(service, model, texts, n_requests):
    """Ask for batches of all sizes from as many threads, and hold the answers to the Pipeline."""
    rng = np.random.default_rng(0)
    batches = [
        [texts[i] for i in rng.integers(len(texts), size=size)]
        for size in rng.integers(1, MAX_TEXTS + 1, n_requests)
    ]
    with ThreadPoolExecutor(n_requests) as pool:
        answers = list(pool.map(service.predict, batches))
    for batch, (status, content) in zip(batches, answers, strict=True):
        assert status == 200
        assert content["probabilities"] == model.predict_proba(batch).tolist()


def test_fifty_requests_at_once_get_their_answers(healthy, model, texts):
    ask_at_once(healthy, model, texts, 50)


@pytest.mark.skipif(sys.platform != "linux", reason="children are listed by Linux")
@pytest.mark.soak
@pytest.mark.parametrize("end", ["SIGTERM", "death of a worker"])
def test_forked_workers_answer_and_end_together(model, model_path, texts, end):
    service = Service(model_path, {**LIMITS, "--workers": 2, "--threads": 2})
    try:
        ask_at_once(service, model, texts, 50)
        pid = service.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        workers = [int(child) for child in children]
        assert len(workers) == 2
        if end == "SIGTERM":
            assert service.end() == (0, "")
        else:
            os.kill(workers[0], signal.SIGKILL)
            _, errors = service.process.communicate(timeout=SECONDS)
            assert service.process.returncode == 1
            assert "A worker has died" in errors
        for worker in workers:
            with pytest.raises(ProcessLookupError):
                os.kill(worker, 0)
    finally:
        service.kill()


# A model that says when it is asked, and answers when it is told to.
WAITING = """
    import pathlib, time
    import numpy as np

    class Waiting:
        classes_ = np.array(["no", "yes"])

        def predict(self, texts):
            return self.classes_[:1]

        def predict_proba(self, texts):
            folder = pathlib.Path(texts[0])
            (folder / "asked").touch()
            while not (folder / "told").exists():
                time.sleep(0.01)
            return np.array([[0.25, 0.75]])
"""


def test_others_are_answered_while_it_predicts_and_sigterm_lets_it_end(tmp_path, monkeypatch):
    (tmp_path / "waiting.py").write_text(textwrap.dedent(WAITING))
    monkeypatch.syspath_prepend(tmp_path)
    import waiting

    joblib.dump(waiting.Waiting(), tmp_path / "model.joblib")
    service = Service(tmp_path / "model.joblib", {})

    def listens_no_more():
        try:
            socket.create_connection(service.address, timeout=SECONDS).close()
        except ConnectionRefusedError:
            return True
        return False

    try:
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(service.predict, [str(tmp_path)])
            wait_until((tmp_path / "asked").exists)
            assert service.ask("GET", "/health")[0] == 200
            service.process.send_signal(signal.SIGTERM)
            wait_until(listens_no_more)
            assert not answer.done()
            (tmp_path / "told").touch()
            status, content = answer.result(timeout=SECONDS)
        assert (status, content["labels"]) == (200, ["yes"])
        assert service.process.wait(timeout=SECONDS) == 0
    finally:
        service.kill()


def test_a_model_of_several_labels_is_refused(corpus, tmp_path, monkeypatch, capsys):
    indicators = np.arange(len(corpus[0]))[:, None] % [2, 3] == 0
    classifier = TextCNNClassifier(num_filters=2, max_epochs=1, random_state=0)
    model = make_pipeline(TextVectorizer(), classifier).fit(corpus[0], indicators.astype(int))
    joblib.dump(model, tmp_path / "model.joblib")
    # In this process, whose signals and threads stay as they are.
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    monkeypatch.setattr(torch, "set_num_threads", lambda n_threads: None)
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), str(tmp_path / "model.joblib")])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(str(EXAMPLE), run_name="__main__")
    assert "several labels" in capsys.readouterr().err
