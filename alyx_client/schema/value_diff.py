"""Changes of one value, a filter or a field of a request or a response, and the group that each belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alyx_client.schema.keyword_diff import Verdict, request_keyword_verdicts, response_keyword_verdicts
from alyx_client.schema.keywords import SHARED
from alyx_client.schema.surface import Scalar, ValueSpec

__all__ = ["request_verdicts", "response_verdicts"]

_TEXT_TYPES = frozenset({"text", "date", "date-time", "uuid"})


def request_verdicts(old: ValueSpec, new: ValueSpec, *, is_filter: bool = False) -> Iterator[Verdict]:
    """Yield the changes of a value that is sent.

    Parameters
    ----------
    old, new
        The value before and after.
    is_filter
        Whether it is a filter, and not a field.
    """
    if old.required != new.required:
        yield ("breaking", "now required") if new.required else ("harmless", "now optional")
    refused = [name for name in old.types if not _accepts(new.types, name)]
    if refused:
        yield "breaking", f"accepts {_either(new.types)}, no longer {_either(refused)}"
    elif any(not _accepts(old.types, name) for name in new.types):
        yield "harmless", f"accepts {_either(new.types)}, was {_either(old.types)}"
    if _differ_in_null(old, new):
        yield ("harmless", "null is now accepted") if new.nullable else ("breaking", "null is no longer accepted")
    # Enumerations and limits of values of another type cannot be compared.
    if not refused:
        yield from _request_enum_verdicts(old, new)
        yield from request_keyword_verdicts(old.keywords, new.keywords, is_filter=is_filter)


def response_verdicts(old: ValueSpec, new: ValueSpec) -> Iterator[Verdict]:
    """Yield the changes of a value that the server returns.

    Parameters
    ----------
    old, new
        The value before and after.
    """
    if old.types != new.types:
        # Code that handles several types handles fewer of them, too.
        is_narrower = "anything" not in (*old.types, *new.types) and all(
            _includes(old.types, name) for name in new.types
        )
        yield "harmless" if is_narrower else "type-checks", f"now {_either(new.types)}, was {_either(old.types)}"
    if _differ_in_null(old, new):
        yield ("type-checks", "may now be null") if new.nullable else ("harmless", "no longer null")
    yield from _presence_verdicts(old, new)
    if old.enum != new.enum and old.types == new.types:
        yield from _response_enum_verdicts(old, new)
    if old.types == new.types:
        yield from response_keyword_verdicts(old.keywords, new.keywords)


def _presence_verdicts(old: ValueSpec, new: ValueSpec) -> Iterator[Verdict]:
    # Where requests and responses share a component, `required` is about requests: Django REST framework returns every
    # field. A document of another origin may mean both.
    is_shared = any(SHARED in dict(value.keywords) for value in (old, new))
    if old.required and not new.required:
        words = "no longer required in the component that requests share, so it may be absent"
        yield ("harmless", words) if is_shared else ("type-checks", "may now be absent")
    elif new.required and not old.required and not is_shared:
        yield "harmless", "now always present"


def _differ_in_null(old: ValueSpec, new: ValueSpec) -> bool:
    # A value of any type may be null without being declared so.
    return old.nullable != new.nullable and "anything" not in (*old.types, *new.types)


def _request_enum_verdicts(old: ValueSpec, new: ValueSpec) -> Iterator[Verdict]:
    if old.enum == new.enum:
        return
    if not new.enum:
        yield "harmless", f"any value is accepted, was one of {_list(old.enum)}"
    elif not old.enum:
        yield "breaking", f"accepts only {_list(new.enum)}"
    else:
        if removed := _difference(old.enum, new.enum):
            yield "breaking", f"{_list(removed)} no longer accepted"
        if added := _difference(new.enum, old.enum):
            yield "harmless", f"{_list(added)} now accepted"


def _response_enum_verdicts(old: ValueSpec, new: ValueSpec) -> Iterator[Verdict]:
    # Code that reads a constant need not look at it, other than at one of several values.
    is_open = _is_open(old) and len(old.enum) != 1
    if not new.enum:
        yield "harmless" if is_open else "type-checks", f"no longer limited to {_list(old.enum)}"
    elif not old.enum:
        yield "harmless", f"now one of {_list(new.enum)}"
    else:
        if added := _difference(new.enum, old.enum):
            yield "harmless" if is_open else "type-checks", f"may now be {_list(added)}"
        if removed := _difference(old.enum, new.enum):
            yield "harmless", f"no longer {_list(removed)}"


def _accepts(types: Iterable[str], name: str) -> bool:
    """Return whether a server that accepts `types` accepts every value of the type `name`."""
    accepted = set(types)
    if name in accepted or "anything" in accepted:
        return True
    if (name == "integer" and "number" in accepted) or (name in _TEXT_TYPES and "text" in accepted):
        return True
    if name.startswith(("mapping of ", "record")) and "object" in accepted:
        return True
    return any(_accepts_items(accepted, name, container) for container in ("list of ", "mapping of "))


def _accepts_items(accepted: Iterable[str], name: str, container: str) -> bool:
    if not name.startswith(container):
        return False
    items = _alternatives(name.removeprefix(container))
    return any(
        all(_accepts(_alternatives(other.removeprefix(container)), item) for item in items)
        for other in accepted
        if other.startswith(container)
    )


def _includes(types: Iterable[str], name: str) -> bool:
    """Return whether code that expects `types` can handle `name`."""
    expected = set(types)
    return name in expected or (name == "integer" and "number" in expected)


def _alternatives(text: str) -> list[str]:
    """Return the types of a list's items: ``(integer or list of (text or null))`` has two."""
    if not text.startswith("("):
        return [text]
    alternatives, depth = [""], 0
    for word in text[1:-1].split(" or "):
        alternatives[-1] += f" or {word}" if alternatives[-1] else word
        depth += word.count("(") - word.count(")")
        if depth == 0:
            alternatives.append("")
    return alternatives[:-1]


def _either(types: Iterable[str]) -> str:
    return " or ".join(types)


def _list(values: Iterable[Scalar]) -> str:
    return ", ".join(map(repr, values))


def _difference(values: Iterable[Scalar], others: Iterable[Scalar]) -> list[Scalar]:
    excluded = set(others)
    return [value for value in values if value not in excluded]


def _is_open(value: ValueSpec) -> bool:
    """Return whether responses may hold other values, too: their type is ``Literal[…] | str`` or ``| int``."""
    return value.types in (("text",), ("integer",)) or not value.enum
