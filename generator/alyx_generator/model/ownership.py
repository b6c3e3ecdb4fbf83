"""The modules that models belong to, chosen so that modules import one another in one direction only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from alyx_client.schema.openapi import as_list, as_schema
from alyx_generator.model.ir import Model

Graph = Mapping[str, Collection[str]]


def without_cycles(models: list[Model], uses: Graph | None = None) -> list[Model]:
    """Return the models, moved to other endpoints where the endpoints' modules would import one another in a cycle.

    Parameters
    ----------
    models
        The models, each with the endpoint that it would belong to.
    uses
        Names of the models that each endpoint's methods send and return.
    """
    while cycle := _cycle(_imports(models, uses or {})):
        # The first by name, so that the result does not depend on the order of sets.
        home = min(cycle)
        models = [replace(model, endpoint=home) if model.endpoint in cycle else model for model in models]
    return models


def references(node: Any) -> Iterator[str]:
    """Yield the names of the models that a field's schema refers to.

    Parameters
    ----------
    node
        A schema, or a list of schemas.
    """
    for key, value in as_schema(node).items():
        if key == "$ref":
            yield str(value).rpartition("/")[2]
        else:
            yield from references(value)
    for item in as_list(node):
        yield from references(item)


def _imports(models: Iterable[Model], uses: Graph) -> Graph:
    """Return the endpoints that each endpoint's module imports models from."""
    owner = {model.name: model.endpoint for model in models}
    imports: dict[str, set[str]] = {}
    for endpoint, names in uses.items():
        imports.setdefault(endpoint, set()).update(owner[name] for name in names if name in owner)
    for model in models:
        names = set(references([field.schema for field in model.fields]))
        imports.setdefault(model.endpoint, set()).update(owner[name] for name in names if name in owner)
    return {endpoint: others - {endpoint} for endpoint, others in imports.items()}


def _cycle(imports: Graph) -> set[str]:
    """Return the members of one cycle, or nothing."""
    # Sorted, so that the same cycle is found first on every run.
    for start in sorted(imports):
        reached = _reachable(start, imports)
        if start in reached:
            return {name for name in reached if start in _reachable(name, imports)}
    return set()


def _reachable(start: str, imports: Graph) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        for name in imports.get(waiting.pop(), ()):
            if name not in reached:
                reached.add(name)
                waiting.append(name)
    return reached
