"""Look-up of sessions by subject, date and number, and the default revisions of their datasets."""

from __future__ import annotations

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.records.store import Key, Record, Store


def find_session(store: Store, subject: Record, day: str, number: int | None) -> Record:
    """Return a subject's session of a day and number.

    Raises
    ------
    ServerFailure
        There is no such session; the message is Alyx's.
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


def clear_other_defaults(store: Store, session: Record | None, collection: str, name: str, default: Key | None) -> None:
    """Unset `default_dataset` on every other revision of a dataset: at most one is the default."""
    if session is None:
        return
    for dataset in store.related("datasets", "session", session["id"]):
        if dataset["id"] != default and dataset["collection"] == collection and dataset["name"] == name:
            store.update("datasets", dataset["id"], {"default_dataset": False})
