"""The models of a document's components: their names and their fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from alyx_client.schema.openapi import Schema, as_schema
from alyx_generator.model import naming
from alyx_generator.model.docs import Docs
from alyx_generator.model.hoist import Components
from alyx_generator.model.ir import Finding, LookupKind, Model, ModelField
from alyx_generator.model.names import Home, ModelKey, ModelNames
from alyx_generator.model.operations import Operation
from alyx_generator.model.schemas import or_null, request_schema, response_schema
from alyx_generator.model.server_facts import read_facts
from alyx_generator.source.openapi import Document, alternatives, discriminated, merged, resolved

_WRITES = ("create", "update", "partial_update")
# The record that is read names the resource; failing that, the one that is listed, then the one that is sent.
_DEEPEST = 40  # models within models; those of real servers are five deep
_NAMING_ORDER = ("read", "update", "partial_update", "list", "create")


class ModelBuilder:
    """Builds models as operations need them, each once.

    Parameters
    ----------
    document
        The corrected document.
    components
        Its components.
    docs
        Descriptions of fields and models.
    """

    def __init__(self, document: Document, components: Components, docs: Docs) -> None:
        self._components = components
        self._docs = docs
        self._all_optional = bool(document.get("x-all-optional"))
        self.facts = read_facts(document)
        self._discriminated = discriminated(document)
        self._names = ModelNames(components)
        self._models: dict[ModelKey, Model] = {}
        self._depth = 0
        self.findings: list[Finding] = []

    def built(self) -> list[Model]:
        """Return the models built so far; one that several components share is returned once."""
        return list({model.name: model for model in self._models.values()}.values())

    def name_models(self, endpoint: str, operations: Sequence[Operation]) -> None:
        """Name the models of an endpoint's requests and responses after its resource.

        Endpoints are named one after the other, before any model is built that only fields refer to.
        """
        ordered = sorted(operations, key=_naming_rank)
        resource = next((naming.resource_name(name) for operation in ordered for name in operation.components), "")
        if not resource:
            return
        home = Home(endpoint, _lookup_kind(operations, self._components))
        # Requests first: what users construct gets the plain name, `Session`; what is returned is `SessionRecord`.
        self._name_requests(endpoint, ordered)
        for operation in ordered:
            for component in operation.response_components:
                if ("response", component) not in self._names:
                    candidates = _response_names(operation, component, resource)
                    self._names.assign(("response", component), candidates, home)

    def request(self, component: str, endpoint: str) -> Model:
        """Return the model of a component as it is sent.

        Parameters
        ----------
        component
            The component's name.
        endpoint
            The endpoint that it belongs to, unless it was named for another one.
        """
        key: ModelKey = ("request", component)
        if key in self._models:
            return self._models[key]
        endpoint = self._names.home(key, endpoint).endpoint
        name = self._names.request(component, endpoint)
        schema = merged(self._components[component], self._components)
        self._models[key] = Model(name, "request", endpoint, ())  # a model may contain itself
        if _has_extra_keys(schema):
            self.findings.append(
                Finding(endpoint, "", f"{name} may have other keys than its fields; they cannot be sent")
            )
        fields: list[ModelField] = []
        uploads: list[str] = []
        several: list[str] = []
        for field_name, declared in sorted(schema["properties"].items()):
            if declared.get("readOnly"):
                continue
            # What stands beside a reference, such as an overlay's `x-sent`, takes precedence over its target.
            stated = {**resolved(declared, self._components), **declared, **declared.get("x-sent", {})}
            if stated.get("format") == "binary":
                uploads.append(field_name)
            elif resolved(stated.get("items"), self._components).get("format") == "binary":
                uploads.append(field_name)
                several.append(field_name)
            else:
                fields.append(self._request_field(endpoint, field_name, declared, schema))
        description = self._docs.model(endpoint, name, schema)
        self._models[key] = Model(
            name,
            "request",
            endpoint,
            tuple(fields),
            description,
            tuple(uploads),
            upload_lists=frozenset(several),
        )
        return self._models[key]

    def response(self, component: str, endpoint: str) -> Model:
        """Return the model of a component as it is returned; the parameters are those of `request`."""
        key: ModelKey = ("response", component)
        if key in self._models:
            return self._models[key]
        home = self._names.home(key, endpoint)
        name = self._names.response(component, home.endpoint)
        self._models[key] = Model(name, "response", home.endpoint, ())  # a model may contain itself
        schema = merged(self._components[component], self._components)
        if _has_extra_keys(schema):
            reason = f"{name} may have other keys than its fields; they are attributes without a type"
            self.findings.append(Finding(home.endpoint, "", reason))
        kinds = as_schema(as_schema(schema.get("discriminator")).get("mapping"))
        if kinds and not alternatives(self._components[component]):
            reason = f"{name} may be one of {', '.join(sorted(kinds))}, whose own fields are attributes without a type"
            self.findings.append(Finding(home.endpoint, "", reason))
        fields = tuple(self._response_fields(home.endpoint, component, schema))
        names = {field.name for field in fields}
        id_in_url = "url" in names and home.lookup == "uuid" and ("id" not in names or self._all_optional)
        if id_in_url:
            # A server that may lack any field may lack this one, too, which users look records up by.
            fields = tuple(field for field in fields if field.name != "id")
        self._models[key] = Model(
            name,
            "response",
            home.endpoint,
            fields,
            self._docs.model(home.endpoint, name, schema),
            id_in_url=id_in_url,
            note=str(schema.get("x-response-note", "")),
            record_of=str(schema.get("x-alyx-record", "")),
        )
        return self._models[key]

    def _nested(self, build: Callable[[str, str], Model], component: str, endpoint: str) -> str:
        """Return the name of a model within another one; empty where they nest too deeply."""
        if self._depth == _DEEPEST:
            reason = f"{component} is nested in more than {_DEEPEST} others there: typed as Any"
            self.findings.append(Finding(endpoint, "", reason))
            return ""
        self._depth += 1
        try:
            return build(component, endpoint).name
        finally:
            self._depth -= 1

    def _name_requests(self, endpoint: str, ordered: Sequence[Operation]) -> None:
        """Name what is sent: one model for all writes where they take the same fields."""
        shared: Model | None = None
        others = [operation.name for operation in ordered if operation.name not in _WRITES]
        # Of a record that is sent whole, not as keywords, the fields that PATCH requires count.
        whole = {body for operation in ordered if operation.name in others for body in operation.bodies}
        for action in (*_WRITES, *others):
            for operation in filter(lambda operation: operation.name == action, ordered):
                alone = len(operation.bodies) == 1 and not operation.words
                for component in operation.bodies:
                    may_share = alone and not (action == "partial_update" and component in whole)
                    shared = self._name_request(endpoint, action, component, shared, alone=may_share)

    def _name_request(
        self, endpoint: str, action: str, component: str, shared: Model | None, *, alone: bool
    ) -> Model | None:
        """Name one model that is sent, and return the one that later writes may share."""
        key: ModelKey = ("request", component)
        if key in self._names:
            return shared
        own = self._names.request_resource(component)
        self._names.assign(key, [own, f"{own}Update", f"{own}Replacement"], Home(endpoint))
        model = self.request(component, endpoint)
        if not alone:
            return shared
        if shared is None or not self._can_stand_for(shared, model, action):
            return model
        self._names.share(key, shared.name)
        self._models[key] = shared
        return shared

    def _can_stand_for(self, one: Model, other: Model, action: str) -> bool:
        """Return whether what is sent as one model can be sent as another one."""
        if action != "partial_update":
            return one.fields == other.fields
        # The fields to change may be fewer, and none of them is required.
        fields = {field.name: field.schema for field in one.fields}
        return all(
            field.name in fields and (self.facts.same_fields_in_patch or fields[field.name] == field.schema)
            for field in other.fields
        )

    def _request_field(self, endpoint: str, name: str, declared: Schema, schema: Schema) -> ModelField:
        return ModelField(
            name,
            request_schema(
                declared,
                self._components,
                lambda component: self._nested(self.request, component, endpoint),
                zones=not self.facts.local_times,
            ),
            name in (*schema["required"], *schema.get("x-sent-required", ())),
            " ".join(filter(None, (self._docs.field(endpoint, name, declared), declared.get("x-note")))),
            bool(declared.get("x-patch-keeps")),
            is_url=resolved(declared, self._components).get("format") == "uri",
            record=str(declared.get("x-alyx-record", "")),
            joined=declared.get("x-alyx-style") == "comma",
        )

    def _response_fields(self, endpoint: str, component: str, schema: Schema) -> Iterator[ModelField]:
        all_optional = self._all_optional or bool(schema.get("x-all-optional"))
        sometimes = set(schema.get("x-sometimes", ()))
        # `required` may bind the writer only: drf-spectacular declares requests and responses by one component.
        certain = schema["properties"] if self.facts.complete_responses else schema["required"]
        for name, node in sorted(schema["properties"].items()):
            declared = as_schema(node)
            if declared.get("writeOnly"):
                continue
            converted = response_schema(
                declared, self._components, lambda component: self._nested(self.response, component, endpoint)
            )
            values = self._discriminated.get((component, name))
            if values and resolved(declared, self._components).get("type", "string") == "string":
                # An open enumeration would let every record pass for the union's first model.
                converted = {"type": "string", "enum": values}
            always = not all_optional and name in certain and name not in sometimes
            yield ModelField(name, or_null(converted, not always), always, self._docs.field(endpoint, name, declared))


def _has_extra_keys(schema: Schema) -> bool:
    return schema.get("additionalProperties") not in (None, False) or bool(schema.get("patternProperties"))


def _lookup_kind(operations: Sequence[Operation], components: Components) -> LookupKind:
    keyed = next((operation for operation in operations if operation.key), None)
    return keyed.lookup_kind(keyed.key, components) if keyed else "text"


def _naming_rank(operation: Operation) -> int:
    return _NAMING_ORDER.index(operation.name) if operation.name in _NAMING_ORDER else len(_NAMING_ORDER)


def _response_names(operation: Operation, component: str, resource: str) -> list[str]:
    """Return the names that a response's model may have, the best one first."""
    own = naming.resource_name(component)
    if own == resource:
        special = {
            "list": [f"{resource}Summary"],
            "create": [f"{resource}Summary", f"{resource}Created"],
        }
        return [f"{resource}Record", *special.get(operation.name, [f"{resource}Updated"])]
    return [own, f"{own}Record"] if len(operation.response_components) == 1 else [f"{own}Record"]
