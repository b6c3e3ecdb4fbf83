"""What a probe found, to read: as text, in Markdown, and in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from alyx_generator.probe.proposal import Evidence, Finding
from alyx_generator.probe.run import Probe
from alyx_generator.render.text import first_of, markdown, one_line


def text(server: str, found: Probe) -> str:
    """Return the report for a terminal.

    Parameters
    ----------
    server
        What was probed.
    found
        What came of it.
    """
    return "\n".join(_lines(server, found))


def in_markdown(server: str, found: Probe) -> str:
    """Return the report in Markdown; its parameters are those of `text`."""
    return "\n".join(_markdown(server, found)) + "\n"


def in_json(server: str, found: Probe) -> str:
    """Return the report in JSON; its parameters are those of `text`."""
    content: dict[str, Any] = {
        "form": 1,
        "server": server,
        "operations": found.operations,
        "rows": found.rows,
        "requests": found.requests,
        "seconds": round(found.seconds, 1),
        "findings": [
            {
                "field": each.field,
                "declared": each.declared,
                "found": each.found,
                "evidence": [
                    {"operation": one.operation, "found": dict(one.found), "rows": one.rows} for one in each.evidence
                ],
                "corrections": [
                    {"target": one.target} | ({"remove": True} if one.remove else {"update": one.update})
                    for one in each.corrections
                ],
            }
            for each in found.findings
        ],
        "skipped": [
            {"operation": each.operation, "reason": each.reason, "failed": each.failed} for each in found.skipped
        ],
        "corrections_that_do_not_fit": [each.target for each in found.missed],
    }
    return json.dumps(content, indent=2) + "\n"


def _summary(server: str, found: Probe) -> str:
    wrong = f"{len(found.findings)} places of the schema are wrong" if found.findings else "the schema is right"
    return (
        f"{server}: {wrong}, by {found.rows:,} rows and records of {found.operations} operations "
        f"({found.requests:,} requests)"
    )


def _evidence(one: Evidence) -> str:
    return f"{one.operation}: {', '.join(f'{what} in {count}' for what, count in one.found.items())} of {one.rows}"


def _declared(each: Finding) -> str:
    return f"declared {each.declared}, found {each.found}"


def _lines(server: str, found: Probe) -> Iterator[str]:
    yield one_line(_summary(server, found))
    for each in found.findings:
        yield f"\n{one_line(each.field)}: {one_line(_declared(each))}"
        yield from (f"  {one_line(_evidence(one))}" for one in each.evidence)
    for title, items in _others(found):
        yield f"\n{title}:"
        yield from (f"  {one_line(item)}" for item in items)


def _markdown(server: str, found: Probe) -> Iterator[str]:
    yield f"**{markdown(_summary(server, found))}**"
    if found.findings:
        yield "\n| field | declared | found | where |\n|---|---|---|---|"
    for each in found.findings:
        where = "<br>".join(markdown(_evidence(one)) for one in each.evidence)
        yield f"| {markdown(each.field)} | {markdown(each.declared)} | {markdown(each.found)} | {where} |"
    for title, items in _others(found):
        yield f"\n### {title[0].upper()}{title[1:]} ({len(items)})\n"
        yield from (f"- {markdown(item)}" for item in items)


def _others(found: Probe) -> Iterator[tuple[str, list[str]]]:
    sections = {
        "not answered": [f"{each.operation}: {each.reason}" for each in found.skipped if each.failed],
        "not asked": [f"{each.operation}: {each.reason}" for each in found.skipped if not each.failed],
        "known corrections that do not fit": first_of([each.target for each in found.missed]),
    }
    yield from ((title, items) for title, items in sections.items() if items)
