"""Fields that Alyx computes when it serializes a record, and those that it leaves out."""

from __future__ import annotations

from collections.abc import Mapping

from alyx_client.testing.records.computed_datasets import DATASET_FIELDS
from alyx_client.testing.records.computed_sessions import SESSION_FIELDS
from alyx_client.testing.records.computed_subjects import SUBJECT_FIELDS
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.serializer import Serializer, View
from alyx_client.testing.records.store import Store

_COMPUTED = {**SUBJECT_FIELDS, **SESSION_FIELDS, **DATASET_FIELDS}
# The schema declares these fields, but responses do not have them.
_NEVER_RETURNED = {"datasets": frozenset({"subject", "date", "number"})}
_ONLY_IN_LISTS = {"datasets": frozenset({"protected", "public"})}


def make_serializer(store: Store, tables: Mapping[str, Table], base_url: str) -> Serializer:
    """Return a serializer that knows the computed fields."""
    return Serializer(store, tables, base_url, _COMPUTED, _omitted_fields)


def _omitted_fields(table: str, view: View) -> frozenset[str]:
    never = _NEVER_RETURNED.get(table, frozenset[str]())
    return never if view == "list" else never | _ONLY_IN_LISTS.get(table, frozenset[str]())
