"""How much of the fitted texts has vectors, shown on a few lines."""

import textwrap

from sklearn.utils import Bunch

_SHOWN, _WIDTH = 8, 80


class Coverage(Bunch):
    """The shares of words and tokens that have a vector, whose repr fits a screen.

    Attributes
    ----------
    types : float
        The share of words with a vector in any source.
    tokens : float
        The share of their occurrences.
    missing : list of (str, int)
        The most frequent words without a vector, and how often they occur.
    sources : list of (str, float, float)
        The name of each source, and its shares of words and of tokens.
    """

    def __repr__(self) -> str:
        shares = [f"{self.tokens:.1%} of the tokens, {self.types:.1%} of the words have a vector"]
        sources = self.get("sources", [])
        if len(sources) > 1:
            shares += [
                f"{_shortened(name, 40)}: {tokens:.1%}, {types:.1%}"
                for name, types, tokens in sources[:_SHOWN]
            ]
            shares += ["..."] if len(sources) > _SHOWN else []
        if self.missing:
            # No line ends between a word and its number.
            words = [f"{_shortened(repr(word), 20)}\xa0{n:,}" for word, n in self.missing[:_SHOWN]]
            words += ["..."] if len(self.missing) > _SHOWN else []
            shares.append(
                textwrap.fill(
                    f"without: {', '.join(words)}",
                    _WIDTH - 2,
                    subsequent_indent=" " * len("  without: "),
                    break_on_hyphens=False,
                ).replace("\xa0", " ")
            )
        return "Coverage: " + "\n  ".join(shares)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."
