"""Interrupted probes and their state file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from alyx_generator.probe.crawl import Bounds, Progress
from alyx_generator.probe.run import probe
from alyx_generator.probe.state import ProbeStateError
from alyx_generator.source.fetch import fetch

from alyx_client.errors import DeadlineExceededError, RateLimitError
from alyx_client.testing import LocalAlyx

from ..faults import (
    FaultServer,
    Step,
    json_response,
    too_many,
)
from .inline import document, key, ref, resource
from .inline import returns as declared
from .probing import UNLIMITED_RATE, overlay_text, paged_list


def test_interrupted_probe_resumes(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    schema = fetch("shipped")
    # Enough of them for an interruption in the middle; four probes of all take long.
    schema = {**schema, "paths": dict(list(schema["paths"].items())[:90])}

    def stop(at: Progress) -> None:
        if at.requests == 60:
            raise KeyboardInterrupt

    with LocalAlyx() as alyx:
        complete = probe(alyx.url, schema, (), token=alyx.token(), bounds=UNLIMITED_RATE)
        alyx.requests.clear()
        with pytest.raises(KeyboardInterrupt):
            probe(alyx.url, schema, (), token=alyx.token(), bounds=UNLIMITED_RATE, state=state, progress=stop)
        done = len(json.loads(state.read_text())["finished"])
        first = list(alyx.requests)
        alyx.requests.clear()
        reported: list[Progress] = []
        result = probe(
            alyx.url, schema, (), token=alyx.token(), bounds=UNLIMITED_RATE, state=state, progress=reported.append
        )
        second = list(alyx.requests)
        alyx.requests.clear()
        third = probe(alyx.url, schema, (), token=alyx.token(), bounds=UNLIMITED_RATE, state=state)
        assert alyx.requests == []
    assert reported[0].done == done > 3
    assert {finding.field for finding in result.findings} == {finding.field for finding in complete.findings}
    assert third.findings == result.findings
    assert overlay_text(result) == overlay_text(complete)
    # The operation that was interrupted is read again, after one page of its list.
    assert len(first) + len(second) <= complete.requests + UNLIMITED_RATE.records + 1


def test_interruption_at_any_request_does_not_change_the_result(tmp_path: Path) -> None:
    members = {"parameters": [*key("id")["parameters"], *key("name")["parameters"]]}
    schema = resource({"id": {"type": "string"}})
    schema["paths"]["/things/{id}/parts"] = {"get": {**key(), **declared({"type": "array", "items": ref("Thing")})}}
    schema["paths"]["/things/{id}/parts/{name}"] = {"get": {**members, **declared(ref("Thing"))}}
    routes: dict[str, list[Step]] = {"/things": [paged_list(150)] * 999}
    for index in range(150):
        routes[f"/things/{index:05}"] = [json_response({"id": index if index > 120 else "x"})] * 999
        routes[f"/things/{index:05}/parts"] = [json_response([{"id": "a", "name": "a"}])] * 999
        routes[f"/things/{index:05}/parts/a"] = [json_response({"id": index})] * 999
    bounds = Bounds(records=4, per_minute=1_000_000)
    with FaultServer(routes=routes) as server:
        complete = probe(server.url, schema, (), token="t", bounds=bounds)
        for last in range(complete.requests):

            def stop(at: Progress, last: int = last) -> None:
                if at.requests == last:
                    raise KeyboardInterrupt

            state = tmp_path / f"{last}.json"
            with pytest.raises(KeyboardInterrupt):
                probe(server.url, schema, (), token="t", bounds=bounds, state=state, progress=stop)
            result = probe(server.url, schema, (), token="t", bounds=bounds, state=state)
            assert (result.findings, result.skipped, result.rows) == (
                complete.findings,
                complete.skipped,
                complete.rows,
            )


def test_probe_interrupted_between_operations_repeats_no_request(tmp_path: Path) -> None:
    schema = document({path: {"get": declared({"type": "string"})} for path in ("/a", "/b")})
    state = tmp_path / "state.json"
    with FaultServer(routes={"/a": [json_response(1)], "/b": [too_many("3600"), json_response(2)]}) as server:
        with pytest.raises(RateLimitError):
            probe(server.url, schema, (), token="t", bounds=UNLIMITED_RATE, state=state)
        with pytest.raises(DeadlineExceededError, match="the server refused requests"):
            probe(server.url, schema, (), token="t", bounds=UNLIMITED_RATE, state=state)
        assert server.paths == ["/a", "/b"]
        # The server counts the requests of each user.
        result = probe(server.url, schema, (), token="another", bounds=UNLIMITED_RATE, state=state)
        assert server.paths == ["/a", "/b", "/b"]
    assert [finding.field for finding in result.findings] == ["GET /a", "GET /b"]


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", "null", '{"fingerprint": 1, "finished": {}}', '{"fingerprint": 1, "finished": {"/a": 2}}'],
)
def test_invalid_state_file_is_rejected(content: str, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(content)
    with FaultServer() as server, pytest.raises(ProbeStateError, match=r"state\.json"):
        probe(server.url, document({}), (), token="t", state=state)
    assert state.read_text() == content
