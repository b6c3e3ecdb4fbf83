"""Records created, changed and deleted by name, with data and files."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alyx_client.errors import (
    InvalidFieldError,
    NotFoundError,
    UnexpectedAnswerError,
)
from alyx_client.rest.requests import join_lists
from alyx_client.testing import LocalAlyx

from .clients import PNG


def test_record_is_created_changed_replaced_and_deleted(alyx: Any) -> None:
    tag = alyx.rest("tags", "create", data={"name": "new tag", "description": "", "protected": False, "public": True})
    assert tag["name"] == "new tag"
    assert (
        alyx.rest("tags", "partial-update", id="new tag", data={"description": "changed"})["description"] == "changed"
    )
    replaced = alyx.rest(
        "tags", "update", id="new tag", data=json.dumps({"name": "new tag", "description": "replaced"})
    )
    assert replaced["description"] == "replaced"
    assert alyx.rest("tags", "delete", id="new tag") is None
    with pytest.raises(NotFoundError):
        alyx.rest("tags", "read", id="new tag")


def test_delete_accepts_a_url(alyx: Any) -> None:
    weighing = alyx.post("/weighings", data={"subject": alyx.rest("subjects", "list")[0]["nickname"], "weight": 21.5})
    assert alyx.delete(weighing["url"]) is None
    again = alyx.post("/weighings", data={"subject": weighing["subject"], "weight": 21.5})
    alyx.rest("weighings", "delete", id=again["url"])
    with pytest.raises(NotFoundError):
        alyx.get(again["url"])


def test_put_and_patch(alyx: Any, session: str) -> None:
    assert alyx.patch(f"/sessions/{session}", {"narrative": "seen"})["narrative"] == "seen"
    lab = alyx.rest("labs", "list")[0]
    assert alyx.put(f"/labs/{lab['name']}", data={**lab, "address": "moved"})["address"] == "moved"


def test_list_of_records_is_created_in_one_request(alyx: Any) -> None:
    trajectory = alyx.rest("trajectories", "list")[0]["id"]
    channel = {"axial": 20.0, "lateral": 40.0, "x": 1.0, "y": 2.0, "z": 3.0, "brain_region": 0}
    created = alyx.rest("channels", "create", data=[{**channel, "trajectory_estimate": trajectory} for _ in range(3)])
    assert len(created) == 3


def test_values_of_numpy_and_other_types_become_json(alyx: Any, local_alyx: LocalAlyx, session: str) -> None:
    class Scalar:
        __module__ = "numpy"
        dtype = "int64"

        def tolist(self) -> int:
            return 7

    data = {
        "json": {
            "scalar": Scalar(),
            "uuid": UUID(session),
            "date": dt.date(2020, 1, 2),
            "time": dt.datetime(2020, 1, 2, 3, 4, 5),
            "decimal": Decimal("1.5"),
            "path": Path("a") / "b",
            1: (1, 2),
        }
    }
    stored = alyx.patch(f"/sessions/{session}", data)["json"]
    assert stored == {
        "scalar": 7,
        "uuid": session,
        "date": "2020-01-02",
        "time": "2020-01-02T03:04:05",
        "decimal": 1.5,
        "path": str(Path("a") / "b"),
        "1": [1, 2],
    }


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"json": {"a": [float("nan")]}}, "not a number"),
        ({"json": {"a": [object()]}}, r"data\['json'\]\['a'\]\[0\]: a object"),
        ({"json": b"bytes"}, r"data\['json'\]: a bytes"),
        ({"start_time": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "time zone"),
        ("{not json", "not JSON"),
    ],
)
def test_value_that_cannot_be_sent_is_named_and_nothing_is_sent(
    alyx: Any, local_alyx: LocalAlyx, session: str, data: Any, message: str
) -> None:
    before = len(local_alyx.requests)
    with pytest.raises(InvalidFieldError, match=message):
        alyx.patch(f"/sessions/{session}", data)
    assert len(local_alyx.requests) == before


@pytest.mark.parametrize("form", ["path", "open file", "bytes", "tuple", "pairs"])
def test_note_with_an_image(alyx: Any, session: str, tmp_path: Path, form: str) -> None:
    file = tmp_path / "brain.png"
    file.write_bytes(PNG)
    with file.open("rb") as opened:
        image = {
            "path": {"image": file},
            "open file": {"image": opened},
            "bytes": {"image": PNG},
            "tuple": {"image": ("brain.png", PNG, "image/png")},
            "pairs": [("image", file)],
        }[form]
        data = {"user": "admin", "content_type": "session", "object_id": session, "text": "x", "json": {"a": 1}}
        note = alyx.rest("notes", "create", data=data, files=image)
    assert note["image"]
    assert note["json"] == {"a": 1}


@pytest.mark.parametrize("files", [{"image": Path("missing.png")}, "text", 3])
def test_invalid_files_are_refused(alyx: Any, files: Any) -> None:
    with pytest.raises(InvalidFieldError):
        alyx.rest("notes", "create", data={"text": "x"}, files=files)


def test_partial_update_sends_fields_that_the_server_would_lose(alyx: Any, local_alyx: LocalAlyx) -> None:
    trajectory = alyx.rest("trajectories", "list")[0]
    assert trajectory["probe_insertion"]
    before = len(local_alyx.requests)
    changed = alyx.rest("trajectories", "partial_update", id=trajectory["id"], data={"roll": 4.0})
    assert changed["probe_insertion"] == trajectory["probe_insertion"]
    read, written = local_alyx.requests[before:]
    assert (read.method, written.method) == ("GET", "PATCH")
    assert written.body_length > len(json.dumps({"roll": 4.0, "probe_insertion": trajectory["probe_insertion"]}))


def test_partial_update_changes_nothing_if_those_fields_cannot_be_read(alyx: Any, local_alyx: LocalAlyx) -> None:
    trajectory = alyx.rest("trajectories", "list")[0]
    path = f"/trajectories/{trajectory['id']}"
    local_alyx.faults.add(path, "truncated_json", keep=0, method="GET")
    before = len(local_alyx.requests)
    with pytest.raises(UnexpectedAnswerError, match="nothing was changed"):
        alyx.rest("trajectories", "partial_update", id=trajectory["id"], data={"roll": 4.0})
    assert [request.method for request in local_alyx.requests[before:]] == ["GET"]


@pytest.mark.parametrize("data", [{"labs": ["a", "b"], "projects": "c"}, '{"labs": ["a", "b"], "projects": "c"}'])
def test_lists_that_older_servers_split_are_one_text(data: Any) -> None:
    names = ("labs", "projects")
    assert join_lists(data, names, "register-file") == {"labs": "a,b", "projects": "c"}
    assert join_lists([{"labs": ["a"]}, {}], names, "register-file") == [{"labs": "a"}, {}]
    assert join_lists(data, (), "tags") is data


def test_lists_that_cannot_be_joined_are_refused_before_anything_is_sent(alyx: Any, local_alyx: LocalAlyx) -> None:
    list(alyx.rest("labs", "list"))
    local_alyx.requests.clear()
    with pytest.raises(InvalidFieldError, match="labs: 'a,b' cannot be one of several names"):
        alyx.rest("register-file", "create", data={"labs": ["a,b"]})
    assert local_alyx.requests == []
