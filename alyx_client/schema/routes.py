"""The routes table: HTTP methods, the actions that they stand for, and the paths that are not endpoints."""

from __future__ import annotations

__all__ = [
    "ACTIONS",
    "ACTIONS_BY_METHOD",
    "NOT_ENDPOINTS",
    "PAGING_PARAMETERS",
    "action_of",
    "action_rank",
    "is_endpoint",
    "path_keys",
    "route",
]

ACTIONS_BY_METHOD = {
    "GET": "read",
    "POST": "create",
    "PUT": "update",
    "PATCH": "partial_update",
    "DELETE": "delete",
}
"""The action of each HTTP method on a record; GET on a collection is ``list``."""

ACTIONS = ("list", "read", "create", "update", "partial_update", "delete")
"""The actions in the order in which they are shown."""

NOT_ENDPOINTS = {
    "/api/schema": "read by the generator",
    "/auth-token": "the client logs in by itself",
    "/docs": "a page for people",
}
"""Paths that are not endpoints of a client, without a trailing slash, each with the reason."""

PAGING_PARAMETERS = frozenset({"limit", "offset"})
"""The query parameters that select a page, and so are not filters."""


def action_of(method: str, path: str) -> str:
    """Return the action that a method and a path stand for, judged by these alone.

    Parameters
    ----------
    method
        The HTTP method, in capitals.
    path
        The path, with its lookup keys in braces.
    """
    # A GET on a path that does not end in a key may return a single record, too; only its response can tell.
    return "list" if method == "GET" and not path.endswith("}") else ACTIONS_BY_METHOD[method]


def action_rank(action: str) -> int:
    """Return an action's place in `ACTIONS`; actions of other names come last."""
    return ACTIONS.index(action) if action in ACTIONS else len(ACTIONS)


def is_endpoint(path: str) -> bool:
    """Return whether a path belongs to an endpoint of a client."""
    return path.rstrip("/") not in NOT_ENDPOINTS


def path_keys(path: str) -> list[str]:
    """Return the names of a path's lookup keys, in order."""
    return [segment[1:-1] for segment in path.split("/") if segment.startswith("{") and segment.endswith("}")]


def route(method: str, path: str) -> str:
    """Return what identifies an operation, regardless of the names of its lookup keys: ``GET /labs/{}``."""
    segments = ("{}" if segment.startswith("{") and segment.endswith("}") else segment for segment in path.split("/"))
    return f"{method.upper()} {'/'.join(segments)}"
