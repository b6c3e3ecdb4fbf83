"""Parts of a document that this client does not have: headers, cookies, other servers, and what servers send."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
    webhooks = sorted(map(str, as_schema(document.get("webhooks"))))
    if webhooks:
        findings.append(Finding("webhooks", "", f"{', '.join(webhooks)}: the server sends them, so there is no method"))
    for endpoint, operations in groups.items():
        for operation in operations:
            reasons = (*_headers(operation), *_elsewhere(document, operation), *_callbacks(operation))
            findings += [Finding(endpoint, operation.where, reason) for reason in reasons]
    return findings


def _base_paths(document: Document) -> Iterator[str]:
    urls = [_url(server) for server in as_list(document.get("servers"))]
    base_paths = [re.sub(r"^([a-zA-Z][\w+.-]*:)?//[^/]*", "", url).strip("/") for url in urls]
    # Several servers are alternatives; one at the root is enough.
    if base_paths and all(base_paths):
        yield f"the paths are below {urls[0]}: the client's address must end in /{base_paths[0]}, too"


def _url(server: Any) -> str:
    url = str(as_schema(server).get("url", ""))
    for name, variable in as_schema(as_schema(server).get("variables")).items():
        url = url.replace(f"{{{name}}}", str(as_schema(variable).get("default", "")))
    return url


def _elsewhere(document: Document, operation: Operation) -> Iterator[str]:
    item = as_schema(as_schema(document["paths"]).get(operation.path))
    own = as_list(operation.spec.get("servers")) or as_list(item.get("servers"))
    urls = [_url(server) for server in own]
    if urls and not {*urls} & {_url(server) for server in as_list(document.get("servers"))}:
        yield f"the schema says that {' or '.join(urls)} serves it; the request goes to the client's own server"


def _callbacks(operation: Operation) -> Iterator[str]:
    names = sorted(map(str, as_schema(operation.spec.get("callbacks"))))
    if names:
        yield f"the callbacks {', '.join(names)} are sent by the server, and have no method"


def _headers(operation: Operation) -> Iterator[str]:
    for location in ("header", "cookie"):
        for parameter in operation.parameters(location):
            name = str(parameter["name"])
            if location == "header" and name.lower() in _SENT_HEADERS:
                continue
            yield f"the {'required ' if parameter.get('required') else ''}{location} {name} cannot be sent"
