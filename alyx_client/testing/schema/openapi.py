"""Reader of OpenAPI 3 documents, independent of the client's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from alyx_client.testing.schema.document import (
    Document,
    Endpoint,
    FieldSchema,
    JSONObject,
    Kind,
    ObjectSchema,
    Operation,
)

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
_COMPOSITIONS = ("allOf", "oneOf", "anyOf")


def read_openapi(raw: JSONObject) -> Document:
    """Read an OpenAPI document."""
    reader = _SchemaReader(raw)
    paths: dict[str, frozenset[str]] = {}
    operations: dict[str, dict[str, Operation]] = {}
    lookups: dict[str, str] = {}
    for path, path_item in raw["paths"].items():
        methods = {method for method in path_item if method in _RECORD_ACTIONS}
        paths[path] = frozenset(method.upper() for method in methods)
        segments = path.strip("/").split("/")
        name, last = segments[0], segments[-1]
        is_record = last.startswith("{")
        if is_record:
            lookups[name] = last.strip("{}")
        for method in sorted(methods):
            action = (_RECORD_ACTIONS if is_record else _COLLECTION_ACTIONS).get(method)
            if action is not None:
                operation = reader.operation(action, method.upper(), path, path_item[method])
                operations.setdefault(name, {}).setdefault(action, operation)
    endpoints = {name: Endpoint(name, lookups.get(name), by_action) for name, by_action in operations.items()}
    return Document(raw, "openapi", paths, endpoints)


@dataclass
class _FieldFacts:
    """The keywords of a field's schema and of everything it is composed of, merged."""

    keywords: JSONObject = field(default_factory=JSONObject)
    component: str = ""
    alternatives: int = 0
    nullable: bool = False
    may_be_blank: bool = False

    def add(self, component: str, part: JSONObject) -> None:
        """Merge one part of a composed schema."""
        self.component = self.component or component
        # drf-spectacular expresses `blank=True` and `null=True` on a choice as extra members of a union.
        if part.get("maxLength") == 0 or part.get("enum") == [""]:
            self.may_be_blank = True
            return
        if part.get("type") == "null":
            self.nullable = True
            return
        if "type" in part or "properties" in part:
            self.alternatives += 1
        merged_enum = [*self.keywords.get("enum", ()), *part.get("enum", ())]
        self.keywords.update(part)
        if merged_enum or "enum" in part:
            self.keywords["enum"] = merged_enum

    def kind(self) -> Kind:
        """Return the one type that is not null."""
        declared = self.keywords.get("type") or ("object" if "properties" in self.keywords else "")
        # OpenAPI 3.1 allows a list of types.
        types: list[str] = [declared] if isinstance(declared, str) else list(declared)
        if "null" in types:
            self.nullable = True
        return _KINDS.get(next((name for name in types if name != "null"), ""), "any")

    def choices(self) -> tuple[object, ...] | None:
        """Return the values of a closed set; a union of several types is not closed."""
        if "enum" not in self.keywords or self.alternatives > 1:
            return None
        return tuple(choice for choice in self.keywords["enum"] if choice is not None)


class _SchemaReader:
    """Resolve references and read object schemas; components may contain themselves."""

    def __init__(self, raw: JSONObject) -> None:
        self.components: JSONObject = raw.get("components", {}).get("schemas", {})
        self._open: list[str] = []

    def operation(self, action: str, method: str, path: str, operation: JSONObject) -> Operation:
        """Read one operation."""
        filters = frozenset(
            str(parameter["name"]) for parameter in operation.get("parameters", ()) if parameter.get("in") == "query"
        )
        responses = [operation.get("responses", {}).get(code, {}) for code in ("200", "201", "202")]
        contents = (self._content(response) for response in responses)
        response = next((content for content in contents if content is not None), None)
        return Operation(action, method, path, filters, self._content(operation.get("requestBody", {})), response)

    def _content(self, message: JSONObject) -> ObjectSchema | None:
        content: JSONObject = message.get("content", {})
        for media_type in sorted(content, key=lambda name: name != "application/json"):
            record = self._record(content[media_type].get("schema", {}))
            if record is not None:
                return record
        return None

    def _record(self, schema: JSONObject) -> ObjectSchema | None:
        """Return the schema of one record: an item of a page or list, or the first object of a union."""
        name, schema = self._resolve(schema)
        schema = self._merged(schema)
        for part in schema.get("oneOf", ()) or schema.get("anyOf", ()):
            record = self._record(part)
            if record is not None:
                return record
        if schema.get("type") == "array":
            return self._record(schema.get("items", {}))
        properties = schema.get("properties", {})
        if "results" in properties:
            return self._record(properties["results"])
        return self._object(name, schema) if properties else None

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
        merged: JSONObject = {}
        properties: JSONObject = {}
        required: list[str] = []
        for part in (self._merged(self._resolve(part)[1]) for part in schema["allOf"]):
            merged.update(part)
            properties.update(part.get("properties", {}))
            required += part.get("required", ())
        own = {key: value for key, value in schema.items() if key != "allOf"}
        return {**merged, "properties": properties, "required": required, **own}

    def _object(self, name: str, schema: JSONObject) -> ObjectSchema | None:
        # A brain region has children that are brain regions: stop at a component that is being read already.
        if name and name in self._open:
            return None
        self._open.append(name)
        try:
            required = set(schema.get("required", ()))
            fields = {key: self._field(key, value, key in required) for key, value in schema["properties"].items()}
        finally:
            self._open.pop()
        return ObjectSchema(name, fields)

    def _field(self, name: str, schema: JSONObject, required: bool = False) -> FieldSchema:
        facts = _FieldFacts()
        for component, part in self._parts(schema):
            facts.add(component, part)
        kind, keywords = facts.kind(), facts.keywords
        return FieldSchema(
            name=name,
            kind=kind,
            format=keywords.get("format"),
            nullable=facts.nullable or bool(keywords.get("nullable")) or kind == "any",
            required=required,
            read_only=bool(keywords.get("readOnly")),
            write_only=bool(keywords.get("writeOnly")),
            max_length=keywords.get("maxLength"),
            pattern=keywords.get("pattern"),
            minimum=keywords.get("minimum"),
            maximum=keywords.get("maximum"),
            choices=facts.choices(),
            # Django derives `required=False` from `blank=True`, so an optional text may be blank as well.
            may_be_blank=facts.may_be_blank or not required or "" in keywords.get("enum", ()),
            has_default="default" in keywords,
            default=keywords.get("default"),
            items=self._field("", keywords["items"]) if kind == "array" and keywords.get("items") else None,
            schema=self._object(facts.component, keywords) if keywords.get("properties") else None,
        )

    def _parts(self, schema: JSONObject) -> Iterator[tuple[str, JSONObject]]:
        """Yield a schema and everything it is composed of, resolved."""
        name, resolved = self._resolve(schema)
        if resolved is not schema:
            yield name, {key: value for key, value in schema.items() if key != "$ref"}
        for composition in _COMPOSITIONS:
            for part in resolved.get(composition, ()):
                yield from self._parts(part)
        yield name, {key: value for key, value in resolved.items() if key not in _COMPOSITIONS}
