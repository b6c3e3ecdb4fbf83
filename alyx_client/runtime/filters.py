"""Filters as query parameters in Alyx's formats, and errors for values that these formats cannot express.

Alyx ignores a filter that it does not know and returns everything, so that names and values are checked before
anything is sent.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import date, datetime
from decimal import Decimal
from itertools import product
from types import MappingProxyType
from typing import Any, Literal, ParamSpec, TypeVar, cast
from uuid import UUID

from alyx_client.errors import UnknownFilterError
from alyx_client.http.log import warn
from alyx_client.http.message import Params
from alyx_client.http.suggestions import suggest
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.closed_filters import ClosedFilters
from alyx_client.runtime.coerce import entries, naive, query_value, unsendable
from alyx_client.runtime.django_filter import (
    DjangoFilter,
    Lookups,
    Repeated,
    batches,
    check_pairs,
    django_filter,
    split_parts,
)
from alyx_client.runtime.filter_values import (
    FilterType,
    check_moment,
    read_boolean,
    read_range,
    read_typed,
    whole_day,
)
from alyx_client.runtime.keys import uuid_text
from alyx_client.runtime.references import key_of_url

__all__ = ["DateRange", "DjangoFilter", "FilterStyle", "Repeated", "encode", "known_filters"]

P = ParamSpec("P")
R = TypeVar("R")
FilterStyle = Literal["plain", "boolean", "moment", "comma", "repeat", "range", "day", "id", "django"]
DateRange = date | str | tuple[date | str, date | str]
"""A pair of days, both included; or one day."""

# Alyx counts the distinct dataset types of a record and requires as many as names were sent, so a repeated name matches
# nothing. Elsewhere equal values have a meaning: a date range of one day is the same date twice, `extended_qc` is pairs
# whose values may be equal, and `datasets` of an insertion requires as many datasets as names were sent.
_DISTINCT = frozenset({"dataset_types"})


_CACHE_KEYWORDS = frozenset({"bypass_cache", "clobber", "expires", "no_cache", "use_cache"})

# A range is its first and its last day, and `extended_qc` is pairs of a name and a value.
_ORDERED = frozenset({"date_range", "extended_qc"})


# Values of these styles are of one type by themselves.
_TYPES_OF_STYLES: Mapping[FilterStyle, FilterType] = {"day": "date", "moment": "date-time"}


@dataclass(frozen=True, slots=True)
class _Filter:
    """A filter: its style, the type of its values if one is declared, and its endpoint, for messages."""

    name: str
    style: FilterStyle
    type: FilterType | None
    endpoint: str

    def read(self, value: object) -> object:
        """Return one value as the server reads it; an error if it is of another type than the declared one."""
        if self.type is None or self.name in _ORDERED:
            return value
        if self.style == "comma" and isinstance(value, str) and "," in value:
            # Several values as one text, as in a URL.
            for part in value.split(","):
                read_typed(self.name, part, self.type, self.endpoint)
            return value
        return read_typed(self.name, value, self.type, self.endpoint)

    def text(self, value: object) -> str:
        """Return one value as the text that is sent."""
        text = _text(self.name, self.read(value))
        if not text.strip():
            raise _empty(self.name, self.endpoint)
        return text


def encode(
    filters: Mapping[str, object],
    styles: Mapping[str, FilterStyle],
    *,
    endpoint: str,
    extra_params: Mapping[str, object] | None = None,
    closed: ClosedFilters | None = None,
    types: Mapping[str, FilterType] = MappingProxyType({}),
) -> list[Params]:
    """Return the query parameters for filters.

    Parameters
    ----------
    filters
        Values by the server's names; None for a filter that was left out.
    styles
        The style in which each filter is sent.
    endpoint
        The endpoint's name, for messages.
    extra_params
        Parameters that are sent without a check, in place of the filters of the same name; a sequence is sent as
        repeated parameters.
    closed
        The sets that values must be from.
    types
        The types that values must be of, where text and the style leave it open.

    Returns
    -------
    list of Params
        One set of parameters; several if a long list of keys was split; none if a list of keys is empty, so that
        nothing can match.

    Raises
    ------
    ValueError, TypeError
        A value cannot be sent; the message names the filter.
    """
    values, extra_values = _without_none(filters), _without_none(extra_params or {})
    values = closed.apply(values, styles) if closed else values
    if "django" in styles:
        check_pairs(values)
    if "django" in styles and "django" in extra_values:
        # The server reads only one `django` parameter, and `id=` is sent in it, too.
        values["django"] = extra_values.pop("django")
    pairs: list[tuple[str, str]] = []
    lookups: list[list[str]] = []
    for name, value in values.items():
        one = _Filter(name, styles[name], types.get(name) or _TYPES_OF_STYLES.get(styles[name]), endpoint)
        texts = _lookups(one, value, styles)
        if texts is None:
            pairs.extend((name, text) for text in _texts(one, value))
        else:
            lookups.append(texts)
    if sum(len(texts) > 1 for texts in lookups) > 1:
        raise ValueError(
            f"{endpoint}: only one list of keys can be split over several requests, and here are two long ones"
        )
    _refuse_repeated_lookups(lookups, endpoint)
    # Sent twice, a parameter would have the value that the server happens to read: the last one, in Django.
    pairs = [pair for pair in pairs if pair[0] not in extra_values]
    extra = list(_unchecked_pairs(extra_values, endpoint))
    return [(*pairs, *_django_parameter(texts), *extra) for texts in product(*lookups)]


def _without_none(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _unchecked_pairs(params: Mapping[str, object], endpoint: str) -> Iterator[tuple[str, str]]:
    for name, value in entries(params, "extra_params"):
        value = query_value(value, name)
        if value == []:
            raise _empty(name, endpoint)
        for item in cast("list[object]", value) if isinstance(value, list) else [value]:
            yield name, _text(name, item)


def _lookups(one: _Filter, value: object, styles: Mapping[str, FilterStyle]) -> list[str] | None:
    """Return a filter as lookups of the ``django`` parameter, one per request; None if it has its own parameter."""
    if isinstance(value, Lookups):
        return django_filter(value)
    if one.style == "id" and "django" in styles:
        return _keys(one, value)
    return django_filter(cast("DjangoFilter", value)) if one.style == "django" else None


def _refuse_repeated_lookups(lookups: Sequence[Sequence[str]], endpoint: str) -> None:
    """Refuse a lookup that two filters have, such as ``where`` and ``django``: the server has one place for both."""
    if len(lookups) < 2:
        return
    names: set[str] = set()
    for texts in lookups:
        own = set(split_parts(texts[0])[::2]) if texts and texts[0] else set[str]()
        if repeated := names & own:
            raise ValueError(f"{endpoint}: two of its filters compare {min(repeated)!r}, and Alyx takes one comparison")
        names |= own


def _django_parameter(texts: Sequence[str]) -> list[tuple[str, str]]:
    text = ",".join(filter(None, texts))
    return [("django", text)] if text else []


def _texts(one: _Filter, value: object) -> list[str]:
    """Return the values of a filter's parameter, which is repeated if there are several."""
    name, style = one.name, one.style
    if isinstance(value, Repeated):
        return [one.text(text) for text in value]
    if name in _ORDERED and isinstance(value, Set):
        raise unsendable(name, "a set has no order, and the order of these values counts; pass a list")
    if style == "range":
        return [read_range(name, value)]
    if isinstance(value, Mapping):
        kind = type(cast("object", value)).__name__
        raise unsendable(name, f"a {kind} cannot be sent as a filter; pass the value of one of its fields")
    value = query_value(value, name)
    # Alyx answers a time of day with a server error.
    if style == "day" and isinstance(value, datetime):
        value = naive(name, value).date()
    if not isinstance(value, list):
        if style == "moment":
            check_moment(name, value, one.endpoint)
        return [one.text(value if style != "boolean" else _boolean(name, value, one.endpoint))]
    if style not in ("comma", "repeat"):
        raise ValueError(
            f"{one.endpoint}: {name} takes one value, not several; where the list has conditions, several are "
            "where=client.<endpoint>.fields.<field>.in_([...]), or django={'<column>__in': [...]}"
        )
    texts = [one.text(_as_day(name, item)) for item in cast("list[object]", value)]
    if not texts:
        raise _empty(name, one.endpoint)
    return texts if style == "repeat" else [_joined(name, texts, one.endpoint)]


def _boolean(name: str, value: object, endpoint: str) -> object:
    # An empty text has an error of its own.
    return value if isinstance(value, str) and not value.strip() else read_boolean(name, value, endpoint)


def _as_day(name: str, value: object) -> object:
    # Calls by name join the days as they are, and Alyx answers a time of day with a server error.
    return whole_day(name, value) if name == "date_range" and isinstance(value, datetime) else value


def _joined(name: str, texts: Sequence[str], endpoint: str) -> str:
    for text in texts:
        if "," in text:
            raise ValueError(
                f"{endpoint}: {name} sends its values joined by commas, so {text!r} cannot be one of several"
            )
    return ",".join(dict.fromkeys(texts) if name in _DISTINCT else texts)


def _empty(name: str, endpoint: str) -> ValueError:
    return ValueError(f"{endpoint}: {name} is empty, which the server would take for no filter at all; leave it out")


def _text(name: str, value: object) -> str:
    """Return one plain value as text."""
    # Before numbers, since a bool is an int.
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return naive(name, value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | float | Decimal | UUID):
        try:
            return str(value)
        except ValueError:
            raise unsendable(name, "an integer of thousands of digits cannot be sent as a filter") from None
    raise unsendable(name, f"a {type(value).__name__} cannot be sent as a filter")


def _keys(one: _Filter, value: object) -> list[str]:
    """Return ``id=`` as lookups of the primary key: Alyx has no filter for several keys."""
    name = one.name
    value = query_value(value, name)
    if isinstance(value, list):
        keys = (one.read(_without_address(key)) for key in cast("list[object]", value))
        return [f"pk__in,{batch}" for batch in batches(name, keys)]
    # Commas and brackets are syntax of the mini-language, which has no escape.
    key = _text(name, _without_address(value))
    if not key.strip() or any(character in key for character in ",[]()"):
        raise ValueError(f"{name}: {key!r} is not one key; pass several as a list")
    return [f"pk,{uuid_text(_text(name, one.read(key)))}"]


def _without_address(key: object) -> object:
    """Return the key at the end of a record's URL; other keys unchanged."""
    return key_of_url(key) if isinstance(key, str) and key.startswith(("http://", "https://")) else key


def known_filters(method: Callable[P, R]) -> Callable[P, R]:
    """Make a misspelled filter an error that names the nearest ones; ``limit`` is the former name of ``page_size``.

    Parameters
    ----------
    method
        A method whose filters are its keyword-only parameters.
    """
    parameters = inspect.signature(method).parameters
    names = [name for name in parameters if name != "self"]
    filters = frozenset(names)
    positional = sum(parameter.kind is not inspect.Parameter.KEYWORD_ONLY for parameter in parameters.values())

    @functools.wraps(method)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if len(args) > positional:
            example = names[positional - 1]
            raise TypeError(f"{method.__qualname__}() takes filters by name only, as in list({example}=...)")
        if not kwargs.keys() <= filters:
            return cast("Callable[..., R]", method)(*args, **_renamed(kwargs, names, method.__qualname__))
        return method(*args, **kwargs)

    return checked


def _renamed(filters: dict[str, object], names: Sequence[str], method: str) -> Any:
    """Return the filters with ``limit`` under its present name; any other unknown filter is an error."""
    # As in ONE, it is the size of a page: all rows are returned, in pages of that many.
    if "limit" in filters and "page_size" in names:
        if filters.get("page_size") is not None:
            raise TypeError(f"{method}() takes page_size, and limit is its former name; pass page_size alone.")
        warn(
            f"{method}(limit=...) is the number of rows in a page, and returns all rows. It is called page_size now; "
            "max_items is the most rows to return.",
            DeprecationWarning,
        )
        filters = {**filters, "page_size": filters["limit"]}
        del filters["limit"]
    unknown = [name for name in filters if name not in names]
    if unknown:
        raise unknown_filter(unknown[0], names, method)
    return filters


def unknown_filter(name: str, names: Sequence[str], method: str) -> UnknownFilterError:
    """Return the error for a filter that does not exist.

    Parameters
    ----------
    name
        The filter.
    names
        The filters that exist.
    method
        The qualified name of the method.
    """
    hint = cache_hint(name) or f"{suggest(name, names)} extra_params={{...}} passes anything."
    return UnknownFilterError(f"{method}() has no filter {name!r}. {hint}")


def cache_hint(name: str) -> str:
    """Return what to write in place of a keyword of calls by name, or of ONE, that passes over the cache."""
    if name not in _CACHE_KEYWORDS:
        return ""
    return "`with client.cache_disabled():` passes over cached responses."
