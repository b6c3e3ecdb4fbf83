"""The repositories that registered files belong to."""

from __future__ import annotations

from alyx_client.testing.failures import Failure
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.views.parameters import split_words
from alyx_client.testing.views.registration_target import RegistrationTarget


def find_repository(store: Store, body: Record) -> Record | None:
    """Return the repository that a request names, by name or by host name; None if it names none."""
    for column in ("name", "hostname"):
        if body.get(column):
            repository = store.find("data-repository", column, body[column])
            if repository is None:
                raise Failure(400, {"detail": "The specified repository does not exist."})
            return repository
    return None


def find_repositories(
    target: RegistrationTarget, body: Record, repository: Record | None, *, server_only: bool
) -> list[Record]:
    """Return the repositories of the labs that a request names, or of the subject's lab, and the one it names."""
    if target.session is None:
        if repository is None:
            detail = "A valid repository name or hostname must be provided for non-session datasets."
            raise Failure(400, {"detail": detail})
        return [repository]
    keys = dict.fromkeys(key for lab in _labs(target, body) for key in lab["repositories"])
    candidates = (target.store.get("data-repository", key) for key in keys)
    repositories = [row for row in candidates if row is not None]
    if server_only:
        repositories = [row for row in repositories if row["globus_is_personal"] is False]
    if repository is not None and all(row["id"] != repository["id"] for row in repositories):
        repositories.append(repository)
    return repositories


def _labs(target: RegistrationTarget, body: Record) -> list[Record]:
    # `projects` is Alyx's old name of the parameter `labs`.
    names = [*split_words(body.get("labs")), *split_words(body.get("projects"))]
    labs = [target.store.find("labs", "name", name) for name in names if name]
    if None in labs:
        raise Failure(400, {"detail": "One or more of the specified labs do not exist."})
    if not labs and target.subject is not None:
        labs = [target.store.get("labs", target.subject["lab"])]
    return [lab for lab in labs if lab is not None]
