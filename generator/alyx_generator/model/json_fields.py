"""JSON fields: which fields are ones, and which of them can be changed key by key."""

from __future__ import annotations

from collections.abc import Mapping

from alyx_generator.model.ir import Endpoint, Field, JSONSchema, Shape
from alyx_generator.model.naming import attribute_names


def is_json_field(field: Field) -> bool:
    """Return whether a field holds JSON of any form, or an object with any keys.

    Parameters
    ----------
    field
        A field of a shape.
    """
    return _is_free(field) or any(_is_object(variant) for variant in field.schema.get("anyOf", (field.schema,)))


def fields_by_key(endpoint: Endpoint, shapes: Mapping[str, Shape]) -> list[str]:
    """Return the names of the JSON fields that ``json_field_update`` can change.

    Parameters
    ----------
    endpoint
        The endpoint.
    shapes
        The shapes of all endpoints, by name.
    """
    actions = {action.name: action for action in endpoint.actions}
    read, change = actions.get("read"), actions.get("partial_update")
    if read is None or change is None or read.answer.shape != change.answer.shape:
        return []
    # A field is found by one key alone, the same for both.
    if read.lookup is None or change.path != read.path or read.parents or not change.single:
        return []
    answered, sent = shapes.get(read.answer.shape), shapes.get(change.body)
    if answered is None or sent is None:
        return []
    free = {field.name for field in answered.fields if _is_free(field)}
    own = attribute_names(answered)
    return sorted(
        field.name for field in sent.fields if field.name in free and _is_free(field) and own[field.name] == field.name
    )


def _is_free(field: Field) -> bool:
    return not set(field.schema) - {"description", "title", "nullable", "default"}


def _is_object(schema: JSONSchema) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)
