"""A small laboratory: the same records, keys and dates in every run.

Every list has several rows, which differ in the fields that are null or empty.
"""

from __future__ import annotations

from alyx_client.testing.records.store import Store
from alyx_client.testing.records.tables import TABLES
from alyx_client.testing.seed.actions import ActionSeeds
from alyx_client.testing.seed.activities import ActivitySeeds
from alyx_client.testing.seed.imaging import ImagingSeeds
from alyx_client.testing.seed.probes import ProbeSeeds
from alyx_client.testing.seed.recordings import RecordingSeeds
from alyx_client.testing.seed.subjects import LaboratorySeeds
from alyx_client.testing.seed.vocabularies import VocabularySeeds


def fill(store: Store) -> None:
    """Fill an empty store with a small laboratory."""
    laboratory = LaboratorySeeds(store, TABLES)
    recordings = RecordingSeeds(store, TABLES)
    # The order matters: records refer to those before them.
    with store.transaction():
        laboratory.people()
        VocabularySeeds(store, TABLES).vocabularies()
        laboratory.repositories()
        laboratory.labs()
        laboratory.subjects()
        sessions = recordings.sessions()
        recordings.datasets(sessions)
        ProbeSeeds(store, TABLES).probes(sessions)
        ImagingSeeds(store, TABLES).imaging(sessions)
        ActionSeeds(store, TABLES).actions(sessions)
        ActivitySeeds(store, TABLES).activities(sessions)


def fill_vocabularies(store: Store) -> None:
    """Fill an empty store only with the vocabularies, without which no other record can be written."""
    with store.transaction():
        VocabularySeeds(store, TABLES).vocabularies()
