"""Header fields that a gateway asks for: sent to the client's server alone, and shown nowhere."""

from __future__ import annotations

import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.config import servers_file
from alyx_client.errors import AlyxError, ConfigurationError
from alyx_client.http.own_headers import OwnHeaders

from ..faults import FaultServer, json_response, page, response

SECRET = "s3cret-of-the-gateway"
HEADERS = {"X-Gateway": SECRET}


def new_client(server: FaultServer, **options: Any) -> AlyxClient:
    return AlyxClient(server.url, token="t", silent=True, **{"headers": HEADERS, **options})


def test_each_request_to_the_server_has_them() -> None:
    with FaultServer(then=json_response({"a": 1})) as server:
        client = new_client(server, cache_rest=None)
        client.get("/labs/x")
        client.post("/labs", data={"name": "x"})
        pickle.loads(pickle.dumps(client)).get("/labs/y")
        assert [request.headers.get("x-gateway") for request in server.requests] == [SECRET] * len(server.requests)


async def test_asynchronous_client_sends_them() -> None:
    with FaultServer(then=page([])) as server:
        async with AsyncAlyxClient(server.url, token="t", silent=True, headers=HEADERS) as client:
            await client.labs.list()
        assert server.requests[0].headers["x-gateway"] == SECRET


def test_login_has_them() -> None:
    with FaultServer(then=json_response({"token": "0123456789abcdef0123456789abcdef01234567"})) as server:
        client = AlyxClient(server.url, "user", "password", silent=True, stay_logged_in=False, headers=HEADERS)
        client.authenticate()
        assert server.requests[0].headers["x-gateway"] == SECRET


def test_another_server_never_has_them(tmp_path: Path) -> None:
    with FaultServer(then=response(b"content")) as other:
        redirect = response(status=302, headers={"Location": f"{other.url}/file"})
        with FaultServer(then=redirect) as server:
            client = new_client(server, data_server=other.url, cache_dir=tmp_path)
            with pytest.raises(AlyxError):
                client.get("/labs")
            client.download_file(f"{other.url}/a.bin")
            client.download_file(f"{server.url}/b.bin")
            assert server.requests
            assert {request.headers.get("x-gateway") for request in server.requests} == {SECRET}
        assert other.requests
        assert {request.headers.get("x-gateway") for request in other.requests} == {None}


def test_they_are_shown_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FaultServer([json_response({"a": 1}), json_response({"detail": "no"}, status=400)]) as server:
        client = new_client(server, cache_dir=tmp_path)
        client.get("/labs/x")
        with pytest.raises(AlyxError) as failure:
            client.post("/labs", data={})
    texts = [caplog.text, repr(client), str(failure.value), repr(client._transport), repr(OwnHeaders(HEADERS))]
    texts += traceback.TracebackException.from_exception(failure.value).format()
    assert SECRET not in "".join(texts)
    assert all(SECRET.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    ("headers", "error", "message"),
    [
        ({"X-A": "a\r\nX-B: b"}, ValueError, "value of X-A"),
        ({"X-A": "a\nb"}, ValueError, "value of X-A"),
        ({"X-A": ""}, ValueError, "value of X-A"),
        ({"X-A": "\u00fc"}, ValueError, "value of X-A"),
        ({"X-A": "a\0"}, ValueError, "value of X-A"),
        ({"X A": "a"}, ValueError, "'X A'"),
        ({"": "a"}, ValueError, "''"),
        ({"X-A:": "a"}, ValueError, "'X-A:'"),
        ({"X-A": 5}, TypeError, "value of X-A must be text"),
        ({5: "a"}, TypeError, "name must be text"),
        ({"X-A": "a", "x-a": "b"}, ValueError, "twice"),
        ("X-A: a", TypeError, "dictionary"),
        ([("X-A", "a")], TypeError, "dictionary"),
        *(
            ({name: "secret value"}, ValueError, "set by the client")
            for name in (
                "Authorization",
                "host",
                "Content-Length",
                "Transfer-Encoding",
                "Cookie",
                "Connection",
                "Accept",
            )
        ),
    ],
)
def test_what_cannot_be_sent_is_an_error(headers: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as failure:
        AlyxClient("http://127.0.0.1:9", token="t", silent=True, headers=headers)
    assert "secret value" not in str(failure.value)


def test_settings_file_has_them() -> None:
    with FaultServer(then=json_response({"a": 1})) as server:
        file = servers_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'[servers."{server.url}".headers]\nX-Gateway = "{SECRET}"\n')
        AlyxClient(server.url, token="t", silent=True).get("/labs/x")
        AlyxClient(server.url, token="t", silent=True, headers={}).get("/labs/y")
        assert [request.headers.get("x-gateway") for request in server.requests] == [SECRET, None]
        file.write_text(f'[servers."{server.url}".headers]\nHost = "{SECRET}"\n')
        with pytest.raises(ConfigurationError, match="Host is set by the client") as failure:
            AlyxClient(server.url, token="t", silent=True)
    assert SECRET not in str(failure.value)
