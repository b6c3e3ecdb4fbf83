"""Names: from a server's paths and components to Python's."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Collection, Mapping

__all__ = [
    "INVARIANT",
    "class_name",
    "endpoint_name",
    "parameter_name",
    "plain_text",
    "referred_endpoint",
    "resource_name",
    "singular_of",
    "snake_case",
]

INVARIANT = frozenset({"data", "series", "species"})
"""Plurals that equal their singulars, or have none."""

# "ss", "us" and "is" end singulars such as "status" and "analysis".
_SINGULAR_ENDINGS = ("ss", "us", "is")

# Letters that have no decomposition.
_LATIN = {
    **{"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D"},
    **{"ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ł": "l", "Ł": "L", "\u0131": "i", "ħ": "h", "Ħ": "H"},
}
# Suffixes by which Alyx's serialisers tell the forms of one resource apart.
_SUFFIXES = ("List", "Detail", "Record")


def snake_case(path: str) -> str:
    """Return a path's fixed segments as one name: ``/water-type/{name}`` is ``water_type``."""
    fixed = [segment for segment in path.strip("/").split("/") if not segment.startswith("{")]
    text = plain_text("_".join(fixed))
    return re.sub(r"\W+", "_", text).strip("_").lower() or "root"


def endpoint_name(path: str) -> str:
    """Return the plain name of a path's endpoint on a client; the generator avoids further names."""
    name = snake_case(path)
    if name[0].isdigit():
        name = f"endpoint_{name}"
    return f"{name}_" if keyword.iskeyword(name) or keyword.issoftkeyword(name) else name


def class_name(text: str) -> str:
    """Return a name in CapWords: ``water_administrations`` is ``WaterAdministrations``."""
    words = re.split(r"[\W_]+", plain_text(text))
    name = "".join(word[:1].upper() + word[1:] for word in words if word)
    # Python's identifiers start with a letter, and keywords are none.
    if not name or name[0].isdigit():
        name = f"Model{name}"
    return f"{name}Model" if keyword.iskeyword(name) else name


def resource_name(component: str) -> str:
    """Return a component's name without the suffix for its form: ``SubjectDetail`` is ``Subject``."""
    name = class_name(component).removeprefix("Patched") or class_name(component)
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and name != suffix:
            name = name.removesuffix(suffix)
            break
    return name if name.isidentifier() and not keyword.iskeyword(name) else class_name(component)


def parameter_name(name: str) -> str:
    """Return a keyword argument's name for a filter or a key."""
    text = re.sub(r"\W+", "_", plain_text(name)).strip("_") or "value"
    if text[0].isdigit():
        text = f"value_{text}"
    return f"{text}_" if keyword.iskeyword(text) or text == "self" else text


def singular_of(word: str) -> str:
    """Return the singular of a word, which may be in the singular already."""
    lower = word.lower()
    if lower in INVARIANT or not lower.endswith("s") or lower.endswith(_SINGULAR_ENDINGS):
        return word
    # "ties" and "pies" have singulars in -ie.
    if lower.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-2] if lower.endswith(("sses", "xes", "ches", "shes")) else word[:-1]


def referred_endpoint(name: str, names: Mapping[str, Collection[str]]) -> str | None:
    """Return the endpoint that a filter or a field is named after: ``sessions`` for ``session``, ``parent_session``.

    Parameters
    ----------
    name
        The name of the filter or the field.
    names
        The names of records, by endpoint.
    """
    # Alyx calls the creator of a record so; no endpoint is.
    word = "user" if name == "created_by" else name
    exact = next((endpoint for endpoint, words in names.items() if word in words), None)
    ends = [(len(end), endpoint) for endpoint, words in names.items() for end in words if word.endswith(f"_{end}")]
    # The longest: a dataset type is no type.
    return exact or (max(ends)[1] if ends else None)


def plain_text(text: str) -> str:
    """Return text whose letters identifiers can have: Latin ones in ASCII, without accents, those of other scripts.

    Other characters are their code points.
    """
    return "".join(map(_plain_character, unicodedata.normalize("NFC", text)))


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    if character in _LATIN:
        return _LATIN[character]
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    # Python normalises identifiers, and file systems decompose names: what both leave as it is can be a module's name.
    if plain.isascii():
        return plain
    forms = (character, character.lower())
    is_stable = all(unicodedata.normalize("NFKC", form) == form and len(form) == 1 for form in forms)
    return character if is_stable and f"a{character}".isidentifier() else f"u{ord(character):x}"
