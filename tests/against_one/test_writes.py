"""Writes have the same results and effects as in ONE."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from alyx_client import AlyxClient
from alyx_client import webclient as ours
from alyx_client.testing import LocalAlyx
from alyx_client.testing.records.store import Store

theirs: Any = pytest.importorskip("one.webclient", reason="ONE-api is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


def cycle(client: Any, name: str) -> list[Any]:
    tag = {"name": name, "description": "", "protected": False, "public": True}
    created = client.rest("tags", "create", data=tag)
    results = [
        created["name"],
        client.rest("tags", "partial_update", id=name, data={"description": "b"})["description"],
        client.rest("tags", "partial-update", id=name, data={"description": "c"})["description"],
        client.rest("tags", "update", id=name, data={**tag, "description": "d"})["description"],
        client.patch(f"/tags/{name}", data='{"description": "e"}')["description"],
        client.put(f"/tags/{name}", data={**tag, "description": "f"})["description"],
        client.rest("tags", "delete", id=name),
        client.post("/tags", data=tag)["public"],
        client.delete(f"/tags/{name}"),
    ]
    return [None if value == name else value for value in results]


def test_write_cycle_returns_the_same(one: Any, alyx: AlyxClient) -> None:
    assert cycle(alyx, "ours") == cycle(one, "theirs")


Call = Callable[[Any, dict[str, Any]], Any]

MOUSE = {"nickname": "zoe", "lab": "cortexlab", "responsible_user": "olivier", "line": None, "sex": "U"}

CHANGED = {"description": "changed"}

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)

WRITES: dict[str, Call] = {
    "create": lambda client, k: client.rest("subjects", "create", data=MOUSE),
    "create from JSON": lambda client, k: client.rest("subjects", "create", data=json.dumps(MOUSE)),
    "create several": lambda client, k: client.rest("channels", "create", data=[k["channel"], k["channel"]]),
    "create with a file": lambda client, k: client.rest(
        "notes", "create", data=k["note"], files={"image": ("brain.png", PNG)}
    ),
    "post": lambda client, k: client.post("/subjects", MOUSE),
    "post without slash, JSON": lambda client, k: client.post("subjects", data=json.dumps(MOUSE)),
    "post to a URL": lambda client, k: client.post(f"{k['server']}/subjects", data=MOUSE),
    "put": lambda client, k: client.put(f"/subjects/{k['subject']}", {**MOUSE, "nickname": k["subject"]}),
    "put to a URL": lambda client, k: client.put(f"{k['server']}/subjects/flowers", {**MOUSE, "nickname": "flowers"}),
    "patch": lambda client, k: client.patch("subjects/flowers", CHANGED),
    "patch a URL, JSON": lambda client, k: client.patch(f"{k['server']}/subjects/flowers", data=json.dumps(CHANGED)),
    "update": lambda client, k: client.rest("subjects", "update", id="flowers", data={**MOUSE, "nickname": "flowers"}),
    "partial_update": lambda client, k: client.rest("subjects", "partial_update", id="flowers", data=CHANGED),
    "partial-update": lambda client, k: client.rest("subjects", "partial-update", "flowers", CHANGED),
    "a UUID as key": lambda client, k: client.rest(
        "sessions", "partial_update", id=UUID(k["session"]), data={"narrative": "seen"}
    ),
    "UUIDs and tuples in data": lambda client, k: client.patch(
        k["url"], {"json": {"one": UUID(k["session"]), "all": [UUID(k["session"])], "pair": (1, 2)}}
    ),
    "delete by name": lambda client, k: client.rest("subjects", "delete", id="plover"),
    "delete by URL": lambda client, k: client.rest("weighings", "delete", id=k["weighing"]),
    "delete a path": lambda client, k: client.delete(f"weighings/{k['weighing'][-36:]}"),
    "delete a URL": lambda client, k: client.delete(k["weighing"]),
}


@pytest.mark.parametrize("name", WRITES)
def test_writes_have_the_same_result_and_effect(
    name: str, local_alyx: LocalAlyx, one: Any, alyx: AlyxClient, facts: dict[str, Any]
) -> None:
    place = {"axial": 1.0, "lateral": 2.0, "x": 1.0, "y": 2.0, "z": 3.0, "brain_region": 0}
    facts |= {
        "weighing": alyx.rest("weighings", "list")[3]["url"],
        "channel": {**place, "trajectory_estimate": alyx.rest("trajectories", "list")[0]["id"]},
        "note": {"user": "admin", "content_type": "session", "object_id": facts["session"], "text": "seen"},
    }
    before = Store()
    before.copy_from(local_alyx.store)
    tables = ("subjects", "sessions", "weighings", "channels", "notes")

    def state() -> dict[str, Any]:
        return {table: settled(local_alyx.store.rows(table)) for table in tables}

    untouched = state()
    outcomes = []
    for client in (one, alyx):
        outcomes.append((settled(WRITES[name](client, facts)), state()))
        local_alyx.store.copy_from(before)
    before.close()
    assert outcomes[0] == outcomes[1]
    assert outcomes[1][1] != untouched


def settled(value: Any) -> Any:
    """Return a value without the fields that differ in every new record."""
    if isinstance(value, dict):
        new = ("id", "url", "image", "auto_datetime", "date_time", "datetime")
        return {name: settled(item) for name, item in value.items() if name not in new}
    return [settled(item) for item in value] if isinstance(value, list) else value


def test_json_fields_change_in_the_same_way(one: Any, alyx: AlyxClient, facts: dict[str, Any]) -> None:
    def change(client: Any) -> list[Any]:
        where = ("sessions", facts["session"], "extended_qc")
        with (ours if client is alyx else theirs).no_cache(client):
            return [
                client.json_field_write(*where, {"a": 1}),
                client.json_field_update(*where, {"b": {"c": [1]}}),
                client.json_field_remove_key(*where, "a"),
                client.json_field_remove_key(*where, "missing"),
                client.json_field_delete(*where),
                client.json_field_remove_key(*where, "b"),
                client.json_field_update(endpoint="sessions", uuid=facts["session"], data={"d": 1}),
            ]

    assert change(alyx) == change(one)
