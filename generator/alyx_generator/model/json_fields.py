"""JSON fields of models, and those that can be changed key by key."""

from __future__ import annotations

from collections.abc import Mapping

from alyx_generator.model.ir import Endpoint, EndpointAction, JSONSchema, Model, ModelField
from alyx_generator.model.naming import attribute_names

# Keywords that restrict nothing.
_ANNOTATIONS = frozenset({"description", "title", "nullable", "default"})


def is_json_field(field: ModelField) -> bool:
    """Return whether a field holds any JSON, or an object with any keys.

    Parameters
    ----------
    field
        A field of a model.
    """
    return _is_free(field) or any(_is_object(variant) for variant in field.schema.get("anyOf", (field.schema,)))


def fields_by_key(endpoint: Endpoint, models: Mapping[str, Model]) -> list[str]:
    """Return the names of the JSON fields that ``json_field_update`` can change.

    Parameters
    ----------
    endpoint
        The endpoint.
    models
        The models of all endpoints, by name.
    """
    actions = {action.name: action for action in endpoint.actions}
    read, change = actions.get("read"), actions.get("partial_update")
    if read is None or change is None or not _share_record(read, change):
        return []
    record, sent = models.get(read.response.annotation), models.get(change.body)
    if record is None or sent is None:
        return []
    free = {field.name for field in record.fields if _is_free(field)}
    attributes = attribute_names(record)
    # json_field_update reads and writes by one name, so the attribute must be called as the server's field.
    return sorted(
        field.name
        for field in sent.fields
        if field.name in free and _is_free(field) and attributes[field.name] == field.name
    )


def _share_record(read: EndpointAction, change: EndpointAction) -> bool:
    """Return whether both actions are about one record, found by one key."""
    same_record = read.response.annotation == change.response.annotation and read.path == change.path
    return same_record and read.lookup is not None and not read.parents and change.single


def _is_free(field: ModelField) -> bool:
    # Django's JSONField has no type in the schema: drf-spectacular writes `{}`.
    return not set(field.schema) - _ANNOTATIONS


def _is_object(schema: JSONSchema) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)
