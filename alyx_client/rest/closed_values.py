"""Closed sets of values in calls by name: those that the server declares, and those known of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alyx_client.http.json_body import is_array, is_object
from alyx_client.rest.requests import parse_data
from alyx_client.rest.scheme import FieldInfo, RestOperation
from alyx_client.runtime.closed_filters import ClosedFilters
from alyx_client.runtime.closed_sets import ClosedSet, ClosedSets, not_in_set

__all__ = ["check_fields", "closed_filters"]


def closed_filters(endpoint: str, operation: RestOperation, closed_sets: ClosedSets) -> ClosedFilters:
    """Return the closed sets of a list's filters.

    Parameters
    ----------
    endpoint, operation
        The endpoint, and its ``list``.
    closed_sets
        The sets that are known without the server's schema.
    """
    return ClosedFilters(_attribute(endpoint), closed_sets, _declared(operation, "query"))


def check_fields(endpoint: str, operation: RestOperation, data: object, closed_sets: ClosedSets) -> None:
    """Check the values of what is to be stored.

    Parameters
    ----------
    endpoint, operation
        The endpoint, and the action.
    data
        A record, several, or JSON as text; what is none of these is left to the request.
    closed_sets
        The sets that are known without the server's schema.

    Raises
    ------
    InvalidFieldError
        A value is not in the field's set, or the data cannot be sent.
    """
    declared = _declared(operation, "body")
    known = closed_sets.fields.get(_attribute(endpoint), {})
    sets = {name: _united(known.get(name), declared.get(name)) for name in (*known, *declared)}
    if not sets:
        return
    content: object = parse_data(data, f"{operation.method} {operation.path}")
    for record in content if is_array(content) else [content]:
        if is_object(record):
            _check_record(endpoint, record, sets)


def _check_record(endpoint: str, record: Mapping[str, object], sets: Mapping[str, ClosedSet]) -> None:
    for name, members in sets.items():
        value = record.get(name)
        # The server reads several values from one text, too.
        several = value.split(",") if members.several and isinstance(value, str) else value
        for one in several if is_array(several) else [several]:
            # Unlike filters, records are compared with regard to case. The server judges null.
            if isinstance(one, str | int) and str(one) not in map(str, members.values):
                hint = f"client.post and client.patch send anything to /{endpoint}."
                raise not_in_set(f"{endpoint}: {name}", one, members.values, hint)


def _united(known: ClosedSet | None, declared: ClosedSet | None) -> ClosedSet:
    if known is None or declared is None:
        return known or declared or ClosedSet(())
    return known | declared


def _declared(operation: RestOperation, location: str) -> dict[str, ClosedSet]:
    sets = {field["name"]: _closed_set(field) for field in operation.fields if field["in"] == location}
    return {name: members for name, members in sets.items() if members.values}


def _closed_set(field: FieldInfo) -> ClosedSet:
    schema: Mapping[str, Any] = field["schema"]
    is_list = schema.get("type") == "array"
    values = schema.get("items", {}).get("enum", ()) if is_list else schema.get("enum", ())
    # drf-spectacular adds null to the values, and the empty text to those of fields that may be blank.
    members = [value for value in values if isinstance(value, str | int) and (value != "" or field["in"] == "body")]
    return ClosedSet(tuple(members), several=is_list)


def _attribute(endpoint: str) -> str:
    return endpoint.replace("-", "_")
