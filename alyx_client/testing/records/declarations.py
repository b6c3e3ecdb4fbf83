"""Shorthand for declaring tables."""

from __future__ import annotations

from typing import get_args

from alyx_client.testing.records.relations import Column, ColumnKind, Relation

ACTION_COLUMNS = "name json narrative start_time:datetime? end_time:datetime?"
_JSON_COLUMNS = ("json", "extended_qc", "arguments")
_KINDS: dict[str, ColumnKind] = {kind: kind for kind in get_args(ColumnKind)}


def columns(text: str) -> dict[str, Column]:
    """Read ``"name narrative:text? number:int?"``: text by default, nullable with ``?``.

    Every table has a primary key ``id``, a UUID unless it is declared as something else.
    """
    declared = {"id": Column("uuid")}
    for item in text.split():
        name, _, kind = item.partition(":")
        if name in _JSON_COLUMNS:
            declared[name] = Column("json", nullable=True)
        else:
            declared[name] = Column(_KINDS[kind.rstrip("?") or "text"], nullable=kind.endswith("?"))
    return declared


def by_username(many: bool = False, related_name: str | None = None) -> Relation:
    """Return a relation to users, who are represented by their names."""
    return Relation("users", "username", many, related_name=related_name)


def action_relations(related_name: str) -> dict[str, Relation]:
    """Return the relations that Alyx's abstract model ``BaseAction`` gives to sessions, surgeries and the like."""
    return {
        "users": by_username(many=True),
        "subject": Relation("subjects", "nickname", on_delete="cascade", related_name=related_name),
        "location": Relation("locations", "name"),
        "lab": Relation("labs", "name"),
        "procedures": Relation("procedures", "name", many=True),
    }
