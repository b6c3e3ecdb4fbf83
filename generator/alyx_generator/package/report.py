"""What a build came to: a table to read, the same in Markdown, and JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from alyx_generator.package.pipeline import Build
from alyx_generator.render.text import first_of, markdown, one_line
from alyx_generator.source.overlay import Correction

_ACTIONS = {
    "list": "list",
    "read": "read",
    "create": "create",
    "update": "update",
    "partial_update": "partial",
    "delete": "delete",
}


def report(build: Build, own: Collection[Correction] = ()) -> str:
    """Return the table of endpoints and their methods, the totals, and the findings.

    Parameters
    ----------
    build
        A generated client.
    own
        Those of its corrections that are not the shipped ones; of these, all that do not fit are told first.
    """
    return "\n".join(_lines(build, own))


def report_markdown(build: Build, own: Collection[Correction] = ()) -> str:
    """Return the report in Markdown; its parameters are those of `report`."""
    return "\n".join(_markdown(build, own)) + "\n"


def report_json(build: Build, own: Collection[Correction] = ()) -> str:
    """Return the report in JSON; its parameters are those of `report`."""
    content: dict[str, Any] = {
        "form": 1,
        "totals": _totals(build),
        "seconds": round(build.seconds, 1),
        "endpoints": [
            {
                "name": endpoint.name,
                "actions": [action.name for action in endpoint.actions],
                "shapes": [shape.name for shape in endpoint.shapes],
            }
            for endpoint in build.api.endpoints
        ],
        "findings": [
            {"endpoint": each.endpoint, "action": each.action, "reason": each.reason} for each in build.api.findings
        ],
        "corrections_that_do_not_fit": [
            {"target": each.target, "description": each.description, "own": each in own}
            for each in build.corrected.missed
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def _totals(build: Build) -> dict[str, int]:
    return {
        "endpoints": len(build.api.endpoints),
        "operations": build.api.operations,
        "shapes": sum(len(endpoint.shapes) for endpoint in build.api.endpoints),
        "corrections": build.corrected.applied,
        "findings": len(build.api.findings),
        "lines": sum(text.count("\n") for path, text in build.files.items() if path.endswith(".py")),
    }


def _sections(build: Build, own: Collection[Correction]) -> Iterator[tuple[str, list[str]]]:
    """Return what a reader should look at, by title."""
    missed = build.corrected.missed
    yield "corrections of your own that do not fit", [one_line(each.target) for each in missed if each in own]
    yield "findings", [one_line(str(each)) for each in build.api.findings]
    others = [one_line(each.target) for each in missed if each not in own]
    yield "shipped corrections that do not fit", first_of(others)  # many, where the server is no Alyx


def _lines(build: Build, own: Collection[Correction]) -> Iterator[str]:
    endpoints = build.api.endpoints
    width = max((len(endpoint.name) for endpoint in endpoints), default=8)
    yield f"{'endpoint':{width}}  " + "  ".join(title for title in _ACTIONS.values()) + "  others  shapes"
    for endpoint in endpoints:
        has = {action.name for action in endpoint.actions}
        marks = "  ".join(f"{'x' if name in has else '.':^{len(title)}}" for name, title in _ACTIONS.items())
        yield f"{endpoint.name:{width}}  {marks}  {len(has - set(_ACTIONS)):>6}  {len(endpoint.shapes):>6}"
    yield ""
    for name, number in _totals(build).items():
        missed = f" applied, {len(build.corrected.missed)} that do not fit" if name == "corrections" else ""
        yield f"{name:<12} {number}{missed}"
    yield f"{'time':<12} {build.seconds:.1f} s"
    for title, items in _sections(build, own):
        if items:
            yield f"\n{title}:"
            yield from (f"  {item}" for item in items)


def _markdown(build: Build, own: Collection[Correction]) -> Iterator[str]:
    yield "| endpoint | actions | shapes |\n|---|---|---|"
    for endpoint in build.api.endpoints:
        actions = ", ".join(action.name for action in endpoint.actions)
        yield f"| `{endpoint.name}` | {actions} | {len(endpoint.shapes)} |"
    yield ""
    yield ", ".join(f"{number} {name}" for name, number in _totals(build).items()) + "."
    for title, items in _sections(build, own):
        if items:
            yield f"\n### {title[0].upper()}{title[1:]} ({len(items)})\n"
            yield from (f"- {markdown(item)}" for item in items)
