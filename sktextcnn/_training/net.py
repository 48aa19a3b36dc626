"""The skorch net: batches, loss, schedules of freezing, and its callbacks."""

import contextlib
import copy
import dis
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import (
    Callback,
    EarlyStopping,
    EpochTimer,
    Freezer,
    LRScheduler,
    PassthroughScoring,
    Unfreezer,
)
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from skorch.utils import noop
from torch import Tensor, nn

from sktextcnn._network import (
    KimCNN,
    StackedCNN,
    WordEmbedding,
    map_in_threads,
    output_layer,
    single_thread,
)
from sktextcnn._token_ids import PADDING_ID
from sktextcnn._training.row_adam import RowAdam

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": RowAdam,
    "adamw": torch.optim.AdamW,
    "adadelta": torch.optim.Adadelta,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}

_FUSED = {"adam", "adamw", "adagrad", "sgd"}

EMBEDDING = "embedding.*"
HEAD = "head.*"

_BATCHES_SORTED = 50
# Tokens in a batch of prediction, which bounds its memory; about what is fastest.
_TOKENS_AT_ONCE = 1 << 14


class Rows(Dataset):
    """Token ids with targets and weights, held as tensors and indexed by whole batches.

    Parameters
    ----------
    ids : ndarray of shape (n, T), int32
    y : ndarray of shape (n,), int64, or (n, n_labels), float32; or None
    weight : ndarray of shape (n,), float64, or None
    device : str, default="cpu"
        Where they are held: that of the network, so that no batch has to be moved.
    """

    def __init__(
        self,
        ids: np.ndarray,
        y: np.ndarray | None = None,
        weight: np.ndarray | None = None,
        device: str = "cpu",
    ) -> None:
        X = {"ids": torch.tensor(ids, device=device)}
        if weight is not None:
            X["weight"] = torch.tensor(weight, device=device)
        targets = None if y is None else torch.tensor(y, device=device)
        super().__init__(X, targets, length=len(ids))

    def __getitem__(self, i: Any) -> tuple:
        # Without targets skorch wants a placeholder.
        y = torch.zeros(1) if self.y is None else self.y[i]
        return {name: values[i] for name, values in self.X.items()}, y


class Batches:
    """Whole batches of rows: in their order, or shuffled with texts of like length together.

    Shuffling draws the order of all texts, sorts some dozens of batches at a time by
    length, and draws the order of the batches. Batches are then hardly padded.
    """

    def __init__(self, dataset: Rows, batch_size: int, shuffle: bool = False) -> None:
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle
        self.lengths = (dataset.X["ids"] != PADDING_ID).sum(dim=1)

    def __iter__(self) -> Iterator[tuple]:
        n_rows, device = len(self.dataset), self.lengths.device
        if not self.shuffle:
            batches = list(torch.arange(n_rows, device=device).split(self.batch_size))
        else:
            order = torch.randperm(n_rows).to(device)
            pools = order.split(self.batch_size * _BATCHES_SORTED)
            batches = [
                batch
                for pool in pools
                for batch in pool[self.lengths[pool].argsort(stable=True)].split(self.batch_size)
            ]
            batches = [batches[i] for i in torch.randperm(len(batches)).tolist()]
        for batch in batches:
            yield self.dataset[batch]


class TextNet(NeuralNetClassifier):
    """skorch's classifier on :class:`Rows`, with weights of samples.

    Predicts the index of a class, or an indicator matrix for multilabel targets. Other
    than skorch's, its training lets the user's KeyboardInterrupt through.

    Parameters
    ----------
    module : type of nn.Module
        The network.
    precision : {"float32", "bfloat16"}, default="float32"
        What the network multiplies in.
    **kwargs
        Parameters of skorch's NeuralNetClassifier.

    Attributes
    ----------
    module_params : dict
        What the network was called with.
    settings : Settings
        What the net was built with.
    """

    module_params: dict[str, Any]
    settings: "Settings"

    def __init__(self, module: Any, *args: Any, precision: str = "float32", **kwargs: Any) -> None:
        super().__init__(module, *args, **kwargs)
        self.precision = precision

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        return [
            ("epoch_timer", EpochTimer()),
            ("train_loss", PassthroughScoring("train_loss", on_train=True)),
            ("valid_loss", PassthroughScoring("valid_loss")),
            ("valid_acc", PassthroughScoring("valid_acc", lower_is_better=False)),
            ("diverged", StopIfDiverged()),
        ]

    @property
    def multilabel(self) -> bool:
        return isinstance(self.criterion_, nn.BCEWithLogitsLoss)

    def _set_training(self, training: bool = True) -> None:
        # Each step asks for it again, which takes as long as some of its computations.
        if self.module_.training != training:
            super()._set_training(training)

    def infer(self, x: Any, **fit_params: Any) -> Tensor:
        ids = x["ids"] if isinstance(x, Mapping) else x
        with in_precision(self):
            logits = super().infer(ids, **fit_params)
        return logits if self.precision == "float32" else logits.float()

    def get_loss(self, y_pred: Tensor, y_true: Tensor, X: Any = None, **kwargs: Any) -> Tensor:
        loss = super().get_loss(y_pred, y_true, X=X, **kwargs)  # (B,) or (B, n_labels)
        loss = loss.flatten(1).mean(dim=1) if loss.ndim > 1 else loss
        if isinstance(X, Mapping) and "weight" in X:
            loss = loss * X["weight"].to(loss)
        return loss.mean()

    def validation_step(self, batch: tuple, **fit_params: Any) -> dict[str, Tensor]:
        step = super().validation_step(batch, **fit_params)
        right = self._labels(step["y_pred"]) == batch[1].to(step["y_pred"].device)
        right = right.flatten(1).all(dim=1) if right.ndim > 1 else right
        self.history.record_batch("valid_acc", right.float().mean().item())
        return step

    def _labels(self, logits: Tensor) -> Tensor:
        return (logits > 0) if self.multilabel else logits.argmax(dim=1)

    def predict(self, X: Any) -> np.ndarray:
        return self._labels(self.forward(X)).long().numpy()

    def notify(self, method_name: str, **kwargs: Any) -> None:
        # skorch's callbacks end the training by a KeyboardInterrupt; others are the user's.
        try:
            super().notify(method_name, **kwargs)
        except KeyboardInterrupt as interrupt:
            if _is_raised_by_code(interrupt):
                raise _StopTraining from None
            raise

    def fit_epochs(self, rows: Rows, epochs: int) -> None:
        """Train for some epochs, or until a callback asks for the end."""
        n_before = len(self.history)
        try:
            with single_thread():
                self._fit_epochs(rows, epochs)
        except BaseException:
            del self.history[n_before:]
            for _, callback in self.callbacks_:
                if isinstance(callback, Progress):
                    callback.close()  # Else the error's message stands in the line of the bar.
            raise

    def _fit_epochs(self, rows: Rows, epochs: int) -> None:
        self.max_epochs = epochs
        self.notify("on_train_begin", X=rows, y=None)
        try:
            with contextlib.suppress(_StopTraining):
                self.fit_loop(rows, epochs=epochs)
        finally:
            # Here, as predicting threads would find it half done.
            self.module_.eval()
        # The losses were those from before each step, so nothing has seen the last one's effect.
        if not self.evaluation_step(rows[: self.batch_size]).isfinite().all():
            raise _diverged(self, "the outputs behind the last step are not finite")
        self.notify("on_train_end", X=rows, y=None)


def _is_raised_by_code(error: BaseException) -> bool:
    """Whether a raise statement raised it; what a signal raises comes at any instruction."""
    traceback = error.__traceback__
    assert traceback is not None
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    instruction = traceback.tb_frame.f_code.co_code[traceback.tb_lasti]
    return dis.opname[instruction] == "RAISE_VARARGS"


def in_precision(net: TextNet) -> contextlib.AbstractContextManager:
    """Have torch multiply in the precision of the net."""
    if net.precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(torch.device(net.device).type, getattr(torch, net.precision))


class _StopTraining(Exception):  # noqa: N818
    """A callback asks for the end of the training."""


class StopIfDiverged(Callback):
    """Raise an error when the loss is no longer finite."""

    def on_epoch_end(self, net: TextNet, **kwargs: Any) -> None:
        row = net.history[-1]
        if not np.isfinite(row["train_loss"]):
            raise _diverged(net, f"the loss of epoch {row['epoch']} is {row['train_loss']}")


def _diverged(net: TextNet, how: str) -> ValueError:
    return ValueError(
        f"Training diverged: {how}. Lower learning_rate={net.lr:g} (and finetune_lr, if set), or "
        f"set max_norm or weight_decay."
    )


class StopEarly(EarlyStopping):
    """Skorch's early stopping, which leaves epochs without validation data alone."""

    def on_epoch_end(self, net: TextNet, **kwargs: Any) -> None:
        if self.monitor in net.history[-1]:
            super().on_epoch_end(net, **kwargs)


class MaxNorm(Callback):
    """Rescale the weights of each output that exceed a norm (Kim, 2014, section 2.1)."""

    def __init__(self, max_norm: float) -> None:
        self.max_norm = max_norm

    def on_batch_end(self, net: TextNet, training: bool = False, **kwargs: Any) -> None:
        if training:
            weight = output_layer(net.module_).weight
            with torch.no_grad():
                weight.copy_(torch.renorm(weight, p=2, dim=0, maxnorm=self.max_norm))


class LinearDecay(Callback):
    """Lower the learning rates evenly from epoch to epoch, to zero behind the last one."""

    def on_train_begin(self, net: TextNet, **kwargs: Any) -> None:
        self.rates_ = [group["lr"] for group in net.optimizer_.param_groups]
        self.epoch_ = 0

    def on_epoch_begin(self, net: TextNet, **kwargs: Any) -> None:
        share = 1 - self.epoch_ / net.max_epochs
        self._set(net, [rate * share for rate in self.rates_])
        self.epoch_ += 1

    def on_train_end(self, net: TextNet, **kwargs: Any) -> None:
        self._set(net, self.rates_)

    def _set(self, net: TextNet, rates: Sequence[float]) -> None:
        for group, rate in zip(net.optimizer_.param_groups, rates, strict=True):
            group["lr"] = rate


class Progress(Callback):
    """A tqdm bar over epochs."""

    def on_train_begin(self, net: TextNet, **kwargs: Any) -> None:
        from tqdm.auto import tqdm

        self.bar_ = tqdm(total=net.max_epochs, desc="TextCNN", unit="epoch")

    def on_epoch_end(self, net: TextNet, **kwargs: Any) -> None:
        row = net.history[-1]
        names = ("train_loss", "valid_loss", "valid_acc")
        self.bar_.set_postfix({name: f"{row[name]:.3f}" for name in names if name in row})
        self.bar_.update()

    def on_train_end(self, net: TextNet, **kwargs: Any) -> None:
        self.close()

    def close(self) -> None:
        """End the line of the bar, if there is one."""
        if hasattr(self, "bar_"):
            self.bar_.close()
            del self.bar_


@dataclass(frozen=True)
class Settings:
    """How a net is trained: parameters of TextCNNClassifier, in the form that they took.

    Attributes
    ----------
    multilabel : bool
        Whether targets are an indicator matrix.
    patience : int or None
        Epochs that early stopping waits for; None: it does not stop early.
    """

    finetune: bool | int | str
    multilabel: bool
    optimizer: str | type[torch.optim.Optimizer]
    learning_rate: float
    finetune_lr: float
    lr_schedule: str
    weight_decay: float
    max_norm: float | None
    batch_size: int
    shuffle: bool
    patience: int | None
    tol: float
    callbacks: Sequence[Any] | None
    verbose: int
    precision: str


def build_net(
    module: type[nn.Module],
    module_params: Mapping[str, Any],
    settings: Settings,
    *,
    validation: Rows | None = None,
    device: str = "cpu",
) -> TextNet:
    """Make the net with its fresh network, ready for ``fit_epochs``."""
    callbacks = settings.callbacks
    _check_callbacks(callbacks, settings.lr_schedule)
    steps: list[Any] = _freezing(settings.finetune)
    if settings.lr_schedule == "linear":
        steps.append(LinearDecay())
    if settings.max_norm is not None:
        steps.append(MaxNorm(settings.max_norm))
    if settings.verbose:
        steps.append(Progress())
    steps += copy.deepcopy(list(callbacks or ()))
    if settings.patience is not None:
        steps.append(_early_stopping(settings.patience, settings.tol))
    multilabel = settings.multilabel
    net = TextNet(
        module,
        **{f"module__{name}": value for name, value in module_params.items()},
        criterion=nn.BCEWithLogitsLoss if multilabel else nn.CrossEntropyLoss,
        criterion__reduction="none",
        predict_nonlinearity=torch.sigmoid if multilabel else "auto",
        **_optimizer(settings.optimizer, settings.weight_decay),
        **_learning_rates(settings.finetune, settings.learning_rate, settings.finetune_lr),
        batch_size=settings.batch_size,
        dataset=Rows,
        iterator_train=Batches,
        iterator_train__shuffle=settings.shuffle,
        iterator_valid=Batches,
        train_split=None if validation is None else predefined_split(validation),
        callbacks=steps,
        verbose=0,
        precision=settings.precision,
        device=device,
    )
    net.module_params, net.settings = dict(module_params), settings
    net.initialize()
    embedding = getattr(net.module_, "embedding", None)
    lazy = (
        settings.optimizer == "adam"
        and not settings.weight_decay
        and not any(map(_sees_gradients, steps))
    )
    if lazy and isinstance(embedding, WordEmbedding):
        # Weight decay has gradients for every row, and clipping does not know sparse ones.
        embedding.sparse = True
    return net


def _freezing(finetune: bool | int | str) -> list[Callback]:
    """When which part of the network is trained."""
    if isinstance(finetune, bool | np.bool_):
        return [] if finetune else [Freezer(EMBEDDING)]
    if finetune == "gradual":
        # One group an epoch, from the head down (Howard and Ruder, 2018, section 3.3).
        return [
            Freezer([EMBEDDING, is_convolution]),
            Unfreezer(is_convolution, at=2),
            Unfreezer(EMBEDDING, at=3),
        ]
    if isinstance(finetune, int | np.integer):
        return [Freezer(EMBEDDING), Unfreezer(EMBEDDING, at=int(finetune) + 1)]
    return []  # "multichannel": the frozen channel is no parameter.


def _check_callbacks(callbacks: Sequence[Any] | None, lr_schedule: str) -> None:
    steps = [step[-1] if isinstance(step, tuple) else step for step in callbacks or ()]
    for step in steps:
        kind = step if isinstance(step, type) else type(step)
        if not issubclass(kind, Callback):
            raise TypeError(
                f"callbacks must hold skorch.callbacks.Callback, or pairs of a name and one; got "
                f"{step!r}."
            )
    if lr_schedule == "linear" and any(isinstance(step, LRScheduler) for step in steps):
        raise ValueError(
            "callbacks holds an LRScheduler, but lr_schedule='linear' sets the learning rate "
            "too. Set lr_schedule='constant' to leave it to the callback."
        )


def _sees_gradients(step: Any) -> bool:
    callback = step[-1] if isinstance(step, tuple) else step
    kind: type[Callback] = callback if isinstance(callback, type) else type(callback)
    return kind.on_grad_computed is not Callback.on_grad_computed


def _optimizer(optimizer: str | type[torch.optim.Optimizer], weight_decay: float) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if isinstance(optimizer, str):
        # One pass over each parameter, some ten times faster for the embedding.
        settings = {"optimizer__fused": True} if optimizer in _FUSED else {}
        optimizer = OPTIMIZERS[optimizer]
    if not issubclass(optimizer, torch.optim.Optimizer):
        raise TypeError(
            f"optimizer must be {', '.join(map(repr, OPTIMIZERS))} or a subclass of "
            f"torch.optim.Optimizer; got {optimizer!r}."
        )
    if weight_decay:
        settings["optimizer__weight_decay"] = weight_decay
    return {"optimizer": optimizer, **settings}


def _learning_rates(
    finetune: bool | int | str, learning_rate: float, finetune_lr: float
) -> dict[str, Any]:
    groups: list[tuple[str, dict[str, float]]] = [(EMBEDDING, {"lr": finetune_lr})]
    lr = learning_rate
    if finetune == "gradual":
        # Convolutions lie half-way between the two rates.
        groups.append((HEAD, {"lr": learning_rate}))
        lr = float(np.sqrt(learning_rate * finetune_lr))
    return {"lr": lr, "optimizer__param_groups": groups}


def is_convolution(name: str) -> bool:
    """Whether a parameter belongs neither to the embedding nor to the head."""
    return not (fnmatch(name, EMBEDDING) or fnmatch(name, HEAD))


def logits(net: TextNet, ids: np.ndarray) -> np.ndarray:
    """The outputs of the network for token ids; (n, num_outputs).

    Does not touch the net, so that threads may share it.
    """
    module = net.module_
    if module.training:
        module.eval()
    outputs: Callable[[Tensor], Tensor] = module
    if type(module).forward in (KimCNN.forward, StackedCNN.forward):
        # The head in double precision, so that a text's outputs do not depend on its batch
        # mates; on the CPU, as not every device has it.
        head = _in_double(module.head)

        def outputs(batch: Tensor) -> Tensor:
            with in_precision(net):
                features = module.features(batch)
            return head(features.cpu().double())

    def outputs_of(rows: np.ndarray) -> Tensor:
        return outputs(torch.from_numpy(ids[rows]).to(net.device)).cpu()

    is_large = ids.size > _TOKENS_AT_ONCE
    with torch.no_grad(), single_thread(sharing=is_large):
        if not is_large:
            return outputs(torch.tensor(ids, device=net.device)).cpu().numpy()
        if type(module) is KimCNN and net.device == "cpu":
            with in_precision(net):
                module.remember(torch.from_numpy(ids))
        batches = _batches_by_length(ids)
        if type(module) in (KimCNN, StackedCNN) and net.device == "cpu":
            parts = map_in_threads(outputs_of, batches)
        else:
            # Networks of the user may keep something from one call to the next.
            parts = [outputs_of(rows) for rows in batches]
        joined = torch.cat(parts).numpy()
    result = np.empty((len(ids), parts[0].shape[1]))
    result[np.concatenate(batches)] = joined
    return result


def _in_double(module: nn.Module) -> nn.Module:
    """Return a module's twin in double precision on the CPU.

    Not by ``torch.func.functional_call``, which puts the other weights into the module itself
    for as long as a call takes: threads would find each other's there.
    """
    # Not by copy.copy, which modules with parametrizations refuse.
    twin: nn.Module = object.__new__(type(module))
    twin.__dict__.update(
        module.__dict__,
        _parameters=_each(_double, module._parameters),
        _buffers=_each(_double, module._buffers),
        _modules=_each(_in_double, module._modules),
    )
    return twin


def _double(value: Tensor) -> Tensor:
    value = value.cpu()
    return value.double() if value.is_floating_point() else value


def _each(change: Callable, parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if part is None else change(part) for name, part in parts.items()}


def _batches_by_length(ids: np.ndarray) -> list[np.ndarray]:
    """Texts of like length together, so that little is computed for padding; rows of each."""
    lengths = np.count_nonzero(ids != PADDING_ID, axis=1).clip(1)
    order = lengths.argsort(kind="stable")
    batches = []
    first = 0
    while first < len(order):
        most = order[first : first + _TOKENS_AT_ONCE // lengths[order[first]] + 1]
        n_texts = max(1, _TOKENS_AT_ONCE // lengths[most[-1]])
        batches.append(most[:n_texts])
        first += len(batches[-1])
    return batches


_generators = threading.RLock()


@contextlib.contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch's generators, and leave them as they were.

    The process has one generator, so threads take turns. torch computes in one thread meanwhile,
    which is what lets a forked child make a network.
    """
    devices = [torch.device(device)] if device.startswith("cuda") else []
    with _generators, torch.random.fork_rng(devices=devices), single_thread():
        torch.manual_seed(seed)
        yield


def _early_stopping(patience: int, tol: float) -> EarlyStopping:
    """Early stopping on the validation loss, with the best weights in memory."""
    return StopEarly(
        monitor="valid_loss",
        patience=patience,
        threshold=tol,
        threshold_mode="abs",
        load_best=True,
        sink=noop,
    )


_moves = threading.Lock()


def place(net: TextNet, device: str) -> None:
    """Move a net to a device, once if several threads ask for it."""
    if net.device == device:
        return
    with _moves:
        if net.device != device:
            net.module_.to(device)
            net.device = device


def resume(net: TextNet) -> None:
    """Make a net that was stored ready to be trained, with a new optimizer."""
    if net.optimizer_ is None:
        for value in net.module_.parameters():
            # What was loaded may be read-only, or be the vectors of a vectorizer too.
            value.data = value.data.clone()
        net._initialize_optimizer()
