"""Words that a source has in another spelling."""

from collections.abc import Callable, Iterable
from itertools import chain

import numpy as np

from sktextcnn._text import other_spellings


def lookup_spelled(
    lookup: Callable[[list[str]], dict[str, np.ndarray]], words: Iterable[str]
) -> dict[str, np.ndarray]:
    """Look words up, and those that are not found in their other spellings.

    All are looked up in one call, since a file is passed over in each.
    """
    words = list(words)
    spellings = {word: others for word in words if (others := other_spellings(word))}
    found = lookup(list(dict.fromkeys([*words, *chain(*spellings.values())])))
    for word, others in spellings.items():
        spelled = next((each for each in others if each in found), None)
        if word not in found and spelled is not None:
            found[word] = found[spelled]
    wanted = set(words)
    return {word: row for word, row in found.items() if word in wanted}
