"""Record data in the results, the state and the errors of a probe: there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alyx_generator.probe.crawl import Progress
from alyx_generator.probe.run import probe

from alyx_client.errors import AlyxError

from ..faults import (
    FaultServer,
    Step,
    page,
    reset_before_headers,
    short_body,
    too_many,
)
from .inline import resource
from .probing import SECRET, UNLIMITED_RATE, UUID, overlay_text, probe_rows


@pytest.mark.parametrize("step", [too_many("3600"), reset_before_headers(), short_body({"id": SECRET})])
def test_error_that_ends_a_probe_does_not_contain_lookup_keys(step: Step) -> None:
    keys = [f"{SECRET}{number}" for number in range(4)]
    routes = {"/things": [page([{"id": key} for key in keys])], **{f"/things/{key}": [step] * 9 for key in keys}}
    with FaultServer(routes=routes) as server, pytest.raises(AlyxError) as caught:
        probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=UNLIMITED_RATE)
    assert "/things/{id}" in str(caught.value)
    assert SECRET not in f"{caught.value} {vars(caught.value)}"


@pytest.mark.parametrize("name", [UUID, "abcdef12-1f0b-4c71-9a55-0d6c5d7d3f10", "2026-01-02"])
def test_field_names_that_are_data_are_only_counted(name: str, tmp_path: Path) -> None:
    rows = [{"id": str(index), name: 1, "held": {name: 1}} for index in range(2)]
    result = probe_rows(resource({"id": {"type": "string"}, "held": {"type": "string"}}), rows, tmp_path)
    assert name not in overlay_text(result)


def test_record_data_is_not_stored(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    fields = {
        "id": {"type": "string"},
        "text": {"type": "integer"},
        "when": {"type": "string", "format": "date"},
        "kind": {"type": "string", "enum": ["a"]},
        "keyed": {"type": "string"},
        "list": {"type": "string"},
        "either": {"oneOf": [{"type": "integer"}, {"type": "boolean"}]},
    }

    def row(name: str) -> dict[str, Any]:
        secret = f"{SECRET}-{name}"
        return {
            "id": secret,
            "text": secret,
            "when": secret,
            "kind": secret,
            "keyed": {secret.replace("-", "_"): secret},
            "list": [{secret.replace("-", "_"): 1}, secret],
            "either": secret,
            "url": f"http://x/{secret}",
            secret: secret,
        }

    with FaultServer(then=page([row("one"), row("two")])) as server:
        reported: list[Progress] = []
        result = probe(
            server.url, resource(fields), (), token=SECRET, bounds=UNLIMITED_RATE, state=state, progress=reported.append
        )
    assert len(result.findings) > 6
    for output in (
        overlay_text(result),
        repr(result),
        state.read_text(encoding="utf-8"),
        repr(reported),
        str(result.skipped),
    ):
        assert SECRET not in output
        assert SECRET.replace("-", "_") not in output
        assert server.url not in output


HOSTILE_NAMES = [
    "a'b",
    'a"b',
    "a\nb",
    "${{7*7}}",
    "]",
    "$",
    "a.b",
    "ünï",
    "__proto__",
    "\x00",
    "a: b # c",
    "\u2028",
    "*",
    "- x",
    "",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_field_names_are_escaped(name: str, tmp_path: Path) -> None:
    rows = [{"id": "1", name: 1, f"{name}x": 1}, {"id": "2", name: 2, f"{name}x": 2}]
    result = probe_rows(resource({"id": {"type": "string"}, name: {"type": "string"}}), rows, tmp_path)
    assert len(result.findings) == 2
    assert all("\n" not in finding.field for finding in result.findings)


@pytest.mark.parametrize("name", ["\ud800", "x" * 200])
def test_field_names_that_cannot_be_encoded_are_only_counted(name: str, tmp_path: Path) -> None:
    result = probe_rows(resource({"id": {"type": "string"}}), [{"id": "1", name: 1}, {"id": "2", name: 1}], tmp_path)
    assert [(finding.field, finding.observed) for finding in result.findings] == [("Thing", "other fields")]
