from __future__ import annotations

import gzip
import warnings

import pytest

from alyx_client.errors import (
    AlyxConnectionError,
    AlyxDeprecationWarning,
    AlyxNoticeWarning,
    BadRequestError,
    NotFoundError,
)
from alyx_client.http.message import FilePart, Request
from tests import faults
from tests.faults import FaultServer, json_response
from tests.http import transports
from tests.http.transports import CREATE, LIST, TransportFactory


# --- what is sent -----------------------------------------------------------------------------------------------------
def test_request_arrives_with_token_parameters_and_headers(connect: TransportFactory) -> None:
    with FaultServer([json_response({"ok": 1})]) as server:
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


def test_base_path_of_the_server_is_part_of_each_url(connect: TransportFactory) -> None:
    with FaultServer([json_response([]), json_response([])]) as server:
        sender = connect(f"{server.url}/alyx/")
        sender.send(LIST)
        sender.send(Request("GET", f"{server.url}/alyx/subjects/a"))
        assert server.paths == ["/alyx/subjects", "/alyx/subjects/a"]


def test_unauthenticated_request_carries_no_token(connect: TransportFactory) -> None:
    with FaultServer([json_response([])]) as server:
        connect(server.url).send(Request("GET", "/open", authenticate=False))
        assert server.tokens == [None]


def test_json_body_is_sent_unchanged(connect: TransportFactory) -> None:
    with FaultServer([json_response({}, status=201)]) as server:
        assert connect(server.url).send(CREATE).status == 201
        (received,) = server.requests
    assert received.body == CREATE.json
    assert received.headers["content-type"] == "application/json"


def test_retried_multipart_body_is_identical_to_the_byte(connect: TransportFactory) -> None:
    image = FilePart("image", "brain.png", b"\x89PNG\r\n\x00", "image/png")
    request = Request("POST", "/notes", form=(("text", "hé"), ("users", "a"), ("users", "b")), files=(image,))
    with FaultServer([faults.unavailable(), faults.too_many(), json_response({}, status=201)]) as server:
        connect(server.url).send(request)
        bodies = [received.raw for received in server.requests]
    assert len(bodies) == 3
    assert len(set(bodies)) == 1
    assert bodies[0].count(b'name="users"') == 2
    assert b'filename="brain.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG' in bodies[0]


def test_connections_are_reused_without_a_with_block(connect: TransportFactory) -> None:
    with FaultServer(then=json_response([])) as server:
        sender = connect(server.url)
        for _ in range(5):
            sender.send(LIST)
        assert server.connections == 1


def test_compressed_responses_are_decoded(connect: TransportFactory) -> None:
    packed = gzip.compress(b"[1, 2]")
    with FaultServer([faults.response(packed, headers={"Content-Encoding": "gzip"})]) as server:
        assert connect(server.url).send(LIST).content == b"[1, 2]"


def test_damaged_compression_is_a_broken_connection(connect: TransportFactory) -> None:
    damaged = faults.response(b"not gzip at all", headers={"Content-Encoding": "gzip"})
    with FaultServer([damaged, json_response("there")]) as server:
        assert connect(server.url).send(LIST).content == b'"there"'
    with FaultServer([damaged]) as server, pytest.raises(AlyxConnectionError):
        connect(server.url).send(CREATE)


def test_session_cookies_are_not_stored(connect: TransportFactory) -> None:
    with FaultServer(then=json_response([], headers={"Set-Cookie": "sessionid=abc; Path=/"})) as server:
        sender = connect(server.url)
        sender.send(LIST)
        sender.send(LIST)
        assert "cookie" not in server.requests[1].headers


# --- answers ----------------------------------------------------------------------------------------------------------
def test_400_lists_fields_and_messages(connect: TransportFactory) -> None:
    body = {"nickname": ["This field is required."], "lab": ["No such lab.", "Really."], "status_code": 400}
    with FaultServer([json_response(body, status=400)]) as server, pytest.raises(BadRequestError) as caught:
        connect(server.url).send(CREATE)
    assert caught.value.fields == {"nickname": ["This field is required."], "lab": ["No such lab.", "Really."]}
    assert "nickname: This field is required.; lab: No such lab. Really." in str(caught.value)


def test_html_page_with_status_200_is_returned(connect: TransportFactory) -> None:
    with FaultServer([faults.html_response()]) as server:
        assert connect(server.url).send(LIST).content.startswith(b"<!doctype html>")


def test_truncated_json_of_consistent_length_is_returned(connect: TransportFactory) -> None:
    with FaultServer([faults.truncated_json([1, 2, 3, 4])]) as server:
        assert connect(server.url).send(LIST).content == b"[1, 2,"


def test_html_404_says_that_the_endpoint_may_be_missing(connect: TransportFactory) -> None:
    server = FaultServer([faults.html_response(404, "Not Found")])
    with server, pytest.raises(NotFoundError, match="may lack this endpoint") as caught:
        connect(server.url).send(LIST)
    assert len(str(caught.value)) < 500


# --- notices ----------------------------------------------------------------------------------------------------------
def test_notices_are_surfaced_once_also_on_errors(connect: TransportFactory) -> None:
    headers = {"Alyx-API-Notice": "!!! Moving house", "Deprecation": "@1688169599"}
    with FaultServer(then=json_response({"detail": "x"}, status=404, headers=headers)) as server:
        sender = connect(server.url)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(3):
                with pytest.raises(NotFoundError):
                    sender.send(LIST)
    raised = [item for item in caught if issubclass(item.category, AlyxNoticeWarning | AlyxDeprecationWarning)]
    assert [item.category for item in raised] == [AlyxNoticeWarning, AlyxDeprecationWarning]
    assert "/subjects is deprecated as of 2023-06-30" in str(raised[1].message)
    assert raised[0].filename == transports.__file__
