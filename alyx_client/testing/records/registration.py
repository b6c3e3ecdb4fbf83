"""Registering files: a dataset for each, and a record for every repository that should have it."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from alyx_client.testing.failures import Failure, ServerFailure
from alyx_client.testing.records.changes import Editor, make_other_defaults
from alyx_client.testing.records.registration_target import AlfFile, RegistrationTarget
from alyx_client.testing.records.relations import QC, Table
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.records.views import ApiRequest


class Registration:
    """The registration of files over a store."""

    def __init__(self, store: Store, tables: Mapping[str, Table]) -> None:
        self.store = store
        self.tables = tables

    def check_protected(self, call: ApiRequest) -> tuple[int, Any]:
        """Answer whether any of the named files carries a tag that protects it."""
        asked = call.fields() or {name: values[-1] for name, values in call.query.items()}
        filenames = words(asked.get("filenames", ()))
        place = RegistrationTarget(self.store, self.tables, asked, call.user, crash=True)
        protected, details = self._protected(place, place.parse(filenames), filenames)
        if protected:
            return 200, {"status_code": 403, "error": "One or more datasets is protected", "details": details}
        return 200, {"status_code": 200, "details": "None of the datasets are protected"}

    def _protected(
        self, place: RegistrationTarget, parsed: list[AlfFile], filenames: list[str]
    ) -> tuple[bool, list[Any]]:
        details: list[Any] = []
        some = False
        for given, file in zip(filenames, parsed, strict=True):
            states = [{self._revision(row): self._is_protected(row)} for row in place.datasets(file)]
            some = some or any(True in state.values() for state in states)
            details.append({given: states})
        return some, details

    def _revision(self, dataset: Record) -> str:
        revision = self.store.get("revisions", dataset["revision"])
        return revision["name"] if revision else ""

    def _is_protected(self, dataset: Record) -> bool:
        return any((tag := self.store.get("tags", key)) and tag["protected"] for key in dataset["tags"])

    def register_file(self, call: ApiRequest) -> tuple[int, Any]:
        """Register files that exist in a repository: a dataset each, and a record for every repository of the lab."""
        body = call.fields()
        user = call.user
        if body.get("created_by"):
            user = self.store.find("users", "username", body["created_by"])
            if user is None:
                raise ServerFailure("LabMember matching query does not exist.")
        repository = self._repository(body)
        filenames = [name for name in words(body.get("filenames", ())) if name]
        place = RegistrationTarget(self.store, self.tables, body, user)
        parsed = place.parse(filenames)
        server_only = flag(body.get("server_only", False))
        repositories = self._repositories(body, place, repository, server_only)
        exists_in = repositories if server_only else [repository] if repository else []
        if not flag(body.get("exists", True)):
            exists_in = []
        if flag(body.get("check_protected", False)):
            protected, states = self._protected(place, parsed, filenames)
            if protected:
                raise Failure(403, {"error": "One or more datasets is protected", "details": states})
        details = (
            several(body.get("hashes"), len(parsed)),
            several(body.get("filesizes"), len(parsed)),
            several(body.get("versions"), len(parsed), repeat=True),
            several(body.get("qc"), len(parsed), repeat=True),
        )
        registered: list[Any] = []
        for file, digest, size, version, quality in zip(parsed, *details, strict=False):
            changes = {
                "hash": digest or "",
                "file_size": int(size) if size is not None else None,
                "version": version or "",
                "qc": _quality(quality, file),
                "default_dataset": flag(body.get("default", True)),
                "created_by": user["id"] if user else None,
            }
            dataset = self._register(place, file, changes, repositories, exists_in, user)
            registered.append(self._registered(dataset))
        return 201, registered

    def _register(
        self,
        place: RegistrationTarget,
        file: AlfFile,
        changes: dict[str, Any],
        repositories: list[Record],
        exists_in: list[Record],
        user: Record | None,
    ) -> Record:
        editor = Editor(self.store, self.tables, user)
        dataset_type = self._dataset_type(file.name)
        data_format = self.store.find("data-formats", "file_extension", PurePosixPath(file.name).suffix)
        if data_format is None:
            raise ServerFailure("DataFormat matching query does not exist.")
        revision = self.store.find("revisions", "name", file.revision) if file.revision else None
        if file.revision and revision is None:
            revision = editor.create("revisions", {"name": file.revision})
        key = revision["id"] if revision else None
        found = [row for row in place.datasets(file) if row["revision"] == key]
        patched = True
        if found:
            if self._is_protected(found[0]):
                raise Failure(403, {"detail": f"Dataset {found[0]['id']} is protected, cannot patch"})
            patched = not (changes["hash"] and changes["hash"] == found[0]["hash"])
            kept = {name: value for name, value in changes.items() if value not in ("", None)}
            dataset = editor.update("datasets", found[0]["id"], kept)
        else:
            values = {
                "name": file.name,
                "collection": file.collection,
                "session": place.session["id"] if place.session else None,
                "dataset_type": dataset_type["id"],
                "data_format": data_format["id"],
                "revision": key,
                "content_type": place.content_type,
                "object_id": place.object_id,
            }
            dataset = editor.create("datasets", {**values, **changes})
        if changes["default_dataset"]:
            make_other_defaults(self.store, place.session, file.collection, file.name, dataset["id"])
        for repository in repositories:
            exists = any(repository["id"] == one["id"] for one in exists_in)
            self._file_record(editor, dataset, repository, file.relative_path, exists, patched)
        return dataset

    def _file_record(
        self, editor: Editor, dataset: Record, repository: Record, path: str, exists: bool, patched: bool
    ) -> None:
        for row in self.store.related("files", "relative_path", path):
            if row["data_repository"] != repository["id"]:
                continue
            if row["dataset"] != dataset["id"]:
                detail = f'A file record for "{path}" already exists on repository "{repository["name"]}" '
                raise Failure(400, {"detail": detail + "for a different dataset."})
            if patched:
                editor.update("files", row["id"], {"exists": exists, "json": None})
            return
        values = {"dataset": dataset["id"], "data_repository": repository["id"], "relative_path": path}
        editor.create("files", {**values, "exists": exists})

    def _registered(self, dataset: Record) -> dict[str, Any]:
        def named(table: str, key: Any, slug: str = "name") -> str:
            found = self.store.get(table, key)
            return found[slug] if found else ""

        session = self.store.get("sessions", dataset["session"])
        subject: str | None = None
        if session is not None:
            subject = named("subjects", session["subject"], "nickname")
        elif dataset["content_type"] == "subjects.subject":
            subject = named("subjects", dataset["object_id"], "nickname")
        answer: dict[str, Any] = {
            "id": dataset["id"],
            "name": dataset["name"],
            "file_size": dataset["file_size"],
            "subject": subject,
            "created_by": named("users", dataset["created_by"], "username"),
            "created_datetime": dataset["created_datetime"],
            "dataset_type": named("dataset-types", dataset["dataset_type"]),
            "data_format": named("data-formats", dataset["data_format"]),
        }
        if session is not None:
            answer["session"] = session["id"]
            answer["session_number"] = session["number"]
            answer["session_users"] = ",".join(named("users", key, "username") for key in session["users"])
            answer["session_start_time"] = session["start_time"]
        else:
            answer["content_type"] = dataset["content_type"]
            answer["object_id"] = dataset["object_id"]
        answer["collection"] = dataset["collection"]
        answer["revision"] = named("revisions", dataset["revision"])
        answer["default"] = dataset["default_dataset"]
        answer["qc"] = dataset["qc"]
        answer["file_records"] = [
            {
                "id": row["id"],
                "data_repository": named("data-repository", row["data_repository"]),
                "relative_path": row["relative_path"],
                "exists": row["exists"],
            }
            for row in self.store.related("files", "dataset", dataset["id"])
        ]
        return answer

    def _dataset_type(self, filename: str) -> Record:
        for row in self.store.rows("dataset-types"):
            pattern = row["filename_pattern"]
            if pattern and fnmatchcase(filename, pattern):
                return row
        found = self.store.find("dataset-types", "name", ".".join(filename.split(".")[:2]))
        if found is None:
            raise ServerFailure(f'No dataset type found for filename "{filename}"')
        return found

    def _repository(self, body: Mapping[str, Any]) -> Record | None:
        for name, column in (("name", "name"), ("hostname", "hostname")):
            if body.get(name):
                found = self.store.find("data-repository", column, body[name])
                if found is None:
                    raise Failure(400, {"detail": "The specified repository does not exist."})
                return found
        return None

    def _repositories(
        self, body: Mapping[str, Any], place: RegistrationTarget, repository: Record | None, server_only: bool
    ) -> list[Record]:
        if place.session is None:
            if repository is None:
                detail = "A valid repository name or hostname must be provided for non-session datasets."
                raise Failure(400, {"detail": detail})
            return [repository]
        labs: list[Record | None] = []
        for name in [*words(body.get("labs", ())), *words(body.get("projects", ()))]:
            if name:
                labs.append(self.store.find("labs", "name", name))
        if None in labs:
            raise Failure(400, {"detail": "One or more of the specified labs do not exist."})
        if not labs and place.subject is not None:
            labs = [self.store.get("labs", place.subject["lab"])]
        keys = dict.fromkeys(key for lab in labs if lab for key in lab["repositories"])
        found = [row for key in keys if (row := self.store.get("data-repository", key)) is not None]
        if server_only:
            found = [row for row in found if row["globus_is_personal"] is False]
        if repository is not None and all(row["id"] != repository["id"] for row in found):
            found.append(repository)
        return found


def words(value: Any) -> list[str]:
    """Return the words of a list or of a comma-joined text."""
    return value.split(",") if isinstance(value, str) else [str(item) for item in value or ()]


def several(value: Any, count: int, *, repeat: bool = False) -> list[Any]:
    """Return one value for each file, from a list, a comma-joined text, or one text for all."""
    if value is None:
        return [None] * count
    found: list[Any] = value.split(",") if isinstance(value, str) else [value]
    if isinstance(value, (list, tuple)):
        found = list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return found * count if repeat and isinstance(value, str) and len(found) == 1 else found


def flag(value: Any) -> bool:
    """Return whether a value, or its text, is true."""
    return value == "True" if isinstance(value, str) else bool(value)


def _quality(value: Any, file: AlfFile) -> int:
    label = str(value or "NOT_SET").upper()
    if label in QC:
        return QC[label]
    if label.isdigit() and int(label) in QC.values():
        return int(label)
    raise Failure(400, {"detail": f'Invalid QC value "{value}" for dataset "{file.relative_path}"'})
