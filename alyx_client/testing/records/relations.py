"""What a schema document leaves out about Alyx's records.

A table says for a kind of record: its columns, those that no endpoint shows among them; which fields point to other
records, by what they are written and read, and what becomes of them when the other goes; closed sets that are kept
as numbers; defaults; what must be unique; the order of a list. Endpoints that nobody described get a generic one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from alyx_client.testing.schema.document import Endpoint, FieldSchema

ColumnKind = Literal["uuid", "text", "int", "float", "bool", "date", "datetime", "json", "floats"]

NOW = "<now>"
USER = "<user>"
"""Placeholders among defaults, filled in when a record is made."""

LOCAL_DATA_URL = "<local>/data/"
"""Stands in a repository's address for this server's own, which is known only when a request comes in."""

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


@dataclass(frozen=True)
class Relation:
    """A field that points to records of another table.

    Parameters
    ----------
    to
        The other table.
    slug
        The column of the other table by which it is written and read.
    many
        Whether it holds several.
    form
        ``"slug"``; ``"url"`` for hyperlinks; ``"key"`` for a bare primary key.
    on_delete
        What happens when the other record is deleted: this one goes too, or the field is set to null.
    reverse
        The name by which the other table's records see this one in ``django=`` filters.
    """

    to: str
    slug: str = "id"
    many: bool = False
    form: Literal["slug", "url", "key"] = "slug"
    on_delete: Literal["cascade", "set_null"] = "set_null"
    reverse: str | None = None


@dataclass(frozen=True)
class Column:
    """A stored value of a record."""

    kind: ColumnKind
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """One kind of record."""

    table: str
    model: str
    app: str
    verbose: str
    columns: Mapping[str, Column]
    key: str = "id"
    integer_key: bool = False
    relations: Mapping[str, Relation] = field(default_factory=dict[str, Relation])
    choices: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    defaults: Mapping[str, object] = field(default_factory=dict[str, object])
    unique: tuple[tuple[str, ...], ...] = ()
    order: tuple[str, ...] = ()
    stamped: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The content type, such as ``"actions.session"``."""
        return f"{self.app}.{self.model.lower()}"


def reverses(tables: Mapping[str, Table], table: str) -> dict[str, tuple[str, str]]:
    """Return the reverse relations of a table: name to (other table, its field)."""
    return {
        relation.reverse: (other.table, name)
        for other in tables.values()
        for name, relation in other.relations.items()
        if relation.to == table and relation.reverse
    }


def generic(endpoint: Endpoint) -> Table:
    """Make a table for an endpoint that nobody described: what its shapes say, without relations."""
    shapes = [shape for action in endpoint.operations.values() for shape in (action.response, action.request) if shape]
    columns: dict[str, Column] = {}
    for shape in shapes:
        for name, described in shape.fields.items():
            columns.setdefault(name, Column(_kind_of(described), described.nullable))
    integer = columns.get("id", Column("uuid")).kind == "int"
    columns.setdefault("id", Column("uuid"))
    columns.pop("url", None)
    model = next((shape.name for shape in shapes if shape.name), endpoint.name.title().replace("-", ""))
    key = endpoint.lookup if endpoint.lookup in columns else "id"
    unique = ((key,),) if key != "id" else ()
    verbose = endpoint.name.replace("-", " ")
    return Table(endpoint.name, model, "local", verbose, columns, key or "id", integer, unique=unique)


def _kind_of(described: FieldSchema) -> ColumnKind:
    if described.kind == "string":
        formats: dict[str | None, ColumnKind] = {"uuid": "uuid", "date": "date", "date-time": "datetime"}
        return formats.get(described.format, "text")
    kinds: dict[str, ColumnKind] = {"integer": "int", "number": "float", "boolean": "bool"}
    return kinds.get(described.kind, "json")
