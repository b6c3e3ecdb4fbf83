"""Filters by brain region."""

from __future__ import annotations

from collections.abc import Iterable

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.filters.lookups import Predicate, compile_filter
from alyx_client.testing.filters.query import FilterMethod, FilterType, ListQuery, clean
from alyx_client.testing.records.store import Record, Store

_MIN_PROVENANCE = 70
"""Alyx looks only at trajectories whose electrodes were aligned to the histology."""


def in_region(path: str, type: FilterType = "text") -> FilterMethod:
    """Return a filter by what was recorded in brain regions, or inside of them.

    Parameters
    ----------
    path
        The look-up path that finds the regions.
    type
        The type of the filter's value.
    """

    def method(query: ListQuery, value: str) -> Predicate:
        operand = clean("atlas_id", type, value)
        is_root = compile_filter(query.store, query.tables, "brain-regions", path, operand)
        roots = [row for row in query.store.rows("brain-regions") if is_root(row)]
        return _Recordings(query.store, _regions_within(query.store, roots)).predicate(query.table)

    return method


def ancestors(query: ListQuery, value: str) -> Predicate:
    """Select a region and those that contain it, without the root of all."""
    regions: set[object] = set()
    region: Record | None = _region(query, value)
    while region is not None and region["id"] not in regions:
        regions.add(region["id"])
        region = query.store.get("brain-regions", region["parent"])
    return lambda row: row["id"] in regions - {0}


def descendants(query: ListQuery, value: str) -> Predicate:
    """Select a region and those inside of it, without the root of all."""
    regions = _regions_within(query.store, [_region(query, value)]) - {0}
    return lambda row: row["id"] in regions


class _Recordings:
    """Tells which rows have recordings in some brain regions."""

    def __init__(self, store: Store, regions: set[object]) -> None:
        self.store = store
        self.regions = regions

    def predicate(self, table: str) -> Predicate:
        """Return the predicate for the rows of a table."""
        predicates: dict[str, Predicate] = {
            "insertions": lambda row: self._has_channels(row, "probe_insertion"),
            "chronic-insertions": lambda row: self._has_channels(row, "chronic_insertion"),
            "fields-of-view": self._is_imaged,
            "imaging-stack": lambda row: self._any_imaged("stack", row),
        }
        return predicates.get(table, self._session_matches)

    def _session_matches(self, session: Record) -> bool:
        insertions = self.store.related("insertions", "session", session["id"])
        if any(self._has_channels(insertion, "probe_insertion") for insertion in insertions):
            return True
        return self._any_imaged("session", session)

    def _any_imaged(self, link: str, row: Record) -> bool:
        return any(self._is_imaged(fov) for fov in self.store.related("fields-of-view", link, row["id"]))

    def _has_channels(self, insertion: Record, link: str) -> bool:
        return any(
            channel["brain_region"] in self.regions
            for trajectory in self.store.related("trajectories", link, insertion["id"])
            if trajectory["provenance"] >= _MIN_PROVENANCE
            for channel in self.store.related("channels", "trajectory_estimate", trajectory["id"])
        )

    def _is_imaged(self, fov: Record) -> bool:
        return any(
            location["default_provenance"] and self.regions.intersection(location["brain_region"])
            for location in self.store.related("fov-location", "field_of_view", fov["id"])
        )


def _regions_within(store: Store, roots: Iterable[Record]) -> set[object]:
    regions: set[object] = set()
    pending = list(roots)
    while pending:
        region = pending.pop()
        if region["id"] not in regions:
            regions.add(region["id"])
            pending += store.related("brain-regions", "parent", region["id"])
    return regions


def _region(query: ListQuery, value: str) -> Record:
    column, operand = ("id", int(value)) if value.isdigit() else ("acronym", value)
    region = query.store.find("brain-regions", column, operand)
    if region is None:
        raise ServerFailure("BrainRegion matching query does not exist.")
    return region
