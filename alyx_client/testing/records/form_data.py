"""Decoding of form data, whose values are text or files, into a body."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from alyx_client.testing.records.relations import Column, Table
from alyx_client.testing.records.store import Record
from alyx_client.testing.schema.document import FieldSchema, ObjectSchema


class NotJSON:
    """Placeholder for text that should have been JSON."""


def decode_form(schema: ObjectSchema, table: Table, form: Mapping[str, Sequence[object]]) -> Record:
    """Decode the fields of a form by the types of a table's fields."""
    return {name: _decode(schema.fields.get(name), table, name, values) for name, values in form.items()}


def _decode(field: FieldSchema | None, table: Table, name: str, values: Sequence[object]) -> object:
    # A form repeats the name of a field to send a list.
    relation = table.relations.get(name)
    if (field is not None and field.kind == "array") or (relation is not None and relation.many):
        return values
    # Django's QueryDict returns the last of several values.
    value = values[-1]
    if isinstance(value, str) and _holds_json(field, table.columns.get(name)):
        try:
            return json.loads(value) if value else None
        except ValueError:
            return NotJSON()
    # A form cannot express null; DRF reads empty text as null where null is allowed.
    return None if field is not None and field.nullable and value == "" else value


def _holds_json(field: FieldSchema | None, column: Column | None) -> bool:
    return (column is not None and column.kind == "json") or (field is not None and field.kind in ("any", "object"))
