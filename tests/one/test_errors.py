"""Errors are this client's, and those that ONE's users catch."""

from __future__ import annotations

import pickle
import urllib.error
from collections.abc import Callable
from typing import Any

import pytest

from alyx_client.errors import (
    AlyxConnectionError,
    AlyxError,
    AuthenticationError,
    BadRequestError,
    DownloadsFailedError,
    ForeignURLError,
    InvalidCallError,
    MissingCredentialsError,
    NotFoundError,
    OfflineError,
    PermissionDeniedError,
    ServerError,
)
from alyx_client.testing import LocalAlyx
from tests.one.conftest import MakeOne

requests: Any = pytest.importorskip("requests", reason="ONE-api is not installed")
pytest.importorskip("one.api", reason="ONE-api is not installed")
MISSING = "00000000-0000-0000-0000-000000000000"

HTTP: dict[str, tuple[Callable[[Any], object], type[AlyxError], int]] = {
    "no such record": (lambda alyx: alyx.rest("sessions", "read", id=MISSING), NotFoundError, 404),
    "no such path": (lambda alyx: alyx.get("/nothing"), NotFoundError, 404),
    "no such tag": (lambda alyx: alyx.get("cache/info/nothing"), NotFoundError, 404),
    "invalid record": (lambda alyx: alyx.rest("subjects", "create", data={"nickname": ""}), BadRequestError, 400),
    "impossible key": (lambda alyx: alyx.rest("sessions", "read", id="nothing"), AlyxError, 404),
    "unknown filter": (lambda alyx: alyx.rest("sessions", "list", nothing=1), InvalidCallError, 400),
    "wrong password": (lambda alyx: alyx.authenticate("admin", "wrong"), AuthenticationError, 400),
    "page that fails": (lambda alyx: alyx.rest("sessions", "list", django="nothing,1"), ServerError, 500),
}


@pytest.mark.parametrize("name", HTTP)
def test_responses_are_http_errors_of_requests(name: str, one: Any) -> None:
    call, kind, status = HTTP[name]
    with pytest.raises(requests.exceptions.HTTPError) as caught:
        call(one.alyx)
    error = caught.value
    assert isinstance(error, kind)
    assert error.errno == error.response.status_code == status
    assert isinstance(error.response, requests.Response)
    assert error.response.url.startswith(one.alyx.base_url) or error.response.reason.startswith("Refused")
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, requests.exceptions.HTTPError)
    assert isinstance(copy, kind)
    assert str(copy) == str(error)
    assert (copy.response.status_code, copy.response.text) == (status, error.response.text)


def test_response_is_that_of_the_server(one: Any, new_one: MakeOne) -> None:
    texts = []
    for client in (one.alyx, new_one("theirs").alyx):
        with pytest.raises(requests.exceptions.HTTPError) as caught:
            client.rest("subjects", "create", data={"nickname": "", "lab": "nothing"})
        response = caught.value.response
        texts.append((response.status_code, response.url, response.json(), response.text))
    assert texts[0] == texts[1]


def test_typed_calls_raise_them_too(one: Any) -> None:
    with pytest.raises(requests.exceptions.HTTPError, match="no record"):
        one.alyx.sessions.read(MISSING)


def test_refused_rights(one: Any, local_alyx: LocalAlyx) -> None:
    local_alyx.faults.add("/labs", "status", status=403)
    with pytest.raises(requests.exceptions.HTTPError) as caught:
        one.alyx.rest("labs", "list")
    assert isinstance(caught.value, PermissionDeniedError)
    assert caught.value.response.status_code == 403


def test_connection_failures_are_those_of_requests(one: Any, local_alyx: LocalAlyx, new_one: MakeOne) -> None:
    with pytest.raises(requests.exceptions.ConnectionError) as caught:
        new_one("ours", base_url="http://127.0.0.1:9")
    assert isinstance(caught.value, AlyxConnectionError)
    one.alyx.offline = True
    with pytest.raises(requests.exceptions.ConnectionError) as caught:
        one.alyx.get("/subjects", clobber=True)
    assert isinstance(caught.value, OfflineError)


def test_downloads_fail_as_those_of_urllib(one: Any) -> None:
    missing = "cortexlab/Subjects/nothing.npy"
    for call, kind in (
        (lambda: one.alyx.download_file(missing), NotFoundError),
        (lambda: one.alyx.download_file([missing, missing.replace("nothing", "none")]), DownloadsFailedError),
    ):
        with pytest.raises(urllib.error.HTTPError) as caught:
            call()
        assert isinstance(caught.value, kind)
        assert isinstance(caught.value, requests.exceptions.HTTPError)
        assert caught.value.code == 404
        assert not hasattr(caught.value, "nothing")
        assert isinstance(pickle.loads(pickle.dumps(caught.value)), urllib.error.HTTPError)
    with pytest.raises(AssertionError) as refused:
        one.alyx.download_file("https://other.example.org/a.npy")
    assert isinstance(refused.value, ForeignURLError)


def test_login_that_is_missing(local_alyx: LocalAlyx, one: Any) -> None:
    one.alyx.logout()
    with pytest.raises(requests.exceptions.HTTPError) as caught:
        one.alyx.get("/subjects")
    assert isinstance(caught.value, MissingCredentialsError)
