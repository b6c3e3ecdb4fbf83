"""Tiny schemas, generated and imported as a user's package would be."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from alyx_generator.package.pipeline import Generated, generate_client
from alyx_generator.package.write import write
from alyx_generator.source.overlay import Correction

_counter = itertools.count()


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def page(row: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["count", "results"],
        "properties": {
            "count": {"type": "integer"},
            "next": {"type": "string", "nullable": True},
            "previous": {"type": "string", "nullable": True},
            "results": {"type": "array", "items": ref(row)},
        },
    }


def returns(schema: Mapping[str, Any] | None, status: str = "200") -> dict[str, Any]:
    content = {} if schema is None else {"content": {"application/json": {"schema": dict(schema)}}}
    return {"responses": {status: {"description": "", **content}}}


def body(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": dict(schema)}}}}


def key(name: str = "id", **schema: Any) -> dict[str, Any]:
    return {"parameters": [{"in": "path", "name": name, "required": True, "schema": schema or {"type": "string"}}]}


def query(*parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"parameters": [{"in": "query", **parameter} for parameter in parameters]}


def document(paths: Mapping[str, Any], components: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "openapi": "3.0.3",
        "info": {"title": "", "version": "0"},
        "paths": dict(paths),
        "components": {"schemas": dict(components or {})},
    }


def resource(
    properties: Mapping[str, Any], required: list[str] | None = None, *, name: str = "Thing"
) -> dict[str, Any]:
    """Return a document with one endpoint, ``things``, that can do all six actions."""
    component = {"type": "object", "properties": dict(properties), "required": required or []}
    return document(
        {
            "/things": {
                "get": returns(ref("Page")),
                "post": {**body(ref(name)), **returns(ref(name), "201")},
            },
            "/things/{id}": {
                "get": {**key(), **returns(ref(name))},
                "put": {**key(), **body(ref(name)), **returns(ref(name))},
                "patch": {**key(), **body(ref(name)), **returns(ref(name))},
                "delete": {**key(), **returns(None, "204")},
            },
        },
        {name: component, "Page": page(name)},
    )


class ImportedPackage:
    """A generated package, imported under a name of its own."""

    def __init__(
        self,
        folder: Path,
        schema: Mapping[str, Any],
        corrections: tuple[Correction, ...] = (),
        generated: Generated | None = None,
    ) -> None:
        self.package = f"generated_{next(_counter)}"
        self.folder = folder / self.package
        self.result: Generated = generated or generate_client(schema, corrections, strict=False)
        write(self.result.files, self.folder)
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
        importlib.invalidate_caches()

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.package}.{name}")

    @property
    def findings(self) -> list[str]:
        return [str(finding) for finding in self.result.api.findings]
