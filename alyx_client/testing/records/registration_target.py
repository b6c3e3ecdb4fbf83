"""Paths of files, taken apart by the naming convention, and what the files belong to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from alyx_client.testing.failures import Failure, ServerFailure
from alyx_client.testing.records.changes import find_session
from alyx_client.testing.records.relations import CONTENT_APPS, Table
from alyx_client.testing.records.store import Record, Store

_SESSION_PATH = re.compile(r"(?P<subject>[\w.-]+)/(?P<date>\d{4}-\d{2}-\d{2})/(?P<number>\d{1,3})(?P<rest>/.*)?$")
_PART = re.compile(r"[\w.-]+$")
_BAD_PATH = (
    "Invalid ALF path. Only letters, numbers, hyphen and underscores allowed. "
    "A revision folder must be surrounded by pound signs (#)."
)


class AlfFile:
    """One file, taken apart by the naming convention."""

    def __init__(self, folder: str, collection: str, revision: str, name: str) -> None:
        self.collection = collection
        self.revision = revision
        self.name = name
        parts = (folder, collection, f"#{revision}#" if revision else "", name)
        self.relative_path = "/".join(part for part in parts if part)


class RegistrationTarget:
    """What files are registered for: a session, found by its path, or another record, named by type and key."""

    def __init__(
        self,
        store: Store,
        tables: Mapping[str, Table],
        asked: Mapping[str, Any],
        user: Record | None,
        *,
        crash: bool = False,
    ) -> None:
        self._store = store
        path = str(asked.get("path") or "")
        if not path:
            raise ServerFailure("The path argument is required.")
        self.path = re.sub("/+", "/", path.replace("\\", "/")).strip("/")
        self.session: Record | None = None
        self.subject: Record | None = None
        self.content_type: str | None = asked.get("content_type")
        self.object_id: str | None = asked.get("object_id")
        if self.content_type and self.object_id:
            self._other_record(tables)
        elif self.content_type or self.object_id:
            raise Failure(400, {"error": "Both content_type and object_id should be provided together."})
        else:
            self._find_session(user, crash)

    def _other_record(self, tables: Mapping[str, Table]) -> None:
        for table in tables.values():
            if table.app in CONTENT_APPS and self.content_type in (table.label, table.model.lower()):
                if self._store.get(table.table, self.object_id) is None:
                    raise Failure(400, {"detail": f"Invalid object ID: {self.object_id}"})
                self.content_type = table.label
                return
        raise Failure(400, {"detail": f"Invalid content type: {self.content_type}"})

    def _find_session(self, user: Record | None, crash: bool) -> None:
        match = _SESSION_PATH.match(self.path)
        try:
            if match is None:
                raise ServerFailure(f"The path {self.path} should be `nickname/YYYY-MM-DD/n/...")
            self.subject = self._store.find("subjects", "nickname", match["subject"])
            if self.subject is None:
                if crash:
                    raise ServerFailure("Subject matching query does not exist.")
                raise ServerFailure(f'A subject with nickname "{match["subject"]}" does not exist.')
            self.session = find_session(self._store, self.subject, match["date"], int(match["number"]))
        except ServerFailure as problem:
            if crash:
                raise
            raise Failure(400, {"error": problem.body["detail"]}) from None
        if user is not None and user["id"] not in self.session["users"]:
            users = [*self.session["users"], user["id"]]
            self.session = self._store.update("sessions", self.session["id"], {"users": users})

    def parse(self, filenames: list[str]) -> list[AlfFile]:
        """Take the names of files apart."""
        return [self._parse(name) for name in filenames]

    def _parse(self, filename: str) -> AlfFile:
        parts = f"{self.path}/{filename}".split("/")
        root = "/".join(parts[:3]) if self.session else ""
        folders, name = parts[3 if self.session else 0 : -1], parts[-1]
        revisions = [part for part in folders if part.startswith("#")]
        if len(revisions) > 1 or (revisions and folders[-1] != revisions[0]):
            detail = "Invalid ALF path. There must be only 1 revision and it cannot containsub folders. "
            raise Failure(400, {"detail": detail + "A revision folder must be surrounded by pound signs (#)."})
        plain = [part for part in folders if part not in revisions]
        if not all(_PART.match(part) for part in plain) or not all(
            one.endswith("#") and len(one) > 2 for one in revisions
        ):
            raise Failure(400, {"detail": _BAD_PATH})
        return AlfFile(root, "/".join(plain), revisions[0].strip("#") if revisions else "", name)

    def datasets(self, file: AlfFile) -> list[Record]:
        """Return the registered revisions of a file, the latest first and the original last."""
        if self.session is not None:
            rows = self._store.related("datasets", "session", self.session["id"])
        else:
            rows = self._store.related("datasets", "object_id", self.object_id)
        found = [row for row in rows if row["name"] == file.name and row["collection"] == file.collection]

        def age(row: Record) -> str:
            revision = self._store.get("revisions", row["revision"])
            return revision["created_datetime"] or "" if revision else ""

        return sorted(found, key=age, reverse=True)
