"""Where the lines and points of charts lie, in the units of their SVG."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

# The frame of each chart; labels of the axes are left of it and below.
_LEFT, _TOP, _BELOW, _RIGHT = 48, 10, 40, 24


class Frame:
    """A rectangle, and the values that its sides stand for.

    Parameters
    ----------
    width, height : int
        The size of the whole chart.
    x, y : (float, float)
        The values at its left and right side, and at its bottom and top.
    """

    def __init__(
        self, width: int, height: int, x: tuple[float, float], y: tuple[float, float]
    ) -> None:
        self.width, self.height = width, height
        self.left, self.right = _LEFT, width - _RIGHT
        self.top, self.bottom = _TOP, height - _BELOW
        self._x, self._y = x, y

    def x(self, value: float) -> float:
        """Return the place of a value between left and right."""
        low, high = self._x
        return round(self.left + (value - low) / (high - low) * (self.right - self.left), 1)

    def y(self, value: float) -> float:
        """Return the place of a value between bottom and top."""
        low, high = self._y
        return round(self.bottom - (value - low) / (high - low) * (self.bottom - self.top), 1)


def calibration_chart(bins: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the chart of what `calibration` returns."""
    least = min(min(each["probability"], each["share"].low) for each in bins)
    start = min(math.floor(least * 10) / 10, 0.9)
    frame = Frame(340, 340, (start, 1), (start, 1))
    step = 0.1 if start >= 0.4 else 0.2
    n_steps = round((1 - start) / step)
    values = [1 - i * step for i in range(n_steps + 1) if 1 - i * step > start - 1e-9]
    ticks = [(f"{100 * value:.0f}%", frame.x(value), frame.y(value)) for value in values]
    points = [
        {
            "x": frame.x(each["probability"]),
            "y": frame.y(each["share"].value),
            "low": frame.y(each["share"].low),
            "high": frame.y(each["share"].high),
        }
        for each in bins
    ]
    return {"frame": frame, "ticks": ticks, "points": points}


_CURVES = {"train_loss": "training loss", "valid_loss": "validation loss"}


def training_chart(history: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the chart of the losses of each epoch, or None if there are none.

    Parameters
    ----------
    history : sequence of dict
        The `history_` of a classifier.
    """
    curves = {}
    for name in _CURVES:
        found = [(i, row[name]) for i, row in enumerate(history, 1) if name in row]
        curves[name] = [(i, float(value)) for i, value in found if math.isfinite(value)]
    losses = [value for curve in curves.values() for _, value in curve]
    if not losses:
        return None
    step = _nice_step(max(losses))
    top = step * math.ceil(max(losses) / step + 1e-9)
    n = len(history)
    frame = Frame(440, 260, (0.5, n + 0.5), (0, top))
    each = max(1, math.ceil(n / 10))
    valid = curves["valid_loss"]
    best = min(valid, key=lambda point: point[1])[0] if valid else None
    return {
        "frame": frame,
        "x_ticks": [(i, frame.x(i)) for i in range(1, n + 1) if i % each == 0 or n == 1],
        "y_ticks": [(f"{i * step:g}", frame.y(i * step)) for i in range(round(top / step) + 1)],
        "curves": [
            {
                "name": label,
                "kind": name,
                "points": [(frame.x(i), frame.y(value)) for i, value in curves[name]],
            }
            for name, label in _CURVES.items()
            if curves[name]
        ],
        "best": best,
        "best_x": None if best is None else frame.x(best),
        "accuracy": None if best is None else history[best - 1].get("valid_acc"),
        "n_epochs": n,
    }


def _nice_step(largest: float) -> float:
    """The distance of ticks, so that there are three to six."""
    power = 10.0 ** math.floor(math.log10(max(largest, 1e-6) / 5))
    return next(power * k for k in (1, 2, 5, 10) if power * k * 5 >= largest)
