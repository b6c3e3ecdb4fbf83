"""Records in place of their keys, in calls by name: typed ones, and the dictionaries that these calls return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from alyx_client.errors import InvalidCallError
from alyx_client.http.json_body import is_array, is_object
from alyx_client.rest.scheme import FieldInfo, RestOperation, RestScheme
from alyx_client.runtime.keys import split_path
from alyx_client.runtime.references import Reference, has_records, keys_of_records, lookups_of_records
from alyx_client.schema.naming import endpoint_name, referred_endpoint, singular_of

__all__ = ["body_with_keys", "filters_with_keys"]


def filters_with_keys(
    filters: Mapping[str, object], endpoint: str, operation: RestOperation, scheme: RestScheme, base_url: str
) -> dict[str, object]:
    """Return the filters of a list with the keys of records in place of the records.

    Parameters
    ----------
    filters
        Values by filter.
    endpoint, operation
        The endpoint, and its ``list``.
    scheme
        The server's endpoints.
    base_url
        The server.

    Raises
    ------
    InvalidCallError
        It does not follow from the schema which field of the record the filter takes.
    InvalidKeyError, ForeignURLError
        A record is of another endpoint or server, or lacks that field.
    """
    fields = {field["name"]: field for field in operation.fields if field["in"] == "query"}
    keys: dict[str, object] = {}
    for name, value in filters.items():
        if name == "django":
            keys[name] = lookups_of_records(value, base_url)
        elif has_records(value):
            own = Reference(endpoint_name(endpoint), "id")
            reference = own if name == "id" else _reference(name, fields.get(name), scheme, f"{endpoint}: {name}")
            keys[name] = keys_of_records(value, reference, f"{endpoint}: {name}", base_url)
    return {**filters, **keys}


def body_with_keys(
    data: object, endpoint: str, fields: Iterable[FieldInfo], scheme: RestScheme, base_url: str
) -> object:
    """Return a body, one record or several, with the keys of records in the fields that refer to them.

    Parameters
    ----------
    data
        The body; anything but dictionaries is returned unchanged.
    endpoint, fields
        The endpoint, and the fields of the action.
    scheme
        The server's endpoints.
    base_url
        The server.

    Raises
    ------
    InvalidCallError, InvalidKeyError, ForeignURLError
        As for `filters_with_keys`.
    """
    if is_array(data):
        return [body_with_keys(item, endpoint, fields, scheme, base_url) for item in data]
    if not is_object(data):
        return data
    # A field of any other type takes an object as it is.
    texts = {field["name"]: field for field in fields if field["in"] == "body" and _item(field).get("type") == "string"}
    keys = {
        name: keys_of_records(
            value, _reference(name, texts[name], scheme, f"{endpoint}: {name}"), f"{endpoint}: {name}", base_url
        )
        for name, value in data.items()
        if name in texts and has_records(value)
    }
    return {**data, **keys} if keys else data


def _reference(name: str, field: FieldInfo | None, scheme: RestScheme, place: str) -> Reference:
    """Return what a filter or a field refers to."""
    schema: Mapping[str, Any] = _item(field) if field else {}
    paths = {endpoint_name(endpoint): endpoint for endpoint in scheme.endpoints}
    endpoint = referred_endpoint(name, {word: {word, singular_of(word)} for word in paths})
    form = schema.get("format")
    if form in ("uuid", "uri") or schema.get("type") == "integer":
        return Reference(endpoint or "", "url" if form == "uri" else "id")
    lookup = _lookup(scheme, paths[endpoint]) if endpoint else ""
    # Text in place of a UUID may be a name or a UUID: the schema does not say.
    if endpoint is None or lookup in ("", "id"):
        raise InvalidCallError(f"{place} takes no record; pass the value of one of its fields")
    return Reference(endpoint, lookup)


def _lookup(scheme: RestScheme, endpoint: str) -> str:
    """Return the field that an endpoint finds records by; empty if it has none."""
    if "read" not in scheme.actions(endpoint):
        return ""
    return split_path(scheme.url(endpoint, "read"))[1]


def _item(field: FieldInfo) -> Mapping[str, Any]:
    """Return the schema of a value of a field, or of an item of a list."""
    schema: Mapping[str, Any] = field["schema"]
    return schema.get("items") or {} if schema.get("type") == "array" else schema
