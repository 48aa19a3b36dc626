"""Private parts of torch: tensors, optimizers, matrix products and modules."""

import copy
import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn


def tensor_version(tensor: Tensor) -> int | None:
    """Return torch's count of the changes of a tensor in place; None if there is no count."""
    if not _counts_versions() or tensor.is_inference():
        return None
    return tensor._version


@lru_cache(maxsize=1)
def _counts_versions() -> bool:
    with torch.inference_mode(False):
        tensor = torch.zeros(1, device="cpu")
        before = getattr(tensor, "_version", None)
        tensor.add_(1)
        return isinstance(before, int) and tensor._version == before + 1


@lru_cache(maxsize=1)
def linear_by_onednn() -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function that multiplies float32 rows with kernels, ``rows @ kernels.T``.

    It uses oneDNN if torch has it, which is faster than MKL on some processors.
    """
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


def adam_step() -> Callable[..., None]:
    """Return a function that makes one step of Adam on lists of tensors, in place.

    Its positional arguments are lists of parameters, gradients, first moments, second moments and
    step counts. Its keyword arguments are `lr`, `beta1`, `beta2`, `eps` and `weight_decay`.
    """
    return _fused_adam if _has_fused_adam() else _plain_adam


@lru_cache(maxsize=1)
def _has_fused_adam() -> bool:
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
        count = float(step)  # so that the powers below are in double precision
        grad = grad + weight_decay * param if weight_decay else grad
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        scale = (square / (1 - beta2**count)).sqrt() + eps
        param.sub_(lr / (1 - beta1**count) * mean / scale)


def light_optimizer_methods() -> dict[str, Callable]:
    """Return methods of Adam without their wrapper.

    At the first call, the wrapper imports torch's compiler only to disable it, which takes 0.7 s.
    """
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


def sparse_rows(grad: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows of a sparse gradient, sorted and without duplicates, and their values."""
    if _has_sparse_parts() and not grad.is_coalesced():
        rows = grad._indices()[0]
        # The rows of distinct words are sorted already, and a check is faster than sorting.
        if bool((rows[1:] > rows[:-1]).all()):
            return rows, grad._values()
    grad = grad.coalesce()
    return grad.indices()[0], grad.values()


@lru_cache(maxsize=1)
def _has_sparse_parts() -> bool:
    with torch.inference_mode(False):
        sparse = torch.sparse_coo_tensor(
            torch.tensor([[1, 2]]), torch.tensor([[3.0], [4.0]]), (4, 1), check_invariants=False
        )
    try:
        rows, values = sparse._indices(), sparse._values()
    except (AttributeError, RuntimeError):
        return False
    return rows.tolist() == [[1, 2]] and values.tolist() == [[3.0], [4.0]]


def double_on_cpu(module: nn.Module) -> nn.Module:
    """Return a twin of a module in double precision on the CPU.

    The twin only copies parameters and buffers, and shares everything else with the module, which
    takes a tenth of the time of a deep copy. ``torch.func.functional_call`` is not used, since it
    sets the other weights in the module itself during a call, where other threads would read them.
    """
    return _twin(module) if _twins_work() else copy.deepcopy(module).cpu().double()


@lru_cache(maxsize=1)
def _twins_work() -> bool:
    """Return whether a twin has the outputs of a deep copy, and leaves the module as it was."""
    try:
        with torch.inference_mode(False), torch.no_grad():
            # On "meta", where no random numbers are drawn. torch.nn.utils.skip_init would import
            # parts of torch that take a second.
            linear = nn.Linear(2, 1, device="meta")
            linear.weight = nn.Parameter(torch.full((1, 2), 0.1))
            linear.bias = nn.Parameter(torch.full((1,), 0.2))
            module, features = nn.Sequential(linear), torch.ones(1, 2, dtype=torch.float64)
            found = _twin(module)(features)
            expected = copy.deepcopy(module).double()(features)
            return torch.equal(found, expected) and linear.weight.dtype == torch.float32
    except (AttributeError, TypeError, RuntimeError):
        return False


def _twin(module: nn.Module) -> nn.Module:
    # copy.copy raises an error for modules with parametrizations.
    twin: nn.Module = object.__new__(type(module))
    twin.__dict__.update(
        module.__dict__,
        _parameters=_each(_double, module._parameters),
        _buffers=_each(_double, module._buffers),
        _modules=_each(_twin, module._modules),
    )
    return twin


def _double(value: Tensor) -> Tensor:
    value = value.cpu()
    return value.double() if value.is_floating_point() else value


def _each(change: Callable, parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if part is None else change(part) for name, part in parts.items()}
