"""Requirements of operations that this client does not meet: headers, cookies and base paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from alyx_client.schema.openapi import as_list, as_schema
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
        The whole document.
    groups
        The operations that become methods, by endpoint.
    """
    findings = [Finding("servers", "", reason) for reason in _base_paths(document)] if groups else []
    for endpoint, operations in groups.items():
        for operation in operations:
            findings += [Finding(endpoint, operation.where, reason) for reason in _headers(operation)]
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
