"""The callbacks of a training: freezing, learning rates, early stopping, progress."""

import inspect
import math
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from skorch.callbacks import Callback, EarlyStopping, Freezer, LRScheduler, Unfreezer
from skorch.utils import noop

from sktextcnn._network import output_layer
from sktextcnn._progress import progress_bar, say

EMBEDDING = "embedding.*"
HEAD = "head.*"


class StopIfDiverged(Callback):
    """Raise an error when the loss is no longer finite."""

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        row = net.history[-1]
        if not np.isfinite(row["train_loss"]):
            raise diverged(net, f"the loss of epoch {row['epoch']} is {row['train_loss']}")


def diverged(net: Any, how: str) -> ValueError:
    """Return the error of a training that diverged."""
    return ValueError(
        f"Training diverged: {how}. Lower learning_rate={net.lr:g} (and finetune_lr, if set), or "
        f"set max_norm or weight_decay."
    )


class StopEarly(EarlyStopping):
    """Skorch's early stopping, which leaves epochs without validation data alone.

    `partial_fit` has such epochs after `fit` had validation data.
    """

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        if self.monitor in net.history[-1]:
            super().on_epoch_end(net, **kwargs)


def early_stopping(patience: int, tol: float) -> EarlyStopping:
    """Make early stopping on the validation loss, with the best weights in memory."""
    return StopEarly(
        monitor="valid_loss",
        patience=patience,
        threshold=tol,
        threshold_mode="abs",
        load_best=True,
        sink=noop,
    )


def has_stopped(callbacks: Iterable[tuple[str, Any]]) -> bool:
    """Tell whether a callback of early stopping has just ended the training.

    skorch's raises KeyboardInterrupt for it, as the user's Ctrl-C does. Its counter tells the two
    apart: it reaches the patience in no other epoch.
    """
    return any(
        isinstance(callback, EarlyStopping)
        and getattr(callback, "misses_", None) == callback.patience
        for _, callback in callbacks
    )


class MaxNorm(Callback):
    """Rescale the weights of each output that exceed a norm (Kim, 2014, section 2.1)."""

    def __init__(self, max_norm: float) -> None:
        self.max_norm = max_norm

    def on_batch_end(self, net: Any, training: bool = False, **kwargs: Any) -> None:
        if training:
            weight = output_layer(net.module_).weight
            with torch.no_grad():
                weight.copy_(torch.renorm(weight, p=2, dim=0, maxnorm=self.max_norm))


class LinearDecay(Callback):
    """Lower the learning rates linearly after each epoch, to zero after the last one."""

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        self.rates_ = [group["lr"] for group in net.optimizer_.param_groups]
        self.epoch_ = 0

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        share = 1 - self.epoch_ / net.max_epochs
        self._set(net, [rate * share for rate in self.rates_])
        self.epoch_ += 1

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        self._set(net, self.rates_)

    def _set(self, net: Any, rates: Sequence[float]) -> None:
        for group, rate in zip(net.optimizer_.param_groups, rates, strict=True):
            group["lr"] = rate


class Progress(Callback):
    """A bar over the batches of a training, and a sentence if not the last epoch is the best one.

    Parameters
    ----------
    title : str
        What is trained.
    """

    def __init__(self, title: str) -> None:
        self.title = title

    def on_train_begin(self, net: Any, X: Any = None, **kwargs: Any) -> None:
        n_batches = net.max_epochs * math.ceil(len(X) / net.batch_size)
        self.epoch_ = 0
        self.bar_ = progress_bar(total=n_batches, desc=self.title, unit=" batches")

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        self.epoch_ += 1
        title = f"{self.title}, epoch {self.epoch_} of {net.max_epochs}"
        self.bar_.set_description_str(title, refresh=False)

    def on_batch_end(self, net: Any, training: bool = False, **kwargs: Any) -> None:
        if training:
            self.bar_.update()

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        row = net.history[-1]
        names = ("train_loss", "valid_loss", "valid_acc")
        losses = {name: f"{row[name]:.3f}" for name in names if name in row}
        self.bar_.set_postfix(losses, refresh=False)

    def finish(self, net: Any, callbacks: Iterable[tuple[str, Any]]) -> None:
        """Close the bar of a training that has come to its end, and say how it did."""
        # After an early stop, all batches there are have been seen.
        self.bar_.total = self.bar_.n
        self.close()
        stopped = self.epoch_ < net.max_epochs
        how = f"Stopped after epoch {self.epoch_} of {net.max_epochs}"
        best = next((each for _, each in callbacks if getattr(each, "load_best", False)), None)
        number = getattr(best, "best_epoch_", 0)
        if number and (stopped or number != net.history[-1, "epoch"]):
            how = how if stopped else f"Trained for {net.max_epochs} epochs"
            say(f"{how}; the weights are those of epoch {number}, the best one.")
        elif stopped:
            say(f"{how}.")

    def close(self) -> None:
        """End the line of the bar, if there is one."""
        if hasattr(self, "bar_"):
            self.bar_.close()
            del self.bar_


def freezing(finetune: bool | int | str) -> list[Callback]:
    """Return the callbacks that decide which part of the network is trained in which epoch."""
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
    return []  # "multichannel": the frozen channel is not a parameter.


def is_convolution(name: str) -> bool:
    """Whether a parameter belongs neither to the embedding nor to the head."""
    return not (fnmatch(name, EMBEDDING) or fnmatch(name, HEAD))


# Those of the user --------------------------------------------------------------------


def check_callbacks(
    callbacks: Sequence[Any] | None, lr_schedule: str, *, has_validation: bool
) -> None:
    """Refuse what is not a callback, and callbacks that cannot work in this training."""
    for callback in map(_callback_of, callbacks or ()):
        kind = callback if isinstance(callback, type) else type(callback)
        if not issubclass(kind, Callback):
            raise TypeError(
                f"callbacks must hold skorch.callbacks.Callback, or pairs of a name and one; got "
                f"{callback!r}."
            )
        if lr_schedule == "linear" and issubclass(kind, LRScheduler):
            raise ValueError(
                "callbacks holds an LRScheduler, but lr_schedule='linear' sets the learning rate "
                "too. Set lr_schedule='constant' to leave it to the callback."
            )
        if not has_validation:
            check_monitor(callback)


def check_monitor(callback: Any) -> None:
    """Raise a ValueError if a callback, or its class, watches validation data."""
    if isinstance(callback, type):
        name = callback.__name__
        parameter = inspect.signature(callback).parameters.get("monitor")
        monitor = None if parameter is None else parameter.default
    else:
        name, monitor = type(callback).__name__, getattr(callback, "monitor", None)
    if isinstance(monitor, str) and monitor.startswith("valid_"):
        raise ValueError(
            f"callbacks holds {name}(monitor={monitor!r}), but this training has no validation "
            f"data. Set early_stopping=True, which keeps a part of the training texts for "
            f"validation, or give fit X_val and y_val; partial_fit has none. Or let the callback "
            f"monitor 'train_loss'."
        )


def copies(callbacks: Sequence[Any] | None) -> list[Any]:
    """Copy callbacks, which keep state, so that an estimator can be fitted again.

    What they refer to is shared, as in skorch: a study that prunes trials has to hear of them.
    A callback that says itself how it is cloned, by ``__sklearn_clone__``, decides.
    """
    return [
        (callback[0], _copy(callback[1])) if isinstance(callback, tuple | list) else _copy(callback)
        for callback in callbacks or ()
    ]


def _copy(callback: Any) -> Any:
    if isinstance(callback, type):
        return callback
    own = getattr(type(callback), "__sklearn_clone__", None)
    if own is not None and own is not BaseEstimator.__sklearn_clone__:
        return clone(callback)
    # Not by copy.copy, which leaves out what a callback leaves out of its pickles.
    copied = object.__new__(type(callback))
    copied.__dict__.update(vars(callback))
    for kind in type(callback).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(callback, name):
                setattr(copied, name, getattr(callback, name))
    return copied


def sees_gradients(step: Any) -> bool:
    """Whether a callback, or a pair of a name and one, acts on gradients."""
    callback = _callback_of(step)
    kind: type[Callback] = callback if isinstance(callback, type) else type(callback)
    return kind.on_grad_computed is not Callback.on_grad_computed


def _callback_of(step: Any) -> Any:
    return step[-1] if isinstance(step, tuple | list) else step
