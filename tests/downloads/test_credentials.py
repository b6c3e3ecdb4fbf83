"""Redirects, credentials and signatures."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from alyx_client import AlyxClient
from alyx_client.downloads.addresses import Login
from alyx_client.downloads.functions import http_download_file
from alyx_client.errors import AlyxHTTPError, AuthenticationError, NotFoundError
from tests import faults
from tests.download_faults import serve
from tests.downloads.support import BODY, basic, downloader
from tests.faults import FaultServer


def test_login_is_not_sent_to_redirect_target(folder: Path) -> None:
    login = basic("reader", "s3cret")
    with FaultServer(then=serve(BODY)) as store, FaultServer() as server:
        away = faults.redirect(f"{store.url}/bucket/xyz?X-Amz-Signature=s3cret")
        here = faults.redirect("/moved/a.npy", 307)
        server.script("/a.npy", here)
        server.script("/moved/a.npy", away)
        files = downloader([Login(server.url, "reader", "s3cret")], folder)
        headers = {"Cookie": "s3cret", "X-Api-Key": "s3cret", "X-Lab": "lab"}
        assert files.download("a.npy", headers=headers).name == "a.npy"
        assert [request.headers.get("authorization") for request in server.requests] == [login, login]
        assert [request.headers.get("x-api-key") for request in server.requests] == ["s3cret", "s3cret"]
        received = store.requests[0].headers
        assert received["x-lab"] == "lab"
        assert not {"authorization", "cookie", "x-api-key"} & set(received)


def test_redirect_from_foreign_server_back_has_no_credentials(folder: Path) -> None:
    with FaultServer() as foreign, FaultServer(then=serve(BODY)) as server:
        foreign.then = faults.redirect(f"{server.url}/private.npy")
        server.script("/a.npy", faults.redirect(f"{foreign.url}/x"))
        downloader([Login(server.url, "reader", "s3cret")], folder).download("a.npy")
        assert server.requests[0].headers["authorization"]
        assert "authorization" not in server.requests[1].headers


def test_login_of_call_or_url_is_sent_to_its_server_only(folder: Path) -> None:
    login = basic("me", "p@ss")
    with FaultServer(then=serve(BODY, login=login)) as server, FaultServer(then=serve(BODY)) as other:
        files = downloader(server, folder)
        with pytest.raises(AuthenticationError):
            files.download("a.npy")
        assert files.download("a.npy", username="me", password="p@ss")
        assert files.download(server.url.replace("//", "//me:p%40ss@") + "/b.npy").name == "b.npy"
        assert http_download_file(f"{server.url}/c.npy", username="me", password="p@ss", target_dir=folder)
        assert http_download_file(f"{other.url}/d.npy", target_dir=folder)
        assert "authorization" not in other.requests[0].headers


def test_token_is_sent_to_alyx_only(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as data, FaultServer(then=serve(BODY)) as alyx:
        alyx.script("/away.npy", faults.redirect(f"{data.url}/b.npy"))
        files = downloader(
            [Login(data.url, "u", "p")], folder, base_url=alyx.url, token=lambda: {"Authorization": "Token s3cret"}
        )
        files.download([f"{alyx.url}/uploaded/a.npy", f"{alyx.url}/away.npy", f"{data.url}/c.npy"])
        assert set(alyx.tokens) == {"s3cret"}
        assert {request.headers["authorization"] for request in data.requests} == {basic("u", "p")}


def test_redirect_loop_is_an_error(folder: Path) -> None:
    with FaultServer(then=faults.redirect("/again.npy")) as server, pytest.raises(AlyxHTTPError, match="more than 10"):
        downloader(server, folder).download("a.npy")
    assert len(server.requests) == 11


def test_signature_is_neither_written_nor_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FaultServer([serve(BODY, close_after=30_000)], then=faults.response(status=404)) as server:
        away = faults.redirect(f"{server.url}/b.npy?X-Amz-Signature=s3cret")
        server.script("/a.npy", away, away)
        with pytest.raises(NotFoundError) as raised:
            downloader(server, folder).download(f"{server.url}/a.npy?X-Amz-Signature=s3cret&x=s3cret")
        assert "s3cret" in server.requests[1].target
    assert "/a.npy" in caplog.text
    assert "s3cret" not in caplog.text
    assert "s3cret" not in str(raised.value)
    for path in folder.iterdir():
        assert "s3cret" not in path.name
        assert path.suffix != ".json" or "s3cret" not in path.read_text()


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        # A file server below Alyx's address.
        (
            faults.response(b"no", status=401, content_type="text/html", headers={"WWW-Authenticate": "Basic x"}),
            r"data server .* refused .*status 401.* No login was sent. Check the user name and password for it",
        ),
        # Alyx itself, which takes passwords, too.
        (
            faults.json_response({"detail": "No."}, status=401, headers={"WWW-Authenticate": 'Basic realm="api"'}),
            "did not accept the token",
        ),
    ],
    ids=["file server", "Alyx"],
)
def test_refusal_on_alyxs_host_names_what_was_refused(folder: Path, refusal: faults.Step, message: str) -> None:
    with FaultServer(then=refusal) as server:
        client = AlyxClient(server.url, token="secret", cache_dir=folder, silent=True)
        with pytest.raises(AuthenticationError, match=message):
            client.download_file(f"{server.url}/data/a.npy")
        assert server.tokens == ["secret"]
