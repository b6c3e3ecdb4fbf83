"""Time limits of calls, as users set them: of the client, and of each call."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient, DeadlineExceededError
from alyx_client.config import servers_file
from alyx_client.errors import ConfigurationError
from alyx_client.models import Lab
from tests import faults
from tests.client.test_client import KEY, LAB, Connect, connect
from tests.config.stored_settings import write_toml
from tests.faults import FaultServer, json_response, page

__all__ = ["connect"]

SHORT = 0.3
CALLS: dict[str, Callable[..., Any]] = {
    "list": lambda client, **limit: client.labs.list(**limit),
    "read": lambda client, **limit: client.labs.read("a", **limit),
    "create": lambda client, **limit: client.labs.create(Lab(name="a"), **limit),
    "update": lambda client, **limit: client.labs.update("a", Lab(name="a"), **limit),
    "partial_update": lambda client, **limit: client.labs.partial_update("a", name="b", **limit),
    "delete": lambda client, **limit: client.sessions.delete(KEY, **limit),
    "json_field_write": lambda client, **limit: client.sessions.json_field_write(KEY, "json", {}, **limit),
    "json_field_update": lambda client, **limit: client.sessions.json_field_update(KEY, "json", {}, **limit),
    "json_field_remove_key": lambda client, **limit: client.sessions.json_field_remove_key(KEY, "json", "a", **limit),
    "json_field_delete": lambda client, **limit: client.sessions.json_field_delete(KEY, "json", **limit),
    "rest": lambda client, **limit: client.rest("labs", "list", **limit),
    "get": lambda client, **limit: client.get("/labs", **limit),
    "post": lambda client, **limit: client.post("/labs", {}, **limit),
    "put": lambda client, **limit: client.put("/labs/a", {}, **limit),
    "patch": lambda client, **limit: client.patch("/labs/a", {}, **limit),
    "delete by name": lambda client, **limit: client.delete("/labs/a", **limit),
    "json_field_write by name": lambda client, **limit: client.json_field_write("labs", "a", "json", {}, **limit),
    "json_field_update by name": lambda client, **limit: client.json_field_update("labs", "a", "json", {}, **limit),
    "json_field_remove_key by name": lambda client, **limit: client.json_field_remove_key(
        "labs", "a", "json", "k", **limit
    ),
    "json_field_delete by name": lambda client, **limit: client.json_field_delete("labs", "a", "json", **limit),
}


@pytest.mark.parametrize("call", CALLS)
def test_each_call_takes_a_time_limit(connect: Connect, call: str) -> None:
    with FaultServer(then=faults.silent(600)) as server:
        alyx = connect(server.url, timeout=3600)
        with pytest.raises(DeadlineExceededError, match=rf"within timeout={SHORT} s"):
            alyx(lambda client: CALLS[call](client, timeout=SHORT))


@pytest.mark.parametrize("call", ["list", "create", "rest", "json_field_update"])
def test_calls_have_the_clients_time_limit(connect: Connect, call: str) -> None:
    with FaultServer(then=faults.silent(600)) as server:
        alyx = connect(server.url, timeout=SHORT)
        with pytest.raises(DeadlineExceededError, match=rf"within timeout={SHORT} s"):
            alyx(lambda client: CALLS[call](client))
        alyx.client.timeout = 0.6
        with pytest.raises(DeadlineExceededError, match=r"within timeout=0.6 s"):
            alyx(lambda client: CALLS[call](client))


def test_every_typed_method_takes_a_time_limit() -> None:
    for kind in (AlyxClient, AsyncAlyxClient):
        client = kind("http://127.0.0.1:9", token="x")
        names = [name for name, value in vars(kind).items() if isinstance(value, cached_property)]
        assert len(names) > 30
        for name in names:
            endpoint = getattr(client, name)
            for action in (name for name in dir(endpoint) if not name.startswith("_") and name != "fields"):
                assert "timeout" in inspect.signature(getattr(endpoint, action)).parameters, f"{name}.{action}"


def test_pages_have_a_limit_each(connect: Connect) -> None:
    rows = [{**LAB, "name": f"lab {n}"} for n in range(4)]
    with FaultServer([page(rows[:2], 4)], then=faults.silent(600)) as server:
        alyx = connect(server.url, timeout=3600)
        with pytest.raises(DeadlineExceededError, match=r"labs\?limit=1000 did not end"):
            alyx(lambda client: client.labs.list(timeout=2.0))


def test_all_requests_of_a_call_share_its_limit(connect: Connect) -> None:
    # The record is read first, then written.
    record = json_response(LAB)
    with FaultServer([record], then=faults.silent(600)) as server:
        alyx = connect(server.url, timeout=3600)
        with pytest.raises(DeadlineExceededError, match=r"PATCH .* within timeout=2 s.*may have acted"):
            alyx(lambda client: client.labs.json_field_update("a", "json", {"a": 1}, timeout=2.0))
        assert [request.method for request in server.requests] == ["GET", "PATCH"]


@pytest.mark.parametrize("value", [0, -1, math.nan, "5", True, [1]])
def test_wrong_limit_is_refused(connect: Connect, value: object) -> None:
    with FaultServer(then=json_response(LAB)) as server:
        alyx = connect(server.url)
        for call in (
            lambda client: client.labs.read("a", timeout=value),
            lambda client: client.get("/", timeout=value),
        ):
            with pytest.raises((TypeError, ValueError), match="timeout"):
                alyx(call)
        with pytest.raises((TypeError, ValueError), match="timeout"):
            AlyxClient(server.url, timeout=value)  # type: ignore[arg-type]
        with pytest.raises((TypeError, ValueError), match="login_timeout"):
            AlyxClient(server.url, login_timeout=value)  # type: ignore[arg-type]
        assert not server.requests


def test_login_on_request_has_a_limit(connect: Connect) -> None:
    with FaultServer(then=faults.silent(600)) as server:
        alyx = connect(server.url, token=None, username="olivier", password="x", login_timeout=SHORT)
        with pytest.raises(DeadlineExceededError, match=rf"within login_timeout={SHORT} s"):
            alyx(lambda client: client.authenticate())


def test_limit_comes_from_argument_environment_and_settings_file(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://alyx.example.org"
    assert AlyxClient(url).timeout == 300
    write_toml(f'[servers."{url}"]\ntimeout = 60\n')
    assert AlyxClient(url).timeout == 60
    monkeypatch.setenv("ALYX_TIMEOUT", "20.5")
    assert AlyxClient(url).timeout == 20.5
    assert AlyxClient(url, timeout=5).timeout == 5
    assert AlyxClient(url, timeout=math.inf).timeout == math.inf
    monkeypatch.setenv("ALYX_TIMEOUT", "inf")
    assert AlyxClient(url).timeout == math.inf


@pytest.mark.parametrize("value", ["soon", "-1", "0", "nan"])
def test_wrong_limit_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ALYX_TIMEOUT", value)
    with pytest.raises(ConfigurationError, match="ALYX_TIMEOUT"):
        AlyxClient("https://alyx.example.org")


@pytest.mark.parametrize("value", ['"soon"', "-1", "0", "nan", "true", "[1]"])
def test_wrong_limit_in_the_settings_file_is_named(value: str) -> None:
    write_toml(f'[servers."https://alyx.example.org"]\ntimeout = {value}\n')
    with pytest.raises(ConfigurationError, match=rf"{servers_file().name}, line 2: timeout"):
        AlyxClient("https://alyx.example.org")
