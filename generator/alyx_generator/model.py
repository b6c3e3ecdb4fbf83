"""From an OpenAPI document to an `Api`: the endpoints, what they can do, and the shapes of their records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from alyx_generator import naming
from alyx_generator.api import Action, Answer, Api, Endpoint, Field, Filter, Finding, Lookup, LookupKind, Shape
from alyx_generator.cycles import without_cycles
from alyx_generator.docs import Docs
from alyx_generator.filters import read_filter
from alyx_generator.schemas import as_answered, as_sent, component_of, is_object, merged, or_null

Document = Mapping[str, Any]

HANDLED_BY_CORE = {
    "/api/schema": "read by the generator",
    "/auth-token": "the client logs in by itself",
    "/docs/": "a page for people",
}
"""Paths that are no endpoints of the client, and why."""

_METHODS = ("get", "post", "put", "patch", "delete")
_ORDER = ("list", "read", "create", "update", "partial_update", "delete")
# The resource is named by what is read first, then by what is listed, then by what is sent.
_NAMING_ORDER = ("read", "update", "partial_update", "list", "create")


@dataclass
class _Operation:
    path: str
    method: str
    spec: Mapping[str, Any]
    name: str = ""
    answer: Answer = field(default_factory=lambda: Answer("nothing"))
    answer_component: str = ""
    body_component: str = ""
    many: bool = False

    @property
    def key(self) -> str:
        last = self.path.rstrip("/").rpartition("/")[2]
        return last[1:-1] if last.startswith("{") and last.endswith("}") else ""


def build(document: Document, docs: Docs | None = None) -> Api:
    """Return what a corrected OpenAPI document offers.

    Parameters
    ----------
    document
        An OpenAPI 3 document.
    docs
        Words for endpoints, filters and fields; without them the document's own descriptions are used.
    """
    return _Builder(document, docs or Docs()).build()


class _Builder:
    def __init__(self, document: Document, docs: Docs) -> None:
        self._components: dict[str, Mapping[str, Any]] = dict(document["components"]["schemas"])
        self._paths: Mapping[str, Any] = document["paths"]
        self._docs = docs
        self._findings: list[Finding] = []
        self._shapes: dict[tuple[str, str], Shape] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._lookups: dict[str, LookupKind] = {}
        self._homes: dict[tuple[str, str], tuple[str, LookupKind]] = {}

    def build(self) -> Api:
        groups = self._group()
        for name, operations in groups.items():
            for operation in operations:
                self._read_answer(name, operation)
                self._read_body(name, operation)
            self._name_actions(name, operations)
        for name, operations in groups.items():
            self._name_shapes(name, operations)
        endpoints = [self._endpoint(name, operations) for name, operations in groups.items() if operations]
        shapes = without_cycles(list({shape.name: shape for shape in self._shapes.values()}.values()))
        owners = {shape.name: shape.endpoint for shape in shapes}
        placed = tuple(
            replace(
                endpoint,
                # Some endpoints are named in the singular, as what they hold.
                class_name=endpoint.class_name + ("Endpoint" if endpoint.class_name in owners else ""),
                shapes=tuple(shape for shape in shapes if shape.endpoint == endpoint.name),
            )
            for endpoint in endpoints
        )
        total = sum(len(endpoint.actions) for endpoint in placed)
        return Api(placed, tuple(self._findings), total, owners)

    # --- which operations there are

    def _group(self) -> dict[str, list[_Operation]]:
        groups: dict[str, list[_Operation]] = {}
        for path in sorted(self._paths):
            item = self._paths[path]
            name = naming.module_name(path)
            for method in _METHODS:
                if method not in item:
                    continue
                spec = {
                    **item[method],
                    "parameters": [*item.get("parameters", ()), *item[method].get("parameters", ())],
                }
                reason = HANDLED_BY_CORE.get(path) or spec.get("x-alyx-skip")
                if reason:
                    self._findings.append(Finding(name, f"{method.upper()} {path}", f"no method: {reason}"))
                    continue
                groups.setdefault(name, []).append(_Operation(path, method, spec))
        return groups

    def _name_actions(self, endpoint: str, operations: list[_Operation]) -> None:
        by_name: dict[str, _Operation] = {}
        for operation in list(operations):
            operation.name = _action_name(operation)
            reason = _unsupported(operation)
            if reason:
                operations.remove(operation)
                self._find(endpoint, operation, f"no method: {reason}")
                continue
            other = by_name.setdefault(operation.name, operation)
            if other is operation:
                continue
            if operation.name == "read" and bool(other.key) != bool(operation.key):
                continue  # one method whose key may be left out
            operations.remove(operation)
            where = f"{operation.method.upper()} {operation.path}"
            self._findings.append(Finding(endpoint, where, f"no method: {operation.name} is {other.path} already"))

    # --- bodies and answers

    def _read_answer(self, endpoint: str, operation: _Operation) -> None:
        responses = cast("Mapping[str, Any]", operation.spec.get("responses", {}))
        status = next((code for code in ("200", "201", "202", "204", "2XX") if code in responses), "")
        content = cast("Mapping[str, Any]", responses.get(status, {}).get("content", {}))
        if not content:
            if operation.method == "delete" or status == "204":
                return
            self._find(endpoint, operation, "the schema declares no answer: typed as Any")
            operation.answer = Answer("anything")
            return
        media = next((media for media in content if "json" in media), "")
        schema: Mapping[str, Any] = content[media].get("schema", {}) if media else {}
        if not media or (schema.get("type") == "string" and schema.get("format") == "binary"):
            operation.answer = Answer("bytes")
            return
        target = self._components.get(component_of(schema) or "", schema)
        row: Mapping[str, Any] | None = _row_of_page(target)
        kind = "record"
        if row is None and target.get("type") == "array":
            row, kind = target.get("items", {}), "list"
        elif row is not None:
            kind = "page"
        subject: Mapping[str, Any] = schema if row is None else row
        suffix = "" if operation.method == "get" else "Answer"
        component = component_of(subject) or self._inline(endpoint, subject, suffix)
        if not component:
            plain = _plain_type(target)
            operation.answer = Answer("value", plain) if plain else Answer("anything")
            if schema and not plain:
                self._find(endpoint, operation, "the answer has no fields: typed as Any")
            return
        operation.answer_component = component
        operation.answer = Answer(cast("Any", kind))

    def _read_body(self, endpoint: str, operation: _Operation) -> None:
        body = cast("Mapping[str, Any]", operation.spec.get("requestBody", {}))
        content = cast("Mapping[str, Any]", body.get("content", {}))
        if not content:
            if operation.method in ("post", "put", "patch") and "requestBody" not in operation.spec:
                self._find(endpoint, operation, "the schema declares no body: nothing can be sent")
            return
        media = next((media for media in content if "json" in media), next(iter(content)))
        schema = content[media].get("schema", {})
        alternatives = schema.get("oneOf") or schema.get("anyOf") or [schema]
        single = [part for part in alternatives if part.get("type") != "array"]
        lists = [part for part in alternatives if part.get("type") == "array"]
        operation.many = bool(lists)
        chosen = single[0] if single else lists[0].get("items", {})
        operation.body_component = component_of(chosen) or self._inline(endpoint, chosen)
        if not operation.body_component:
            self._find(endpoint, operation, "the body has no fields: nothing can be sent")

    def _inline(self, endpoint: str, schema: Mapping[str, Any], suffix: str = "") -> str:
        """Give a schema that stands in an operation a component of its own."""
        if not is_object(schema):
            return ""
        name = naming.class_name(endpoint) + suffix
        while name in self._components and self._components[name] != schema:
            name += "_"
        self._components[name] = schema
        return name

    # --- names of shapes

    def _name_shapes(self, endpoint: str, operations: list[_Operation]) -> None:
        ordered = sorted(
            operations, key=lambda each: _NAMING_ORDER.index(each.name) if each.name in _NAMING_ORDER else 9
        )
        resource = next(
            (naming.resource_name(c) for each in ordered for c in (each.answer_component, each.body_component) if c), ""
        )
        if not resource:
            return
        kinds: list[LookupKind] = [_lookup_kind(each) for each in operations if each.key]
        lookup: LookupKind = kinds[0] if kinds else "text"
        self._name_bodies(endpoint, ordered)
        for operation in ordered:
            component = operation.answer_component
            if not component or ("answer", component) in self._names:
                continue
            own = naming.resource_name(component)
            wanted = [own, f"{own}Record"] if own != resource else []
            if own == resource:
                wanted = {
                    "list": [f"{resource}Record", f"{resource}Summary"],
                    "create": [f"{resource}Record", f"{resource}Summary", f"{resource}Created"],
                }.get(operation.name, [f"{resource}Record", f"{resource}Updated"])
            self._names["answer", component] = self._free(wanted, endpoint)
            self._homes["answer", component] = (endpoint, lookup)

    def _name_bodies(self, endpoint: str, ordered: list[_Operation]) -> None:
        """Name what is sent: one shape for all writes where they take the same fields."""
        last: Shape | None = None
        for action in ("create", "update", "partial_update"):
            for operation in (each for each in ordered if each.name == action):
                key = ("request", operation.body_component)
                if not operation.body_component or key in self._names:
                    continue
                self._homes[key] = (endpoint, "text")
                own = naming.resource_name(operation.body_component)
                self._names[key] = self._free([own, f"{own}Update", f"{own}Replacement"], endpoint)
                shape = self._request_shape(operation.body_component, endpoint)
                # What may be changed one by one is what may be replaced; only what is required differs.
                if last is not None and (action == "partial_update" or shape.fields == last.fields):
                    self._names[key] = last.name
                    self._shapes[key] = last
                else:
                    last = shape

    def _free(self, wanted: Iterable[str], endpoint: str) -> str:
        taken = set(self._names.values())
        candidates = list(wanted)
        prefix = naming.class_name(endpoint)
        for name in (*candidates, *(f"{prefix}{each}" for each in candidates)):
            if name not in taken:
                return name
        raise AssertionError(f"no free name among {candidates} for {endpoint}")

    # --- shapes

    def _request_shape(self, component: str, endpoint: str) -> Shape:
        key = ("request", component)
        if key in self._shapes:
            return self._shapes[key]
        endpoint, _ = self._homes.get(key, (endpoint, ""))
        name = self._names.get(key) or self._free([naming.resource_name(component), component], endpoint)
        self._names[key] = name
        schema = merged(self._components[component], self._components)
        self._shapes[key] = Shape(name, "request", endpoint, ())
        fields: list[Field] = []
        uploads: list[str] = []
        for field_name, declared in sorted(schema["properties"].items()):
            if declared.get("readOnly"):
                continue
            if {**declared, **declared.get("x-sent", {})}.get("format") == "binary":
                uploads.append(field_name)
                continue
            converted = as_sent(declared, self._components, lambda c: self._request_shape(c, endpoint).name)
            required = field_name in (*schema["required"], *schema.get("x-sent-required", ()))
            described = self._docs.field(endpoint, field_name, declared)
            kept = bool(declared.get("x-patch-keeps"))
            fields.append(Field(field_name, converted, required, described, kept))
        shape = Shape(name, "request", endpoint, tuple(fields), self._docs.shape(endpoint, name), tuple(uploads))
        self._shapes[key] = shape
        return shape

    def _answer_shape(self, component: str, endpoint: str) -> Shape:
        key = ("answer", component)
        if key in self._shapes:
            return self._shapes[key]
        endpoint, lookup = self._homes.get(key, (endpoint, "text"))
        own = naming.resource_name(component)
        name = self._names.get(key) or self._free([own, f"{own}Record", naming.class_name(component)], endpoint)
        self._names[key] = name
        self._shapes[key] = Shape(name, "answer", endpoint, ())
        schema = merged(self._components[component], self._components)
        sometimes = set(schema.get("x-sometimes", ()))
        fields: list[Field] = []
        for field_name, declared in sorted(schema["properties"].items()):
            if declared.get("writeOnly"):
                continue
            converted = as_answered(declared, self._components, lambda c: self._answer_shape(c, endpoint).name)
            always = not schema.get("x-all-optional") and field_name not in sometimes
            converted = or_null(converted, not always)
            fields.append(Field(field_name, converted, always, self._docs.field(endpoint, field_name, declared)))
        names = {each.name for each in fields}
        shape = Shape(
            name,
            "answer",
            endpoint,
            tuple(fields),
            self._docs.shape(endpoint, name),
            id_in_url="url" in names and "id" not in names and lookup == "uuid",
        )
        self._shapes[key] = shape
        return shape

    # --- endpoints

    def _endpoint(self, name: str, operations: list[_Operation]) -> Endpoint:
        self._lookups.update((name, _lookup_kind(each)) for each in operations if each.key)
        actions: dict[str, Action] = {}
        for operation in operations:
            action = self._action(name, operation)
            other = actions.get(action.name)
            if other is not None:
                keyed, bare = (action, other) if action.lookup else (other, action)
                assert keyed.lookup is not None
                action = replace(keyed, lookup=replace(keyed.lookup, optional=True), bare_path=bare.path)
            actions[action.name] = action
        if "read" not in actions and "partial_update" in actions:
            actions["partial_update"] = replace(actions["partial_update"], keeps=())  # nothing to read them from
        ordered = tuple(actions[each] for each in _ORDER if each in actions)
        path = operations[0].path
        return Endpoint(name, naming.class_name(name), path, ordered, description=self._docs.endpoint(name))

    def _action(self, endpoint: str, operation: _Operation) -> Action:
        answer = operation.answer
        if operation.answer_component:
            answer = replace(answer, shape=self._answer_shape(operation.answer_component, endpoint).name)
        body = ""
        uploads: tuple[str, ...] = ()
        keeps: tuple[str, ...] = ()
        if operation.body_component:
            shape = self._request_shape(operation.body_component, endpoint)
            body, uploads = shape.name, shape.uploads
            if operation.name == "partial_update":
                keeps = tuple(each.name for each in shape.fields if each.kept_by_patch)
        parameters = [each for each in operation.spec["parameters"] if each.get("in") == "query"]
        filters = [read_filter(each, parameters, self._docs.filter(endpoint, each)) for each in parameters]
        if operation.name == "list" and any(each["name"] == "django" for each in parameters):
            filters.append(self._key_filter(endpoint, {str(each["name"]) for each in parameters}))
        return Action(
            operation.name,
            operation.method.upper(),
            operation.path,
            answer,
            lookup=Lookup(naming.parameter_name(operation.key), _lookup_kind(operation)) if operation.key else None,
            filters=tuple(sorted((each for each in filters if each), key=lambda each: each.keyword)),
            body=body,
            many=operation.many,
            by_uuid=any(each and each.style == "id" and each.annotation.startswith("UUID") for each in filters),
            uploads=uploads,
            keeps=keeps,
            description=self._docs.action(endpoint, operation.name, operation.spec),
        )

    def _key_filter(self, endpoint: str, names: set[str]) -> Filter | None:
        """Return the filter by key, which ``django`` makes possible where the schema has none."""
        kind = self._lookups.get(endpoint)
        if "id" in names or kind not in ("uuid", "integer"):
            return None
        annotation = "UUID | str" if kind == "uuid" else "int"
        described = self._docs.filter(endpoint, {"name": "id"})
        return Filter("id", "id", f"{annotation} | Sequence[{annotation}]", "id", described)

    def _find(self, endpoint: str, operation: _Operation, reason: str) -> None:
        self._findings.append(Finding(endpoint, f"{operation.method.upper()} {operation.path}", reason))


def _action_name(operation: _Operation) -> str:
    if operation.method == "get":
        return "list" if not operation.key and operation.answer.kind in ("page", "list") else "read"
    return {"post": "create", "put": "update", "patch": "partial_update", "delete": "delete"}[operation.method]


_PLAIN_TYPES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


def _plain_type(schema: Mapping[str, Any]) -> str:
    """Return the annotation of an answer without fields: text, a number, or a list of those."""
    if schema.get("type") == "array":
        item = _plain_type(schema.get("items", {}))
        return f"list[{item}]" if item else ""
    return _PLAIN_TYPES.get(str(schema.get("type")), "")


def _unsupported(operation: _Operation) -> str:
    """Return why no method can be made of an operation; empty where one can."""
    if "{" in operation.path.rstrip("/").rpartition("/")[0]:
        return "a key stands before the end of the path"
    if operation.name != "list" and operation.answer.kind == "page":
        return "it answers a page of records and not one"
    return ""


def _lookup_kind(operation: _Operation) -> LookupKind:
    for parameter in operation.spec["parameters"]:
        if parameter.get("in") == "path" and parameter.get("name") == operation.key:
            schema = parameter.get("schema", {})
            if schema.get("format") == "uuid":
                return "uuid"
            if schema.get("type") == "integer":
                return "integer"
            if schema.get("pattern") in ("^.*$", ".*", "^.+$", ".+"):
                return "path"
    return "text"


def _row_of_page(schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    properties = schema.get("properties", {})
    results = properties.get("results", {})
    return results.get("items") if "count" in properties and results.get("type") == "array" else None
