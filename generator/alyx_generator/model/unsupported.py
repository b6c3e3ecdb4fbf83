"""What operations ask for that this client never sends: headers, cookies, and other ways to log in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from alyx_client.schema.openapi import as_list, as_schema
from alyx_generator.model.ir import Finding
from alyx_generator.model.operations import Operation

# OpenAPI has these described elsewhere, and the client sends them.
_SENT_HEADERS = frozenset({"accept", "authorization", "content-type"})


def unmet(document: Mapping[str, Any], groups: Mapping[str, Sequence[Operation]]) -> list[Finding]:
    """Return what a reader should know before calling the operations.

    Parameters
    ----------
    document
        The whole document, which holds the ways to log in.
    groups
        The operations that become methods, by endpoint.
    """
    found = [Finding("servers", "", reason) for reason in _folders(document)] if groups else []
    logins: dict[str, tuple[str, Operation, int]] = {}
    for endpoint, operations in groups.items():
        for operation in operations:
            found += [Finding(endpoint, operation.where, reason) for reason in _headers(operation)]
            ways = _foreign_logins(document, operation)
            if ways:
                first, example, count = logins.get(ways, (endpoint, operation, 0))
                logins[ways] = (first, example, count + 1)
    for ways, (endpoint, operation, count) in logins.items():
        more = f", as do {count - 1} other operations" if count > 1 else ""
        reason = f"asks for {ways}{more}; this client logs in with Alyx's token alone"
        found.append(Finding(endpoint, operation.where, reason))
    return found


def _folders(document: Mapping[str, Any]) -> Iterator[str]:
    given = [str(as_schema(each).get("url", "")) for each in as_list(document.get("servers"))]
    folders = [re.sub(r"^([a-zA-Z][\w+.-]*:)?//[^/]*", "", url).strip("/") for url in given]
    if folders and all(folders):
        yield f"the paths are below {given[0]}: the client's address must end in /{folders[0]}, too"


def _headers(operation: Operation) -> Iterator[str]:
    for kind in ("header", "cookie"):
        for parameter in operation.parameters(kind):
            name = str(parameter["name"])
            if kind == "header" and name.lower() in _SENT_HEADERS:
                continue
            yield f"the {kind} {name}{', which it needs,' if parameter.get('required') else ''} cannot be given"


def _foreign_logins(document: Mapping[str, Any], operation: Operation) -> str:
    """Return the ways to log in that an operation asks for; empty where a token, or nothing, is one of them."""
    asked = operation.spec.get("security", document.get("security"))
    if not isinstance(asked, list) or not asked:
        return ""
    schemes = cast("Mapping[str, Any]", document.get("components", {}).get("securitySchemes") or {})
    names: list[str] = []
    for alternative in cast("Sequence[Any]", asked):
        wanted = sorted(cast("Mapping[str, Any]", alternative)) if isinstance(alternative, Mapping) else []
        if all(_is_token(schemes.get(name)) for name in wanted):
            return ""
        names.append(" with ".join(wanted))
    return " or ".join(names)


def _is_token(scheme: Any) -> bool:
    if not isinstance(scheme, Mapping):
        return False
    given = cast("Mapping[str, Any]", scheme)
    return (given.get("type"), given.get("in"), str(given.get("name")).lower()) == ("apiKey", "header", "authorization")
