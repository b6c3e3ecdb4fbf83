"""Placing shapes so that modules import one another in one direction only."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from alyx_generator.model.ir import Shape


def without_cycles(shapes: list[Shape], uses: Mapping[str, Collection[str]] | None = None) -> list[Shape]:
    """Return the shapes placed so that the endpoints' modules import one another in one direction only.

    Parameters
    ----------
    shapes
        The shapes, each with the endpoint that it would belong to.
    uses
        Names of the shapes that each endpoint's methods send and answer.
    """
    while True:
        owner = {shape.name: shape.endpoint for shape in shapes}
        needs: dict[str, set[str]] = {}
        for endpoint, names in (uses or {}).items():
            needs.setdefault(endpoint, set()).update({owner[each] for each in names if each in owner} - {endpoint})
        for shape in shapes:
            for used in _references([each.schema for each in shape.fields]):
                if owner.get(used, shape.endpoint) != shape.endpoint:
                    needs.setdefault(shape.endpoint, set()).add(owner[used])
        cycle = _cycle(needs)
        if not cycle:
            return shapes
        home = min(cycle)
        shapes = [replace(shape, endpoint=home) if shape.endpoint in cycle else shape for shape in shapes]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in cast("Mapping[str, Any]", node).items():
            if key == "$ref":
                yield str(value).rpartition("/")[2]
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for item in cast("Sequence[Any]", node):
            yield from _references(item)


def _cycle(needs: Mapping[str, set[str]]) -> set[str]:
    """Return the members of one cycle, or nothing."""
    for start in sorted(needs):
        reached: set[str] = set()
        todo = [*needs[start]]
        while todo:
            name = todo.pop()
            if name not in reached:
                reached.add(name)
                todo.extend(needs.get(name, ()))
        if start in reached:
            return {name for name in reached if start in _reach(name, needs)}
    return set()


def _reach(start: str, needs: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    todo = [start]
    while todo:
        for name in needs.get(todo.pop(), ()):
            if name not in reached:
                reached.add(name)
                todo.append(name)
    return reached
