"""The recorded exchanges, and which action of the client each belongs to."""

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
    """One recorded request and its answer; `action` is None where it is not one of the client's."""

    cassette: str
    endpoint: str
    action: Action[Any] | ListAction[Any] | None
    response: Response

    @property
    def is_success(self) -> bool:
        # Alyx also answers 200 with a page that says 500.
        kind = self.response.headers.get("content-type", "")
        is_page = self.endpoint != "uploaded" and kind.startswith("text/html")
        return 200 <= self.response.status < 300 and not is_page


@functools.cache
def exchanges() -> list[Exchange]:
    """Return all of them."""
    return [each for path in sorted(FOLDER.rglob("*.yaml")) for each in _of(path)]


def _of(path: Path) -> Iterator[Exchange]:
    for each in yaml.load(path.read_text("utf-8"), _LOADER)["interactions"]:
        request, answer = each["request"], each["response"]
        body = answer["body"]["string"]
        response = Response(
            answer["status"]["code"],
            {name.lower(): text[0] for name, text in answer["headers"].items()},
            body if isinstance(body, bytes) else body.encode(),
            request["method"],
            request["uri"],
        )
        endpoint, action = _action(request["method"], urlsplit(request["uri"]).path)
        yield Exchange(f"{path.parent.name}/{path.stem}", endpoint, action, response)


def _action(method: str, path: str) -> tuple[str, Action[Any] | ListAction[Any] | None]:
    for (verb, pattern), found in _routes().items():
        if verb == method and re.fullmatch(pattern, path):
            return found
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
