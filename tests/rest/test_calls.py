"""The calls by name, the same tests for both clients."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.errors import (
    BadRequestError,
    ForeignURLError,
    InvalidCallError,
    InvalidFieldError,
    InvalidKeyError,
    NotAnObjectError,
    NotFoundError,
    ServerError,
)
from alyx_client.http.retry import Retries
from alyx_client.rest.url_params import update_url_params
from alyx_client.testing import LocalAlyx
from alyx_client.testing.schema.coreapi import read_coreapi
from tests.faults import FaultServer, json_answer, page

QUICK = Retries(base=0.001, cap=0.001)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


class Sync:
    def __init__(self, url: str, **settings: Any) -> None:
        self.client: Any = AlyxClient(url, **{"retries": QUICK, "cache_rest": None, "silent": True, **settings})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def close(self) -> None:
        self.client.close()


class Async:
    """The asynchronous client with every call run to its end, and lists read whole."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.client: Any = AsyncAlyxClient(url, **{"retries": QUICK, "cache_rest": None, "silent": True, **settings})
        self._runner = asyncio.Runner()

    def __getattr__(self, name: str) -> Any:
        def wait(value: Any) -> Any:
            async def run() -> Any:
                result = await value
                return await result.all() if hasattr(result, "all") else result

            return self._runner.run(run())

        found = getattr(self.client, name)
        if hasattr(found, "__await__"):
            return wait(found)
        return (lambda *args, **kwargs: wait(found(*args, **kwargs))) if callable(found) else found

    def close(self) -> None:
        self._runner.run(self.client.aclose())
        self._runner.close()


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def make(url: str, **settings: Any) -> Any:
        made.append(request.param(url, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def alyx(connect: Callable[..., Any], local_alyx: LocalAlyx) -> Any:
    return connect(local_alyx.url, token=local_alyx.token())


@pytest.fixture
def session(alyx: Any) -> str:
    return str(alyx.rest("sessions", "list")[0]["id"])


def sent(local: LocalAlyx) -> dict[str, str]:
    """Return the query of the last request."""
    return dict(parse_qsl(local.requests[-1].query, keep_blank_values=True))


# --- what there is


def test_endpoints_are_printed_and_returned(alyx: Any, capsys: pytest.CaptureFixture[str]) -> None:
    names = alyx.list_endpoints()
    assert {"subjects", "sessions", "cache", "cache.zip"} <= set(names)
    assert not {"api", "auth-token", "docs"} & set(names)
    assert capsys.readouterr().out.splitlines() == names
    assert alyx.rest() == names


def test_endpoint_is_described(alyx: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert alyx.rest("weighings") == ["list", "read", "create", "delete"]
    shown = capsys.readouterr().out
    assert "create: POST /weighings" in shown
    assert "subject    string, required" in shown
    alyx.print_endpoint_info("weighings", "create")
    shown = capsys.readouterr().out
    assert "create: POST /weighings" in shown
    assert "list: GET" not in shown


@pytest.mark.parametrize(
    "ask", [lambda alyx: alyx.rest("subjets"), lambda alyx: alyx.print_endpoint_info("subjets", "list")]
)
def test_description_of_an_unknown_endpoint_names_the_nearest(alyx: Any, ask: Callable[[Any], Any]) -> None:
    with pytest.raises(InvalidCallError, match=r"'subjets'.*'subjects'"):
        ask(alyx)


def test_schemes_tell_actions_fields_and_paths(alyx: Any) -> None:
    schemes = alyx.rest_schemes
    assert schemes.backend == "open_api_v3"
    assert schemes.actions("subjects") == ["list", "read", "create", "update", "partial_update", "delete"]
    assert schemes.url("subjects", "read") == "/subjects/{nickname}"
    assert "alive" in schemes.field_names("subjects", "list")
    lab = next(field for field in schemes.fields("subjects", "create") if field["name"] == "lab")
    assert (lab["in"], lab["required"], lab["schema"]["type"]) == ("body", True, "string")


def test_schema_is_fetched_once_and_late(alyx: Any, local_alyx: LocalAlyx) -> None:
    assert not local_alyx.requests
    for _ in range(2):
        alyx.rest("labs", "list")
    assert [request.path for request in local_alyx.requests].count("/api/schema") == 1


def test_server_that_speaks_coreapi_alone(connect: Callable[..., Any], legacy_schema: Path) -> None:
    with LocalAlyx(legacy_schema) as old:
        alyx = connect(old.url, token=old.token())
        assert alyx.rest_schemes.backend == "core_api"
        assert alyx.rest("subjects", "list", alive=True)
        with pytest.raises(InvalidCallError, match="'aliv'"):
            alyx.rest("subjects", "list", aliv=True)
        assert alyx.rest("cache", "list")


@pytest.fixture
def legacy_schema(tmp_path: Path) -> Path:
    """Write a small CoreAPI document."""

    def link(url: str, *fields: str, action: str = "get", where: str = "query") -> dict[str, Any]:
        described = [{"name": name, "location": where, "schema": {"_type": "string"}} for name in fields]
        return {"_type": "link", "url": url, "action": action, "fields": described}

    document = {
        "_type": "document",
        "_meta": {"title": ""},
        "subjects": {
            "list": link("/subjects", "alive", "limit", "offset"),
            "read": link("/subjects/{nickname}", "nickname", where="path"),
        },
        "cache": {"info": {"list": link("/cache/info/")}},
    }
    assert read_coreapi(document)
    file = tmp_path / "legacy.json"
    file.write_text(json.dumps(document))
    return file


@pytest.mark.parametrize("content", [{"openapi": "3.0.3"}, [], "text"])
def test_schema_that_is_none_is_an_error(connect: Callable[..., Any], content: Any) -> None:
    with FaultServer(then=json_answer(content)) as server, pytest.raises(InvalidCallError, match="neither OpenAPI"):
        connect(server.url, token="t").rest("subjects", "list")


# --- lists


def test_list_is_a_list_of_dictionaries(alyx: Any) -> None:
    rows = alyx.rest("subjects", "list")
    assert isinstance(rows, list)
    assert all(isinstance(row, dict) for row in rows)


def test_list_of_several_pages_is_whole(alyx: Any, local_alyx: LocalAlyx) -> None:
    rows = alyx.rest("datasets", "list", limit=5)
    assert len(rows) == len({row["url"] for row in rows}) == len(local_alyx.store.rows("datasets"))
    assert rows[-1] == alyx.rest("datasets", "list")[-1]
    assert rows[2:4] == alyx.rest("datasets", "list")[2:4]
    assert all("limit=5" in request.query for request in local_alyx.requests if "offset" in request.query)


@pytest.mark.parametrize("query", ["subjects?alive=True", "/subjects?alive=True", "subjects?alive=True&limit=2"])
def test_filters_may_stand_in_the_endpoint(alyx: Any, query: str) -> None:
    assert list(alyx.rest(query)) == list(alyx.rest("subjects", "list", alive=True)) != []


def test_list_by_id_takes_one_or_several_and_urls(alyx: Any) -> None:
    rows = alyx.rest("sessions", "list")
    first, second = rows[:2]
    assert alyx.rest("sessions", "list", id=first["id"]) == [first]
    assert alyx.rest("sessions", "list", first["url"]) == [first]
    assert alyx.rest("sessions", "list", id=UUID(first["id"])) == [first]
    found = alyx.rest("sessions", "list", id=[first["id"], second["id"]])
    assert sorted(row["id"] for row in found) == sorted([first["id"], second["id"]])
    assert alyx.rest("sessions", "list", id=[]) == []
    both = alyx.rest("sessions", "list", id=first["id"], django=f"subject__nickname,{second['subject']}")
    assert [row["id"] for row in both] == ([first["id"]] if first["subject"] == second["subject"] else [])


def test_lists_are_joined_and_dates_written_out(alyx: Any, local_alyx: LocalAlyx) -> None:
    alyx.rest("sessions", "list", dataset_types=["a", "b"], date_range=[dt.date(2020, 1, 2), "2020-02-01"], lab=None)
    assert sent(local_alyx) == {"dataset_types": "a,b", "date_range": "2020-01-02,2020-02-01"}


class Array:
    """Values as NumPy has them."""

    __module__ = "numpy"
    dtype = "object"

    def __init__(self, values: Sequence[object]) -> None:
        self._values = values

    def tolist(self) -> list[object]:
        return list(self._values)


def in_url(values: Sequence[object]) -> str:
    return ",".join(map(str, values))


WAYS: dict[str, Callable[[str, Sequence[object]], tuple[str, dict[str, Any]]]] = {
    "list": lambda name, values: ("", {name: list(values)}),
    "tuple": lambda name, values: ("", {name: tuple(values)}),
    "generator": lambda name, values: ("", {name: (value for value in values)}),
    "array": lambda name, values: ("", {name: Array(values)}),
    "text": lambda name, values: ("", {name: in_url(values)}),
    "URL": lambda name, values: (f"?{name}={in_url(values)}", {}),
    "URL and list": lambda name, values: (f"?{name}=other", {name: list(values)}),
}


def joined_filters(alyx: Any) -> list[tuple[str, str]]:
    """Return the endpoints and filters whose several values are one text."""
    schemes = alyx.rest_schemes
    lists = [(name, schemes.operation(name, "list")) for name in schemes.endpoints if "list" in schemes.actions(name)]
    return [
        (endpoint, field["name"])
        for endpoint, operation in lists
        for field in operation.fields
        if field["in"] == "query"
        and field["name"] not in ("limit", "offset", "id", "django")
        and (field["schema"].get("type") != "array" or field["name"] in operation.joined)
    ]


@pytest.mark.parametrize("way", WAYS)
def test_equal_values_of_every_joined_filter_arrive_as_they_are(alyx: Any, local_alyx: LocalAlyx, way: str) -> None:
    values, differences = ["2020-03-12", "2020-03-12", "b", "a", "b"], {}
    filters = joined_filters(alyx)
    for endpoint, name in filters:
        where, given = WAYS[way](name, values)
        with contextlib.suppress(BadRequestError, ServerError):  # most of them know no such value
            alyx.rest(endpoint + where, "list", **given)
        request = local_alyx.requests[-1]
        # Alyx counts distinct types of datasets: a name that stands there twice matches nothing.
        once = name == "dataset_types" and way not in ("text", "URL")
        wanted = in_url(list(dict.fromkeys(values)) if once else values)
        if parse_qsl(request.query) != [(name, wanted)]:
            differences[endpoint, name] = request.query
    assert differences == {}
    assert {("sessions", "date_range"), ("data-notices", "datasets"), ("sessions", "dataset_types")} <= {*filters}
    assert len(filters) > 150


@pytest.mark.parametrize("read", [str, dt.date.fromisoformat], ids=["text", "date"])
@pytest.mark.parametrize("way", WAYS)
def test_sessions_of_one_day(alyx: Any, way: str, read: Callable[[str], object]) -> None:
    rows = alyx.rest("sessions", "list")
    day = rows[0]["start_time"][:10]
    where, given = WAYS[way]("date_range", [read(day), read(day)])
    found = alyx.rest(f"sessions{where}", "list", **given)
    assert [row["id"] for row in found] == [row["id"] for row in rows if row["start_time"][:10] == day]
    assert 0 < len(found) < len(rows)


def test_values_that_a_url_repeats_are_all_sent(alyx: Any, local_alyx: LocalAlyx) -> None:
    alyx.rest("sessions?projects=b&projects=a&projects=b&qc=PASS&limit=3&limit=4")
    assert local_alyx.requests[-1].query == "projects=b&projects=a&projects=b&qc=PASS&limit=4"
    alyx.rest("sessions?projects=b&projects=a", "list", projects="c")
    assert local_alyx.requests[-1].query == "projects=c"
    with pytest.raises(InvalidCallError, match="projects is empty"):
        alyx.rest("sessions?projects=b&projects=")


def test_lookups_and_keys_that_a_url_repeats_are_put_together(alyx: Any, local_alyx: LocalAlyx, session: str) -> None:
    lab = alyx.rest("sessions", "read", id=session)["lab"]
    rows = alyx.rest(f"sessions?id={session}&id={session}&django=lab__name,{lab}&django=qc__gte,0")
    assert sent(local_alyx) == {"django": f"pk__in,['{session}'],lab__name,{lab},qc__gte,0"}
    assert [row["id"] for row in rows] == [session]


def test_django_takes_text_lists_and_dictionaries(alyx: Any, local_alyx: LocalAlyx) -> None:
    for django in ("lab__name,cortexlab", ["lab__name", "cortexlab"], {"lab__name": "cortexlab"}):
        alyx.rest("sessions", "list", django=django)
        assert sent(local_alyx) == {"django": "lab__name,cortexlab"}


@pytest.mark.parametrize(("url", "filters"), [("subjects", {"aliv": True}), ("subjects?aliv=True", {})])
def test_unknown_filter_names_the_nearest_and_nothing_is_sent(
    alyx: Any, local_alyx: LocalAlyx, url: str, filters: dict[str, Any]
) -> None:
    with pytest.raises(InvalidCallError, match=r"no filter 'aliv'.*'alive'.*extra_params"):
        alyx.rest(url, "list", **filters)
    assert not [request for request in local_alyx.requests if request.path == "/subjects"]


def test_unknown_filter_can_be_sent_all_the_same(alyx: Any, connect: Callable[..., Any], local_alyx: LocalAlyx) -> None:
    alyx.rest("subjects", "list", extra_params={"new": 1})
    assert sent(local_alyx) == {"new": "1"}
    connect(local_alyx.url, token=local_alyx.token(), strict_filters=False).rest("subjects", "list", new=[1, 2])
    assert sent(local_alyx) == {"new": "1,2"}


@pytest.mark.parametrize("value", ["", " ", []])
def test_empty_filter_would_return_everything_and_is_refused(alyx: Any, value: Any) -> None:
    with pytest.raises(InvalidCallError, match="lab"):
        alyx.rest("subjects", "list", lab=value)


@pytest.mark.parametrize("limit", [0, -1, "x"])
def test_limit_is_a_number_of_rows(alyx: Any, limit: Any) -> None:
    with pytest.raises(InvalidCallError, match="limit"):
        alyx.rest("subjects", "list", limit=limit)


def test_offset_gives_the_rows_of_one_page(alyx: Any) -> None:
    rows = alyx.rest("subjects", "list")
    assert alyx.rest("subjects", "list", limit=2, offset=3) == rows[3:5]
    assert alyx.get("/subjects?limit=2&offset=3") == rows[3:5]


def test_rows_that_the_server_repeats_are_given_once(connect: Callable[..., Any]) -> None:
    with FaultServer(then=page([{"id": "a"}, {"id": "b"}, {"id": "a"}], count=2)) as server:
        assert connect(server.url, token="t").get("/imaging-stack") == [{"id": "a"}, {"id": "b"}]


# --- reading


def test_read_takes_name_url_and_uuid_in_any_spelling(alyx: Any, session: str) -> None:
    record = alyx.rest("sessions", "read", session)
    for key in (UUID(session), session.upper(), record["url"], UUID(session).hex):
        assert alyx.rest("sessions", "read", id=key) == record
    subject = alyx.rest("subjects", "list")[0]
    assert alyx.rest("subjects", "read", id=subject["nickname"])["nickname"] == subject["nickname"]


def test_digits_are_a_name_like_any_other(alyx: Any) -> None:
    lab = alyx.rest("labs", "list")[0]["name"]
    alyx.rest("subjects", "create", data={"nickname": "437", "lab": lab, "responsible_user": "olivier"})
    assert alyx.rest("subjects", "read", id="437")["nickname"] == "437"
    assert alyx.rest("subjects", "read", id=437)["nickname"] == "437"


def test_zero_is_an_id(alyx: Any) -> None:
    assert alyx.rest("brain-regions", "read", id=0)["id"] == 0


@pytest.mark.parametrize("action", ["read", "update", "partial_update", "partial-update", "delete"])
def test_missing_id_is_an_error_that_says_what_is_needed(alyx: Any, action: str) -> None:
    with pytest.raises(InvalidCallError, match="needs an id, the record's nickname"):
        alyx.rest("subjects", action, data={"lab": "x"})


@pytest.mark.parametrize(("action", "key"), [("create", None), ("update", "a"), ("partial_update", "a")])
def test_missing_data_is_an_error_that_names_the_fields(alyx: Any, action: str, key: str | None) -> None:
    for data in (None, {}, ""):
        with pytest.raises(InvalidCallError, match=r"needs data.*nickname"):
            alyx.rest("subjects", action, id=key, data=data)


def test_unknown_action_names_the_nearest(alyx: Any) -> None:
    with pytest.raises(InvalidCallError, match=r"'raed'.*'read'"):
        alyx.rest("subjects", "raed", id="a")


def test_filters_where_there_are_none_are_refused(alyx: Any) -> None:
    with pytest.raises(InvalidCallError, match="takes no filters"):
        alyx.rest("subjects", "read", id="a", lab="b")


def test_record_that_is_not_there(alyx: Any) -> None:
    with pytest.raises(NotFoundError):
        alyx.rest("subjects", "read", id="nobody")
    with pytest.raises(LookupError):
        alyx.get("/subjects/nobody")


def test_get_takes_paths_and_urls_of_this_server(alyx: Any, local_alyx: LocalAlyx, session: str) -> None:
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


# --- writing


def test_record_is_created_changed_replaced_and_deleted(alyx: Any) -> None:
    made = alyx.rest("tags", "create", data={"name": "new tag", "description": "", "protected": False, "public": True})
    assert made["name"] == "new tag"
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


def test_delete_takes_a_url(alyx: Any) -> None:
    made = alyx.post("/weighings", data={"subject": alyx.rest("subjects", "list")[0]["nickname"], "weight": 21.5})
    assert alyx.delete(made["url"]) is None
    again = alyx.post("/weighings", data={"subject": made["subject"], "weight": 21.5})
    alyx.rest("weighings", "delete", id=again["url"])
    with pytest.raises(NotFoundError):
        alyx.get(again["url"])


def test_put_and_patch(alyx: Any, session: str) -> None:
    assert alyx.patch(f"/sessions/{session}", {"narrative": "seen"})["narrative"] == "seen"
    lab = alyx.rest("labs", "list")[0]
    assert alyx.put(f"/labs/{lab['name']}", data={**lab, "address": "moved"})["address"] == "moved"


def test_list_of_records_is_created_at_once(alyx: Any) -> None:
    trajectory = alyx.rest("trajectories", "list")[0]["id"]
    channel = {"axial": 20.0, "lateral": 40.0, "x": 1.0, "y": 2.0, "z": 3.0, "brain_region": 0}
    made = alyx.rest("channels", "create", data=[{**channel, "trajectory_estimate": trajectory} for _ in range(3)])
    assert len(made) == 3


def test_values_of_numpy_and_others_become_json(alyx: Any, local_alyx: LocalAlyx, session: str) -> None:
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
            "set": {1},
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
        "set": [1],
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
def test_what_cannot_be_sent_is_named_before_anything_is_sent(
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
def test_files_that_are_none(alyx: Any, files: Any) -> None:
    with pytest.raises(InvalidFieldError):
        alyx.rest("notes", "create", data={"text": "x"}, files=files)


def test_partial_update_keeps_what_the_server_would_lose(alyx: Any, local_alyx: LocalAlyx) -> None:
    trajectory = alyx.rest("trajectories", "list")[0]
    assert trajectory["probe_insertion"]
    before = len(local_alyx.requests)
    changed = alyx.rest("trajectories", "partial_update", id=trajectory["id"], data={"roll": 4.0})
    assert changed["probe_insertion"] == trajectory["probe_insertion"]
    read, written = local_alyx.requests[before:]
    assert (read.method, written.method) == ("GET", "PATCH")
    assert written.body_length > len(json.dumps({"roll": 4.0, "probe_insertion": trajectory["probe_insertion"]}))


# --- JSON fields


def test_json_field_is_written_updated_and_deleted(alyx: Any, session: str) -> None:
    assert alyx.json_field_write("sessions", session, "extended_qc", {"a": 1}) == {"a": 1}
    assert alyx.json_field_update("sessions", session, "extended_qc", {"b": 2}) == {"a": 1, "b": 2}
    assert alyx.json_field_update("sessions", session, "extended_qc", {"a": 3}) == {"a": 3, "b": 2}
    assert alyx.json_field_remove_key("sessions", session, "extended_qc", "a") == {"b": 2}
    assert alyx.json_field_delete("sessions", session, "extended_qc") is None
    assert alyx.json_field_remove_key("sessions", session, "extended_qc", "a") is None
    assert alyx.json_field_update("sessions", session, "extended_qc", {"c": None}) == {"c": None}


def test_json_fields_by_the_names_of_the_arguments(alyx: Any) -> None:
    subject = alyx.rest("subjects", "list")[0]["nickname"]
    where = {"endpoint": "subjects", "uuid": subject}
    alyx.json_field_write(**where, field_name="json", data={"a": None, "b": 1})
    assert alyx.json_field_update(**where, data={"c": 2}) == {"a": None, "b": 1, "c": 2}
    assert alyx.json_field_remove_key(**where, key="a") == {"b": 1, "c": 2}
    assert alyx.json_field_delete(**where, field_name="json") is None


def test_key_that_is_not_there_writes_nothing(alyx: Any, local_alyx: LocalAlyx, session: str) -> None:
    alyx.json_field_write("sessions", session, "extended_qc", {"a": 1})
    before = len(local_alyx.requests)
    assert alyx.json_field_remove_key("sessions", session, "extended_qc", "b") == {"a": 1}
    assert [request.method for request in local_alyx.requests[before:]] == ["GET"]


@pytest.mark.parametrize("content", [[1, 2], "text", 3])
def test_field_that_is_no_object_is_left_alone(alyx: Any, local_alyx: LocalAlyx, session: str, content: Any) -> None:
    alyx.json_field_write("sessions", session, "json", content)
    before = len(local_alyx.requests)
    with pytest.raises(NotAnObjectError, match="nothing was written"):
        alyx.json_field_update("sessions", session, "json", {"a": 1})
    with pytest.raises(NotAnObjectError):
        alyx.json_field_remove_key("sessions", session, "json", "a")
    assert {request.method for request in local_alyx.requests[before:]} == {"GET"}
    assert alyx.rest("sessions", "read", id=session)["json"] == content


def test_keys_to_set_are_a_dictionary(alyx: Any, session: str) -> None:
    with pytest.raises(NotAnObjectError, match="dictionary"):
        alyx.json_field_update("sessions", session, "json", [1])


def test_unknown_field_names_the_nearest(alyx: Any, session: str) -> None:
    with pytest.raises(InvalidCallError, match=r"'extended_cq'.*'extended_qc'"):
        alyx.json_field_update("sessions", session, "extended_cq", {"a": 1})


# --- answers


def test_page_that_is_no_json_is_an_error(connect: Callable[..., Any]) -> None:
    failure = json_answer({"detail": "broken"}, status=500)
    with FaultServer(then=failure) as server, pytest.raises(ServerError, match="broken"):
        connect(server.url, token="t").get("/subjects")


@pytest.mark.parametrize(
    ("url", "params", "expected"),
    [
        ("website.com/?q=", {"pg": 5}, "website.com/?pg=5"),
        ("website.com?q=xxx", {"pg": 5, "foo": ["bar", "baz"]}, "website.com?q=xxx&pg=5&foo=bar&foo=baz"),
        ("website.com", {}, "website.com"),
        ("website.com?a=1&b=2", {"a": 3}, "website.com?a=3&b=2"),
        ("website.com?a=x%26y%2Bz%23", {"b": "p q"}, "website.com?a=x%26y%2Bz%23&b=p+q"),
        ("/a%20b?c=1", {"d": "é&"}, "/a%20b?c=1&d=%C3%A9%26"),
        ("website.com?a=1#part", {"b": 2}, "website.com?a=1&b=2#part"),
    ],
)
def test_query_parameters_of_a_url(url: str, params: dict[str, Any], expected: str) -> None:
    assert update_url_params(url, params) == expected


def test_path_beyond_the_endpoint_is_never_dropped(alyx: Any, session: str) -> None:
    record = alyx.rest("sessions", "read", id=session)
    assert alyx.rest(f"sessions/{session}", "list") == record
    for key in (f"/sessions/{session}", f"sessions/{session}"):
        assert alyx.rest("sessions", "read", id=key) == record
    with pytest.raises(InvalidCallError, match="more than an endpoint's name"):
        alyx.rest(f"sessions/{session}", "partial_update", data={"narrative": "x"})
    with pytest.raises(InvalidCallError, match="more than an endpoint's name"):
        alyx.rest(f"sessions/{session}", "list", subject="x")
    assert alyx.rest("cache/info", "list") == alyx.rest("cache", "list")
