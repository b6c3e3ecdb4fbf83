"""Schema documents as the local Alyx reads them: endpoints, their actions, and the shapes these send and answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

JSONObject = dict[str, Any]
Kind = Literal["string", "integer", "number", "boolean", "array", "object", "any"]

DEFAULT_SNAPSHOT = "alyx-3.6.1"
_KINDS: dict[str, Kind] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
}
_COLLECTION_ACTIONS = {"get": "list", "post": "create"}
_RECORD_ACTIONS = {"get": "read", "put": "update", "patch": "partial_update", "delete": "delete", "post": "create"}


@dataclass(frozen=True)
class Field:
    """One field of a shape, with the constraints that a schema document can state."""

    name: str
    kind: Kind = "any"
    format: str | None = None
    nullable: bool = False
    required: bool = False
    read_only: bool = False
    write_only: bool = False
    max_length: int | None = None
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[object, ...] | None = None
    may_be_blank: bool = False
    has_default: bool = False
    default: object = None
    items: Field | None = None
    shape: Shape | None = None


@dataclass(frozen=True)
class Shape:
    """The fields of one object, in the document's order."""

    name: str
    fields: Mapping[str, Field]

    @classmethod
    def of(cls, *names: str) -> Shape:
        """Build a shape of which only the names of the fields are known."""
        return cls("", {name: Field(name) for name in names})


@dataclass(frozen=True)
class Action:
    """What one method on one path takes and answers."""

    name: str
    method: str
    path: str
    filters: frozenset[str] = frozenset()
    request: Shape | None = None
    answer: Shape | None = None


@dataclass(frozen=True)
class Endpoint:
    """The paths that share their first segment."""

    name: str
    lookup: str | None
    actions: Mapping[str, Action]


@dataclass(frozen=True)
class Document:
    """A schema document, read.

    Attributes
    ----------
    raw
        The document as it was loaded.
    form
        ``"openapi"`` or ``"coreapi"``.
    paths
        Path templates with the methods that each serves.
    endpoints
        Endpoints by name.
    """

    raw: JSONObject
    form: Literal["openapi", "coreapi"]
    paths: Mapping[str, frozenset[str]]
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict[str, Endpoint])


def snapshot(name: str = DEFAULT_SNAPSHOT, *, corrected: bool = False) -> Path | None:
    """Find a shipped schema snapshot.

    In a checkout the snapshots lie in ``schemas`` at the root; in an installed wheel they lie beside this
    package, inside that of the generator.

    Parameters
    ----------
    name
        File name without its suffix, such as ``"alyx-3.6.1"``.
    corrected
        Whether to find the document with the corrections applied.

    Returns
    -------
    Path or None
        None where there is no such file.
    """
    package = Path(__file__).resolve().parents[2]
    for folder in (package.parent / "schemas", package.parent / "alyx_generator" / "schemas"):
        path = (folder / "corrected" if corrected else folder) / f"{name}.json"
        if path.is_file():
            return path
    return None


def load(source: str | Path | Mapping[str, Any]) -> Document:
    """Read a schema document in OpenAPI 3 or CoreAPI form.

    Parameters
    ----------
    source
        A path, the name of a shipped snapshot, or the document itself.

    Raises
    ------
    FileNotFoundError
        No file and no snapshot of that name.
    ValueError
        The document is of neither form.
    """
    raw = dict(source) if isinstance(source, Mapping) else json.loads(_locate(source).read_text(encoding="utf-8"))
    if "paths" in raw:
        return _read_openapi(raw)
    if raw.get("_type") == "document":
        from alyx_client.testing.schema.coreapi import read_coreapi

        return read_coreapi(raw)
    raise ValueError("not a schema document: expected OpenAPI 3 (a `paths` key) or CoreAPI (`_type: document`)")


def _locate(source: str | Path) -> Path:
    path = Path(source)
    if path.is_file():
        return path
    found = snapshot(str(source)) if path.name == str(source) else None
    if found is None:
        raise FileNotFoundError(f"no schema document {str(source)!r}: give a file, or the name of a shipped snapshot")
    return found


def _read_openapi(raw: JSONObject) -> Document:
    reader = _Reader(raw)
    paths: dict[str, frozenset[str]] = {}
    actions: dict[str, dict[str, Action]] = {}
    lookups: dict[str, str] = {}
    for path, operations in raw["paths"].items():
        methods = {method for method in operations if method in _RECORD_ACTIONS}
        paths[path] = frozenset(method.upper() for method in methods)
        segments = path.strip("/").split("/")
        name, last = segments[0], segments[-1]
        on_record = last.startswith("{")
        if on_record:
            lookups[name] = last.strip("{}")
        for method in sorted(methods):
            action = (_RECORD_ACTIONS if on_record else _COLLECTION_ACTIONS).get(method)
            if action is not None:
                actions.setdefault(name, {}).setdefault(
                    action, reader.action(action, method.upper(), path, operations[method])
                )
    endpoints = {name: Endpoint(name, lookups.get(name), found) for name, found in actions.items()}
    return Document(raw, "openapi", paths, endpoints)


class _Reader:
    """Resolve references and read shapes, with a guard against components that contain themselves."""

    def __init__(self, raw: JSONObject) -> None:
        self.components: JSONObject = raw.get("components", {}).get("schemas", {})
        self._open: list[str] = []

    def action(self, name: str, method: str, path: str, operation: JSONObject) -> Action:
        filters = frozenset(
            str(parameter["name"]) for parameter in operation.get("parameters", ()) if parameter.get("in") == "query"
        )
        answers = [operation.get("responses", {}).get(code, {}) for code in ("200", "201", "202")]
        answer = next((found for reply in answers if (found := self._content(reply)) is not None), None)
        return Action(name, method, path, filters, self._content(operation.get("requestBody", {})), answer)

    def _content(self, message: JSONObject) -> Shape | None:
        content: JSONObject = message.get("content", {})
        for kind in sorted(content, key=lambda name: name != "application/json"):
            media = content[kind]
            found = self._rows(media.get("schema", {}))
            if found is not None:
                return found
        return None

    def _rows(self, schema: JSONObject) -> Shape | None:
        """Return the shape of one record: of a page's results, of a list's items, of the first object of a union."""
        name, schema = self._resolve(schema)
        schema = self._merged(schema)
        for part in schema.get("oneOf", ()) or schema.get("anyOf", ()):
            found = self._rows(part)
            if found is not None:
                return found
        if schema.get("type") == "array":
            return self._rows(schema.get("items", {}))
        properties = schema.get("properties", {})
        if "results" in properties:
            return self._rows(properties["results"])
        return self._shape(name, schema) if properties else None

    def _resolve(self, schema: JSONObject) -> tuple[str, JSONObject]:
        name = ""
        while "$ref" in schema:
            name = str(schema["$ref"]).rsplit("/", 1)[-1]
            schema = self.components.get(name, {})
        return name, schema

    def _merged(self, schema: JSONObject) -> JSONObject:
        """Return an object's schema with the fields of its ``allOf`` parts."""
        if "allOf" not in schema:
            return schema
        parts = [self._merged(self._resolve(part)[1]) for part in schema["allOf"]]
        whole: JSONObject = {key: value for part in parts for key, value in part.items()}
        whole["properties"] = {key: value for part in parts for key, value in part.get("properties", {}).items()}
        whole["required"] = [name for part in parts for name in part.get("required", ())]
        return {**whole, **{key: value for key, value in schema.items() if key != "allOf"}}

    def _shape(self, name: str, schema: JSONObject) -> Shape | None:
        if name and name in self._open:
            return None
        self._open.append(name)
        try:
            required = set(schema.get("required", ()))
            fields = {key: self._field(key, value, key in required) for key, value in schema["properties"].items()}
        finally:
            self._open.pop()
        return Shape(name, fields)

    def _field(self, name: str, schema: JSONObject, required: bool = False) -> Field:
        facts: JSONObject = {}
        component, alternatives = "", 0
        for part_name, part in self._parts(schema):
            component = component or part_name
            if part.get("maxLength") == 0 or part.get("enum") == [""]:
                facts["may_be_blank"] = True
                continue
            if part.get("type") == "null":
                facts["nullable"] = True
                continue
            if "type" in part or "properties" in part:
                alternatives += 1
            for key, value in part.items():
                if key == "enum" and "enum" in facts:
                    value = [*facts["enum"], *value]
                facts[key] = value
        named: Any = facts.get("type") or ("object" if "properties" in facts else "")
        kinds: list[str] = [named] if isinstance(named, str) else list(named)
        if "null" in kinds:
            facts["nullable"] = True
        kind = _KINDS.get(next((name for name in kinds if name != "null"), ""), "any")
        has_enum = "enum" in facts and alternatives <= 1
        return Field(
            name=name,
            kind=kind,
            format=facts.get("format"),
            nullable=bool(facts.get("nullable")) or kind == "any",
            required=required,
            read_only=bool(facts.get("readOnly")),
            write_only=bool(facts.get("writeOnly")),
            max_length=facts.get("maxLength"),
            pattern=facts.get("pattern"),
            minimum=facts.get("minimum"),
            maximum=facts.get("maximum"),
            choices=tuple(choice for choice in facts["enum"] if choice is not None) if has_enum else None,
            may_be_blank=bool(facts.get("may_be_blank")) or not required or "" in facts.get("enum", ()),
            has_default="default" in facts,
            default=facts.get("default"),
            items=self._field("", facts["items"]) if kind == "array" and facts.get("items") else None,
            shape=self._shape(component, facts) if facts.get("properties") else None,
        )

    def _parts(self, schema: JSONObject) -> Iterator[tuple[str, JSONObject]]:
        """Yield the schema itself and what it is composed of, resolved."""
        name, resolved = self._resolve(schema)
        if resolved is not schema:
            yield name, {key: value for key, value in schema.items() if key != "$ref"}
        inner = [part for key in ("allOf", "oneOf", "anyOf") for part in resolved.get(key, ())]
        for part in inner:
            yield from self._parts(part)
        yield name, {key: value for key, value in resolved.items() if key not in ("allOf", "oneOf", "anyOf")}
