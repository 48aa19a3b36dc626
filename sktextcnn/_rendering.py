"""Explanations as HTML and for terminals."""

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sktextcnn._explanation import Explanation

# Blue speaks for a class, orange against it; people with any sight of colours can tell them.
FOR, AGAINST = (33, 113, 181), (230, 97, 1)
_SHOWN = 8

_STYLE = "font-family:system-ui,sans-serif;line-height:1.7;max-width:60em;overflow-wrap:anywhere"


def to_html(explanation: "Explanation", label: Any = None, *, n: int = _SHOWN) -> str:
    """Show a text with its words coloured by what they speak for.

    Every character of the text and of the labels is escaped. Colours are laid over the page's
    own, so that they are legible on light and on dark pages.
    """
    label = _label(explanation, label)
    words = "".join(
        escape(piece) if strength == 0 else _mark(escape(piece), strength, value)
        for piece, strength, value in pieces(explanation, label)
    )
    rows = "".join(
        f"<tr><td style='text-align:right;padding-right:1em'>{value:+.3f}</td>"
        f"<td style='text-align:left'>{escape(ngram)}</td></tr>"
        for ngram, value in explanation.top(label, n=n)
    )
    return (
        f"<div style='{_STYLE}'>"
        f"<div><b>{escape(str(label))}</b> {_share(explanation, label)} "
        f"<span style='opacity:.7'>({escape(explanation.method)})</span></div>"
        f"<div style='margin:.4em 0;white-space:pre-wrap'>{words}</div>"
        f"<details><summary>n-grams that matter most</summary><table>{rows}</table></details>"
        f"</div>"
    )


def to_ansi(explanation: "Explanation", label: Any = None, *, n: int = _SHOWN) -> str:
    """Show a text with its words coloured, for terminals of 256 colours."""
    label = _label(explanation, label)
    words = "".join(
        _printable(piece) if strength == 0 else _colour(_printable(piece), strength)
        for piece, strength, _ in pieces(explanation, label)
    )
    lines = [f"{_printable(str(label))} {_share(explanation, label)}", words]
    lines += [
        f"  {value:+.3f}  {_printable(ngram)}" for ngram, value in explanation.top(label, n=n)
    ]
    return "\n".join(lines)


def pieces(explanation: "Explanation", label: Any) -> list[tuple[str, float, float]]:
    """Cut a text at its tokens.

    Returns
    -------
    list of (str, float, float)
        Each piece, how strongly it speaks for the class, from -1 to 1, and its evidence; 0 for
        what lies between the tokens. The pieces together are the text.
    """
    evidence = explanation.evidence(label, by="token")
    most = np.abs(evidence).max(initial=0)
    found, end = [], 0
    for (start, stop), value in zip(explanation.token_spans, evidence, strict=True):
        # Tokens that lie in the same characters are shown once.
        start = max(start, end)
        if stop <= start:
            continue
        found.append((explanation.text[end:start], 0.0, 0.0))
        found.append((explanation.text[start:stop], float(value / most if most else 0), value))
        end = stop
    found.append((explanation.text[end:], 0.0, 0.0))
    return [piece for piece in found if piece[0]]


def _label(explanation: "Explanation", label: Any) -> Any:
    return explanation.classes[explanation.logits.argmax()] if label is None else label


def _share(explanation: "Explanation", label: Any) -> str:
    (column,) = np.nonzero(explanation.classes == label)
    return f"{explanation.probabilities[column[0]]:.1%}" if len(column) else ""


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


def _printable(text: str) -> str:
    """Without characters that would steer the terminal."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
