"""Keys of JSON fields, changed by name."""

from __future__ import annotations

from typing import Any

import pytest

from alyx_client.errors import (
    InvalidCallError,
    NotAnObjectError,
)
from alyx_client.testing import LocalAlyx


def test_json_field_is_written_updated_and_deleted(alyx: Any, session: str) -> None:
    assert alyx.json_field_write("sessions", session, "extended_qc", {"a": 1}) == {"a": 1}
    assert alyx.json_field_update("sessions", session, "extended_qc", {"b": 2}) == {"a": 1, "b": 2}
    assert alyx.json_field_update("sessions", session, "extended_qc", {"a": 3}) == {"a": 3, "b": 2}
    assert alyx.json_field_remove_key("sessions", session, "extended_qc", "a") == {"b": 2}
    assert alyx.json_field_delete("sessions", session, "extended_qc") is None
    assert alyx.json_field_remove_key("sessions", session, "extended_qc", "a") is None
    assert alyx.json_field_update("sessions", session, "extended_qc", {"c": None}) == {"c": None}


def test_json_field_methods_accept_keywords(alyx: Any) -> None:
    subject = alyx.rest("subjects", "list")[0]["nickname"]
    where = {"endpoint": "subjects", "uuid": subject}
    alyx.json_field_write(**where, field_name="json", data={"a": None, "b": 1})
    assert alyx.json_field_update(**where, data={"c": 2}) == {"a": None, "b": 1, "c": 2}
    assert alyx.json_field_remove_key(**where, key="a") == {"b": 1, "c": 2}
    assert alyx.json_field_delete(**where, field_name="json") is None


def test_removal_of_a_missing_key_writes_nothing(alyx: Any, local_alyx: LocalAlyx, session: str) -> None:
    alyx.json_field_write("sessions", session, "extended_qc", {"a": 1})
    before = len(local_alyx.requests)
    assert alyx.json_field_remove_key("sessions", session, "extended_qc", "b") == {"a": 1}
    assert [request.method for request in local_alyx.requests[before:]] == ["GET"]


@pytest.mark.parametrize("content", [[1, 2], "text", 3])
def test_field_that_is_not_an_object_is_not_changed(
    alyx: Any, local_alyx: LocalAlyx, session: str, content: Any
) -> None:
    alyx.json_field_write("sessions", session, "json", content)
    before = len(local_alyx.requests)
    with pytest.raises(NotAnObjectError, match="nothing was written"):
        alyx.json_field_update("sessions", session, "json", {"a": 1})
    with pytest.raises(NotAnObjectError):
        alyx.json_field_remove_key("sessions", session, "json", "a")
    assert {request.method for request in local_alyx.requests[before:]} == {"GET"}
    assert alyx.rest("sessions", "read", id=session)["json"] == content


def test_keys_to_set_must_be_a_dictionary(alyx: Any, session: str) -> None:
    with pytest.raises(NotAnObjectError, match="dictionary"):
        alyx.json_field_update("sessions", session, "json", [1])


def test_unknown_field_suggests_similar_names(alyx: Any, session: str) -> None:
    with pytest.raises(InvalidCallError, match=r"'extended_cq'.*'extended_qc'"):
        alyx.json_field_update("sessions", session, "extended_cq", {"a": 1})
