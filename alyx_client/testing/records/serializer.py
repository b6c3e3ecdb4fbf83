"""Records as JSON values, in the role of Django REST framework's serializers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import quote

from alyx_client.testing.records.relations import LOCAL_DATA_URL, Relation, Table
from alyx_client.testing.records.store import Key, Record, Store
from alyx_client.testing.schema.document import FieldSchema, ObjectSchema

View = Literal["list", "create", "detail"]
ComputedField = Callable[["Serializer", Record, FieldSchema, View], object]
OmittedFields = Callable[[str, View], frozenset[str]]

_SEGMENT_SAFE = "!$&'()*+,;=/~:@"
"""Characters that Django's `reverse` leaves as they are in a path segment."""


class Serializer:
    """Turns records into JSON values.

    Parameters
    ----------
    store, tables
        The records and their description.
    base_url
        Scheme and host of the request, from which hyperlinks are built.
    computed
        Functions that compute a field, by table and field name.
    omitted
        Returns the declared fields that are absent from a view of a table.
    """

    def __init__(
        self,
        store: Store,
        tables: Mapping[str, Table],
        base_url: str,
        computed: Mapping[tuple[str, str], ComputedField],
        omitted: OmittedFields,
    ) -> None:
        self.store = store
        self.tables = tables
        self.base_url = base_url
        self._computed = computed
        self._omitted = omitted

    def serialize(self, table: str, record: Record, schema: ObjectSchema, view: View) -> Record:
        """Return the fields of a record that a schema declares, in its order."""
        omitted = self._omitted(table, view)
        return {
            name: self._value(table, record, field, view)
            for name, field in schema.fields.items()
            if not field.write_only and name not in omitted
        }

    def serialize_nested(self, table: str, records: list[Record], schema: ObjectSchema) -> list[Record]:
        """Return nested records, in the form that lists use."""
        return [self.serialize(table, record, schema, "list") for record in records]

    def hyperlink(self, table: str, record: Record) -> str:
        """Return the URL of a record."""
        key = quote(str(record[self.tables[table].lookup_field]), safe=_SEGMENT_SAFE)
        return f"{self.base_url}/{table}/{key}"

    def resolve_data_url(self, url: str | None) -> str | None:
        """Insert this server's address into the URL of a repository that it serves itself."""
        if url is not None and url.startswith(LOCAL_DATA_URL):
            return f"{self.base_url}/data/{url[len(LOCAL_DATA_URL) :]}"
        return url

    def _value(self, table_name: str, record: Record, field: FieldSchema, view: View) -> object:
        computed = self._computed.get((table_name, field.name))
        if computed is not None:
            return computed(self, record, field, view)
        table = self.tables[table_name]
        relation = table.relations.get(field.name)
        if relation is not None:
            return self._relation(record, field.name, relation)
        # HyperlinkedModelSerializer adds this field to models that have none of the name.
        if field.name == "url" and "url" not in table.columns:
            return self.hyperlink(table_name, record)
        choices = table.choices.get(field.name)
        if choices is not None:
            return next((label for label, number in choices.items() if number == record.get(field.name)), None)
        if field.name in record:
            return record[field.name]
        return empty_value(field)

    def _relation(self, record: Record, name: str, relation: Relation) -> object:
        if not relation.many:
            return self._related(record.get(name), relation)
        related = (self._related(key, relation) for key in record.get(name) or ())
        return [representation for representation in related if representation is not None]

    def _related(self, key: Key | None, relation: Relation) -> object:
        related = self.store.get(relation.to, key)
        # A relation that is not set is null in every representation.
        if related is None:
            return None
        if relation.representation == "hyperlink":
            return self.hyperlink(relation.to, related)
        return related[relation.slug_field]


def empty_value(field: FieldSchema) -> object:
    """Return the value of a field that no table describes."""
    if field.has_default:
        return field.default
    if field.nullable:
        return None
    empties: dict[str, object] = {
        "string": "",
        "integer": 0,
        "number": 0.0,
        "boolean": False,
        "array": [],
        "object": {},
    }
    return empties.get(field.kind)


def nested_schema(field: FieldSchema, *fallback: str) -> ObjectSchema:
    """Return the schema of the objects nested in a field: the document's, or else one of the fallback's names."""
    for declared in (field, field.items):
        if declared is not None and declared.schema is not None and declared.schema.fields:
            return declared.schema
    return ObjectSchema.of(*fallback)
