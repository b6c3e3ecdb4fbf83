"""Reports of a probe: as text, in Markdown, and in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from alyx_generator.probe.describe import describe_counts
from alyx_generator.probe.findings import Evidence, Finding
from alyx_generator.probe.run import Probe
from alyx_generator.render.text import first_of, markdown, one_line
from alyx_generator.source.openapi import JSONDict


def text(server: str, result: Probe) -> str:
    """Return the report for a terminal.

    Parameters
    ----------
    server
        The server that was probed.
    result
        The result of the probe.
    """
    return "\n".join(_text_lines(server, result))


def in_markdown(server: str, result: Probe) -> str:
    """Return the report in Markdown; its parameters are those of `text`."""
    return "\n".join(_markdown_lines(server, result)) + "\n"


def in_json(server: str, result: Probe) -> str:
    """Return the report in JSON; its parameters are those of `text`."""
    content: JSONDict = {
        "form": 1,
        "server": server,
        "operations": result.operations,
        "rows": result.rows,
        "requests": result.requests,
        "seconds": round(result.seconds, 1),
        "findings": [_finding_json(finding) for finding in result.findings],
        "skipped": [
            {"operation": skipped.operation, "reason": skipped.reason, "failed": skipped.failed}
            for skipped in result.skipped
        ],
        "corrections_that_do_not_fit": [correction.target for correction in result.missed],
    }
    return json.dumps(content, indent=2) + "\n"


def _finding_json(finding: Finding) -> JSONDict:
    return {
        "field": finding.field,
        "declared": finding.declared,
        "found": finding.observed,
        "evidence": [
            {"operation": evidence.operation, "found": dict(evidence.observed), "rows": evidence.rows}
            for evidence in finding.evidence
        ],
        "corrections": [
            {"target": correction.target} | ({"remove": True} if correction.remove else {"update": correction.update})
            for correction in finding.corrections
        ],
    }


def _summary(server: str, result: Probe) -> str:
    count = len(result.findings)
    outcome = f"{count} error{'s' if count > 1 else ''} in the schema" if count else "no errors in the schema"
    return (
        f"{server}: {outcome}, according to {result.rows:,} rows and records of {result.operations} operations "
        f"({result.requests:,} requests)"
    )


def _evidence(evidence: Evidence) -> str:
    return f"{evidence.operation}: {describe_counts(evidence.observed, evidence.rows)}"


def _text_lines(server: str, result: Probe) -> Iterator[str]:
    yield one_line(_summary(server, result))
    for finding in result.findings:
        difference = f"declared {finding.declared}, found {finding.observed}"
        yield f"\n{one_line(finding.field)}: {one_line(difference)}"
        yield from (f"  {one_line(_evidence(evidence))}" for evidence in finding.evidence)
    for title, items in _sections(result):
        yield f"\n{title}:"
        yield from (f"  {one_line(item)}" for item in items)


def _markdown_lines(server: str, result: Probe) -> Iterator[str]:
    yield f"**{markdown(_summary(server, result))}**"
    if result.findings:
        yield "\n| field | declared | found | where |\n|---|---|---|---|"
    for finding in result.findings:
        where = "<br>".join(markdown(_evidence(evidence)) for evidence in finding.evidence)
        yield f"| {markdown(finding.field)} | {markdown(finding.declared)} | {markdown(finding.observed)} | {where} |"
    for title, items in _sections(result):
        yield f"\n### {title[0].upper()}{title[1:]} ({len(items)})\n"
        yield from (f"- {markdown(item)}" for item in items)


def _sections(result: Probe) -> Iterator[tuple[str, list[str]]]:
    sections = {
        "failed": [f"{skipped.operation}: {skipped.reason}" for skipped in result.skipped if skipped.failed],
        "not requested": [f"{skipped.operation}: {skipped.reason}" for skipped in result.skipped if not skipped.failed],
        "known corrections that do not fit": first_of([correction.target for correction in result.missed]),
    }
    yield from ((title, items) for title, items in sections.items() if items)
