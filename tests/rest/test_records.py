"""Records called by name: lookup keys, paths and URLs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from alyx_client.errors import (
    ForeignURLError,
    InvalidCallError,
    InvalidKeyError,
    NotFoundError,
    ServerError,
)
from alyx_client.testing import LocalAlyx
from tests.faults import FaultServer, json_response

from .clients import sent


def test_read_accepts_names_urls_and_uuids_in_any_notation(alyx: Any, session: str) -> None:
    record = alyx.rest("sessions", "read", session)
    for key in (UUID(session), session.upper(), record["url"], UUID(session).hex):
        assert alyx.rest("sessions", "read", id=key) == record
    subject = alyx.rest("subjects", "list")[0]
    assert alyx.rest("subjects", "read", id=subject["nickname"])["nickname"] == subject["nickname"]


def test_name_of_digits_is_a_valid_key(alyx: Any) -> None:
    lab = alyx.rest("labs", "list")[0]["name"]
    alyx.rest("subjects", "create", data={"nickname": "437", "lab": lab, "responsible_user": "olivier"})
    assert alyx.rest("subjects", "read", id="437")["nickname"] == "437"
    assert alyx.rest("subjects", "read", id=437)["nickname"] == "437"


def test_zero_is_a_valid_id(alyx: Any) -> None:
    assert alyx.rest("brain-regions", "read", id=0)["id"] == 0


@pytest.mark.parametrize("action", ["read", "update", "partial_update", "partial-update", "delete"])
def test_missing_id_is_an_error_that_names_the_key(alyx: Any, action: str) -> None:
    with pytest.raises(InvalidCallError, match="needs an id, the record's nickname"):
        alyx.rest("subjects", action, data={"lab": "x"})


@pytest.mark.parametrize(("action", "key"), [("create", None), ("update", "a"), ("partial_update", "a")])
def test_missing_data_is_an_error_that_names_the_fields(alyx: Any, action: str, key: str | None) -> None:
    for data in (None, {}, ""):
        with pytest.raises(InvalidCallError, match=r"needs data.*nickname"):
            alyx.rest("subjects", action, id=key, data=data)


def test_unknown_action_suggests_similar_names(alyx: Any) -> None:
    with pytest.raises(InvalidCallError, match=r"'raed'.*'read'"):
        alyx.rest("subjects", "raed", id="a")


def test_filters_of_actions_other_than_list_are_refused(alyx: Any) -> None:
    with pytest.raises(InvalidCallError, match="takes no filters"):
        alyx.rest("subjects", "read", id="a", lab="b")


def test_missing_record_is_a_not_found_error(alyx: Any) -> None:
    with pytest.raises(NotFoundError):
        alyx.rest("subjects", "read", id="nobody")
    with pytest.raises(LookupError):
        alyx.get("/subjects/nobody")


def test_get_accepts_paths_and_urls_of_the_server(alyx: Any, local_alyx: LocalAlyx, session: str) -> None:
    record = alyx.get(f"/sessions/{session}")
    assert record == alyx.get(f"sessions/{session}") == alyx.get(f"{local_alyx.url}/sessions/{session}")
    assert alyx.get("/sessions?subject=" + record["subject"])
    alyx.get("/subjects?django=nickname,a%26b%2Bc%23d e")
    assert sent(local_alyx) == {"django": "nickname,a&b+c#d e"}


@pytest.mark.parametrize("call", ["get", "post", "put", "patch", "delete"])
def test_urls_of_other_servers_are_refused(alyx: Any, local_alyx: LocalAlyx, call: str) -> None:
    for url in ("https://other.example.org/subjects", local_alyx.url.replace("http:", "https:") + "/subjects"):
        with pytest.raises(ForeignURLError):
            getattr(alyx, call)(url)
    with pytest.raises(InvalidKeyError):
        getattr(alyx, call)("/subjects/../users")
    assert not local_alyx.requests


def test_error_response_is_raised_with_its_detail(connect: Callable[..., Any]) -> None:
    failure = json_response({"detail": "broken"}, status=500)
    with FaultServer(then=failure) as server, pytest.raises(ServerError, match="broken"):
        connect(server.url, token="t").get("/subjects")


def test_path_below_an_endpoint_is_never_ignored(alyx: Any, session: str) -> None:
    record = alyx.rest("sessions", "read", id=session)
    assert alyx.rest(f"sessions/{session}", "list") == record
    for key in (f"/sessions/{session}", f"sessions/{session}"):
        assert alyx.rest("sessions", "read", id=key) == record
    with pytest.raises(InvalidCallError, match="more than an endpoint's name"):
        alyx.rest(f"sessions/{session}", "partial_update", data={"narrative": "x"})
    with pytest.raises(InvalidCallError, match="more than an endpoint's name"):
        alyx.rest(f"sessions/{session}", "list", subject="x")
    assert alyx.rest("cache/info", "list") == alyx.rest("cache", "list")
