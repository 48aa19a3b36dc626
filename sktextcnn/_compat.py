"""Private parts of other libraries, each behind a probe and with a public fallback.

Nothing else in the package uses what other libraries do not document. A probe makes a tiny call,
since a name may stay while its meaning changes.
"""

import ctypes
import inspect
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

# NumPy --------------------------------------------------------------------------------


# scikit-learn -------------------------------------------------------------------------


# torch --------------------------------------------------------------------------------

# torch is imported by those functions that need it, since `import sktextcnn` does without.


def limit_torch_threads(n_threads: int) -> Callable[[], None]:
    """Set the number of threads that torch uses in the calling thread, and there alone.

    ``torch.set_num_threads`` also stores the number for all threads that begin to use torch later.
    The libraries that torch computes with have settings of each thread; where these cannot be
    reached, the number that torch stores is put back at once.

    Parameters
    ----------
    n_threads : int

    Returns
    -------
    callable
        Restores the number that the thread had, unless it was changed meanwhile.
    """
    import torch

    # A thread that has not used torch takes over the number of the process here, not later.
    before = torch.get_num_threads()
    if before == n_threads:
        return lambda: None
    setters = _thread_setters()
    if setters is None:
        _set_threads_of_caller(n_threads)
    else:
        set_openmp, set_mkl = setters
        set_openmp(n_threads)
        mkl_before = set_mkl(n_threads)

    def undo() -> None:
        if torch.get_num_threads() != n_threads:
            return
        if setters is None:
            _set_threads_of_caller(before)
        else:
            set_openmp(before)
            set_mkl(mkl_before)

    return undo


_Setter = Callable[[int], int]


@lru_cache(maxsize=1)
def _thread_setters() -> tuple[_Setter, _Setter] | None:
    """Return OpenMP's and MKL's setters for the calling thread; None if a probe fails.

    That of MKL returns the number before, 0 for that of OpenMP.
    """
    import torch

    suffix = {"darwin": "dylib", "win32": "dll"}.get(sys.platform, "so")
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / f"libtorch_cpu.{suffix}"))
        # Found in the library or in those that it is linked with.
        set_openmp = library.omp_set_num_threads
        set_mkl = (
            library.MKL_Set_Num_Threads_Local if torch.backends.mkl.is_available() else _no_mkl
        )
    except (OSError, AttributeError):
        return None
    before = torch.get_num_threads()
    set_openmp(before + 1)
    seen = torch.get_num_threads()
    set_openmp(before)
    if (seen, torch.get_num_threads()) != (before + 1, before):
        return None
    mkl_before = set_mkl(before + 1)
    if set_mkl is not _no_mkl and set_mkl(mkl_before) != before + 1:
        return None
    return set_openmp, set_mkl


def _no_mkl(n_threads: int) -> int:
    return 0


_one_at_a_time = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_one_at_a_time.acquire,
        after_in_parent=_one_at_a_time.release,
        after_in_child=_one_at_a_time.release,
    )


def _set_threads_of_caller(n_threads: int) -> None:
    """Call ``torch.set_num_threads``, and store the number of the process again."""
    import torch

    # A thread that is new to torch has the number of the process. Threads that become new users in
    # the moment between the two calls get that of the caller.
    with _one_at_a_time, ThreadPoolExecutor(1) as new_thread:
        of_process = new_thread.submit(torch.get_num_threads).result()
        torch.set_num_threads(n_threads)
        new_thread.submit(torch.set_num_threads, of_process).result()


def tensor_version(tensor: "torch.Tensor") -> int | None:
    """Return torch's count of a tensor's changes in place; None if it keeps none."""
    if not _counts_versions() or tensor.is_inference():
        return None
    return tensor._version


@lru_cache(maxsize=1)
def _counts_versions() -> bool:
    import torch

    with torch.inference_mode(False):
        tensor = torch.zeros(1, device="cpu")
        before = getattr(tensor, "_version", None)
        tensor.add_(1)
        return isinstance(before, int) and tensor._version == before + 1


@lru_cache(maxsize=1)
def linear_by_onednn() -> "Callable[[torch.Tensor, torch.Tensor], torch.Tensor]":
    """Return a function that multiplies float32 rows with kernels, ``rows @ kernels.T``.

    By oneDNN where torch has it, which MKL's product is slower than on some processors.
    """
    import torch

    try:
        onednn = torch.ops.mkldnn._linear_pointwise
        with torch.inference_mode(False), torch.no_grad():
            rows, kernels = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [5.0, 6.0]])
            right = onednn(rows, kernels, None, "none", [], "").tolist() == [[11.0, 17.0]]
    except (AttributeError, RuntimeError, TypeError, NotImplementedError):
        right = False
    if not right:
        return lambda rows, kernels: rows @ kernels.T
    return lambda rows, kernels: onednn(rows, kernels, None, "none", [], "")


def adam_step() -> "Callable[..., None]":
    """Return a function that makes one step of Adam on lists of tensors, in place.

    Its arguments are parameters, gradients, both moments and the numbers of steps, all lists, and
    as keywords `lr`, `beta1`, `beta2`, `eps` and `weight_decay`.
    """
    return _fused_adam if _has_fused_adam() else _plain_adam


@lru_cache(maxsize=1)
def _has_fused_adam() -> bool:
    import torch

    steps: tuple[Callable[..., None], ...] = (_fused_adam, _plain_adam)
    settings = {"lr": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "weight_decay": 0.01}
    results = []
    with torch.inference_mode(False), torch.no_grad():
        for step in steps:
            tensors = [torch.tensor([value]) for value in (1.0, 0.5, 0.2, 0.1)]
            counts = torch.tensor(2.0)
            try:
                step(*([tensor] for tensor in tensors), [counts], **settings)
            except (ImportError, AttributeError, RuntimeError, TypeError):
                return False
            results.append(torch.cat([*tensors, counts[None]]))
    return torch.allclose(results[0], results[1])


def _fused_adam(
    params: list, grads: list, means: list, squares: list, steps: list, **settings: float
) -> None:
    from torch.optim.adam import adam

    adam(
        params,
        grads,
        means,
        squares,
        [],
        steps,
        fused=True,
        amsgrad=False,
        maximize=False,
        **settings,  # type: ignore[arg-type]
    )


def _plain_adam(
    params: list,
    grads: list,
    means: list,
    squares: list,
    steps: list,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
) -> None:
    for param, grad, mean, square, step in zip(params, grads, means, squares, steps, strict=True):
        step += 1
        count = float(step)  # powers of it in double precision
        grad = grad + weight_decay * param if weight_decay else grad
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        scale = (square / (1 - beta2**count)).sqrt() + eps
        param.sub_(lr / (1 - beta1**count) * mean / scale)


def light_optimizer_methods() -> "dict[str, Callable]":
    """Return Adam's methods without what wraps them.

    At its first call that wrapper imports torch's compiler, only to keep it away: 0.7 s.
    """
    import torch

    names = ("add_param_group", "zero_grad")
    light = {name: inspect.unwrap(getattr(torch.optim.Adam, name)) for name in names}
    try:
        first, second = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
        optimizer = type("Light", (torch.optim.Adam,), light)([first])
        optimizer.add_param_group({"params": [second]})
        second.grad = torch.ones(1)
        optimizer.zero_grad()
        right = len(optimizer.param_groups) == 2 and second.grad is None
    except (AttributeError, RuntimeError, TypeError):
        right = False
    return light if right else {}


def sparse_rows(grad: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
    """Return the rows of a sparse gradient, each once and in order, and their values."""
    if _has_sparse_parts() and not grad.is_coalesced():
        rows = grad._indices()[0]
        # Look-ups of distinct words are in order, which is checked sooner than they are sorted.
        if bool((rows[1:] > rows[:-1]).all()):
            return rows, grad._values()
    grad = grad.coalesce()
    return grad.indices()[0], grad.values()


@lru_cache(maxsize=1)
def _has_sparse_parts() -> bool:
    import torch

    with torch.inference_mode(False):
        sparse = torch.sparse_coo_tensor(
            torch.tensor([[1, 2]]), torch.tensor([[3.0], [4.0]]), (4, 1), check_invariants=False
        )
    try:
        rows, values = sparse._indices(), sparse._values()
    except (AttributeError, RuntimeError):
        return False
    return rows.tolist() == [[1, 2]] and values.tolist() == [[3.0], [4.0]]
