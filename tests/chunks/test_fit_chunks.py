"""fit_chunks has the bits of fit in memory, and fails without a trace."""

import errno
import os
import signal
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.pipeline import make_pipeline

import sktextcnn._text.id_storage as id_storage
import sktextcnn._training.data as training_data
import sktextcnn._training.rows as training_rows
from sktextcnn import TextCNNClassifier, TextVectorizer, fit_chunks

RNG = np.random.default_rng(3)
WORDS = np.array([f"w{i}" for i in range(60)])
TEXTS = [" ".join(WORDS[RNG.zipf(1.3, RNG.integers(0, 12)) % 60]) for _ in range(150)]
LABELS = [f"class {len(text.split()) % 3}" for text in TEXTS]
WEIGHTS = np.where(np.arange(150) % 7 == 0, 0.0, RNG.uniform(0.5, 2, 150))


def new(classifier=None, **vectorizer):
    params = {"embedding_dim": 6, "num_filters": 4, "max_epochs": 2, "random_state": 0}
    return make_pipeline(
        TextVectorizer(random_state=0, **vectorizer),
        TextCNNClassifier(**{**params, **(classifier or {})}),
    )


def tuples(size, *columns):
    for start in range(0, len(columns[0]), size):
        yield tuple(column[start : start + size] for column in columns)


def assert_same(found, expected):
    assert found[0].vocabulary_ == expected[0].vocabulary_
    assert found[0].max_length_ == expected[0].max_length_
    one, other = found[1], expected[1]
    np.testing.assert_array_equal(one.classes_, other.classes_)
    assert one.classes_.dtype == other.classes_.dtype
    losses = [history[:, "train_loss"] for history in (one.history_, other.history_)]
    assert losses[0] == losses[1]
    for name, value in one.net_.module_.state_dict().items():
        np.testing.assert_array_equal(value, other.net_.module_.state_dict()[name])
    np.testing.assert_array_equal(found.predict_proba(TEXTS), expected.predict_proba(TEXTS))
    facts = [
        {key: card[key] for key in ("n_texts", "class_counts", "held_out")}
        for card in (one.card_, other.card_)
    ]
    assert facts[0] == facts[1]


@pytest.mark.parametrize(
    ("classifier", "vectorizer"),
    [
        ({}, {}),
        ({"wide": False}, {"max_length": 4, "padding": "pre"}),
        ({"early_stopping": True}, {"max_length": 3, "truncating": "pre"}),
        ({"class_weight": "balanced"}, {"min_df": 2, "max_df": 0.3}),
        ({"class_weight": {"class 0": 3.0}, "shuffle": False}, {"vocabulary": ["w1", "w3"]}),
        ({"architecture": "stacked", "wide": False}, {"max_features": 20, "max_vocab_size": 40}),
    ],
)
def test_the_bits_are_those_of_fit_in_memory(classifier, vectorizer):
    expected = new(classifier, **vectorizer).fit(TEXTS, LABELS)
    for size in (1, 64, 150):
        found = fit_chunks(new(classifier, **vectorizer), tuples(size, TEXTS, LABELS))
        assert_same(found, expected)


def test_vectors_that_are_trained_on_the_texts():
    settings = {"embeddings": "word2vec", "embeddings_params": {"vector_size": 5, "epochs": 1}}
    expected = new({"wide": False}, **settings).fit(TEXTS, LABELS)
    assert_same(fit_chunks(new({"wide": False}, **settings), [(TEXTS, LABELS)]), expected)


def test_weights_and_validation_data():
    val = {"X_val": TEXTS[:40], "y_val": LABELS[:40], "sample_weight_val": WEIGHTS[:40]}
    expected = new({"class_weight": "balanced"})
    X = expected[0].fit_transform(TEXTS)
    expected[1].fit(X, LABELS, WEIGHTS, X[:40], LABELS[:40], WEIGHTS[:40])
    found = fit_chunks(new({"class_weight": "balanced"}), tuples(33, TEXTS, LABELS, WEIGHTS), **val)
    assert_same(found, expected)


def test_multilabel_targets():
    y = np.array([["w1" in text, "w2" in text, "w3" in text] for text in TEXTS]).astype(int)
    expected = new().fit(TEXTS, y)
    assert_same(fit_chunks(new(), tuples(40, TEXTS, y)), expected)
    chunks = [(TEXTS[:9], sparse.csr_array(y[:9])), (TEXTS[9:], y[9:].astype(bool))]
    assert_same(fit_chunks(new(), chunks), expected)
    frame = pd.DataFrame(y, columns=["a", "b", "c"]).assign(text=TEXTS)
    assert_same(fit_chunks(new(), [frame], text="text", label=["a", "b", "c"]), expected)


@pytest.mark.parametrize(
    "of_text",
    [len, lambda text: float(len(text)), lambda text: "w1" in text],
    ids=["int", "float", "bool"],
)
@pytest.mark.parametrize("container", [list, np.array, pd.Series], ids=lambda each: each.__name__)
def test_labels_of_all_types_and_containers(container, of_text):
    labels = container([of_text(text[:3]) for text in TEXTS])
    expected = new({"wide": False, "max_epochs": 1}).fit(TEXTS, labels)
    found = fit_chunks(new({"wide": False, "max_epochs": 1}), tuples(50, TEXTS, labels))
    assert_same(found, expected)


def test_what_is_done_in_blocks_and_on_samples(monkeypatch):
    whole = new().fit(TEXTS, LABELS)
    monkeypatch.setattr(training_rows, "_IDS_AT_ONCE", 200)
    assert_same(new().fit(TEXTS, LABELS), whole)
    monkeypatch.setattr(training_data, "_MOST_TOKENS", 300)
    sampled = new().fit(TEXTS, LABELS)
    assert_same(fit_chunks(new(), tuples(31, TEXTS, LABELS)), sampled)
    n_ngrams = [len(model[1]._wide.idf) for model in (sampled, whole)]
    assert n_ngrams[0] < n_ngrams[1]


def test_a_warm_start_and_the_model_stays_the_same_object():
    models = new({"warm_start": True}), new({"warm_start": True})
    for texts, labels in tuples(75, TEXTS, LABELS):
        models[0].fit(texts, labels)
        assert fit_chunks(models[1], [(texts, labels)]) is models[1]
    assert_same(models[1], models[0])


def rows_of(table):
    return (dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True))


def test_tables_and_rows_of_many_kinds(tmp_path):
    table = {"review": TEXTS, "sentiment": LABELS, "weight": WEIGHTS.tolist()}
    expected = new({"max_epochs": 1})
    expected.fit(TEXTS, LABELS, textcnnclassifier__sample_weight=WEIGHTS)
    frame = pd.DataFrame(table)
    frame.to_csv(tmp_path / "texts.csv", index=False)
    # Empty texts are empty fields.
    csv = pd.read_csv(tmp_path / "texts.csv", chunksize=60, keep_default_na=False)
    batches = (
        {name: column[i : i + 32] for name, column in table.items()} for i in range(0, 150, 32)
    )
    for chunks in (csv, batches, rows_of(table), [frame[:70], frame[70:]]):
        found = fit_chunks(
            new({"max_epochs": 1}), chunks, text="review", label="sentiment", weight="weight"
        )
        np.testing.assert_array_equal(found.predict_proba(TEXTS), expected.predict_proba(TEXTS))
        assert found.predict(TEXTS).tolist() == expected.predict(TEXTS).tolist()


def test_datasets_of_arrow_and_their_batches(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    dataset = pytest.importorskip("pyarrow.dataset")
    parquet = pytest.importorskip("pyarrow.parquet")
    numbers, weights = range(len(TEXTS)), [2.0] * len(TEXTS)
    table = pyarrow.table({"t": TEXTS, "n": numbers, "l": LABELS, "w": weights})
    parquet.write_table(table[:70], tmp_path / "1.parquet", row_group_size=30)
    parquet.write_table(table[70:], tmp_path / "2.parquet")
    files = dataset.dataset(tmp_path)
    expected = new({"max_epochs": 1}).fit(TEXTS, LABELS, textcnnclassifier__sample_weight=weights)
    filtered = files.filter(dataset.field("n") >= 0)
    for chunks in (files, filtered, files.to_batches(batch_size=40)):
        found = fit_chunks(new({"max_epochs": 1}), chunks, text="t", label="l", weight="w")
        np.testing.assert_array_equal(found.predict_proba(TEXTS), expected.predict_proba(TEXTS))
    with pytest.raises(ValueError, match=r"has no column 'text'\. Its columns are \['t', 'n', 'l'"):
        fit_chunks(new({}), files, text="text", label="l")


# Faults -----------------------------------------------------------------------------------

GOOD = (TEXTS, LABELS)


@pytest.mark.parametrize(
    ("chunks", "names", "error", "match"),
    [
        ([], {}, ValueError, "chunks has no text"),
        ([([], [])], {}, ValueError, r"chunks has no text \(1 chunks"),
        ("text", {}, TypeError, "chunks must be an iterable of chunks; got str"),
        (pd.DataFrame({"t": ["a"]}), {}, TypeError, "got one table, DataFrame"),
        ([GOOD, "text"], {}, TypeError, "A chunk is of type str. Give tuples"),
        ([GOOD, (["a"], ["b", "c"])], {}, ValueError, "1 texts, but 2 labels"),
        ([GOOD, (["a"], ["b"], [1, 2])], {}, ValueError, "1 texts, but 2 weights"),
        ([GOOD, (["a"], ["b"], [1])], {}, ValueError, "has weights, but earlier ones had none"),
        ([(*GOOD, WEIGHTS), (["a"], ["b"])], {}, ValueError, "no weights, but earlier ones"),
        ([(["a"], ["b"], [-1.0])], {}, ValueError, "one finite number of at least 0"),
        ([GOOD, (["a", None], ["b", "b"])], {}, TypeError, "Text 1 .* is None"),
        ([GOOD, (["a"], [None])], {}, ValueError, "The chunk has no label for text 0"),
        ([GOOD, (["a"], [3])], {}, TypeError, "The labels are of several types: 'class"),
        ([GOOD, (["a"], [[0, 1]])], {}, ValueError, "another number of dimensions"),
        ([(["a"], [[0, 2]])], {}, ValueError, "no indicator matrix of zeros and ones"),
        (
            [(["a"], [[0, 1]]), (["a"], [[0, 1, 0]])],
            {},
            ValueError,
            "have 3 columns, .* first chunk 2",
        ),
        ([(["a"], 3)], {}, TypeError, "The labels must be an array or a list; got 3"),
        ([(["a"], ["b"])], {}, ValueError, "has only one class, 'b'"),
        ([GOOD], {"text": "t"}, ValueError, "text and label go together"),
        ([GOOD], {"weight": "w"}, ValueError, "text and label go together"),
        ([GOOD], {"X_val": ["a"]}, ValueError, "X_val and y_val go together"),
        ([{"t": ["a"]}], {"text": "t", "label": "l"}, ValueError, r"no column 'l'.*\['t'\]"),
        ([GOOD], {"text": "t", "label": "l"}, ValueError, "of type tuple, has no column 't'"),
    ],
)
def test_chunks_that_are_not_valid(chunks, names, error, match):
    model = new({"wide": False})
    with pytest.raises(error, match=match):
        fit_chunks(model, chunks, **names)
    assert not hasattr(model[0], "vocabulary_")
    assert not hasattr(model[1], "classes_")


def test_other_models_are_refused():
    with pytest.raises(TypeError, match="fit_chunks takes a Pipeline of a TextVectorizer and"):
        fit_chunks(TextCNNClassifier(), [GOOD])


@pytest.fixture
def fitted():
    return new({"wide": False, "max_epochs": 1}).fit(TEXTS[:50], LABELS[:50])


@pytest.mark.parametrize("error", [OSError("no such block"), KeyboardInterrupt()], ids=str)
def test_an_unreadable_chunk_leaves_the_model_as_it_was(fitted, tmp_path, error):
    def chunks():
        yield GOOD
        raise error

    before = fitted.predict_proba(TEXTS), fitted[0].vocabulary_
    with pytest.raises(type(error)) as caught:
        fit_chunks(fitted, chunks(), folder=tmp_path)
    if isinstance(error, Exception):
        assert caught.value.__notes__ == ["In chunk 1 of `chunks`, counting from 0."]
    np.testing.assert_array_equal(fitted.predict_proba(TEXTS), before[0])
    assert fitted[0].vocabulary_ is before[1]
    assert not list(tmp_path.iterdir())


def test_an_interrupt_of_the_training_leaves_the_model_as_it_was(fitted, tmp_path, monkeypatch):
    vocabulary = fitted[0].vocabulary_
    seen = []

    def interrupt(self, *args):
        seen.extend(os.listdir(tmp_path))
        raise KeyboardInterrupt

    monkeypatch.setattr(TextCNNClassifier, "_n_epochs", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit_chunks(fitted, [GOOD], folder=tmp_path)
    assert fitted[0].vocabulary_ is vocabulary
    assert not list(tmp_path.iterdir())
    if os.name == "posix":
        # A killed process leaves nothing, as the file has no name while it is used.
        assert not seen


_PROGRAM = """
import signal, sys, time
from skorch.callbacks import Callback
from sklearn.pipeline import make_pipeline
from sktextcnn import TextCNNClassifier, TextVectorizer, fit_chunks

def chunks():
    for _ in range(20):
        yield ["one two", "three four"] * 1000, ["a", "b"] * 1000
    print("read", flush=True)
    if sys.argv[2] == "reading":
        time.sleep(60)

class Slow(Callback):
    def on_batch_end(self, net, **kwargs):
        print("trained", flush=True)
        time.sleep(60)

classifier = TextCNNClassifier(embedding_dim=2, num_filters=2, callbacks=[("slow", Slow())])
# A process in the background may ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
fit_chunks(make_pipeline(TextVectorizer(), classifier), chunks(), folder=sys.argv[1])
"""


@pytest.mark.skipif(os.name != "posix", reason="the file has a name on Windows")
@pytest.mark.parametrize(
    ("ending", "step"), [(signal.SIGKILL, "reading"), (signal.SIGINT, "training")]
)
def test_a_process_that_is_killed_leaves_nothing_behind(ending, step, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(tmp_path), step],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        line = b"read\n" if step == "reading" else b"trained\n"
        assert line in iter(process.stdout.readline, b"")
        process.send_signal(ending)
        errors = process.communicate(timeout=60)[1]
    assert process.returncode != 0
    if ending == signal.SIGINT:
        assert errors.rstrip().endswith(b"KeyboardInterrupt")
    assert not list(tmp_path.iterdir())


class _FullFile:
    """A file on a disk that has room for some bytes."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, data):
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        n_written = self.file.write(data[: self.room])
        self.room -= n_written
        return n_written

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_a_full_disk(fitted, tmp_path, monkeypatch):
    make = tempfile.TemporaryFile
    monkeypatch.setattr(
        id_storage.tempfile, "TemporaryFile", lambda **settings: _FullFile(make(**settings), 1000)
    )
    vocabulary = fitted[0].vocabulary_
    with pytest.raises(
        OSError, match=r"texts so far take 3,\d\d\d bytes. Pass as `folder`"
    ) as caught:
        fit_chunks(fitted, [GOOD], folder=tmp_path)
    assert caught.value.errno == errno.ENOSPC
    assert str(tmp_path) in str(caught.value)
    assert fitted[0].vocabulary_ is vocabulary
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No file can be made in folder=.*nowhere"):
        fit_chunks(new(), [GOOD], folder=tmp_path / "nowhere")


def test_a_file_that_is_cut_off():
    storage = id_storage.IdsInFile(None)
    storage.append(np.arange(10, dtype=np.int32).tobytes())
    storage._file.truncate(20)
    np.testing.assert_array_equal(storage.read(1, 5), [1, 2, 3, 4])
    with pytest.raises(OSError, match="was cut off"):
        storage.read(0, 10)
    storage.close()


def test_a_bar_counts_the_texts(capsys):
    model = new({"wide": False, "max_epochs": 1, "verbose": 1}, verbose=1)
    fit_chunks(model, [GOOD])
    assert "TextCNN" in capsys.readouterr().err
