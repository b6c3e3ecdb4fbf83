"""From whatever a server published to one OpenAPI 3 document."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from alyx_client.schema.coreapi import is_core_api, links
from alyx_client.schema.openapi import as_schema
from alyx_generator.source.coreapi import read_coreapi
from alyx_generator.source.paths import snapshots
from alyx_generator.source.validate import UnreadableSchemaError

Document = dict[str, Any]

_SHARED = ("parameters", "requestBodies", "responses", "headers", "examples", "pathItems", "links", "callbacks")


def normalise(document: Mapping[str, Any], likeness: Mapping[str, Any] | None = None) -> Document:
    """Return the document as OpenAPI 3 with every section that later steps look at.

    Parameters
    ----------
    document
        A decoded schema document: OpenAPI 3.0 or 3.1, or CoreAPI.
    likeness
        For CoreAPI, the OpenAPI document of a server that is most like this one; by default the nearest of the shipped
        snapshots. Its shapes are taken as they were published, so that the corrections which are applied next correct
        them too.

    Raises
    ------
    UnreadableSchemaError
        It is neither, or it refers to something that it does not hold.
    """
    document = cast("Mapping[str, Any]", _encodable(document))
    if is_core_api(document):
        name, nearest = ("another server", likeness) if likeness else _nearest_snapshot(document)
        return read_coreapi(document, nearest, name)
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3."):
        raise UnreadableSchemaError(
            "this is no OpenAPI 3 document and no CoreAPI document. Alyx publishes the first at /api/schema from "
            "version 3.3 on, and the second at /docs before."
        )
    result = dict(document)
    result.setdefault("info", {"title": "", "version": ""})
    result["paths"] = _mapping(result.get("paths"))
    components = _mapping(result.get("components"))
    components["schemas"] = _mapping(components.get("schemas"))
    result["components"] = components
    result["paths"] = _resolved(result["paths"], components, ())
    return result


def _encodable(node: Any) -> Any:
    """Return a document whose texts can be written: JSON can hold half a character, and no file can."""
    if isinstance(node, str):
        return node.encode("utf-8", "replace").decode()
    if isinstance(node, list):
        return [_encodable(item) for item in cast("Sequence[Any]", node)]
    if isinstance(node, Mapping):
        return {_encodable(key): _encodable(value) for key, value in cast("Mapping[str, Any]", node).items()}
    return node


def _mapping(value: Any) -> dict[str, Any]:
    return dict(as_schema(value))


def _resolved(node: Any, components: Mapping[str, Any], within: tuple[str, ...]) -> Any:
    """Return a part of the document with shared parameters, bodies and answers in place of references to them."""
    if isinstance(node, list):
        return [_resolved(item, components, within) for item in cast("Sequence[Any]", node)]
    if not isinstance(node, Mapping):
        return node
    given = cast("Mapping[str, Any]", node)
    reference = given.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#/components/schemas/"):
        kind, _, name = reference.removeprefix("#/components/").partition("/")
        target = _mapping(components.get(kind)).get(name.replace("~1", "/").replace("~0", "~"))
        if kind not in _SHARED or target is None or reference in within:
            raise UnreadableSchemaError(f"the document refers to {reference}, which it does not hold")
        return _resolved(target, components, (*within, reference))
    return {key: _resolved(value, components, within) for key, value in given.items()}


def _nearest_snapshot(document: Mapping[str, Any]) -> tuple[str, Document]:
    """Return the snapshot that shares most paths with a CoreAPI document, and has fewest others; with its name."""
    own = {str(link["url"]) for _, link in links(document)}
    found: dict[str, Document] = {
        version: json.loads(file.read_text(encoding="utf-8"))
        for version, file in snapshots().items()
        if version != "shipped"
    }
    paths = {version: set(each["paths"]) for version, each in found.items()}
    nearest = min(found, key=lambda version: (-len(own & paths[version]), len(paths[version] - own)))
    return f"Alyx {nearest}", found[nearest]
