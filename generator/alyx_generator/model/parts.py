"""The parts of an interface that versions of a server may or may not have: endpoints, actions, filters and fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alyx_generator.model.ir import Api, Endpoint, Filter, Model
from alyx_generator.model.ownership import references
from alyx_generator.source.history import Part
from alyx_generator.source.query_model import QueryModel

__all__ = ["action_part", "api_parts", "field_part", "filter_part", "query_model_parts", "record_fields"]


def action_part(endpoint: Endpoint, action: str) -> Part:
    """Return the part that is an action."""
    return (endpoint.name, "action", action)


def filter_part(endpoint: Endpoint, one: Filter) -> Part:
    """Return the part that is a filter, by the server's name; conditions are sent as Django's lookups."""
    return (endpoint.name, "filter", "django" if one.style == "django" else one.name)


def field_part(endpoint: Endpoint, path: str) -> Part:
    """Return the part that is a field of records; those of records in records follow a dot."""
    return (endpoint.name, "field", path)


def api_parts(api: Api) -> frozenset[Part]:
    """Return all parts of an interface."""
    return frozenset(part for endpoint in api.endpoints for part in _parts(endpoint, api.models))


def query_model_parts(model: QueryModel) -> frozenset[Part]:
    """Return the models that conditions reach, and their fields."""
    fields = {(name, field) for name, fields in model.models.items() for field in fields}
    return frozenset({*fields, *((name,) for name in model.models)})


def record_fields(endpoint: Endpoint, models: Mapping[str, Model]) -> Iterator[tuple[str, Model]]:
    """Yield the path to each model in an endpoint's records, and the model.

    The path of a record itself is empty, whether it is sent or returned. A model in several fields has several paths.

    Parameters
    ----------
    endpoint
        The endpoint.
    models
        All models by name.
    """
    names = {name for one in endpoint.actions for name in (one.response.annotation, *one.bodies)}
    waiting = [("", models[name], frozenset({name})) for name in sorted(names & models.keys())]
    while waiting:
        path, model, above = waiting.pop()
        yield path, model
        for one in model.fields:
            inner = sorted({*references(one.schema)} & models.keys() - above)
            waiting += [(f"{path}{one.name}.", models[name], above | {name}) for name in inner]


def _parts(endpoint: Endpoint, models: Mapping[str, Model]) -> Iterator[Part]:
    yield (endpoint.name,)
    for action in endpoint.actions:
        yield action_part(endpoint, action.name)
        yield from (filter_part(endpoint, one) for one in action.filters)
    for path, model in record_fields(endpoint, models):
        yield from (field_part(endpoint, f"{path}{one.name}") for one in model.fields)
