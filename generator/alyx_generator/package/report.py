"""Build summary as text, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from alyx_generator.model.ir import Endpoint
from alyx_generator.package.applied import applied_corrections
from alyx_generator.package.nearest import has_django_filter
from alyx_generator.package.pipeline import Generated
from alyx_generator.render.text import first_of, markdown, one_line
from alyx_generator.source.openapi import JSONDict
from alyx_generator.source.overlay import Correction

_ACTIONS = {
    "list": "list",
    "read": "read",
    "create": "create",
    "update": "update",
    "partial_update": "partial",
    "delete": "delete",
}


def report(client: Generated, own: Collection[Correction] = ()) -> str:
    """Return the table of endpoints and their methods, the totals, and the findings.

    Parameters
    ----------
    client
        A generated client.
    own
        The corrections that were applied after the shipped ones; those that do not fit are listed first.
    """
    return "\n".join(_lines(client, own))


def report_markdown(client: Generated, own: Collection[Correction] = ()) -> str:
    """Return the report in Markdown; its parameters are those of `report`."""
    return "\n".join(_markdown(client, own)) + "\n"


def report_json(client: Generated, own: Collection[Correction] = ()) -> str:
    """Return the report in JSON; its parameters are those of `report`."""
    totals = _totals(client)
    content: JSONDict = {
        "form": 1,
        "totals": {**totals, "shapes": totals["models"]},
        "seconds": round(client.seconds, 1),
        "endpoints": [
            {
                "name": endpoint.name,
                "actions": [action.name for action in endpoint.actions],
                "models": [model.name for model in endpoint.models],
                "shapes": [model.name for model in endpoint.models],  # until readers use "models"
            }
            for endpoint in client.api.endpoints
        ],
        "query_model": client.query_model,
        "findings": [
            {"endpoint": finding.endpoint, "action": finding.action, "reason": finding.reason}
            for finding in client.api.findings
        ],
        "corrections_applied": [
            {
                "target": change.correction.target,
                "description": change.correction.description,
                "own": change.correction in own,
                "endpoints": endpoints,
            }
            for change, endpoints in applied_corrections(client.corrected, client.api)
        ],
        "corrections_that_do_not_fit": [
            {"target": correction.target, "description": correction.description, "own": correction in own}
            for correction in client.corrected.missed
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def _totals(client: Generated) -> dict[str, int]:
    return {
        "endpoints": len(client.api.endpoints),
        "operations": client.api.operations,
        "models": len(client.api.models),
        "corrections": client.corrected.applied,
        "findings": len(client.api.findings),
        "lines": sum(text.count("\n") for path, text in client.files.items() if path.endswith(".py")),
    }


def _sections(client: Generated, own: Collection[Correction]) -> Iterator[tuple[str, list[str]]]:
    """Yield what a reader should look at, by title."""
    missed = client.corrected.missed
    yield "corrections of your own that do not fit", [one_line(one.target) for one in missed if one in own]
    yield "findings", [one_line(str(finding)) for finding in client.api.findings]
    others = [one_line(one.target) for one in missed if one not in own]
    yield "shipped corrections that do not apply", first_of(others)  # many, where the server is no Alyx
    yield "corrections applied", list(_applied(client))
    yield "typed conditions", list(_about_conditions(client))


def _about_conditions(client: Generated) -> Iterator[str]:
    if client.query_model:
        yield (
            f"the query model of Alyx {client.query_model}, the nearest one that is shipped; `alyx-generate probe "
            "--query-model` learns the server's own"
        )
    lists = [one.name for one in client.api.endpoints if has_django_filter(one) and not one.condition_model]
    if lists:
        yield f"none for {', '.join(lists)}: the query model lacks these lists"


def _applied(client: Generated) -> Iterator[str]:
    everywhere = len(client.api.endpoints)
    for change, endpoints in applied_corrections(client.corrected, client.api):
        where = "all endpoints" if 1 < everywhere == len(endpoints) else ", ".join(endpoints) or "no endpoint"
        yield one_line(f"{change.correction.target} ({where})")


def _lines(client: Generated, own: Collection[Correction]) -> Iterator[str]:
    yield from _table(client.api.endpoints)
    yield ""
    for name, number in _totals(client).items():
        missed = f" applied, {len(client.corrected.missed)} that do not fit" if name == "corrections" else ""
        yield f"{name:<12} {number}{missed}"
    yield f"{'time':<12} {client.seconds:.1f} s"
    for title, items in _sections(client, own):
        if items:
            yield f"\n{title}:"
            yield from (f"  {item}" for item in items)


def _table(endpoints: Collection[Endpoint]) -> Iterator[str]:
    width = max((len(endpoint.name) for endpoint in endpoints), default=8)
    yield f"{'endpoint':{width}}  " + "  ".join(_ACTIONS.values()) + "  others  models"
    for endpoint in endpoints:
        has = {action.name for action in endpoint.actions}
        marks = "  ".join(f"{'x' if name in has else '.':^{len(title)}}" for name, title in _ACTIONS.items())
        yield f"{endpoint.name:{width}}  {marks}  {len(has - set(_ACTIONS)):>6}  {len(endpoint.models):>6}"


def _markdown(client: Generated, own: Collection[Correction]) -> Iterator[str]:
    yield "| endpoint | actions | models |\n|---|---|---|"
    for endpoint in client.api.endpoints:
        actions = ", ".join(action.name for action in endpoint.actions)
        yield f"| `{endpoint.name}` | {actions} | {len(endpoint.models)} |"
    yield ""
    yield ", ".join(f"{number} {name}" for name, number in _totals(client).items()) + "."
    for title, items in _sections(client, own):
        if items:
            yield f"\n### {title[0].upper()}{title[1:]} ({len(items)})\n"
            yield from (f"- {markdown(item)}" for item in items)
