"""The warning that an update replaces the whole of a JSON field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from alyx_generator.model.ir import Api, Endpoint, EndpointAction, Model, ModelField
from alyx_generator.model.json_fields import fields_by_key, is_json_field
from alyx_generator.model.naming import attribute_names
from alyx_generator.model.nouns import listed
from alyx_generator.render.text import paragraph

Models = Mapping[str, Model]

_UPDATES = frozenset({"update", "partial_update", "bulk_update", "bulk_partial_update"})


def replacement_note(action: EndpointAction, endpoint: Endpoint, models: Models) -> str:
    """Return the warning about the JSON fields that an action replaces, or an empty string if there are none.

    Parameters
    ----------
    action
        One of the endpoint's actions.
    endpoint
        The endpoint.
    models
        The models of all endpoints, by name.
    """
    attributes = {attribute: field.name for _, field, attribute in _replaced(action, models)}
    if not attributes:
        return ""
    by_key = fields_by_key(endpoint, models)
    changeable = [attribute for attribute, name in attributes.items() if name in by_key]
    note = f"A value for {_listed(attributes)} replaces the whole field"
    if not changeable:
        return f"{note}."
    some = "" if len(changeable) == len(attributes) else f" of {_listed(changeable)}"
    return f"{note}; `json_field_update` sets single keys{some} and leaves the others unchanged."


def with_replacement_notes(api: Api) -> Api:
    """Return the same API, with the warning in the description of each JSON field that an update replaces.

    Parameters
    ----------
    api
        The API, whose descriptions do not have the warning yet.
    """
    models = api.models
    notes: dict[tuple[str, str], str] = {}
    for endpoint in api.endpoints:
        by_key = fields_by_key(endpoint, models)
        for action in endpoint.actions:
            for model, field, _ in _replaced(action, models):
                key = (model.name, field.name)
                if field.name in by_key:
                    notes[key] = (
                        f"An update replaces the whole field; ``client.{endpoint.name}.json_field_update`` "
                        "sets single keys and leaves the others unchanged."
                    )
                else:
                    notes.setdefault(key, "An update replaces the whole field.")
    return replace(
        api,
        endpoints=tuple(
            replace(endpoint, models=tuple(_with_notes(model, notes) for model in endpoint.models))
            for endpoint in api.endpoints
        ),
    )


def _with_notes(model: Model, notes: Mapping[tuple[str, str], str]) -> Model:
    return replace(
        model, fields=tuple(_with_note(field, notes.get((model.name, field.name), "")) for field in model.fields)
    )


def _with_note(field: ModelField, note: str) -> ModelField:
    if not note:
        return field
    return replace(field, description="\n\n".join(filter(None, (field.description, paragraph(note)))))


def _replaced(action: EndpointAction, models: Models) -> Iterator[tuple[Model, ModelField, str]]:
    """Yield each JSON field that an action writes, with its model and its attribute."""
    if action.name not in _UPDATES:
        return
    for name in action.bodies:
        if name in models:
            attributes = attribute_names(models[name])
            for field in models[name].fields:
                if is_json_field(field):
                    yield models[name], field, attributes[field.name]


def _listed(names: Iterable[str]) -> str:
    return listed([f"``{name}``" for name in sorted(names)], "or")
