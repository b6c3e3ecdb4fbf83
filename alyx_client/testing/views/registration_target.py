"""The targets of file registration, and paths parsed by the ALF naming convention."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from alyx_client.testing.failures import Failure, ServerFailure
from alyx_client.testing.records.sessions import find_session
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.records.write_context import WriteContext

_SESSION_PATH = re.compile(r"(?P<subject>[\w.-]+)/(?P<date>\d{4}-\d{2}-\d{2})/(?P<number>\d{1,3})")
_FOLDER = re.compile(r"[\w.-]+$")
_REVISION = re.compile(r"#.+#$")
_REVISION_HINT = "A revision folder must be surrounded by pound signs (#)."
_INVALID_PATH = f"Invalid ALF path. Only letters, numbers, hyphen and underscores allowed. {_REVISION_HINT}"
# The missing space is Alyx's.
_INVALID_REVISION = (
    f"Invalid ALF path. There must be only 1 revision and it cannot containsub folders. {_REVISION_HINT}"
)


@dataclass(frozen=True)
class AlfFile:
    """One file, parsed by the naming convention ``subject/date/number/collection/#revision#/name``."""

    session_folder: str
    collection: str
    revision: str
    name: str

    @property
    def relative_path(self) -> str:
        """The path inside a repository."""
        parts = (self.session_folder, self.collection, f"#{self.revision}#" if self.revision else "", self.name)
        return "/".join(part for part in parts if part)


@dataclass
class RegistrationTarget:
    """The record that files are registered for.

    A session is named by the path of its folder, any other record by content type and primary key.
    """

    store: Store
    path: str
    session: Record | None = None
    subject: Record | None = None
    content_type: str | None = None
    object_id: str | None = None

    @classmethod
    def find(cls, context: WriteContext, parameters: Mapping[str, object], *, internal: bool) -> RegistrationTarget:
        """Find the target that the parameters of a request name.

        Parameters
        ----------
        context
            The records; the user becomes a user of the session.
        parameters
            ``path``, and optionally ``content_type`` and ``object_id``.
        internal
            Report an unknown session as an internal error, as Alyx does in ``/check-protected``.

        Raises
        ------
        Failure
            There is no such record.
        """
        path = parameters.get("path") or ""
        if not path:
            raise ServerFailure("The path argument is required.")
        if not isinstance(path, str):
            raise ServerFailure(f"'{type(path).__name__}' object has no attribute 'replace'")
        target = cls(context.store, re.sub("/+", "/", path.replace("\\", "/")).strip("/"))
        content_type, object_id = parameters.get("content_type"), parameters.get("object_id")
        if content_type and object_id:
            target._find_record(context, str(content_type), str(object_id))
        elif content_type or object_id:
            raise Failure(400, {"error": "Both content_type and object_id should be provided together."})
        else:
            target._find_session(internal)
            target._add_user(context.user)
        return target

    def _find_record(self, context: WriteContext, content_type: str, object_id: str) -> None:
        for table in context.tables.values():
            if table.matches_content_type(content_type):
                if self.store.get(table.name, object_id) is None:
                    raise Failure(400, {"detail": f"Invalid object ID: {object_id}"})
                self.content_type, self.object_id = table.content_type, object_id
                return
        raise Failure(400, {"detail": f"Invalid content type: {content_type}"})

    def _find_session(self, internal: bool) -> None:
        try:
            match = _SESSION_PATH.match(self.path)
            if match is None:
                raise ServerFailure(f"The path {self.path} should be `nickname/YYYY-MM-DD/n/...")
            self.subject = self.store.find("subjects", "nickname", match["subject"])
            if self.subject is None:
                unknown = f'A subject with nickname "{match["subject"]}" does not exist.'
                raise ServerFailure("Subject matching query does not exist." if internal else unknown)
            self.session = find_session(self.store, self.subject, _day(match["date"]), int(match["number"]))
        except ServerFailure as failure:
            if internal:
                raise
            raise Failure(400, {"error": failure.body["detail"]}) from None

    def _add_user(self, user: Record | None) -> None:
        # The user who registers data becomes a user of the session.
        if self.session is not None and user is not None and user["id"] not in self.session["users"]:
            users = [*self.session["users"], user["id"]]
            self.session = self.store.update("sessions", self.session["id"], {"users": users})

    def parse(self, filename: str) -> AlfFile:
        """Parse the name of a file, which may contain folders.

        Raises
        ------
        Failure
            A folder's name is not valid, or the revision is not the innermost folder.
        """
        parts = f"{self.path}/{filename}".split("/")
        session_folder = "/".join(parts[:3]) if self.session else ""
        folders, name = parts[3 if self.session else 0 : -1], parts[-1]
        revisions = [folder for folder in folders if folder.startswith("#")]
        if len(revisions) > 1 or (revisions and folders[-1] != revisions[0]):
            raise Failure(400, {"detail": _INVALID_REVISION})
        collection = [folder for folder in folders if folder not in revisions]
        if not all(map(_FOLDER.match, collection)) or not all(map(_REVISION.match, revisions)):
            raise Failure(400, {"detail": _INVALID_PATH})
        return AlfFile(session_folder, "/".join(collection), revisions[0].strip("#") if revisions else "", name)

    def datasets(self, file: AlfFile) -> list[Record]:
        """Return the registered revisions of a file, the latest first and the original last."""
        if self.session is not None:
            rows = self.store.related("datasets", "session", self.session["id"])
        else:
            rows = self.store.related("datasets", "object_id", self.object_id)

        def creation(dataset: Record) -> str:
            revision = self.store.get("revisions", dataset["revision"])
            return revision["created_datetime"] or "" if revision else ""

        rows = [row for row in rows if row["name"] == file.name and row["collection"] == file.collection]
        return sorted(rows, key=creation, reverse=True)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        problem = "value has the correct format (YYYY-MM-DD) but it is an invalid date."
        # Not a ServerFailure: Alyx turns the other errors of a path into a 400.
        raise Failure(500, {"detail": f"['“{text}” {problem}']"}) from None
