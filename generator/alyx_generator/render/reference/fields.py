"""The table of an endpoint's fields: those of all shapes of its records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alyx_generator.model.ir import Endpoint, Model
from alyx_generator.model.naming import attribute_names, changes_name
from alyx_generator.render.methods import takes_changes
from alyx_generator.render.reference.context import Context
from alyx_generator.render.reference.history import field_since, model_places
from alyx_generator.render.reference.markdown import code, prose, table
from alyx_generator.render.reference.types import describe_type

__all__ = ["Shapes", "fields_table", "nested_tables", "shapes_of"]

_TITLES = ("field", "meaning", "type", "null", "read-only", "required", "in", "since")


@dataclass(frozen=True)
class Shapes:
    """The classes of an endpoint's records: those that are returned, those that are sent, and those of changes."""

    returned: tuple[str, ...]
    sent: tuple[str, ...]
    changes: tuple[str, ...]
    required_by: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.returned, *self.sent, *self.changes)


def shapes_of(endpoint: Endpoint, context: Context) -> Shapes:
    """Return the shapes of an endpoint's records.

    Parameters
    ----------
    endpoint
        The endpoint.
    context
        What pages are made from.
    """
    models = context.api.models
    returned = dict.fromkeys(one.response.annotation for one in endpoint.actions if one.response.annotation in models)
    sent = dict.fromkeys(name for one in endpoint.actions for name in one.bodies)
    changes = dict.fromkeys(changes_name(one.body) for one in endpoint.actions if takes_changes(one))
    create = next((one.body for one in endpoint.actions if one.name == "create" and one.body), "")
    return Shapes(tuple(returned), tuple(sent), tuple(changes), create or next(iter(sent), ""))


def fields_table(endpoint: Endpoint, shapes: Shapes, context: Context, places: Sequence[str] = ("",)) -> str:
    """Return the table of the fields of an endpoint's records.

    Parameters
    ----------
    endpoint
        The endpoint.
    shapes
        The shapes of its records, or of what is in them.
    context
        What pages are made from.
    places
        Where they are in its records: the beginning of the paths to their fields.
    """
    names = sorted({name for shape in shapes.all for name in context.classes.get(shape, {})})
    rows = ((*_row(name, shapes, context), _since(name, endpoint, shapes, context, places)) for name in names)
    return table(_TITLES, rows)


def nested_tables(endpoint: Endpoint, shapes: Shapes, context: Context) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the description and the table of each model that is part of an endpoint's records only."""
    module = context.modules[endpoint.name]
    places = model_places(endpoint, context)
    for model in endpoint.models:
        if model.name not in shapes.all and model.name in module.fields:
            is_sent = model.kind == "request"
            nested = Shapes(() if is_sent else (model.name,), (model.name,) if is_sent else (), (), model.name)
            text = fields_table(endpoint, nested, context, places.get(model.name, ()))
            yield model.name, module.docs[model.name], text


def _row(name: str, shapes: Shapes, context: Context) -> Sequence[str]:
    having = [shape for shape in shapes.all if name in context.classes.get(shape, {})]
    returned = [shape for shape in shapes.returned if shape in having]
    sent = [shape for shape in shapes.sent if shape in having]
    return (
        code(name),
        prose(next((doc for shape in having if (doc := context.classes[shape][name].doc)), "")),
        _type(name, returned, sent, context),
        _null(name, returned, sent, context),
        "" if sent or not shapes.sent else "yes",
        "yes" if _is_required(name, shapes.required_by, context) else "",
        "all" if len(having) == len(shapes.all) else ", ".join(map(code, having)),
    )


def _since(name: str, endpoint: Endpoint, shapes: Shapes, context: Context, places: Sequence[str]) -> str:
    having = [shape for shape in shapes.all if name in context.classes.get(shape, {})]
    names = {_server_name(name, shape, context) for shape in having}
    return field_since([f"{place}{one}" for place in places for one in names], endpoint, context)


def _type(name: str, returned: Sequence[str], sent: Sequence[str], context: Context) -> str:
    """Return the type of a field; both where it is sent otherwise than it is returned."""
    types = [_distinct(name, shapes, context) for shapes in (returned, sent)]
    received, written = (" or ".join(one) for one in types)
    # What is sent is mostly what is returned, or a record in its place.
    if not received or not written or written.startswith(received):
        return written or received
    return f"{received}; sent: {written}"


def _distinct(name: str, shapes: Sequence[str], context: Context) -> list[str]:
    return list(dict.fromkeys(describe_type(context.classes[shape][name].annotation).text for shape in shapes))


def _null(name: str, returned: Sequence[str], sent: Sequence[str], context: Context) -> str:
    read, written = (
        any(describe_type(context.classes[shape][name].annotation).null for shape in shapes)
        for shapes in (returned, sent)
    )
    if read and written:
        return "yes"
    if read:
        return "returned" if sent else "yes"
    return ("sent" if returned else "yes") if written else ""


def _is_required(name: str, model: str, context: Context) -> bool:
    sent = context.api.models.get(model)
    return sent is not None and any(field.required and field.name == _of(sent, name) for field in sent.fields)


def _server_name(attribute: str, shape: str, context: Context) -> str:
    model = context.api.models.get(shape)
    return _of(model, attribute) if model else attribute


def _of(model: Model, attribute: str) -> str:
    """Return the server's name of an attribute."""
    return next((name for name, own in attribute_names(model).items() if own == attribute), attribute)
