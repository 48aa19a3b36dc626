"""Explanations as HTML and for terminals."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

# Blue is evidence for a class, orange against it. Colour-blind people can tell them apart.
FOR, AGAINST = (33, 113, 181), (230, 97, 1)


@dataclass(frozen=True)
class Rendering:
    """What is shown of an explanation, for one class.

    Attributes
    ----------
    label : object
        The class.
    probability : float
        Its probability.
    method : str
        How the evidence was computed.
    pieces : list of (str, float, float)
        What :func:`cut` returns.
    ngrams : sequence of (str, float)
        N-grams and their evidence.
    """

    label: Any
    probability: float
    method: str
    pieces: list[tuple[str, float, float]]
    ngrams: Sequence[tuple[str, float]]

    def html(self) -> str:
        """Return the text with its words coloured by their evidence, as HTML.

        Every character of the text and of the labels is escaped. Colours are laid over those of
        the page, so that they are legible on light and on dark pages.
        """
        words = "".join(
            escape(piece) if strength == 0 else _mark(escape(piece), strength, value)
            for piece, strength, value in self.pieces
        )
        rows = "".join(
            f"<tr><td style='text-align:right;padding-right:1em'>{value:+.3f}</td>"
            f"<td dir='auto' style='text-align:left'>{escape(ngram)}</td></tr>"
            for ngram, value in self.ngrams
        )
        page = (
            f"<div style='{_STYLE}'>"
            f"<div><b>{escape(str(self.label))}</b> {self.probability:.1%} "
            f"<span style='opacity:.7'>({escape(self.method)})</span></div>"
            f"<div dir='auto' style='margin:.4em 0;white-space:pre-wrap'>{words}</div>"
            f"<details><summary>n-grams that matter most</summary><table>{rows}</table></details>"
            f"</div>"
        )
        # UTF-8 cannot encode half of a surrogate pair.
        return page.encode("utf-8", "replace").decode("utf-8")

    def ansi(self) -> str:
        """Return the text with its words coloured, for terminals of 256 colours."""
        words = "".join(
            printable(piece) if strength == 0 else _colour(printable(piece), strength)
            for piece, strength, _ in self.pieces
        )
        lines = [f"{printable(str(self.label))} {self.probability:.1%}", words]
        lines += [f"  {value:+.3f}  {printable(ngram)}" for ngram, value in self.ngrams]
        return "\n".join(lines)


def cut(text: str, spans: np.ndarray, evidence: np.ndarray) -> list[tuple[str, float, float]]:
    """Cut a text at its tokens.

    Parameters
    ----------
    text : str
        The text.
    spans : ndarray of shape (n_tokens, 2)
        Where tokens begin and end.
    evidence : ndarray of shape (n_tokens,)
        Their evidence.

    Returns
    -------
    list of (str, float, float)
        Each piece, its evidence relative to the largest absolute value, from -1 to 1, and its
        evidence; both are 0 between tokens. The pieces together are the text.
    """
    marked: list[tuple[int, int, float]] = []
    end = 0
    for (start, stop), value in zip(spans.tolist(), evidence, strict=True):
        if stop > end:
            marked.append((max(start, end), stop, value))
            end = stop
        elif start < stop:
            # Tokens that lie in the same characters are one piece.
            marked[-1] = (*marked[-1][:2], marked[-1][2] + value)
    most = max((abs(value) for _, _, value in marked), default=0)
    found, end = [], 0
    for start, stop, value in marked:
        found.append((text[end:start], 0.0, 0.0))
        found.append((text[start:stop], float(value / most if most else 0), value))
        end = stop
    found.append((text[end:], 0.0, 0.0))
    return [piece for piece in found if piece[0]]


_STYLE = "font-family:system-ui,sans-serif;line-height:1.7;max-width:60em;overflow-wrap:anywhere"


def _mark(piece: str, strength: float, value: float) -> str:
    red, green, blue = FOR if strength > 0 else AGAINST
    return (
        f"<span title='{value:+.3f}' style='border-radius:.2em;"
        f"background:rgba({red},{green},{blue},{0.65 * abs(strength):.2f})'>{piece}</span>"
    )


# From faint to strong, of the 256 colours of terminals. Black text is legible on them.
_BLUES, _ORANGES = (153, 75, 26), (223, 215, 202)


def _colour(piece: str, strength: float) -> str:
    colours = _BLUES if strength > 0 else _ORANGES
    level = min(int(abs(strength) * 4), 3)
    if level == 0:
        return piece
    return f"\x1b[30;48;5;{colours[level - 1]}m{piece}\x1b[0m"


# The joiners are part of Persian words and of emoji.
_HARMLESS = "\n\t\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


def printable(text: str) -> str:
    """Replace the characters that control a terminal; other whitespace becomes a space."""
    return "".join(
        c if c.isprintable() or c in _HARMLESS else " " if c.isspace() else "\ufffd" for c in text
    )
