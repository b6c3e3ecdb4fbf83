"""Changes of a server as a whole: its address, its login, and the paths that a client uses by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alyx_client.schema.action_diff import login_verdicts
from alyx_client.schema.change_names import call_name
from alyx_client.schema.keyword_diff import Verdict
from alyx_client.schema.report import Change
from alyx_client.schema.routes import NOT_ENDPOINTS
from alyx_client.schema.surface import Surface, SurfaceAction

__all__ = ["SubjectChange", "login_changes", "server_changes"]

SubjectChange = tuple[str, Change]
"""A change, and its subject regardless of the action: equal changes of one subject in several actions are merged."""


def server_changes(old: Surface, new: Surface) -> Iterator[SubjectChange]:
    """Yield the changes of the server's address and of the paths that are not endpoints."""
    for group, words in (*_path_verdicts(old, new), *_service_verdicts(old, new)):
        yield "", Change(group, "server", "changed", "", (), "client", words)


def login_changes(pairs: Sequence[tuple[SurfaceAction, SurfaceAction]]) -> Iterator[SubjectChange]:
    """Yield the changes of logins: one if they are the same for all actions.

    Parameters
    ----------
    pairs
        The actions before and after.
    """
    changed = [(old, list(login_verdicts(old, new))) for old, new in pairs]
    # A login that changed everywhere is one change, of the server.
    is_general = len(changed) > 1 and all(verdicts == changed[0][1] for _, verdicts in changed)
    for old, verdicts in changed[:1] if is_general else changed:
        for group, words in verdicts:
            name = old.name
            if is_general:
                yield "", Change(group, "server", "changed", "", (), "client", words)
            else:
                yield "", Change(group, "action", "changed", name.endpoint, (name.action,), call_name(old), words)


def _path_verdicts(old: Surface, new: Surface) -> Iterator[Verdict]:
    # Addresses differ between servers; a document without one says nothing about its path.
    if not old.servers or not new.servers or old.servers == new.servers:
        return
    before, after = (" or ".join(path or "/" for path in surface.servers) for surface in (old, new))
    is_breaking = not set(old.servers) <= set(new.servers)
    yield "breaking" if is_breaking else "harmless", f"the server's path is now {after}, was {before}"


def _service_verdicts(old: Surface, new: Surface) -> Iterator[Verdict]:
    for path in (path for path in old.services if path not in new.services):
        is_used = path == "/auth-token"
        yield "breaking" if is_used else "harmless", f"{path} is gone: {NOT_ENDPOINTS[path]}"
    for path in (path for path in new.services if path not in old.services):
        yield "harmless", f"{path} is new: {NOT_ENDPOINTS[path]}"
