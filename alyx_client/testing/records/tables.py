"""The tables of Alyx: one for each kind of record, those that no endpoint shows among them."""

from __future__ import annotations

from alyx_client.testing.records.relations import Relation, Table
from alyx_client.testing.records.tables_data import DATA_TABLES
from alyx_client.testing.records.tables_subjects import SUBJECT_TABLES

TABLES: dict[str, Table] = {table.table: table for table in (*SUBJECT_TABLES, *DATA_TABLES)}
"""Tables by name; the name of a table that an endpoint shows is the endpoint's."""

ONLY_SENT = {
    ("users", "subjects_responsible"): Relation("subjects", "nickname", many=True),
    ("datasets", "subject"): Relation("subjects", "nickname"),
}
"""Fields that are sent like relations but kept elsewhere: on the subjects, or in the session that is looked up."""

VIEWS = {"water-restricted-subjects": "subjects"}
"""Endpoints that show the records of another one."""
