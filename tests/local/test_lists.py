from __future__ import annotations

import httpx2
import pytest

from alyx_client.testing import LocalAlyx


def test_every_list_has_several_rows(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    names = [path.strip("/") for path in local_alyx.published.paths if path.count("/") == 1]
    seen = 0
    for name in names:
        response = http.get(f"/{name}")
        if (
            response.status_code == 200
            and response.headers["content-type"] == "application/json"
            and "count" in response.text
        ):
            assert response.json()["count"] >= 2, name
            seen += 1
    assert seen >= 33


def test_pages_link_to_the_next_and_the_previous_one(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    first = http.get("/sessions", params={"limit": 12, "lab": "cortexlab"}).json()
    assert first["previous"] is None
    assert first["next"] == f"{local_alyx.url}/sessions?lab=cortexlab&limit=12&offset=12"
    rows = list(first["results"])
    page = first
    while page["next"]:
        page = http.get(page["next"]).json()
        rows += page["results"]
    assert page["previous"] == f"{local_alyx.url}/sessions?lab=cortexlab&limit=12"
    assert len(rows) == first["count"] == len({row["id"] for row in rows})


def test_limit_is_capped_silently(http: httpx2.Client, local_alyx: LocalAlyx) -> None:
    with local_alyx.store.transaction():
        for number in range(1010):
            local_alyx.store.insert("procedures", {"name": f"p{number}", "json": None, "description": ""})
    page = http.get("/procedures", params={"limit": 5000}).json()
    assert len(page["results"]) == 1000
    assert "limit=1000&offset=1000" in page["next"]
    assert len(http.get("/procedures").json()["results"]) == 250


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_invalid_limit_is_ignored(http: httpx2.Client, limit: str) -> None:
    assert len(http.get("/sessions", params={"limit": limit}).json()["results"]) == 30


def test_filters_are_encoded_once_in_links(http: httpx2.Client) -> None:
    page = http.get("/sessions", params={"django": "number__in,[1,2]", "limit": 1}).json()
    assert "django=number__in%2C%5B1%2C2%5D&limit=1&offset=1" in page["next"]


def test_unknown_filter_is_ignored(http: httpx2.Client) -> None:
    assert http.get("/sessions", params={"subjct": "flowers"}).json()["count"] == 30


def test_links_follow_the_host_of_the_request(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    page = http.get("/sessions", params={"limit": 1}, headers={"Host": "alyx.example.org"}).json()
    assert page["next"].startswith("http://alyx.example.org/sessions?")
    assert page["results"][0]["url"].startswith("http://alyx.example.org/sessions/")


def test_sessions_are_sorted_latest_first_after_undated_ones(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    row = local_alyx.store.rows("sessions")[3]
    local_alyx.store.update("sessions", row["id"], {"start_time": None})
    times = [row["start_time"] for row in http.get("/sessions").json()["results"]]
    assert times[0] is None
    assert times[1:] == sorted(times[1:], reverse=True)


@pytest.mark.parametrize(
    "path", ["/sessions/", "/nothing", "/sessions/not-a-uuid", "/brain-regions/x", "/procedures/x"]
)
def test_path_without_route_is_an_html_page(http: httpx2.Client, path: str) -> None:
    response = http.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")


def test_missing_record_is_a_json_404(http: httpx2.Client) -> None:
    response = http.get("/subjects/nobody")
    assert (response.status_code, response.json()) == (
        404,
        {"detail": "No Subject matches the given query.", "status_code": 404},
    )


def test_wrong_method_is_a_json_405(http: httpx2.Client) -> None:
    response = http.delete("/sessions")
    assert response.status_code == 405
    assert response.json() == {"detail": 'Method "DELETE" not allowed.', "status_code": 405}
    assert "GET" in response.headers["allow"]


def test_water_type_by_name_returns_the_list(http: httpx2.Client) -> None:
    assert http.get("/water-type/Water").json() == http.get("/water-type").json()


def test_names_are_quoted_in_hyperlinks(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    urls = [row["url"] for row in http.get("/water-type").json()["results"]]
    assert f"{local_alyx.url}/water-type/Water%2010%25%20Sucrose" in urls
