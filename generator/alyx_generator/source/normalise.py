"""Converting whatever a server publishes to one OpenAPI 3 document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from alyx_client.schema.coreapi import is_core_api, links
from alyx_client.schema.openapi import as_list, as_schema, unescape_pointer
from alyx_generator.source.coreapi import read_coreapi
from alyx_generator.source.openapi import Document, JSONDict, Schemas
from alyx_generator.source.paths import snapshots
from alyx_generator.source.validate import UnreadableSchemaError

_SHARED = ("parameters", "requestBodies", "responses", "headers", "examples", "pathItems", "links", "callbacks")


def normalise(document: Document, reference: Document | None = None) -> JSONDict:
    """Return the document as OpenAPI 3 with every section that later steps look at.

    Parameters
    ----------
    document
        A decoded schema document: OpenAPI 3.0 or 3.1, or CoreAPI.
    reference
        For CoreAPI, the OpenAPI document of the most similar server; by default the nearest of the shipped snapshots.
        Its schemas are used as published, so that the corrections that follow apply to them, too.

    Raises
    ------
    UnreadableSchemaError
        It is neither, or a reference cannot be resolved.
    """
    document = as_schema(_encodable(document))
    if is_core_api(document):
        name, nearest = ("another server", reference) if reference else _nearest_snapshot(document)
        return read_coreapi(document, nearest, name)
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3."):
        raise UnreadableSchemaError(
            "this is no OpenAPI 3 document and no CoreAPI document. Alyx publishes the former at /api/schema since "
            "version 3.3, and the latter at /docs before."
        )
    result = dict(document)
    result.setdefault("info", {"title": "", "version": ""})
    result["paths"] = _mapping(result.get("paths"))
    components = _mapping(result.get("components"))
    components["schemas"] = _mapping(components.get("schemas"))
    result["components"] = components
    # References to schemas stay: they become models of their own.
    result["paths"] = _resolved(result["paths"], components, ())
    return result


def _encodable(node: Any) -> Any:
    """Return a document without lone surrogates, which JSON can hold and UTF-8 cannot."""
    if isinstance(node, str):
        return node.encode("utf-8", "replace").decode()
    if isinstance(node, list):
        return [_encodable(item) for item in as_list(node)]
    if isinstance(node, Mapping):
        return {_encodable(key): _encodable(value) for key, value in as_schema(node).items()}
    return node


def _mapping(value: Any) -> JSONDict:
    return dict(as_schema(value))


def _resolved(node: Any, components: Schemas, within: tuple[str, ...]) -> Any:
    """Return a part of the document with shared parameters, bodies and responses in place of references to them."""
    if isinstance(node, list):
        return [_resolved(item, components, within) for item in as_list(node)]
    if not isinstance(node, Mapping):
        return node
    schema = as_schema(node)
    reference = schema.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#/components/schemas/"):
        kind, _, name = reference.removeprefix("#/components/").partition("/")
        target = _mapping(components.get(kind)).get(unescape_pointer(name))
        if kind not in _SHARED or target is None or reference in within:
            raise UnreadableSchemaError(f"the document refers to {reference}, which it does not contain")
        return _resolved(target, components, (*within, reference))
    return {key: _resolved(value, components, within) for key, value in schema.items()}


def _nearest_snapshot(document: Document) -> tuple[str, JSONDict]:
    """Return the name and the document of the snapshot that shares most paths with a CoreAPI document."""
    own = {str(link["url"]) for _, link in links(document)}
    documents: dict[str, JSONDict] = {
        version: json.loads(file.read_text(encoding="utf-8"))
        for version, file in snapshots().items()
        if version != "shipped"
    }
    paths = {version: set(snapshot["paths"]) for version, snapshot in documents.items()}
    nearest = min(documents, key=lambda version: (-len(own & paths[version]), len(paths[version] - own)))
    return f"Alyx {nearest}", documents[nearest]
