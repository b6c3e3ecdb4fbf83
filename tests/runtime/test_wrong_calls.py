"""Calls that do not fit a method's parameters: the error names the call that was probably meant."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.runtime.checked_calls import checked_call

NOWHERE = "http://127.0.0.1:9"
CLIENTS: list[Any] = [AlyxClient(NOWHERE, token="x"), AsyncAlyxClient(NOWHERE, token="x")]
Call = Callable[[Any], Any]

ADVICE: dict[str, tuple[Call, str]] = {
    "fields of create": (
        lambda client: client.sessions.create(subject="x"),
        r"Sessions\.create\(\) takes Session\(\.\.\.\), not subject= itself: create\(Session\(subject=\.\.\.\)\)\.",
    ),
    "misspelled field": (lambda client: client.sessions.create(subjct="x"), r"create\(Session\(subject=\.\.\.\)\)"),
    "nothing to create": (lambda client: client.sessions.create(), r"create\(Session\(\.\.\.\)\)"),
    "two to create": (lambda client: client.sessions.create(1, 2), r"create_many\(\[\.\.\., \.\.\.\]\)"),
    "fields of update": (
        lambda client: client.sessions.update("key", subject="x"),
        r"update\(key, Session\(subject=\.\.\.\)\)",
    ),
    "update of nothing": (lambda client: client.sessions.update("key"), r"update\(key, Session\(\.\.\.\)\)"),
    "fields of create_many": (
        lambda client: client.weighings.create_many(subject="x"),
        r"Weighings\.create_many\(\) .*create_many\(\[Weighing\(subject=\.\.\.\), \.\.\.\]\)",
    ),
    "fields of update_many": (
        lambda client: client.sessions.update_many({}, subject="x"),
        r"update_many\(\{key: Session\(subject=\.\.\.\), \.\.\.\}\)",
    ),
    "fields of partial_update_many": (
        lambda client: client.sessions.partial_update_many([], qc="PASS"),
        r"takes fields by record, not qc= itself: partial_update_many\(\{key: \{\"qc\": \.\.\.\}, \.\.\.\}\)",
    ),
    "option of create_many": (
        lambda client: client.sessions.create_many([], max_worker=3),
        r"has no argument 'max_worker'\. Did you mean 'max_workers'",
    ),
    "no key": (lambda client: client.sessions.read(), r"needs id, the key of a record.*list\(\.\.\.\) finds records"),
    "no key of partial_update": (lambda client: client.sessions.partial_update(qc="PASS"), r"needs id, the key"),
    "no key without a list": (lambda client: client.water_requirement.read(), r"needs nickname, .* first argument\.$"),
    "no keys": (lambda client: client.sessions.delete_many(), r"delete_many\(\) needs keys"),
    "two keys": (lambda client: client.sessions.read("a", "b"), r"takes one record\. read_many\("),
    "filter of read": (lambda client: client.sessions.read(subject="x"), r"list\(subject=\.\.\.\) finds records by it"),
    "write that waits": (
        lambda client: client.weighings.create({}, outbox=True),
        r"has no argument 'outbox'\. client\.outbox\.write\(client\.….create, …\) lets a write wait",
    ),
    "cache": (lambda client: client.sessions.read("key", no_cache=True), r"with client\.cache_disabled\(\)"),
    "cache of a list": (lambda client: client.sessions.list(no_cache=True), r"with client\.cache_disabled\(\)"),
    "misspelled": (lambda client: client.sessions.read("key", timout=3), r"Did you mean 'timeout'"),
    "name of a list": (lambda client: client.sessions.list("name"), r"filters by name only"),
    "JSON field": (
        lambda client: client.sessions.json_field_update("key", "json", dat={}),
        r"Sessions\.json_field_update\(\) has no argument 'dat'\. Did you mean 'data'",
    ),
    "login": (lambda client: client.authenticate(usrname="x"), r"AlyxClient\.authenticate\(\) .*'username'"),
    "call by name": (lambda client: client.get(), r"AlyxClient\.get\(\) needs rest_query"),
    "setting": (
        lambda client: type(client)(NOWHERE, usrname="x"),
        r"^(Async)?AlyxClient\(\) .*Did you mean 'username'",
    ),
    "download": (lambda client: client.download_file("x", target="y"), r"download_file\(\) .*'target_dir'"),
    "outbox": (lambda client: client.outbox.write(), r"Outbox\.write\(\) needs method"),
}


def made(client: Any, call: Call) -> Any:
    async def awaited() -> Any:
        result = call(client)
        return await result if inspect.isawaitable(result) else result

    return call(client) if isinstance(client, AlyxClient) else asyncio.run(awaited())


@pytest.mark.parametrize("client", CLIENTS, ids=["sync", "async"])
@pytest.mark.parametrize("case", ADVICE)
def test_wrong_calls_are_explained(client: Any, case: str) -> None:
    call, message = ADVICE[case]
    with pytest.raises(TypeError, match=message) as caught:
        made(client, call)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def methods() -> Iterator[tuple[Any, str]]:
    for client in CLIENTS:
        for name, endpoint in vars(type(client)).items():
            if isinstance(endpoint, cached_property) and hasattr(owner := getattr(client, name), "_actions"):
                yield from ((owner, action) for action in owner._actions())


def test_every_method_explains_a_misspelled_keyword() -> None:
    checked = 0
    for owner, name in methods():
        method = getattr(owner, name)
        first = [one for one in inspect.signature(method).parameters.values() if one.default is one.empty]
        if name == "partial_update":
            continue  # the fields of partial_update are checked with their values

        def call(_: Any, method: Any = method, count: int = len(first)) -> Any:
            return method(*["x"] * count, timeot=3)

        with pytest.raises(TypeError, match=rf"{type(owner).__name__}\.{name}\(\) has no \w+ 'timeot'.*'timeout'"):
            made(CLIENTS[type(owner).__name__.startswith("Async")], call)
        checked += 1
    assert checked > 300


def test_errors_of_the_method_itself_are_left_alone() -> None:
    def fails(value: object) -> None:
        len(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    with pytest.raises(TypeError, match="object of type 'int' has no len") as caught:
        checked_call(fails)(5)
    assert type(caught.value) is TypeError


def test_checked_methods_look_like_those_that_they_call() -> None:
    for client, is_asynchronous in zip(CLIENTS, (False, True), strict=True):
        method = client.sessions.read
        assert inspect.iscoroutinefunction(method) is is_asynchronous
        assert list(inspect.signature(method).parameters) == ["id", "timeout"]
        assert method.__doc__
        assert method.__qualname__ == f"{type(client.sessions).__name__}.read"
        assert "def read" in inspect.getsource(method)
