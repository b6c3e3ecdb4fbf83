"""ONE's client and this one, side by side on the local Alyx.

ONE-api is in the dependency group ``one``; without it, these tests are skipped.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alyx_client import AlyxClient
from alyx_client import webclient as ours
from alyx_client.errors import (
    AlyxError,
    AuthenticationError,
    DownloadsFailedError,
    ForeignURLError,
    InvalidCallError,
    InvalidFieldError,
    MissingCredentialsError,
    NotAnObjectError,
    NotFoundError,
)
from alyx_client.testing import LocalAlyx
from alyx_client.testing.records.store import Store

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
    "tuples joined": lambda client, k: client.rest("sessions", "list", date_range=("2020-01-02", "2020-01-10")),
    "number": lambda client, k: client.rest("sessions", "list", number=1),
    "no rows": lambda client, k: client.rest("sessions", "list", lab="nowhere"),
    "filters in the endpoint and beside it": lambda client, k: client.rest(
        "/sessions?number=1", "list", lab="cortexlab"
    ),
    "filters in the endpoint of a read": lambda client, k: client.rest("subjects?alive=True", "read"),
    "slices": lambda client, k: [
        client.rest("datasets", "list", limit=7)[span]
        for span in (slice(3), slice(-3, None), slice(10, None), slice(-5, -2), slice(3, 3), slice(70, 999))
    ],
    "the first and last index": lambda client, k: [
        client.rest("datasets", "list", limit=7)[place] for place in (-77, 76, -8, 38)
    ],
    "iteration": lambda client, k: [row["url"] for row in client.rest("datasets", "list", limit=7)],
    "truth": lambda client, k: bool(client.rest("datasets", "list", limit=7)),
    "special characters on one page": lambda client, k: client.rest("sessions", "list", django="narrative,a&b + c#d %"),
    "django": lambda client, k: client.rest("sessions", "list", django="subject__nickname__icontains,t"),
    "django in parts": lambda client, k: client.rest(
        "sessions", "list", django=["lab__name,cortexlab", "n_trials__gte", 400]
    ),
    "django negated": lambda client, k: client.rest("sessions", "list", django="~lab__name,cortexlab"),
    "django with a list": lambda client, k: client.rest("sessions", "list", django=f"pk__in,{[k['session']]}"),
    "django None": lambda client, k: client.rest("sessions", "list", django=None),
    "id on list": lambda client, k: client.rest("sessions", "list", id=k["session"]),
    "id and django on list": lambda client, k: client.rest(
        "sessions", "list", id=k["session"], django=f"subject__nickname,{k['subject']}"
    ),
    "read": lambda client, k: client.rest("sessions", "read", id=k["session"]),
    "read by UUID": lambda client, k: client.rest("sessions", "read", id=UUID(k["session"])),
    "read by URL": lambda client, k: client.rest("sessions", "read", id=k["url"]),
    "read by name": lambda client, k: client.rest("subjects", "read", id=k["subject"]),
    "read by name with a dot": lambda client, k: client.rest("subjects", "read", "tulip.02"),
    "read by name of digits": lambda client, k: client.rest("subjects", "read", id=437),
    "read by name with special characters": lambda client, k: client.rest("water-type", "read", "Water 10% Sucrose"),
    "read by number": lambda client, k: client.rest("brain-regions", "read", id=997),
    "get": lambda client, k: client.get(f"/sessions/{k['session']}"),
    "get without slash": lambda client, k: client.get(f"sessions/{k['session']}"),
    "get a URL": lambda client, k: client.get(k["url"]),
    "get a list": lambda client, k: client.get(f"/sessions?subject={k['subject']}"),
    "get pages": lambda client, k: client.get("/datasets?limit=5"),
    "get the URL of a list": lambda client, k: client.get(f"{k['server']}/sessions?lab=cortexlab"),
    "get encoded filters": lambda client, k: client.get("/sessions?django=narrative__icontains,went%20well"),
    "get beside the endpoints": lambda client, k: client.get("/cache/info/"),
    "no_cache": lambda client, k: client.rest("labs", "list", no_cache=True),
    "endpoints": lambda client, k: [name for name in client.rest_schemes.endpoints if name != "docs"],
    "actions": lambda client, k: sorted(client.rest_schemes.actions("subjects")),
    "actions of all endpoints": lambda client, k: {
        name: sorted(client.rest_schemes.actions(name)) for name in client.rest_schemes.endpoints if name != "docs"
    },
    "urls of all actions": lambda client, k: {
        (name, action): client.rest_schemes.url(name, action)
        for name in client.rest_schemes.endpoints
        if name != "docs"
        for action in client.rest_schemes.actions(name)
    },
    "filters of all lists": lambda client, k: {
        name: sorted(client.rest_schemes.field_names(name, "list"))
        for name in client.rest_schemes.endpoints
        if name != "docs" and "list" in client.rest_schemes.actions(name)
    },
    "form of the schema": lambda client, k: client.rest_schemes.backend,
    "url of an action": lambda client, k: client.rest_schemes.url("subjects", "read"),
    "base_url": lambda client, k: client.base_url,
    "user": lambda client, k: (client.authenticate(), client.user)[1],
    "is_logged_in": lambda client, k: (client.authenticate(), bool(client.is_logged_in))[1],
    "cache_mode": lambda client, k: client.cache_mode,
    "default_expiry": lambda client, k: client.default_expiry,
    "relative path": lambda client, k: client.rel_path2url("lab/Subjects/a/2020-01-01/001/alf/x.npy"),
    "relative path with slashes": lambda client, k: client.rel_path2url("/a/x.npy/"),
    "relative Path": lambda client, k: client.rel_path2url(Path("a") / "x.npy"),
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
def test_writes_have_the_same_answer_and_effect(
    name: str, local_alyx: LocalAlyx, one: Any, alyx: AlyxClient, known: dict[str, Any]
) -> None:
    place = {"axial": 1.0, "lateral": 2.0, "x": 1.0, "y": 2.0, "z": 3.0, "brain_region": 0}
    known |= {
        "weighing": alyx.rest("weighings", "list")[3]["url"],
        "channel": {**place, "trajectory_estimate": alyx.rest("trajectories", "list")[0]["id"]},
        "note": {"user": "admin", "content_type": "session", "object_id": known["session"], "text": "seen"},
    }
    before = Store()
    before.copy_from(local_alyx.store)
    tables = ("subjects", "sessions", "weighings", "channels", "notes")

    def state() -> dict[str, Any]:
        return {table: settled(local_alyx.store.rows(table)) for table in tables}

    untouched = state()
    seen = []
    for client in (one, alyx):
        seen.append((settled(WRITES[name](client, known)), state()))
        local_alyx.store.copy_from(before)
    before.close()
    assert seen[0] == seen[1]
    assert seen[1][1] != untouched


def settled(value: Any) -> Any:
    """Return a value without what is another one in every new record."""
    if isinstance(value, dict):
        new = ("id", "url", "image", "auto_datetime", "date_time", "datetime")
        return {name: settled(each) for name, each in value.items() if name not in new}
    return [settled(each) for each in value] if isinstance(value, list) else value


CACHED: dict[str, Callable[[Any, Any], object]] = {
    "twice": lambda client, module: [client.rest("labs", "list"), client.rest("labs", "list")],
    "a record": lambda client, module: [client.rest("labs", "read", id="attic") for _ in range(2)],
    "no rows": lambda client, module: [client.rest("sessions", "list", lab="nowhere") for _ in range(2)],
    "asked anew": lambda client, module: [client.rest("labs", "list", no_cache=each) for each in (False, True, False)],
    "not kept": lambda client, module: [client.rest("labs", "list", expires=True), client.rest("labs", "list")],
    "not kept by get": lambda client, module: [client.get("/labs", expires=True), client.get("/labs")],
    "overwritten": lambda client, module: [client.get("/labs"), client.get("/labs", clobber=True), client.get("/labs")],
    "kept for an hour": lambda client, module: [
        client.rest("labs", "list", expires=timedelta(hours=1)),
        client.rest("labs", "list"),
    ],
    "kept for no time": lambda client, module: [
        setattr(client, "default_expiry", timedelta(0)),
        client.get("/labs"),
        client.get("/labs"),
    ],
    "off": lambda client, module: [setattr(client, "cache_mode", None), client.get("/labs"), client.get("/labs")],
    "forgotten": lambda client, module: [client.get("/labs"), client.clear_rest_cache(), client.get("/labs")],
    "off in a block": lambda client, module: [client.get("/labs"), in_block(client, module), client.get("/labs")],
}


def in_block(client: Any, module: Any) -> object:
    with module.no_cache(client) as same:
        assert same is client
        return client.get("/labs")


@pytest.mark.parametrize("name", CACHED)
def test_the_same_requests_reach_the_server(name: str, local_alyx: LocalAlyx, one: Any, alyx: AlyxClient) -> None:
    sent = []
    for client, module in ((one, theirs), (alyx, ours)):
        client.authenticate()
        local_alyx.requests.clear()
        CACHED[name](client, module)
        sent.append([(request.method, request.path) for request in local_alyx.requests if "schema" not in request.path])
    assert sent[0] == sent[1] != []


def test_logging_in_and_out_is_the_same(local_alyx: LocalAlyx, one: Any, alyx: AlyxClient) -> None:
    def steps(client: Any) -> Iterator[tuple[Any, ...]]:
        token = local_alyx.token("olivier")
        for change in (
            client.authenticate,
            client.logout,
            client.logout,
            lambda: client.authenticate("admin", "admin"),
            lambda: client.authenticate("olivier", "olivier", cache_token=False),
            lambda: client.authenticate("admin", "admin", force=True),
            lambda: client.authenticate("olivier", token=token),
            lambda: client.authenticate("olivier", token={"token": token}),
        ):
            yield change(), client.user, bool(client.is_logged_in)

    assert list(steps(alyx)) == list(steps(one))


def test_the_cache_folder_is_set_the_same_way(one: Any, alyx: AlyxClient, tmp_path: Path) -> None:
    for client in (one, alyx):
        client.cache_dir = str(tmp_path / type(client).__module__ / "new")
        assert client.cache_dir == tmp_path / type(client).__module__ / "new"
        assert client.cache_dir.is_dir()


def test_what_one_has_stored_is_enough(local_alyx: LocalAlyx, one: Any, tmp_path: Path) -> None:
    local_alyx.requests.clear()  # the client of the fixture has logged in
    for module in (theirs, ours):
        client = module.AlyxClient(silent=True)
        assert client.base_url == local_alyx.url
        assert client.cache_dir == tmp_path / "one"
        assert client.get("/labs", expires=True)
        assert client.user == "admin"
    assert "/auth-token" not in [request.path for request in local_alyx.requests]


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


DOWNLOADS: dict[str, Callable[[Any, list[str], Path], Any]] = {
    "one": lambda module, urls, folder: module.http_download_file(urls[0], target_dir=folder, **LOGIN),
    "there already": lambda module, urls, folder: [
        module.http_download_file(urls[0], target_dir=folder, return_md5=True, clobber=clobber, **LOGIN)
        for clobber in (False, False, True)
    ],
    "nothing": lambda module, urls, folder: [module.http_download_file(link) for link in (None, "")],
    "nothing's MD5": lambda module, urls, folder: module.http_download_file(None, return_md5=True),
    "several": lambda module, urls, folder: module.http_download_file_list(urls, target_dir=folder, **LOGIN),
    "a generator": lambda module, urls, folder: module.http_download_file_list(iter(urls), target_dir=folder, **LOGIN),
    "a folder for each": lambda module, urls, folder: module.http_download_file_list(
        urls, target_dir=[folder / "a", folder / "b", folder / "c"], **LOGIN
    ),
    "MD5s": lambda module, urls, folder: module.http_download_file_list(
        urls, target_dir=folder, return_md5=True, **LOGIN
    ),
    "one is None": lambda module, urls, folder: module.http_download_file_list(
        [urls[0], None], target_dir=folder, **LOGIN
    ),
    "none": lambda module, urls, folder: module.http_download_file_list([], target_dir=folder, **LOGIN),
}
LOGIN = {"username": "local", "password": "alyx", "silent": True}


@pytest.mark.parametrize("name", DOWNLOADS)
def test_downloads_without_a_client_are_the_same(name: str, alyx: AlyxClient, tmp_path: Path) -> None:
    urls = whole_files(alyx)[:3]
    found = []
    for module, folder in ((theirs, tmp_path / "a"), (ours, tmp_path / "b")):
        folder.mkdir()
        result = DOWNLOADS[name](module, urls, folder)
        files = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        found.append((repr(result).replace(str(folder), ""), files))
    assert found[0] == found[1]


def test_downloads_by_client_take_the_same_and_go_to_the_same_place(
    local_alyx: LocalAlyx, one: Any, alyx: AlyxClient, tmp_path: Path
) -> None:
    urls = whole_files(alyx)[:3]
    below = urls[0].removeprefix(local_alyx.data_url)
    for source in (urls[0], below, f"/{below}"):
        assert one.download_file(source).relative_to(one.cache_dir) == alyx.download_file(source).relative_to(
            alyx.cache_dir
        )
    for sources in (urls, tuple(urls), iter(urls[:2]), []):
        listed = list(sources)
        assert [path.name for path in one.download_file(iter(listed), target_dir=tmp_path / "a")] == [
            path.name for path in alyx.download_file(iter(listed), target_dir=str(tmp_path / "b"))
        ]


def test_cache_tables_are_the_same(one: Any, alyx: AlyxClient, tmp_path: Path) -> None:
    for where in ({}, {"destination": tmp_path / "tables"}):
        theirs_now, ours_now = one.download_cache_tables(**where), alyx.download_cache_tables(**where)
        assert sorted(path.name for path in theirs_now) == sorted(path.name for path in ours_now)
        assert all(path.is_file() for path in ours_now)


@pytest.mark.parametrize(
    "records",
    [
        [],
        [{"data_url": None}, {"data_url": "https://a.org/b.npy"}],
        [{"data_url": "https://a.org/b%20c.npy?d=e"}, {"data_url": "https://a.org/f.npy"}],
    ],
)
def test_addresses_of_records_are_the_same(records: list[dict[str, Any]]) -> None:
    assert ours.file_record_to_url(records) == theirs.file_record_to_url(records)
    dataset = {"file_records": records}
    for datasets in (dataset, [dataset, dataset], []):
        assert ours.dataset_record_to_url(datasets) == theirs.dataset_record_to_url(datasets)


def whole_files(alyx: AlyxClient) -> list[str]:
    """Return the URLs of files that the data server has, without what is percent-encoded."""
    files = [file for row in alyx.rest("datasets", "list") for file in row["file_records"] if file["exists"]]
    return [url for url in ours.file_record_to_url(files) if "%" not in url]


@pytest.mark.parametrize(
    ("url", "params"),
    [
        ("website.com/?q=", {"pg": 5}),
        ("website.com?q=xxx", {"pg": 5, "foo": ["bar", "baz"]}),
        ("https://a.org/sessions?limit=1&offset=2", {"offset": 3}),
        ("/a?b=c d", {"e": "é"}),
        ("", {"b": 1}),
        ("?x=1", {"b": 1}),
        ("a", {}),
        ("a?b", {"c": 1}),
        ("a?b=1&b=2", {"c": 3}),
        ("a?b=1&b=2", {"b": 3}),
        ("a?b=1", {"b": []}),
        ("a?b=1#frag", {"c": 2}),
        ("a?b=x%20y", {"c": 1}),
        ("a?b=x+y", {"c": 1}),
        ("a?b=c%2Cd", {"e": 1}),
        ("a", {"b": True, "c": None, "d": ""}),
        ("a", {"b": "x y,é&"}),
        ("a", {"b": ("x", "y")}),
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


# Percent-encoded characters are part of a value, on the second page too.
def test_filters_change_from_page_to_page_there(one: Any, alyx: AlyxClient) -> None:
    expected = alyx.rest("sessions", "list")[:5]
    for row in expected:
        alyx.patch(row["url"], {"narrative": "a + b"})
    call = ("sessions", "list")
    filters = {"django": "narrative__icontains,+ b", "limit": 2}
    with pytest.raises(IndexError):
        list(one.rest(*call, **filters))
    assert {row["id"] for row in alyx.rest(*call, **filters)} == {row["id"] for row in expected}


# An offset asks for one page; the rows before it are not its rows.
def test_an_offset_moves_rows_to_the_wrong_places_there(one: Any, alyx: AlyxClient) -> None:
    rows = list(alyx.rest("datasets", "list"))
    page = one.rest("datasets", "list", limit=10, offset=5)
    assert (len(page), page[0], page[12]) == (len(rows), rows[5], rows[12])
    assert alyx.rest("datasets", "list", limit=10, offset=5) == rows[5:15]


# A list of several pages is a sequence, with all that sequences do.
def test_pages_are_no_whole_sequence_there(one: Any, alyx: AlyxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    pages, rows = one.rest("datasets", "list", limit=7), alyx.rest("datasets", "list", limit=7)
    everything = list(rows)
    for use in (lambda r: r[:], lambda r: r[0] in r, lambda r: list(reversed(r))):
        with pytest.raises(TypeError):
            use(pages)
        assert use(rows)
    assert pages != everything
    assert rows == everything

    asked = iter(range(50))
    fetch = pages.populate
    monkeypatch.setattr(pages, "populate", lambda place: (next(asked), fetch(place)))
    with pytest.raises(StopIteration):  # it would go on for ever
        pages[0:20:3]
    assert rows[0:20:3] == everything[0:20:3]


# Nothing is known of a filter that is None; its name in Python is not a value.
def test_none_is_sent_as_text_there(one: Any, alyx: AlyxClient) -> None:
    assert one.rest("sessions", "list", lab=None) == []
    assert list(alyx.rest("sessions", "list", lab=None)) == list(alyx.rest("sessions", "list"))


# What can be said of one key can be said of several, and of a record's URL, as it can be read.
def test_lists_take_one_key_and_no_url_there(one: Any, alyx: AlyxClient) -> None:
    rows = alyx.rest("sessions", "list")[:2]
    for key in ([row["id"] for row in rows], rows[0]["url"]):
        with pytest.raises(OSError, match="500"):
            one.rest("sessions", "list", id=key)
        assert len(alyx.rest("sessions", "list", id=key)) == (2 if isinstance(key, list) else 1)


# A UUID is the same however it is written, and an endpoint the same with a slash.
def test_spellings_are_not_found_there(one: Any, alyx: AlyxClient, known: dict[str, Any]) -> None:
    key = UUID(known["session"])
    for call in (("sessions", "read", str(key).upper()), ("sessions", "read", key.hex), ("subjects/", "list")):
        with pytest.raises(OSError, match="404"):
            one.rest(*call)
        assert alyx.rest(*call)


# A filter of a read has no effect, so whoever passes one expects something that does not happen.
def test_filters_of_a_read_are_dropped_there(one: Any, alyx: AlyxClient) -> None:
    assert one.rest("subjects", "read", id="flowers", lab="hillside")["lab"] == "cortexlab"
    with pytest.raises(InvalidCallError, match="no filters"):
        alyx.rest("subjects", "read", id="flowers", lab="hillside")


# A # in a query is part of a value, as in the folders of revisions; servers never see fragments.
def test_queries_end_at_a_hash_there(one: Any, alyx: AlyxClient) -> None:
    assert one.get("/subjects?lab=cortexlab#1")
    assert alyx.get("/subjects?lab=cortexlab#1") == []


# A URL of another server names another server's record.
def test_urls_of_other_servers_read_this_one_there(one: Any, alyx: AlyxClient, known: dict[str, Any]) -> None:
    url = f"https://other.example.org/sessions/{known['session']}"
    assert one.rest("sessions", "read", id=url)["id"] == known["session"]
    with pytest.raises(ForeignURLError):
        alyx.rest("sessions", "read", id=url)


# What Alyx can store can be sent, and what it cannot is said before it is sent.
def test_values_that_cannot_be_sent_there(one: Any, alyx: AlyxClient, known: dict[str, Any]) -> None:
    numpy = pytest.importorskip("numpy")
    for value, stored in ((numpy.int64(7), 7), (numpy.arange(3), [0, 1, 2]), (timedelta.min, None)):
        with pytest.raises(TypeError):
            one.patch(known["url"], {"json": {"a": value}})
        if stored is not None:
            assert alyx.patch(known["url"], {"json": {"a": value}})["json"] == {"a": stored}
    with pytest.raises(OSError, match="500"):
        one.patch(known["url"], {"json": {"a": float("nan")}})
    with pytest.raises(InvalidFieldError, match="not a number"):
        alyx.patch(known["url"], {"json": {"a": float("nan")}})
    note = {"user": "admin", "content_type": "session", "object_id": known["session"], "json": {"a": 1}}
    with pytest.raises(OSError, match="400"):
        one.rest("notes", "create", data=note, files={"image": ("brain.png", PNG)})
    assert alyx.rest("notes", "create", data=note, files={"image": ("brain.png", PNG)})["json"] == {"a": 1}


# Alyx sets a trajectory's insertion to null where a PATCH leaves it out (the local Alyx does not), and cannot change a
# note without its owner: what was not to be changed goes along.
def test_what_the_server_would_lose_is_not_sent_there(one: Any, alyx: AlyxClient, local_alyx: LocalAlyx) -> None:
    note, trajectory = alyx.rest("notes", "list")[0]["id"], alyx.rest("trajectories", "list")[0]["id"]
    with pytest.raises(OSError, match="500"):
        one.rest("notes", "partial_update", id=note, data={"text": "seen"})
    assert alyx.rest("notes", "partial_update", id=note, data={"text": "seen"})["text"] == "seen"
    local_alyx.requests.clear()
    for client in (one, alyx):
        client.rest("trajectories", "partial_update", id=trajectory, data={"roll": 4.0})
    alone, whole = (request.body_length for request in local_alyx.requests if request.method == "PATCH")
    assert alone == len('{"roll": 4.0}')
    assert whole > alone + len(trajectory)


# Keys that others have set since are kept only if the field is read from the server.
def test_json_keys_of_others_are_lost_there(one: Any, alyx: AlyxClient, known: dict[str, Any]) -> None:
    where = ("sessions", known["session"], "extended_qc")
    for client, other in ((one, alyx), (alyx, one)):
        alyx.json_field_write(*where, {})
        client.rest("sessions", "read", id=known["session"])
        other.json_field_write(*where, {"others": 1})
        kept = client.json_field_update(*where, {"own": 1})
        assert kept == ({"own": 1} if client is one else {"others": 1, "own": 1})


# A key whose value is null is a key.
def test_keys_of_null_stay_there(one: Any, alyx: AlyxClient, known: dict[str, Any]) -> None:
    where = ("sessions", known["session"], "json")
    alyx.json_field_write(*where, {"a": None})
    assert one.json_field_remove_key(*where, "a") == {"a": None}
    assert alyx.json_field_remove_key(*where, "a") == {}


# A key cannot be removed from a list, which is worth a message of its own.
def test_removing_a_key_from_a_list_breaks_there(one: Any, alyx: AlyxClient, known: dict[str, Any]) -> None:
    where = ("sessions", known["session"], "json")
    alyx.json_field_write(*where, [1])
    with pytest.raises(AttributeError):
        one.json_field_remove_key(*where, "a")
    with pytest.raises(NotAnObjectError):
        alyx.json_field_remove_key(*where, "a")


# Each block switches the cache off for itself, and leaves it as it was.
def test_no_cache_of_two_threads_stays_off_there(one: Any, alyx: AlyxClient, local_alyx: LocalAlyx) -> None:
    def overlap(module: Any, client: Any) -> list[str]:
        inside, left = threading.Event(), threading.Event()

        def second() -> None:
            with module.no_cache(client):
                inside.set()
                left.wait(10)

        thread = threading.Thread(target=second)
        with module.no_cache(client):
            thread.start()
            assert inside.wait(10)
        left.set()
        thread.join()
        client.get("/labs")
        local_alyx.requests.clear()
        client.get("/labs")
        return [request.path for request in local_alyx.requests]

    assert overlap(theirs, one) == ["/labs"]
    assert overlap(ours, alyx) == []


# A POST is meant to be sent.
def test_a_post_is_answered_by_a_get_there(one: Any, alyx: AlyxClient) -> None:
    for client, made in ((one, False), (alyx, True)):
        client.cache_mode = "*"
        client.get("/tags")
        client.post("/tags", {"name": "new", "description": "", "protected": False, "public": True})
        assert ("new" in [row["name"] for row in alyx.rest("tags", "list", no_cache=True)]) is made


# A login that fails changes nothing.
def test_a_failed_login_logs_out_there(one: Any, alyx: AlyxClient) -> None:
    alyx.authenticate()
    for client, logged_in in ((one, False), (alyx, True)):
        with pytest.raises(OSError, match=r"password"):
            client.authenticate("admin", "wrong")
        assert bool(client.is_logged_in) is logged_in


# A token is kept once the server has accepted it.
def test_wrong_tokens_are_kept_there(one: Any, alyx: AlyxClient) -> None:
    one.authenticate("olivier", token="0" * 40)
    assert one.is_logged_in
    with pytest.raises(AuthenticationError):
        alyx.authenticate("olivier", token="0" * 40)


# The password that the client was made with is still there to log in again.
def test_a_stale_token_ends_the_session_there(one: Any, alyx: AlyxClient, local_alyx: LocalAlyx) -> None:
    alyx.get("/labs", clobber=True)
    local_alyx.revoke("admin")
    with pytest.raises(OSError, match="password = None"):
        one.get("/labs", clobber=True)
    assert alyx.get("/labs", clobber=True)


# Without a password there is nothing to send.
def test_a_login_without_password_is_sent_there(one: Any, alyx: AlyxClient, local_alyx: LocalAlyx) -> None:
    for client, error, sent in ((one, OSError, ["/auth-token"]), (alyx, MissingCredentialsError, [])):
        client.logout()
        local_alyx.requests.clear()
        with pytest.raises(error):
            client.authenticate("bo")
        assert [request.path for request in local_alyx.requests] == sent


# Both spellings are in ONE's documentation.
def test_is_logged_in_cannot_be_called_there(one: Any, alyx: AlyxClient) -> None:
    alyx.authenticate()
    with pytest.raises(TypeError):
        one.is_logged_in()
    assert alyx.is_logged_in() is True


# A slash at its end makes no other server of it.
def test_a_slash_after_the_address_breaks_there(local_alyx: LocalAlyx, one: Any) -> None:
    login = {"username": "admin", "password": "admin", "silent": True}
    with pytest.raises(OSError, match="404"):
        theirs.AlyxClient(f"{local_alyx.url}/", **login)
    with AlyxClient(f"{local_alyx.url}/", **login) as client:
        assert client.get("/labs")


# A record without an address is left out, whatever says so.
def test_records_without_address_break_there() -> None:
    assert theirs.file_record_to_url([{"data_url": ""}]) == [""]
    with pytest.raises(KeyError):
        theirs.file_record_to_url([{}])
    with pytest.raises(TypeError):
        theirs.file_record_to_url({"data_url": "https://a.org/b"})
    assert ours.file_record_to_url([{"data_url": ""}, {}]) == []
    assert ours.file_record_to_url({"data_url": "https://a.org/b"}) == ["https://a.org/b"]


# A URL is what can be sent: spaces and # are percent-encoded in it.
def test_relative_paths_are_not_encoded_there(one: Any, alyx: AlyxClient) -> None:
    path = "a b/#2020-01-01#/c.npy"
    assert one.rel_path2url(path).endswith(f"/data/{path}")
    assert alyx.rel_path2url(path).endswith("/data/a%20b/%232020-01-01%23/c.npy")


# A login for the data server may be passed with the call, as ONE's own message says.
def test_a_login_with_the_call_breaks_there(one: Any, alyx: AlyxClient) -> None:
    login = {"username": "local", "password": "alyx"}
    with pytest.raises(TypeError):
        one.download_file(whole_files(alyx)[0], **login)
    assert alyx.download_file(whole_files(alyx)[0], **login).exists()


# What ended too early is no file.
def test_short_files_are_taken_for_whole_there(
    one: Any, alyx: AlyxClient, local_alyx: LocalAlyx, tmp_path: Path
) -> None:
    url = whole_files(alyx)[0]
    local_alyx.faults.add("/data/*", "cut_body", times=None)
    with contextlib.suppress(OSError):
        one.download_file(url, target_dir=tmp_path / "a")
    with pytest.raises(AlyxError):
        alyx.download_file(url, target_dir=tmp_path / "b")
    local_alyx.faults.clear()
    there, here = (client.download_file(url, target_dir=tmp_path / name) for client, name in ((one, "a"), (alyx, "b")))
    assert there.stat().st_size < here.stat().st_size


# One file that is missing says nothing of the others.
def test_one_failure_hides_the_other_files_there(one: Any, alyx: AlyxClient) -> None:
    first, second, third = whole_files(alyx)[:3]
    urls = [first, f"{second}x", third]
    with pytest.raises(OSError, match="404") as failure:
        one.download_file(urls)
    assert not hasattr(failure.value, "results")
    with pytest.raises(DownloadsFailedError) as failures:
        alyx.download_file(urls)
    came = failures.value.results
    assert [isinstance(each, Path) for each in came] == [True, False, True]
