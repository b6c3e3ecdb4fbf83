"""The ``django=`` filter: Django's lookups in Alyx's mini-language, and errors for values it cannot express.

The language has no escape: commas separate, except between brackets; text that looks like a number, a boolean or None
becomes one; text in brackets is read as a Python literal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from itertools import product
from typing import cast
from urllib.parse import quote
from uuid import UUID

from alyx_client.runtime.coerce import entries, naive, query_value

DjangoFilter = str | Mapping[str, object]
"""Django lookups: values by lookup name, or text in Alyx's mini-language."""


class Lookups(dict[str, object]):
    """Django lookups in place of a filter that the server has for one value only."""


class Repeated(tuple[str, ...]):
    """Values of a filter that a URL repeats; they are sent as repeated parameters, whatever the filter's style."""

    __slots__ = ()


# Web servers in front of Alyx take request lines of 4094 bytes and up; other filters need room too.
_BATCH_LENGTH = 3000
# The server converts numbers with float(), which is exact up to here.
_EXACT_INTEGERS = 2**53
# After any other last word, a lookup is one of the field's own keys or columns, which `__in` can follow.
_TEXT_LOOKUPS = ("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "regex")
_OTHER_LOOKUPS = ("iregex", "date", "gt", "gte", "lt", "lte", "range", "isnull", "has_key", "has_keys", "has_any_keys")
# Filters in the mini-language, with an example.
_PAIRS = {"django": "lab__name,cortexlab,number__gte,2", "extended_qc": "task_level,PASS,depth__gte,0.5"}
_LOOKUPS = frozenset((*_TEXT_LOOKUPS, *_OTHER_LOOKUPS))


def django_filter(spec: DjangoFilter) -> list[str]:
    """Encode Django lookups in Alyx's mini-language.

    Parameters
    ----------
    spec
        Values by lookup, as in ``{"start_time__date__gte": date(2020, 1, 1), "~json__qc": "CRITICAL"}``, where ``~``
        excludes. Text is passed on as it is.

    Returns
    -------
    list of str
        One text; several if a long ``__in`` list was split; none if such a list is empty, so that nothing can match.

    Raises
    ------
    ValueError
        The mini-language cannot express a value: it has no escape, and turns text that looks like a number or a boolean
        into one.
    """
    if isinstance(spec, str):
        return [spec]
    if not isinstance(cast("object", spec), Mapping):
        raise TypeError(f"django takes text or a dictionary of lookups, not a {type(spec).__name__}")
    lookups = [_lookup(field, value) for field, value in entries(spec, "django")]
    split = [texts for texts in lookups if len(texts) > 1]
    # Two split lists would need a request for each pair of parts; the user can loop over one of them.
    if len(split) > 1:
        raise ValueError("django: only one long __in list can be split over several requests, and here are two")
    if any(texts[0].startswith("~") for texts in split):
        raise ValueError("django: a long list cannot be excluded, since each part alone would let the others through")
    return [",".join(texts) for texts in product(*lookups)]


def join_parts(parts: Iterable[object]) -> str:
    """Join lookups and values that were passed in turn, as in ``["start_time__date", date(2020, 1, 1)]``.

    Parameters
    ----------
    parts
        The parts; text is passed on as it is.

    Raises
    ------
    ValueError
        The mini-language cannot express a value.
    """
    values = cast("list[object]", query_value(parts, "django"))
    return ",".join(part if isinstance(part, str) else _django_value("django", part) for part in values)


def check_pairs(filters: Mapping[str, object]) -> None:
    """Refuse lookups as text that are not pairs of a name and a value, on which the server fails.

    Parameters
    ----------
    filters
        Values by filter.

    Raises
    ------
    ValueError
        A value is missing.
    """
    for name, example in _PAIRS.items():
        text = filters.get(name)
        if isinstance(text, str) and text and len(split_parts(text)) % 2:
            raise ValueError(f"{name}: {text!r} is not pairs of a name and a value, as in {example!r}")


def split_parts(text: str) -> list[str]:
    """Return the lookups and values of a text in turn, split as the server does.

    Parameters
    ----------
    text
        A text in the mini-language.
    """
    parts: list[str] = []
    start, closing = 0, ""
    for place, character in enumerate(text):
        if character == "," and not closing:
            parts.append(text[start:place])
            start = place + 1
        elif character in "[(":
            closing = "]" if character == "[" else ")"
        elif character == closing:
            closing = ""
    return [*parts, text[start:]]


def _lookup(field: str, value: object) -> list[str]:
    """Return one lookup; several texts if its list is split over several requests."""
    _check_field(field)
    if not field.endswith("__in"):
        return [f"{field},{_django_value(field, query_value(value, f'django: {field}'))}"]
    values = None if isinstance(value, str | bytes | Mapping) else query_value(value, f"django: {field}")
    if not isinstance(values, list):
        raise ValueError(f"django: {field} takes a list of values")
    # No part at all means that nothing can match: the server need not be asked.
    parts = list(batches(field, cast("list[object]", values)))
    if not parts and field.startswith("~"):
        parts = ["[]"]  # nothing is excluded, so everything matches
    return [f"{field},{batch}" for batch in parts]


def _check_field(field: object) -> None:
    name = field.removeprefix("~") if isinstance(field, str) else ""
    if not name or name != name.strip() or any(character in name for character in ",[]()~"):
        raise ValueError(
            f"django: {field!r} is not a valid lookup name, such as 'start_time__date__gte' or '~json__qc'"
        )


def _django_value(field: str, value: object) -> str:
    lookup = field.rpartition("__")[2]
    if lookup in ("has_keys", "has_any_keys") and not isinstance(value, list):
        raise ValueError(f"django: {field} takes a list of keys; the server would read a text letter by letter")
    if lookup == "isnull" and not isinstance(value, bool):
        raise ValueError(f"django: {field} takes True or False")
    if isinstance(value, str):
        return _django_text(field, value)
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float | Decimal):
        return _django_number(field, value)
    if isinstance(value, date | time | UUID):
        return _iso_text(field, value)
    if isinstance(value, list):
        return f"[{','.join(_literal(field, item) for item in cast('list[object]', value))}]"
    raise ValueError(f"django: {field}: {value!r} cannot be sent")


def _iso_text(field: str, value: date | time | UUID) -> str:
    if isinstance(value, datetime):
        return naive(field, value).isoformat()
    return str(value) if isinstance(value, UUID) else value.isoformat()


def _django_number(field: str, value: float | Decimal) -> str:
    if isinstance(value, int):
        if abs(value) > _EXACT_INTEGERS:
            raise ValueError(
                f"django: {field}: the server reads numbers as floats, and {value} is too large to be exact"
            )
        return _digits(value)
    return _digits(Decimal(repr(float(value))) if isinstance(value, float) else value)


def _digits(value: int | Decimal) -> str:
    # The server sees a number in digits with at most one point; a sign or an exponent would leave it as text, which
    # no number in a JSON field is equal to. In brackets it is read as Python reads it.
    digits = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return f"({digits})" if value < 0 else digits.removeprefix("-")


def _django_text(field: str, text: str) -> str:
    reason = not_text_reason(text)
    if reason:
        advice = "Pass the value that is meant, or use the endpoint's own filter for that field"
        if field.rpartition("__")[2] not in _LOOKUPS and not any(bracket in text for bracket in "[]()"):
            advice += f", or django={{{field + '__in'!r}: [{text!r}]}}"  # in a list, text stays text
        raise ValueError(f"django: {field}: {text!r} cannot be sent: {reason}. {advice}.")
    return text


def not_text_reason(text: str) -> str:
    """Return the reason why the server would not read a text as that text; an empty text if it would.

    Parameters
    ----------
    text
        The value of a lookup, outside a list.
    """
    # These conditions follow the server's parser.
    if text == "None" or text.lower() in ("true", "false") or text.replace(".", "", 1).isdigit():
        return "the server would read it as a number, a boolean or None, and not as text"
    if text.startswith(("(", "[")) and text.endswith((")", "]")):
        return "the server would read it as a list"
    if _splits(text):
        return "the server would take its comma or bracket for syntax"
    return "the server would strip the space at its end" if text != text.rstrip() else ""


def _splits(text: str) -> bool:
    """Return whether Alyx would split a text at a comma, or miss the comma after it."""
    # A bracket that is not closed hides the comma that follows the value.
    return split_parts(f"{text},") != [text, ""]


def _literal(field: str, item: object) -> str:
    """Return an item of a list, which the server reads as a Python literal."""
    if isinstance(item, date | time | UUID):
        item = _iso_text(field, item)
    if isinstance(item, str):
        if any(character in item for character in "[]()"):
            raise ValueError(f"django: {field}: {item!r} cannot be sent in a list, since it has a bracket")
        return ascii(str(item))  # str() of a subclass, whose repr may be another one
    if isinstance(item, Decimal):
        return f"{item:f}"
    if item is None or isinstance(item, int | float):
        return repr(item)
    raise ValueError(f"django: {field}: {item!r} cannot be sent in a list")


def batches(field: str, values: Iterable[object]) -> Iterator[str]:
    """Yield the values in lists that each fit in a request line, in order and without repetitions.

    Parameters
    ----------
    field
        The lookup, for messages.
    values
        The values.
    """
    batch: list[str] = []
    length = 0
    # Repeated values would return their rows in each part.
    for literal in dict.fromkeys(_literal(field, value) for value in values):
        size = len(quote(literal)) + 1  # percent-encoded, and with a comma
        if batch and length + size > _BATCH_LENGTH:
            yield f"[{','.join(batch)}]"
            batch, length = [], 0
        batch.append(literal)
        length += size
    if batch:
        yield f"[{','.join(batch)}]"
