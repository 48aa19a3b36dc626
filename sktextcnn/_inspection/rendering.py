"""Explanations as HTML and for terminals."""

from html import escape
from typing import Any, Protocol

import numpy as np

# Blue speaks for a class, orange against it; people with any sight of colours can tell them.
FOR, AGAINST = (33, 113, 181), (230, 97, 1)
_SHOWN = 8


class Evidence(Protocol):
    """What is drawn: the part of an `Explanation` that this module needs."""

    @property
    def text(self) -> str: ...

    @property
    def classes(self) -> np.ndarray: ...

    @property
    def probabilities(self) -> np.ndarray: ...

    @property
    def token_spans(self) -> np.ndarray: ...

    @property
    def method(self) -> str: ...

    def evidence(self, label: Any = None, *, by: str = "span") -> np.ndarray: ...

    def top(
        self, label: Any = None, *, n: int = 10, by: str = "span"
    ) -> list[tuple[str, float]]: ...

    def column(self, label: Any) -> int: ...


_STYLE = "font-family:system-ui,sans-serif;line-height:1.7;max-width:60em;overflow-wrap:anywhere"


def to_html(explanation: Evidence, label: Any = None, *, n: int = _SHOWN) -> str:
    """Show a text with its words coloured by what they speak for.

    Every character of the text and of the labels is escaped. Colours are laid over the page's
    own, so that they are legible on light and on dark pages.
    """
    label, share = _heading(explanation, label)
    words = "".join(
        escape(piece) if strength == 0 else _mark(escape(piece), strength, value)
        for piece, strength, value in pieces(explanation, label)
    )
    rows = "".join(
        f"<tr><td style='text-align:right;padding-right:1em'>{value:+.3f}</td>"
        f"<td dir='auto' style='text-align:left'>{escape(ngram)}</td></tr>"
        for ngram, value in explanation.top(label, n=n)
    )
    page = (
        f"<div style='{_STYLE}'>"
        f"<div><b>{escape(str(label))}</b> {share} "
        f"<span style='opacity:.7'>({escape(explanation.method)})</span></div>"
        f"<div dir='auto' style='margin:.4em 0;white-space:pre-wrap'>{words}</div>"
        f"<details><summary>n-grams that matter most</summary><table>{rows}</table></details>"
        f"</div>"
    )
    # Half a surrogate pair has no place in UTF-8.
    return page.encode("utf-8", "replace").decode("utf-8")


def to_ansi(explanation: Evidence, label: Any = None, *, n: int = _SHOWN) -> str:
    """Show a text with its words coloured, for terminals of 256 colours."""
    label, share = _heading(explanation, label)
    words = "".join(
        printable(piece) if strength == 0 else _colour(printable(piece), strength)
        for piece, strength, _ in pieces(explanation, label)
    )
    lines = [f"{printable(str(label))} {share}", words]
    lines += [f"  {value:+.3f}  {printable(ngram)}" for ngram, value in explanation.top(label, n=n)]
    return "\n".join(lines)


def pieces(explanation: Evidence, label: Any) -> list[tuple[str, float, float]]:
    """Cut a text at its tokens.

    Returns
    -------
    list of (str, float, float)
        Each piece, how strongly it speaks for the class, from -1 to 1, and its evidence; 0 for
        what lies between the tokens. The pieces together are the text.
    """
    evidence = explanation.evidence(label, by="token")
    marked: list[tuple[int, int, float]] = []
    end = 0
    for (start, stop), value in zip(explanation.token_spans.tolist(), evidence, strict=True):
        if stop > end:
            marked.append((max(start, end), stop, value))
            end = stop
        elif start < stop:
            # Tokens that lie in the same characters are one piece.
            marked[-1] = (*marked[-1][:2], marked[-1][2] + value)
    most = max((abs(value) for _, _, value in marked), default=0)
    found, end = [], 0
    for start, stop, value in marked:
        found.append((explanation.text[end:start], 0.0, 0.0))
        found.append((explanation.text[start:stop], float(value / most if most else 0), value))
        end = stop
    found.append((explanation.text[end:], 0.0, 0.0))
    return [piece for piece in found if piece[0]]


def _heading(explanation: Evidence, label: Any) -> tuple[Any, str]:
    """A class, and its probability."""
    column = explanation.column(label)
    return explanation.classes[column], f"{explanation.probabilities[column]:.1%}"


def _mark(piece: str, strength: float, value: float) -> str:
    red, green, blue = FOR if strength > 0 else AGAINST
    return (
        f"<span title='{value:+.3f}' style='border-radius:.2em;"
        f"background:rgba({red},{green},{blue},{0.65 * abs(strength):.2f})'>{piece}</span>"
    )


# From faint to strong, of the 256 colours of terminals, with text that is legible on them.
_BLUES, _ORANGES = (153, 75, 26), (223, 215, 202)


def _colour(piece: str, strength: float) -> str:
    colours = _BLUES if strength > 0 else _ORANGES
    level = min(int(abs(strength) * 4), 3)
    if level == 0:
        return piece
    return f"\x1b[30;48;5;{colours[level - 1]}m{piece}\x1b[0m"


# The joiners are in words of Persian and in emoji.
_HARMLESS = "\n\t\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


def printable(text: str) -> str:
    """Without characters that would steer a terminal; whitespace of other kinds is a space."""
    return "".join(
        c if c.isprintable() or c in _HARMLESS else " " if c.isspace() else "\ufffd" for c in text
    )
