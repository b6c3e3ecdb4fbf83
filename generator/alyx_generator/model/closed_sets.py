"""Closed sets of values: of filters, of the fields that are sent, and of the columns that lookups compare with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alyx_client.runtime.closed_sets import ClosedSet, ClosedSets, Column
from alyx_client.schema.openapi import Schema, as_list, as_schema
from alyx_generator.model.ir import Api, JSONSchema, Model
from alyx_generator.model.json_fields import fields_by_key

__all__ = ["closed_set", "closed_sets"]


def closed_set(schema: Schema, extensions: Schema) -> ClosedSet | None:
    """Return the values that a schema lists, if it does.

    Parameters
    ----------
    schema
        The schema of a value, or of a list of values.
    extensions
        The object with the extension ``x-alyx-stored``: what the database holds for each value.
    """
    items = as_schema(schema.get("items"))
    values = _values(items or schema)
    if not values:
        return None
    stored = as_schema(extensions.get("x-alyx-stored"))
    in_database = tuple(stored[str(value)] for value in values) if all(str(value) in stored for value in values) else ()
    return ClosedSet(values, in_database, several=bool(items))


def closed_sets(api: Api) -> ClosedSets:
    """Return the closed sets of a client.

    Parameters
    ----------
    api
        What the server offers.
    """
    filters = {
        endpoint.name: members
        for endpoint in api.endpoints
        if (members := _united((one.name, one.members) for action in endpoint.actions for one in action.filters))
    }
    fields = {
        endpoint.name: members
        for endpoint in api.endpoints
        if (members := _united(_of_bodies(api.models[name] for action in endpoint.actions for name in action.bodies)))
    }
    json_fields = {name for endpoint in api.endpoints for name in fields_by_key(endpoint, api.models)}
    return ClosedSets(filters, fields, _columns(api), tuple(sorted(json_fields)) if _columns(api) else ())


def _united(sets: Iterable[tuple[str, ClosedSet | None]]) -> dict[str, ClosedSet]:
    """Return the sets by name; of actions that differ, either's values are valid, and all if one has no set."""
    united: dict[str, ClosedSet] = {}
    open_names: set[str] = set()
    for name, members in sets:
        if members is None:
            open_names.add(name)
        else:
            united[name] = united[name] | members if name in united else members
    return {name: members for name, members in united.items() if name not in open_names}


def _of_bodies(models: Iterable[Model]) -> Iterator[tuple[str, ClosedSet | None]]:
    return ((field.name, _of_field(field.schema)) for model in models for field in model.fields)


def _of_field(schema: JSONSchema) -> ClosedSet | None:
    variants = [as_schema(variant) for variant in as_list(schema.get("anyOf"))] or [schema]
    is_list = any("items" in variant for variant in variants)
    sets = [closed_set(variant, {}) for variant in variants if variant.get("type") != "null"]
    members = [one for one in sets if one is not None]
    # A value of another variant, such as any text, may be sent as well.
    if not members or len(members) < len(sets):
        return None
    return ClosedSet(tuple(value for one in members for value in one.values), several=is_list)


def _columns(api: Api) -> tuple[Column, ...]:
    columns: dict[tuple[str, ClosedSet, tuple[str, ...]], list[str]] = {}
    for endpoint in api.endpoints:
        for one in (one for action in endpoint.actions if action.name == "list" for one in action.filters):
            if one.is_column and one.members:
                columns.setdefault((one.name, one.members, one.relations), []).append(endpoint.name)
    return tuple(
        Column(name, members, tuple(endpoints), relations) for (name, members, relations), endpoints in columns.items()
    )


def _values(schema: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Return the values of an ``enum``, without null; none if they include what is neither text nor a whole number."""
    variants = [as_schema(variant) for variant in as_list(schema.get("anyOf"))]
    if variants:
        sets = [_values(variant) for variant in variants if variant.get("type") != "null"]
        return tuple(value for one in sets for value in one) if all(sets) else ()
    values = [value for value in as_list(schema.get("enum")) if value is not None]
    is_closed = all(isinstance(value, str | int) and not isinstance(value, bool) for value in values)
    return tuple(values) if is_closed else ()
