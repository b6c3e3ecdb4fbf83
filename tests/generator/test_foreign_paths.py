"""Endpoints and methods of a lab's own paths."""

from __future__ import annotations

from uuid import UUID

import pytest

from alyx_client.errors import InvalidKeyError

from ..faults import FaultServer, json_response, response
from ..faults import page as page_of
from .foreign_packages import Foreign, client, signature

KEY = "0b12ba9e-01e3-4784-8c35-d7bb1bab414f"


def test_nested_paths_take_the_keys_before_their_end_first(foreign: Foreign) -> None:
    generated = foreign("nested paths")
    members = generated.module("labs_members").LabsMembers
    assert signature(members.list) == {"lab": "str", "return": "Results[MemberRecord]"}
    assert signature(members.read) == {"lab": "str", "id": "str", "return": "MemberRecord"}
    assert signature(members.create) == {"lab": "str", "member": "Member", "return": "MemberRecord"}
    assert list(signature(members.partial_update)) == ["lab", "id", "user", "return"]
    assert signature(members.promote) == {"lab": "str", "id": "str", "return": "None"}
    assert generated.findings == []
    member = generated.module("models").Member
    with FaultServer(
        [page_of([{"user": "a"}]), *[json_response({"user": "b"})] * 3, *[response(status=204)] * 2]
    ) as server:
        alyx = client(generated, server)
        assert [member.user for member in alyx.labs_members.list("cortex lab")] == ["a"]
        assert alyx.labs_members.read(f"{server.url}/labs/x", "1").user == "b"
        alyx.labs_members.create("x", member(user="b"))
        alyx.labs_members.partial_update("x", "1", user="b")
        alyx.labs_members.delete("x", "1")
        alyx.labs_members.promote("x", "1")
        assert server.paths == [
            "/labs/cortex%20lab/members",
            *["/labs/x/members/1", "/labs/x/members", "/labs/x/members/1", "/labs/x/members/1"],
            "/labs/x/members/1/promote/",
        ]
        for wrong in ("", "..", f"{server.url}/subjects/x"):
            with pytest.raises(InvalidKeyError):
                alyx.labs_members.list(wrong)
        with pytest.raises(TypeError, match="takes filters by name only"):
            alyx.labs_members.list("x", "y")


async def test_nested_paths_of_the_asynchronous_client(foreign: Foreign) -> None:
    generated = foreign("nested paths")
    with FaultServer([page_of([{"user": "a"}]), json_response({"user": "b"})]) as server:
        async with generated.module("client").AsyncAlyxClient(server.url, token="t", silent=True) as alyx:
            assert [member.user async for member in alyx.labs_members.list("x")] == ["a"]
            assert (await alyx.labs_members.read("x", "1")).user == "b"
        assert server.paths == ["/labs/x/members", "/labs/x/members/1"]


def test_extra_actions_are_methods_of_the_endpoint_that_they_act_on(foreign: Foreign) -> None:
    generated = foreign("extra actions")
    assert [endpoint.name for endpoint in generated.result.api.endpoints] == ["sessions"]
    sessions = generated.module("sessions").Sessions
    assert signature(sessions.lock) == {"id": "UUID | str", "reason": "Reason", "return": "ThingRecord"}
    assert signature(sessions.summary) == {"return": "StateRecord"}
    assert signature(sessions.summary_csv) == {"return": "bytes"}
    assert signature(sessions.read_state) == {"id": "UUID | str", "return": "StateRecord"}
    assert signature(sessions.update_state) == {"id": "UUID | str", "state": "State", "return": "StateRecord"}
    assert {"import_", "read_"} <= set(vars(sessions))
    models = generated.module("models")
    script = [
        json_response({"id": 1, "name": "a"}),
        json_response({"state": "on"}),
        response(status=202),
        response(b"a,b"),
    ]
    with FaultServer(script) as server:
        alyx = client(generated, server)
        assert alyx.sessions.lock(UUID(KEY), models.Reason(user="a")).name == "a"
        assert server.requests[-1].json() == {"user": "a"}
        assert alyx.sessions.summary().state == "on"
        assert alyx.sessions.import_(KEY) is None
        assert alyx.sessions.summary_csv() == b"a,b"
        assert server.paths == [
            f"/sessions/{KEY}/lock",
            "/sessions/summary",
            f"/sessions/{KEY}/import",
            "/sessions/summary/csv",
        ]
        with pytest.raises(InvalidKeyError, match="looked up by UUID"):
            alyx.sessions.lock("one", models.Reason(user="a"))


def test_pages_under_a_key_are_lists(foreign: Foreign) -> None:
    alone = foreign("page under a key").module("things").Things
    assert signature(alone.list) == {"lab": "str", "return": "Results[ThingRecord]"}
    both = foreign("page with and without a key")
    assert signature(both.module("things").Things.list_by_lab) == {"lab": "str", "return": "Results[ThingRecord]"}
    with FaultServer([page_of([{"id": 1, "name": "a"}])]) as server:
        assert len(client(both, server).things.list_by_lab("x")) == 1
        assert server.paths == ["/things/x"]


def test_keys_of_every_kind(foreign: Foreign) -> None:
    generated = foreign("other keys")
    assert signature(generated.module("numbers").Numbers.read)["pk"] == "int | str"
    assert signature(generated.module("slugs").Slugs.read)["slug"] == "str"
    several = foreign("several keys")
    assert signature(several.module("things").Things.read) == {"lab": "str", "name": "str", "return": "ThingRecord"}
    with FaultServer(then=json_response({"id": 1, "name": "a"})) as server:
        alyx = client(generated, server)
        alyx.files.read("a/b c.txt")
        alyx.numbers.read(3)
        client(several, server).things.read("x", "y")
        assert server.paths == ["/files/a/b%20c.txt", "/numbers/3", "/things/x/y"]


def test_key_in_part_of_a_segment_is_reported(foreign: Foreign) -> None:
    assert foreign("key in part of a segment").findings == [
        "things_format.GET /things.{format}: no method: a key is only part of a segment of the path"
    ]
