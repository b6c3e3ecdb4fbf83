"""Registration of single files: create or update a dataset and its file records."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from alyx_client.testing.failures import Failure, ServerFailure
from alyx_client.testing.records.editor import Editor
from alyx_client.testing.records.sessions import clear_other_defaults
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.records.write_context import WriteContext
from alyx_client.testing.views.registration_target import AlfFile, RegistrationTarget


class Registrar:
    """Registers the files of one request.

    Parameters
    ----------
    context
        The records and the user.
    target
        The record that the files belong to.
    repositories
        The repositories that should have the files.
    holders
        Those of them that have the files already.
    """

    def __init__(
        self, context: WriteContext, target: RegistrationTarget, repositories: list[Record], holders: list[Record]
    ) -> None:
        self.store = context.store
        self.target = target
        self.repositories = repositories
        self._holder_keys = {repository["id"] for repository in holders}
        self._editor = Editor(context.store, context.tables, context.user)

    def register(self, file: AlfFile, values: Record) -> Record:
        """Register one file, and return its dataset."""
        identity = self._identity(file)
        revision = self._revision(file)
        registered = [row for row in self.target.datasets(file) if row["revision"] == revision]
        content_changed = True
        if registered:
            dataset = registered[0]
            if is_protected(self.store, dataset):
                raise Failure(403, {"detail": f"Dataset {dataset['id']} is protected, cannot patch"})
            # An equal hash means the same content: the copies in other repositories remain valid.
            content_changed = not (values["hash"] and values["hash"] == dataset["hash"])
            changes = {name: value for name, value in values.items() if value not in ("", None)}
            dataset = self._editor.update("datasets", dataset["id"], changes)
        else:
            dataset = self._editor.create("datasets", {**identity, "revision": revision, **values})
        if values["default_dataset"]:
            clear_other_defaults(self.store, self.target.session, file.collection, file.name, dataset["id"])
        for repository in self.repositories:
            self._register_copy(dataset, repository, file.relative_path, content_changed)
        return dataset

    def _revision(self, file: AlfFile) -> str | None:
        if not file.revision:
            return None
        revision = self.store.find("revisions", "name", file.revision)
        return str((revision or self._editor.create("revisions", {"name": file.revision}))["id"])

    def _identity(self, file: AlfFile) -> Record:
        dataset_type = self._dataset_type(file.name)
        data_format = self.store.find("data-formats", "file_extension", PurePosixPath(file.name).suffix)
        if data_format is None:
            raise ServerFailure("DataFormat matching query does not exist.")
        return {
            "name": file.name,
            "collection": file.collection,
            "session": self.target.session["id"] if self.target.session else None,
            "dataset_type": dataset_type["id"],
            "data_format": data_format["id"],
            "content_type": self.target.content_type,
            "object_id": self.target.object_id,
        }

    def _dataset_type(self, filename: str) -> Record:
        for dataset_type in self.store.rows("dataset-types"):
            pattern = dataset_type["filename_pattern"]
            # The pattern of a dataset type takes precedence over its name.
            if pattern and fnmatchcase(filename, pattern):
                return dataset_type
        by_name = self.store.find("dataset-types", "name", ".".join(filename.split(".")[:2]))
        if by_name is None:
            raise ServerFailure(f'No dataset type found for filename "{filename}"')
        return by_name

    def _register_copy(self, dataset: Record, repository: Record, path: str, content_changed: bool) -> None:
        exists = repository["id"] in self._holder_keys
        # A path is unique in a repository, so it may belong to one dataset only.
        for row in self.store.related("files", "relative_path", path):
            if row["data_repository"] != repository["id"]:
                continue
            if row["dataset"] != dataset["id"]:
                detail = f'A file record for "{path}" already exists on repository "{repository["name"]}" '
                raise Failure(400, {"detail": detail + "for a different dataset."})
            if content_changed:
                self._editor.update("files", row["id"], {"exists": exists, "json": None})
            return
        values = {"dataset": dataset["id"], "data_repository": repository["id"], "relative_path": path}
        self._editor.create("files", {**values, "exists": exists})


def is_protected(store: Store, dataset: Record) -> bool:
    """Tell whether a dataset has a tag that protects it."""
    tags = (store.get("tags", key) for key in dataset["tags"])
    return any(tag is not None and tag["protected"] for tag in tags)
