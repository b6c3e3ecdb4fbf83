"""Changes of keywords: limits, formats, conditions, defaults, alternatives, and what is announced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

from alyx_client.schema.keywords import ALTERNATIVES, CONDITIONS, EXTRA_KEYS, NO_KEYS, SENT_AS, SHARED
from alyx_client.schema.openapi import as_list
from alyx_client.schema.report import Group
from alyx_client.schema.surface import Keywords, Scalar

__all__ = ["Verdict", "lifecycle_verdicts", "request_keyword_verdicts", "response_keyword_verdicts"]

Verdict = tuple[Group, str]
"""The group of a change, and the change in words."""

_LIFECYCLE = ("deprecated", "stability", "sunset")
_STABILITIES = ("draft", "alpha", "beta", "stable")
_NOT_LIMITS = frozenset({ALTERNATIVES, "blank", "default", "discriminator", EXTRA_KEYS, SENT_AS, SHARED, *_LIFECYCLE})
# Limits that a blank text cannot meet, unless the document allows it besides.
_NEVER_BLANK = frozenset({"format", "minLength", "pattern"})
_ANY_TEXT = frozenset({"", ".*", "^.*", ".*$", "^.*$"})


def request_keyword_verdicts(old: Keywords, new: Keywords, *, is_filter: bool = False) -> Iterator[Verdict]:
    """Yield the changes of the keywords of a value that is sent.

    Parameters
    ----------
    old, new
        The keywords before and after.
    is_filter
        Whether it is a filter, whose default decides what is returned.
    """
    before, after = dict(old), dict(new)
    blank_before, blank_after = before.pop("blank", False), after.pop("blank", False)
    if blank_before and not blank_after and _NEVER_BLANK & set(after):
        yield "breaking", "'' no longer accepted"
    elif blank_after and not blank_before and _NEVER_BLANK & set(before):
        yield "harmless", "'' now accepted"
    for name, was, now in _changed(before, after):
        if name not in _NOT_LIMITS:
            yield "harmless" if _is_wider(name, was, now) else "breaking", _words(name, was, now)
    if SENT_AS in before and SENT_AS in after and before[SENT_AS] != after[SENT_AS]:
        yield "breaking", f"several values are now sent {_form(after)}, were {_form(before)}"
    yield from _default_verdicts(before.get("default"), after.get("default"), is_filter=is_filter)
    yield from _extra_key_verdicts(before.get(EXTRA_KEYS), after.get(EXTRA_KEYS))
    yield from _shared_verdicts(before, after, sent=True)


def response_keyword_verdicts(old: Keywords, new: Keywords) -> Iterator[Verdict]:
    """Yield the changes of the keywords of a value that the server returns; tighter limits are none for callers."""
    before, after = dict(old), dict(new)
    for name, was, now in _changed(before, after):
        if name in _NOT_LIMITS or (_is_wider(name, now, was) and name not in CONDITIONS):
            continue
        # A pattern of what is returned is a hint; a type checker knows of it no more than code that reads the value.
        is_harmless = name == "pattern" or was is None
        yield "harmless" if is_harmless else "type-checks", _words(name, was, now)
    was, now = before.get(EXTRA_KEYS), after.get(EXTRA_KEYS)
    if was != now:
        # Records accept new fields; those of a type are read by it.
        yield "type-checks" if was not in (None, NO_KEYS) and now != NO_KEYS else "harmless", _extra_key_words(was, now)
    yield from _shared_verdicts(before, after, sent=False)


def lifecycle_verdicts(old: Keywords, new: Keywords) -> Iterator[Verdict]:
    """Yield the changes of deprecation, its date, and of stability, of an operation, a filter or a field."""
    before, after = dict(old), dict(new)
    if before.get("deprecated") != after.get("deprecated"):
        until = f", until {after['sunset']}" if after.get("sunset") else ""
        yield "harmless", f"now deprecated{until}" if after.get("deprecated") else "no longer deprecated"
    else:
        yield from _sunset_verdicts(
            before.get("sunset"), after.get("sunset"), is_deprecated=bool(after.get("deprecated"))
        )
    was, now = before.get("stability"), after.get("stability")
    if was != now:
        yield "breaking" if _rank(now) < _rank(was) else "harmless", f"its stability is now {now}, was {was}"


def _sunset_verdicts(was: Scalar | None, now: Scalar | None, *, is_deprecated: bool) -> Iterator[Verdict]:
    if was == now:
        return
    if now is None:
        yield "breaking" if is_deprecated else "harmless", f"may be removed at any time, was to stay until {was}"
    elif was is None:
        yield "harmless", f"to be removed after {now}"
    else:
        days = _day(was), _day(now)
        is_later = days[0] is not None and days[1] is not None and days[1] > days[0]
        yield "harmless" if is_later else "breaking", f"to be removed after {now}, was {was}"


def _shared_verdicts(before: dict[str, Scalar], after: dict[str, Scalar], *, sent: bool) -> Iterator[Verdict]:
    """Yield the changes that requests and responses have in common: alternatives, discriminator, and its end."""
    was, now = (_alternatives(keywords) for keywords in (before, after))
    removed, added = sorted(was - now), sorted(now - was)
    if removed:
        words = f"no longer {', '.join(removed)}" if now else f"no longer one of several records: {', '.join(removed)}"
        yield "breaking" if sent else "harmless", words
    if added:
        words = f"may now be {', '.join(added)}" if was else f"is now one of several records: {', '.join(added)}"
        # What was valid may meet several of the records, or none of them, where exactly one is accepted.
        is_restricted = not was and str(after[ALTERNATIVES]).startswith("oneOf")
        yield ("breaking" if is_restricted else "harmless") if sent else "type-checks", words
    if before.get("discriminator") != after.get("discriminator"):
        yield "harmless", _discriminator_words(before.get("discriminator"), after.get("discriminator"))
    yield from lifecycle_verdicts(tuple(before.items()), tuple(after.items()))


def _alternatives(keywords: dict[str, Scalar]) -> set[str]:
    names = str(keywords.get(ALTERNATIVES, "")).partition(": ")[2]
    return set(names.split(" | ")) if names else set()


def _changed(before: dict[str, Scalar], after: dict[str, Scalar]) -> Iterator[tuple[str, Scalar | None, Scalar | None]]:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def _words(name: str, was: Scalar | None, now: Scalar | None) -> str:
    if name in CONDITIONS:
        return f"{name} {'removed' if now is None else 'added' if was is None else 'changed'}"
    if now is None:
        return f"{name} {was} removed"
    return f"{name} {now} added" if was is None else f"{name} is {now}, was {was}"


def _is_wider(name: str, was: Scalar | None, now: Scalar | None) -> bool:
    """Return whether all that meets one limit meets another."""
    if now is None or was is None:
        return now is None
    if name == "pattern":
        return now in _ANY_TEXT
    if name == "prefixItems":
        return _is_longer(str(was), str(now))
    if isinstance(was, str) or isinstance(now, str):
        return False
    if name == "multipleOf":
        return bool(now) and was % now == 0
    if name.startswith("max") or name == "exclusiveMaximum":
        return now > was
    return now < was if name.startswith("min") or name == "exclusiveMinimum" else False


def _is_longer(was: str, now: str) -> bool:
    before, after = as_list(json.loads(was)), as_list(json.loads(now))
    return before == after[: len(before)]


def _default_verdicts(was: Scalar | None, now: Scalar | None, *, is_filter: bool) -> Iterator[Verdict]:
    if was == now:
        return
    words = f"its default is now {now}, was {was}"
    if now is None or was is None:
        words = f"its default {was} is gone" if now is None else f"its default is now {now}, none was declared"
    # A field's default may have been there without being declared; one that changed is stored instead of the other.
    if is_filter or (was is not None and now is not None):
        yield "breaking", f"{words}: calls without it get something else"
    else:
        yield "harmless", words


def _extra_key_verdicts(was: Scalar | None, now: Scalar | None) -> Iterator[Verdict]:
    if was != now:
        yield "harmless" if now is None else "breaking", _extra_key_words(was, now)


def _extra_key_words(was: Scalar | None, now: Scalar | None) -> str:
    if now == NO_KEYS:
        return "other fields are no longer allowed"
    return f"other fields are now {now or 'anything'}, were {was or 'anything'}"


def _discriminator_words(was: Scalar | None, now: Scalar | None) -> str:
    if was is None or now is None:
        return "discriminator removed" if now is None else "discriminator added"
    before, after = json.loads(str(was)), json.loads(str(now))
    if before.get("propertyName") != after.get("propertyName"):
        return f"the discriminator is now {after.get('propertyName')}, was {before.get('propertyName')}"
    return "the discriminator's mapping changed"


def _form(keywords: dict[str, Scalar]) -> str:
    form = str(keywords[SENT_AS])
    return f"as {form}" if "/" in form or form.startswith("style") else form


def _day(text: Scalar | None) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


def _rank(stability: Scalar | None) -> int:
    # Without a level, an operation counts as stable.
    return _STABILITIES.index(str(stability)) if stability in _STABILITIES else len(_STABILITIES)
