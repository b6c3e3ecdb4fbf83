"""Converting whatever a server publishes to one OpenAPI 3 document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from alyx_client.schema.coreapi import is_core_api, links
from alyx_client.schema.openapi import as_list, as_schema
from alyx_generator.source.coreapi import read_coreapi
from alyx_generator.source.openapi import Document, JSONDict
from alyx_generator.source.paths import snapshots
from alyx_generator.source.references import FILES, References
from alyx_generator.source.repair import TOO_DEEP
from alyx_generator.source.validate import UnreadableSchemaError

_MAX_DEPTH = 150  # of JSON; schemas of real servers are 24 deep


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
        It is neither, or its paths or its components are not objects.
    """
    document = as_schema(_copied(document))
    if is_core_api(document):
        name, nearest = ("another server", reference) if reference else _nearest_snapshot(document)
        return read_coreapi(document, nearest, name)
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3."):
        if "swagger" in document:
            raise UnreadableSchemaError("this is a Swagger 2.0 document; convert it to OpenAPI 3 first.")
        raise UnreadableSchemaError(
            "this is no OpenAPI 3 document and no CoreAPI document. Alyx publishes the former at /api/schema since "
            "version 3.3, and the latter at /docs before."
        )
    result = dict(document)
    result.setdefault("info", {"title": "", "version": ""})
    result["paths"] = _section(document, "paths")
    components = _section(document, "components")
    result["components"] = components | {"schemas": _section(components, "schemas")}
    # Schemas become models of their own, and so references to them stay.
    result["paths"], result["components"]["schemas"] = References(result).resolve()
    result.pop(FILES, None)
    return result


def _section(holder: Mapping[str, Any], name: str) -> JSONDict:
    section = holder.get(name)
    if not isinstance(section, Mapping | None):
        raise UnreadableSchemaError(f"the schema is malformed: its {name} are not an object")
    return dict(as_schema(section))


def _copied(document: Any) -> Any:
    """Return a document without lone surrogates, which UTF-8 cannot express, and without what nests too deeply."""
    # A stack instead of recursion: documents of strangers may nest deeply.
    root: list[Any] = [document]
    waiting: list[tuple[Any, int | str, int]] = [(root, 0, 0)]
    while waiting:
        holder, place, depth = waiting.pop()
        node = holder[place]
        if isinstance(node, str):
            holder[place] = _encodable(node)
        elif isinstance(node, list | Mapping) and depth == _MAX_DEPTH:
            holder[place] = {TOO_DEEP: True}
        elif isinstance(node, list):
            holder[place] = copy = as_list(node)
            waiting += [(copy, index, depth + 1) for index in range(len(copy))]
        elif isinstance(node, Mapping):
            members = {_encodable(str(key)): value for key, value in as_schema(node).items()}
            holder[place] = members
            waiting += [(members, key, depth + 1) for key in members]
    return root[0]


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


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
