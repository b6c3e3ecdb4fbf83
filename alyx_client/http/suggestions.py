"""Names that resemble an unknown one, for messages: the only place that compares names."""

from __future__ import annotations

from collections.abc import Iterable

from alyx_client.errors import ShortTraceback

__all__ = ["did_you_mean", "missing_attribute", "nearest", "suggest"]


def nearest(name: str, names: Iterable[str], *, count: int = 3, cutoff: float = 0.6, parts: bool = True) -> list[str]:
    """Return the valid names that an unknown one resembles, the best first.

    Parameters
    ----------
    name
        The unknown name.
    names
        The valid names.
    count
        The most names to return.
    cutoff
        The least similarity, from 0 to 1.
    parts
        Whether names that contain the unknown one, or are part of it, are named if none is similar.
    """
    from difflib import get_close_matches  # nothing is misspelled, as a rule

    names = list(names)
    similar = get_close_matches(name, names, n=count, cutoff=cutoff)
    if similar or not name or not parts:
        return similar
    # "start" is far from "start_time" by the number of edits.
    return [other for other in names if other and (name in other or other in name)][:count]


def did_you_mean(names: Iterable[str]) -> str:
    """Return the question for names that were perhaps meant; an empty text if there are none."""
    quoted = " or ".join(map(repr, names))
    return f"Did you mean {quoted}?" if quoted else ""


def suggest(name: str, names: Iterable[str]) -> str:
    """Return the part of a message that suggests similar names, or lists all names if none is similar.

    The parameters are those of `nearest`.
    """
    names = list(names)
    return did_you_mean(nearest(name, names, cutoff=0.5)) or f"There are: {', '.join(names)}."


def missing_attribute(owner: object, name: str, hint: str = "") -> AttributeError:
    """Return the error for an attribute that an object lacks.

    Parameters
    ----------
    owner
        The object. It is not attached to the error, for which Python would suggest a name by itself.
    name
        The attribute.
    hint
        What to do instead.
    """
    text = f"{type(owner).__name__.partition('[')[0]!r} object has no attribute {name!r}"
    return _MissingAttributeError(f"{text}. {hint}" if hint else text, name=name)


class _MissingAttributeError(AttributeError, ShortTraceback):
    """An attribute that an object lacks."""
