"""Filters and keys in the form that Alyx reads them, and errors for what that form cannot hold.

Alyx ignores a filter that it does not know and returns everything, and its ``django=`` filter is a small language
without an escape: so both are checked here, before anything is sent.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from typing import Any, Literal, ParamSpec, TypeVar, cast
from urllib.parse import quote, unquote, urlsplit
from uuid import UUID

from alyx_client.address import redact_url, same_origin
from alyx_client.errors import ForeignURLError, InvalidKeyError
from alyx_client.messages import Params

__all__ = ["DateRange", "DjangoFilter", "FilterStyle", "encode", "known_filters", "quote_key", "quote_path"]

P = ParamSpec("P")
R = TypeVar("R")
FilterStyle = Literal["plain", "comma", "repeat", "range", "day", "id", "django"]
DjangoFilter = str | Mapping[str, object]
"""Django lookups: by name and value, or as the text that Alyx reads."""
DateRange = date | str | tuple[date | str, date | str]
"""Two days, both included; or one."""

# Web servers in front of Alyx take request lines of 4094 bytes and up; other filters need room too.
_BATCH_LENGTH = 3000
_EXACT_INTEGERS = 2**53
_TEXT_LOOKUPS = ("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "regex")
_OTHER_LOOKUPS = ("iregex", "date", "gt", "gte", "lt", "lte", "range", "isnull", "has_key", "has_keys", "has_any_keys")
_LOOKUPS = frozenset((*_TEXT_LOOKUPS, *_OTHER_LOOKUPS))


def encode(
    filters: Mapping[str, object],
    styles: Mapping[str, FilterStyle],
    *,
    endpoint: str,
    extra_params: Mapping[str, object] | None = None,
) -> list[Params]:
    """Return the query parameters for filters.

    Parameters
    ----------
    filters
        Values by the server's names; None means that the filter is not given.
    styles
        How each filter is sent.
    endpoint
        Whose filters they are, for messages.
    extra_params
        Parameters that are sent without a check, in place of the filters of the same name; a sequence is sent as
        repeated parameters.

    Returns
    -------
    list of Params
        One set of parameters; several where a long list of keys was split; none where a list of keys is empty, so that
        nothing can match.

    Raises
    ------
    ValueError, TypeError
        A value cannot be sent; the message names the filter.
    """
    extra_params = {name: value for name, value in (extra_params or {}).items() if value is not None}
    given = {name: _plain_python(value) for name, value in filters.items() if value is not None}
    if "django" in styles and "django" in extra_params:
        # The server reads one parameter of this name alone, and keys need it too.
        given["django"] = extra_params.pop("django")
    fixed: list[tuple[str, str]] = []
    lookups: list[list[str]] = []
    for name, value in given.items():
        style = styles[name]
        if style == "id" and "django" in styles:
            lookups.append(_keys(name, value))
        elif style == "django":
            lookups.append(django_filter(cast("DjangoFilter", value)))
        else:
            fixed.extend((name, text) for text in _texts(name, value, style, endpoint))
    extra = [
        (name, _text(name, each))
        for name, value in extra_params.items()
        for each in (cast("Iterable[object]", value) if _is_list(value) else [value])
    ]
    kept = [pair for pair in fixed if pair[0] not in extra_params]
    if sum(len(texts) > 1 for texts in lookups) > 1:
        raise ValueError(
            f"{endpoint}: only one list of keys can be split over several requests, and here are two long ones"
        )
    return [(*kept, *_django_parameter(texts), *extra) for texts in _combinations(lookups)]


def _django_parameter(texts: Sequence[str]) -> list[tuple[str, str]]:
    text = ",".join(filter(None, texts))
    return [("django", text)] if text else []


def _combinations(lookups: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    if not lookups:
        yield []
        return
    for text in lookups[0]:
        for rest in _combinations(lookups[1:]):
            yield [text, *rest]


def _texts(name: str, value: object, style: FilterStyle, endpoint: str) -> list[str]:
    if style == "range":
        return [_range(name, value)]
    if style == "day" and isinstance(value, datetime):
        value = _naive(name, value).date()
    if not _is_list(value):
        return [_given_text(name, value, endpoint)]
    if style not in ("comma", "repeat"):
        raise ValueError(f"{endpoint}: {name} takes one value, not several; for several use django={{'…__in': [...]}}")
    texts = [_given_text(name, each, endpoint) for each in cast("Iterable[object]", value)]
    if not texts:
        raise _empty(name, endpoint)
    if style == "repeat":
        return texts
    for text in texts:
        if "," in text:
            raise ValueError(
                f"{endpoint}: {name} sends its values joined by commas, so {text!r} cannot be one of several"
            )
    return [",".join(dict.fromkeys(texts))]  # a repeated one would have to be there twice


def _given_text(name: str, value: object, endpoint: str) -> str:
    text = _text(name, value)
    if not text.strip():
        raise _empty(name, endpoint)
    return text


def _empty(name: str, endpoint: str) -> ValueError:
    return ValueError(f"{endpoint}: {name} is empty, which the server would take for no filter at all; leave it out")


def _text(name: str, value: object) -> str:
    value = _plain_python(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _naive(name, value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        raise ValueError(f"{name}: {value} cannot be sent")
    if isinstance(value, str | int | float | Decimal | UUID):
        return str(value)
    raise TypeError(f"{name}: a {type(value).__name__} cannot be sent as a filter")


def _range(name: str, value: object) -> str:
    ends = list(cast("Iterable[object]", value)) if _is_list(value) else [value, value]
    if isinstance(value, str) and "," in value:
        ends = list(value.split(","))
    if len(ends) != 2:
        raise ValueError(f"{name} takes a pair of dates, first and last day, or one day; not {len(ends)} values")
    first, last = (_day(name, end) for end in ends)
    if first > last:
        raise ValueError(f"{name}: the first day, {first}, is after the last, {last}")
    return f"{first},{last}"


def _day(name: str, value: object) -> date:
    value = _plain_python(value)
    if isinstance(value, datetime):
        raise ValueError(f"{name} compares whole days; pass dates, for instance start.date()")
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise TypeError(f"{name}: a {type(value).__name__} is not a date")
    try:
        return datetime.strptime(value.strip(), "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(f"{name}: {value!r} is not a date such as '2020-01-31'") from None


# --- the django= filter


def django_filter(spec: DjangoFilter) -> list[str]:
    """Return Django lookups in Alyx's mini-language.

    Parameters
    ----------
    spec
        Values by lookup, as in ``{"start_time__date__gte": date(2020, 1, 1), "~json__qc": "CRITICAL"}``, where ``~``
        excludes. Text is passed on as it is.

    Returns
    -------
    list of str
        One text; several where a long ``__in`` list was split; none where one is empty.

    Raises
    ------
    ValueError
        The mini-language cannot hold a value: it has no escape, and turns text that looks like a number or a boolean
        into one.
    """
    if isinstance(spec, str):
        return [spec]
    if not isinstance(cast("object", spec), Mapping):
        raise TypeError(f"django takes text or a dictionary of lookups, not a {type(spec).__name__}")
    texts: list[list[str]] = []
    for field, given in spec.items():
        _check_field(field)
        value = _plain_python(given)
        if field.endswith("__in"):
            if not _is_list(value):
                raise ValueError(f"django: {field} takes a list of values")
            batches = list(_batches(field, cast("Iterable[object]", value)))
            if not batches and field.startswith("~"):
                batches = ["[]"]  # nothing is excluded, so everything matches
            texts.append([f"{field},{batch}" for batch in batches])
        else:
            texts.append([f"{field},{_django_value(field, value)}"])
    if sum(len(each) > 1 for each in texts) > 1:
        raise ValueError("django: only one long __in list can be split over several requests, and here are two")
    if any(len(each) > 1 and each[0].startswith("~") for each in texts):
        raise ValueError("django: a long list cannot be excluded, since each part alone would let the others through")
    return [",".join(parts) for parts in _combinations(texts)]


def _check_field(field: object) -> None:
    name = field.removeprefix("~") if isinstance(field, str) else ""
    if not name or name != name.strip() or any(character in name for character in ",[]()~"):
        raise ValueError(f"django: {field!r} is no name of a lookup, such as 'start_time__date__gte' or '~json__qc'")


def _django_value(field: str, value: object) -> str:
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        if abs(value) > _EXACT_INTEGERS:
            raise ValueError(
                f"django: {field}: the server reads numbers as floats, and {value} is too large to be exact"
            )
        return _number(value)
    if isinstance(value, float | Decimal):
        if not math.isfinite(value):
            raise ValueError(f"django: {field}: {value} cannot be sent")
        return _number(Decimal(repr(float(value))) if isinstance(value, float) else value)
    if isinstance(value, datetime):
        return _naive(field, value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str):
        return _django_text(field, value)
    if _is_list(value):
        return f"[{','.join(_literal(field, item) for item in cast('Iterable[object]', value))}]"
    raise ValueError(f"django: {field}: {value!r} cannot be sent")


def _number(value: int | Decimal) -> str:
    # The server sees a number in digits with at most one point; a sign or an exponent would leave it as text, which
    # no number in a JSON field is equal to. In brackets it is read as Python reads it.
    digits = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return f"({digits})" if value < 0 else digits.removeprefix("-")


def _django_text(field: str, text: str) -> str:
    reason = ""
    if text == "None" or text.lower() in ("true", "false") or text.replace(".", "", 1).isdigit():
        reason = "the server would read it as a number, a boolean or None, and not as text"
    elif text.startswith(("(", "[")) and text.endswith((")", "]")):
        reason = "the server would read it as a list"
    elif _splits(text):
        reason = "it has a comma or a bracket that the server would take for its own"
    elif text != text.rstrip():
        reason = "the server would cut the space at its end off"
    if reason:
        way = "Use the endpoint's own filter for that field"
        if field.rpartition("__")[2] not in _LOOKUPS and not any(bracket in text for bracket in "[]()"):
            way += f", or django={{{field + '__in'!r}: [{text!r}]}}"  # in a list, text stays text
        raise ValueError(f"django: {field}: {text!r} cannot be sent: {reason}. {way}.")
    return text


def _splits(text: str) -> bool:
    """Return whether Alyx would cut a text at a comma, or miss the comma after it."""
    closing = ""
    for character in text:
        if character == "," and not closing:
            return True
        if character in "[(":
            closing = "]" if character == "[" else ")"
        elif character == closing:
            closing = ""
    return bool(closing)


def _literal(field: str, item: object) -> str:
    """Return an item of a list, which the server reads as Python's literals."""
    item = _plain_python(item)
    if isinstance(item, UUID):
        item = str(item)
    elif isinstance(item, datetime):
        item = _naive(field, item).isoformat()
    elif isinstance(item, date):
        item = item.isoformat()
    if isinstance(item, str):
        if any(character in item for character in "[]()"):
            raise ValueError(f"django: {field}: {item!r} cannot be sent in a list, since it has a bracket")
        return ascii(str(item))
    if item is None or isinstance(item, int) or (isinstance(item, float) and math.isfinite(item)):
        return repr(item)
    raise ValueError(f"django: {field}: {item!r} cannot be sent in a list")


def _batches(field: str, values: Iterable[object]) -> Iterator[str]:
    """Yield lists that fit in a request, without repetitions and in order."""
    batch: list[str] = []
    length = 0
    for literal in dict.fromkeys(_literal(field, value) for value in values):
        sent = len(quote(literal)) + 1
        if batch and length + sent > _BATCH_LENGTH:
            yield f"[{','.join(batch)}]"
            batch, length = [], 0
        batch.append(literal)
        length += sent
    if batch:
        yield f"[{','.join(batch)}]"


def _keys(name: str, value: object) -> list[str]:
    """Return ``id=`` as Alyx needs it: a lookup of the primary key."""
    if _is_list(value):
        return [f"pk__in,{batch}" for batch in _batches(name, cast("Iterable[object]", value))]
    key = _text(name, value)
    if not key.strip() or any(character in key for character in ",[]()"):
        raise ValueError(f"{name}: {key!r} is not one key; pass several as a list")
    return [f"pk,{_uuid_text(key)}"]


def _uuid_text(key: str) -> str:
    """Return a UUID in the one form that Alyx's paths have; another key as it is."""
    try:
        return str(UUID(key))
    except ValueError:
        return key


def _naive(name: str, value: datetime) -> datetime:
    if value.tzinfo is not None:
        raise ValueError(f"{name}: {value} has a time zone, but Alyx keeps local times without one; pass it without")
    return value


def _plain_python(value: object) -> object:
    """Return what NumPy and enumerations wrap."""
    if isinstance(value, Enum):
        return value.value
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        array = cast("Any", value)
        # Python's own date-times hold no nanoseconds: NumPy would give their number instead.
        return (array.astype("datetime64[us]") if str(array.dtype) == "datetime64[ns]" else array).tolist()
    return value


def _is_list(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


# --- names of filters


def known_filters(method: Callable[P, R]) -> Callable[P, R]:
    """Make a misspelled filter an error that names the nearest ones.

    Parameters
    ----------
    method
        A method whose filters are its keyword-only parameters.
    """
    names = [name for name in inspect.signature(method).parameters if name != "self"]
    known = frozenset(names)

    @functools.wraps(method)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if len(args) > 1:
            raise TypeError(f"{method.__qualname__}() takes filters by name only, as in list({names[0]}=...)")
        for name in kwargs:
            if name not in known:
                raise unknown_filter(name, names, method.__qualname__)
        return method(*args, **kwargs)

    return checked


def unknown_filter(name: str, names: Sequence[str], where: str) -> TypeError:
    """Return the error for a filter that does not exist."""
    near = get_close_matches(name, names, n=3) or [each for each in names if name in each or each in name][:3]
    hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"There are: {', '.join(names)}."
    return TypeError(f"{where}() has no filter {name!r}. {hint} extra_params={{...}} passes anything.")


# --- keys


def quote_key(key: object, *, lookup: str, base_url: str, path: str) -> str:
    """Return a record's key as one segment of a path.

    Parameters
    ----------
    key
        The lookup value, or the record's own URL.
    lookup
        What the key is called, for messages.
    base_url, path
        The server, and the endpoint's path on it: where the record's URL must lie.

    Raises
    ------
    InvalidKeyError
        The key is missing, empty, or would leave the endpoint's path.
    ForeignURLError
        The URL is not one of this endpoint on this server.
    """
    key = _plain_python(key)
    if key is None or isinstance(key, bool) or not isinstance(key, str | int | UUID):
        raise InvalidKeyError(f"{path}: {lookup} is {key!r}; pass the {lookup} of a record, or its URL")
    text = str(key)
    if text.startswith(("http://", "https://")):
        folder, _, last = _below_server(text, base_url).rstrip("/").rpartition("/")
        if folder != path:
            raise InvalidKeyError(f"{redact_url(text)} is not a record of {path}")
        text = unquote(last)
    return _segment(text, f"{path}: {lookup}")


def quote_path(key: object, *, base_url: str, path: str) -> str:
    """Return a key that may hold slashes, each segment quoted.

    Parameters
    ----------
    key
        The path, or the whole URL that it is the end of.
    base_url, path
        The server, and the endpoint's path on it: where the URL must lie.

    Raises
    ------
    InvalidKeyError
        A segment is empty, or leads out of the path.
    ForeignURLError
        The URL is not one of this server.
    """
    if not isinstance(key, str):
        raise InvalidKeyError(f"{path} takes a path, and {key!r} is none")
    if key.startswith(("http://", "https://")):
        below = _below_server(key, base_url)
        if not below.startswith(f"{path}/"):
            raise InvalidKeyError(f"{redact_url(key)} is not below {path}")
        key = unquote(below.removeprefix(path))
    return "/".join(_segment(segment, path) for segment in key.strip("/").split("/"))


def _segment(text: str, what: str) -> str:
    if not text.strip() or text in (".", "..") or not text.isprintable():
        raise InvalidKeyError(f"{what} {text!r} is no key of a record")
    return quote(text, safe="")


def _below_server(url: str, base_url: str) -> str:
    if not same_origin(url, base_url):
        raise ForeignURLError(f"{redact_url(url)} is not a record of {base_url}, where this client's token belongs")
    return urlsplit(url).path.removeprefix(urlsplit(base_url).path)
