"""Explanations as HTML and for terminals."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

# Blue is evidence for a class, orange against it. Colour-blind people can tell them apart, and
# who sees no colour can tell by the line under evidence against it.
FOR, AGAINST = (45, 125, 230), (225, 97, 1)

#: The absolute evidence at which each step of the colours begins. The steps are the same for all
#: texts and models, so that faint evidence looks faint. They are logarithmic, so that the words of
#: a long text, whose evidence is spread over hundreds, can be told apart too.
STEPS = (0.05, 0.15, 0.4, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Rival:
    """The class that is most probable beside the one that is explained.

    Attributes
    ----------
    label : object
        The class.
    probability : float
        Its probability.
    ngrams : sequence of (str, float)
        N-grams and what they add to the logit of the explained class, minus what they add to that
        of this one.
    """

    label: Any
    probability: float
    ngrams: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Truth:
    """The true labels of a text.

    Attributes
    ----------
    labels : sequence of object
        The labels; one, or for multilabel targets any number.
    is_predicted : bool
        Whether the prediction is the same.
    """

    labels: Sequence[Any]
    is_predicted: bool


@dataclass(frozen=True)
class Rendering:
    """What is shown of an explanation, for one class.

    Attributes
    ----------
    label : object
        The class.
    probabilities : sequence of (object, float)
        The classes that are named, and their probabilities, the largest first.
    none_predicted : bool
        Whether none of the classes is predicted, which is possible for multilabel targets.
    truth : Truth or None
        The true labels, if they are known.
    pieces : list of (str, float)
        What :func:`cut` returns.
    ngrams : sequence of (str, float)
        N-grams and their evidence.
    rival : Rival or None
        The class to compare with, if there are more than two.
    """

    label: Any
    probabilities: Sequence[tuple[Any, float]]
    none_predicted: bool
    truth: Truth | None
    pieces: list[tuple[str, float]]
    ngrams: Sequence[tuple[str, float]]
    rival: Rival | None

    def html(self, legend: str = "") -> str:
        """Return the text with its words coloured by their evidence, as HTML.

        Every character of the text and of the labels is escaped. Colours are laid over those of
        the page, so that they are legible on light and on dark pages.

        Parameters
        ----------
        legend : str, default=""
            HTML to put at the end.
        """
        words = "".join(
            _mark(escape(piece), value, f" title='{value:+.3f}'") for piece, value in self.pieces
        )
        rows = "".join(
            f"<tr><td style='text-align:right;padding-right:1em'>{value:+.3f}</td>"
            f"<td dir='auto' style='text-align:left'>{escape(ngram)}</td></tr>"
            for ngram, value in self.ngrams
        )
        heads = [self._heading(_html_name, bold="<b>{}</b>"), *self._notes(_html_name)]
        heads = [f"<div>{head}</div>" for head in heads]
        rival = f"<div>{self._comparison(_html_name)}</div>" if self.rival is not None else ""
        table = (
            "<details><summary>n-grams that matter most</summary>"
            # Tables of pages without a doctype would have the colour of the browser.
            "<table style='color:inherit;font:inherit;line-height:1.4'>{}</table></details>"
        )
        page = (
            f"<div style='{_STYLE}'>{''.join(heads)}"
            f"<div dir='auto' lang='' style='margin:.4em 0;white-space:pre-wrap'>{words}</div>"
            f"{rival}{table.format(rows) if rows else ''}{legend}</div>"
        )
        # UTF-8 cannot encode half of a surrogate pair.
        return page.encode("utf-8", "replace").decode("utf-8")

    def ansi(self) -> str:
        """Return the text with its words coloured, for terminals of 256 colours."""
        words = "".join(_colour(printable(piece), value) for piece, value in self.pieces)
        lines = [self._heading(_plain_name), *self._notes(_plain_name), words]
        lines += [f"  {value:+.3f}  {_plain_name(ngram)}" for ngram, value in self.ngrams]
        if self.rival is not None:
            lines.append(f"  {self._comparison(_plain_name)}")
        return "\n".join(lines)

    def _heading(self, name: Callable[[Any], str], bold: str = "{}") -> str:
        parts = [
            (bold if label == self.label else "{}").format(f"{name(label)} {percent(probability)}")
            for label, probability in self.probabilities
        ]
        return f"{'no label: ' if self.none_predicted else ''}{', '.join(parts)}"

    def _notes(self, name: Callable[[Any], str]) -> list[str]:
        notes = []
        if self.truth is not None:
            labels = ", ".join(map(name, self.truth.labels)) or "none"
            what = "true label" if len(self.truth.labels) == 1 else "true labels"
            notes.append(f"{what}: {labels} ({'right' if self.truth.is_predicted else 'wrong'})")
        if self.label != self.probabilities[0][0]:
            notes.append(f"evidence for {name(self.label)}:")
        return notes

    def _comparison(self, name: Callable[[Any], str]) -> str:
        assert self.rival is not None
        ngrams = [(f'"{name(ngram)}" {value:+.2f}', value) for ngram, value in self.rival.ngrams]
        towards = ", ".join(each for each, value in ngrams if value > 0)
        away = ", ".join(each for each, value in ngrams if value < 0)
        found = "; but ".join(filter(None, (towards, away))) or "no n-gram tells them apart"
        return f"rather than {name(self.rival.label)} {percent(self.rival.probability)}: {found}"


def cut(text: str, spans: np.ndarray, evidence: np.ndarray) -> list[tuple[str, float]]:
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
    list of (str, float)
        Each piece and its evidence, 0 between tokens. The pieces together are the text.
    """
    marked: list[tuple[int, int, float]] = []
    end = 0
    for (start, stop), value in zip(spans.tolist(), evidence.tolist(), strict=True):
        if stop > end:
            marked.append((max(start, end), stop, value))
            end = stop
        elif start < stop:
            # Tokens that lie in the same characters are one piece.
            marked[-1] = (*marked[-1][:2], marked[-1][2] + value)
    found, end = [], 0
    for start, stop, value in marked:
        found.append((text[end:start], 0.0))
        found.append((text[start:stop], value))
        end = stop
    found.append((text[end:], 0.0))
    return [piece for piece in found if piece[0]]


def percent(probability: float) -> str:
    """Return a probability in percent, which says neither 0 nor 100 where it is neither."""
    if 0.9995 <= probability < 1:
        return "over 99.9%"
    if 0 < probability < 0.0005:
        return "under 0.1%"
    return f"{probability:.1%}"


def step(value: float) -> int:
    """Return the step of the colours of an evidence: 0 without a colour, to ``len(STEPS)``."""
    return sum(abs(value) >= least for least in STEPS)


# Legends ------------------------------------------------------------------------------


def html_legend(meaning: str) -> str:
    """Return what the colours of a page mean, as HTML.

    Parameters
    ----------
    meaning : str
        What the numbers mean.
    """
    chips = " ".join(_mark(f"&nbsp;{_bound(value)}&nbsp;", value, "") for value in _both(STEPS))
    return (
        f"<div style='{_STYLE};font-size:smaller;margin-top:.4em'>"
        f"<div>against the class: {chips} for it</div><div>{escape(meaning)}</div></div>"
    )


def ansi_legend(meaning: str) -> str:
    """Return what the colours of a terminal mean; see `html_legend`."""
    chips = " ".join(_colour(f" {_bound(value)} ", value) for value in _both(STEPS[1:]))
    return f"against {chips} for\n{textwrap.fill(meaning, 80)}"


def _both(steps: Sequence[float]) -> list[float]:
    """Return an example of each step, from the strongest against a class to that for it."""
    return [*(-least for least in reversed(steps)), *steps]


def _bound(value: float) -> str:
    beyond = " or less" if value < 0 else " or more"
    return f"{value:+g}{beyond if abs(value) == STEPS[-1] else ''}"


# Pages --------------------------------------------------------------------------------

_STYLE = (
    "font-family:system-ui,sans-serif;line-height:1.7;max-width:60em;overflow-wrap:anywhere;"
    # Browsers leave backgrounds out when they print.
    "-webkit-print-color-adjust:exact;print-color-adjust:exact"
)

# How opaque each step is. The text keeps the colour that it has on the page. With more than 0.52,
# its contrast would be less than 4.5 on the grey pages of some dark notebooks.
OPACITIES = (0.08, 0.16, 0.25, 0.34, 0.43, 0.52)


def _mark(piece: str, value: float, attributes: str) -> str:
    level = step(value)
    if level == 0:
        return f"<span{attributes}>{piece}</span>" if value else piece
    red, green, blue = FOR if value > 0 else AGAINST
    # Lines below the faintest words would not be faint.
    line = ";text-decoration:underline" if value < 0 and level > 1 else ""
    return (
        f"<span{attributes} style='border-radius:.2em;"
        f"background:rgba({red},{green},{blue},{OPACITIES[level - 1]}){line}'>{piece}</span>"
    )


def _html_name(label: Any) -> str:
    # The direction of its letters is not that of what stands beside it.
    return f"<bdi>{escape(str(label))}</bdi>"


# Terminals ----------------------------------------------------------------------------

# The colours of the steps from the third. The first step has none, and the second only a style: on
# a black terminal, any background behind black text looks strong. The backgrounds are about equally
# light. They differ in saturation, so that a stronger step looks stronger on black and on white.
# Themes change the first 16 of the 256 colours, also black, so these are not used.
BLUES, ORANGES = (110, 111, 75, 33), (180, 216, 215, 208)
_BLACK = 16
_BOLD, _UNDERLINED = 1, 4


def _colour(piece: str, value: float) -> str:
    level = step(value)
    if level < 2:
        return piece
    style, colours = (_BOLD, BLUES) if value > 0 else (_UNDERLINED, ORANGES)
    colour = f";38;5;{_BLACK};48;5;{colours[level - 3]}" if level > 2 else ""
    return f"\x1b[{style}{colour}m{piece}\x1b[0m"


def _plain_name(label: Any) -> str:
    return " ".join(printable(str(label)).split())


# The joiners are part of Persian words and of emoji.
_HARMLESS = "\n\t\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


def printable(text: str) -> str:
    """Replace the characters that control a terminal; other whitespace becomes a space."""
    return "".join(
        c if c.isprintable() or c in _HARMLESS else " " if c.isspace() else "\ufffd" for c in text
    )
