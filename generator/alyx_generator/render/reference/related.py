"""Links from the page of an endpoint to those of related ones."""

from __future__ import annotations

from collections.abc import Iterator

from alyx_generator.model.ir import Endpoint
from alyx_generator.render.reference.context import Context
from alyx_generator.render.reference.markdown import code, link, table

__all__ = ["related"]


def related(endpoint: Endpoint, context: Context) -> Iterator[str]:
    """Yield the section on the endpoints that an endpoint's records refer to, and on those that refer to them.

    Parameters
    ----------
    endpoint
        The endpoint.
    context
        What pages are made from.
    """
    names = {one.name for one in context.api.endpoints}
    ways = {
        one.name: {way: target for way, target in _references(one) if target in names} for one in context.api.endpoints
    }
    to = {target for target in ways[endpoint.name].values() if target != endpoint.name}
    back = {name for name, targets in ways.items() if endpoint.name in targets.values() and name != endpoint.name}
    rows = [
        (
            link(other, f"{other}.md"),
            ", ".join(code(way) for way, target in sorted(ways[endpoint.name].items()) if target == other),
            ", ".join(code(way) for way, target in sorted(ways[other].items()) if target == endpoint.name),
        )
        for other in sorted(to | back)
    ]
    if rows:
        yield "## Related endpoints\n"
        yield table(("endpoint", "by fields and filters of this one", "by those of the other"), rows)


def _references(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    """Yield the names of fields and filters that refer to records, and the endpoints of these."""
    for model in endpoint.models:
        yield from ((one.name, one.reference.endpoint) for one in model.fields if one.reference)
    for action in endpoint.actions:
        own = (one for one in action.filters if one.reference and one.name != "id")
        yield from ((one.keyword, one.reference.endpoint) for one in own if one.reference)
