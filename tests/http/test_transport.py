from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import logging
import multiprocessing
import os
import pickle
import shutil
import ssl
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.state import AuthState
from alyx_client.auth.token_flow import TokenAuth
from alyx_client.errors import (
    AlyxConnectionError,
    AlyxDeprecationWarning,
    AlyxError,
    AlyxHTTPError,
    AlyxNoticeWarning,
    AlyxTimeoutError,
    AuthenticationError,
    BadRequestError,
    ForeignURLError,
    InsecureConnectionWarning,
    MissingCredentialsError,
    NotFoundError,
    RateLimitError,
    ServerError,
    UnexpectedAnswerError,
)
from alyx_client.http.message import FilePart, Request, Response
from alyx_client.http.retry import Retries
from alyx_client.http.transport import AsyncTransport, SyncTransport
from tests import faults
from tests.faults import FaultServer, json_answer

QUICK = Retries(base=0.001)
LIST = Request("GET", "/subjects", endpoint="subjects", action="list")
CREATE = Request("POST", "/subjects", json=b'{"nickname": "flowers"}', endpoint="subjects", action="create")
DELETE = Request("DELETE", "/subjects/flowers", endpoint="subjects", action="delete")


def authentication(credentials: Credentials) -> TokenAuth:
    return TokenAuth(AuthState(credentials))


class Blocking:
    """Both transports behind one face, so that each test runs with either."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._runner = asyncio.Runner() if kind == "async" else None
        self._made: list[SyncTransport | AsyncTransport] = []

    def __call__(self, url: str, *, credentials: Credentials | None = None, **settings: object) -> Sender:
        options: dict = {"retries": QUICK, **settings}
        known = credentials or Credentials(url, explicit_token="secret-token")
        transport = (AsyncTransport if self._runner else SyncTransport)(url, authentication(known), **options)
        self._made.append(transport)
        return Sender(transport, self._runner)

    def close(self) -> None:
        for transport in self._made:
            if isinstance(transport, SyncTransport):
                transport.close()
            else:
                assert self._runner is not None
                self._runner.run(transport.aclose())
        if self._runner:
            self._runner.close()


class Sender:
    def __init__(self, transport: SyncTransport | AsyncTransport, runner: asyncio.Runner | None) -> None:
        self.transport = transport
        self._runner = runner

    def send(self, request: Request) -> Response:
        if isinstance(self.transport, SyncTransport):
            return self.transport.send(request)
        transport = self.transport

        async def send() -> Response:
            return await transport.send(request)

        assert self._runner is not None
        return self._runner.run(send())

    def send_many(self, request: Request, count: int) -> list[Response | BaseException]:
        transport = self.transport
        if isinstance(transport, SyncTransport):
            with ThreadPoolExecutor(count) as pool:
                futures = [pool.submit(transport.send, request) for _ in range(count)]
            return [future.exception() or future.result() for future in futures]

        async def gather() -> list[Response | BaseException]:
            return await asyncio.gather(*(transport.send(request) for _ in range(count)), return_exceptions=True)

        assert self._runner is not None
        return self._runner.run(gather())


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[FaultServer, ssl.SSLContext]]:
    """Serve over TLS with a certificate that only the given context trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    options = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    options += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", *options], check=True, capture_output=True)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)
    with FaultServer(then=json_answer([]), tls=serving) as server:
        yield server, ssl.create_default_context(cafile=str(certificate))


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Blocking]:
    blocking = Blocking(request.param)
    yield blocking
    blocking.close()


# --- what is sent -------------------------------------------------------------------------------------------------


def test_request_arrives_with_token_parameters_and_headers(connect: Blocking) -> None:
    with FaultServer([json_answer({"ok": 1})]) as server:
        request = Request("GET", "/subjects/a%2Fb", params=(("lab", "x,y z&+"), ("tag", "1"), ("tag", "2")))
        response = connect(server.url).send(request)
        (received,) = server.requests
    assert received.target == "/subjects/a%2Fb?lab=x,y%20z%26%2B&tag=1&tag=2"
    assert received.token == "secret-token"
    assert received.headers["accept"] == "application/json"
    assert received.headers["user-agent"].startswith("alyx-client/")
    assert received.headers["accept-encoding"] == "gzip, deflate"
    assert (response.status, response.content, response.method) == (200, b'{"ok": 1}', "GET")
    assert response.headers["content-type"] == "application/json"


def test_base_path_is_kept(connect: Blocking) -> None:
    with FaultServer([json_answer([]), json_answer([])]) as server:
        sender = connect(f"{server.url}/alyx/")
        sender.send(LIST)
        sender.send(Request("GET", f"{server.url}/alyx/subjects/a"))
        assert server.paths == ["/alyx/subjects", "/alyx/subjects/a"]


def test_unauthenticated_request_carries_no_token(connect: Blocking) -> None:
    with FaultServer([json_answer([])]) as server:
        connect(server.url).send(Request("GET", "/open", authenticate=False))
        assert server.tokens == [None]


def test_json_body_is_sent_as_it_is(connect: Blocking) -> None:
    with FaultServer([json_answer({}, status=201)]) as server:
        assert connect(server.url).send(CREATE).status == 201
        (received,) = server.requests
    assert received.body == CREATE.json
    assert received.headers["content-type"] == "application/json"


def test_retried_multipart_body_is_identical_to_the_byte(connect: Blocking) -> None:
    image = FilePart("image", "brain.png", b"\x89PNG\r\n\x00", "image/png")
    request = Request("POST", "/notes", form=(("text", "hé"), ("users", "a"), ("users", "b")), files=(image,))
    with FaultServer([faults.unavailable(), faults.too_many(), json_answer({}, status=201)]) as server:
        connect(server.url).send(request)
        bodies = [received.raw for received in server.requests]
    assert len(bodies) == 3
    assert len(set(bodies)) == 1
    assert bodies[0].count(b'name="users"') == 2
    assert b'filename="brain.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG' in bodies[0]


def test_connections_are_reused_without_a_with_block(connect: Blocking) -> None:
    with FaultServer(then=json_answer([])) as server:
        sender = connect(server.url)
        for _ in range(5):
            sender.send(LIST)
        assert server.connections == 1


def test_compressed_answers_are_unpacked(connect: Blocking) -> None:
    packed = gzip.compress(b"[1, 2]")
    with FaultServer([faults.answer(packed, headers={"Content-Encoding": "gzip"})]) as server:
        assert connect(server.url).send(LIST).content == b"[1, 2]"


def test_damaged_compression_is_a_broken_connection(connect: Blocking) -> None:
    damaged = faults.answer(b"not gzip at all", headers={"Content-Encoding": "gzip"})
    with FaultServer([damaged, json_answer("there")]) as server:
        assert connect(server.url).send(LIST).content == b'"there"'
    with FaultServer([damaged]) as server, pytest.raises(AlyxConnectionError):
        connect(server.url).send(CREATE)


def test_session_cookies_are_not_kept(connect: Blocking) -> None:
    with FaultServer(then=json_answer([], headers={"Set-Cookie": "sessionid=abc; Path=/"})) as server:
        sender = connect(server.url)
        sender.send(LIST)
        sender.send(LIST)
        assert "cookie" not in server.requests[1].headers


# --- retries ------------------------------------------------------------------------------------------------------


BROKEN = {
    "reset before the headers": faults.reset_before_headers(),
    "closed before the headers": faults.close_before_headers(),
    "reset after the headers": faults.reset_after_headers(),
    "reset within the body": faults.reset_mid_body(["x" * 5000]),
    "short body": faults.short_body(["x" * 5000]),
    "502": faults.unavailable(502),
    "504": faults.unavailable(504),
}
UNTOUCHED = {
    "429 with seconds": faults.too_many("0"),
    "429 with a date": faults.too_many(faults.http_date(-5)),
    "429 without a time": faults.too_many(None),
    "503": faults.unavailable(503),
}


@pytest.mark.parametrize("fault", [*BROKEN, *UNTOUCHED])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_idempotent_request_is_sent_again(connect: Blocking, fault: str, method: str) -> None:
    with FaultServer([(BROKEN | UNTOUCHED)[fault], json_answer("there")]) as server:
        assert connect(server.url).send(Request(method, "/subjects/a")).content == b'"there"'
        assert server.paths == ["/subjects/a"] * 2


@pytest.mark.parametrize("fault", [*BROKEN, "500"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_creation_is_never_sent_twice_when_the_server_may_have_acted(
    connect: Blocking, fault: str, method: str
) -> None:
    step = BROKEN.get(fault, json_answer({"detail": "boom"}, status=500))
    with FaultServer([step], then=json_answer({})) as server:
        with pytest.raises(AlyxError):
            connect(server.url).send(Request(method, "/subjects", json=b"{}"))
        assert len(server.requests) == 1


@pytest.mark.parametrize("fault", UNTOUCHED)
def test_creation_is_sent_again_when_the_server_did_not_take_it(connect: Blocking, fault: str) -> None:
    with FaultServer([UNTOUCHED[fault], json_answer({}, status=201)]) as server:
        assert connect(server.url).send(CREATE).status == 201
        assert [received.body for received in server.requests] == [CREATE.json] * 2


def test_lost_creation_says_that_the_server_may_have_acted(connect: Blocking) -> None:
    server = FaultServer([faults.reset_before_headers()])
    with server, pytest.raises(AlyxConnectionError, match="may have acted") as caught:
        connect(server.url).send(CREATE)
    assert caught.value.method == "POST"


def test_refused_connection_is_tried_again_even_for_a_creation(
    connect: Blocking, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "alyx_client")
    url = f"http://127.0.0.1:{faults.closed_port()}"
    with pytest.raises(AlyxConnectionError, match=r"127\.0\.0\.1:\d+ cannot be reached .* VPN") as caught:
        connect(url).send(CREATE)
    assert sum("retrying" in line for line in caplog.messages) == 3
    assert isinstance(caught.value, ConnectionError)
    assert caught.value.url == f"{url}/subjects"


def test_creation_goes_through_once_the_server_is_up_again(connect: Blocking) -> None:
    # The port refuses until the first wait is over.
    port = faults.closed_port()
    sender = connect(f"http://127.0.0.1:{port}", retries=Retries(tries=30, base=0.05, cap=0.05))
    started: list[FaultServer] = []

    def start() -> None:
        started.append(FaultServer(then=json_answer({}, status=201), port=port))

    timer = threading.Timer(0.1, start)
    timer.start()
    assert sender.send(CREATE).status == 201
    timer.join()
    with started[0] as server:
        assert len(server.requests) == 1


def test_503_storm_ends_after_the_last_try(connect: Blocking) -> None:
    with FaultServer(then=faults.unavailable(503)) as server:
        with pytest.raises(ServerError, match="503") as caught:
            connect(server.url).send(LIST)
        assert len(server.requests) == 4
    assert caught.value.status_code == 503


def test_one_try_means_no_retry(connect: Blocking) -> None:
    with FaultServer([faults.unavailable(503)]) as server:
        with pytest.raises(ServerError):
            connect(server.url, retries=Retries(tries=1)).send(LIST)
        assert len(server.requests) == 1


def test_500_is_not_retried_and_shows_the_servers_detail(connect: Blocking) -> None:
    error = json_answer({"detail": "Cannot resolve keyword 'nam' into field.", "status_code": 500}, status=500)
    with FaultServer([error]) as server:
        with pytest.raises(ServerError, match=r"Cannot resolve keyword 'nam'.*django=") as caught:
            connect(server.url).send(LIST)
        assert len(server.requests) == 1
    assert caught.value.detail == "Cannot resolve keyword 'nam' into field."


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_wait_beyond_the_limit_raises_at_once(connect: Blocking, form: str) -> None:
    retry_after = "3600" if form == "seconds" else faults.http_date(3600)
    with FaultServer([faults.too_many(retry_after)]) as server:
        with pytest.raises(RateLimitError) as caught:
            connect(server.url).send(LIST)
        assert len(server.requests) == 1
    assert caught.value.retry_after == pytest.approx(3600, abs=60)


def test_unavailable_server_that_asks_for_too_long_a_wait_raises_at_once(connect: Blocking) -> None:
    with FaultServer([faults.unavailable(503, retry_after="600")]) as server:
        with pytest.raises(ServerError, match="in 600 s") as caught:
            connect(server.url).send(LIST)
        assert len(server.requests) == 1
    assert caught.value.retry_after == 600


def test_deletion_that_answers_404_after_a_lost_try_is_done(connect: Blocking) -> None:
    gone = json_answer({"detail": "Not found."}, status=404)
    with FaultServer([faults.reset_before_headers(), gone]) as server:
        assert connect(server.url).send(DELETE).status == 204
    with FaultServer([gone]) as server, pytest.raises(NotFoundError):
        connect(server.url).send(DELETE)
    with FaultServer([faults.too_many("0"), gone]) as server, pytest.raises(NotFoundError):
        connect(server.url).send(DELETE)


def test_slow_answer_is_a_timeout_and_retried(connect: Blocking) -> None:
    with FaultServer([faults.silent(), faults.stalled_body(["x" * 100]), json_answer([])]) as server:
        assert connect(server.url, read_timeout=0.2).send(LIST).status == 200
        assert len(server.requests) == 3


def test_slow_answer_to_a_creation_raises(connect: Blocking) -> None:
    with FaultServer([faults.silent()]) as server:
        with pytest.raises(AlyxTimeoutError, match="did not answer POST") as caught:
            connect(server.url, read_timeout=0.2).send(CREATE)
        assert len(server.requests) == 1
    assert isinstance(caught.value, TimeoutError)


def test_unknown_host_is_not_tried_again(connect: Blocking, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "alyx_client")
    with pytest.raises(AlyxConnectionError, match=r"no-such-host\.invalid") as caught:
        connect("http://no-such-host.invalid").send(Request("GET", "/x", authenticate=False))
    # A machine without a resolver cannot tell whether there is such a host.
    if "There is no host" in str(caught.value):
        assert not caplog.messages


# --- answers ------------------------------------------------------------------------------------------------------


def test_400_lists_fields_and_messages(connect: Blocking) -> None:
    body = {"nickname": ["This field is required."], "lab": ["No such lab.", "Really."], "status_code": 400}
    with FaultServer([json_answer(body, status=400)]) as server, pytest.raises(BadRequestError) as caught:
        connect(server.url).send(CREATE)
    assert caught.value.fields == {"nickname": ["This field is required."], "lab": ["No such lab.", "Really."]}
    assert "nickname: This field is required.; lab: No such lab. Really." in str(caught.value)


def test_html_page_with_200_is_passed_on(connect: Blocking) -> None:
    with FaultServer([faults.html_answer()]) as server:
        assert connect(server.url).send(LIST).content.startswith(b"<!doctype html>")


def test_truncated_json_of_consistent_length_is_passed_on(connect: Blocking) -> None:
    with FaultServer([faults.truncated_json([1, 2, 3, 4])]) as server:
        assert connect(server.url).send(LIST).content == b"[1, 2,"


def test_html_404_says_that_the_endpoint_may_be_missing(connect: Blocking) -> None:
    server = FaultServer([faults.html_answer(404, "Not Found")])
    with server, pytest.raises(NotFoundError, match="may lack this endpoint") as caught:
        connect(server.url).send(LIST)
    assert len(str(caught.value)) < 500


# --- tokens and logins --------------------------------------------------------------------------------------------


def with_password(url: str, **settings: object) -> Credentials:
    return Credentials(url, username="olivier", password="secret-password", **settings)  # type: ignore[arg-type]


def test_first_request_logs_in(connect: Blocking) -> None:
    with FaultServer([json_answer([]), json_answer([])], routes={"/auth-token": [faults.token_answer("T1")]}) as server:
        sender = connect(server.url, credentials=with_password(server.url))
        sender.send(LIST)
        sender.send(LIST)
        assert server.paths == ["/auth-token", "/subjects", "/subjects"]
        assert server.tokens == [None, "T1", "T1"]
        assert server.requests[0].json() == {"username": "olivier", "password": "secret-password"}


@pytest.mark.parametrize("status", [401, 403])
def test_stale_token_is_renewed_once(connect: Blocking, status: int) -> None:
    routes = {"/auth-token": [faults.token_answer("T2")]}
    with FaultServer([faults.stale_token(status), json_answer({}, status=201)], routes=routes) as server:
        sender = connect(server.url, credentials=with_password(server.url, explicit_token="T1"))
        assert sender.send(CREATE).status == 201
        assert server.tokens == ["T1", None, "T2"]
        assert server.requests[0].body == server.requests[2].body == CREATE.json


def test_token_that_stays_stale_is_not_renewed_for_ever(connect: Blocking) -> None:
    routes = {"/auth-token": [faults.token_answer("T2")]}
    with FaultServer(then=faults.stale_token(), routes=routes) as server:
        with pytest.raises(AuthenticationError):
            connect(server.url, credentials=with_password(server.url, explicit_token="T1")).send(LIST)
        assert server.paths == ["/subjects", "/auth-token", "/subjects"]


def test_stale_token_without_a_password_says_how_to_log_in_again(connect: Blocking) -> None:
    with FaultServer([faults.stale_token()]) as server:
        with pytest.raises(AuthenticationError, match="Log in again with username=") as caught:
            connect(server.url).send(LIST)
        assert len(server.requests) == 1
    assert isinstance(caught.value, PermissionError)


def test_missing_permission_is_no_stale_token(connect: Blocking) -> None:
    refusal = json_answer({"detail": "You do not have permission to perform this action."}, status=403)
    with FaultServer([refusal]) as server:
        with pytest.raises(PermissionError, match="You do not have permission"):
            connect(server.url, credentials=with_password(server.url, explicit_token="T1")).send(LIST)
        assert len(server.requests) == 1


def test_without_credentials_nothing_is_sent(connect: Blocking) -> None:
    with FaultServer() as server:
        with pytest.raises(MissingCredentialsError, match="ALYX_TOKEN"):
            connect(server.url, credentials=Credentials(server.url)).send(LIST)
        assert server.requests == []


def test_wrong_password_is_an_authentication_error(connect: Blocking) -> None:
    with FaultServer(routes={"/auth-token": [faults.wrong_password()]}) as server:
        with pytest.raises(AuthenticationError, match="did not accept the username and password") as caught:
            connect(server.url, credentials=with_password(server.url)).send(LIST)
        assert server.paths == ["/auth-token"]
    assert "secret-password" not in "".join(traceback.format_exception(caught.value))


def test_login_follows_the_same_policy(connect: Blocking) -> None:
    logins = [faults.too_many("0"), faults.unavailable(503), faults.reset_before_headers(), faults.token_answer("T1")]
    with FaultServer([json_answer({}, status=201)], routes={"/auth-token": logins}) as server:
        assert connect(server.url, credentials=with_password(server.url)).send(CREATE).status == 201
        assert server.paths == ["/auth-token"] * 4 + ["/subjects"]


def test_login_answered_by_another_site_is_named(connect: Blocking) -> None:
    server = FaultServer(routes={"/auth-token": [faults.html_answer()]})
    with server, pytest.raises(UnexpectedAnswerError, match="contains no token"):
        connect(server.url, credentials=with_password(server.url)).send(LIST)


@pytest.mark.parametrize("known", ["T1", None])
def test_many_at_once_log_in_once(connect: Blocking, known: str | None) -> None:
    routes = {"/auth-token": [faults.token_answer("T2", delay=0.1)]}
    with FaultServer(then=faults.require_token("T2", [], delay=0.02), routes=routes) as server:
        sender = connect(server.url, credentials=with_password(server.url, explicit_token=known))
        outcomes = sender.send_many(LIST, 12)
        assert [outcome.status for outcome in outcomes if isinstance(outcome, Response)] == [200] * 12
        assert server.count("/auth-token") == 1


def test_many_at_once_do_not_repeat_a_refused_login(connect: Blocking) -> None:
    def slow_refusal(request: faults.Received, connection: object) -> bool:
        threading.Event().wait(0.3)
        return faults.wrong_password()(request, connection)  # type: ignore[arg-type]

    with FaultServer(routes={"/auth-token": [slow_refusal] * 12}) as server:
        outcomes = connect(server.url, credentials=with_password(server.url)).send_many(LIST, 6)
        assert [type(outcome) for outcome in outcomes] == [AuthenticationError] * 6
        assert server.paths == ["/auth-token"]


def test_next_call_after_a_refused_login_tries_again(connect: Blocking) -> None:
    routes = {"/auth-token": [faults.wrong_password(), faults.token_answer("T1")]}
    with FaultServer([json_answer([])], routes=routes) as server:
        sender = connect(server.url, credentials=with_password(server.url))
        with pytest.raises(AuthenticationError):
            sender.send(LIST)
        assert sender.send(LIST).status == 200


def test_new_token_is_kept_for_the_next_client(connect: Blocking) -> None:
    with FaultServer(then=json_answer([]), routes={"/auth-token": [faults.token_answer("T1")]}) as server:
        connect(server.url, credentials=with_password(server.url, store=True)).send(LIST)
        connect(server.url, credentials=Credentials(server.url)).send(LIST)
        assert server.tokens == [None, "T1", "T1"]


def test_token_that_another_process_renewed_is_taken_over(connect: Blocking) -> None:
    with FaultServer(then=faults.require_token("T2", [])) as server:
        Credentials(server.url, store=True).remember("T1", "olivier")
        sender = connect(server.url, credentials=Credentials(server.url))
        with pytest.raises(AuthenticationError):
            sender.send(LIST)
        Credentials(server.url, store=True).remember("T2", "olivier")
        assert sender.send(LIST).status == 200


# --- the token goes to the configured server alone ----------------------------------------------------------------


def test_url_of_another_server_is_refused_before_anything_is_sent(connect: Blocking) -> None:
    with FaultServer(then=json_answer([])) as ours, FaultServer(then=json_answer([])) as other:
        sender = connect(ours.url)
        for url in (f"{other.url}/subjects/a", ours.url.replace("http:", "https:"), "//evil.example/x"):
            with pytest.raises(ForeignURLError, match="nothing was sent"):
                sender.send(Request("GET", url))
        assert ours.requests == other.requests == []


def test_redirect_on_the_same_server_is_followed_with_the_token(connect: Blocking) -> None:
    with FaultServer([faults.redirect("/cache/new.zip?x=1", 301), json_answer("there")]) as server:
        response = connect(server.url).send(Request("GET", "/cache.zip"))
        assert response.content == b'"there"'
        assert response.url == f"{server.url}/cache/new.zip?x=1"
        assert server.tokens == ["secret-token"] * 2


def test_redirect_to_another_server_is_followed_without_the_token(connect: Blocking) -> None:
    with FaultServer([json_answer("elsewhere")]) as other:
        away = faults.redirect(f"{other.url}/bucket/cache.zip?X-Amz-Signature=abc")
        with FaultServer([away]) as server:
            response = connect(server.url).send(Request("GET", "/cache.zip"))
            assert server.tokens == ["secret-token"]
        assert other.requests[0].target == "/bucket/cache.zip?X-Amz-Signature=abc"
        assert "authorization" not in other.requests[0].headers
    assert response.content == b'"elsewhere"'
    assert response.url.endswith("X-Amz-Signature=***")


def test_stale_token_answer_of_another_server_starts_no_login(connect: Blocking) -> None:
    with FaultServer([faults.stale_token()]) as other, FaultServer([faults.redirect(f"{other.url}/x")]) as server:
        with pytest.raises(AuthenticationError):
            connect(server.url, credentials=with_password(server.url, explicit_token="T1")).send(LIST)
        assert server.paths == ["/subjects"]


def test_redirected_creation_is_not_repeated_elsewhere(connect: Blocking) -> None:
    server = FaultServer([faults.redirect("https://alyx.example.org/subjects", 301)])
    with server, pytest.raises(AlyxHTTPError, match=r"redirected to https://alyx\.example\.org/subjects") as caught:
        connect(server.url).send(CREATE)
    assert caught.value.status_code == 301


def test_redirects_in_a_circle_end(connect: Blocking) -> None:
    with FaultServer(then=faults.redirect("/subjects")) as server:
        with pytest.raises(AlyxHTTPError, match="redirected"):
            connect(server.url).send(LIST)
        assert len(server.requests) == 11


# --- secrets ------------------------------------------------------------------------------------------------------


def test_secrets_stay_out_of_logs_errors_and_reprs(connect: Blocking, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    script = [faults.reset_before_headers(), json_answer([]), json_answer({"detail": "x"}, status=500)]
    request = Request("GET", "/subjects", params=(("password", "hunter2"), ("lab", "cortexlab")))
    with FaultServer(script, routes={"/auth-token": [faults.token_answer("secret-token")]}) as server:
        sender = connect(server.url, credentials=with_password(server.url))
        sender.send(request)
        with pytest.raises(ServerError) as caught:
            sender.send(request)
    restored = pickle.loads(pickle.dumps(sender.transport))
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("alyx_client")]
    shown = "".join(
        [
            *ours,
            *map(
                repr,
                (
                    caught.value,
                    caught.value.url,
                    sender.transport.auth.state.credentials,
                    restored.auth.state.credentials,
                ),
            ),
            *map(repr, (sender.transport, restored)),
            *traceback.format_exception(caught.value),
        ]
    )
    assert "password=***&lab=cortexlab" in shown
    for secret in ("hunter2", "secret-password", "secret-token"):
        assert secret not in shown


def test_each_request_is_logged_in_one_line(connect: Blocking, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "alyx_client")
    with FaultServer([faults.answer(b"x" * 12_300)]) as server:
        connect(server.url).send(LIST)
    line = next(line for line in caplog.messages if line.startswith("GET"))
    assert line.startswith("GET /subjects 200 12 kB ")
    assert line.endswith(" s")


def test_password_to_another_machine_without_encryption_warns_once(connect: Blocking) -> None:
    sender = connect("http://alyx.invalid", retries=Retries(tries=1), connect_timeout=1.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            with pytest.raises(AlyxError):
                sender.send(LIST)
    (warning,) = [item for item in caught if item.category is InsecureConnectionWarning]
    assert "http://alyx.invalid without encryption" in str(warning.message)


def test_untrusted_certificate_is_named_and_not_retried(
    connect: Blocking, caplog: pytest.LogCaptureFixture, tls_server: tuple[FaultServer, ssl.SSLContext]
) -> None:
    server, trusting = tls_server
    caplog.set_level(logging.INFO, "alyx_client")
    with pytest.raises(AlyxConnectionError, match=r"certificate of localhost:\d+ is not trusted"):
        connect(server.url).send(LIST)
    assert not any("retrying" in line for line in caplog.messages)
    assert connect(server.url, verify=trusting).send(LIST).status == 200


# --- notices ------------------------------------------------------------------------------------------------------


def test_notices_are_surfaced_once_also_on_errors(connect: Blocking) -> None:
    headers = {"Alyx-API-Notice": "!!! Moving house", "Deprecation": "@1688169599"}
    with FaultServer(then=json_answer({"detail": "x"}, status=404, headers=headers)) as server:
        sender = connect(server.url)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(3):
                with pytest.raises(NotFoundError):
                    sender.send(LIST)
    raised = [item for item in caught if issubclass(item.category, AlyxNoticeWarning | AlyxDeprecationWarning)]
    assert [item.category for item in raised] == [AlyxNoticeWarning, AlyxDeprecationWarning]
    assert "/subjects is deprecated as of 2023-06-30" in str(raised[1].message)
    assert raised[0].filename == __file__


# --- lifetime -----------------------------------------------------------------------------------------------------


def test_closed_transport_opens_again_on_use() -> None:
    with FaultServer(then=json_answer([])) as server:
        with SyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t"))) as transport:
            transport.send(LIST)
        transport.close()
        assert transport.send(LIST).status == 200
        assert server.connections == 2
        transport.close()


def test_async_transport_serves_several_event_loops() -> None:
    with FaultServer(then=json_answer([])) as server:
        transport = AsyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t")))

        async def twice() -> int:
            async with transport:
                await transport.send(LIST)
                return (await transport.send(LIST)).status

        assert asyncio.run(twice()) == 200
        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(lambda _: asyncio.run(twice()), range(2))) == [200, 200]
        assert server.connections == 3


def test_pools_of_ended_event_loops_are_dropped() -> None:
    with FaultServer(then=json_answer([])) as server:
        transport = AsyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t")))
        for _ in range(3):
            asyncio.run(transport.send(LIST))
        assert len(transport._pools) == 1


def test_event_loops_in_several_threads_log_in_once() -> None:
    routes = {"/auth-token": [faults.token_answer("T1", delay=0.1)]}
    with FaultServer(then=faults.require_token("T1", []), routes=routes) as server:
        transport = AsyncTransport(server.url, authentication(with_password(server.url)))

        async def fetch() -> int:
            async with transport:
                responses = await asyncio.gather(*(transport.send(LIST) for _ in range(3)))
                return sum(response.status for response in responses)

        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(lambda _: asyncio.run(fetch()), range(3))) == [600] * 3
        assert server.count("/auth-token") == 1


def test_cancelled_login_gives_up_its_turn() -> None:
    logins = [faults.silent(), faults.token_answer("T1")]
    with FaultServer(then=json_answer([]), routes={"/auth-token": logins}) as server:

        async def cancel_then_send() -> int:
            async with AsyncTransport(server.url, authentication(with_password(server.url))) as transport:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(transport.send(LIST), 0.3)
                return (await asyncio.wait_for(transport.send(LIST), 10)).status

        assert asyncio.run(cancel_then_send()) == 200


def test_threads_share_one_transport() -> None:
    with FaultServer(then=faults.require_token("t", [], delay=0.01)) as server:
        transport = SyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t")))
        with transport, ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda _: transport.send(LIST).status, range(64)))
        assert statuses == [200] * 64
        assert server.connections <= 8


def test_pickle_keeps_the_settings_and_the_token() -> None:
    with FaultServer(then=json_answer([]), routes={"/auth-token": [faults.token_answer("T1")]}) as server:
        credentials = with_password(server.url)
        transport = SyncTransport(
            server.url, authentication(credentials), read_timeout=7, retries=Retries(tries=2), user_agent="mine"
        )
        transport.send(LIST)
        restored = pickle.loads(pickle.dumps(transport))
        assert restored.send(LIST).status == 200
        assert server.tokens == [None, "T1", "T1"]
        assert server.requests[-1].headers["user-agent"] == "mine"
        assert (restored.timeout.read, restored.retries.tries) == (7, 2)
        transport.close()
        restored.close()


def test_own_ssl_context_cannot_be_pickled() -> None:
    transport = SyncTransport(
        "https://x.org", authentication(Credentials("https://x.org")), verify=ssl.create_default_context()
    )
    with pytest.raises(TypeError, match="SSLContext"):
        pickle.dumps(transport)


def _send_in_worker(transport: SyncTransport) -> int:
    with transport:
        return transport.send(LIST).status


def test_spawned_workers_use_a_pickled_transport() -> None:
    with FaultServer(then=faults.require_token("t", [])) as server:
        transport = SyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t")))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.map(_send_in_worker, [transport]) == [200]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forked_child_opens_connections_of_its_own() -> None:
    with FaultServer(then=json_answer([])) as server:
        transport = SyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t")))
        transport.send(LIST)
        # The child's copy of a lock that is held at the fork must not block it.
        transport.auth.state.renewal_lock.acquire()
        transport._lock.acquire()
        child = os.fork()
        if child == 0:
            status = 1
            with contextlib.suppress(BaseException):
                status = 0 if transport.send(LIST).status == 200 else 2
                transport.close()
            os._exit(status)
        transport._lock.release()
        transport.auth.state.renewal_lock.release()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert transport.send(LIST).status == 200
        transport.close()
        connections = [received.connection for received in server.requests]
    assert connections[0] == connections[2] != connections[1]


def test_importing_the_rest_of_the_core_does_not_import_httpx() -> None:
    names = (
        "errors",
        "http.message",
        "http.url",
        "http.retry",
        "auth.credentials",
        "auth.token_flow",
        "http.notices",
        "http.log",
    )
    code = f"import sys; {'; '.join(f'import alyx_client.{name}' for name in names)}"
    check = f"{code}; sys.exit('httpx' in sys.modules or 'pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


def test_connections_are_closed_with_the_object() -> None:
    with FaultServer(then=json_answer([])) as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        transport = SyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t")))
        transport.send(LIST)
        pool = transport._pool
        assert pool is not None
        del transport
        gc.collect()
        assert pool.is_closed
