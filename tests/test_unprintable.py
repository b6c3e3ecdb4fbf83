"""What servers say: no control character of it reaches a message, a warning, a log or a terminal, nor without bound."""

from __future__ import annotations

import io
import json
import logging
import re
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

from alyx_client import AlyxClient, AlyxError, Retries
from alyx_client.downloads import bars
from alyx_client.errors import printable
from alyx_client.schema.report import Change, Report
from tests.downloads.support import downloader
from tests.faults import FaultServer, Received, Step, json_response, response

EVIL = (
    "\x1b[31mred\x1b[0m\x1b]8;;http://evil.example\x07link\x1b]8;;\x07\r\nALYX: all is well\b\b\x9b2J\x85"
    "\u202eexe.txt\u2066x\u2069\u200f\u2028\ufeff\x7f\x00"
)
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
SCHEMA: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": EVIL, "version": EVIL},
    "paths": {
        f"/labs{EVIL}": {"get": {"operationId": f"labs{EVIL}", "parameters": [], "responses": {"200": {}}}},
        "/subjects": {
            "get": {
                "operationId": "subjects_list",
                "parameters": [
                    {"name": EVIL, "in": "query", "description": EVIL, "schema": {"type": "string", "enum": [EVIL]}}
                ],
                "responses": {"200": {"description": EVIL}},
            },
        },
    },
}


@pytest.mark.parametrize(
    ("text", "several_lines", "expected"),
    [
        ("plain ä 漢 🐭", False, "plain ä 漢 🐭"),
        ("a\nb\tc", False, "a\\nb\\tc"),
        ("a\nb\tc\r", True, "a\nb\tc\\r"),
        ("\x1b[1m\x9b\ud800\u202e", True, "\\x1b[1m\\x9b\\ud800\\u202e"),
        ("x" * 20_000, False, "x" * 9_999 + "…"),
    ],
)
def test_unprintable_characters_are_escaped(text: str, several_lines: bool, expected: str) -> None:
    assert printable(text, several_lines=several_lines) == expected


def test_errors_are_printable_also_after_pickling() -> None:
    import pickle

    error = AlyxError(EVIL, detail=EVIL)
    assert not RAW.search(str(error))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert error.detail == EVIL


def as_page(text: str) -> bytes:
    return f"<html><title>{text}</title>{text}</html>".encode()


def steps() -> Iterator[tuple[str, Step]]:
    contents: dict[str, Any] = {
        "detail": {"detail": EVIL},
        "fields": {EVIL: [EVIL], "name": {EVIL: EVIL}},
        "error": {"error": {EVIL: EVIL}},
        "text": EVIL,
        "page": {"count": 1, "next": EVIL, "previous": None, "results": [{EVIL: EVIL, "name": {EVIL: 1}}]},
        "rows": [{EVIL: EVIL, "url": EVIL, "id": EVIL, "name": [EVIL]}],
        "token": {"token": EVIL},
        "schema": SCHEMA,
    }
    for name, content in contents.items():
        for status in (200, 400, 403, 404, 500):
            yield f"{name}-{status}", json_response(content, status=status)
    for status in (200, 302, 400, 404, 502):
        yield f"html-{status}", response(as_page(EVIL), status=status, headers={"Content-Type": "text/html"})
        yield (
            f"headers-{status}",
            response(
                b"x",
                status=status,
                headers={
                    "Content-Type": "text/\x1b[31m; charset=\x1b]8",
                    "Location": "http://x\x1b[31m.example/\x1b[0m?\x9b",
                    "Retry-After": "\x1b[31m",
                    "Sunset": "\x1b[31mtomorrow",
                    "Alyx-API-Notice": "!!!\x1b[31mnotice",
                    "Link": '<\x1b[31m>; rel="sunset"',
                    "ETag": '"\x1b[31m"',
                },
            ),
        )
    huge = "\x1b" * 300_000
    yield "huge-400", json_response({"detail": huge}, status=400)
    yield "huge-404", json_response({"detail": huge}, status=404)
    yield "huge-fields", json_response({huge: [huge]}, status=400)
    yield "huge-row", json_response([{huge: huge, "name": {huge: 1}}])
    status_line = b"HTTP/1.1 400 \x1b[31mBad\x9b\r\nContent-Length: 0\r\n\r\n"
    yield "reason", lambda request, connection: bool(connection.sendall(status_line)) or True
    yield "no status", lambda request, connection: bool(connection.sendall(b"\x1b[31m\r\n\r\n")) or False


CALLS: list[Callable[[AlyxClient], object]] = [
    lambda client: client.get("/labs"),
    lambda client: client.post("/labs", {"name": "x"}),
    lambda client: client.rest("subjects", "list"),
    lambda client: client.rest("subjects", "lst"),
    lambda client: client.rest("subjets", "list", lab="x"),
    lambda client: client.rest("subjects", "list", x="y"),
    lambda client: client.list_endpoints(),
    lambda client: client.print_endpoint_info("subjects"),
    lambda client: (repr(client.subjects.list()), *map(repr, client.subjects.list())),
    lambda client: (repr(client.labs.read("a")),),
    lambda client: client.authenticate("user", "password"),
    lambda client: client.authenticate(token="abc"),
    lambda client: client.check_schema(),
    lambda client: client.download_file(f"{client.base_url}/a.npy", target_dir="data"),
    lambda client: client.download_file([f"{client.base_url}/a.npy", f"{client.base_url}/b.npy"], target_dir="data"),
    lambda client: client.download_cache_tables(destination="data"),
]


@pytest.mark.parametrize(("name", "step"), list(steps()), ids=[name for name, _ in steps()])
def test_words_of_a_server_are_shown_escaped(
    name: str,
    step: Step,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    with FaultServer(then=step) as server, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = AlyxClient(server.url, token="t", silent=True, cache_rest=None, retries=Retries(tries=1))
        for call in CALLS:
            try:
                result = call(client)
                # Anything else is data, which is passed on unchanged.
                shown += result if isinstance(result, tuple) else [str(result)] if isinstance(result, Report) else []
            except (AlyxError, ValueError) as error:
                shown.append(str(error))
            shown += [repr(client), repr(client.drift)]
        client.close()
    shown += [str(warning.message) for warning in caught]
    shown += [record.getMessage() for record in caplog.records]
    printed = capsys.readouterr()
    shown += [printed.out, printed.err]
    for text in shown:
        assert not RAW.search(text), ascii(text[:500])
    assert max(map(len, shown)) < 30_000
    # Nothing of a server's passes for a line of its own.
    assert not any(line.startswith("ALYX: all") for text in shown for line in text.splitlines())


def test_name_in_a_progress_bar_is_printable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    shown = threading.Event()

    def new_bar(*, desc: str, **options: Any) -> tqdm[Any]:
        drawn.append(desc)
        shown.set()
        return tqdm(desc=desc, file=io.StringIO(), **options)

    def answer(request: Received, connection: socket.socket) -> bool:
        shown.wait(10)
        return response(b"x")(request, connection)

    monkeypatch.setattr(bars, "are_shown", lambda: True)
    monkeypatch.setattr(bars, "find_bars", lambda: (new_bar, True))
    with FaultServer(then=answer) as server:
        path = downloader(server, tmp_path, silent=False).download(f"{server.url}/a%C2%9B2J%E2%80%AE.npy")
    assert drawn
    assert not any(RAW.search(name) for name in drawn)
    assert path.exists()


def test_report_of_changes_is_printable() -> None:
    change = Change("breaking", "filter", "added", EVIL, (EVIL,), EVIL, EVIL)
    report = Report((change,), (EVIL,), EVIL, EVIL)
    for text in (repr(report), report.text(), report.markdown(), report.json()):
        assert not RAW.search(text)


def test_output_of_the_generator_is_printable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli = pytest.importorskip("alyx_generator.cli.app")
    for name, document in {"old": {**SCHEMA, "paths": {}}, "new": SCHEMA}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    (tmp_path / "broken.json").write_text('{"\x1b[31m')
    old, new = str(tmp_path / "old.json"), str(tmp_path / "new.json")
    for arguments in (
        ["diff", old, new],
        ["diff", old, new, "--format", "markdown"],
        ["client", new, "--package", "evil", "--out", str(tmp_path / "out")],
        ["client", new, "--package", "evil", "--out", str(tmp_path / "out"), "--format", "markdown"],
        ["check", str(tmp_path / "out" / "evil")],
        ["diff", str(tmp_path / "broken.json"), "\x1b[31m.json"],
    ):
        cli.main(arguments)
        printed = capsys.readouterr()
        assert printed.out or printed.err
        assert not RAW.search(printed.out + printed.err), arguments


async def test_httpx_logs_neither_queries_nor_reasons_of_this_package(caplog: pytest.LogCaptureFixture) -> None:
    import httpx2

    from alyx_client import AsyncAlyxClient

    caplog.set_level(logging.DEBUG)
    status_line = b"HTTP/1.1 200 \x1b[31mOK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n[]"
    with FaultServer(then=lambda request, connection: bool(connection.sendall(status_line)) or True) as server:
        with AlyxClient(server.url, token="secret1", silent=True, cache_rest=None) as client:
            client.get("/labs?auth=secret2")
            client.get(f"{server.url.replace('//', '//user:secret3@')}/labs?api=secret4")
            downloader(server, Path("unused")).servers.resolve(f"{server.url}/a.npy?sig=secret5")
        async with AsyncAlyxClient(server.url, token="secret1", silent=True, cache_rest=None) as other:
            await other.get("/labs?auth=secret2")
        ours = [record.getMessage() for record in caplog.records if record.name in {"httpx2", "httpcore2"}]
        assert any("HTTP Request" in message for message in ours)
        assert not any("secret" in message or RAW.search(message) for message in ours)
        assert [request.target for request in server.requests[:1]] == ["/labs?auth=secret2"]
        caplog.clear()
        # The rest of the process logs as before.
        httpx2.get(f"{server.url}/x?own=query")
        assert any("own=query" in record.getMessage() for record in caplog.records if record.name == "httpx2")
