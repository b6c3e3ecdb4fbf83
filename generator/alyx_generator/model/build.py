"""From an OpenAPI document to an `Api`: the endpoints, what they can do, and the shapes of their records."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from alyx_generator.model import naming
from alyx_generator.model.annotations import annotation
from alyx_generator.model.docs import Docs
from alyx_generator.model.filters import read_filters
from alyx_generator.model.hoist import Components
from alyx_generator.model.ir import Action, Answer, Api, Endpoint, Field, Filter, Finding, Lookup, LookupKind, Shape
from alyx_generator.model.operations import Operation, grouped, name_actions
from alyx_generator.model.ownership import without_cycles
from alyx_generator.model.payloads import is_collection, read_answer, read_body
from alyx_generator.model.schemas import as_answered, as_sent, or_null
from alyx_generator.model.unsupported import unmet
from alyx_generator.source.openapi import discriminated, merged, resolved
from alyx_generator.source.validate import refuse_malformed

Document = Mapping[str, Any]

_ORDER = ("list", "read", "create", "update", "partial_update", "delete")
# The resource is named by what is read first, then by what is listed, then by what is sent.
_NAMING_ORDER = ("read", "update", "partial_update", "list", "create")


def build(document: Document, docs: Docs | None = None) -> Api:
    """Return what a corrected OpenAPI document offers.

    Parameters
    ----------
    document
        An OpenAPI 3 document.
    docs
        Words for endpoints, filters and fields; without them the document's own descriptions are used.
    """
    refuse_malformed(document)
    return _Builder(document, docs or Docs()).build()


class _Builder:
    def __init__(self, document: Document, docs: Docs) -> None:
        self._document = document
        self._components = Components(document["components"]["schemas"])
        self._docs = docs
        self._all_optional = bool(document.get("x-all-optional"))
        self._kinds = discriminated(document)
        self._findings: list[Finding] = []
        self._shapes: dict[tuple[str, str], Shape] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._lookups: dict[str, LookupKind] = {}
        self._homes: dict[tuple[str, str], tuple[str, LookupKind]] = {}

    def build(self) -> Api:
        groups = self._group()
        for name, operations in groups.items():
            self._name_shapes(name, operations)
        endpoints = [self._endpoint(name, operations) for name, operations in groups.items() if operations]
        uses = {endpoint.name: _used(endpoint) for endpoint in endpoints}
        shapes = without_cycles(list({shape.name: shape for shape in self._shapes.values()}.values()), uses)
        owners = {shape.name: shape.endpoint for shape in shapes}
        classes = self._class_names([endpoint.name for endpoint in endpoints], owners)
        placed = tuple(
            replace(
                endpoint,
                class_name=classes[endpoint.name],
                shapes=tuple(shape for shape in shapes if shape.endpoint == endpoint.name),
            )
            for endpoint in endpoints
        )
        total = sum(len(endpoint.actions) for endpoint in placed)
        return Api(placed, tuple(self._findings), total, owners)

    def _group(self) -> dict[str, list[Operation]]:
        """Return the operations that become methods, by endpoint, with what they answer and take."""
        find = self._findings.append
        groups = grouped(self._document["paths"], lambda each: is_collection(each, self._components), find)
        for name, operations in groups.items():
            for operation in operations:
                read_answer(name, operation, self._components, find)
                read_body(name, operation, self._components, find)
            groups[name] = name_actions(name, operations, find)
        self._findings += unmet(self._document, groups)
        return groups

    @staticmethod
    def _class_names(endpoints: Sequence[str], owners: Mapping[str, str]) -> dict[str, str]:
        taken = {*owners, *map(naming.changes_name, owners)}
        names: dict[str, str] = {}
        for endpoint in endpoints:
            name = names[endpoint] = naming.endpoint_class_name(endpoint, taken)
            taken |= {name, f"Async{name}"}
        return names

    # --- names of shapes

    def _name_shapes(self, endpoint: str, operations: list[Operation]) -> None:
        ordered = sorted(
            operations, key=lambda each: _NAMING_ORDER.index(each.name) if each.name in _NAMING_ORDER else 9
        )
        resource = next(
            (naming.resource_name(c) for each in ordered for c in (*each.answer_components, *each.bodies)), ""
        )
        if not resource:
            return
        kinds: list[LookupKind] = [each.lookup_kind(each.key, self._components) for each in operations if each.key]
        lookup: LookupKind = kinds[0] if kinds else "text"
        self._name_bodies(endpoint, ordered)
        for operation in ordered:
            for component in operation.answer_components:
                if ("answer", component) in self._names:
                    continue
                own = naming.resource_name(component)
                wanted = [own, f"{own}Record"] if len(operation.answer_components) == 1 else [f"{own}Record"]
                if own == resource:
                    wanted = {
                        "list": [f"{resource}Record", f"{resource}Summary"],
                        "create": [f"{resource}Record", f"{resource}Summary", f"{resource}Created"],
                    }.get(operation.name, [f"{resource}Record", f"{resource}Updated"])
                self._names["answer", component] = self._free(wanted, endpoint)
                self._homes["answer", component] = (endpoint, lookup)

    def _name_bodies(self, endpoint: str, ordered: list[Operation]) -> None:
        """Name what is sent: one shape for all writes where they take the same fields."""
        last: Shape | None = None
        others = [each.name for each in ordered if each.name not in ("create", "update", "partial_update")]
        for action in ("create", "update", "partial_update", *others):
            for operation in (each for each in ordered if each.name == action):
                for component in operation.bodies:
                    key = ("request", component)
                    if key in self._names:
                        continue
                    self._homes[key] = (endpoint, "text")
                    own = naming.resource_name(self._without_request(component))
                    self._names[key] = self._free([own, f"{own}Update", f"{own}Replacement"], endpoint)
                    shape = self._request_shape(component, endpoint)
                    if len(operation.bodies) > 1 or operation.words:
                        continue
                    # What may be changed one by one is what may be replaced; only what is required differs.
                    if last is not None and _can_stand_for(last, shape, action):
                        self._names[key] = last.name
                        self._shapes[key] = last
                    else:
                        last = shape

    def _plain_names(self, component: str) -> list[str]:
        return [naming.resource_name(self._without_request(component)), naming.class_name(component)]

    def _without_request(self, component: str) -> str:
        """Return a component's name without what drf-spectacular adds where requests have components of their own."""
        shown = component.removesuffix("Request")
        return shown if shown in self._components or shown.removeprefix("Patched") in self._components else component

    def _free(self, wanted: Iterable[str], endpoint: str) -> str:
        sent = {name: self._homes.get(key, ("", ""))[0] for key, name in self._names.items() if key[0] == "request"}
        taken = {*self._names.values(), *map(naming.changes_name, sent)}
        # Two endpoints may both have keywords for changes; one endpoint has them once.
        taken_changes = {naming.changes_name(name) for name, home in sent.items() if home != endpoint}
        candidates = [naming.shape_name(each) for each in wanted]
        prefix = naming.class_name(endpoint)
        prefixed = [naming.shape_name(f"{prefix}{each}") for each in candidates]
        taken_elsewhere = any(
            name == candidates[0] and self._homes.get(key, (endpoint, ""))[0] != endpoint
            for key, name in self._names.items()
        )
        ordered = [*prefixed, *candidates] if taken_elsewhere else [*candidates, *prefixed]
        numbered = (f"{prefixed[0]}{number}" for number in itertools.count(2))
        for name in itertools.chain(ordered, numbered):
            if name not in taken and naming.changes_name(name) not in {*self._names.values(), *taken_changes}:
                return name
        raise AssertionError("there is always another number")

    # --- shapes

    def _request_shape(self, component: str, endpoint: str) -> Shape:
        key = ("request", component)
        if key in self._shapes:
            return self._shapes[key]
        endpoint, _ = self._homes.get(key, (endpoint, ""))
        name = self._names.get(key) or self._free(self._plain_names(component), endpoint)
        self._names[key] = name
        schema = merged(self._components[component], self._components)
        self._shapes[key] = Shape(name, "request", endpoint, ())
        fields: list[Field] = []
        uploads: list[str] = []
        for field_name, declared in sorted(schema["properties"].items()):
            if declared.get("readOnly"):
                continue
            stated = {**resolved(declared, self._components), **declared, **declared.get("x-sent", {})}
            if stated.get("format") == "binary":
                uploads.append(field_name)
                continue
            if resolved(stated.get("items"), self._components).get("format") == "binary":
                reason = "several files in one field cannot be sent; it is left out"
                self._findings.append(Finding(endpoint, "", f"{field_name} of {name}: {reason}"))
                continue
            converted = as_sent(declared, self._components, lambda c: self._request_shape(c, endpoint).name)
            required = field_name in (*schema["required"], *schema.get("x-sent-required", ()))
            described = self._docs.field(endpoint, field_name, declared)
            kept = bool(declared.get("x-patch-keeps"))
            fields.append(Field(field_name, converted, required, described, kept))
        described = self._docs.shape(endpoint, name, schema)
        shape = Shape(name, "request", endpoint, tuple(fields), described, tuple(uploads))
        self._shapes[key] = shape
        return shape

    def _answer_shape(self, component: str, endpoint: str) -> Shape:
        key = ("answer", component)
        if key in self._shapes:
            return self._shapes[key]
        endpoint, lookup = self._homes.get(key, (endpoint, "text"))
        own = naming.resource_name(component)
        wanted = [own, f"{own}Record", naming.class_name(component)]
        name = self._names.get(key) or self._free(wanted, endpoint)
        self._names[key] = name
        self._shapes[key] = Shape(name, "answer", endpoint, ())
        schema = merged(self._components[component], self._components)
        sometimes = set(schema.get("x-sometimes", ()))
        fields: list[Field] = []
        for field_name, declared in sorted(schema["properties"].items()):
            if declared.get("writeOnly"):
                continue
            converted = as_answered(declared, self._components, lambda c: self._answer_shape(c, endpoint).name)
            kinds = self._kinds.get((component, field_name))
            if kinds and resolved(declared, self._components).get("type", "string") == "string":
                converted = {"type": "string", "enum": kinds}  # an open set would let every form fit the first one
            always = not (self._all_optional or schema.get("x-all-optional")) and field_name not in sometimes
            converted = or_null(converted, not always)
            fields.append(Field(field_name, converted, always, self._docs.field(endpoint, field_name, declared)))
        names = {each.name for each in fields}
        shape = Shape(
            name,
            "answer",
            endpoint,
            tuple(fields),
            self._docs.shape(endpoint, name, schema),
            id_in_url="url" in names and "id" not in names and lookup == "uuid",
            note=str(schema.get("x-about-answers", "")),
        )
        self._shapes[key] = shape
        return shape

    # --- endpoints

    def _endpoint(self, name: str, operations: list[Operation]) -> Endpoint:
        keyed = [each for each in operations if each.key]
        self._lookups.update((name, each.lookup_kind(each.key, self._components)) for each in keyed)
        actions: dict[str, Action] = {}
        for operation in operations:
            action = self._action(name, operation)
            other = actions.get(action.name)
            if other is not None:
                keyed_action, bare = (action, other) if action.lookup else (other, action)
                assert keyed_action.lookup is not None
                action = replace(keyed_action, lookup=replace(keyed_action.lookup, optional=True), bare_path=bare.path)
            actions[action.name] = action
        if "read" not in actions and "partial_update" in actions:
            actions["partial_update"] = replace(
                actions["partial_update"], preserved_fields=()
            )  # nothing to read them from
        others = sorted(set(actions) - set(_ORDER))
        ordered = tuple(actions[each] for each in (*_ORDER, *others) if each in actions)
        path = operations[0].path
        return Endpoint(name, naming.class_name(name), path, ordered, description=self._docs.endpoint(name))

    def _action(self, endpoint: str, operation: Operation) -> Action:
        bodies = [self._request_shape(each, endpoint) for each in operation.bodies]
        uploads = tuple(dict.fromkeys(each for shape in bodies for each in shape.uploads))
        changes = bodies[:1] if operation.name == "partial_update" and operation.single else []
        if changes and len(bodies) > 1:
            self._find(endpoint, operation, f"only the fields of {bodies[0].name} can be changed")
        if not changes:
            # A form that holds files alone needs no shape.
            bodies = [each for each in bodies if each.fields or not each.uploads]
        preserved_fields = tuple(each.name for shape in changes for each in shape.fields if each.kept_by_patch)
        taken = {"self", "changes"} | {own for shape in changes for own in naming.attribute_names(shape).values()}
        keys = self._keys(operation)
        has_lookup = bool(operation.key) and operation.kind != "page"
        names = [each.name for each in keys]
        taken |= {*names, *naming.upload_names(uploads, names).values()}
        filters = self._filters(endpoint, operation, taken)
        return Action(
            operation.name,
            operation.method.upper(),
            operation.path,
            self._answer(endpoint, operation),
            lookup=keys[-1] if has_lookup else None,
            parents=keys[:-1] if has_lookup else keys,
            filters=tuple(sorted(filters, key=lambda each: each.keyword)),
            body=bodies[0].name if bodies else "",
            also=tuple(shape.name for shape in bodies[1:] if not changes),
            many=operation.many,
            single=operation.single,
            by_uuid=any(each.style == "id" and each.annotation.startswith("UUID") for each in filters),
            uploads=uploads,
            preserved_fields=preserved_fields,
            description=self._describe(endpoint, operation),
        )

    def _answer(self, endpoint: str, operation: Operation) -> Answer:
        if operation.kind in ("nothing", "bytes", "anything"):
            return Answer(operation.kind)
        converted = as_answered(operation.answer, self._components, lambda c: self._answer_shape(c, endpoint).name)
        shape = annotation(converted)
        if shape == "Any" and operation.answer:
            self._find(endpoint, operation, "the answer has no fields: typed as Any")
        if operation.kind == "record" and not shape.isidentifier():
            return Answer("value", shape)
        return Answer("anything" if shape == "Any" and operation.kind == "value" else operation.kind, shape)

    def _keys(self, operation: Operation) -> tuple[Lookup, ...]:
        names: list[str] = []
        found: list[Lookup] = []
        for key in (*operation.parents, *([operation.key] if operation.key else [])):
            names.append(naming.unique(naming.parameter_name(key), names))
            found.append(Lookup(names[-1], operation.lookup_kind(key, self._components)))
        return tuple(found)

    def _filters(self, endpoint: str, operation: Operation, taken: set[str]) -> list[Filter]:
        parameters = operation.parameters("query")
        paged = operation.name == "list" or operation.kind == "page"
        filters, left_out = read_filters(
            parameters,
            self._components,
            lambda each: self._docs.filter(endpoint, each),
            taken,
            paged=paged,
            numbered=operation.numbered,
        )
        for name in left_out:
            self._find(endpoint, operation, f"{name} is an object or joined in a way that is not sent: left out")
        if operation.name == "list" and any(each["name"] == "django" for each in parameters):
            by_key = self._key_filter(endpoint, {str(each["name"]) for each in parameters})
            filters += [by_key] if by_key else []
        return filters

    def _key_filter(self, endpoint: str, names: set[str]) -> Filter | None:
        """Return the filter by key, which ``django`` makes possible where the schema has none."""
        kind = self._lookups.get(endpoint)
        if "id" in names or kind not in ("uuid", "integer"):
            return None
        scalar = "UUID | str" if kind == "uuid" else "int"
        described = self._docs.filter(endpoint, {"name": "id"})
        return Filter("id", "id", f"{scalar} | Sequence[{scalar}]", "id", described)

    def _describe(self, endpoint: str, operation: Operation) -> str:
        spec = operation.spec
        if operation.name not in _ORDER:
            described = spec.get("description") or spec.get("summary") or f"``{operation.where}``."
            spec = {**spec, "description": described}
        text = self._docs.action(endpoint, operation.name, spec)
        return f"{text}\n\nThe server's schema calls it deprecated." if spec.get("deprecated") is True else text

    def _find(self, endpoint: str, operation: Operation, reason: str) -> None:
        self._findings.append(Finding(endpoint, operation.where, reason))


def _used(endpoint: Endpoint) -> set[str]:
    """Return the names of the shapes that an endpoint's methods send and answer, and other words beside them."""
    actions = endpoint.actions
    return {name for each in actions for name in (*re.findall(r"\w+", each.answer.shape), each.body, *each.also)}


def _can_stand_for(one: Shape, other: Shape, action: str) -> bool:
    """Return whether what is sent in one shape can be sent in another one's place."""
    if action != "partial_update":
        return one.fields == other.fields
    return {each.name for each in other.fields} <= {each.name for each in one.fields}
