"""The response to a registration, which no schema document describes."""

from __future__ import annotations

from alyx_client.testing.records.store import Key, Record, Store


def registered_dataset(store: Store, dataset: Record) -> Record:
    """Return a dataset in the form of the response to ``/register-file``."""

    def name_of(table: str, key: Key | None, column: str = "name") -> str:
        record = store.get(table, key)
        return record[column] if record else ""

    subject: str | None = None
    session = store.get("sessions", dataset["session"])
    if session is not None:
        subject = name_of("subjects", session["subject"], "nickname")
        target = {
            "session": session["id"],
            "session_number": session["number"],
            "session_users": ",".join(name_of("users", key, "username") for key in session["users"]),
            "session_start_time": session["start_time"],
        }
    else:
        if dataset["content_type"] == "subjects.subject":
            subject = name_of("subjects", dataset["object_id"], "nickname")
        target = {"content_type": dataset["content_type"], "object_id": dataset["object_id"]}
    return {
        "id": dataset["id"],
        "name": dataset["name"],
        "file_size": dataset["file_size"],
        "subject": subject,
        "created_by": name_of("users", dataset["created_by"], "username"),
        "created_datetime": dataset["created_datetime"],
        "dataset_type": name_of("dataset-types", dataset["dataset_type"]),
        "data_format": name_of("data-formats", dataset["data_format"]),
        **target,
        "collection": dataset["collection"],
        "revision": name_of("revisions", dataset["revision"]),
        "default": dataset["default_dataset"],
        "qc": dataset["qc"],
        "file_records": [
            {
                "id": row["id"],
                "data_repository": name_of("data-repository", row["data_repository"]),
                "relative_path": row["relative_path"],
                "exists": row["exists"],
            }
            for row in store.related("files", "dataset", dataset["id"])
        ],
    }
