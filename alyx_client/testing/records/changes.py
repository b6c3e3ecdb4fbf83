"""Making, changing and deleting records, with what Alyx does beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from alyx_client.testing.failures import Failure, ServerFailure, ValidationFailure
from alyx_client.testing.records.relations import NOW, USER, Table
from alyx_client.testing.records.store import Key, Record, Store


class Editor:
    """Writes to the records on behalf of one user.

    Parameters
    ----------
    store, tables
        Where the records are and what they look like.
    user
        The user who asks, or None for the server itself.
    """

    def __init__(self, store: Store, tables: Mapping[str, Table], user: Record | None) -> None:
        self.store = store
        self.tables = tables
        self.user = user

    def complete(self, table: str, values: Mapping[str, Any]) -> Record:
        """Return a new record with every column and relation, defaults where nothing was given."""
        described = self.tables[table]
        record: Record = {}
        for name, column in described.columns.items():
            record[name] = self._default(described, name, _empty(column.kind, column.nullable))
        for name, relation in described.relations.items():
            record[name] = self._default(described, name, [] if relation.many else None)
        record.update(values)
        for name in described.stamped:
            record[name] = now()
        if record["id"] == "":
            record["id"] = None
        return record

    def create(self, table: str, values: Mapping[str, Any]) -> Record:
        """Make a record."""
        record = self.complete(table, values)
        self._refuse_duplicates(table, record)
        prepare = _BEFORE.get(table)
        if prepare is not None:
            prepare(self, record, values)
        made = self.store.insert(table, self._kept(table, record))
        follow = _AFTER.get(table)
        if follow is not None:
            follow(self, made, values)
        return self.store.get(table, made["id"]) or made

    def update(self, table: str, key: Key, values: Mapping[str, Any]) -> Record:
        """Change a record."""
        described = self.tables[table]
        changes = self._kept(table, values)
        prepare = _BEFORE_CHANGE.get(table)
        if prepare is not None:
            prepare(self.store.get(table, key) or {}, changes)
        stamps = {name: now() for name in described.stamped}
        changed = self.store.update(table, key, {**changes, **stamps})
        follow = _AFTER.get(table)
        if follow is not None:
            follow(self, changed, values)
        return self.store.get(table, key) or changed

    def delete(self, table: str, key: Key) -> None:
        """Delete a record, and what cannot be without it."""
        if table == "datasets":
            self._refuse_protected(key)
        self._remove(table, key)

    def _remove(self, table: str, key: Key) -> None:
        if self.store.get(table, key) is None:
            return
        for other in self.tables.values():
            for name, relation in other.relations.items():
                if relation.to != table:
                    continue
                for row in self.store.related(other.table, name, key):
                    if relation.many:
                        kept = [held for held in row[name] if held != key]
                        self.store.update(other.table, row["id"], {name: kept})
                    elif relation.on_delete == "cascade":
                        self._remove(other.table, row["id"])
                    else:
                        self.store.update(other.table, row["id"], {name: None})
        self.store.remove(table, key)

    def _refuse_duplicates(self, table: str, record: Record) -> None:
        """Refuse what the database would: validation lets empty text pass."""
        described = self.tables[table]
        for name in (names[0] for names in described.unique if len(names) == 1):
            value = record[name]
            if value is None or self.store.find(table, name, value) is None:
                continue
            constraint = f"{described.app}_{described.model.lower()}_{name}_key"
            raise ServerFailure(
                f'duplicate key value violates unique constraint "{constraint}"\n'
                f"DETAIL:  Key ({name})=({value}) already exists.\n"
            )

    def _refuse_protected(self, key: Key) -> None:
        dataset = self.store.get("datasets", key)
        assert dataset is not None
        tags = [tag for one in dataset["tags"] if (tag := self.store.get("tags", one)) and tag["protected"]]
        if tags:
            names = ", ".join(f'"{tag["name"]}"' for tag in tags)
            detail = f"Failed to delete dataset {dataset['name']} due to protected tag(s) {names}"
            raise Failure(403, {"detail": detail})

    def _default(self, table: Table, name: str, empty: Any) -> Any:
        default = table.defaults.get(name, empty)
        if default == USER:
            user = self.user["id"] if self.user else None
            relation = table.relations[name]
            return ([user] if user else []) if relation.many else user
        if default == NOW:
            return now()
        return default

    def _kept(self, table: str, values: Mapping[str, Any]) -> Record:
        described = self.tables[table]
        return {
            name: value for name, value in values.items() if name in described.columns or name in described.relations
        }


def now() -> str:
    """Return the present moment as Alyx writes it: local, without a zone."""
    return datetime.now().isoformat()


def _empty(kind: str, nullable: bool) -> Any:
    if nullable:
        return None
    empties: dict[str, Any] = {"text": "", "bool": False, "floats": [], "int": 0, "float": 0.0}
    return empties.get(kind)


def make_other_defaults(store: Store, session: Record | None, collection: str, name: str, but: Key | None) -> None:
    """Mark the other revisions of a dataset as not the default one."""
    if session is None:
        return
    for other in store.related("datasets", "session", session["id"]):
        if other["id"] != but and other["collection"] == collection and other["name"] == name:
            store.update("datasets", other["id"], {"default_dataset": False})


# What happens before a record is made


def _new_subject(editor: Editor, record: Record, values: Mapping[str, Any]) -> None:
    for name, table in (("species", "species"), ("source", "sources")):
        rows = editor.store.rows(table)
        if name not in values and rows:
            record[name] = rows[0]["id"]


def _new_session(editor: Editor, record: Record, _values: Mapping[str, Any]) -> None:
    subject = editor.store.get("subjects", record["subject"])
    if record["lab"] is None and subject is not None:
        record["lab"] = subject["lab"]
    if not record["users"] and editor.user is not None:
        record["users"] = [editor.user["id"]]


def _new_water(editor: Editor, record: Record, _values: Mapping[str, Any]) -> None:
    if record["water_type"] is None:
        restrictions = editor.store.related("water-restriction", "subject", record["subject"])
        latest = max(restrictions, key=lambda row: row["start_time"] or "", default=None)
        water = editor.store.find("water-type", "name", "Water")
        record["water_type"] = latest["water_type"] if latest else (water["id"] if water else None)
    subject = editor.store.get("subjects", record["subject"])
    if subject and subject["death_date"] and record["date_time"] and record["date_time"][:10] > subject["death_date"]:
        raise ServerFailure("Water administration date after death date")


def find_session(store: Store, subject: Record, day: str, number: int | None) -> Record:
    """Return a subject's session of a day and number.

    Raises
    ------
    ServerFailure
        There is none; the message is Alyx's.
    """
    same_day = [
        row for row in store.related("sessions", "subject", subject["id"]) if (row["start_time"] or "")[:10] == day
    ]
    if not any(row["parent_session"] is None for row in same_day):
        raise ServerFailure(f"A base session for {subject['nickname']} on {day} does not exist")
    for row in same_day:
        if row["number"] == number:
            return row
    raise ServerFailure(f"A session for {subject['nickname']}/{number} on {day} does not exist")


def _new_dataset(editor: Editor, record: Record, values: Mapping[str, Any]) -> None:
    store = editor.store
    day, number, key = record.pop("date", None), record.pop("number", None), record.pop("subject", None)
    subject = store.get("subjects", key)
    if record["session"] is None and subject is not None and day:
        record["session"] = find_session(store, subject, day, number)["id"]
        # Alyx attributes these to nobody.
        record["created_by"] = None
    for name in ("hash", "version", "collection"):
        record[name] = record[name] or ""
    _check_collection({}, record)
    if record["data_format"] is None:
        unknown = store.find("data-formats", "name", "unknown")
        record["data_format"] = unknown["id"] if unknown else None
    if values.get("default_dataset") is None:
        record["default_dataset"] = True
    if record["default_dataset"]:
        session = store.get("sessions", record["session"])
        make_other_defaults(store, session, record["collection"], record["name"], None)


def _new_note(editor: Editor, record: Record, _values: Mapping[str, Any]) -> None:
    table = next(table for table in editor.tables.values() if table.label == record["content_type"])
    if editor.store.get(table.table, record["object_id"]) is None:
        raise ServerFailure(f"{table.model} matching query does not exist.")


def _new_notice(_editor: Editor, record: Record, _values: Mapping[str, Any]) -> None:
    _check_notice({}, record)


def _new_trajectory(editor: Editor, record: Record, _values: Mapping[str, Any]) -> None:
    link = "probe_insertion" if record["probe_insertion"] else "chronic_insertion"
    for other in editor.store.related("trajectories", link, record[link]):
        if record[link] and other["provenance"] == record["provenance"]:
            name = (
                "unique_trajectory_per_provenance"
                if link == "probe_insertion"
                else "unique_trajectory_per_chronic_provenance"
            )
            raise ServerFailure(
                f'duplicate key value violates unique constraint "{name}"\nDETAIL:  Key (provenance, {link}_id)='
                f"({record['provenance']}, {record[link]}) already exists.\n"
            )


def _new_fov(_editor: Editor, record: Record, _values: Mapping[str, Any]) -> None:
    if record["imaging_type"] is None:
        raise ServerFailure(
            'null value in column "imaging_type_id" of relation "experiments_fov" violates not-null constraint'
        )


def _new_location(editor: Editor, record: Record, values: Mapping[str, Any]) -> None:
    if "coordinate_system" not in values:
        found = editor.store.find("coordinate-systems", "name", "IBL-Allen")
        record["coordinate_system"] = found["id"] if found else None


_BEFORE: dict[str, Callable[[Editor, Record, Mapping[str, Any]], None]] = {
    "subjects": _new_subject,
    "sessions": _new_session,
    "water-administrations": _new_water,
    "datasets": _new_dataset,
    "notes": _new_note,
    "data-notices": _new_notice,
    "trajectories": _new_trajectory,
    "fields-of-view": _new_fov,
    "fov-location": _new_location,
}


# What happens before a record is changed


def _keep_history(record: Record, changes: Record) -> None:
    """Keep the old values of some fields of a subject in its JSON, as Alyx does."""
    held: Any = changes.get("json", record["json"])
    kept: dict[str, Any] = dict(held) if isinstance(held, dict) else {}  # pyright: ignore[reportUnknownArgumentType]
    for name in ("nickname", "responsible_user", "cage"):
        if name in changes and changes[name] != record[name]:
            earlier: dict[str, list[Any]] = kept.setdefault("history", {})
            earlier[name] = [*earlier.get(name, ()), {"value": str(record[name]), "date_time": now()}]
            changes["json"] = kept


def _check_collection(_record: Record, changes: Record) -> None:
    if not re.fullmatch(r"[\w./-]*", changes.get("collection") or ""):
        allowed = "Collections must only contain letters, numbers, hyphens, underscores and forward slashes."
        raise ServerFailure(str({"collection": [allowed]}))


def _check_notice(record: Record, changes: Record) -> None:
    whole = {**record, **changes}
    start, end = whole["affected_date_start"], whole["affected_date_end"]
    if start and end and end < start:
        message = "affected_date_end must be on or after affected_date_start."
        raise ValidationFailure({"affected_date_end": [message]})


_BEFORE_CHANGE: dict[str, Callable[[Record, Record], None]] = {
    "subjects": _keep_history,
    "datasets": _check_collection,
    "data-notices": _check_notice,
}


# What happens after a record is made or changed


def _after_subject(editor: Editor, record: Record, _values: Mapping[str, Any]) -> None:
    if record["death_date"] is None:
        return
    for restriction in editor.store.related("water-restriction", "subject", record["id"]):
        if restriction["end_time"] is None:
            editor.store.update(
                "water-restriction", restriction["id"], {"end_time": f"{record['death_date']}T00:00:00"}
            )


def _after_dataset(editor: Editor, record: Record, _values: Mapping[str, Any]) -> None:
    """Link a dataset to the probe or field of view after which its folder is named."""
    parts = str(record["collection"]).split("/")
    if record["session"] is None or len(parts) < 2:
        return
    for table in ("insertions", "fields-of-view"):
        for row in editor.store.related(table, "session", record["session"]):
            if row["name"] == parts[1] and record["id"] not in row["datasets"]:
                editor.store.update(table, row["id"], {"datasets": [*row["datasets"], record["id"]]})


def _after_insertion(editor: Editor, record: Record, _values: Mapping[str, Any]) -> None:
    """Take every dataset of the session whose folder names this probe."""
    name = str(record["name"]).lower()
    datasets = editor.store.related("datasets", "session", record["session"]) if record["session"] else []
    keys = [dataset["id"] for dataset in datasets if name in dataset["collection"].lower()]
    editor.store.update("insertions", record["id"], {"datasets": keys})


def _after_user(editor: Editor, record: Record, values: Mapping[str, Any]) -> None:
    if "subjects_responsible" not in values:
        return
    for subject in editor.store.related("subjects", "responsible_user", record["id"]):
        editor.store.update("subjects", subject["id"], {"responsible_user": None})
    for key in values["subjects_responsible"]:
        editor.store.update("subjects", key, {"responsible_user": record["id"]})


_AFTER: dict[str, Callable[[Editor, Record, Mapping[str, Any]], None]] = {
    "users": _after_user,
    "subjects": _after_subject,
    "datasets": _after_dataset,
    "insertions": _after_insertion,
}
