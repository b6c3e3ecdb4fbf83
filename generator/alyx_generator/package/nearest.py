"""The shipped query model that fits a server best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alyx_generator.model.ir import Api, Endpoint
from alyx_generator.source.paths import query_models
from alyx_generator.source.query_model import QueryModel, read_query_model


def nearest_query_model(api: Api) -> tuple[str, QueryModel] | None:
    """Return the shipped query model that fits a server best, after its version of Alyx; None if none fits.

    Parameters
    ----------
    api
        What the server offers.
    """
    lists = {endpoint.path.strip("/"): endpoint for endpoint in api.endpoints if has_django_filter(endpoint)}
    shipped = {version: read_query_model(file) for version, file in query_models().items()}
    scores = {version: _score(model, lists) for version, model in shipped.items() if model.endpoints.keys() & lists}
    if not scores:
        return None
    # Of several, the newest.
    version = max(scores, key=lambda version: (scores[version], [int(part) for part in version.split(".")]))
    return version, shipped[version]


def has_django_filter(endpoint: Endpoint) -> bool:
    """Return whether an endpoint's list takes Django's lookups."""
    return any(one.style == "django" for action in endpoint.actions if action.name == "list" for one in action.filters)


def _score(model: QueryModel, lists: Mapping[str, Endpoint]) -> int:
    """Return how many fields of the server are in a query model, less the lists that only one of them has."""
    known = sum(
        name in model.models[model.endpoints[path]]
        for path, endpoint in lists.items()
        if path in model.endpoints
        for name in set(_names(endpoint))
    )
    return known - len(model.endpoints.keys() ^ lists.keys())


def _names(endpoint: Endpoint) -> Iterator[str]:
    for action in endpoint.actions:
        yield from (one.name for one in action.filters)
    for record in endpoint.models:
        yield from (field.name for field in record.fields)
