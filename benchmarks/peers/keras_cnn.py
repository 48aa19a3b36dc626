"""Keras 3 on TensorFlow."""

import time
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf
from corpora import Task
from settings import BATCH_SIZE, DROPOUT, KERNEL_SIZES, LEARNING_RATE, NUM_FILTERS, SEED, THREADS

from peers._texts import Label, fastest, seconds_of_all, seconds_of_one, split

# The first epoch of a fit warms up.
_EPOCHS = 3
# Several steps an execution save overhead; XLA was slower in training.
_STEPS_PER_EXECUTION = 16

tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)


class EpochSeconds(keras.callbacks.Callback):
    """The seconds of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start."""
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Stop."""
        self.seconds.append(time.perf_counter() - self._start)


def training(task: Task) -> Iterator[float | None]:
    ids, y, vectors = task.arrays()
    model = _network(ids.shape[1], vectors, task.tuned)
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss="sparse_categorical_crossentropy",
        jit_compile=False,
        steps_per_execution=_STEPS_PER_EXECUTION,
    )
    yield None
    while True:
        timer = EpochSeconds()
        model.fit(ids, y, batch_size=BATCH_SIZE, epochs=_EPOCHS, verbose=0, callbacks=[timer])
        yield float(np.median(timer.seconds[1:]))


def labelling(task: Task) -> Iterator[float | None]:
    """Predict with the fastest of Keras's predict and compiled functions, and batch sizes."""
    texts = task.texts()[0]
    words, model, classes = _prepared(task)
    compiled = tf.function(lambda ids: model(ids, training=False))

    def predict(size: int) -> Label:
        return lambda texts: classes[
            model.predict(words(texts), batch_size=size, verbose=0).argmax(axis=1)
        ]

    def in_batches(size: int) -> Label:
        def label(texts: list[str]) -> np.ndarray:
            ids = words(texts)
            parts = [compiled(ids[i : i + size]).numpy() for i in range(0, len(texts), size)]
            return classes[np.concatenate(parts).argmax(axis=1)]

        return label

    ways = {f"predict, {n}": predict(n) for n in (128, 512, 2048)}
    ways |= {f"function, {n}": in_batches(n) for n in (128, 512, 2048)}
    label = fastest(ways, texts[:4096])
    yield None
    yield from seconds_of_all(label, texts)


def latency(task: Task) -> Iterator[float | None]:
    """Predict with the fastest of a compiled function, one with XLA, and Keras's own calls."""
    _, _, texts = split(task)
    words, model, classes = _prepared(task)
    whole = tf.function(lambda texts: model(words(texts), training=False))
    with_xla = tf.function(lambda ids: model(ids, training=False), jit_compile=True)
    ways: dict[str, Callable[[list[str]], np.ndarray]] = {
        "function": lambda texts: whole(tf.constant(texts)).numpy(),
        "XLA": lambda texts: with_xla(words(texts)).numpy(),
        "predict_on_batch": lambda texts: model.predict_on_batch(words(texts)),
    }
    outputs = fastest(ways, texts[:1])
    yield None
    yield from seconds_of_one(lambda texts: classes[outputs(texts).argmax(axis=1)], texts)


def _prepared(task: Task) -> tuple[Callable, keras.Model, np.ndarray]:
    """Return a function from texts to ids, the network, and the classes."""
    train, labels, _ = split(task)
    vectorizer = task.vectorizer(train)
    layer = keras.layers.TextVectorization(
        standardize="lower", split="whitespace", output_sequence_length=vectorizer.max_length_
    )
    layer.adapt(train)
    shape = (layer.vocabulary_size(), vectorizer.embedding_matrix_.shape[1])
    vectors = np.random.default_rng(SEED).uniform(-0.25, 0.25, shape).astype(np.float32)
    model = _network(vectorizer.max_length_, vectors, tuned=True)

    words = tf.function(layer, input_signature=[tf.TensorSpec((None,), tf.string)])
    return lambda texts: words(tf.convert_to_tensor(texts)), model, np.unique(labels)


def _network(width: int, vectors: np.ndarray, tuned: bool) -> keras.Model:
    keras.utils.set_random_seed(SEED)
    layers = keras.layers
    ids = keras.Input((width,), dtype="int32")
    embedded = layers.Embedding(*vectors.shape, weights=[vectors], trainable=tuned)(ids)
    pooled = [
        layers.GlobalMaxPooling1D()(layers.Conv1D(NUM_FILTERS, size, activation="relu")(embedded))
        for size in KERNEL_SIZES
    ]
    hidden = layers.Dropout(DROPOUT)(layers.Concatenate()(pooled))
    return keras.Model(ids, layers.Dense(2, activation="softmax")(hidden))
