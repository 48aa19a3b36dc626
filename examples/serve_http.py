"""Serve a fitted Pipeline over HTTP, with limits on the size of requests.

    pip install 'sktextcnn[serve]'
    python examples/serve_http.py model.sktextcnn --port 8000 --workers 2
    curl -d '{"texts": ["a gorgeous, witty, seductive movie"]}' http://127.0.0.1:8000/predict

The model is loaded once, and workers are forked, so that they share its memory. For encryption,
passwords and protection against slow clients, put a proxy in front of it.
"""

import argparse
import asyncio
import gc
import json
import multiprocessing
import multiprocessing.connection
import re
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import joblib
import torch
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import sktextcnn

SURROGATES = re.compile(r"[\ud800-\udfff]")


async def refuse(request: Request, error: HTTPException) -> Response:
    """Return the message of an error as JSON."""
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def read_body(request: Request, most: int, seconds: float) -> bytes:
    """Read at most `most` bytes, whatever length the client has announced."""
    too_large = HTTPException(413, f"body must have at most {most} bytes")
    if int(request.headers.get("content-length", 0)) > most:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise too_large
    except TimeoutError:
        # The rest may never arrive, so the connection cannot be used again.
        headers = {"Connection": "close"}
        raise HTTPException(408, f"body must arrive within {seconds:g} s", headers) from None
    except ClientDisconnect:
        raise HTTPException(400, "body must be complete") from None
    return bytes(body)


def read_texts(body: bytes, max_texts: int, max_characters: int) -> list[str]:
    """Return the texts of a body, or raise an HTTPException that says what is wrong."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"body must be JSON: {error}") from None
    texts = content.get("texts") if isinstance(content, dict) else None
    if not isinstance(texts, list) or not texts:
        raise HTTPException(422, 'texts must be a list of strings: {"texts": ["some", "more"]}')
    if len(texts) > max_texts:
        raise HTTPException(422, f"texts must be at most {max_texts}; got {len(texts)}")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise HTTPException(422, f"texts[{i}] must be a string")
        if (length := len(text)) > max_characters:
            what = f"texts[{i}] must have at most {max_characters} characters; got {length}"
            raise HTTPException(422, what)
        if SURROGATES.search(text):
            raise HTTPException(422, f"texts[{i}] must be Unicode; got half of a surrogate pair")
    return texts


def make_app(model: Any, options: argparse.Namespace) -> Starlette:
    """Return the application. It predicts in its own threads, so that others get answers."""
    threads = ThreadPoolExecutor(options.threads)

    def answer(body: bytes) -> Response:
        texts = read_texts(body, options.max_texts, options.max_characters)
        probabilities = model.predict_proba(texts)
        labels = model.classes_[probabilities.argmax(axis=1)].tolist()
        content = {"labels": labels, "probabilities": probabilities.tolist()}
        return JSONResponse({"classes": model.classes_.tolist(), **content})

    async def predict(request: Request) -> Response:
        body = await read_body(request, options.max_bytes, options.body_seconds)
        return await asyncio.get_running_loop().run_in_executor(threads, answer, body)

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[Route("/predict", predict, methods=["POST"]), Route("/health", health)],
        exception_handlers={HTTPException: refuse},
    )


def serve(model: Any, listener: socket.socket, options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests that were accepted."""
    config = uvicorn.Config(
        make_app(model, options),
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        limit_concurrency=options.max_connections,
        timeout_graceful_shutdown=30,
    )
    uvicorn.Server(config).run(sockets=[listener])


def serve_in_workers(model: Any, listener: socket.socket, options: argparse.Namespace) -> None:
    """Fork workers, and exit when the first of them ends."""
    gc.collect()
    gc.freeze()  # else the first collection of each worker writes to the pages of all objects
    fork = multiprocessing.get_context("fork")
    workers = [
        # Python terminates daemons, and waits for them, when this process exits.
        fork.Process(target=serve, args=(model, listener, options), daemon=True)
        for _ in range(options.workers)
    ]
    for worker in workers:
        worker.start()
    multiprocessing.connection.wait([worker.sentinel for worker in workers])
    sys.exit("A worker has died, so the service exits. Restart it, for example by systemd.")


def main() -> None:
    """Load the model, bind the port and serve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a Pipeline saved by sktextcnn.save, or *.joblib")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0: any free port")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--threads", type=int, default=1, help="parallel predictions of a worker")
    parser.add_argument("--max-bytes", type=int, default=1 << 20, help="bytes of a body")
    parser.add_argument("--body-seconds", type=float, default=10, help="until a body has arrived")
    parser.add_argument("--max-texts", type=int, default=256, help="texts in a request")
    parser.add_argument("--max-characters", type=int, default=20_000, help="characters in a text")
    parser.add_argument("--max-connections", type=int, default=200, help="connections of a worker")
    options = parser.parse_args()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    torch.set_num_threads(1)  # requests run in parallel instead
    # A pickle runs code when it is loaded; a file of sktextcnn.save does not.
    is_pickle = options.model.endswith(".joblib")
    model = joblib.load(options.model) if is_pickle else sktextcnn.load(options.model)
    if model.predict([""]).ndim > 1:
        parser.error("the model predicts several labels for a text; this service supports one.")
    listener = socket.create_server((options.host, options.port), backlog=1024)
    # Connections inherit this. Without it the last packet of an answer waits for the client's
    # acknowledgement of the first, which takes 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print("Serving on http://{}:{}".format(*listener.getsockname()), flush=True)
    (serve if options.workers == 1 else serve_in_workers)(model, listener, options)


if __name__ == "__main__":
    main()
