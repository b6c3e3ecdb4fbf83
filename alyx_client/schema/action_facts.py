"""Facts about operations and servers besides fields: media types, statuses, logins, addresses, announced ends."""

from __future__ import annotations

from urllib.parse import urlsplit

from alyx_client.schema.keywords import lifecycle
from alyx_client.schema.openapi import OpenAPIDocument, OpenAPIOperation, Schema, as_list, as_schema
from alyx_client.schema.routes import PAGING_PARAMETERS, is_endpoint
from alyx_client.schema.surface import ActionFacts, Scalar

__all__ = ["NO_LOGIN", "action_facts", "server_paths", "service_paths"]

NO_LOGIN = "no login"

_PAGE_FIELDS = {"count": "integer", "next": "string", "results": "array"}


def action_facts(document: OpenAPIDocument, operation: OpenAPIOperation, page: Schema | None) -> ActionFacts:
    """Return the facts about an operation.

    Parameters
    ----------
    document, operation
        The document and one of its operations.
    page
        The resolved schema of a page of records, if the operation returns one.
    """
    body = document.resolve(operation.spec.get("requestBody"))
    responses = as_schema(operation.spec.get("responses"))
    successes = (document.resolve(responses[status]) for status in responses if str(status).startswith("2"))
    returns = {_media_type(name) for response in successes for name in as_schema(response.get("content"))}
    return ActionFacts(
        tuple(sorted({_media_type(name) for name in as_schema(body.get("content"))})),
        tuple(sorted(returns)),
        tuple(sorted(map(str, responses))),
        _security(document, operation),
        _paging(operation, page) if page is not None else (),
        tuple(sorted(_about(operation.spec).items())),
    )


def server_paths(document: OpenAPIDocument) -> tuple[str, ...]:
    """Return the paths of the addresses under ``servers``, without a trailing slash."""
    return tuple(sorted({_server_path(as_schema(server)) for server in as_list(document.content.get("servers"))}))


def service_paths(document: OpenAPIDocument) -> tuple[str, ...]:
    """Return the document's paths that are not endpoints: those that clients and people use otherwise."""
    return tuple(sorted({path.rstrip("/") for path in document.paths if not is_endpoint(path)}))


def _server_path(server: Schema) -> str:
    url = str(server.get("url", ""))
    for name, variable in as_schema(server.get("variables")).items():
        url = url.replace(f"{{{name}}}", str(as_schema(variable).get("default", "")))
    try:
        path = urlsplit(url).path
    except ValueError:
        path = url
    return f"/{path.strip('/')}".rstrip("/")


def _media_type(name: str) -> str:
    return name.partition(";")[0].strip().lower()


def _security(document: OpenAPIDocument, operation: OpenAPIOperation) -> tuple[str, ...]:
    declared = operation.spec.get("security", document.content.get("security"))
    schemes = as_schema(as_schema(document.content.get("components")).get("securitySchemes"))
    logins = {
        " and ".join(sorted(_scheme(document.resolve(schemes.get(name)), name) for name in as_schema(option)))
        for option in as_list(declared)
    }
    return tuple(sorted(login or NO_LOGIN for login in logins))


def _scheme(scheme: Schema, name: str) -> str:
    """Return a login in words: by what is sent, since its name in the document is arbitrary."""
    kind = str(scheme.get("type", name))
    if kind == "apiKey":
        return f"{scheme.get('in')} {scheme.get('name')}"
    return f"{kind} {scheme['scheme']}".lower() if kind == "http" and "scheme" in scheme else kind


def _paging(operation: OpenAPIOperation, page: Schema) -> tuple[str, ...]:
    names = {str(one["name"]) for one in operation.parameters if one.get("in") == "query"}
    facts = [f"parameter {name}" for name in names & PAGING_PARAMETERS]
    for name, kind in _PAGE_FIELDS.items():
        if name not in as_schema(page.get("properties")):
            continue
        schema = as_schema(as_schema(page.get("properties"))[name])
        # A field of another type is none that pages can be followed by.
        if schema.get("type") in (None, kind) or kind in as_list(schema.get("type")):
            facts.append(f"field {name}")
            facts += [f"field {name} in each of them"] if name in as_list(page.get("required")) else []
    return tuple(sorted(facts))


def _about(spec: Schema) -> dict[str, Scalar]:
    about = lifecycle(spec)
    if isinstance(spec.get("operationId"), str):
        about["operationId"] = str(spec["operationId"])
    if tags := as_list(spec.get("tags")):
        about["tags"] = ", ".join(sorted(map(str, tags)))
    return about
