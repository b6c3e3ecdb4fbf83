"""The part of Alyx's models that no schema document states.

A table describes one kind of record: its columns, including those that no endpoint shows; its relations, how they
are represented and what deletion does to them; closed sets stored as numbers; defaults; uniqueness; the default
ordering. Endpoints without a declared table get a generic one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from alyx_client.testing.schema.document import Endpoint, FieldSchema

ColumnKind = Literal["uuid", "text", "int", "float", "bool", "date", "datetime", "json", "floats"]

NOW = "<now>"
USER = "<user>"
"""Placeholders among defaults, replaced when a record is created."""

LOCAL_DATA_URL = "<local>/data/"
"""Placeholder in a repository's `data_url`: this server's own address is known only when a request arrives."""

QC = {"CRITICAL": 50, "FAIL": 40, "WARNING": 30, "NOT_SET": 0, "PASS": 10}
TASK_STATUS = {
    "Waiting": 20,
    "Held": 25,
    "Started": 30,
    "Errored": 40,
    "Abandoned": 45,
    "Empty": 50,
    "Incomplete": 55,
    "Complete": 60,
}
TRAJECTORY_PROVENANCE = {
    "Ephys aligned histology track": 70,
    "Histology track": 50,
    "Micro-manipulator": 30,
    "Planned": 10,
}
FOV_PROVENANCE = {"estimate": "E", "functional": "F", "landmark": "L", "histology": "H"}
CONTENT_APPS = ("actions", "data", "experiments", "jobs", "subjects", "misc")
"""Django apps whose models a note or a dataset can refer to by content type."""


@dataclass(frozen=True)
class Relation:
    """A foreign key, or a many-to-many field.

    Parameters
    ----------
    to
        The related table.
    slug_field
        The column of the related table that represents it.
    many
        True for a many-to-many field.
    representation
        ``"slug"`` (SlugRelatedField), ``"hyperlink"`` (HyperlinkedRelatedField) or ``"key"``
        (PrimaryKeyRelatedField) of Django REST framework.
    on_delete
        What happens when the related record is deleted: this one is deleted too, or the field is set to null.
    related_name
        The name of the reverse relation in ``django=`` filters.
    """

    to: str
    slug_field: str = "id"
    many: bool = False
    representation: Literal["slug", "hyperlink", "key"] = "slug"
    on_delete: Literal["cascade", "set_null"] = "set_null"
    related_name: str | None = None


@dataclass(frozen=True)
class Column:
    """A stored value of a record."""

    kind: ColumnKind
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """One kind of record: a Django model, as far as its behaviour can be observed.

    Attributes
    ----------
    name
        The name of the endpoint that shows it, if there is one.
    lookup_field
        The column that identifies a record in a URL.
    choices
        Closed sets by field: label to stored number.
    unique
        Columns that must be unique, alone or together.
    ordering
        Default order of a list, in Django's notation.
    auto_now
        Columns set to the current time at every write.
    """

    name: str
    model: str
    app: str
    columns: Mapping[str, Column]
    relations: Mapping[str, Relation] = field(default_factory=dict[str, Relation])
    verbose_name: str = ""
    lookup_field: str = "id"
    choices: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    defaults: Mapping[str, object] = field(default_factory=dict[str, object])
    unique: tuple[tuple[str, ...], ...] = ()
    ordering: tuple[str, ...] = ()
    auto_now: tuple[str, ...] = ()

    @property
    def content_type(self) -> str:
        """The content type, such as ``"actions.session"``."""
        return f"{self.app}.{self.model.lower()}"

    @property
    def has_integer_key(self) -> bool:
        """True if the primary key is a number rather than a UUID."""
        return self.columns["id"].kind == "int"

    def matches_content_type(self, name: object) -> bool:
        """Tell whether a content type, or the bare name of a model, is that of this table."""
        return self.app in CONTENT_APPS and name in (self.content_type, self.model.lower())


def reverse_relations(tables: Mapping[str, Table], table: str) -> dict[str, tuple[str, str]]:
    """Return the reverse relations of a table: related name to (other table, its field)."""
    return {
        relation.related_name: (other.name, name)
        for other in tables.values()
        for name, relation in other.relations.items()
        if relation.to == table and relation.related_name
    }


def generic_table(endpoint: Endpoint) -> Table:
    """Derive a table, without relations, from the schemas of an endpoint that has no declared one."""
    schemas = [
        schema
        for operation in endpoint.operations.values()
        for schema in (operation.response, operation.request)
        if schema is not None
    ]
    columns: dict[str, Column] = {}
    for schema in schemas:
        for name, field_schema in schema.fields.items():
            columns.setdefault(name, Column(_column_kind(field_schema), field_schema.nullable))
    # A record needs a key even if its schema shows none.
    columns.setdefault("id", Column("uuid"))
    # A hyperlink is computed, not stored.
    columns.pop("url", None)
    model = next((schema.name for schema in schemas if schema.name), endpoint.name.title().replace("-", ""))
    lookup_field = endpoint.lookup if endpoint.lookup in columns else "id"
    return Table(
        endpoint.name,
        model,
        "local",
        columns,
        verbose_name=endpoint.name.replace("-", " "),
        lookup_field=lookup_field or "id",
        unique=((lookup_field,),) if lookup_field and lookup_field != "id" else (),
    )


def _column_kind(field_schema: FieldSchema) -> ColumnKind:
    if field_schema.kind == "string":
        formats: dict[str | None, ColumnKind] = {"uuid": "uuid", "date": "date", "date-time": "datetime"}
        return formats.get(field_schema.format, "text")
    kinds: dict[str, ColumnKind] = {"integer": "int", "number": "float", "boolean": "bool"}
    return kinds.get(field_schema.kind, "json")
