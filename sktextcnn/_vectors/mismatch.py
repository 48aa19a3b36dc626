"""Why the words of texts have no vectors: their case, tags and prefixes, or another language."""

import re
import unicodedata
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from sktextcnn._vectors.embeddings import Embeddings, without_rule

# A case is named if this share of all tokens would gain a vector in it.
_GAIN = 0.05
# A warning shows words of both sides if a smaller share of so many tokens has a vector.
_LITTLE, _LEAST_TOKENS, _LEAST_WORDS = 0.5, 100, 20
_SHOWN = 5
# Tags and prefixes are looked for then too, and named if so large a share of the tokens without a
# vector, and so many words, would gain one.
_LEAST_FOUND, _FEWEST = 0.2, 2
# So many words of the vectors are searched for those of the texts.
_SEARCHED = 20_000
_LONGEST = 100
# A word has a prefix of no more parts than this.
_MOST_PARTS = 6
# A tag has one form if that of so many words has it.
_MOST = 0.8


def check_found(
    source: Embeddings,
    words: Sequence[str],
    counts: np.ndarray,
    has_vector: np.ndarray,
    missing: np.ndarray,
    *,
    warns: bool,
    alone: bool,
) -> None:
    """Raise an error if no word has a vector, and warn if few have one.

    Parameters
    ----------
    source : Embeddings
        The vectors.
    words : sequence of str, length n_words
        The words of the texts.
    counts : ndarray of shape (n_words,)
        How often each of them occurs.
    has_vector : ndarray of shape (n_words,), dtype bool
        Whether it has a vector.
    missing : ndarray of int
        The indices of those that have none, the most frequent first.
    warns : bool
        Whether to warn.
    alone : bool
        Whether no other source may have the words.

    Raises
    ------
    ValueError
        If no word has a vector.
    """
    total = counts.sum()  # 0 if the texts have none of the words of a given vocabulary.
    share = counts[has_vector].sum() / total if total else float(has_vector.any())
    found_any = has_vector.any()
    if share > 1 - _GAIN or (found_any and not warns):
        return
    casing = _casing_hint(source, words, counts, missing) if total else None
    if found_any and casing:
        _warn(casing)
    if source.is_encoder or (found_any and (casing or share >= _LITTLE)):
        remedy = None
    else:
        remedy = _rule_hint(source, {words[i]: max(1, int(counts[i])) for i in missing})
    if not found_any:
        raise ValueError(
            f"None of the {len(words):,} words of the vocabulary has a vector in {source.name} "
            f"({_shown(words, missing, source)}). {remedy or casing or _GENERAL}"
        )
    little = share < _LITTLE and total >= _LEAST_TOKENS and not casing and not source.is_encoder
    # Whoever gives fewer words knows which.
    if remedy or (little and alone and len(source.words(_LEAST_WORDS)) == _LEAST_WORDS):
        _warn(
            f"Only {share:.0%} of the tokens have a vector in {source.name} "
            f"({_shown(words, missing, source)}). {remedy or _GENERAL}"
        )


_GENERAL = (
    "Check that the vectors are of the language of the texts, and that `lowercase` is right for "
    "them. If their words have tags or prefixes, as 'king|NOUN' and '/c/en/king' have, set "
    "embeddings=Embeddings(..., word='(.+)[|][A-Z]+') or word='/c/en/(.+)'."
)


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=6)


def _shown(words: Sequence[str], missing: np.ndarray, source: Embeddings) -> str:
    """Some words of the texts beside some of the vectors."""
    ours = _examples(words[i] for i in missing)
    if source.is_encoder:
        return ours
    theirs = _examples(without_rule(source).words(100))
    rule = "" if source.word is None else ", before they are changed by `word`"
    return f"words of the texts are {ours}; words of the vectors are {theirs}{rule}"


def _examples(words: Iterable[str]) -> str:
    """The first words with letters, since all languages have the same punctuation marks."""
    shown = [word for word in words if any(map(str.isalpha, word))] or list(words)
    return ", ".join(f"{word!r:.60}" for word in shown[:_SHOWN]) or "none"


# Case ---------------------------------------------------------------------------------


def _casing_hint(
    source: Embeddings, words: Sequence[str], counts: np.ndarray, missing: np.ndarray
) -> str | None:
    """Return what to do if many words would have a vector in lower, title or upper case."""
    lowered = {words[i]: words[i].lower() for i in missing if words[i] != words[i].lower()}
    others = [words[i] for i in missing if words[i] not in lowered]
    best: tuple[float, str] | None = None
    for variants, remedy in (
        (lowered, "The vectors are of words in lower case: set lowercase=True."),
        (
            {word: word.title() for word in others},
            "The vectors distinguish upper and lower case: set lowercase=False.",
        ),
        (
            # An encoder takes no `word`, and its time for each. Another `word` would be lost.
            {}
            if source.is_encoder or source.word is not None
            else {word: word.upper() for word in others},
            "The vectors are of words in upper case: set embeddings=Embeddings(..., "
            "word=str.lower).",
        ),
    ):
        in_vectors = source.lookup(set(variants.values()))
        gained = [i for i in missing if variants.get(words[i]) in in_vectors]
        gain = counts[gained].sum() / counts.sum()
        if gain >= _GAIN and (best is None or gain > best[0]):
            example = words[gained[0]]
            best = (
                gain,
                f"{gain:.0%} of the tokens have no vector in {source.name}, but would have one in "
                f"another case; for example, {example!r:.60} has none, but "
                f"{variants[example]!r:.60} has. {remedy}",
            )
    return None if best is None else best[1]


# Tags and prefixes --------------------------------------------------------------------


def _rule_hint(source: Embeddings, counts: Mapping[str, int]) -> str | None:
    """Return what to do if the words of the vectors are those of the texts with a tag or prefix."""
    if source.word is not None and not source.words(1):
        return f"No word of the vectors matches word={source.word!r:.80}."
    of_source = without_rule(source).words(_SEARCHED)
    rule = find_rule(of_source, counts)
    if rule is None or rule == source.word:
        return None
    pattern = re.compile(rule, re.DOTALL)
    matches = ((word, pattern.fullmatch(word)) for word in of_source)
    matches = ((word, pattern.fullmatch(word)) for word in of_source)
    example = next((word for word, m in matches if m and _in_texts(m[1], counts)), None)
    if example is None:
        return None
    return (
        f"The words of the vectors have tags or prefixes, such as {example!r:.60}: set "
        f"embeddings=Embeddings(..., word={rule!r})."
    )


def find_rule(of_source: Sequence[str], counts: Mapping[str, int]) -> str | None:
    """Return the regular expression of the words of texts within those of a source.

    Parameters
    ----------
    of_source : sequence of str
        Words such as "/c/en/king" or "king_NOUN".
    counts : mapping of str to int
        The words of texts that have no vector, and how often each occurs.

    Returns
    -------
    str or None
        An expression with one group, or None if too few words of texts are found.
    """
    # By the prefix and the first letter of the suffix: tags differ in the others.
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    suffixes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for word in of_source:
        if len(word) > _LONGEST:
            continue
        marks = [i for i, letter in enumerate(word) if _is_mark(letter)]
        starts = [0, *(i + 1 for i in marks)][: _MOST_PARTS + 1]
        ends = [len(word), *marks[::-1]][: _MOST_PARTS + 1]
        for start in starts:
            for end in ends:
                ours = _in_texts(word[start:end], counts) if start or end < len(word) else None
                if ours is not None:
                    rule = word[:start], word[end : end + 1]
                    found[rule].add(ours)
                    suffixes[rule][word[end:]] += 1
    gains = {rule: sum(counts[word] for word in found[rule]) for rule in found}
    best = max(gains, key=lambda rule: (gains[rule], -len(rule[0])), default=None)
    if best is None or len(found[best]) < _FEWEST:
        return None
    if gains[best] < _LEAST_FOUND * sum(counts.values()):
        return None
    return f"{_escaped(best[0])}{_before_suffix(suffixes[best])}"


def _in_texts(word: str, counts: Mapping[str, int]) -> str | None:
    """Return the word of texts that this is; a warning of its own is about its case."""
    return next((each for each in (word, word.lower()) if each in counts), None)


def _before_suffix(suffixes: Counter[str]) -> str:
    """Return the group of a word and the expression of its tag."""
    total = suffixes.total()
    suffix, count = suffixes.most_common(1)[0]
    if not suffix:
        return "(.+)"
    mark = suffix[0]
    in_capitals = sum(n for each, n in suffixes.items() if re.fullmatch("[A-Z]+", each[1:]))
    if in_capitals >= _MOST * total:
        return f"(.+){_escaped(mark)}[A-Z]+"
    if count >= _MOST * total:
        return f"(.+){_escaped(suffix)}"
    if sum(n for each, n in suffixes.items() if mark in each[1:]) >= _MOST * total:
        return f"(.+?){_escaped(mark)}.+"
    return f"(.+){_escaped(mark)}[^{_escaped_in_brackets(mark)}]+"


def _is_mark(letter: str) -> bool:
    """Whether it can separate a tag: punctuation, a symbol or a blank, and no accent."""
    return not letter.isalnum() and unicodedata.category(letter)[0] in "PSZ"


def _escaped(text: str) -> str:
    """Return an expression of a text; brackets are easier to read than backslashes."""
    return "".join(
        f"[{letter}]" if letter in "|.+*?$(){}" else _escaped_in_brackets(letter) for letter in text
    )


def _escaped_in_brackets(letter: str) -> str:
    return f"\\{letter}" if letter in "\\^[]-" else letter
