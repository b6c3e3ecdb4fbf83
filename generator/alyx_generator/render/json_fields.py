"""The warning that an update replaces the whole of a JSON field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from alyx_generator.model.ir import Action, Api, Endpoint, Field, Shape
from alyx_generator.model.json_fields import fields_by_key, is_json_field
from alyx_generator.model.naming import attribute_names
from alyx_generator.render.text import paragraph

_UPDATES = frozenset({"update", "partial_update", "bulk_update", "bulk_partial_update"})


def replacement_note(action: Action, endpoint: Endpoint, shapes: Mapping[str, Shape]) -> str:
    """Return the warning about the JSON fields that an action replaces, or an empty string if there are none.

    Parameters
    ----------
    action
        One of the endpoint's actions.
    endpoint
        The endpoint.
    shapes
        The shapes of all endpoints, by name.
    """
    attributes = {attribute: field.name for _, field, attribute in _replaced(action, shapes)}
    if not attributes:
        return ""
    by_key = fields_by_key(endpoint, shapes)
    changeable = [attribute for attribute, name in attributes.items() if name in by_key]
    note = f"A value for {_alternatives(attributes)} replaces the whole field"
    if not changeable:
        return f"{note}."
    some = "" if len(changeable) == len(attributes) else f" of {_alternatives(changeable)}"
    return f"{note}; `json_field_update` sets single keys{some} and keeps the others."


def with_replacement_notes(api: Api) -> Api:
    """Return the same API, with the warning in the description of each JSON field that an update replaces.

    Parameters
    ----------
    api
        The API, whose descriptions do not have the warning yet.
    """
    shapes = {shape.name: shape for endpoint in api.endpoints for shape in endpoint.shapes}
    notes: dict[tuple[str, str], str] = {}
    for endpoint in api.endpoints:
        by_key = fields_by_key(endpoint, shapes)
        for action in endpoint.actions:
            for shape, field, _ in _replaced(action, shapes):
                place = (shape.name, field.name)
                if field.name in by_key:
                    notes[place] = (
                        f"An update replaces the whole field; ``client.{endpoint.name}.json_field_update`` "
                        "sets single keys and keeps the others."
                    )
                else:
                    notes.setdefault(place, "An update replaces the whole field.")
    return replace(
        api,
        endpoints=tuple(
            replace(endpoint, shapes=tuple(_with_notes(shape, notes) for shape in endpoint.shapes))
            for endpoint in api.endpoints
        ),
    )


def _with_notes(shape: Shape, notes: Mapping[tuple[str, str], str]) -> Shape:
    return replace(
        shape,
        fields=tuple(
            replace(field, description="\n\n".join(filter(None, (field.description, paragraph(note)))))
            if (note := notes.get((shape.name, field.name)))
            else field
            for field in shape.fields
        ),
    )


def _replaced(action: Action, shapes: Mapping[str, Shape]) -> Iterator[tuple[Shape, Field, str]]:
    """Yield each JSON field that an action writes, with its shape and its attribute."""
    if action.name not in _UPDATES:
        return
    for name in (action.body, *action.also):
        if name in shapes:
            attributes = attribute_names(shapes[name])
            for field in shapes[name].fields:
                if is_json_field(field):
                    yield shapes[name], field, attributes[field.name]


def _alternatives(names: Mapping[str, str] | list[str]) -> str:
    *others, last = (f"``{name}``" for name in sorted(names))
    return f"{', '.join(others)} or {last}" if others else last
