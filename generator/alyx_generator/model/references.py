"""Records that filters and fields refer to: found by name and type, or named by the extension ``x-alyx-record``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from alyx_client.runtime.references import Origin, Reference
from alyx_client.schema.naming import referred_endpoint, singular_of
from alyx_client.schema.openapi import Schema, as_list, as_schema
from alyx_client.schema.routes import ACTIONS
from alyx_generator.model.ir import Endpoint, Filter, Lookup, Model, ModelField
from alyx_generator.model.naming import argument_name

ValueForm = Literal["uuid", "integer", "url", "text"]


@dataclass(frozen=True)
class _Target:
    """An endpoint whose records can be referred to.

    Parameters
    ----------
    endpoint
        Its name.
    names
        The names of one record and of several.
    lookup
        The key by which it finds records.
    models
        The models of its records.
    """

    endpoint: str
    names: frozenset[str]
    lookup: Lookup | None
    models: tuple[Model, ...]

    @property
    def key(self) -> str:
        """The field that records are found by; empty if they have none."""
        if self.lookup is not None:
            return self.lookup.name if self._has(self.lookup.name) else ""
        return next((name for name in ("id", "name") if self._has(name)), "")

    def field(self, form: ValueForm) -> str:
        """Return the field of a record whose value has a form; empty if there is none."""
        if form == "url":
            return "url" if self._has("url") else ""
        if form == "text":
            kind = self.lookup.kind if self.lookup else "text"
            key = self.lookup.name if self.lookup else "name"
            return key if kind == "text" and self._has(key) else ""
        if form == "uuid" and any(model.id_in_url for model in self.models):
            return "id"
        return "id" if self._has("id", "uuid" if form == "uuid" else "integer") else ""

    def _has(self, name: str, kind: str = "") -> bool:
        fields = [field for model in self.models for field in model.fields if field.name == name]
        in_url = name == "id" and any(model.id_in_url for model in self.models)
        return in_url or any(kind in ("", field.schema.get("format"), field.schema.get("type")) for field in fields)


def with_references(endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """Return the endpoints, with what their filters and fields refer to, and where the records of their models belong.

    Parameters
    ----------
    endpoints
        The endpoints with their models.
    """
    models = {model.name: model for endpoint in endpoints for model in endpoint.models}
    targets = {target.endpoint: target for endpoint in endpoints if (target := _target(endpoint, models))}
    origins = _origins(endpoints, targets, models)
    return tuple(
        replace(
            endpoint,
            models=tuple(_with_origin(model, origins.get(model.name), targets) for model in endpoint.models),
            actions=tuple(
                replace(
                    action,
                    lookup=_lookup_with_reference(action.lookup, endpoint.name, targets),
                    filters=tuple(_filter_with_reference(one, endpoint.name, targets) for one in action.filters),
                )
                for action in endpoint.actions
            ),
        )
        for endpoint in endpoints
    )


def _target(endpoint: Endpoint, models: Mapping[str, Model]) -> _Target | None:
    records = [models[name] for name in _record_names(endpoint) if name in models]
    lookup = next((action.lookup for action in endpoint.actions if action.lookup), None)
    if not records or any(action.parents for action in endpoint.actions):
        return None
    resources = {argument_name(re.sub("(Record|Summary)$", "", model.name)) for model in records}
    nouns = {noun.replace(" ", "_") for noun in (endpoint.noun.singular, endpoint.noun.plural)}
    names = frozenset({endpoint.name, singular_of(endpoint.name), *resources, *nouns})
    target = _Target(endpoint.name, names, lookup, tuple(records))
    return target if target.key else None


def _record_names(endpoint: Endpoint) -> list[str]:
    """Return the names of the models of an endpoint's records."""
    actions = {action.name: action for action in endpoint.actions if action.name in ACTIONS}
    # What is returned by creating alone, such as a report, is not a record that could be found again.
    if not {"list", "read"} & actions.keys():
        return []
    returning = [action for action in actions.values() if action.lookup or action.name in ("list", "create")]
    kinds = ("record", "page", "list")
    return list(dict.fromkeys(one.response.annotation for one in returning if one.response.kind in kinds))


def _origins(
    endpoints: Iterable[Endpoint], targets: Mapping[str, _Target], models: Mapping[str, Model]
) -> dict[str, Origin]:
    """Return the origin of each model whose records can be found again, by the model's name."""
    origins: dict[str, Origin] = {}
    for endpoint in endpoints:
        target = targets.get(endpoint.name)
        if target is None:
            continue
        actions = {action.name: action for action in endpoint.actions}
        full = actions["read"].response.annotation if "read" in actions else ""
        names = {field.name for field in models[full].fields} if full in models else set[str]()
        for model in target.models:
            only_read = names - {field.name for field in model.fields} if "list" in actions else set[str]()
            origin = Origin(endpoint.name, target.key, tuple(sorted(only_read)), "partial_update" in actions)
            # A model of two endpoints belongs to the one that it is named for.
            if model.name not in origins or model.endpoint == endpoint.name:
                origins[model.name] = origin
    for model in models.values():
        if model.record_of in targets and model.kind == "response":
            origins[model.name] = Origin(model.record_of, targets[model.record_of].key)
    return origins


def _with_origin(model: Model, origin: Origin | None, targets: Mapping[str, _Target]) -> Model:
    if model.kind == "response":
        return replace(model, origin=origin)
    fields = tuple(_field_with_reference(field, model.endpoint, targets) for field in model.fields)
    return replace(model, fields=fields)


def _lookup_with_reference(lookup: Lookup | None, endpoint: str, targets: Mapping[str, _Target]) -> Lookup | None:
    if lookup is None:
        return None
    target = targets.get(endpoint)
    # A path may end in the key of another endpoint's record, such as that of a subject.
    if target is None or target.key != lookup.name:
        target = _named_target(lookup.name, None, endpoint, targets)
    if target is None or target.lookup is None or target.lookup.kind != lookup.kind:
        return lookup
    return replace(lookup, reference=Reference(target.endpoint, target.key), own=target.endpoint == endpoint)


def _filter_with_reference(one: Filter, endpoint: str, targets: Mapping[str, _Target]) -> Filter:
    if one.style == "id":
        field = (
            targets[endpoint].field("uuid" if "UUID" in one.annotation else "integer") if endpoint in targets else ""
        )
        return replace(one, reference=Reference(endpoint, field)) if field else one
    if one.style not in ("plain", "comma", "repeat"):
        return one
    kinds = set(re.findall(r"UUID|\bint\b|\bstr\b", one.annotation))
    plain = not re.search("Literal|date|bool|float", one.annotation)
    form: ValueForm | None = "uuid" if "UUID" in kinds else "integer" if kinds == {"int"} else "text"
    return replace(one, reference=_reference(one.name, one.record, form if plain else None, endpoint, targets))


def _field_with_reference(field: ModelField, endpoint: str, targets: Mapping[str, _Target]) -> ModelField:
    form = _form(field.schema)
    if form == "text" and field.is_url:
        form = "url"
    return replace(field, reference=_reference(field.name, field.record, form, endpoint, targets))


def _form(schema: Schema) -> ValueForm | None:
    """Return the form of the values of a field, those in a list included; None if they refer to no record."""
    options = [option for option in map(as_schema, schema.get("anyOf", ())) if option.get("type") != "null"]
    if len(options) == 1:
        return _form(options[0])
    if options or "enum" in schema:
        return None
    declared = schema.get("type")
    kinds = [kind for kind in as_list(declared) if kind != "null"] if isinstance(declared, list) else [declared]
    kind = kinds[0] if len(kinds) == 1 else ""
    if kind == "array":
        return _form(as_schema(schema.get("items")))
    if kind == "string":
        formats: dict[object, ValueForm] = {None: "text", "uuid": "uuid"}
        return formats.get(schema.get("format"))
    return "integer" if kind == "integer" else None


def _reference(
    name: str, record: str, form: ValueForm | None, endpoint: str, targets: Mapping[str, _Target]
) -> Reference | None:
    """Return what a filter or a field refers to; None if it refers to no record."""
    if record:
        named, _, field = record.partition(".")
        return Reference(named, field) if not named or named in targets else None
    target = _named_target(name, form, endpoint, targets) if form else None
    if target is None or form is None:
        return None
    field = target.field(form)
    return Reference(target.endpoint, field) if field else None


def _named_target(name: str, form: ValueForm | None, endpoint: str, targets: Mapping[str, _Target]) -> _Target | None:
    """Return the endpoint that a name refers to: ``session`` and ``parent_session`` to ``sessions``."""
    if name in ("parent", "parents"):
        return targets.get(endpoint)
    named = referred_endpoint(name, {target.endpoint: target.names for target in targets.values()})
    if named:
        return targets[named]
    # The nickname of a subject in a filter of sessions; every endpoint has ids and names of its own.
    others = [target for target in targets.values() if target.endpoint != endpoint]
    keyed = [target for target in others if target.key == name and name not in ("id", "name", "url", "key")]
    if keyed:
        return keyed[0]
    # A stack is an imaging stack, if it is named by its key; a text may be anything.
    longer = [target for target in targets.values() if any(word.endswith(f"_{name}") for word in target.names)]
    return longer[0] if len(longer) == 1 and form in ("uuid", "integer") else None
