"""Endpoints and their actions, built from operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alyx_client.schema.openapi import Schema, as_schema
from alyx_client.schema.routes import ACTIONS, action_rank
from alyx_client.schema.row_keys import key_fields
from alyx_generator.model import naming
from alyx_generator.model.annotations import annotation
from alyx_generator.model.docs import Docs
from alyx_generator.model.filters import FilterContext, read_filters
from alyx_generator.model.hoist import Components
from alyx_generator.model.ir import (
    Endpoint,
    EndpointAction,
    Filter,
    Finding,
    Lookup,
    LookupKind,
    Model,
    ResponseType,
)
from alyx_generator.model.models import ModelBuilder
from alyx_generator.model.operations import Operation, has_same_route
from alyx_generator.model.schemas import response_schema
from alyx_generator.source.openapi import component_of, resolved


@dataclass(frozen=True)
class _Body:
    """The body of an operation: one of several models, files, or changes to the fields of one model."""

    models: tuple[Model, ...] = ()
    uploads: tuple[str, ...] = ()
    upload_lists: frozenset[str] = frozenset()
    is_changes: bool = False

    @property
    def preserved_fields(self) -> tuple[str, ...]:
        """The fields that the server clears when a change omits them."""
        fields = self.models[0].fields if self.is_changes else ()
        return tuple(field.name for field in fields if field.preserved_by_patch)

    @property
    def keywords(self) -> set[str]:
        """The keywords that the body takes up besides those for files."""
        return {"changes", *naming.attribute_names(self.models[0]).values()} if self.is_changes else {"changes"}


class EndpointBuilder:
    """Builds one endpoint; `findings` collects what a reader should know of it.

    Parameters
    ----------
    name
        The endpoint's name.
    components
        The document's components.
    docs
        Descriptions of endpoints, actions and filters.
    models
        Builds the models that the endpoint's actions send and return.
    """

    def __init__(self, name: str, components: Components, docs: Docs, models: ModelBuilder) -> None:
        self._name = name
        self._components = components
        self._docs = docs
        self._models = models
        self.findings: list[Finding] = []

    def build(self, operations: Sequence[Operation]) -> Endpoint:
        """Return the endpoint with an action for each operation.

        Parameters
        ----------
        operations
            The endpoint's operations, named and with their payloads read.
        """
        kinds: list[LookupKind] = [
            operation.lookup_kind(operation.key, self._components) for operation in operations if operation.key
        ]
        actions: dict[str, EndpointAction] = {}
        for operation in operations:
            action = self._action(operation, kinds[-1] if kinds else None)
            action = replace(action, row_key=self._row_key(operation, operations) if action.paged else ())
            other = actions.get(action.name)
            actions[action.name] = action if other is None else _with_optional_key(action, other)
        if "read" not in actions and "partial_update" in actions:
            # The preserved fields are read before each change.
            actions["partial_update"] = replace(actions["partial_update"], preserved_fields=())
        listing = actions.get("list")
        if listing is not None and not listing.parents:
            actions = {name: _with_finder(action, listing) for name, action in actions.items()}
        ordered = tuple(actions[name] for name in sorted(actions, key=lambda name: (action_rank(name), name)))
        class_name = naming.class_name(self._name)
        return Endpoint(
            self._name,
            class_name,
            operations[0].path,
            self._docs.noun(self._name),
            ordered,
            description=self._docs.endpoint(self._name),
        )

    def _action(self, operation: Operation, lookup_kind: LookupKind | None) -> EndpointAction:
        body = self._body(operation)
        keys = self._keys(operation)
        # A list below a key, such as /by-lab/{lab}, has parents and no record of its own.
        has_lookup = bool(operation.key) and operation.kind != "page"
        key_names = [key.name for key in keys]
        taken = {"self", *body.keywords, *key_names, *naming.upload_names(body.uploads, key_names).values()}
        filters = self._filters(operation, taken, lookup_kind)
        return EndpointAction(
            operation.name,
            operation.method.upper(),
            operation.path,
            self._response(operation),
            lookup=keys[-1] if has_lookup else None,
            parents=keys[:-1] if has_lookup else keys,
            filters=tuple(sorted(filters, key=lambda one: one.keyword)),
            body=body.models[0].name if body.models else "",
            alternatives=() if body.is_changes else tuple(model.name for model in body.models[1:]),
            many=operation.many,
            single=operation.single,
            uploads=body.uploads,
            upload_lists=body.upload_lists,
            encoding=operation.encoding,
            accept=operation.accept,
            json_type=operation.json_type,
            preserved_fields=body.preserved_fields,
            by_uuid=any(one.style == "id" and one.annotation.startswith("UUID") for one in filters),
            paging=operation.paging,
            description=self._description(operation),
        )

    def _body(self, operation: Operation) -> _Body:
        models = [self._models.request(component, self._name) for component in operation.bodies]
        uploads = tuple(dict.fromkeys(upload for model in models for upload in model.uploads))
        lists = frozenset(upload for model in models for upload in model.upload_lists)
        if uploads and not operation.single:
            # A form holds one record.
            self._find(operation, f"{', '.join(uploads)}: files cannot be sent with several records; left out")
            uploads = ()
        if operation.name != "partial_update" or not operation.single or not models:
            # A form that consists of files needs no model.
            return _Body(tuple(model for model in models if model.fields or not model.uploads), uploads, lists)
        if len(models) > 1:
            self._find(operation, f"only the fields of {models[0].name} can be changed")
        return _Body(tuple(models), uploads, lists, is_changes=True)

    def _response(self, operation: Operation) -> ResponseType:
        if operation.kind in ("nothing", "bytes", "anything"):
            return ResponseType(operation.kind)
        schema = response_schema(
            operation.response, self._components, lambda component: self._models.response(component, self._name).name
        )
        annotated = annotation(schema)
        if annotated == "Any" and operation.response:
            self._find(operation, "the response has no fields: typed as Any")
        # A list that has no content has no rows.
        is_one_value = operation.kind in ("record", "value", "list") and operation.name != "list"
        if operation.may_be_empty and is_one_value and annotated != "Any":
            whole = f"list[{annotated}]" if operation.kind == "list" else annotated
            return ResponseType("value", whole if "None" in whole.split(" | ") else f"{whole} | None")
        # A union or a nullable record cannot be a base for `json_field_update`, which needs one class.
        if operation.kind == "record" and not annotated.isidentifier():
            return ResponseType("value", annotated)
        anything = annotated == "Any" and operation.kind == "value"
        return ResponseType("anything" if anything else operation.kind, annotated)

    def _keys(self, operation: Operation) -> tuple[Lookup, ...]:
        keys: dict[str, Lookup] = {}
        for key in filter(None, (*operation.parents, operation.key)):
            name = naming.unique(naming.parameter_name(key), {*keys, naming.TIMEOUT, "changes"})
            keys[name] = Lookup(name, operation.lookup_kind(key, self._components))
        return tuple(keys.values())

    def _filters(self, operation: Operation, taken: set[str], lookup_kind: LookupKind | None) -> list[Filter]:
        parameters = operation.parameters("query")
        names = {str(parameter["name"]) for parameter in parameters}
        context = FilterContext(
            self._components,
            lambda parameter: self._docs.filter(self._name, parameter),
            frozenset(taken),
            paged=operation.name == "list" or operation.kind == "page",
            paging=frozenset() if operation.numbered else operation.paging.parameters,
            django=self._models.facts.django_filters,
        )
        filters, left_out = read_filters(parameters, context)
        for name in left_out:
            self._find(operation, f"{name} is an object, or encoded in an unsupported style: left out")
        has_django = context.django and "django" in names
        if operation.name == "list" and has_django and "id" not in names and lookup_kind in ("uuid", "integer"):
            filters.append(self._key_filter(lookup_kind))
        return filters

    def _row_key(self, operation: Operation, operations: Sequence[Operation]) -> tuple[str, ...]:
        """Return the fields that tell the rows of a list apart."""
        component = component_of(operation.response)
        if component is None:
            return ()
        declared = as_schema(resolved(operation.response, self._components).get("properties"))
        properties = {name: resolved(field, self._components) for name, field in declared.items()}
        attributes = naming.attribute_names(self._models.response(component, self._name))
        names = key_fields(*self._lookup(operation, operations), properties)
        return tuple(name for name in names if attributes.get(name) == name)

    def _lookup(self, operation: Operation, operations: Sequence[Operation]) -> tuple[str, Schema]:
        """Return the name and the schema of the key by which the records of a list are looked up."""
        for other in operations:
            if other.key and has_same_route(other, operation):
                parameters = {str(parameter["name"]): parameter for parameter in other.parameters("path")}
                return other.key, resolved(as_schema(parameters.get(other.key)).get("schema"), self._components)
        return "", {}

    def _key_filter(self, kind: LookupKind) -> Filter:
        """Return the filter by key, which ``django`` makes possible where the schema has none."""
        scalar = "UUID | str" if kind == "uuid" else "int"
        description = self._docs.filter(self._name, {"name": "id"})
        return Filter("id", "id", f"{scalar} | Sequence[{scalar}]", "id", description)

    def _description(self, operation: Operation) -> str:
        spec = operation.spec
        # Our own words cover the six standard actions; for others, the route says more than a generic sentence.
        if operation.name not in ACTIONS:
            spec = {**spec, "description": spec.get("description") or spec.get("summary") or f"``{operation.where}``."}
        text = self._docs.action(self._name, operation.name, spec)
        return f"{text}\n\nDeprecated by the server's schema." if spec.get("deprecated") is True else text

    def _find(self, operation: Operation, reason: str) -> None:
        self.findings.append(Finding(self._name, operation.where, reason))


def _with_finder(action: EndpointAction, listing: EndpointAction) -> EndpointAction:
    """Return an action with the filter by which its endpoint's list finds what no URL can express: odd names."""
    if action.lookup is None or action.lookup.kind != "text" or action.parents:
        return action
    # The key of the path, which is also the field's name.
    key = action.path.rstrip("/").rpartition("{")[2].rstrip("}")
    return replace(action, finder=key if any(one.name == key for one in listing.filters) else "")


def _with_optional_key(one: EndpointAction, other: EndpointAction) -> EndpointAction:
    """Return one action for a path with a key and the same path without it."""
    keyed, bare = (one, other) if one.lookup else (other, one)
    assert keyed.lookup is not None
    return replace(keyed, lookup=replace(keyed.lookup, optional=True), bare_path=bare.path)
