"""One training in all processes of torch.distributed's default group.

Each process is given all texts and computes its rows of every batch. Gradients are added up, so
that the weights are the same everywhere after each step.
"""

import contextlib
import itertools
import math
import os
import statistics
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, distributed, nn

from sktextcnn._network import Part

Value = TypeVar("Value")

_of_thread = threading.local()

# After so many steps it is known whether the processes save time.
_STEPS_TIMED = 40


@contextlib.contextmanager
def data_parallel(*, timeout: float = 300.0, start_timeout: float = 1800.0) -> Iterator[None]:
    """Train one model with all processes of torch.distributed's default group.

    Within this context, ``fit`` and ``partial_fit`` of a TextCNNClassifier, also in a Pipeline,
    share out each batch among the processes that torchrun, Ray Train or Spark has started. Every
    process makes the same calls with all texts. The result is the model that one process would
    train, up to rounding, and is the same in every process.

    Parameters
    ----------
    timeout : float, default=300.0
        For how many seconds a process waits in a step of the training for another one that does
        not answer. A process that has ended is noticed at once.
    start_timeout : float, default=1800.0
        The same where a training begins and where it waits for what one process computes alone,
        such as the linear model: one process may read vectors while another one has them.

    Yields
    ------
    None

    Raises
    ------
    RuntimeError
        If there is no default process group, or if a process ends, fails or does not answer.
    ValueError
        If a time-out is not a positive number; and, in ``fit``, if the processes do not have the
        same texts, labels, parameters or versions.

    Notes
    -----
    The context is that of the thread that has entered it. A context in which a process has failed
    cannot be used again.

    Examples
    --------
    A group of one process, which torchrun would make of several:

    >>> import torch.distributed
    >>> from sktextcnn import TextCNNClassifier, data_parallel
    >>> torch.distributed.init_process_group(
    ...     "gloo", store=torch.distributed.HashStore(), rank=0, world_size=1
    ... )
    >>> classifier = TextCNNClassifier(embedding_dim=8, max_epochs=1)
    >>> with data_parallel():
    ...     fitted = classifier.fit([[2, 3], [4, 5]] * 9, [0, 1] * 9)
    >>> fitted.predict([[2, 3]]).shape
    (1,)
    >>> torch.distributed.destroy_process_group()
    """
    for name, seconds in (("timeout", timeout), ("start_timeout", start_timeout)):
        if (
            isinstance(seconds, bool)
            or not isinstance(seconds, int | float)
            or not 0 < seconds < math.inf
        ):
            raise ValueError(f"{name} must be a finite number of seconds above 0; got {seconds!r}.")
    if current_group() is not None:
        raise RuntimeError("data_parallel() is active in this thread already; enter it once.")
    if not (distributed.is_available() and distributed.is_initialized()):
        raise RuntimeError(
            "data_parallel() needs the default process group of torch.distributed. Start the "
            "program with torchrun, Ray Train's TorchTrainer or Spark's TorchDistributor, and call "
            "torch.distributed.init_process_group('gloo') (or 'nccl', for GPUs) first, unless "
            "TorchTrainer has done so."
        )
    group = Group(timeout, start_timeout)
    _of_thread.group = group
    try:
        yield
    finally:
        _of_thread.group = None
        # The others hear at once if this process goes on without them.
        group.close()


def current_group() -> "Group | None":
    """Return the processes that train with the calling thread; None if it trains alone."""
    group = getattr(_of_thread, "group", None)
    # A forked child shares the sockets of its parent, but not its trainings.
    return None if group is None or group.process != os.getpid() else group


def of_first(value: Value) -> Value:
    """Return what the first process has for `value`."""
    group = current_group()
    return value if group is None else group.of_first(value)


def by_first(compute: Callable[..., Value], *args: Any, **kwargs: Any) -> Value:
    """Call a function in the first process, for all of them."""
    group = current_group()
    if group is None:
        return compute(*args, **kwargs)
    result = compute(*args, **kwargs) if group.rank == 0 else None
    return cast(Value, group.of_first(result))


def is_first() -> bool:
    """Whether the calling thread trains alone or is in the first process."""
    group = current_group()
    return group is None or group.rank == 0


class Group:
    """The processes of a training.

    Attributes
    ----------
    rank, size : int
        The number of this process, and how many there are.
    process : int
        The id of this process.
    """

    def __init__(self, timeout: float, start_timeout: float) -> None:
        self.process = os.getpid()
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self._timeouts = {"start": start_timeout, "steps": timeout}
        self._groups: dict[str, Any] = {}
        self._seconds: list[tuple[float, float]] = []
        if self.size == 1:
            return
        # Of our own, as the time-out is that of a group. Objects and the CPU's tensors need gloo,
        # whatever the default group has.
        with self._reporting("start"):
            for name in ("start", "steps"):
                wait = timedelta(seconds=self._timeouts[name])
                self._groups[name] = distributed.new_group(timeout=wait, backend="gloo")
                if name == "start":
                    # Who comes first waits here for the last one.
                    distributed.barrier(self._groups[name])
            if "nccl" in distributed.get_backend_config():
                self._groups["cuda"] = distributed.new_group(timeout=wait, backend="nccl")

    def close(self) -> None:
        """End the connections to the other processes."""
        while self._groups:
            _, group = self._groups.popitem()
            with contextlib.suppress(Exception):
                distributed.destroy_process_group(group)

    @contextlib.contextmanager
    def _reporting(self, name: str) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            raise RuntimeError(
                f"Process {self.rank} of {self.size} has lost the others of data_parallel(): one "
                f"of them has ended, failed or been interrupted, and its own message says why; or "
                f"it did not answer within {self._timeouts[name]:g} seconds. ({error})"
            ) from error

    # What all processes have to agree on ----------------------------------------------

    def of_first(self, value: Value) -> Value:
        """Return what the first process has for `value`, an object that can be pickled."""
        if self.size == 1:
            return value
        values = [value if self.rank == 0 else None]
        with self._reporting("start"):
            distributed.broadcast_object_list(values, 0, self._groups["start"])
        return values[0]  # type: ignore[return-value]

    def tensors_of_first(self, tensors: list[Tensor]) -> None:
        """Overwrite tensors with those of the first process."""
        if self.size == 1:
            return
        with self._reporting("start"), torch.no_grad():
            for tensor in tensors:
                sent = tensor.detach().cpu().contiguous()
                distributed.broadcast(sent, 0, self._groups["start"])
                if self.rank != 0:
                    tensor.copy_(sent)

    def check_alike(self, facts: Mapping[str, str | float], remedy: str) -> None:
        """Raise a ValueError in every process if they do not have the same facts.

        Parameters
        ----------
        facts : mapping of str to str or float
            What each is called, and a short text or a digest that tells it from others. Numbers may
            differ by rounding.
        remedy : str
            The end of the error's message.
        """
        if self.size == 1:
            return
        every: list[Any] = [None] * self.size
        with self._reporting("start"):
            distributed.all_gather_object(every, dict(facts), self._groups["start"])
        for name in dict.fromkeys(itertools.chain(*every)):
            first = every[0].get(name)
            for rank in range(1, self.size):
                other = every[rank].get(name)
                if not _are_alike(first, other):
                    raise ValueError(
                        f"The processes of data_parallel() differ in {name}: {first} in process 0, "
                        f"{other} in process {rank}. {remedy}"
                    )

    # A step ---------------------------------------------------------------------------

    def part_of(self, n_rows: int) -> Part:
        """Return the rows of a batch that this process computes, and which share of it they are.

        Where there are fewer rows than processes, the last ones compute a row that does not count.
        """
        # Not one block for each, as neighbours are of like length.
        rows = slice(self.rank, None, self.size)
        n_own = len(range(n_rows)[rows])
        return Part(rows if n_own else slice(0, 1), n_rows, n_own / n_rows)

    def all_rows(self, values: Tensor, part: Part) -> Tensor:
        """Return what all processes have for the rows of a batch, from those of this one."""
        whole = values.new_zeros(part.n_rows, *values.shape[1:])
        if part.share:
            whole[part.rows] = values
        if self.size > 1:
            with self._reporting("steps"):
                distributed.all_reduce(whole, group=self._group_of(whole))
        return whole

    def add_gradients(self, module: nn.Module, loss: Tensor, part: Part) -> Tensor:
        """Replace the gradients of a part of a batch by those of the batch; return its loss."""
        if self.size == 1:
            return loss
        sparse = {
            id(part.weight)
            for part in module.modules()
            if isinstance(part, nn.Embedding | nn.EmbeddingBag) and part.sparse
        }
        params = [param for param in module.parameters() if param.requires_grad]
        # A part of the network may have played no role here.
        has_grad = loss.new_tensor([float(param.grad is not None) for param in params])
        rows = {id(param): self._all_rows(param) for param in params if id(param) in sparse}
        pieces = [has_grad, loss.detach().reshape(1)]
        pieces += [_values(param, rows.get(id(param))) for param in params]
        flat = torch.cat([piece.reshape(-1) for piece in pieces])
        flat[len(params) :].mul_(part.share)
        with self._reporting("steps"):
            distributed.all_reduce(flat, group=self._group_of(flat))
        has_any, total, *sums = flat.split([piece.numel() for piece in pieces])
        for param, is_used, values in zip(params, has_any.tolist(), sums, strict=True):
            its_rows = rows.get(id(param))
            if its_rows is not None:
                values = values.to(param.dtype).view(-1, *param.shape[1:])
                param.grad = torch.sparse_coo_tensor(
                    its_rows[None], values, param.shape, is_coalesced=True, check_invariants=False
                )
            elif is_used:
                if param.grad is None or param.grad.is_sparse:
                    param.grad = torch.empty_like(param)
                param.grad.copy_(values.view(param.shape))
        return total[0]

    def note_step(self, part: Part, computing: float, exchanging: float) -> None:
        """Warn once if one process would have been as fast, by the seconds of some steps.

        The rest of a step, such as the optimizer, takes as long in one process. It would compute
        the whole batch in at most `size` times the seconds that each takes for its part.
        """
        if self.size == 1 or len(self._seconds) == _STEPS_TIMED:
            return
        self._seconds.append((computing, exchanging))
        if len(self._seconds) < _STEPS_TIMED or self.rank != 0:
            return
        # Not the first ones, in which much is made for the first time.
        later = self._seconds[_STEPS_TIMED // 2 :]
        computing, exchanging = map(statistics.median, zip(*later, strict=True))
        saved = (self.size - 1) * computing
        if exchanging > saved:
            least = math.ceil(part.n_rows * exchanging / saved)
            warnings.warn(
                f"One process would be faster than these {self.size}: of each batch of "
                f"{part.n_rows} texts, a process computes its part in {1000 * computing:.1f} ms, "
                f"and then exchanges gradients for {1000 * exchanging:.1f} ms. Set batch_size to "
                f"at least {least}, or train in one process.",
                UserWarning,
                stacklevel=2,
            )

    def _all_rows(self, param: Tensor) -> Tensor:
        """The rows of a sparse gradient in any process."""
        occurs = torch.zeros(len(param), dtype=torch.uint8, device=param.device)
        if param.grad is not None:
            param.grad = param.grad.coalesce()
            occurs[param.grad.indices()[0]] = 1
        with self._reporting("steps"):
            distributed.all_reduce(occurs, distributed.ReduceOp.MAX, group=self._group_of(occurs))
        return occurs.nonzero().flatten()

    def _group_of(self, tensor: Tensor) -> Any:
        """The group for a tensor; that of gloo sends those of CUDA by way of the CPU."""
        return self._groups["cuda" if tensor.is_cuda and "cuda" in self._groups else "steps"]


def _are_alike(first: Any, other: Any) -> bool:
    if isinstance(first, float) and isinstance(other, float):
        # A training that diverges does so everywhere.
        return math.isclose(first, other, rel_tol=1e-5) or (first != first and other != other)
    return bool(first == other)


def _values(param: Tensor, rows: Tensor | None) -> Tensor:
    """The values of a gradient, or of its given rows."""
    grad = param.grad
    if rows is None:
        if grad is None:
            return torch.zeros_like(param)
        return grad.to_dense() if grad.is_sparse else grad
    values = param.new_zeros(len(rows), *param.shape[1:])
    if grad is not None:
        values[torch.searchsorted(rows, grad.indices()[0])] = grad.values()
    return values
