from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx2
import pytest

from alyx_client.testing import LocalAlyx


def test_status_fault_affects_the_requested_number_of_requests(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    local_alyx.faults.add("/labs", "status", status=503, times=2)
    assert [http.get("/labs").status_code for _ in range(3)] == [503, 503, 200]


def test_fault_affects_only_its_path_and_method(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    local_alyx.faults.add("/lab*", "status", status=502, method="POST", skip=1)
    assert http.get("/labs").status_code == 200
    assert http.get("/tags").status_code == 200
    assert http.post("/labs", json={"name": "one"}).status_code == 201
    assert http.post("/labs", json={"name": "two"}).status_code == 502


@pytest.mark.parametrize(
    ("wait", "header"),
    [(7, "7"), (datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), "Wed, 02 Jan 2030 03:04:05 GMT")],
)
def test_retry_after_as_seconds_or_date(
    local_alyx: LocalAlyx, http: httpx2.Client, wait: float | datetime, header: str
) -> None:
    local_alyx.faults.add("*", "status", status=429, retry_after=wait)
    response = http.get("/labs")
    assert (response.status_code, response.headers["retry-after"]) == (429, header)
    assert response.json()["status_code"] == 429


def test_html_page_replaces_the_data(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    local_alyx.faults.add("/labs", "html")
    response = http.get("/labs")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")


def test_truncated_json_is_a_complete_body(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    local_alyx.faults.add("/labs", "truncated_json", keep=20)
    response = http.get("/labs")
    assert len(response.content) == 20
    with pytest.raises(ValueError, match="line 1"):
        response.json()


@pytest.mark.parametrize("reset", [False, True])
def test_body_is_cut_off(local_alyx: LocalAlyx, http: httpx2.Client, reset: bool) -> None:
    local_alyx.faults.add("/labs", "cut_body", reset=reset)
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
        http.get("/labs")
    assert http.get("/labs").status_code == 200


def test_connection_is_reset(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    local_alyx.faults.add("/labs", "reset")
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
        http.get("/labs")
    assert http.get("/labs").status_code == 200


@pytest.mark.parametrize("handled", [False, True])
def test_request_is_carried_out_although_it_seems_to_fail(
    local_alyx: LocalAlyx, http: httpx2.Client, handled: bool
) -> None:
    local_alyx.faults.add("/labs", "status", status=502, method="POST", handled=handled)
    assert http.post("/labs", json={"name": "one"}).status_code == 502
    local_alyx.faults.add("/labs", "reset", method="POST", handled=handled)
    with pytest.raises(httpx2.ReadError):
        http.post("/labs", json={"name": "two"})
    names = {lab["name"] for lab in http.get("/labs").json()["results"]}
    assert names & {"one", "two"} == ({"one", "two"} if handled else set())


def test_announced_length_differs_from_the_content(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    length = len(http.get("/labs").content)
    local_alyx.faults.add("/labs", "wrong_length", delta=-10)
    assert len(http.get("/labs").content) == length - 10
    local_alyx.faults.add("/labs", "wrong_length", delta=10)
    with pytest.raises(httpx2.RemoteProtocolError):
        http.get("/labs")


def test_stale_token_is_replaced_by_a_new_one(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    local_alyx.faults.add("/labs", "stale_token")
    assert http.get("/labs").json()["detail"] == "Invalid token."
    assert http.get("/tags").status_code == 403
    assert http.get("/tags", headers={"Authorization": f"Token {local_alyx.token()}"}).status_code == 200


def test_headers_are_added(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    local_alyx.faults.add("/labs", "headers", headers={"Alyx-API-Notice": "!!! soon"})
    assert http.get("/labs").headers["alyx-api-notice"] == "!!! soon"


def test_text_is_replaced_in_the_body(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    local_alyx.faults.add("/sessions", "replace", old=local_alyx.url, new="https://elsewhere.example.org")
    page = http.get("/sessions", params={"limit": 1}).json()
    assert page["next"].startswith("https://elsewhere.example.org/sessions?")


def test_delay_affects_only_its_request(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    local_alyx.faults.add("/labs", "delay", seconds=30)
    with pytest.raises(httpx2.ReadTimeout):
        http.get("/labs", timeout=0.2)
    assert http.get("/labs").status_code == 200


def test_throttle_counts_requests_by_user(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    local_alyx.faults.throttle(3, seconds=60)
    responses = [http.get("/labs") for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 200, 200, 429]
    assert 1 <= int(responses[-1].headers["retry-after"]) <= 60
    assert responses[-1].json()["detail"].startswith("Request was throttled. Expected available in ")
    other = {"Authorization": f"Token {local_alyx.token('olivier')}"}
    assert http.get("/labs", headers=other).status_code == 200
    local_alyx.faults.throttle(None)
    assert http.get("/labs").status_code == 200


def test_unknown_kind_is_refused(local_alyx: LocalAlyx) -> None:
    with pytest.raises(ValueError, match="no fault of kind 'fire'"):
        local_alyx.faults.add("*", "fire")  # type: ignore[arg-type]


async def test_concurrent_clients_do_not_interfere(local_alyx: LocalAlyx) -> None:
    headers = {"Authorization": f"Token {local_alyx.token()}"}
    async with httpx2.AsyncClient(base_url=local_alyx.url, headers=headers, timeout=30) as client:

        async def work(number: int) -> None:
            name = f"many-{number}"
            assert (await client.post("/subjects", json={"nickname": name, "lab": "attic"})).status_code == 201
            assert (await client.get("/subjects", params={"lab": "attic"})).status_code == 200
            assert (await client.patch(f"/subjects/{name}", json={"json": {"n": number}})).status_code == 200
            if number % 2:
                assert (await client.delete(f"/subjects/{name}")).status_code == 204

        await asyncio.gather(*(work(number) for number in range(40)))
        remaining = (await client.get("/subjects", params={"lab": "attic"})).json()["results"]
    assert sorted(row["json"]["n"] for row in remaining) == list(range(0, 40, 2))
