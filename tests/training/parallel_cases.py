"""Trainings that each process of a group runs, and what becomes of them."""

import os
import pathlib
import pickle
import signal
import time
from unittest import mock

import numpy as np
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EpochScoring
from torch import distributed, nn

import sktextcnn._training.agreement as agreement
from sktextcnn import TextCNNClassifier, TextVectorizer, data_parallel, fit_chunks
from sktextcnn._data_parallel import Group, current_group

N_STEPS = 3  # whose gradients are kept
N_TEXTS = 41  # the last batch has one text


def texts():
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(60)]
    labels = rng.integers(0, 3, N_TEXTS)
    # Some words are of one class.
    return [
        " ".join(rng.choice(words[label * 10 : 40 + label * 10], rng.integers(1, 14)))
        for label in labels
    ], labels


VECTORS = {f"w{i}": np.random.default_rng(i).normal(size=6) for i in range(0, 60, 2)}
SMALL = {
    "num_filters": 4,
    "max_epochs": 2,
    "batch_size": 8,
    "random_state": 0,
    "learning_rate": 0.1,
    "optimizer": "sgd",
    "wide": False,
}


class Bag(nn.Module):
    """A network of a user: a mean of word vectors, with sparse gradients, and a part unused."""

    def __init__(self, num_embeddings, embedding_dim, num_outputs):
        super().__init__()
        self.embedding = nn.Embedding(num_embeddings, embedding_dim, sparse=True)
        self.unused = nn.Linear(2, 2)
        self.head = nn.Linear(embedding_dim, num_outputs)

    def forward(self, ids):
        return self.head(self.embedding(ids).mean(dim=1))


class Outputs(Callback):
    """Records how many outputs it is shown."""

    def on_batch_end(self, net, batch, y_pred, training=False, **kwargs):
        assert len(y_pred) == len(batch[1])
        net.history.record_batch("shown", len(y_pred))


def fitted(embeddings=None, fit=None, **params):
    """A Pipeline, its ids of the texts, and their labels."""
    X, y = texts()
    params = {**SMALL, **({} if embeddings else {"embedding_dim": 5}), **params}
    model = make_pipeline(TextVectorizer(embeddings=embeddings), TextCNNClassifier(**params))
    fit = {f"textcnnclassifier__{name}": value for name, value in (fit or {}).items()}
    return model.fit(X, y, **fit)


def from_chunks():
    X, y = texts()
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL, embedding_dim=5))
    return fit_chunks(model, [(X[:7], y[:7]), (X[7:], y[7:])])


def continued():
    model = fitted()
    X, y = texts()
    ids = model[0].transform(X)
    model[-1].partial_fit(ids[:21], y[:21])
    model[-1].partial_fit(ids[21:], y[21:])
    return model


def multilabel():
    X, y = texts()
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL, embedding_dim=5))
    return model.fit(X, np.stack([y == 0, y > 0, y == 2], axis=1).astype(int))


def with_validation():
    X, y = texts()
    ids = TextVectorizer().fit_transform(X)
    watched = [EpochScoring("f1_macro"), EpochScoring("accuracy", on_train=True), Outputs()]
    classifier = TextCNNClassifier(
        **{**SMALL, "max_epochs": 9}, embedding_dim=5, early_stopping=True, n_iter_no_change=1,
        tol=0.02, callbacks=watched,
    )  # fmt: skip
    return classifier.fit(ids, y, X_val=ids[:9], y_val=y[:9])


WEIGHTS = np.random.default_rng(1).integers(0, 3, N_TEXTS)

CASES = {
    "plain": fitted,
    "in order": lambda: fitted(shuffle=False),
    "one text a batch": lambda: fitted(batch_size=1, max_epochs=1, num_filters=1),
    "sparse gradients": lambda: fitted(optimizer="adam", max_epochs=1, learning_rate=1e-3),
    "regions": lambda: fitted(pool_size=3, optimizer="adam", max_epochs=1, learning_rate=1e-3),
    "conv1d": lambda: fitted(convolution="dense"),
    "stacked": lambda: fitted(architecture="stacked", kernel_sizes=(2, 2)),
    "multichannel": lambda: fitted(VECTORS, finetune="multichannel"),
    "frozen": lambda: fitted(VECTORS, finetune=False),
    "first frozen": lambda: fitted(VECTORS, finetune=1),
    "gradual": lambda: fitted(VECTORS, finetune="gradual", max_epochs=3),
    "max_norm": lambda: fitted(max_norm=0.1),
    "weight_decay": lambda: fitted(weight_decay=0.01),
    "an optimizer of torch": lambda: fitted(optimizer=torch.optim.ASGD),
    "weights": lambda: fitted(fit={"sample_weight": WEIGHTS}, class_weight="balanced"),
    "network of a user": lambda: fitted(
        architecture=Bag, num_filters=None, optimizer=torch.optim.SGD
    ),
    "multilabel": multilabel,
    "validation": with_validation,
    "wide": lambda: fitted(wide=True),
    "wide, stopped early": lambda: fitted(wide=True, early_stopping=True, validation_fraction=0.3),
    "chunks": from_chunks,
    "partial_fit": continued,
    "bfloat16": lambda: fitted(precision="bfloat16"),
    "no seed": lambda: fitted(random_state=None, max_epochs=1),
}

ALSO_ALONE = ("plain", "regions", "stacked", "network of a user", "validation", "wide")


def result_of(case):
    """Weights, outputs, history and gradients of the first steps of a training."""
    gradients = []
    add_gradients = Group.add_gradients

    def keep(group, module, *args):
        loss = add_gradients(group, module, *args)
        if len(gradients) < N_STEPS:
            grads = {name: param.grad for name, param in module.named_parameters()}
            gradients.append(
                {
                    name: grad.to_dense().numpy().copy()
                    for name, grad in grads.items()
                    if grad is not None
                }
            )
        return loss

    with mock.patch.object(Group, "add_gradients", keep):
        model = CASES[case]()
    classifier = model[-1] if hasattr(model, "steps") else model
    X, _ = texts()
    ids = model[0].transform(X) if hasattr(model, "steps") else TextVectorizer().fit_transform(X)
    timed = {"dur", "batches"}
    return {
        "weights": {k: v.numpy() for k, v in classifier.net_.module_.state_dict().items()},
        "outputs": classifier.decision_function(ids),
        "history": [
            {name: value for name, value in row.items() if name not in timed}
            for row in classifier.history_
        ],
        "gradients": gradients,
        "card": classifier.card_,
    }


def truth():
    """All cases, in a group of any size and without one."""
    results = {}
    for case in CASES:
        with data_parallel():
            results[case] = result_of(case)
        if distributed.get_world_size() == 1 and case in ALSO_ALONE:
            results[f"{case}, alone"] = result_of(case)
    return results


# What goes wrong ----------------------------------------------------------------------


class AtEpoch(Callback):
    """Does something in one process, before its second epoch."""

    def __init__(self, act, rank=1):
        self.act, self.rank = act, rank

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 2 and distributed.get_rank() == self.rank:
            self.act(net)


def interrupt(net):
    raise KeyboardInterrupt


def fail(net):
    raise OSError("no space left")


def change(net):
    net.module_.head[-1].bias.data += 1


def kill(net):
    os.kill(os.getpid(), signal.SIGKILL)


def stop(net):
    os.kill(os.getpid(), signal.SIGSTOP)


def fit_ids(X, y, **params):
    classifier = TextCNNClassifier(**{**SMALL, "embedding_dim": 5, **params})
    return classifier.fit(X, y)


def differing():
    """What each process is told if the processes do not do the same."""
    rank = distributed.get_rank()
    X, y = texts()
    ids = np.asarray(TextVectorizer().fit_transform(X))
    others = ids.copy()
    others[0, 0] = 2 + (others[0, 0] == 2)
    pretrained = [fit_ids(ids, y, random_state=seed) for seed in (0, 1)]
    tried = {
        "texts": lambda: fit_ids(ids if rank != 1 else others, y),
        "number": lambda: fit_ids(ids[rank:], y[rank:]),
        "words": lambda: make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL)).fit(
            X if rank != 1 else [text.replace("w1", "v1") for text in X], y
        ),
        "vectors": lambda: fitted(VECTORS if rank != 1 else {**VECTORS, "w0": np.ones(6)}),
        "labels": lambda: fit_ids(ids, y if rank != 1 else y[::-1]),
        "parameter": lambda: fit_ids(ids, y, batch_size=8 + rank),
        "weights": lambda: TextCNNClassifier(**SMALL, embedding_dim=5).fit(
            ids, y, None if rank != 1 else np.arange(N_TEXTS)
        ),
        "pretrained": lambda: fit_ids(ids, y, pretrained=FrozenEstimator(pretrained[rank % 2])),
        "version": lambda: fit_ids(ids, y),
        "changed": lambda: fit_ids(ids, y, callbacks=[AtEpoch(change)]),
        "failed": lambda: fit_ids(ids, y, callbacks=[AtEpoch(fail)]),
        "interrupted": lambda: fit_ids(ids, y, callbacks=[AtEpoch(interrupt)]),
        "seed": lambda: fit_ids(ids, y, random_state=rank),
    }
    said = {}
    for name, call in tried.items():
        version = "9.9" if name == "version" and rank == 1 else agreement.__version__
        try:
            with mock.patch.object(agreement, "__version__", version), data_parallel():
                call()
            said[name] = None
        except BaseException as error:
            said[name] = repr(error)
        assert current_group() is None
    return said


def lost(act):
    """What the others are told, and after how many seconds, if the last process is lost."""
    X, y = texts()
    ids = TextVectorizer().fit_transform(X)
    last = AtEpoch(act, rank=distributed.get_world_size() - 1)
    start = time.monotonic()
    try:
        with data_parallel(timeout=2, start_timeout=3):
            fit_ids(ids, y, callbacks=[last])
    except RuntimeError as error:
        return repr(error), time.monotonic() - start
    return None


def lost_by_kill():
    return lost(kill)


def lost_by_stop():
    return lost(stop)


# Running them -------------------------------------------------------------------------


def run(function, rank, size, folder):
    """Call a function of this module in a process of a group, and keep what it returns."""
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/group", rank=rank, world_size=size
    )
    result = globals()[function]()
    path = f"{folder}/{rank}.pickle"
    with open(path + ".part", "wb") as file:
        pickle.dump(result, file)
    os.replace(path + ".part", path)
    # Not by destroying the group, which may have lost a process.
    os._exit(0)


def recipe_by_torchrun(folder):
    """The program of the page, in a process of torchrun."""
    os.chdir(folder)
    exec(compile(pathlib.Path("train.py").read_text(encoding="utf-8"), "train.py", "exec"), {})
