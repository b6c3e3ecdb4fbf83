from __future__ import annotations

from typing import Any

import httpx2
import pytest

from alyx_client.testing import LocalAlyx

MISSING = "00000000-0000-0000-0000-000000000000"


def rejected(response: httpx2.Response) -> dict[str, Any]:
    assert response.status_code == 400, response.text
    body = dict(response.json())
    assert body.pop("status_code") == 400
    return body


def session(http: httpx2.Client, **values: Any) -> dict[str, Any]:
    body = {"subject": "flowers", "start_time": "2021-03-01T10:00:00", "number": 1, **values}
    response = http.post("/sessions", json=body)
    assert response.status_code == 201, response.text
    return dict(response.json())


def test_subject_is_created_changed_and_deleted(http: httpx2.Client, local_alyx: LocalAlyx) -> None:
    response = http.post("/subjects", json={"nickname": "new-1", "lab": "cortexlab", "alive": False, "unknown": 1})
    assert response.status_code == 201
    created = response.json()
    assert created["url"] == f"{local_alyx.url}/subjects/new-1"
    assert (created["responsible_user"], created["sex"], created["alive"], created["json"]) == (
        "admin",
        "U",
        True,
        None,
    )
    assert "unknown" not in created
    assert "weighings" not in created
    changed = http.patch("/subjects/new-1", json={"description": "small", "id": MISSING, "json": {"a": [1]}}).json()
    assert (changed["description"], changed["id"], changed["json"]) == ("small", created["id"], {"a": [1]})
    assert changed["weighings"] == []
    replaced = http.put("/subjects/new-1", json={"lab": "hillside"}).json()
    assert (replaced["lab"], replaced["description"]) == ("hillside", "small")
    renamed = http.patch("/subjects/new-1", json={"nickname": "new-2"}).json()
    assert renamed["url"] == f"{local_alyx.url}/subjects/new-2"
    deleted = http.delete("/subjects/new-2")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert http.delete("/subjects/new-2").status_code == 404


def test_every_invalid_field_has_a_message(http: httpx2.Client) -> None:
    body = {
        "nickname": "a b/c",
        "lab": "nolab",
        "responsible_user": "nobody",
        "sex": "Q",
        "birth_date": "xx",
        "projects": ["nop"],
        "species": 5,
    }
    nickname = "Nicknames must only contain letters, numbers, hyphens and underscores."
    assert rejected(http.post("/subjects", json=body)) == {
        "nickname": [f"{nickname} Dots are reserved for breeding subjects."],
        "responsible_user": ["Object with username=nobody does not exist."],
        "birth_date": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."],
        "species": ["Object with nickname=5 does not exist."],
        "sex": ['"Q" is not a valid choice.'],
        "projects": ["Object with name=nop does not exist."],
        "lab": ["Object with name=nolab does not exist."],
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "errors"),
    [
        ("POST", "/subjects", {}, {"lab": ["This field is required."]}),
        ("PUT", "/subjects/flowers", {"description": "x"}, {"lab": ["This field is required."]}),
        ("PATCH", "/subjects/flowers", {"lab": None}, {"lab": ["This field may not be null."]}),
        ("PATCH", "/subjects/flowers", {"nickname": True}, {"nickname": ["Not a valid string."]}),
        (
            "PATCH",
            "/subjects/flowers",
            {"nickname": "x" * 65},
            {"nickname": ["Ensure this field has no more than 64 characters."]},
        ),
        (
            "PATCH",
            "/subjects/flowers",
            {"projects": "x"},
            {"projects": ['Expected a list of items but got type "str".']},
        ),
        (
            "PATCH",
            "/subjects/flowers",
            [1],
            {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]},
        ),
        (
            "POST",
            "/weighings",
            {"weight": -1},
            {
                "subject": ["This field is required."],
                "weight": ["Ensure this value is greater than or equal to 0."],
            },
        ),
        ("POST", "/tags", {"name": "work_in_progress"}, {"name": ["tag with this name already exists."]}),
        (
            "POST",
            "/users",
            {"username": "bo", "subjects_responsible": [], "allowed_users": []},
            {"username": ["A user with that username already exists."]},
        ),
        (
            "POST",
            "/data-formats",
            {"name": "x", "file_extension": ""},
            {"file_extension": ["This field may not be blank."]},
        ),
        (
            "POST",
            "/data-notices",
            {"affected_date_start": "2020-01-02", "affected_date_end": "2020-01-01"},
            {"affected_date_end": ["affected_date_end must be on or after affected_date_start."]},
        ),
    ],
)
def test_invalid_bodies_are_rejected(
    http: httpx2.Client, method: str, path: str, body: object, errors: dict[str, list[str]]
) -> None:
    assert rejected(http.request(method, path, json=body)) == errors


def test_fields_must_be_unique_together(http: httpx2.Client) -> None:
    body = {"nickname": "flowers", "lab": "cortexlab", "responsible_user": "olivier"}
    assert rejected(http.post("/subjects", json=body))["non_field_errors"] == [
        "The fields nickname, lab must make a unique set.",
        "The fields nickname, responsible_user must make a unique set.",
    ]
    assert http.patch("/subjects/flowers", json={"nickname": "flowers"}).status_code == 200


def test_session_takes_defaults_from_subject_and_user(http: httpx2.Client) -> None:
    created = session(http)
    assert (created["lab"], created["users"], created["qc"], created["location"]) == (
        "cortexlab",
        ["admin"],
        "NOT_SET",
        None,
    )
    assert created["start_time"] == "2021-03-01T10:00:00"
    assert session(http, start_time="2021-03-02T12:00:00+02:00")["start_time"] == "2021-03-02T10:00:00"


def test_relations_are_represented_by_hyperlinks(http: httpx2.Client, local_alyx: LocalAlyx) -> None:
    parent = session(http)
    child = session(http, parent_session=parent["url"], number=2)
    assert child["parent_session"] == parent["url"]
    for wrong, message in (
        (parent["id"], "Invalid hyperlink - No URL match."),
        (f"{local_alyx.url}/sessions/{MISSING}", "Invalid hyperlink - Object does not exist."),
        (5, "Incorrect type. Expected URL string, received int."),
    ):
        body = {"subject": "flowers", "parent_session": wrong}
        assert rejected(http.post("/sessions", json=body)) == {"parent_session": [message]}


def test_closed_sets_are_validated(http: httpx2.Client) -> None:
    assert rejected(http.post("/sessions", json={"subject": "flowers", "qc": "BAD"})) == {
        "qc": ["Invalid qc, choices are: CRITICAL, FAIL, WARNING, NOT_SET, PASS"]
    }
    created = session(http, qc="CRITICAL")
    assert http.patch(f"/sessions/{created['id']}", json={"qc": "PASS"}).json()["qc"] == "PASS"


def test_json_fields_are_replaced_as_a_whole(http: httpx2.Client) -> None:
    created = session(http, extended_qc={"a": 1, "b": 2})
    changed = http.patch(f"/sessions/{created['id']}", json={"extended_qc": {"a": 3}}).json()
    assert changed["extended_qc"] == {"a": 3}
    assert http.patch(f"/sessions/{created['id']}", json={"extended_qc": None}).json()["extended_qc"] is None


def test_dataset_is_created_by_session_or_by_subject_and_date(http: httpx2.Client) -> None:
    created = session(http)
    body = {"name": "spikes.times.npy", "dataset_type": "spikes.times", "collection": "alf"}
    first = http.post("/datasets", json={**body, "session": created["url"]}).json()
    assert (first["session"], first["created_by"], first["data_format"]) == (created["url"], "admin", "unknown")
    assert (first["hash"], first["version"], first["revision"], first["file_records"]) == ("", "", "", [])
    dataset = http.post("/datasets", json={**body, "subject": "flowers", "date": "2021-03-01", "number": 1}).json()
    assert (dataset["session"], dataset["created_by"]) == (created["url"], None)
    assert http.get(first["url"]).json()["default_dataset"] is False
    response = http.post("/datasets", json={**body, "subject": "flowers", "date": "2031-01-01", "number": 1})
    assert response.status_code == 500
    assert response.json()["detail"] == "A base session for flowers on 2031-01-01 does not exist"


def test_dataset_of_a_probe_folder_is_linked_to_the_probe(http: httpx2.Client) -> None:
    created = session(http)
    probe = http.post("/insertions", json={"session": created["id"], "name": "probe01", "model": "3A"}).json()
    assert probe["session_info"]["subject"] == "flowers"
    body = {"name": "spikes.times.npy", "dataset_type": "spikes.times", "session": created["url"]}
    dataset = http.post("/datasets", json={**body, "collection": "alf/probe01"}).json()
    listed = http.get("/insertions", params={"session": created["id"]}).json()["results"]
    assert listed[0]["datasets"] == [dataset["url"].rsplit("/")[-1]]
    again = http.post("/insertions", json={"session": created["id"], "name": "probe01"})
    assert rejected(again) == {"non_field_errors": ["The fields name, session must make a unique set."]}


def test_second_trajectory_of_the_same_provenance_is_an_internal_error(http: httpx2.Client) -> None:
    created = session(http)
    probe = http.post("/insertions", json={"session": created["id"], "name": "probe00"}).json()
    body = {
        "probe_insertion": probe["id"],
        "x": 1,
        "y": None,
        "depth": 1,
        "theta": 1,
        "phi": 1,
        "provenance": "Planned",
    }
    first = http.post("/trajectories", json=body)
    assert first.status_code == 201
    assert (first.json()["x"], first.json()["y"], first.json()["probe_name"]) == (1.0, None, "probe00")
    second = http.post("/trajectories", json=body)
    assert second.status_code == 500
    assert "unique_trajectory_per_provenance" in second.json()["detail"]


def test_channels_are_created_in_bulk(http: httpx2.Client, local_alyx: LocalAlyx) -> None:
    trajectory = local_alyx.store.rows("trajectories")[-1]["id"]
    body = [{"trajectory_estimate": trajectory, "axial": n, "lateral": 2, "brain_region": 385} for n in range(3)]
    response = http.post("/channels", json=body)
    assert response.status_code == 201
    assert [row["axial"] for row in response.json()] == [0.0, 1.0, 2.0]
    assert http.post("/channels", json=[]).json() == []
    single = http.post("/channels", json={"trajectory_estimate": trajectory, "axial": 9})
    assert single.json()["brain_region"] == 0


def test_invalid_row_in_bulk_is_a_page_with_status_200(http: httpx2.Client, local_alyx: LocalAlyx) -> None:
    before = len(local_alyx.store.rows("channels"))
    response = http.post("/channels", json=[{"axial": 1}, {"axial": "x"}])
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert len(local_alyx.store.rows("channels")) == before


def test_project_without_users_is_created_although_the_request_fails(http: httpx2.Client) -> None:
    response = http.post("/projects", json={"name": "lonely"})
    assert (response.status_code, response.json()["detail"]) == (500, "'LabMember' object is not iterable")
    assert http.get("/projects/lonely").json() == {"name": "lonely", "description": "", "users": []}


def test_delete_cascades_to_dependent_records(http: httpx2.Client) -> None:
    created = session(http)
    http.post("/tasks", json={"session": created["id"], "name": "T"})
    water = http.post("/water-administrations", json={"subject": "flowers", "session": created["id"]}).json()
    assert http.delete(f"/sessions/{created['id']}").status_code == 204
    assert http.get("/tasks", params={"django": f"session__id,{created['id']}"}).json()["count"] == 0
    assert http.get(water["url"]).json()["session"] is None


def test_protected_dataset_is_not_deleted(http: httpx2.Client) -> None:
    dataset = http.get("/datasets", params={"tag": "2021_Q1_first_release"}).json()["results"][0]
    response = http.delete(dataset["url"])
    assert response.status_code == 403
    assert "due to protected tag(s)" in response.json()["detail"]
    http.patch(dataset["url"], json={"tags": []})
    assert http.delete(dataset["url"]).status_code == 204


def test_death_ends_the_water_restriction(http: httpx2.Client) -> None:
    assert http.get("/subjects/clover").json()["last_water_restriction"] is not None
    http.patch("/subjects/clover", json={"death_date": "2021-01-01"})
    listed = http.get("/water-restriction", params={"subject": "clover"}).json()["results"]
    assert listed[0]["end_time"] == "2021-01-01T00:00:00"


def test_old_nicknames_are_recorded_in_the_json_of_a_subject(http: httpx2.Client) -> None:
    changed = http.patch("/subjects/flowers", json={"nickname": "blooms"}).json()
    (earlier,) = changed["json"]["history"]["nickname"]
    assert earlier["value"] == "flowers"
    assert changed["json"]["cage"] == 12


def test_responsible_user_is_set_through_users(http: httpx2.Client) -> None:
    body = {"username": "newcomer", "subjects_responsible": ["plover"], "allowed_users": ["olivier"]}
    created = http.post("/users", json=body).json()
    assert (created["subjects_responsible"], created["allowed_users"], created["lab"]) == (["plover"], ["olivier"], [])
    assert http.get("/subjects/plover").json()["responsible_user"] == "newcomer"


@pytest.mark.parametrize(
    ("content", "kind", "status", "detail"),
    [
        (b"{x", "application/json", 400, "JSON parse error - Expecting property name"),
        (b"x", "text/plain", 415, 'Unsupported media type "text/plain" in request.'),
    ],
)
def test_malformed_bodies_are_rejected(
    http: httpx2.Client, content: bytes, kind: str, status: int, detail: str
) -> None:
    response = http.post("/labs", content=content, headers={"Content-Type": kind})
    assert response.status_code == status
    assert response.json()["detail"].startswith(detail)


def test_form_is_accepted_like_json(http: httpx2.Client) -> None:
    created = http.post("/weighings", data={"subject": "flowers", "weight": "21.5"})
    assert created.status_code == 201
    assert (created.json()["weight"], created.json()["user"]) == (21.5, "admin")
