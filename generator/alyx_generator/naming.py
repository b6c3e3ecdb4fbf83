"""Names: from a server's paths and components to Python's."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Collection

_SUFFIXES = ("List", "Detail", "Record")
_RESERVED_MODULES = frozenset({"client", "models"})


def snake_case(path: str) -> str:
    """Return a path's fixed segments as one name: ``/water-type/{name}`` is ``water_type``."""
    fixed = [segment for segment in path.strip("/").split("/") if not segment.startswith("{")]
    text = _ascii("_".join(fixed))
    return re.sub(r"\W+", "_", text).strip("_").lower() or "root"


def module_name(path: str, taken: Collection[str] = ()) -> str:
    """Return the endpoint's name on the client, which is its module's name too."""
    name = snake_case(path)
    if name[0].isdigit():
        name = f"endpoint_{name}"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in _RESERVED_MODULES or name in taken:
        name += "_"
    return name


def class_name(text: str) -> str:
    """Return a name in capitals: ``water_administrations`` is ``WaterAdministrations``."""
    words = re.split(r"[\W_]+", _ascii(text))
    name = "".join(word[:1].upper() + word[1:] for word in words if word)
    if not name or name[0].isdigit():
        name = f"Shape{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def resource_name(component: str) -> str:
    """Return a component's name without what says how it is shown: ``SubjectDetail`` is ``Subject``."""
    name = class_name(component).removeprefix("Patched")
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and name != suffix:
            return name.removesuffix(suffix)
    return name


def changes_name(shape: str) -> str:
    """Return the name of a shape's keywords for ``partial_update``: ``Subject`` gives ``SubjectChanges``."""
    return f"{shape.removesuffix('Update') or shape}Changes"


def parameter_name(name: str) -> str:
    """Return a keyword argument's name for a filter or a key."""
    text = re.sub(r"\W+", "_", _ascii(name)).strip("_") or "value"
    if text[0].isdigit():
        text = f"value_{text}"
    return f"{text}_" if keyword.iskeyword(text) or text == "self" else text


def _ascii(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(
        character if character.isascii() else f"u{ord(character):x}"
        for character in decomposed
        if not unicodedata.combining(character)
    )
