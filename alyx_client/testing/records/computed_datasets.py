"""Computed fields of datasets, files, repositories and notices."""

from __future__ import annotations

import html
import re
from urllib.parse import quote

from alyx_client.testing.records.computed_sessions import nested
from alyx_client.testing.records.files import with_identifier
from alyx_client.testing.records.serializer import ComputedField, Serializer, View
from alyx_client.testing.records.store import Record
from alyx_client.testing.schema.document import FieldSchema

_FILE_RECORD = ("id", "data_repository", "data_repository_path", "relative_path", "data_url", "exists")


def _experiment_number(serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> int | None:
    session = serializer.store.get("sessions", record["session"])
    return session["number"] if session else None


def _revision(serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> str:
    # `to_representation` replaces null by empty text.
    revision = serializer.store.get("revisions", record["revision"])
    return revision["name"] if revision else ""


def _default_revision(_serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> str:
    # Alyx declares this as a CharField over a boolean column: "True" or "False".
    return str(record["default_dataset"])


def _count_tags(flag: str) -> ComputedField:
    def compute(serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> int:
        tags = (serializer.store.get("tags", key) for key in record["tags"])
        # Alyx sums the flags of the tags: the value is a number, although the schema promises a boolean.
        return sum(1 for tag in tags if tag is not None and tag[flag])

    return compute


def _file_url(serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> str | None:
    repository = serializer.store.get("data-repository", record["data_repository"])
    if repository is None or not repository["data_url"]:
        return None
    path = record["relative_path"]
    # Names on servers contain the dataset's identifier, names in personal repositories do not.
    if not repository["globus_is_personal"]:
        path = with_identifier(path, record["dataset"])
    root = serializer.resolve_data_url(repository["data_url"]) or ""
    return f"{root.rstrip('/')}/{quote(path)}"


def _repository_path(serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> str:
    repository = serializer.store.get("data-repository", record["data_repository"])
    return repository["globus_path"] if repository else ""


def _dataset_url(serializer: Serializer, record: Record, field: FieldSchema, view: View) -> str | None:
    urls: list[tuple[bool, str | None]] = []
    for file in serializer.store.related("files", "dataset", record["id"]):
        repository = serializer.store.get("data-repository", file["data_repository"])
        if file["exists"] and repository is not None and repository["data_url"] is not None:
            urls.append((bool(repository["globus_is_personal"]), _file_url(serializer, file, field, view)))
    # Servers come before personal repositories.
    return min(urls, key=lambda candidate: candidate[0])[1] if urls else None


def _data_url(serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> str | None:
    return serializer.resolve_data_url(record["data_url"])


def _description_html(_serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> str:
    # The small part of Markdown that the seeds use.
    text = html.escape(record["description"] or "", quote=False)
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    return "\n".join(f"<p>{paragraph}</p>" for paragraph in text.split("\n\n") if paragraph)


DATASET_FIELDS: dict[tuple[str, str], ComputedField] = {
    ("datasets", "experiment_number"): _experiment_number,
    ("datasets", "file_records"): nested("files", "dataset", *_FILE_RECORD),
    ("datasets", "revision"): _revision,
    ("datasets", "protected"): _count_tags("protected"),
    ("datasets", "public"): _count_tags("public"),
    ("datasets", "data_url"): _dataset_url,
    ("datasets", "default_revision"): _default_revision,
    ("files", "data_url"): _file_url,
    ("files", "data_repository_path"): _repository_path,
    ("data-repository", "data_url"): _data_url,
    ("data-notices", "description_html"): _description_html,
}
