"""The tables of Alyx: one for each kind of record, including those that no endpoint shows."""

from __future__ import annotations

from alyx_client.testing.records.relations import Relation, Table
from alyx_client.testing.records.tables_data import DATA_TABLES
from alyx_client.testing.records.tables_subjects import SUBJECT_TABLES

TABLES: dict[str, Table] = {table.name: table for table in (*SUBJECT_TABLES, *DATA_TABLES)}
"""Tables by name."""

WRITE_ONLY_RELATIONS = {
    ("users", "subjects_responsible"): Relation("subjects", "nickname", many=True),
    ("datasets", "subject"): Relation("subjects", "nickname"),
}
"""Fields that are sent like relations but stored elsewhere: on the subjects, or as the session that is looked up."""

ENDPOINT_TABLES = {"water-restricted-subjects": "subjects"}
"""Tables of the endpoints that show the records of another endpoint."""
