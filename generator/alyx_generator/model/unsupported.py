"""Requirements of operations that this client does not meet: headers, cookies and other ways to log in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from alyx_client.schema.openapi import Schema, as_list, as_schema
from alyx_generator.model.ir import Finding
from alyx_generator.model.operations import Operation
from alyx_generator.source.openapi import Document

# OpenAPI ignores header parameters of these names (Parameter Object); the client sends them.
_SENT_HEADERS = frozenset({"accept", "authorization", "content-type"})


def unsupported_requirements(document: Document, groups: Mapping[str, Sequence[Operation]]) -> list[Finding]:
    """Return what a reader should know before calling the operations.

    Parameters
    ----------
    document
        The whole document, which holds the security schemes.
    groups
        The operations that become methods, by endpoint.
    """
    findings = [Finding("servers", "", reason) for reason in _base_paths(document)] if groups else []
    # A way to log in usually holds for the whole document: one finding, not one for each operation.
    logins: dict[str, tuple[str, Operation, int]] = {}
    for endpoint, operations in groups.items():
        for operation in operations:
            findings += [Finding(endpoint, operation.where, reason) for reason in _headers(operation)]
            schemes = _unsupported_logins(document, operation)
            if schemes:
                first, example, count = logins.get(schemes, (endpoint, operation, 0))
                logins[schemes] = (first, example, count + 1)
    for schemes, (endpoint, operation, count) in logins.items():
        more = f", as do {count - 1} other operations" if count > 1 else ""
        reason = f"requires {schemes}{more}; this client logs in with Alyx's token only"
        findings.append(Finding(endpoint, operation.where, reason))
    return findings


def _base_paths(document: Document) -> Iterator[str]:
    urls = [str(as_schema(server).get("url", "")) for server in as_list(document.get("servers"))]
    base_paths = [re.sub(r"^([a-zA-Z][\w+.-]*:)?//[^/]*", "", url).strip("/") for url in urls]
    # Several servers are alternatives; one at the root is enough.
    if base_paths and all(base_paths):
        yield f"the paths are below {urls[0]}: the client's address must end in /{base_paths[0]}, too"


def _headers(operation: Operation) -> Iterator[str]:
    for location in ("header", "cookie"):
        for parameter in operation.parameters(location):
            name = str(parameter["name"])
            if location == "header" and name.lower() in _SENT_HEADERS:
                continue
            yield f"the {'required ' if parameter.get('required') else ''}{location} {name} cannot be sent"


def _unsupported_logins(document: Document, operation: Operation) -> str:
    """Return the ways to log in to an operation; empty where a token, or nothing, is one of them."""
    requirements = operation.spec.get("security", document.get("security"))
    schemes = as_schema(as_schema(document.get("components")).get("securitySchemes"))
    alternatives: list[str] = []
    for requirement in as_list(requirements):
        names = sorted(as_schema(requirement))
        if all(_is_token(as_schema(schemes.get(name))) for name in names):
            return ""
        alternatives.append(" with ".join(names))
    return " or ".join(alternatives)


def _is_token(scheme: Schema) -> bool:
    return (scheme.get("type"), scheme.get("in"), str(scheme.get("name")).lower()) == (
        "apiKey",
        "header",
        "authorization",
    )
