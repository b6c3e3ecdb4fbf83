"""Building tables from compact declarations."""

from __future__ import annotations

from collections.abc import Mapping

from alyx_client.testing.records.relations import Column, ColumnKind, Relation, Table

ACTION_COLUMNS = "name json narrative start_time:datetime? end_time:datetime?"


def read_columns(text: str) -> dict[str, Column]:
    """Read ``"name narrative:text? number:int?"``: text where no kind is given, ``?`` where null is allowed."""
    columns = {"id": Column("uuid")}
    for item in text.split():
        name, _, kind = item.partition(":")
        nullable = kind.endswith("?") or name in ("json", "extended_qc", "arguments")
        bare: ColumnKind = "json" if name in ("json", "extended_qc", "arguments") else (kind.rstrip("?") or "text")  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
        columns[name] = Column(bare, nullable)
    return columns


def make_table(
    table: str,
    model: str,
    app: str,
    columns: str,
    relations: Mapping[str, Relation] | None = None,
    *,
    verbose: str | None = None,
    key: str = "id",
    integer_key: bool = False,
    choices: Mapping[str, Mapping[str, int]] | None = None,
    defaults: Mapping[str, object] | None = None,
    unique: tuple[tuple[str, ...], ...] = (),
    order: tuple[str, ...] = (),
    stamped: tuple[str, ...] = (),
) -> Table:
    """Make a table from its columns as text, and what else there is to say."""
    found = read_columns(columns)
    if integer_key:
        found["id"] = Column("int")
    return Table(
        table,
        model,
        app,
        verbose or model.lower(),
        found,
        key,
        integer_key,
        relations or {},
        choices or {},
        defaults or {},
        unique,
        order,
        stamped,
    )


def by_username(many: bool = False, reverse: str | None = None) -> Relation:
    """Return a relation to users, who go by their names."""
    return Relation("users", "username", many, reverse=reverse)


def action_relations(reverse: str) -> dict[str, Relation]:
    """Fields that sessions, surgeries and their like share."""
    return {
        "users": by_username(many=True),
        "subject": Relation("subjects", "nickname", on_delete="cascade", reverse=reverse),
        "location": Relation("locations", "name"),
        "lab": Relation("labs", "name"),
        "procedures": Relation("procedures", "name", many=True),
    }
