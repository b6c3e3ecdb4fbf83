"""The rules of the cache, as functions of a request or a response."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alyx_client.http.cache import policy
from alyx_client.http.cache.call import CachedCall, Lookup
from alyx_client.http.cache.key import CacheRequest
from alyx_client.http.cache.store import CacheStore
from alyx_client.http.message import Request, Response, TokenUser
from tests.http.cache.stores import SERVER

GET, POST = Request("GET", "/subjects"), Request("POST", "/subjects", json=b'{"nickname": "flowers"}')
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("request_", "path", "modes"),
    [
        (GET, "/subjects", {"GET", "*"}),
        (replace(GET, authenticate=False), "/subjects", set()),
        (GET, "/auth-token", set()),
        (GET, "/alyx/Auth%2Dtoken/", set()),
        (GET, "/rest-auth/user", set()),
        (GET, "/auth-tokens", {"GET", "*"}),
        (replace(GET, json=b'{"token": "x"}'), "/subjects", {"GET", "*"}),
        (replace(GET, method="HEAD"), "/subjects", set()),
        (replace(GET, method="OPTIONS"), "/subjects", set()),
        *((replace(POST, method=method), "/subjects", {"*"}) for method in ("POST", "PUT", "PATCH", "DELETE")),
        (POST, "/auth-token", set()),
        (replace(POST, json=None), "/subjects", {"*"}),
        (replace(POST, json=b'{"new_password": "x"}'), "/subjects", set()),
        (replace(POST, json=b'{"password": ""}'), "/subjects", {"*"}),
        (replace(POST, json=b'{"passwords": "x"}'), "/subjects", {"*"}),
        (replace(POST, form=(("a", "1"), ("API_KEY", "x"))), "/subjects", set()),
        (replace(POST, form=(("token_name", "x"), ("\ud800", "x"))), "/subjects", {"*"}),
    ],
)
def test_requests_whose_responses_are_cached(request_: Request, path: str, modes: set[str]) -> None:
    assert {mode for mode in ("GET", "*", None) if policy.is_cacheable(request_, path, mode)} == modes


@pytest.mark.parametrize(
    ("response", "is_storable"),
    [
        (Response(200, JSON, b"{}"), True),
        (Response(299, {"content-type": "application/vnd.oai.openapi+JSON"}, b"{}"), True),
        *((Response(status, JSON, b"{}"), False) for status in (199, 300, 304, 404, 500)),
        (Response(200, {}, b"{}"), False),
        (Response(200, {"content-type": "text/html"}, b"{}"), False),
        (Response(200, JSON, b'{"token": "x"}', "GET"), True),
        *((Response(200, JSON, b'{"token": "x"}', method), False) for method in ("POST", "PUT", "PATCH", "DELETE")),
        (Response(201, JSON, b'{"name": "x"}', "POST"), True),
    ],
)
def test_responses_that_are_stored(response: Response, is_storable: bool) -> None:
    assert policy.is_storable(response) == is_storable


def test_largest_response_that_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "MAX_RESPONSE", 100)
    assert [policy.is_storable(Response(200, JSON, bytes(size))) for size in (99, 100, 101)] == [True, True, False]


@pytest.mark.parametrize(
    ("request_", "endpoint", "is_write", "survives"),
    [
        (GET, "subjects", False, False),
        (POST, "subjects", True, False),
        (replace(GET, method="OPTIONS"), "subjects", False, False),
        (Request("DELETE", "/sessions/1"), "sessions", True, False),
        (Request("POST", "/auth-token"), "auth-token", False, False),
        (Request("GET", "/api/schema"), "api", False, True),
        (Request("GET", "/api/schema/?format=json"), "api", False, True),
        (Request("GET", "/docs", (("format", "corejson"),)), "docs", False, True),
        (Request("GET", "/docs/more"), "docs", False, False),
        (Request("PUT", "/api/schema"), "api", True, False),
        (Request("GET", f"{SERVER}/%73ubjects?a=/b"), "subjects", False, False),
        (Request("GET", "https://data.example.org/files/a?b=c"), "files", False, False),
    ],
)
def test_writes_and_what_survives_them(request_: Request, endpoint: str, is_write: bool, survives: bool) -> None:
    seen = CacheRequest.of(request_, SERVER)
    key = seen.key("alice")
    assert (seen.endpoint, seen.is_write) == (endpoint, is_write)
    assert (key.endpoint, key.identity, key.survives_writes) == (endpoint, "alice", survives)


def test_labels_are_short_and_show_no_secret() -> None:
    label = CacheRequest.of(Request("GET", "/subjects", (("token", "s" * 50), ("name", "x" * 300))), SERVER).label
    assert label.startswith("GET /subjects?token=")
    assert label.endswith("xx…")
    assert len(label) == 200
    assert "ssss" not in label
    assert CacheRequest.of(GET, SERVER).label == "GET /subjects"


def test_write_whose_generation_cannot_be_stored_is_sent_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = CacheStore(tmp_path / "file" / "folder", SERVER, 2**20)
    call = CachedCall(store, CacheRequest.of(POST, SERVER), lookup=Lookup(generation=b"before"))
    call.begin_write()
    created = Response(201, JSON, b'{"nickname": "flowers"}', "POST", sender=TokenUser("alice"))
    assert call.store(created) is created
    call.close()
