"""Faults of ONE's writes that this client does not have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from alyx_client import AlyxClient
from alyx_client.errors import InvalidFieldError, NotAnObjectError
from alyx_client.testing import LocalAlyx

pytest.importorskip("one.webclient", reason="ONE-api is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def test_json_value_other_than_an_object_is_an_error(one: Any, alyx: AlyxClient, facts: dict[str, Any]) -> None:
    alyx.json_field_write("sessions", facts["session"], "json", [1])
    assert one.json_field_update("sessions", facts["session"], "json", {"a": 1}) == [1]
    with pytest.raises(NotAnObjectError):
        alyx.json_field_update("sessions", facts["session"], "json", {"a": 1})


def test_numpy_values_are_sent_and_unsendable_ones_are_errors(
    one: Any, alyx: AlyxClient, facts: dict[str, Any]
) -> None:
    numpy = pytest.importorskip("numpy")
    for value, stored in ((numpy.int64(7), 7), (numpy.arange(3), [0, 1, 2]), (timedelta.min, None)):
        with pytest.raises(TypeError):
            one.patch(facts["url"], {"json": {"a": value}})
        if stored is not None:
            assert alyx.patch(facts["url"], {"json": {"a": value}})["json"] == {"a": stored}
    with pytest.raises(OSError, match="400"):
        one.patch(facts["url"], {"json": {"a": float("nan")}})
    with pytest.raises(InvalidFieldError, match="not a number"):
        alyx.patch(facts["url"], {"json": {"a": float("nan")}})
    note = {"user": "admin", "content_type": "session", "object_id": facts["session"], "json": {"a": 1}}
    with pytest.raises(OSError, match="400"):
        one.rest("notes", "create", data=note, files={"image": ("brain.png", PNG)})
    assert alyx.rest("notes", "create", data=note, files={"image": ("brain.png", PNG)})["json"] == {"a": 1}


# Alyx clears the insertion of a trajectory if a PATCH omits it (the local Alyx does not), and cannot change a note
# without its owner, so both are sent along.
def test_values_that_the_server_would_lose_are_resent(one: Any, alyx: AlyxClient, local_alyx: LocalAlyx) -> None:
    note, trajectory = alyx.rest("notes", "list")[0]["id"], alyx.rest("trajectories", "list")[0]["id"]
    with pytest.raises(OSError, match="500"):
        one.rest("notes", "partial_update", id=note, data={"text": "seen"})
    assert alyx.rest("notes", "partial_update", id=note, data={"text": "seen"})["text"] == "seen"
    local_alyx.requests.clear()
    for client in (one, alyx):
        client.rest("trajectories", "partial_update", id=trajectory, data={"roll": 4.0})
    omitted, resent = (request.body_length for request in local_alyx.requests if request.method == "PATCH")
    assert omitted == len('{"roll": 4.0}')
    assert resent > omitted + len(trajectory)


# Keys that others have set meanwhile are preserved only if the field is read from the server.
def test_json_keys_set_by_others_are_kept(one: Any, alyx: AlyxClient, facts: dict[str, Any]) -> None:
    where = ("sessions", facts["session"], "extended_qc")
    for client, other in ((one, alyx), (alyx, one)):
        alyx.json_field_write(*where, {})
        client.rest("sessions", "read", id=facts["session"])
        other.json_field_write(*where, {"others": 1})
        written = client.json_field_update(*where, {"own": 1})
        assert written == ({"own": 1} if client is one else {"others": 1, "own": 1})


# A key with the value null exists.
def test_json_key_with_null_is_removed(one: Any, alyx: AlyxClient, facts: dict[str, Any]) -> None:
    where = ("sessions", facts["session"], "json")
    alyx.json_field_write(*where, {"a": None})
    assert one.json_field_remove_key(*where, "a") == {"a": None}
    assert alyx.json_field_remove_key(*where, "a") == {}


def test_removing_a_key_from_a_list_is_an_error(one: Any, alyx: AlyxClient, facts: dict[str, Any]) -> None:
    where = ("sessions", facts["session"], "json")
    alyx.json_field_write(*where, [1])
    with pytest.raises(AttributeError):
        one.json_field_remove_key(*where, "a")
    with pytest.raises(NotAnObjectError):
        alyx.json_field_remove_key(*where, "a")
