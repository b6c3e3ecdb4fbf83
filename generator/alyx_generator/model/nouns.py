"""English nouns for records, as docstrings use them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from alyx_client.schema.naming import INVARIANT, singular_of

_SIBILANTS = ("s", "x", "z", "ch", "sh")
# Acronyms are read letter by letter: an FOV, an ROI, but a QC.
_VOWEL_SOUND = re.compile(r"[AEFHILMNORSX][A-Z0-9]+\b|(?i:[aeio])|(?i:u(?!ni|s[aei]|ti|r[aei]))")


@dataclass(frozen=True)
class Noun:
    """The name of a kind of record: ``session`` and ``sessions``."""

    singular: str
    plural: str

    @property
    def indefinite(self) -> str:
        """The singular with its article: ``a session``."""
        return with_article(self.singular)


def noun(words: str, singular: str = "", plural: str = "") -> Noun:
    """Return the noun for a name in the singular or in the plural.

    Parameters
    ----------
    words
        The name: ``probe insertions``, ``field of view``.
    singular, plural
        Forms to use in place of the derived ones.
    """
    # The noun before "of" is inflected: fields of view.
    head, of, rest = words.partition(" of ")
    start, space, last = head.rpartition(" ")
    one = singular_of(last)
    many = last if one != last else plural_of(last)
    return Noun(singular or f"{start}{space}{one}{of}{rest}", plural or f"{start}{space}{many}{of}{rest}")


def plural_of(word: str) -> str:
    """Return the plural of a word in the singular."""
    lower = word.lower()
    if lower in INVARIANT:
        return word
    if re.search(r"[^aeiou]y$", lower):
        return f"{word[:-1]}ies"
    return f"{word}es" if lower.endswith(_SIBILANTS) else f"{word}s"


def with_article(text: str) -> str:
    """Return a noun with its indefinite article."""
    return f"{'an' if _VOWEL_SOUND.match(text) else 'a'} {text}"


def words_of(name: str) -> str:
    """Return the words of a class's name: ``WaterAdmin`` is ``water admin``; acronyms stay in capitals."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return " ".join(part if part.isupper() and len(part) > 1 else part.lower() for part in parts)


def listed(items: list[str], conjunction: str = "and") -> str:
    """Return items as a sentence lists them: ``a, b and c``."""
    *others, last = items
    return f"{', '.join(others)} {conjunction} {last}" if others else last
