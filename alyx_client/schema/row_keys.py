"""The fields by which a schema tells the rows of a list apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alyx_client.schema.openapi import OpenAPIDocument, OpenAPIOperation, Schema, as_schema, json_schema
from alyx_client.schema.routes import path_keys

__all__ = ["is_identifier", "key_fields", "list_key_fields", "page_fields"]

_PRIMARY_KEYS = ("id", "pk")


def key_fields(lookup: str, lookup_schema: Schema, properties: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields of a row that certainly hold its key, the first choice first; none if no field does.

    A UUID or a number that the endpoint looks records up by identifies a record, and so does a URL that ends in it.
    A name does not, even if records are looked up by it: Alyx' locations repeat their names. A row may nevertheless
    have a read-only `id` (or `pk`) that is a UUID or a number: that is certain, too, since Django allows a field called
    ``id`` for primary keys only (its check ``models.E004``), and Django REST framework makes no other key read-only.

    Parameters
    ----------
    lookup
        The name of the key in the path of one record; empty if there is no such path.
    lookup_schema
        The resolved schema of that key.
    properties
        The resolved schemas of a row's fields.
    """
    if not lookup or not is_identifier(lookup_schema):
        names = (name for name in _PRIMARY_KEYS if as_schema(properties.get(name)).get("readOnly") is True)
        return tuple(name for name in names if is_identifier(as_schema(properties[name])))[:1]
    # drf-spectacular names the key in the path `id`, also if the model calls it otherwise.
    own = [name for name in _PRIMARY_KEYS if is_identifier(as_schema(properties.get(name)))]
    fields = [lookup] if lookup in properties else own[:1]
    if _is_url(as_schema(properties.get("url"))) and "url" not in fields:
        fields.append("url")
    return tuple(fields)


def is_identifier(schema: Schema) -> bool:
    """Return whether values of a schema are UUIDs or whole numbers."""
    return schema.get("format") == "uuid" or schema.get("type") == "integer"


def list_key_fields(document: OpenAPIDocument, operation: OpenAPIOperation) -> tuple[str, ...]:
    """Return the fields that tell apart the rows of a list; none for operations that are none.

    Parameters
    ----------
    document
        The document.
    operation
        An operation of it.
    """
    row = as_schema(page_fields(document, operation).get("results")).get("items")
    if operation.method != "GET" or not row:
        return ()
    lookup, schema = _lookup(document, operation.path)
    properties = as_schema(document.resolve(row).get("properties"))
    return key_fields(lookup, schema, {name: document.resolve(field) for name, field in properties.items()})


def page_fields(document: OpenAPIDocument, operation: OpenAPIOperation) -> dict[str, Schema]:
    """Return the resolved schemas of the fields of a response, by name; among those of a page are its rows."""
    responses = as_schema(operation.spec.get("responses"))
    schema = document.resolve(json_schema(document.resolve(responses.get("200"))))
    return {name: document.resolve(field) for name, field in as_schema(schema.get("properties")).items()}


def _lookup(document: OpenAPIDocument, path: str) -> tuple[str, Schema]:
    """Return the name and the schema of the key by which records of a list are looked up."""
    collection = path.rstrip("/")
    for operation in document.operations():
        before, _, last = operation.path.rstrip("/").rpartition("/")
        if before == collection and (keys := path_keys(f"/{last}")):
            parameters = {
                parameter["name"]: parameter for parameter in operation.parameters if parameter["in"] == "path"
            }
            return keys[0], document.resolve(as_schema(parameters.get(keys[0])).get("schema"))
    return "", {}


def _is_url(schema: Schema) -> bool:
    return schema.get("type") == "string" and (schema.get("format") == "uri" or schema.get("readOnly") is True)
