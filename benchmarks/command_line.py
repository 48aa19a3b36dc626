"""Memory and speed of ``sktextcnn predict`` by the number of rows.

    python benchmarks/command_line.py

Rows come through a pipe into a process of its own for each number and each format, whose peak of
memory and rows a second are printed. The model is a small one, so that reading and writing weigh
as much as they can. Needs Linux, for the peak.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn.datasets import load_docstrings

ROWS = {
    "csv": ('"text","n"\n', '"{text}",{n}\n'),
    "jsonl": ("", '{{"text": "{text}", "n": {n}}}\n'),
    "txt": ("", "{text}\n"),
}
CHILD = """
import sys, time
import torch, sklearn.pipeline, sktextcnn._classifier
from sktextcnn._cli import main
start = time.perf_counter()
code = main(sys.argv[1:])
seconds = time.perf_counter() - start
# The process's own; getrusage would count what its parent had, too.
status = open("/proc/self/status").read()
print(int(status.split("VmHWM:")[1].split()[0]) / 1024, seconds, file=sys.stderr)
sys.exit(code)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 200_000, 2_000_000])
    args = parser.parse_args()
    texts, libraries = load_docstrings()
    texts = [text.replace("\\", "").replace('"', "") for text in texts]
    model = make_pipeline(
        TextVectorizer(),
        TextCNNClassifier(
            num_filters=8, kernel_sizes=(2, 3), max_epochs=2, wide=False, random_state=0
        ),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.sktextcnn"
        sktextcnn.save(model.fit(texts, libraries), path)
        print("format       rows    peak MB    rows/s")
        for form in ROWS:
            for n_rows in args.rows:
                peak, seconds = measure(path, form, texts, n_rows)
                print(f"{form:6} {n_rows:10,} {peak:10.0f} {n_rows / seconds:9,.0f}", flush=True)


def measure(path: Path, form: str, texts: list[str], n_rows: int) -> tuple[float, float]:
    """MB at the peak, and seconds."""
    command = [sys.executable, "-c", CHILD, "predict", str(path), "--format", form, "--quiet"]
    header, row = ROWS[form]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdin.write(header)
        for n in range(n_rows):
            process.stdin.write(row.format(text=texts[n % len(texts)], n=n))
        process.stdin.close()
        said = process.stderr.read()
    if process.returncode:
        raise SystemExit(said)
    peak, seconds = map(float, said.split())
    return peak, seconds


if __name__ == "__main__":
    main()
