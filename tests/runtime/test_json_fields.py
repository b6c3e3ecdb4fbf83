"""JSON fields by the typed methods, the same tests for both clients; those by name are in test_string_api.py."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.errors import InvalidFieldError, NotAnObjectError, NotFoundError
from alyx_client.testing import LocalAlyx


@pytest.fixture(params=["sync", "async"])
def alyx(request: pytest.FixtureRequest, local_alyx: LocalAlyx) -> Iterator[Any]:
    """Give a function that calls a method of an endpoint, and waits for it."""
    if request.param == "sync":
        with AlyxClient(local_alyx.url, token=local_alyx.token()) as client:
            yield lambda endpoint, method, *arguments: getattr(getattr(client, endpoint), method)(*arguments)
        return
    with asyncio.Runner() as runner:
        tasks = AsyncAlyxClient(local_alyx.url, token=local_alyx.token())
        yield lambda endpoint, method, *arguments: runner.run(getattr(getattr(tasks, endpoint), method)(*arguments))
        runner.run(tasks.aclose())


@pytest.fixture
def session(local_alyx: LocalAlyx) -> str:
    return str(local_alyx.store.rows("sessions")[0]["id"])


def test_field_is_written_updated_and_deleted(alyx: Any, session: str) -> None:
    def change(method: str, *arguments: Any) -> Any:
        return alyx("sessions", f"json_field_{method}", session, "extended_qc", *arguments)

    assert change("write", {"a": 1}) == {"a": 1}
    assert change("update", {"b": None}) == {"a": 1, "b": None}
    assert change("remove_key", "b") == {"a": 1}
    assert change("remove_key", "c") == {"a": 1}
    assert change("delete") is None
    assert change("remove_key", "a") is None
    assert change("update", {"d": [1]}) == {"d": [1]}
    assert alyx("sessions", "read", session).extended_qc == {"d": [1]}


def test_records_are_found_by_their_own_keys(alyx: Any, local_alyx: LocalAlyx) -> None:
    subject = local_alyx.store.rows("subjects")[0]["nickname"]
    alyx("subjects", "json_field_write", subject, "json", {"a": 1})
    assert alyx("subjects", "json_field_update", subject, "json", {"b": 2}) == {"a": 1, "b": 2}
    repository = local_alyx.store.rows("data-repository")[0]["name"]
    assert alyx("data_repository", "json_field_write", repository, "json", {"a": 1}) == {"a": 1}


def test_update_bypasses_the_cache(alyx: Any, local_alyx: LocalAlyx, session: str, tmp_path: Path) -> None:
    alyx("sessions", "json_field_write", session, "json", {"a": 1})
    alyx("sessions", "read", session)
    with AlyxClient(local_alyx.url, token=local_alyx.token("olivier"), cache_dir=tmp_path) as other:
        other.sessions.json_field_write(session, "json", {"theirs": 1})
    assert alyx("sessions", "json_field_update", session, "json", {"b": 2}) == {"theirs": 1, "b": 2}


@pytest.mark.parametrize("content", [[1], "text", 7])
def test_field_that_is_not_an_object_is_not_changed(alyx: Any, session: str, content: Any) -> None:
    alyx("sessions", "json_field_write", session, "json", content)
    for method, argument in (("update", {"a": 1}), ("remove_key", "a")):
        with pytest.raises(NotAnObjectError, match="nothing was written"):
            alyx("sessions", f"json_field_{method}", session, "json", argument)
    assert alyx("sessions", "read", session).json == content


def test_missing_record_or_field_is_named(alyx: Any, session: str) -> None:
    for method in ("write", "update"):
        with pytest.raises(InvalidFieldError, match="extended_cq"):
            alyx("sessions", f"json_field_{method}", session, "extended_cq", {"a": 1})
    with pytest.raises(NotFoundError):
        alyx("subjects", "json_field_update", "nobody", "json", {"a": 1})


def test_trajectory_preserves_its_insertion(alyx: Any, local_alyx: LocalAlyx) -> None:
    trajectory = next(row for row in local_alyx.store.rows("trajectories") if row["probe_insertion"])
    alyx("trajectories", "json_field_update", trajectory["id"], "json", {"a": 1})
    assert str(alyx("trajectories", "read", trajectory["id"]).probe_insertion) == trajectory["probe_insertion"]
