"""Requests that no client of this package sends, and what Alyx 3.6.1 was seen to respond."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest

from alyx_client.testing import LocalAlyx
from alyx_client.testing.seed.subjects import PUBLIC_USER


# One server for all requests that leave nothing behind: a reset takes longer than a request.
@pytest.fixture(scope="module")
def shared() -> Iterator[httpx2.Client]:
    with LocalAlyx() as local:
        headers = {"Authorization": f"Token {local.token()}"}
        with httpx2.Client(base_url=local.url, headers=headers, timeout=60) as client:
            yield client


COLLECTION = "GET, POST, HEAD, OPTIONS"
RECORD = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
SESSION = "flowers/2020-01-01/001"


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/subjects", 200, COLLECTION),
        ("HEAD", "/subjects", 200, COLLECTION),
        ("GET", "/subjects/flowers", 200, RECORD),
        ("GET", "/subjects/nosuch", 404, RECORD),
        ("DELETE", "/subjects", 405, COLLECTION),
        ("POST", "/subjects/flowers", 405, RECORD),
        ("TRACE", "/subjects", 405, COLLECTION),
        ("FOO", "/subjects/flowers", 405, RECORD),
        ("OPTIONS", "/subjects", 200, COLLECTION),
        ("OPTIONS", "/register-file", 200, "POST, OPTIONS"),
        ("GET", "/register-file", 405, "POST, OPTIONS"),
        ("HEAD", "/auth-token", 405, "POST, OPTIONS"),
        ("OPTIONS", "/cache/info/", 200, "GET, HEAD, OPTIONS"),
        ("PUT", "/api/schema", 405, "GET, HEAD, OPTIONS"),
        ("POST", "/cache.zip", 405, "GET, HEAD, OPTIONS"),
    ],
)
def test_every_response_names_the_methods(
    shared: httpx2.Client, method: str, path: str, status: int, allow: str
) -> None:
    response = shared.request(method, path)
    assert (response.status_code, response.headers["Allow"]) == (status, allow)
    assert response.headers["Vary"] == "Accept, Cookie"
    if status == 405 and method != "HEAD":
        assert response.json() == {"detail": f'Method "{method}" not allowed.', "status_code": 405}


def test_options_describe_the_view(shared: httpx2.Client) -> None:
    assert shared.options("/cache/info/").json() == {
        "name": "Cache Info",
        "description": "",
        "renders": ["application/json", "text/html"],
        "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
    }


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/cache/info", "/cache/info/"),
        ("/cache/info?x=1", "/cache/info/?x=1"),
        ("/cache/info/nosuch", "/cache/info/nosuch/"),
        ("/docs", "/docs/"),
    ],
)
def test_missing_slash_is_redirected(shared: httpx2.Client, path: str, location: str) -> None:
    for method in ("GET", "HEAD", "POST"):
        response = shared.request(method, path)
        assert (response.status_code, response.headers["Location"]) == (301, location)


def test_created_record_is_located_by_its_url(http: httpx2.Client) -> None:
    created = http.post("/weighings", json={"subject": "flowers", "weight": 20})
    assert created.headers["Location"] == created.json()["url"]
    assert "Location" not in http.post("/tags", json={"name": "new"}).headers, "a tag has no url"


@pytest.mark.parametrize(
    ("path", "accept", "status", "kind"),
    [
        ("/labs", "application/xml", 406, "application/json"),
        ("/labs", "garbage", 406, "application/json"),
        ("/labs", "application/xml, */*;q=0.1", 200, "application/json"),
        ("/labs", "application/*", 200, "application/json"),
        ("/labs?format=xml", "*/*", 404, "application/json"),
        ("/auth-token", "text/html", 406, "application/json"),
        ("/api/schema", "text/html", 406, "application/json"),
        ("/api/schema", "*/*", 200, "application/vnd.oai.openapi"),
        ("/api/schema", "application/json", 200, "application/json"),
        ("/api/schema", "application/vnd.oai.openapi+json", 200, "application/vnd.oai.openapi+json"),
        ("/api/schema?format=json", "*/*", 200, "application/vnd.oai.openapi+json"),
    ],
)
def test_media_types_are_negotiated(shared: httpx2.Client, path: str, accept: str, status: int, kind: str) -> None:
    response = shared.get(path, headers={"Accept": accept})
    assert (response.status_code, response.headers["Content-Type"]) == (status, kind)


@pytest.mark.parametrize(
    ("content_type", "content", "status", "error"),
    [
        (None, b"{}", 415, {"detail": 'Unsupported media type "" in request.'}),
        (
            "application/json",
            b"\xef\xbb\xbf{}",
            400,
            {
                "detail": "JSON parse error - Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)",
            },
        ),
        (
            "application/json",
            b"\xff",
            400,
            {"detail": "JSON parse error - 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"},
        ),
        (
            "multipart/form-data",
            b"{}",
            400,
            {"detail": "Multipart form parse error - Invalid boundary in multipart: None"},
        ),
        ("application/json; charset=nosuch", b'{"institution": "x"}', 400, {"name": ["This field is required."]}),
        ("application/json", b"null", 400, {"non_field_errors": ["No data provided"]}),
    ],
)
def test_unreadable_bodies(
    shared: httpx2.Client, content_type: str | None, content: bytes, status: int, error: dict[str, object]
) -> None:
    response = shared.post("/labs", content=content, headers={"Content-Type": content_type} if content_type else {})
    assert (response.status_code, response.json()) == (status, {**error, "status_code": status})


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
        (None, {"non_field_errors": ["No data provided"]}),
        (
            {"username": ["a"], "password": None},
            {"username": ["Not a valid string."], "password": ["This field may not be null."]},
        ),
        ({"username": "a\0b", "password": "x"}, {"username": ["Null characters are not allowed."]}),
    ],
)
def test_unreadable_logins(local_alyx: LocalAlyx, body: object, errors: dict[str, list[str]]) -> None:
    json_type = {"Content-Type": "application/json"}
    response = httpx2.post(f"{local_alyx.url}/auth-token", content=json.dumps(body), headers=json_type)
    assert (response.status_code, response.json()) == (400, {**errors, "status_code": 400})


def test_spaces_around_a_user_name_are_ignored(local_alyx: LocalAlyx) -> None:
    login = {"username": " admin ", "password": "admin"}
    assert httpx2.post(f"{local_alyx.url}/auth-token", json=login).status_code == 200


def test_token_of_invalid_characters(local_alyx: LocalAlyx) -> None:
    response = httpx2.get(f"{local_alyx.url}/labs", headers=[(b"Authorization", b"Token \xff")])
    assert response.status_code == 403
    assert response.json()["detail"] == "Invalid token header. Token string should not contain invalid characters."


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("/weighings", {"subject": True}, 400, {"subject": ["Object with nickname=True does not exist."]}),
        ("/weighings", {"subject": {"a": 1}}, 400, {"subject": ["Object with nickname={'a': 1} does not exist."]}),
        (
            "/weighings",
            {"subject": ["flowers"]},
            400,
            {"subject": ["Object with nickname=['flowers'] does not exist."]},
        ),
        ("/weighings", {"subject": "\ud800"}, 400, {"subject": ["Invalid value."]}),
        (
            "/weighings",
            {"date_time": "0001-01-01T00:00:00+23:00"},
            400,
            {"date_time": ["Datetime value out of range."]},
        ),
        ("/channels", {"brain_region": float("inf")}, 500, {"detail": "cannot convert float infinity to integer"}),
        (
            "/register-file",
            {"path": SESSION, "created_by": ["x"]},
            500,
            {"detail": "LabMember matching query does not exist."},
        ),
        (
            "/register-file",
            {"path": SESSION, "name": {"a": 1}},
            400,
            {"detail": "The specified repository does not exist."},
        ),
        ("/weighings", {"subject": "\0"}, 400, {"subject": ["Invalid value."]}),
        ("/weighings", {"subject": ""}, 400, {"subject": ["This field may not be null."]}),
        ("/insertions", {"name": "a", "session": ["x"]}, 400, {"session": ["“['x']” is not a valid UUID."]}),
        ("/insertions", {"name": "a", "session": 5}, 400, {"session": ["Object with id=5 does not exist."]}),
        ("/channels", {"brain_region": [1]}, 400, {"brain_region": ["Invalid value."]}),
        ("/tasks", {"parents": ["x"]}, 400, {"parents": ["“x” is not a valid UUID."]}),
        ("/trajectories", [], 500, {"detail": "'list' object has no attribute 'get'"}),
        ("/register-file", [], 500, {"detail": "'list' object has no attribute 'get'"}),
        ("/register-file", None, 500, {"detail": "'NoneType' object has no attribute 'get'"}),
        ("/register-file", {"path": 5}, 500, {"detail": "'int' object has no attribute 'replace'"}),
        (
            "/register-file",
            {"path": "flowers/2020-13-01/001"},
            500,
            {
                "detail": "['“2020-13-01” value has the correct format (YYYY-MM-DD) but it is an invalid date.']",
            },
        ),
        ("/new-download", {"datasets": 5}, 500, {"detail": "'int' object is not iterable"}),
        ("/new-download", [], 500, {"detail": "'list' object has no attribute 'get'"}),
    ],
)
def test_odd_bodies(shared: httpx2.Client, path: str, body: object, status: int, error: dict[str, object]) -> None:
    response = shared.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert response.status_code == status
    assert {**error, "status_code": status}.items() <= response.json().items()
    assert "This field is required." not in str(response.json().get("session"))


@pytest.mark.parametrize(
    ("changes", "status", "expected"),
    [
        ({"strain": "", "litter": ""}, 200, {"strain": None, "litter": None}),
        ({"lab": ""}, 400, {"lab": ["This field may not be null."]}),
        ({"projects": {}}, 200, {"projects": []}),
        ({"projects": [""]}, 400, {"projects": ["Object with name= does not exist."]}),
        ({"session_projects": ["nosuch"], "alive": False, "nosuch": 1, "id": None}, 200, {"alive": True}),
        ({"json": ""}, 200, {"json": ""}),
        ({"json": {"a": [float("nan")]}}, 400, {"json": ["Value must be valid JSON."]}),
        ({"json": {"a": "\ud800"}}, 500, {"detail": "invalid input syntax for type json"}),
        ({"json": {"a": "\0"}}, 500, {"detail": "unsupported Unicode escape sequence"}),
        ({"json": {"a": "\\u0000"}}, 200, {"json": {"a": "\\u0000"}}),
        ({"description": "\ud800"}, 400, {"description": ["Surrogate characters are not allowed: U+D800."]}),
        ({"json": 5}, 500, {"detail": "'int' object has no attribute 'get'"}),
        (
            {"birth_date": ""},
            400,
            {"birth_date": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."]},
        ),
    ],
)
def test_odd_changes(http: httpx2.Client, changes: Mapping[str, object], status: int, expected: dict[str, Any]) -> None:
    response = http.patch(
        "/subjects/flowers", content=json.dumps(changes), headers={"Content-Type": "application/json"}
    )
    assert response.status_code == status
    assert expected.items() <= response.json().items()
    assert http.get("/subjects/flowers").status_code == 200


def test_note_is_not_moved_to_a_record_that_does_not_exist(http: httpx2.Client) -> None:
    note = http.get("/notes", params={"limit": 1}).json()["results"][0]
    body = {"content_type": "session", "object_id": "00000000-0000-0000-0000-000000000000"}
    response = http.patch(f"/notes/{note['id']}", json=body)
    assert (response.status_code, response.json()["detail"]) == (500, "Session matching query does not exist.")


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/subjects?nickname=%00", 400, {"nickname": ["Null characters are not allowed."]}),
        ("/sessions?tag=%00", 400, {"tag": ["Null characters are not allowed."]}),
        ("/subjects?django=nickname__regex,[", 500, {}),
        ("/subjects?django=json__a__iregex,*", 500, {}),
        ("/subjects?django=birth_date__range,[]", 500, {"detail": "tuple index out of range"}),
        (
            "/sessions?date_range=0000-01-01,2020-01-01",
            500,
            {
                "detail": "['“0000-01-01” value has the correct format (YYYY-MM-DD) but it is an invalid date.']",
            },
        ),
        ("/subjects/%00", 404, {"detail": "Not found."}),
        ("/subjects?django=,", 500, {"detail": "Cannot parse keyword query ''"}),
        ("/sessions?dataset_qc_lte=11", 500, {"detail": "11 is not a valid QC"}),
        ("/sessions?dataset_qc_lte=10", 200, {}),
        ("/datasets?created_date_gte=2020-1-1", 200, {}),
        ("/datasets?date=2020-1-1", 200, {}),
        ("/sessions?number=nan", 400, {"number": ["Enter a number."]}),
        ("/sessions?number=1e400", 400, {"number": ["Ensure this value is less than or equal to 1e+50."]}),
        (
            "/water-requirement/flowers?start_date=abc",
            500,
            {"detail": "time data 'abc 12:00:00' does not match format '%Y-%m-%d %H:%M:%S'"},
        ),
    ],
)
def test_odd_queries(shared: httpx2.Client, path: str, status: int, error: dict[str, object]) -> None:
    response = shared.get(path)
    assert response.status_code == status
    assert error.items() <= response.json().items()
    assert not re.match(r"\w+: ", response.json().get("detail", "")), "an error of this package"


def test_weight_may_be_no_number(http: httpx2.Client) -> None:
    created = http.post("/weighings", json={"subject": "flowers", "weight": "NaN"})
    assert created.status_code == 201
    assert '"weight":NaN' in created.text
    assert http.get("/subjects/flowers").status_code == 200


def test_weighing_without_a_date_breaks_its_subject(http: httpx2.Client) -> None:
    body = {"subject": "flowers", "weight": 20, "date_time": None}
    created = http.post("/weighings", json=body)
    assert (created.status_code, created.json()["detail"]) == (500, "")
    assert http.get("/weighings", params={"nickname": "flowers"}).json()["results"][-1]["date_time"] is None
    assert {http.get(path).status_code for path in ("/subjects/flowers", "/subjects")} == {500}


def test_services_without_permissions_serve_everybody(local_alyx: LocalAlyx) -> None:
    public = {"Authorization": f"Token {local_alyx.token(PUBLIC_USER)}"}
    body = {"path": f"{SESSION}/alf", "filenames": "spikes.times.npy", "name": "data_server"}
    for headers in ({}, public):
        with httpx2.Client(base_url=local_alyx.url, headers=headers) as client:
            assert client.get("/sync-file-status").status_code == 200
            assert client.get("/register-file").status_code == 405
            assert client.head("/labs").status_code == 403
            assert client.post("/new-download", json={"datasets": []}).status_code == 201
    registered = httpx2.post(f"{local_alyx.url}/register-file", json=body, headers=public)
    assert registered.status_code == 201
    assert registered.json()[0]["created_by"] == PUBLIC_USER
