"""What a build came to, as a table to read."""

from __future__ import annotations

from collections.abc import Iterator

from alyx_generator.build import Build

_ACTIONS = {
    "list": "list",
    "read": "read",
    "create": "create",
    "update": "update",
    "partial_update": "partial",
    "delete": "delete",
}


def report(build: Build) -> str:
    """Return the table of endpoints and their methods, the totals, and the findings.

    Parameters
    ----------
    build
        A generated client.
    """
    return "\n".join(_lines(build))


def _lines(build: Build) -> Iterator[str]:
    endpoints = build.api.endpoints
    width = max((len(endpoint.name) for endpoint in endpoints), default=8)
    yield f"{'endpoint':{width}}  " + "  ".join(title for title in _ACTIONS.values()) + "  shapes"
    for endpoint in endpoints:
        has = {action.name for action in endpoint.actions}
        marks = "  ".join(f"{'x' if name in has else '.':^{len(title)}}" for name, title in _ACTIONS.items())
        yield f"{endpoint.name:{width}}  {marks}  {len(endpoint.shapes):>6}"
    shapes = sum(len(endpoint.shapes) for endpoint in endpoints)
    lines = sum(text.count("\n") for text in build.files.values())
    yield ""
    yield f"endpoints    {len(endpoints)}"
    yield f"operations   {build.api.operations}"
    yield f"shapes       {shapes}"
    yield f"corrections  {build.corrected.applied} applied, {len(build.corrected.missed)} that select nothing"
    yield f"findings     {len(build.api.findings)}"
    yield f"lines        {lines}"
    yield f"time         {build.seconds:.1f} s"
    for title, items in (("findings", build.api.findings), ("corrections that select nothing", build.corrected.missed)):
        if items:
            yield f"\n{title}:"
            yield from (f"  {getattr(item, 'target', item)}" for item in items)
