"""Adam that reads and writes only those rows of an embedding that a batch has."""

import inspect
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Adam
from torch.optim.adam import adam

# A row's momentum is spent when so little of it is left.
_SPENT = 1e-10
# Rows settled at a time, which keeps them in the processor's cache.
_BLOCK = 1 << 10


class _Rows(NamedTuple):
    """Some rows of an embedding and of its moments, as they are behind all steps so far."""

    rows: Tensor  # (U,), int64, each once
    values: Tensor  # (U, D)
    mean: Tensor  # (U, D)
    square: Tensor  # (U, D)


class RowAdam(Adam):
    """torch's Adam, at the cost of a batch's rows where a gradient is sparse.

    Between two gradients of a row, Adam goes on moving it by what is left of its momentum. As
    both moments fall by constant factors meanwhile, all these moves are one multiple of the
    first moment over the root of the second, and the multiple is the same for all rows that had
    their last gradient at the same step. So a row is left alone until it is read again, and
    :meth:`catch_up` then makes its moves at once. The results are Adam's but for epsilon, which
    a row without gradients has as it was at its last one.

    Between the steps, rows of an embedding with sparse gradients lag behind; :meth:`settle` brings
    them up to date. Parameters with dense gradients get torch's Adam as it is.

    Parameters
    ----------
    *args, **kwargs
        Those of :class:`torch.optim.Adam`, without `amsgrad` and `maximize`; with
        ``betas[0] ** 2 < betas[1]``, so that momentum is spent at all. `weight_decay` does not
        reach parameters with sparse gradients.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            if beta1**2 >= beta2:
                raise ValueError(
                    f"betas={group['betas']} never spend a row's momentum, as the first is not "
                    f"below the root of the second; lower the first."
                )
        self._caught_up: dict[Tensor, _Rows] = {}

    # torch's own import its compiler at their first call, only to keep it away: 0.7 s.
    add_param_group = inspect.unwrap(Adam.add_param_group)
    zero_grad = inspect.unwrap(Adam.zero_grad)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            dense: list[tuple[Tensor, Tensor]] = []
            for param in group["params"]:
                if param.grad is None:
                    continue
                if param.grad.is_sparse:
                    self._step_rows(param, param.grad, group)
                else:
                    dense.append((param, param.grad))
            if dense:
                states = [self._state_of(param) for param, _ in dense]
                self._adam(
                    group,
                    [param for param, _ in dense],
                    [grad for _, grad in dense],
                    [state["exp_avg"] for state in states],
                    [state["exp_avg_sq"] for state in states],
                    [state["step"] for state in states],
                    group["weight_decay"],
                )
        return loss

    @torch.no_grad()
    def catch_up(self, param: Tensor, rows: Tensor) -> None:
        """Bring rows of an embedding up to date, before they are read for a step.

        Parameters
        ----------
        param : Tensor of shape (n_rows, D)
            The embedding.
        rows : Tensor of int
            Of any shape; a row may occur several times.
        """
        rows = rows.flatten()
        if not bool((rows[1:] > rows[:-1]).all()):
            rows = rows.unique()
        group = next(g for g in self.param_groups if any(p is param for p in g["params"]))
        self._put_back(param)
        if "last" in self.state[param]:
            caught_up = self._moved(param, rows.long(), group)
            param.index_copy_(0, caught_up.rows, caught_up.values)
            self._caught_up[param] = caught_up

    @torch.no_grad()
    def settle(self) -> None:
        """Bring all rows up to date, before anyone else looks at them."""
        for group, param in self._lagging():
            self._put_back(param)
            for rows in torch.arange(len(param), device=param.device).split(_BLOCK):
                self._write(param, self._moved(param, rows, group))

    def _lagging(self) -> Iterator[tuple[dict[str, Any], Tensor]]:
        for group in self.param_groups:
            for param in group["params"]:
                if "last" in self.state[param]:
                    yield group, param

    def _step_rows(self, param: Tensor, sparse_grad: Tensor, group: dict[str, Any]) -> None:
        state = self._state_of(param)
        if "last" not in state:
            # How many steps there were at a row's last gradient; and by how much a row that had
            # its last one at each step has moved since then, of its first moment over the root
            # of its second.
            state["last"] = torch.zeros(len(param), dtype=torch.int64, device=param.device)
            state["moves"] = torch.zeros(1 << 10, dtype=torch.float64, device=param.device)
        rows, grad = _distinct_rows(sparse_grad)
        caught_up = self._caught_up.pop(param, None)
        if caught_up is None or not torch.equal(caught_up.rows, rows):
            if caught_up is not None:
                self._write(param, caught_up)
            caught_up = self._moved(param, rows, group)
        _, values, mean, square = caught_up
        self._adam(group, [values], [grad], [mean], [square], [state["step"]], weight_decay=0.0)
        state["n_steps"] = n_steps = state.get("n_steps", 0) + 1
        self._write(param, caught_up)
        if n_steps >= len(state["moves"]):
            state["moves"] = torch.cat([state["moves"], torch.zeros_like(state["moves"])])
        beta1, beta2 = group["betas"]
        rate = group["lr"] * math.sqrt(1 - beta2**n_steps) / (1 - beta1**n_steps)
        falling = _powers(beta1 / math.sqrt(beta2), param.device)[-n_steps:]
        state["moves"][n_steps - len(falling) : n_steps].add_(falling, alpha=rate)

    def _moved(self, param: Tensor, rows: Tensor, group: dict[str, Any]) -> _Rows:
        """Rows with all moves that they have not made yet."""
        state, (beta1, beta2) = self.state[param], group["betas"]
        values, mean, square = (
            table.index_select(0, rows) for table in (param, state["exp_avg"], state["exp_avg_sq"])
        )
        n_steps = state.get("n_steps", 0)
        if n_steps:
            last = state["last"].index_select(0, rows)
            moves = state["moves"].index_select(0, last).to(values.dtype)
            epsilon = group["eps"] * (1 - beta2 ** (last + 1).to(values.dtype)).sqrt()
            root = square.sqrt().add_(epsilon[:, None])
            values.addcdiv_(mean * moves[:, None], root, value=-1)
            idle = (n_steps - last).to(values.dtype)[:, None]
            mean.mul_(beta1**idle)
            square.mul_(beta2**idle)
        return _Rows(rows, values, mean, square)

    def _put_back(self, param: Tensor) -> None:
        """Write rows that were caught up with for a step that did not come."""
        if (caught_up := self._caught_up.pop(param, None)) is not None:
            self._write(param, caught_up)

    def _write(self, param: Tensor, moved: _Rows) -> None:
        state = self.state[param]
        for table, updated in zip(
            (param, state["exp_avg"], state["exp_avg_sq"]), moved[1:], strict=True
        ):
            table.index_copy_(0, moved.rows, updated)
        state["last"].index_fill_(0, moved.rows, state.get("n_steps", 0))

    def _state_of(self, param: Tensor) -> dict[str, Any]:
        state = self.state[param]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=param.device)
            state["exp_avg"] = torch.zeros_like(param)
            state["exp_avg_sq"] = torch.zeros_like(param)
        return state

    @staticmethod
    def _adam(
        group: dict[str, Any],
        params: list[Tensor],
        grads: list[Tensor],
        means: list[Tensor],
        squares: list[Tensor],
        steps: list[Tensor],
        weight_decay: float,
    ) -> None:
        beta1, beta2 = group["betas"]
        adam(
            params,
            grads,
            means,
            squares,
            [],
            steps,
            fused=True,
            amsgrad=False,
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=weight_decay,
            eps=group["eps"],
            maximize=False,
        )


def _powers(ratio: float, device: torch.device) -> Tensor:
    """What is left of a row's momentum so many steps behind its last gradient; falls to the end."""
    n_steps = math.ceil(math.log(_SPENT) / math.log(ratio))
    return ratio ** torch.arange(n_steps, 0, -1, dtype=torch.float64, device=device)


def _distinct_rows(grad: Tensor) -> tuple[Tensor, Tensor]:
    """The rows of a sparse gradient, each once, and their values."""
    rows = grad._indices()[0]
    # Look-ups of distinct words are in order, which is checked sooner than they are sorted.
    if not grad.is_coalesced() and not bool((rows[1:] > rows[:-1]).all()):
        grad = grad.coalesce()
    return grad._indices()[0], grad._values()
