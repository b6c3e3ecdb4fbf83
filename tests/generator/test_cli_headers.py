"""``--header`` and ``ALYX_HEADERS``: sent to the command's server alone, and shown nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..faults import FaultServer, Received, Step, json_response
from ..faults import page as page_of
from .commands import run, schema

SECRET = "s3cr3t-of-the-gateway"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(then=page_of([]), routes={"/api/schema": [_guarded(json_response(schema()))] * 9}) as running:
        yield running


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_TOKEN", "own-token")


def _guarded(step: Step) -> Step:
    def guard(received: Received, connection: object) -> bool:
        is_let_in = received.headers.get("x-gateway") == SECRET
        answer = step if is_let_in else json_response({"detail": "no"}, status=403)
        return answer(received, connection)  # type: ignore[arg-type]

    return guard


COMMANDS = {
    "fetch": ["{url}"],
    "client": ["{url}", "--package", "lab", "--out", "{folder}"],
    "diff": ["shipped", "{url}"],
    "probe": ["{url}", "--out", "{folder}/lab.overlay.yaml"],
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("by", ["option", "variable"])
def test_headers_are_sent_and_not_shown(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, by: str
) -> None:
    arguments = [one.format(url=server.url, folder=tmp_path) for one in COMMANDS[name]]
    if by == "variable":
        monkeypatch.setenv("ALYX_HEADERS", f'{{"X-Gateway": "{SECRET}"}}')
    else:
        arguments += ["--header", f"X-Gateway: {SECRET}", "--header", "X-Lab:ccu"]
    result = run(name, *arguments)
    assert result.exit_code == 0, result.output
    assert {request.headers.get("x-gateway") for request in server.requests} == {SECRET}
    assert by == "variable" or {request.headers.get("x-lab") for request in server.requests} == {"ccu"}
    written = "".join(file.read_text(encoding="utf-8") for file in tmp_path.rglob("*") if file.is_file())
    assert SECRET not in result.output + written


def test_check_takes_headers(server: FaultServer, tmp_path: Path) -> None:
    header = ("--header", f"X-Gateway: {SECRET}")
    assert run("client", server.url, "--package", "lab", "--out", tmp_path, *header).exit_code == 0
    assert run("check", tmp_path / "lab", *header).exit_code == 0
    assert run("check", tmp_path / "lab").exit_code == 3


def test_token_of_another_kind_is_sent_as_it_stands(server: FaultServer) -> None:
    run("fetch", server.url, "--header", "Authorization: Bearer abc", "--header", f"X-Gateway: {SECRET}")
    assert server.requests[0].headers["authorization"] == "Bearer abc"


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([SECRET], "it takes a name, a colon and a value"),
        ([f"a b: {SECRET}"], "'a b' is not the name of a header"),
        ([f"X-A: {SECRET}", f"x-a: {SECRET}"], "x-a is there twice"),
        ([f"Cookie: {SECRET}"], "Cookie is set by the client"),
        ([f"X-A: {SECRET}\u00e9"], "the value of X-A"),
        (["X-A:"], "the value of X-A"),
    ],
)
def test_wrong_headers_are_usage_errors_that_quote_no_value(
    server: FaultServer, texts: list[str], message: str
) -> None:
    result = run("fetch", server.url, *(part for text in texts for part in ("--header", text)))
    assert result.exit_code == 2
    assert message in result.stderr
    assert SECRET not in result.output
    assert server.requests == []


def test_headers_are_for_one_server(server: FaultServer, tmp_path: Path) -> None:
    header = ("--header", f"X-Gateway: {SECRET}")
    with FaultServer(then=page_of([])) as other:
        results = [
            run("diff", server.url, other.url, *header),
            run("probe", server.url, "--schema", other.url, "--out", tmp_path / "x.yaml", *header),
        ]
        assert [result.exit_code for result in results] == [2, 2]
        assert server.requests + other.requests == []
