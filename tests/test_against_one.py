"""ONE's client and this one, side by side on the local Alyx.

ONE-api is in the dependency group ``one``; without it, these tests are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alyx_client import AlyxClient
from alyx_client import webclient as ours
from alyx_client.errors import ForeignURLError, InvalidCallError, NotAnObjectError, NotFoundError
from alyx_client.testing import LocalAlyx

theirs: Any = pytest.importorskip("one.webclient", reason="ONE-api is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def one(local_alyx: LocalAlyx, tmp_path: Path) -> Any:
    import one.params

    one.params.setup(client=local_alyx.url, silent=True, username="admin", cache_dir=tmp_path / "one")
    client = theirs.AlyxClient(local_alyx.url, "admin", "admin", cache_dir=tmp_path / "one", silent=True)
    client._par = client._par.set("HTTP_DATA_SERVER", local_alyx.data_url.rstrip("/"))
    client._par = client._par.set("HTTP_DATA_SERVER_LOGIN", "local").set("HTTP_DATA_SERVER_PWD", "alyx")
    return client


@pytest.fixture
def alyx(local_alyx: LocalAlyx, tmp_path: Path) -> Iterator[AlyxClient]:
    from alyx_client.config import DataServer

    server = DataServer(local_alyx.data_url, "local", "alyx")
    with AlyxClient(
        local_alyx.url, "admin", "admin", cache_dir=tmp_path / "ours", silent=True, data_server=server
    ) as client:
        yield client


def plain(value: Any) -> Any:
    """Return a list of any kind as a list."""
    return list(value) if not isinstance(value, dict) and hasattr(value, "__len__") else value


Call = Callable[[Any, dict[str, Any]], Any]


@pytest.fixture
def known(alyx: AlyxClient) -> dict[str, Any]:
    session = alyx.rest("sessions", "list")[0]
    return {"session": session["id"], "url": session["url"], "subject": session["subject"], "server": alyx.base_url}


READS: dict[str, Call] = {
    "list": lambda client, k: client.rest("subjects", "list"),
    "pages": lambda client, k: client.rest("datasets", "list", limit=7),
    "index": lambda client, k: [client.rest("datasets", "list", limit=7)[place] for place in (0, 9, -1)],
    "slice": lambda client, k: client.rest("datasets", "list", limit=7)[5:17],
    "length": lambda client, k: len(client.rest("datasets", "list", limit=7)),
    "filters": lambda client, k: client.rest(
        "sessions", "list", subject=k["subject"], date_range=["2020-01-01", "2030-01-01"]
    ),
    "boolean": lambda client, k: client.rest("subjects", "list", alive=True),
    "filters in the endpoint": lambda client, k: client.rest("subjects?alive=True"),
    "leading slash": lambda client, k: client.rest("/subjects", "list"),
    "lists joined": lambda client, k: client.rest("sessions", "list", dataset_types=["trials.table", "wheel.position"]),
    "django": lambda client, k: client.rest("sessions", "list", django="subject__nickname__icontains,t"),
    "django None": lambda client, k: client.rest("sessions", "list", django=None),
    "id on list": lambda client, k: client.rest("sessions", "list", id=k["session"]),
    "id and django on list": lambda client, k: client.rest(
        "sessions", "list", id=k["session"], django=f"subject__nickname,{k['subject']}"
    ),
    "read": lambda client, k: client.rest("sessions", "read", id=k["session"]),
    "read by UUID": lambda client, k: client.rest("sessions", "read", id=UUID(k["session"])),
    "read by URL": lambda client, k: client.rest("sessions", "read", id=k["url"]),
    "read by name": lambda client, k: client.rest("subjects", "read", id=k["subject"]),
    "get": lambda client, k: client.get(f"/sessions/{k['session']}"),
    "get without slash": lambda client, k: client.get(f"sessions/{k['session']}"),
    "get a URL": lambda client, k: client.get(k["url"]),
    "get a list": lambda client, k: client.get(f"/sessions?subject={k['subject']}"),
    "no_cache": lambda client, k: client.rest("labs", "list", no_cache=True),
    "endpoints": lambda client, k: [name for name in client.rest_schemes.endpoints if name != "docs"],
    "actions": lambda client, k: sorted(client.rest_schemes.actions("subjects")),
    "filters of a list": lambda client, k: sorted(client.rest_schemes.field_names("subjects", "list")),
    "url of an action": lambda client, k: client.rest_schemes.url("subjects", "read"),
    "base_url": lambda client, k: client.base_url,
    "user": lambda client, k: (client.authenticate(), client.user)[1],
    "is_logged_in": lambda client, k: (client.authenticate(), bool(client.is_logged_in))[1],
    "cache_mode": lambda client, k: client.cache_mode,
    "default_expiry": lambda client, k: client.default_expiry,
    "relative path": lambda client, k: client.rel_path2url("lab/Subjects/a/2020-01-01/001/alf/x.npy"),
}


@pytest.mark.parametrize("name", READS)
def test_reads_are_the_same(name: str, one: Any, alyx: AlyxClient, known: dict[str, Any]) -> None:
    assert plain(READS[name](alyx, known)) == plain(READS[name](one, known))


def cycle(client: Any, name: str) -> list[Any]:
    tag = {"name": name, "description": "", "protected": False, "public": True}
    made = client.rest("tags", "create", data=tag)
    seen = [
        made["name"],
        client.rest("tags", "partial_update", id=name, data={"description": "b"})["description"],
        client.rest("tags", "partial-update", id=name, data={"description": "c"})["description"],
        client.rest("tags", "update", id=name, data={**tag, "description": "d"})["description"],
        client.patch(f"/tags/{name}", data='{"description": "e"}')["description"],
        client.put(f"/tags/{name}", data={**tag, "description": "f"})["description"],
        client.rest("tags", "delete", id=name),
        client.post("/tags", data=tag)["public"],
        client.delete(f"/tags/{name}"),
    ]
    return [None if value == name else value for value in seen]


def test_records_are_written_the_same_way(one: Any, alyx: AlyxClient) -> None:
    assert cycle(alyx, "ours") == cycle(one, "theirs")


def test_json_fields_are_changed_the_same_way(one: Any, alyx: AlyxClient, known: dict[str, Any]) -> None:
    def change(client: Any) -> list[Any]:
        where = ("sessions", known["session"], "extended_qc")
        with (ours if client is alyx else theirs).no_cache(client):
            return [
                client.json_field_write(*where, {"a": 1}),
                client.json_field_update(*where, {"b": {"c": [1]}}),
                client.json_field_remove_key(*where, "a"),
                client.json_field_remove_key(*where, "missing"),
                client.json_field_delete(*where),
                client.json_field_remove_key(*where, "b"),
                client.json_field_update(endpoint="sessions", uuid=known["session"], data={"d": 1}),
            ]

    assert change(alyx) == change(one)


def test_data_files_are_the_same(one: Any, alyx: AlyxClient) -> None:
    rows = [
        row for row in alyx.rest("datasets", "list") if any(f["exists"] and f["data_url"] for f in row["file_records"])
    ]
    rows = [{**row, "file_records": [f for f in row["file_records"] if f["data_url"]]} for row in rows[:4]]
    urls = ours.dataset_record_to_url(rows)
    assert urls == theirs.dataset_record_to_url(rows)
    assert ours.file_record_to_url(rows[0]["file_records"]) == theirs.file_record_to_url(rows[0]["file_records"])
    plain_urls = [url for url in urls if "%" not in url]
    mine, others = alyx.download_file(plain_urls), one.download_file(plain_urls)
    assert [path.name for path in mine] == [path.name for path in others]
    assert [path.read_bytes() for path in mine] == [path.read_bytes() for path in others]
    assert alyx.download_file(urls[0], return_md5=True)[1] == one.download_file(urls[0], return_md5=True)[1]
    pairs = alyx.download_file(plain_urls, return_md5=True), one.download_file(plain_urls, return_md5=True)
    assert tuple(pairs[0][1]) == tuple(pairs[1][1])


@pytest.mark.parametrize(
    ("url", "params"),
    [
        ("website.com/?q=", {"pg": 5}),
        ("website.com?q=xxx", {"pg": 5, "foo": ["bar", "baz"]}),
        ("https://a.org/sessions?limit=1&offset=2", {"offset": 3}),
        ("/a?b=c d", {"e": "é"}),
    ],
)
def test_urls_are_updated_the_same_way(url: str, params: dict[str, Any]) -> None:
    assert ours.update_url_params(url, params) == theirs.update_url_params(url, params)


# --- where ONE differs, and why this client does otherwise


def test_percent_encoding_keeps_its_meaning() -> None:
    url = "a.org?django=name,a%26b"
    assert ours.update_url_params(url, {"limit": 1}) == "a.org?django=name%2Ca%26b&limit=1"
    assert "b" not in theirs.update_url_params(url, {"limit": 1})


def test_unknown_filters_return_everything_there(one: Any, alyx: AlyxClient) -> None:
    assert len(one.rest("subjects", "list", nicknam="x")) == len(alyx.rest("subjects", "list"))
    with pytest.raises(InvalidCallError, match="'nickname'"):
        alyx.rest("subjects", "list", nicknam="x")


@pytest.mark.parametrize("call", [("subjects", "read"), ("subjects", "create"), ("subjects", "delete")])
def test_what_is_missing_is_a_hint_and_none_there(one: Any, alyx: AlyxClient, call: tuple[str, str]) -> None:
    assert one.rest(*call) is None
    with pytest.raises(InvalidCallError, match="needs"):
        alyx.rest(*call)


def test_a_key_of_zero_counts_as_none_there(one: Any, alyx: AlyxClient) -> None:
    assert one.rest("brain-regions", "read", id=0) is None
    assert alyx.rest("brain-regions", "read", id=0)["id"] == 0


def test_a_read_after_a_write_is_stale_there(one: Any, alyx: AlyxClient, known: dict[str, Any]) -> None:
    def narrative(client: Any, text: str) -> str:
        client.rest("sessions", "read", id=known["session"])
        client.rest("sessions", "partial_update", id=known["session"], data={"narrative": text})
        return str(client.rest("sessions", "read", id=known["session"])["narrative"])

    assert narrative(one, "new") != "new"
    assert narrative(alyx, "newer") == "newer"


def test_users_share_answers_there(local_alyx: LocalAlyx, one: Any, alyx: AlyxClient) -> None:
    one.rest("labs", "list")
    before = len(local_alyx.requests)
    one.authenticate("olivier", "olivier")
    one.rest("labs", "list")
    assert "/labs" not in [request.path for request in local_alyx.requests[before:]]
    alyx.rest("labs", "list")
    alyx.authenticate("olivier", "olivier")
    before = len(local_alyx.requests)
    alyx.rest("labs", "list")
    assert "/labs" in [request.path for request in local_alyx.requests[before:]]


def test_json_that_is_no_object_is_returned_there(one: Any, alyx: AlyxClient, known: dict[str, Any]) -> None:
    alyx.json_field_write("sessions", known["session"], "json", [1])
    assert one.json_field_update("sessions", known["session"], "json", {"a": 1}) == [1]
    with pytest.raises(NotAnObjectError):
        alyx.json_field_update("sessions", known["session"], "json", {"a": 1})


def test_names_that_need_encoding_are_encoded_twice_there(one: Any, alyx: AlyxClient) -> None:
    url = next(url for url in ours.dataset_record_to_url(list(alyx.rest("datasets", "list"))) if "%23" in url)
    with pytest.raises(OSError, match="404"):
        one.download_file(url)
    assert alyx.download_file(url).exists()


def test_errors_are_by_meaning_here(one: Any, alyx: AlyxClient) -> None:
    import requests

    with pytest.raises(requests.HTTPError):
        one.rest("subjects", "read", id="nobody")
    with pytest.raises(NotFoundError):
        alyx.rest("subjects", "read", id="nobody")
    with pytest.raises(ForeignURLError):
        alyx.get("https://other.example.org/subjects")


def test_part_of_a_file_is_taken_for_the_whole_there(one: Any, alyx: AlyxClient) -> None:
    rows = [row for row in alyx.rest("datasets", "list") if row["file_records"] and row["file_records"][0]["data_url"]]
    url = ours.dataset_record_to_url(rows[0])[0]
    one.download_file(url, chunks=(0, 10))
    assert one.download_file(url).stat().st_size == 10
    alyx.download_file(url, chunks=(0, 10))
    assert alyx.download_file(url).stat().st_size == rows[0]["file_size"]
