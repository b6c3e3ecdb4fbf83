"""Computed fields of sessions, probes, fields of view and brain regions."""

from __future__ import annotations

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.records.files import on_server
from alyx_client.testing.records.serializer import ComputedField, Serializer, View, nested_schema
from alyx_client.testing.records.store import Record
from alyx_client.testing.schema.document import FieldSchema

_SESSION_INFO = ("subject", "start_time", "number", "lab", "id", "projects", "task_protocol")
_SESSION_DATASET = (
    *("id", "name", "dataset_type", "data_url", "url", "file_size", "hash", "version", "collection"),
    *("revision", "default_revision", "qc"),
)
_INSERTION_DATASET = (*_SESSION_DATASET[:9], "qc")
_INSERTION = (
    *("id", "session", "model", "session_info", "name", "json", "serial", "auto_datetime", "chronic_insertion"),
    "datasets",
)
_CHRONIC_PROBE = ("id", "name", "model", "serial", "session_info")
_FOV = ("id", "imaging_type", "location", "name", "json", "session", "stack", "datasets")
_LOCATION = (
    *("id", "brain_region", "coordinate_system", "provenance", "x", "y", "z", "n_xyz"),
    *("default_provenance", "auto_datetime"),
)
_NOTE = ("id", "user", "date_time", "content_type", "object_id", "text", "image", "json")


def nested(table: str, link: str, *fallback: str) -> ComputedField:
    """Nest the records of another table that refer to this one through a field of theirs."""

    def compute(serializer: Serializer, record: Record, field: FieldSchema, _view: View) -> list[Record]:
        rows = serializer.store.related(table, link, record["id"])
        return serializer.serialize_nested(table, rows, nested_schema(field, *fallback))

    return compute


def _session_info(link: str) -> ComputedField:
    def compute(serializer: Serializer, record: Record, field: FieldSchema, _view: View) -> Record | None:
        key = record.get(link)
        if link == "probe_insertion":
            insertion = serializer.store.get("insertions", key)
            key = insertion["session"] if insertion else None
        session = serializer.store.get("sessions", key)
        if session is None:
            return None
        session_info = serializer.serialize("sessions", session, nested_schema(field, *_SESSION_INFO), "list")
        # The list of sessions has a hyperlink, and may share its component with this; nested, there is none.
        session_info.pop("url", None)
        return session_info

    return compute


def _session_datasets(serializer: Serializer, record: Record, field: FieldSchema, _view: View) -> list[Record]:
    rows = serializer.store.related("datasets", "session", record["id"])
    rows = [row for row in rows if _is_listed(serializer, row)]
    datasets = serializer.serialize_nested("datasets", rows, nested_schema(field, *_SESSION_DATASET))
    for dataset, row in zip(datasets, rows, strict=True):
        # The key of the revision here, its name everywhere else.
        dataset["revision"] = row["revision"] or ""
    return datasets


def _insertion_datasets(serializer: Serializer, record: Record, field: FieldSchema, view: View) -> list[object]:
    # A list of probes has the stored relation; a single probe has the datasets of its session, by collection.
    if view != "detail":
        return list(record["datasets"])
    if record["session"] is None:
        raise ServerFailure("'NoneType' object has no attribute 'data_dataset_session_related'")
    rows = [
        row
        for row in serializer.store.related("datasets", "session", record["session"])
        if record["name"].lower() in row["collection"].lower() and _is_listed(serializer, row)
    ]
    datasets = serializer.serialize_nested("datasets", rows, nested_schema(field, *_INSERTION_DATASET))
    for dataset, row in zip(datasets, rows, strict=True):
        # The stored number here, its label everywhere else.
        dataset["qc"] = row["qc"]
    return list(datasets)


def _is_listed(serializer: Serializer, dataset: Record) -> bool:
    # Alyx nests only the datasets that a server holds, unless there is no server at all.
    servers = serializer.store.related("data-repository", "globus_is_personal", False)
    return not servers or on_server(serializer.store, dataset)


def _chronic_probes(serializer: Serializer, record: Record, field: FieldSchema, _view: View) -> list[Record]:
    rows = serializer.store.related("insertions", "chronic_insertion", record["id"])
    insertions = serializer.serialize_nested("insertions", rows, nested_schema(field, *_CHRONIC_PROBE))
    for insertion, row in zip(insertions, rows, strict=True):
        model = serializer.store.get("probe-models", row["model"])
        # The full name of the model here, its short code everywhere else.
        insertion["model"] = model["name"] if model else None
    return insertions


def _probe_name(serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> str | None:
    for link, table in (("probe_insertion", "insertions"), ("chronic_insertion", "chronic-insertions")):
        insertion = serializer.store.get(table, record.get(link))
        if insertion is not None:
            return str(insertion["name"])
    return None


def _related_descriptions(serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> list[Record]:
    """Return the described ancestors of a brain region, from the root down, and its descendants, depth first."""
    store = serializer.store
    ancestors: list[Record] = []
    region = store.get("brain-regions", record["parent"])
    while region is not None:
        ancestors.insert(0, region)
        region = store.get("brain-regions", region["parent"])
    regions = list(enumerate(ancestors))
    # The region itself counts as a level, but is not among the results.
    pending = [(len(ancestors) + 1, child) for child in store.related("brain-regions", "parent", record["id"])]
    while pending:
        level, region = pending.pop(0)
        regions.append((level, region))
        children = store.related("brain-regions", "parent", region["id"])
        pending = [(level + 1, child) for child in children] + pending
    return [
        {"id": region["id"], "name": region["name"], "description": region["description"], "level": level}
        for level, region in regions
        if region["description"] is not None
    ]


SESSION_FIELDS: dict[tuple[str, str], ComputedField] = {
    ("sessions", "wateradmin_session_related"): nested(
        "water-administrations", "session", "id", "name", "water_type", "water_administered"
    ),
    ("sessions", "data_dataset_session_related"): _session_datasets,
    ("sessions", "probe_insertion"): nested("insertions", "session", *_INSERTION),
    ("sessions", "field_of_view"): nested("fields-of-view", "session", *_FOV),
    ("sessions", "notes"): nested("notes", "object_id", *_NOTE),
    ("insertions", "session_info"): _session_info("session"),
    ("insertions", "datasets"): _insertion_datasets,
    ("chronic-insertions", "probe_insertion"): _chronic_probes,
    ("trajectories", "session"): _session_info("probe_insertion"),
    ("trajectories", "probe_name"): _probe_name,
    ("brain-regions", "related_descriptions"): _related_descriptions,
    ("fields-of-view", "location"): nested("fov-location", "field_of_view", *_LOCATION),
    ("imaging-stack", "slices"): nested("fields-of-view", "stack", *_FOV),
}
