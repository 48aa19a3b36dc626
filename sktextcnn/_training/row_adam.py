"""Adam that only reads and writes the rows of an embedding that occur in a batch."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam

from sktextcnn._compat.torch import adam_step, light_optimizer_methods, sparse_rows


class RowAdam(Adam):
    """torch's Adam, with lazy updates of parameters whose gradient is sparse.

    For such a parameter, only the rows in the gradient are read and written. Their moments and
    values are updated as by Adam. All other rows stay as they are, whereas Adam would still move
    them by their momentum. These are the semantics of :class:`torch.optim.SparseAdam`, except
    that epsilon is added at the same place as in Adam. Parameters with dense gradients are
    updated as by :class:`torch.optim.Adam`. The state has the same names as that of Adam.
    """

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

    def _step_rows(self, param: Tensor, sparse_grad: Tensor, group: dict[str, Any]) -> None:
        rows, grad = sparse_rows(sparse_grad)
        state = self._state_of(param)
        matrices = [param, state["exp_avg"], state["exp_avg_sq"]]
        values, mean, square = (matrix.index_select(0, rows) for matrix in matrices)
        self._adam(group, [values], [grad], [mean], [square], [state["step"]], weight_decay=0.0)
        for matrix, updated in zip(matrices, (values, mean, square), strict=True):
            matrix.index_copy_(0, rows, updated)

    def _state_of(self, param: Tensor) -> dict[str, Tensor]:
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
        adam_step()(
            params,
            grads,
            means,
            squares,
            steps,
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
            weight_decay=weight_decay,
        )


for _name, _method in light_optimizer_methods().items():
    setattr(RowAdam, _name, _method)
