"""Filters of lists called by name: from keywords and the query of a URL, checked against the server's schema."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from alyx_client.errors import AlyxError, InvalidCallError
from alyx_client.http.arguments import shown
from alyx_client.http.headers import whole_number
from alyx_client.http.message import Params
from alyx_client.http.suggestions import suggest
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.rest.closed_values import closed_filters
from alyx_client.rest.scheme import FieldInfo, RestOperation
from alyx_client.runtime.closed_sets import ClosedSets
from alyx_client.runtime.coerce import UnsendableValueError, is_list, plain_python
from alyx_client.runtime.django_filter import Repeated, join_parts
from alyx_client.runtime.filters import FilterStyle, encode
from alyx_client.runtime.zones import with_zones
from alyx_client.schema.naming import endpoint_name
from alyx_client.schema.routes import PAGING_PARAMETERS

__all__ = ["EncodedFilters", "encode_filters", "parse_query", "with_lookups"]

_PAGING_HELP = {
    "limit": "the number of rows per request, at least 1",
    "offset": "the position of the first row",
}


@dataclass(frozen=True, slots=True)
class EncodedFilters:
    """The filters of a list as query parameters.

    Parameters
    ----------
    param_sets
        The query parameters, without paging: several sets if a long list of keys was split, none if nothing can match.
    limit, offset
        The page size and the position of the first row; None if not requested.
    has_lookups
        Whether the list takes Django lookups, so that ranges of UUIDs can be requested.
    """

    param_sets: Sequence[Params]
    limit: int | None
    offset: int | None
    has_lookups: bool


def encode_filters(
    endpoint: str,
    operation: RestOperation,
    filters: Mapping[str, Any],
    *,
    extra_params: Mapping[str, object] | None,
    strict: bool,
    closed_sets: ClosedSets,
    zones: bool = False,
) -> EncodedFilters:
    """Encode the filters of a list.

    Parameters
    ----------
    endpoint, operation
        The endpoint, and its ``list``.
    filters
        The filters by name, paging included; those that are None are left out.
    extra_params
        Query parameters that are sent without a check.
    strict
        Whether an unknown filter is an error.
    closed_sets
        The sets that values must be from.
    zones
        Whether date-times may have a time zone.

    Raises
    ------
    InvalidCallError
        A filter is unknown, empty, or of a wrong type, or a value is none of the filter's.
    """
    remaining = {name: value for name, value in filters.items() if value is not None}
    paging = operation.paging
    # Lists whose pages name the next one take what they declare.
    names = ("offset", "limit") if paging.style == "offset" else ("", paging.size)
    offset, limit = (_parse_paging(endpoint, name, remaining.pop(name, None)) for name in names)
    styles = _filter_styles(operation)
    # Alyx silently ignores a filter that it does not know: a typing error would return every record.
    unknown = [name for name in remaining if name not in styles]
    if unknown and strict:
        raise InvalidCallError(
            f"{endpoint} has no filter {unknown[0]!r}, and Alyx would return everything. "
            f"{suggest(unknown[0], styles)} extra_params={{...}} or strict_filters=False passes anything."
        )
    unknown_styles: dict[str, FilterStyle] = dict.fromkeys(unknown, "comma")
    try:
        if zones:
            remaining, extra_params = with_zones(remaining, {}), with_zones(extra_params or {}, {})
        param_sets = encode(
            _normalise(remaining),
            unknown_styles | styles,
            endpoint=endpoint,
            extra_params=extra_params,
            closed=closed_filters(endpoint, operation, closed_sets),
            types=operation.types,
        )
    except (TypeError, ValueError) as error:
        raise InvalidCallError(str(error)) from None
    return EncodedFilters(param_sets, limit, offset, "django" in styles)


def parse_query(query: str) -> dict[str, Any]:
    """Return the filters in the query of a URL; a filter that occurs several times keeps all its values."""
    values: dict[str, list[str]] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name, []).append(text)
    return {
        # As in Django, the last of several values counts where only one is taken.
        name: texts[-1] if len(texts) == 1 or name in PAGING_PARAMETERS else Repeated(texts)
        for name, texts in values.items()
    }


def with_lookups(
    filters: Mapping[str, object], models: Mapping[str, str], endpoint: str, base_url: str
) -> Mapping[str, object]:
    """Return the filters of a list with the lookups of the condition ``where`` in its place.

    Parameters
    ----------
    filters
        Values by filter.
    models
        The model of each list's rows, by endpoint.
    endpoint, base_url
        The endpoint and the server.

    Raises
    ------
    InvalidCallError
        ``where`` is no condition, or one on another model.
    ForeignURLError
        A record in it is of another server.
    """
    where = filters.get("where")
    if where is None:
        return filters
    # Typed queries are loaded by those who use them.
    from alyx_client.runtime.query.condition import lookups_of

    name = endpoint_name(endpoint)
    try:
        return {**filters, "where": lookups_of(where, models.get(name, ""), name, base_url)}
    except (TypeError, ValueError) as error:
        if isinstance(error, AlyxError):
            raise
        raise InvalidCallError(str(error)) from None


def _filter_styles(operation: RestOperation) -> dict[str, FilterStyle]:
    paging = operation.paging
    selecting = PAGING_PARAMETERS if paging.style == "offset" else {paging.size}
    styles: dict[str, FilterStyle] = {
        field["name"]: _style(field, operation)
        for field in operation.fields
        if field["in"] == "query" and field["name"] not in selecting
    }
    if "django" in styles:
        # Alyx has no filter for several keys; encode() makes a Django lookup of them.
        styles |= {"django": "django", "where": "django", "id": "id"}
    return styles


def _style(field: FieldInfo, operation: RestOperation) -> FilterStyle:
    if field["schema"].get("type") == "boolean":
        return "boolean"
    # OpenAPI declares both an array; "explode: false" is the one whose values are joined by commas.
    is_repeated = field["schema"].get("type") == "array" and field["name"] not in operation.joined
    return "repeat" if is_repeated else "comma"


def _normalise(filters: dict[str, Any]) -> dict[str, Any]:
    """Return the filters, lookups passed in parts as one text, and the URL of a record as its key."""
    lookups, key = filters.get("django"), filters.get("id")
    if is_list(lookups):
        filters = filters | {"django": join_parts(lookups)}
    if isinstance(key, str) and key.startswith(("http://", "https://")):
        filters = filters | {"id": key.rstrip("/").rpartition("/")[2]}
    return filters


def _whole(value: object, name: str) -> int | None:
    try:
        plain = plain_python(value, name)
    except UnsendableValueError:
        return None
    if isinstance(plain, int):
        return int(plain) if 0 <= plain <= sys.maxsize else None
    return whole_number(plain) if isinstance(plain, str) else None


def _parse_paging(endpoint: str, name: str, value: object) -> int | None:
    if value is None:
        return None
    number = _whole(value, name)
    if number is None or (name != "offset" and number == 0):
        help_ = _PAGING_HELP["offset" if name == "offset" else "limit"]
        raise InvalidCallError(f"{endpoint}: {name} is {help_}; not {shown(value)}")
    return number
