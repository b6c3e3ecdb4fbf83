"""What a change of one value means: of a filter or a field that is sent, and of a field that is answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alyx_client.schema.report import Group
from alyx_client.schema.surface import Scalar, Value

__all__ = ["Verdict", "answered", "sent"]

Verdict = tuple[Group, str]

_TEXTS = frozenset({"text", "date", "date-time", "uuid"})
_NEVER_BLANK = frozenset({"format", "minLength", "pattern"})


def sent(old: Value, new: Value) -> Iterator[Verdict]:
    """Return what changed in what may be sent, each with its group."""
    if old.required != new.required:
        yield ("breaking", "required now") if new.required else ("harmless", "optional now")
    lost = [each for each in old.types if not _takes(new.types, each)]
    if lost:
        yield "breaking", f"takes {_either(new.types)}, no longer {_either(lost)}"
    elif any(not _takes(old.types, each) for each in new.types):
        yield "harmless", f"takes {_either(new.types)}, was {_either(old.types)}"
    if old.nullable != new.nullable and "anything" not in (*old.types, *new.types):
        yield ("harmless", "null is taken too") if new.nullable else ("breaking", "null is no longer taken")
    if not lost:
        yield from _sent_values(old, new)
        yield from _sent_limits(old, new)


def answered(old: Value, new: Value) -> Iterator[Verdict]:
    """Return what changed in what is answered, each with its group."""
    if old.types != new.types:
        fewer = "anything" not in (*old.types, *new.types) and all(_holds(old.types, each) for each in new.types)
        group: Group = "harmless" if fewer else "type-checks"
        yield group, f"{_either(new.types)} now, was {_either(old.types)}"
    if old.nullable != new.nullable and "anything" not in (*old.types, *new.types):
        yield ("type-checks", "may be null now") if new.nullable else ("harmless", "never null now")
    if old.required != new.required:
        yield ("harmless", "always there now") if new.required else ("type-checks", "may be left out now")
    if old.enum == new.enum or old.types != new.types:
        return
    if not old.enum or not new.enum:
        words = f"one of {_values(new.enum)} now" if new.enum else f"no longer one of {_values(old.enum)} alone"
        yield "harmless" if _is_open(old) or new.enum else "type-checks", words
        return
    come, gone = _without(new.enum, old.enum), _without(old.enum, new.enum)
    if come:
        yield "harmless" if _is_open(old) else "type-checks", f"may be {_values(come)} too"
    if gone:
        yield "harmless", f"never {_values(gone)} now"


def _sent_values(old: Value, new: Value) -> Iterator[Verdict]:
    if old.enum == new.enum:
        return
    if not new.enum:
        yield "harmless", f"any value is taken, was one of {_values(old.enum)}"
    elif not old.enum:
        yield "breaking", f"only {_values(new.enum)} taken now"
    else:
        come, gone = _without(new.enum, old.enum), _without(old.enum, new.enum)
        if gone:
            yield "breaking", f"{_values(gone)} no longer taken"
        if come:
            yield "harmless", f"{_values(come)} taken too"


def _sent_limits(old: Value, new: Value) -> Iterator[Verdict]:
    before, after = dict(old.limits), dict(new.limits)
    blank_before, blank_after = before.pop("blank", False), after.pop("blank", False)
    if blank_before and not blank_after and _NEVER_BLANK & set(after):
        yield "breaking", "'' no longer taken"
    elif blank_after and not blank_before and _NEVER_BLANK & set(before):
        yield "harmless", "'' taken too"
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        if now is None:
            yield "harmless", f"{name} {was} is gone"
        elif was is None:
            yield "breaking", f"{name} {now} is checked now"
        else:
            yield "harmless" if _is_wider(name, was, now) else "breaking", f"{name} is {now}, was {was}"


def _is_wider(name: str, was: Scalar, now: Scalar) -> bool:
    if isinstance(was, str) or isinstance(now, str):
        return False
    upper = name.startswith("max") or name == "exclusiveMaximum"
    lower = name.startswith("min") or name == "exclusiveMinimum"
    return (upper and now > was) or (lower and now < was)


def _takes(types: Iterable[str], given: str) -> bool:
    """Return whether a server that takes `types` takes what is of the type `given`."""
    allowed = set(types)
    if given in allowed or "anything" in allowed:
        return True
    if given == "integer" and "number" in allowed:
        return True
    if given in _TEXTS and "text" in allowed:
        return True
    return any(
        given.startswith(outer)
        and any(
            all(_takes(_parts(each.removeprefix(outer)), inner) for inner in _parts(given.removeprefix(outer)))
            for each in allowed
            if each.startswith(outer)
        )
        for outer in ("list of ", "mapping of ")
    ) or (given.startswith(("mapping of ", "record")) and "object" in allowed)


def _holds(types: Iterable[str], found: str) -> bool:
    """Return whether code that expects `types` can do with `found`."""
    expected = set(types)
    return found in expected or (found == "integer" and "number" in expected)


def _parts(text: str) -> list[str]:
    """Return the alternatives of a list's items: ``(integer or list of (text or null))`` has two."""
    if not text.startswith("("):
        return [text]
    parts, depth = [""], 0
    for word in text[1:-1].split(" or "):
        parts[-1] += f" or {word}" if parts[-1] else word
        depth += word.count("(") - word.count(")")
        if depth == 0:
            parts.append("")
    return parts[:-1]


def _either(types: Iterable[str]) -> str:
    return " or ".join(types)


def _values(values: Iterable[Scalar]) -> str:
    return ", ".join(map(repr, values))


def _without(values: Iterable[Scalar], others: Iterable[Scalar]) -> list[Scalar]:
    return [each for each in values if each not in set(others)]


def _is_open(value: Value) -> bool:
    """Return whether answers may hold other values too: their type is ``Literal[…] | str`` or ``| int``."""
    return value.types in (("text",), ("integer",)) or not value.enum
