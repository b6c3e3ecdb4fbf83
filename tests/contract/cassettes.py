"""The recorded exchanges, and the action of the client that each of them belongs to.

Those in ``cassettes/lists`` are not replayed: they are pages of a larger database, and show what fields may hold.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from alyx_client.http.message import Response
from alyx_client.runtime.action import Action, ListAction

from .endpoints import ENDPOINTS

FOLDER = Path(__file__).parent / "cassettes"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Exchange:
    """A recorded request and its response; `action` is None if the client has no such action."""

    cassette: str
    endpoint: str
    action: Action[Any] | ListAction[Any] | None
    response: Response

    @property
    def is_success(self) -> bool:
        # Alyx also sends an error page, which says 500, with status 200.
        kind = self.response.headers.get("content-type", "")
        is_page = self.endpoint != "uploaded" and kind.startswith("text/html")
        return 200 <= self.response.status < 300 and not is_page


@functools.cache
def exchanges() -> list[Exchange]:
    """Return all recorded exchanges."""
    return [exchange for path in sorted(FOLDER.rglob("*.yaml")) for exchange in _read(path)]


def _read(path: Path) -> Iterator[Exchange]:
    for interaction in yaml.load(path.read_text("utf-8"), _LOADER)["interactions"]:
        request, recorded = interaction["request"], interaction["response"]
        body = recorded["body"]["string"]
        response = Response(
            recorded["status"]["code"],
            {name.lower(): text[0] for name, text in recorded["headers"].items()},
            body if isinstance(body, bytes) else body.encode(),
            request["method"],
            request["uri"],
        )
        endpoint, action = _action(request["method"], urlsplit(request["uri"]).path)
        yield Exchange(f"{path.parent.name}/{path.stem}", endpoint, action, response)


def _action(method: str, path: str) -> tuple[str, Action[Any] | ListAction[Any] | None]:
    for (verb, pattern), route in _routes().items():
        if verb == method and re.fullmatch(pattern, path):
            return route
    return "", None


@functools.cache
def _routes() -> dict[tuple[str, str], tuple[str, Action[Any] | ListAction[Any]]]:
    routes: dict[tuple[str, str], tuple[str, Action[Any] | ListAction[Any]]] = {}
    for name, declared in ENDPOINTS.items():
        if declared.listing:
            routes["GET", re.escape(declared.listing.path)] = name, declared.listing
        for action in declared.actions.values():
            start, brace, rest = action.path.partition("{")
            key = ".+" if action.lookup == "path" else "[^/]+"
            pattern = re.escape(start) + key + re.escape(rest.partition("}")[2]) if brace else re.escape(start)
            routes[action.method, pattern] = name, action
            if action.bare_path:
                routes[action.method, re.escape(action.bare_path)] = name, action
    return routes
