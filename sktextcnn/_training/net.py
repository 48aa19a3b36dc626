"""The skorch net: loss, epochs, and what ends them; and prediction with it."""

import contextlib
import copy
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping, EpochTimer, PassthroughScoring
from torch import Tensor, nn

from sktextcnn._compat.locks import ForkSafeLock
from sktextcnn._compat.malloc import memory_kept
from sktextcnn._compat.torch import double_on_cpu
from sktextcnn._data_parallel import Group, current_group
from sktextcnn._network import (
    KimCNN,
    Part,
    StackedCNN,
    computing,
    map_in_threads,
    seeded,
    single_thread,
    torchs_generators,
)
from sktextcnn._text import Ids
from sktextcnn._token_ids import PADDING_ID
from sktextcnn._training.callbacks import (
    EMBEDDING,
    HEAD,
    Progress,
    StopEarly,
    StopIfDiverged,
    check_monitor,
    diverged,
    has_stopped,
)
from sktextcnn._training.dataset import TokenDataset
from sktextcnn._training.plan import NetPlan
from sktextcnn._training.rows import row_blocks

# Tokens in a batch of prediction, which bounds its memory; about what is fastest.
_TOKENS_AT_ONCE = 1 << 14

# The packages whose networks, optimizers and callbacks draw no numbers from torch's generators.
_DRAW_NOTHING = {"sktextcnn", "torch", "skorch", "optuna_integration", "optuna"}


class TextNet(NeuralNetClassifier):
    """skorch's classifier on :class:`TokenDataset`, with weights of samples.

    Predicts the index of a class, or an indicator matrix for multilabel targets. Unlike skorch's,
    its training propagates KeyboardInterrupt; only early stopping ends it.

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
    plan : NetPlan
        What the net was built from.
    """

    plan: NetPlan
    module_: Any
    callbacks_: list[tuple[str, Any]]
    # Makes the network instead of the class, where there are weights already.
    make_network: Callable[[], nn.Module] | None = None
    # Whether the network's weights are arrays that others own, or that are read-only.
    shares_memory = False

    def __init__(self, module: Any, *args: Any, precision: str = "float32", **kwargs: Any) -> None:
        super().__init__(module, *args, **kwargs)
        self.precision = precision

    def get_default_callbacks(self) -> list[tuple[str, Callback]]:
        """Return the callbacks of every training."""
        return [
            ("epoch_timer", EpochTimer()),
            ("train_loss", PassthroughScoring("train_loss", on_train=True)),
            ("valid_loss", PassthroughScoring("valid_loss")),
            ("valid_acc", PassthroughScoring("valid_acc", lower_is_better=False)),
            ("diverged", StopIfDiverged()),
        ]

    def initialize_module(self) -> "TextNet":
        """Make the network, or take the one that is there."""
        if self.make_network is None:
            super().initialize_module()
            if isinstance(self.module_, KimCNN | StackedCNN):
                # Whatever torch's default dtype is: files and products are float32.
                self.module_.float()
            return self
        self.module_ = self.make_network()
        self.make_network = None
        return self

    @property
    def multilabel(self) -> bool:
        return isinstance(self.criterion_, nn.BCEWithLogitsLoss)

    def infer(self, x: Any, **fit_params: Any) -> Tensor:
        ids = x["ids"] if isinstance(x, Mapping) else x
        with in_precision(self):
            logits = super().infer(ids, **fit_params)
        logits = logits if self.precision == "float32" else logits.float()
        if isinstance(x, Mapping) and "offset" in x:
            logits = logits + x["offset"]
        return logits

    def get_loss(self, y_pred: Tensor, y_true: Tensor, X: Any = None, **kwargs: Any) -> Tensor:
        loss = super().get_loss(y_pred, y_true, X=X, **kwargs)  # (B,) or (B, n_labels)
        loss = loss.flatten(1).mean(dim=1) if loss.ndim > 1 else loss
        if isinstance(X, Mapping) and "weight" in X:
            loss = loss * X["weight"].to(loss)
        return loss.mean()

    def train_step_single(self, batch: tuple, **fit_params: Any) -> dict[str, Any]:
        group = current_group()
        if group is None:
            return super().train_step_single(batch, **fit_params)
        start = time.perf_counter()
        with self._part_of(batch, group) as (own, part):
            step = super().train_step_single(own, **fit_params)
        computed = time.perf_counter()
        step["loss"] = group.add_gradients(self.module_, step["loss"], part)
        if self._is_watched:
            step["y_pred"] = group.all_rows(step["y_pred"].detach(), part)
        group.note_step(part, computed - start, time.perf_counter() - computed)
        return step

    @contextlib.contextmanager
    def _part_of(self, batch: tuple, group: Group) -> Iterator[tuple[tuple, Part]]:
        """What this process computes of a batch."""
        X, y = batch
        part = group.part_of(len(y))
        # Our networks draw for the whole batch, and go on with the rows of this process.
        x = {
            name: values if name == "ids" and self._draws_for_all else values[part.rows]
            for name, values in X.items()
        }
        with computing(part) if self._draws_for_all else contextlib.nullcontext():
            yield (x, y[part.rows]), part

    @property
    def _draws_for_all(self) -> bool:
        return type(self.module_) in (KimCNN, StackedCNN)

    @property
    def _is_watched(self) -> bool:
        """Whether callbacks of the user may look at the outputs of a step."""
        watching = [
            type(each)
            for _, each in self.callbacks_
            if type(each).on_batch_end != Callback.on_batch_end
        ]
        return any(not kind.__module__.startswith("sktextcnn.") for kind in watching)

    def validation_step(self, batch: tuple, **fit_params: Any) -> dict[str, Tensor]:
        group = current_group()
        if group is None:
            step = super().validation_step(batch, **fit_params)
        else:
            with self._part_of(batch, group) as (own, part):
                step = super().validation_step(own, **fit_params)
            step["y_pred"] = group.all_rows(step["y_pred"], part)
            loss = self.get_loss(step["y_pred"], batch[1], X=batch[0], training=False)
            # Early stopping must decide alike, though other processors may round differently.
            group.tensors_of_first([loss])
            step["loss"] = loss
        right = self._labels(step["y_pred"]) == batch[1].to(step["y_pred"].device)
        right = right.flatten(1).all(dim=1) if right.ndim > 1 else right
        self.history.record_batch("valid_acc", right.float().mean().item())
        return step

    def _labels(self, logits: Tensor) -> Tensor:
        return (logits > 0) if self.multilabel else logits.argmax(dim=1)

    def predict(self, X: Any) -> np.ndarray:
        return self._labels(self.forward(X)).long().numpy()

    def notify(self, method_name: str, **kwargs: Any) -> None:
        if method_name == "on_epoch_begin":
            self._check_others(f"before epoch {len(self.history) + 1}")
        # skorch's early stopping raises KeyboardInterrupt; any other one is the user's.
        try:
            super().notify(method_name, **kwargs)
        except KeyboardInterrupt:
            if method_name == "on_epoch_end" and has_stopped(self.callbacks_):
                raise _StopTraining from None
            raise

    def fit_epochs(self, dataset: TokenDataset, epochs: int, *, title: str | None = None) -> None:
        """Train for some epochs, or until early stopping ends them.

        On an error or interrupt the history is what it was before.

        Parameters
        ----------
        dataset : TokenDataset
            The texts.
        epochs : int
            How many epochs at most.
        title : str or None, default=None
            What a bar calls the training; None: there is no bar.
        """
        n_before, callbacks = len(self.history), self.callbacks_
        bar = Progress(title or "")
        if title is not None:
            # Before early stopping, after which no callback hears of the epoch.
            first = next(
                (i for i, (_, step) in enumerate(callbacks) if isinstance(step, EarlyStopping)),
                len(callbacks),
            )
            self.callbacks_ = [*callbacks[:first], ("progress", bar), *callbacks[first:]]
        try:
            with single_thread(), self._generators():
                self._draw_apart()
                self._fit_epochs(dataset, epochs)
            if title is not None:
                bar.finish(self, callbacks)
        except BaseException:
            del self.history[n_before:]
            raise
        finally:
            # Else an error's message would stand in the line of the bar.
            bar.close()
            self.callbacks_ = callbacks

    def _generators(self) -> contextlib.AbstractContextManager:
        """Where the code of others, which may draw from torch's generators, finds its numbers.

        Trainings with such code take turns.
        """
        code = [type(self.module_), self.optimizer, *(type(each) for _, each in self.callbacks_)]
        ours = all(each.__module__.partition(".")[0] in _DRAW_NOTHING for each in code)
        return contextlib.nullcontext() if ours else torchs_generators()

    def _draw_apart(self) -> None:
        """Let a network of the user draw other numbers in each process, for other rows."""
        group = current_group()
        if group is None or group.rank == 0 or self._draws_for_all:
            return
        seed = torch.initial_seed() + group.rank
        torch.default_generator.manual_seed(seed)
        if torch.device(self.device).type == "cuda":
            torch.cuda.manual_seed(seed)

    def _check_others(self, state: str) -> None:
        """Raise an error if the training goes another way in another process."""
        group = current_group()
        if group is None:
            return
        facts: dict[str, str | float] = {"where the training is": state}
        for name, weight in self.module_.named_parameters():
            norm = torch.linalg.vector_norm(weight.detach(), ord=1, dtype=torch.float64)
            facts[f"the weights {name}"] = float(norm)
        group.check_alike(facts, "Callbacks must act on the training alike in each process.")

    def _fit_epochs(self, dataset: TokenDataset, epochs: int) -> None:
        if self.train_split is None:
            for _, callback in self.callbacks_:
                if not isinstance(callback, StopEarly):
                    check_monitor(callback)
        self.max_epochs = epochs
        self.share_weights()
        self.notify("on_train_begin", X=dataset, y=None)
        try:
            with contextlib.suppress(_StopTraining):
                self.fit_loop(dataset, epochs=epochs)
            self._check_others("at its end")
        finally:
            # Here, as predicting threads would find it half done.
            self.module_.eval()
        # The losses were those from before each step, so nothing has seen the last one's effect.
        if not self.evaluation_step(dataset[: self.batch_size]).isfinite().all():
            raise diverged(self, "the outputs after the last step are not finite")
        self.notify("on_train_end", X=dataset, y=None)

    def share_weights(self) -> None:
        """Take over the weights of the first process, if several train this net."""
        group = current_group()
        if group is not None:
            group.tensors_of_first(list(self.module_.state_dict().values()))

    def follow(self, estimator: Any) -> None:
        """Take over what may change between calls of `partial_fit`."""
        self.batch_size = estimator.batch_size
        settings = self.plan.settings
        changed = {
            name: getattr(estimator, name)
            for name in ("learning_rate", "finetune_lr")
            if getattr(estimator, name) != settings[name]
        }
        # Else they stay what the user may have set on the net itself.
        if changed:
            settings = {**settings, **changed}
            self.plan = replace(self.plan, settings=settings)
            self._set_rates(learning_rates(settings))

    def _set_rates(self, rates: Mapping[str, Any]) -> None:
        self.lr, patterns = rates["lr"], rates["optimizer__param_groups"]
        # skorch makes a group for each pattern, in this order, and one for all other parameters.
        groups = self.optimizer_.param_groups
        for group, pattern in itertools.zip_longest(groups, patterns):
            group["lr"] = self.lr if pattern is None else pattern[1]["lr"]
        self.optimizer__param_groups = patterns

    def copy_optimizer(self, other: "TextNet") -> None:
        """Take over the state of the optimizer of a net with the same parameters."""
        with single_thread(), torch.inference_mode(False):
            self.optimizer_.load_state_dict(copy.deepcopy(other.optimizer_.state_dict()))


class _StopTraining(Exception):  # noqa: N818
    """Early stopping ends the training."""


def in_precision(net: TextNet) -> contextlib.AbstractContextManager:
    """Have torch multiply in the precision of the net."""
    if net.precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(torch.device(net.device).type, getattr(torch, net.precision))


def learning_rates(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of skorch for the rates of each part of the network."""
    learning_rate = settings["learning_rate"]
    finetune_lr = settings["finetune_lr"] or learning_rate
    groups: list[tuple[str, dict[str, float]]] = [(EMBEDDING, {"lr": finetune_lr})]
    lr = learning_rate
    if settings["finetune"] == "gradual":
        # That of convolutions is the geometric mean of the two rates.
        groups.append((HEAD, {"lr": learning_rate}))
        lr = float(np.sqrt(learning_rate * finetune_lr))
    return {"lr": lr, "optimizer__param_groups": groups}


# Prediction ---------------------------------------------------------------------------


def logits(net: TextNet, ids: Ids) -> np.ndarray:
    """The outputs of the network for token ids; (n, num_outputs).

    Does not touch the net, so that threads may share it.
    """
    blocks = row_blocks(ids)
    if len(blocks) > 1:
        return np.concatenate([_logits(net, ids[rows]) for rows in blocks])
    return _logits(net, ids[:])


def _logits(net: TextNet, ids: np.ndarray) -> np.ndarray:
    module = net.module_
    if module.training:
        module.eval()
    outputs: Callable[[Tensor], Tensor] = module
    if type(module).forward in (KimCNN.forward, StackedCNN.forward):
        # The head in double precision, so that a text's outputs do not depend on the other
        # samples in the batch; on the CPU, as not every device has it.
        head = double_on_cpu(module.head)

        def outputs(batch: Tensor) -> Tensor:
            with in_precision(net):
                features = module.features(batch)
            return head(features.cpu().double())

    def outputs_of(rows: np.ndarray) -> Tensor:
        return outputs(torch.from_numpy(ids[rows]).to(net.device)).cpu()

    is_large = ids.size > _TOKENS_AT_ONCE
    # What is remembered of this call may not be tensors of inference mode: later calls use it too.
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        single_thread(sharing=is_large),
        memory_kept(),
    ):
        if not is_large:
            return outputs(torch.tensor(ids, device=net.device)).cpu().numpy()
        if type(module) is KimCNN and net.device == "cpu":
            with in_precision(net):
                module.remember(torch.tensor(ids))  # a copy, as ids may be read-only
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


# What the process has once ------------------------------------------------------------

_moves = ForkSafeLock()


@contextlib.contextmanager
def training_session(seed: int, device: str) -> Iterator[None]:
    """Draw from new generators and allow gradients, in the calling thread.

    torch computes in one thread meanwhile, which is what lets a forked child make a network, and
    each step reuses the memory of the one before.
    """
    with (
        seeded(seed, device),
        torch.inference_mode(False),
        torch.enable_grad(),
        single_thread(),
        memory_kept(),
    ):
        yield


def move(net: TextNet, device: str) -> None:
    """Move a net to a device, once if several threads ask for it."""
    if net.device == device:
        return
    with _moves.current:
        if net.device != device:
            with single_thread(), torch.inference_mode(False):
                net.module_.to(device)
                # Moves the optimizer's state to where the parameters are now.
                net.optimizer_.load_state_dict(net.optimizer_.state_dict())
            net.device = device


def own_memory(net: TextNet) -> None:
    """Give a net that was stored weights of its own, so that it can be trained."""
    if net.shares_memory:
        with single_thread(), torch.inference_mode(False):
            for value in (*net.module_.parameters(), *net.module_.buffers()):
                value.data = value.data.clone()
        net.shares_memory = False
