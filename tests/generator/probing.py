"""Helpers for the tests of the probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from alyx_generator.probe.crawl import Bounds
from alyx_generator.probe.proposal import to_yaml
from alyx_generator.probe.run import Probe, probe
from alyx_generator.source.overlay import Correction, read_overlay

from ..faults import (
    FaultServer,
    Received,
    Step,
    json_response,
    page,
)

UNLIMITED_RATE = Bounds(per_minute=1_000_000)

SECRET = "SECRET-8472-hunter2"

UUID = "3f2f4a52-1f0b-4c71-9a55-0d6c5d7d3f10"


def overlay_text(result: Probe) -> str:
    return to_yaml("Proposed", result.corrections)


def read_back(result: Probe, folder: Path) -> tuple[Correction, ...]:
    """Return the proposed corrections, written to a file and read from it."""
    file = folder / "proposed.overlay.yaml"
    file.write_text(overlay_text(result), encoding="utf-8")
    return read_overlay(file)


def routes_for(rows: Sequence[Any], records: Mapping[str, Any] | None = None) -> dict[str, list[Step]]:
    """Return the routes of a server with one list and its records."""
    by_key = {row["id"]: row for row in rows} if records is None else records
    return {
        "/things": [page(list(rows))] * 9,
        **{f"/things/{name}": [json_response(record)] * 9 for name, record in by_key.items()},
    }


def probe_rows(schema: Mapping[str, Any], rows: Sequence[Any], folder: Path) -> Probe:
    """Probe a server with these rows, and check that the proposed corrections leave no findings."""
    with FaultServer(routes=routes_for(rows)) as server:
        result = probe(server.url, schema, (), token="t", bounds=UNLIMITED_RATE)
        again = probe(server.url, schema, read_back(result, folder), token="t", bounds=UNLIMITED_RATE)
    assert [(finding.field, finding.observed) for finding in again.findings] == []
    assert again.missed == ()
    return result


def paged_list(count: int) -> Step:
    """Respond with the requested page."""

    def step(request: Received, connection: Any) -> bool:
        query = {name: int(value[0]) for name, value in parse_qs(urlsplit(request.target).query).items()}
        rows = [{"id": f"{index:05}"} for index in range(query["offset"], min(count, query["offset"] + query["limit"]))]
        return page(list(rows), count)(request, connection)

    return step
