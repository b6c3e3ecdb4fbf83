"""A small laboratory to begin with: the same records, keys and dates in every run.

Every list has several rows, and they differ in which fields are null or empty.
"""

from __future__ import annotations

from alyx_client.testing.records.store import Store
from alyx_client.testing.records.tables import TABLES
from alyx_client.testing.seed.actions import ActionSeeds
from alyx_client.testing.seed.recordings import RecordingSeeds
from alyx_client.testing.seed.subjects import LaboratorySeeds


def fill(store: Store) -> None:
    """Fill an empty store with a small laboratory."""
    laboratory = LaboratorySeeds(store, TABLES)
    recordings = RecordingSeeds(store, TABLES)
    actions = ActionSeeds(store, TABLES)
    with store.transaction():
        laboratory.people()
        laboratory.vocabularies()
        laboratory.repositories()
        laboratory.subjects()
        sessions = recordings.sessions()
        recordings.datasets(sessions)
        recordings.probes(sessions)
        recordings.imaging(sessions)
        actions.actions(sessions)
        actions.others(sessions)


def fill_vocabularies(store: Store) -> None:
    """Fill an empty store only with what other records cannot be written without."""
    with store.transaction():
        LaboratorySeeds(store, TABLES).vocabularies()
