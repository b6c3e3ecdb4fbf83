"""Filters of datasets, and of sessions, probes and fields of view by their datasets."""

from __future__ import annotations

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.filters.lookups import Predicate
from alyx_client.testing.filters.query import FilterMethod, ListQuery, accept_all, clean
from alyx_client.testing.records.files import on_server
from alyx_client.testing.records.relations import QC
from alyx_client.testing.records.store import Record


def dataset_types(query: ListQuery, value: str) -> Predicate:
    """Select the rows that have datasets of all the named types."""
    names = value.split(",")

    def matches(row: Record) -> bool:
        types = (query.store.get("dataset-types", dataset["dataset_type"]) for dataset in _datasets_of(query, row))
        type_names = {dataset_type["name"] for dataset_type in types if dataset_type is not None}
        # Alyx counts the distinct types that match, so a name that is repeated matches nothing.
        return len(type_names.intersection(names)) >= len(names)

    return matches


def datasets(query: ListQuery, value: str) -> Predicate:
    """Select the rows that have datasets of all the names."""
    names = value.split(",")
    worst_qc = _qc(query.last("dataset_qc_lte")) if "dataset_qc_lte" in query.parameters else QC["FAIL"]
    # The three endpoints differ: only that of sessions looks for the files, and that of fields of view ignores QC.
    is_session, ignores_qc = query.table == "sessions", query.table == "fields-of-view"

    def matches(row: Record) -> bool:
        matching = [
            dataset["name"]
            for dataset in _datasets_of(query, row)
            if dataset["name"] in names
            and (ignores_qc or dataset["qc"] <= worst_qc)
            and (not is_session or on_server(query.store, dataset))
        ]
        # Alyx counts the distinct names of a session's datasets, and the datasets themselves elsewhere.
        return len(set(matching) if is_session else matching) >= len(names)

    return matches


def dataset_qc(query: ListQuery, value: str) -> Predicate:
    """Select the rows that have a dataset of at most this QC level."""
    worst_qc = _qc(value)
    # Together with `datasets`, Alyx applies the level there.
    if "datasets" in query.parameters:
        return accept_all
    return lambda row: any(dataset["qc"] <= worst_qc for dataset in _datasets_of(query, row))


def file_exists(query: ListQuery, value: str) -> Predicate:
    """Select datasets by whether a server has, or lacks, their file."""
    expected = clean("exists", "boolean", value)
    if expected is None:
        return accept_all

    def matches(row: Record) -> bool:
        # Both conditions on one file record: a missing file on one server does not hide that of another.
        for file in query.store.related("files", "dataset", row["id"]):
            repository = query.store.get("data-repository", file["data_repository"])
            is_server = repository is not None and repository["globus_is_personal"] is False
            if file["exists"] is expected and is_server:
                return True
        return False

    return matches


def of_insertion(query: ListQuery, value: str) -> Predicate:
    """Select the datasets of a probe's session whose collection contains the probe's name."""
    probe = query.store.get("insertions", str(clean("probe_insertion", "uuid", value)))
    if probe is None:
        raise ServerFailure("ProbeInsertion matching query does not exist.")
    name = probe["name"].lower()
    return lambda row: row["session"] == probe["session"] and name in row["collection"].lower()


def tag_flag(flag: str) -> FilterMethod:
    """Return a filter by whether a tag of the dataset has a flag set."""

    def method(query: ListQuery, value: str) -> Predicate:
        expected = clean(flag, "boolean", value)
        has_flag = query.lookup(f"tags__{flag}", True)
        return accept_all if expected is None else lambda row: has_flag(row) is expected

    return method


def _datasets_of(query: ListQuery, row: Record) -> list[Record]:
    if query.table == "sessions":
        return query.store.related("datasets", "session", row["id"])
    related = (query.store.get("datasets", key) for key in row.get("datasets") or ())
    return [dataset for dataset in related if dataset is not None]


def _qc(label: str) -> int:
    # The stored number is accepted, too, other than in `qc`.
    level = QC.get(label.upper(), label)
    if str(level) not in map(str, QC.values()):
        raise ServerFailure(f"{label} is not a valid QC")
    return int(level)
