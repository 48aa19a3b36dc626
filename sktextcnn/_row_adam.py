"""Adam that reads and writes only those rows of an embedding that a batch has."""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam
from torch.optim.adam import adam

# A row's momentum is spent when so little of it is left.
_SPENT = 1e-10
# Rows settled at a time, which keeps them in the processor's cache.
_BLOCK = 1 << 10

Group = dict[str, Any]


@dataclass
class _Lag:
    """How far the rows of an embedding are behind."""

    betas: tuple[float, float]  # of the steps so far
    n_steps: int
    last: Tensor  # (n_rows,), int64, the step that a row was brought up to
    touched: Tensor  # (n_rows,), int64, the step of its last gradient
    moves: Tensor  # (n_steps or more,), what a row brought up to each step has to move since then


class RowAdam(Adam):
    """torch's Adam, at the cost of a batch's rows where a gradient is sparse.

    Between two gradients of a row, Adam goes on moving it by what is left of its momentum. As
    both moments fall by constant factors meanwhile, all these moves are one multiple of the
    first moment over the root of the second, and the multiple is the same for all rows that were
    brought up to the same step. So a row is left alone until it is read again, and
    :meth:`catch_up` then makes its moves at once. The results are Adam's up to rounding and to
    epsilon, which stays as it was at the last gradient and matters where gradients are tiny.

    Between the steps, rows of an embedding with sparse gradients lag behind; :meth:`settle` brings
    them up to date, as does ``state_dict``. Parameters with dense gradients get torch's Adam as
    it is.

    With ``moves_absent=False`` rows stay where they are while they have no gradient, and so do
    their moments: :class:`torch.optim.SparseAdam` but for the place of epsilon, which is Adam's.

    Parameters
    ----------
    *args, **kwargs
        Those of :class:`torch.optim.Adam`, without `amsgrad` and `maximize`; with
        ``0 < betas[0] ** 2 < betas[1]``, so that momentum is spent at all. `weight_decay` does
        not reach parameters with sparse gradients.
    moves_absent : bool, default=True
        Whether rows move while they have no gradient.
    """

    def __init__(self, *args: Any, moves_absent: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.moves_absent = moves_absent
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            if not 0 < beta1**2 < beta2:
                raise ValueError(
                    f"betas={group['betas']} never spend a row's momentum, or have none; the first "
                    f"must be above 0 and below the root of the second."
                )
        self._lags: dict[Tensor, _Lag] = {}

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
                    self._settle(param)
                    self._lags.pop(param, None)
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
        if param in self._lags:
            rows = rows.flatten()
            # Words of a batch are in order, which is checked sooner than they are sorted.
            if not bool((rows[1:] > rows[:-1]).all()):
                rows = rows.unique()
            self._bring_up(param, rows.long())

    @torch.no_grad()
    def settle(self) -> None:
        """Bring all rows up to date, before anyone else looks at them."""
        for param in self._lags:
            self._settle(param)

    def state_dict(self) -> dict[str, Any]:
        """Return the state, as torch's Adam has it."""
        self.settle()
        return super().state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of this optimizer or of torch's Adam."""
        super().load_state_dict(state_dict)
        self._lags.clear()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_lags": self._lags, "moves_absent": self.moves_absent}

    def _step_rows(self, param: Tensor, sparse_grad: Tensor, group: Group) -> None:
        rows, grad = _distinct_rows(sparse_grad)
        state = self._state_of(param)
        if self.moves_absent:
            lag = self._lag_of(param, group, int(state["step"]))
            if not bool((lag.last.index_select(0, rows) == lag.n_steps).all()):
                self._bring_up(param, rows)
        tables = (param, state["exp_avg"], state["exp_avg_sq"])
        values, mean, square = (table.index_select(0, rows) for table in tables)
        self._adam(group, [values], [grad], [mean], [square], [state["step"]], weight_decay=0.0)
        for table, updated in zip(tables, (values, mean, square), strict=True):
            table.index_copy_(0, rows, updated)
        if self.moves_absent:
            lag.n_steps += 1
            lag.last.index_fill_(0, rows, lag.n_steps)
            lag.touched.index_fill_(0, rows, lag.n_steps)
            _note_moves(lag, group["lr"])

    def _lag_of(self, param: Tensor, group: Group, n_steps: int) -> _Lag:
        lag = self._lags.get(param)
        if lag is None:
            lag = self._lags[param] = _no_lag(param, group["betas"], n_steps)
        elif lag.betas != group["betas"]:
            self._settle(param)
            lag.betas = group["betas"]
        return lag

    def _settle(self, param: Tensor) -> None:
        lag = self._lags.get(param)
        if lag is None:
            return
        behind = lag.last < lag.n_steps
        # Of rows whose momentum was spent before, nothing is left to do.
        behind &= lag.last - lag.touched < len(_powers(lag.betas, param.dtype, param.device))
        for rows in behind.nonzero().flatten().split(_BLOCK):
            self._bring_up(param, rows)

    def _bring_up(self, param: Tensor, rows: Tensor) -> None:
        """Make all moves that rows have not made yet."""
        lag, state = self._lags[param], self.state[param]
        tables = (param, state["exp_avg"], state["exp_avg_sq"])
        values, mean, square = (table.index_select(0, rows) for table in tables)
        beta1, beta2 = lag.betas
        last = lag.last.index_select(0, rows)
        epsilon = self._group_of(param)["eps"] * (1 - beta2 ** (last + 1).to(param.dtype)).sqrt()
        root = square.sqrt().add_(epsilon[:, None])
        values.addcdiv_(mean * lag.moves.index_select(0, last)[:, None], root, value=-1)
        idle = (lag.n_steps - last).to(param.dtype)[:, None]
        mean.mul_(beta1**idle)
        square.mul_(beta2**idle)
        for table, updated in zip(tables, (values, mean, square), strict=True):
            table.index_copy_(0, rows, updated)
        lag.last.index_fill_(0, rows, lag.n_steps)

    def _group_of(self, param: Tensor) -> Group:
        return next(g for g in self.param_groups if any(p is param for p in g["params"]))

    def _state_of(self, param: Tensor) -> dict[str, Any]:
        state = self.state[param]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=param.device)
            state["exp_avg"] = torch.zeros_like(param)
            state["exp_avg_sq"] = torch.zeros_like(param)
        return state

    @staticmethod
    def _adam(
        group: Group,
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


def _no_lag(param: Tensor, betas: tuple[float, float], n_steps: int) -> _Lag:
    """All rows up to date behind so many steps, any of which may have given them momentum."""
    last = torch.full((len(param),), n_steps, dtype=torch.int64, device=param.device)
    moves = torch.zeros(n_steps + 1024, dtype=param.dtype, device=param.device)
    return _Lag(betas, n_steps, last, last.clone(), moves)


def _note_moves(lag: _Lag, rate: float) -> None:
    """Add the step that was just made to what absent rows have to move."""
    if lag.n_steps >= len(lag.moves):
        lag.moves = torch.cat([lag.moves, torch.zeros_like(lag.moves)])
    beta1, beta2 = lag.betas
    rate *= math.sqrt(1 - beta2**lag.n_steps) / (1 - beta1**lag.n_steps)
    left = _powers(lag.betas, lag.moves.dtype, lag.moves.device)[-lag.n_steps :]
    lag.moves[lag.n_steps - len(left) : lag.n_steps].add_(left, alpha=rate)


@lru_cache(maxsize=16)
def _powers(betas: tuple[float, float], dtype: torch.dtype, device: torch.device) -> Tensor:
    """What is left of a row's momentum, from the step that spends it back to the first."""
    ratio = betas[0] / math.sqrt(betas[1])
    n_steps = math.ceil(math.log(_SPENT) / math.log(ratio))
    return torch.tensor([ratio**n for n in range(n_steps, 0, -1)], dtype=dtype, device=device)


def _distinct_rows(grad: Tensor) -> tuple[Tensor, Tensor]:
    """The rows of a sparse gradient, each once, and their values."""
    rows = grad._indices()[0]
    if not grad.is_coalesced() and not bool((rows[1:] > rows[:-1]).all()):
        grad = grad.coalesce()
    return grad._indices()[0], grad._values()
