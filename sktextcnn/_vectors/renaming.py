"""From the words of a source to those of texts: tags and prefixes are removed by a rule."""

import re
from collections.abc import Callable, Iterable
from typing import Any

# From a word of a source to that of texts, or None for a word that is left out.
Rename = Callable[[str], str | None]


def as_rename(word: Any) -> Rename | None:
    """Return the function of a parameter `word`; None if words stay as they are.

    Raises
    ------
    TypeError
        If it is neither a regular expression, a function nor None.
    ValueError
        If it is not a valid regular expression with one group.
    """
    if word is None:
        return None
    if callable(word):
        try:
            hash(word)
        except TypeError:
            raise TypeError(
                f"word must be hashable, since what was read is remembered by it; got an object "
                f"of type {type(word).__name__}. Give a function."
            ) from None
        return lambda text: _checked(word(text), text, word)
    if not isinstance(word, str):
        raise TypeError(
            f"word must be a regular expression such as '/c/en/(.+)', a function of a word, or "
            f"None; got {word!r:.60} of type {type(word).__name__}."
        )
    try:
        pattern = re.compile(word, re.DOTALL)
    except re.error as error:
        raise ValueError(
            f"word={word!r:.60} is not a valid regular expression ({error}). Write a backslash "
            f"before characters with a meaning, such as '|'."
        ) from None
    if pattern.groups != 1:
        raise ValueError(
            f"word={word!r:.60} must have one group, which matches the word of the texts; it has "
            f"{pattern.groups}. For a prefix, write '{word:.60}(.+)'; for a suffix, "
            f"'(.+){word:.60}'."
        )

    def matched(text: str) -> str | None:
        match = pattern.fullmatch(text)
        return match[1] if match else None

    return matched


def check_can_be_pickled(word: Any) -> None:
    """Raise an error for a function that a pickle cannot refer to by its name."""
    name = getattr(word, "__qualname__", "")
    if callable(word) and ("<lambda>" in name or "<locals>" in name):
        raise TypeError(
            f"Embeddings(..., word={name}) cannot be pickled, since a pickle refers to a function "
            f"by its name in a module. Define the function at the top level of a module, or give "
            f"a regular expression, such as word='/c/en/(.+)'."
        )


def rename_bytes(rename: Rename, encoding: str) -> Callable[[bytes], bytes | None]:
    """Return the same rule for words as a file has them."""

    def renamed(word: bytes) -> bytes | None:
        try:
            text = rename(word.decode(encoding))
            return text.encode(encoding) if text else None
        except UnicodeError:
            return None

    return renamed


def keys_by_word(keys: Iterable[str], rename: Rename) -> dict[str, str]:
    """Return the first key of each word of texts; the first rows are the most frequent words."""
    by_word: dict[str, str] = {}
    for key in keys:
        if word := rename(key):
            by_word.setdefault(word, key)
    return by_word


def _checked(result: Any, text: str, word: Any) -> str | None:
    if result is not None and not isinstance(result, str):
        name = getattr(word, "__qualname__", type(word).__name__)
        raise TypeError(
            f"word={name} must return a str, or None for a word to leave out; for {text!r:.60} it "
            f"returned {result!r:.60} of type {type(result).__name__}."
        )
    return result
