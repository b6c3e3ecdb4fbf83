"""Records as Alyx answers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import quote

from alyx_client.testing.records.relations import LOCAL_DATA_URL, Relation, Table
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.schema.document import FieldSchema, ObjectSchema

View = Literal["list", "create", "detail"]
Computed = Callable[["Renderer", Record, FieldSchema, View], Any]

_SEGMENT_SAFE = "!$&'()*+,;=/~:@"


class Renderer:
    """Turns records into JSON values.

    Parameters
    ----------
    store, tables
        Where the records are and what they look like.
    base_url
        Scheme and host of the request, from which hyperlinks are built.
    """

    def __init__(self, store: Store, tables: Mapping[str, Table], base_url: str) -> None:
        self.store = store
        self.tables = tables
        self.base_url = base_url

    def render(self, table: str, record: Record, shape: ObjectSchema, view: View) -> dict[str, Any]:
        """Return the fields of a record that a shape has, in its order."""
        from alyx_client.testing.records.computed import left_out

        omitted = left_out(table, view)
        return {
            name: self._value(table, record, field, view)
            for name, field in shape.fields.items()
            if not field.write_only and name not in omitted
        }

    def render_all(self, table: str, records: list[Record], shape: ObjectSchema) -> list[dict[str, Any]]:
        """Return nested records, as rows of a list."""
        return [self.render(table, record, shape, "list") for record in records]

    def link(self, table: str, record: Record) -> str:
        """Return the hyperlink of a record."""
        key = quote(str(record[self.tables[table].key]), safe=_SEGMENT_SAFE)
        return f"{self.base_url}/{table}/{key}"

    def resolve(self, text: str | None) -> str | None:
        """Fill this server's address into the URL of a repository that it serves itself."""
        if text is not None and text.startswith(LOCAL_DATA_URL):
            return f"{self.base_url}/data/{text[len(LOCAL_DATA_URL) :]}"
        return text

    def _value(self, table: str, record: Record, field: FieldSchema, view: View) -> Any:
        from alyx_client.testing.records.computed import COMPUTED

        computed = COMPUTED.get((table, field.name))
        if computed is not None:
            return computed(self, record, field, view)
        described = self.tables[table]
        relation = described.relations.get(field.name)
        if relation is not None:
            return self._relation(record.get(field.name), relation)
        if field.name == "url" and "url" not in described.columns:
            return self.link(table, record)
        labels = described.choices.get(field.name)
        if labels is not None:
            return next((label for label, number in labels.items() if number == record.get(field.name)), None)
        if field.name in record:
            return record[field.name]
        return empty_value(field)

    def _relation(self, held: Any, relation: Relation) -> Any:
        if relation.many:
            return [shown for key in held or () if (shown := self._related(key, relation)) is not None]
        return self._related(held, relation)

    def _related(self, key: Any, relation: Relation) -> Any:
        other = self.store.get(relation.to, key)
        if other is None:
            return None
        return self.link(relation.to, other) if relation.form == "url" else other[relation.slug]


def empty_value(field: FieldSchema) -> Any:
    """Return what stands in a field that nothing is known about."""
    if field.has_default:
        return field.default
    if field.nullable:
        return None
    empties: dict[str, Any] = {"string": "", "integer": 0, "number": 0.0, "boolean": False, "array": [], "object": {}}
    return empties.get(field.kind)


def nested_shape(field: FieldSchema, *fallback: str) -> ObjectSchema:
    """Return the shape of the objects that a field holds: the document's, or, where it has none, the names given."""
    for described in (field, field.items):
        if described is not None and described.schema is not None and described.schema.fields:
            return described.schema
    return ObjectSchema.of(*fallback)
