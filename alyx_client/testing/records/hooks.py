"""Side effects of writes, by table: the `save` methods, signals and serializers' hooks of Alyx."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from alyx_client.testing.failures import ServerFailure, ValidationFailure
from alyx_client.testing.records.json_values import is_object
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.sessions import clear_other_defaults, find_session
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.records.water import WaterControl
from alyx_client.testing.records.write_context import WriteContext, now

SaveHook = Callable[[WriteContext, Record, Mapping[str, Any]], None]
"""Takes the context, the complete record (which it may change), and the values that were sent."""

UpdateHook = Callable[[Record, Record], None]
"""Takes the record before the change, and the changes (which it may extend)."""


# Before a record is created


def _set_default_species_and_source(context: WriteContext, record: Record, values: Mapping[str, Any]) -> None:
    # Defaults of the model; here, the first row is the one that Alyx would choose.
    for name, table in (("species", "species"), ("source", "sources")):
        rows = context.store.rows(table)
        if name not in values and rows:
            record[name] = rows[0]["id"]


def _set_lab_and_users(context: WriteContext, record: Record, _values: Mapping[str, Any]) -> None:
    # `Session.save` sets the lab, `BaseActionSerializer.create` the users.
    subject = context.store.get("subjects", record["subject"])
    if record["lab"] is None and subject is not None:
        record["lab"] = subject["lab"]
    if not record["users"] and context.user is not None:
        record["users"] = [context.user["id"]]


def _set_water_type(context: WriteContext, record: Record, _values: Mapping[str, Any]) -> None:
    # `WaterAdministration.save` takes the type of the latest restriction, which may have ended.
    if record["water_type"] is None:
        restrictions = context.store.related("water-restriction", "subject", record["subject"])
        latest = max(restrictions, key=lambda row: row["start_time"] or "", default=None)
        water = context.store.find("water-type", "name", "Water")
        record["water_type"] = latest["water_type"] if latest else (water["id"] if water else None)
    subject = context.store.get("subjects", record["subject"])
    # A ValueError in `save`: not a validation error.
    if subject and subject["death_date"] and record["date_time"] and record["date_time"][:10] > subject["death_date"]:
        raise ServerFailure("Water administration date after death date")


def _complete_dataset(context: WriteContext, record: Record, values: Mapping[str, Any]) -> None:
    store = context.store
    day, number, key = record.pop("date", None), record.pop("number", None), record.pop("subject", None)
    subject = store.get("subjects", key)
    if record["session"] is None and subject is not None and day:
        record["session"] = find_session(store, subject, day, number)["id"]
        # Alyx uses `created_by` to find the session, and then drops it.
        record["created_by"] = None
    # The columns are not nullable, although the serializer accepts null.
    for name in ("hash", "version", "collection"):
        record[name] = record[name] or ""
    _check_collection({}, record)
    if record["data_format"] is None:
        unknown = store.find("data-formats", "name", "unknown")
        record["data_format"] = unknown["id"] if unknown else None
    # Every new dataset becomes the default revision, unless false is sent.
    if values.get("default_dataset") is None:
        record["default_dataset"] = True
    if record["default_dataset"]:
        session = store.get("sessions", record["session"])
        clear_other_defaults(store, session, record["collection"], record["name"], None)


def _check_note_target(context: WriteContext, record: Record, _values: Mapping[str, Any]) -> None:
    check_note_target(context.store, context.tables, record)


def check_note_target(store: Store, tables: Mapping[str, Table], note: Record) -> None:
    """Check that the record exists that a note is about.

    Raises
    ------
    ServerFailure
        It does not: Alyx looks for it after the serializer has accepted its key.
    """
    table = next(table for table in tables.values() if table.content_type == note["content_type"])
    if store.get(table.name, note["object_id"]) is None:
        raise ServerFailure(f"{table.model} matching query does not exist.")


def _check_new_notice(_context: WriteContext, record: Record, _values: Mapping[str, Any]) -> None:
    _check_notice_dates({}, record)


def _refuse_second_provenance(context: WriteContext, record: Record, _values: Mapping[str, Any]) -> None:
    link = "probe_insertion" if record["probe_insertion"] else "chronic_insertion"
    for other in context.store.related("trajectories", link, record[link]):
        if record[link] and other["provenance"] == record["provenance"]:
            kind = "" if link == "probe_insertion" else "chronic_"
            # A constraint of the database that no serializer checks.
            raise ServerFailure(
                f'duplicate key value violates unique constraint "unique_trajectory_per_{kind}provenance"\n'
                f"DETAIL:  Key (provenance, {link}_id)=({record['provenance']}, {record[link]}) already exists.\n"
            )


def _require_imaging_type(_context: WriteContext, record: Record, _values: Mapping[str, Any]) -> None:
    # The schema allows null here; the database does not.
    if record["imaging_type"] is None:
        raise ServerFailure(
            'null value in column "imaging_type_id" of relation "experiments_fov" violates not-null constraint'
        )


def _set_coordinate_system(context: WriteContext, record: Record, values: Mapping[str, Any]) -> None:
    if "coordinate_system" not in values:
        atlas = context.store.find("coordinate-systems", "name", "IBL-Allen")
        record["coordinate_system"] = atlas["id"] if atlas else None


PRE_CREATE: dict[str, SaveHook] = {
    "subjects": _set_default_species_and_source,
    "sessions": _set_lab_and_users,
    "water-administrations": _set_water_type,
    "datasets": _complete_dataset,
    "notes": _check_note_target,
    "data-notices": _check_new_notice,
    "trajectories": _refuse_second_provenance,
    "fields-of-view": _require_imaging_type,
    "fov-location": _set_coordinate_system,
}


# Before a record is updated


def _record_history(record: Record, changes: Record) -> None:
    """Append the old values of some fields of a subject to its JSON, as Alyx does."""
    current: object = changes.get("json", record["json"])
    if current and not is_object(current):
        raise ServerFailure(f"'{type(current).__name__}' object has no attribute 'get'")
    extended: Record = dict(current) if is_object(current) else {}
    for name in ("nickname", "responsible_user", "cage"):
        # The history has the text of the old value; that of a foreign key is its primary key.
        if name in changes and changes[name] != record[name]:
            history = extended.setdefault("history", {})
            history[name] = [*history.get(name, ()), {"value": str(record[name]), "date_time": now()}]
            changes["json"] = extended


def _check_collection(_record: Record, changes: Record) -> None:
    if not re.fullmatch(r"[\w./-]*", changes.get("collection") or ""):
        message = "Collections must only contain letters, numbers, hyphens, underscores and forward slashes."
        # The serializer has no such validator: `Dataset.save` calls `clean_fields`, whose error becomes a 500.
        raise ServerFailure(str({"collection": [message]}))


def _check_notice_dates(record: Record, changes: Record) -> None:
    merged = {**record, **changes}
    start, end = merged["affected_date_start"], merged["affected_date_end"]
    if start and end and end < start:
        message = "affected_date_end must be on or after affected_date_start."
        raise ValidationFailure({"affected_date_end": [message]})


PRE_UPDATE: dict[str, UpdateHook] = {
    "subjects": _record_history,
    "datasets": _check_collection,
    "data-notices": _check_notice_dates,
}


# After a record is created or updated


def _end_water_restrictions(context: WriteContext, record: Record, _values: Mapping[str, Any]) -> None:
    if record["death_date"] is None:
        return
    # `Subject.save` ends open restrictions at the beginning of the day.
    for restriction in context.store.related("water-restriction", "subject", record["id"]):
        if restriction["end_time"] is None:
            end_time = f"{record['death_date']}T00:00:00"
            context.store.update("water-restriction", restriction["id"], {"end_time": end_time})


def _link_to_insertion(context: WriteContext, record: Record, _values: Mapping[str, Any]) -> None:
    """Link a dataset to the probe or field of view that its folder is named after."""
    folders = str(record["collection"]).split("/")
    if record["session"] is None or len(folders) < 2:
        return
    # `Dataset.save` looks at the second folder alone: `alf/probe00/pykilosort` belongs to probe00.
    for table in ("insertions", "fields-of-view"):
        for row in context.store.related(table, "session", record["session"]):
            if row["name"] == folders[1] and record["id"] not in row["datasets"]:
                context.store.update(table, row["id"], {"datasets": [*row["datasets"], record["id"]]})


def _link_session_datasets(context: WriteContext, record: Record, _values: Mapping[str, Any]) -> None:
    """Link every dataset of the session whose collection contains the probe's name."""
    # A signal of the model; unlike `Dataset.save`, it looks for the name anywhere in the collection.
    name = str(record["name"]).lower()
    datasets = context.store.related("datasets", "session", record["session"]) if record["session"] else []
    keys = [dataset["id"] for dataset in datasets if name in dataset["collection"].lower()]
    context.store.update("insertions", record["id"], {"datasets": keys})


def _assign_subjects(context: WriteContext, record: Record, values: Mapping[str, Any]) -> None:
    if "subjects_responsible" not in values:
        return
    # A reverse relation is replaced as a whole: subjects that are not named lose their user.
    for subject in context.store.related("subjects", "responsible_user", record["id"]):
        context.store.update("subjects", subject["id"], {"responsible_user": None})
    for key in values["subjects_responsible"]:
        context.store.update("subjects", key, {"responsible_user": record["id"]})


def _compute_water(context: WriteContext, record: Record, _values: Mapping[str, Any]) -> None:
    subject = context.store.get("subjects", record["subject"])
    if subject is not None:
        # Alyx computes the water due again, which fails if a weighing has no date.
        WaterControl(context.store, subject)


POST_SAVE: dict[str, SaveHook] = {
    "users": _assign_subjects,
    "subjects": _end_water_restrictions,
    "datasets": _link_to_insertion,
    "insertions": _link_session_datasets,
    "weighings": _compute_water,
}
