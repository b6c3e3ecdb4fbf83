from __future__ import annotations

import gc
import json
import pickle
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import pytest

from alyx_client import AlyxClient
from alyx_client.errors import SchemaDriftError, SchemaDriftWarning, ServerError, UnexpectedAnswerError
from alyx_client.http.message import Response
from alyx_client.runtime.drift import Drift, DriftLog
from alyx_client.runtime.records import Record, WithIdInUrl
from alyx_client.runtime.response import PageParser, ResponseParser
from tests import faults
from tests.faults import FaultServer, json_response


class FileRecord(Record):
    data_url: str | None
    exists: bool


class Dataset(WithIdInUrl):
    url: str
    name: str
    size: int | None
    created: datetime
    qc: Literal["PASS", "FAIL"] | str
    file_records: list[FileRecord]
    best: FileRecord | None = None
    tags: list[str] = []  # noqa: RUF012


GOOD: dict[str, Any] = {
    "url": "https://x.org/datasets/0b12ba9e-01e3-4784-8c35-d7bb1bab414f",
    "name": "spikes.times.npy",
    "size": 5,
    "created": "2020-01-02T03:04:05",
    "qc": "PASS",
    "file_records": [{"data_url": None, "exists": True}],
    "best": {"data_url": "a", "exists": False},
    "tags": ["x"],
}


def response(body: object, *, content_type: str = "application/json") -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(200, {"content-type": content_type}, content, "GET", "https://x.org/datasets/1")


def read(body: object, kind: Any = Dataset, log: DriftLog | None = None) -> Any:
    return ResponseParser[Any](kind).parse(response(body), "datasets", DriftLog(strict=True) if log is None else log)


def read_page(body: object, log: DriftLog | None = None, kind: Any = Dataset) -> Any:
    parser = PageParser[Any](kind)
    parsed = parser.parse(response(body), "datasets", DriftLog(strict=True) if log is None else log)
    return replace(parsed, rows=[parser.record(row) for row in parsed.rows])


def page(*rows: object, **more: object) -> dict[str, object]:
    return {"count": len(rows), "next": None, "previous": None, "results": list(rows), **more}


@pytest.fixture
def quiet() -> Iterator[DriftLog]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchemaDriftWarning)
        yield DriftLog()


# --- what fits


def test_response_as_declared_causes_no_drift() -> None:
    record = read(GOOD)
    assert (record.size, record.created, record.best.exists) == (5, datetime(2020, 1, 2, 3, 4, 5), False)
    assert record.id == UUID("0b12ba9e-01e3-4784-8c35-d7bb1bab414f")
    assert read_page(page(GOOD, GOOD, detail="x")).rows == [record, record]


def test_new_fields_and_values_of_open_sets_are_no_drift() -> None:
    record = read({**GOOD, "qc": "NEW_VALUE", "brand_new": {"a": [1]}, "model_new": 1, "copy": 2})
    assert record.qc == "NEW_VALUE"
    assert record.brand_new == {"a": [1]}
    assert record.model_dump()["copy"] == 2


def test_field_with_a_default_may_be_left_out() -> None:
    assert read({name: value for name, value in GOOD.items() if name != "best"}).best is None


def test_empty_and_binary_responses() -> None:
    assert read(b"", None) is None
    assert read(b"anything", None) is None
    assert read(b"\x00\x01", bytes) == b"\x00\x01"


def test_other_declared_types() -> None:
    assert read(["a"], list[str]) == ["a"]
    assert read({"a": 1}, dict[str, int]) == {"a": 1}
    assert read(None, Dataset | None) is None
    assert read({"a": [None]}, Any) == {"a": [None]}


# --- what does not


@pytest.mark.parametrize(
    "name",
    [
        "cls",
        "_fields_set",
        "self",
        "model",
        "values",
        "name_",
        "__dict__",
        "__class__",
        "model_extra",
        "copy",
        "",
        "\ud800",
    ],
)
def test_fields_with_names_of_python_are_read(name: str, quiet: DriftLog) -> None:
    record = read({**GOOD, "size": "five", name: {"a": 1}, "best": {"data_url": 5, "exists": True, name: 2}}, log=quiet)
    assert record.size == "five"
    assert record.model_extra == {name: {"a": 1}}
    assert record.best.model_extra == {name: 2}
    assert name in record.model_fields_set
    assert [drift.field for drift in quiet] == ["size", "best.data_url"]
    assert read_page(page({**GOOD, "size": "five", name: 1}), quiet).rows[0].model_extra == {name: 1}
    assert "five" in repr(record) or "spikes" in repr(record)


DRIFTS: list[tuple[dict[str, Any], list[tuple[str, str, str]]]] = [
    ({"size": "5"}, [("size", "int | None", "text")]),
    ({"size": 5.5}, [("size", "int | None", "a number")]),
    ({"size": True}, [("size", "int | None", "a boolean")]),
    ({"name": None}, [("name", "str", "null")]),
    ({"name": 5}, [("name", "str", "an integer")]),
    ({"created": "yesterday"}, [("created", "datetime", "text")]),
    ({"created": 5}, [("created", "datetime", "an integer")]),
    ({"file_records": {}}, [("file_records", "list[FileRecord]", "an object")]),
    ({"file_records": None}, [("file_records", "list[FileRecord]", "null")]),
    ({"file_records": ["x"]}, [("file_records[]", "FileRecord", "text")]),
    (
        {"file_records": [{"data_url": 5, "exists": 1}]},
        [
            ("file_records[].data_url", "str | None", "an integer"),
            ("file_records[].exists", "bool", "an integer"),
        ],
    ),
    ({"best": [1]}, [("best", "FileRecord | None", "a list")]),
    ({"best": {"data_url": "a"}}, [("best.exists", "bool", "missing")]),
    ({"tags": ["a", 5, None]}, [("tags[]", "str", "an integer"), ("tags[]", "str", "null")]),
    ({"qc": 10}, [("qc", "Literal['PASS', 'FAIL'] | str", "an integer")]),
]


@pytest.mark.parametrize(("change", "expected"), DRIFTS)
def test_other_types_are_preserved_and_reported(change: dict[str, Any], expected: Any, quiet: DriftLog) -> None:
    body = {**GOOD, **change, "brand_new": 1}
    record = read(body, log=quiet)
    assert [(drift.field, drift.expected, drift.found) for drift in quiet] == expected
    assert isinstance(record, Dataset)
    ((name, value),) = change.items()
    received = getattr(record, name)
    if not isinstance(value, dict | list):
        assert received == value
    assert record.brand_new == 1
    assert record.id == UUID("0b12ba9e-01e3-4784-8c35-d7bb1bab414f")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert record.model_dump(mode="json", exclude_unset=True) == body
        assert json.loads(record.model_dump_json())[name] == record.model_dump(mode="json")[name]
        assert repr(record).startswith("Dataset(")
    assert pickle.loads(pickle.dumps(record)) == record
    assert record == read(body, log=quiet)
    assert record != read({**body, "brand_new": 2}, log=quiet)
    with pytest.raises(ValueError, match="frozen"):
        record.name = "b"


def test_missing_field_is_none_and_not_sent(quiet: DriftLog) -> None:
    record = read({name: value for name, value in GOOD.items() if name != "size"}, log=quiet)
    assert [(drift.field, drift.found) for drift in quiet] == [("size", "missing")]
    assert record.size is None
    assert "size" not in record.model_fields_set


def test_fields_beside_the_drift_are_read_as_declared(quiet: DriftLog) -> None:
    record = read({**GOOD, "size": "x", "file_records": [{"exists": 5, "data_url": "a"}]}, log=quiet)
    assert record.created == datetime(2020, 1, 2, 3, 4, 5)
    assert isinstance(record.file_records[0], FileRecord)
    assert record.file_records[0].data_url == "a"
    assert isinstance(record.best, FileRecord)


def test_good_rows_beside_a_drifting_one(quiet: DriftLog) -> None:
    rows = read_page(page(GOOD, {**GOOD, "name": None}, "text"), quiet).rows
    assert rows[0] == read(GOOD)
    assert rows[1].name is None
    assert rows[2] == "text"
    assert [drift.field for drift in quiet] == ["name", "answer"]


def test_unusual_text_is_sent_unchanged(quiet: DriftLog) -> None:
    record = read(json.dumps(GOOD).replace("spikes.times.npy", "\\ud800").encode(), log=quiet)
    assert record.name == "\ud800"


# --- telling


def test_one_warning_per_difference_and_a_count() -> None:
    log = DriftLog()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for size in ("a", "b", None, 1.5, "c"):
            read({**GOOD, "size": size}, log=log)
    assert {warning.category for warning in caught} == {SchemaDriftWarning}
    assert [str(warning.message).partition(".")[0] for warning in caught] == [
        "datasets: the server sent text for size, declared as int | None",
        "datasets: the server sent a number for size, declared as int | None",
    ]
    assert "alyx-generate client https://alyx.example.org --package lab_alyx --out src" in str(caught[0].message)
    assert [(drift.found, drift.count) for drift in log] == [("text", 3), ("a number", 1)]
    assert len(log) == 2
    assert log[0] == Drift("datasets", "size", "int | None", "text", 3)
    assert log[-1:] == [log[1]]
    assert repr(log).splitlines()[0] == "datasets: size should be int | None but is text (3x)"
    assert "alyx-generate probe https://alyx.example.org" in repr(log)
    again = pickle.loads(pickle.dumps(log))
    assert list(again) == list(log)
    log.clear()
    assert (len(log), repr(log)) == (0, "no drift")


def test_strict_log_raises_and_names_everything() -> None:
    with pytest.raises(SchemaDriftError) as caught:
        read({**GOOD, "file_records": [{"data_url": 5, "exists": True}]})
    for part in ("datasets", "file_records[].data_url", "str | None", "an integer", "strict=True"):
        assert part in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_warning_points_at_the_line_of_the_call() -> None:
    body = {"count": 1, "next": None, "previous": None, "results": [{"name": 5}]}
    with FaultServer(then=json_response(body)) as server:
        client = AlyxClient(server.url, token="t")
        with pytest.warns(SchemaDriftWarning) as caught:
            client.labs.list()
        # Python may report an unclosed socket of an earlier test meanwhile.
        assert {warning.filename for warning in caught if warning.category is SchemaDriftWarning} == {__file__}
        assert {drift.endpoint for drift in client.drift} == {"labs"}
        assert f"alyx-generate client {server.url} --package lab_alyx --out src" in str(caught[0].message)
        with pytest.raises(SchemaDriftError):
            AlyxClient(server.url, token="t", strict=True).labs.list()


# --- answers of another form


@pytest.mark.parametrize("kind", [Dataset, list[Dataset], "page"])
@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"5", b'"text"', b"<html></html>", b'{"a": ', b"\xff\xfe", json.dumps(GOOD).encode()[:50]],
)
def test_body_of_another_form_is_an_error(body: bytes, kind: Any) -> None:
    with pytest.raises(UnexpectedAnswerError, match="datasets: the server answered 200") as caught:
        read_page(body) if kind == "page" else read(body, kind)
    assert caught.value.status_code == 200
    assert caught.value.url == "https://x.org/datasets/1"
    assert pickle.loads(pickle.dumps(caught.value)).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ([GOOD], Dataset),
        (GOOD, list[Dataset]),
        (GOOD, "page"),
        ({"count": 1}, "page"),
        ({"results": {}}, "page"),
        ({"results": None, "count": 0}, "page"),
    ],
)
def test_json_of_another_form_is_an_error(body: object, kind: Any) -> None:
    with pytest.raises(UnexpectedAnswerError, match=r"something other than a (list|record|page)"):
        read_page(body) if kind == "page" else read(body, kind)


@pytest.mark.parametrize("kind", [Dataset, "page", None, bytes])
def test_failure_with_status_200_is_a_server_error(kind: Any) -> None:
    html = b"<!doctype html><html><head><title>500 Internal Server Error</title></head><body></body></html>"
    html_response = response(html, content_type="text/html; charset=utf-8")
    with pytest.raises(ServerError, match="did not say why") as caught:
        (PageParser(Dataset) if kind == "page" else ResponseParser[Any](kind)).parse(
            html_response, "datasets", DriftLog()
        )
    assert caught.value.status_code == 500


def test_page_of_something_else_is_no_success_of_a_deletion() -> None:
    portal = response(b"<html><title>Log in</title></html>", content_type="text/html; charset=utf-8")
    with pytest.raises(UnexpectedAnswerError, match="something other than an empty response"):
        ResponseParser[None](None).parse(portal, "tags", DriftLog())


@pytest.mark.parametrize("body", [b"", b"\n", b"{}"])
def test_other_responses_to_a_deletion_are_success(body: bytes) -> None:
    content_type = "application/json" if body.strip() else "text/html"
    answer = response(body, content_type=content_type)
    assert ResponseParser[None](None).parse(answer, "tags", DriftLog()) is None  # type: ignore[func-returns-value]


def test_plain_array_is_a_whole_list(quiet: DriftLog) -> None:
    rows = read_page([GOOD, GOOD])
    assert (rows.count, rows.rows, rows.has_next) == (2, [read(GOOD), read(GOOD)], False)
    assert read_page([]).rows == []
    assert read_page([{**GOOD, "size": "x"}], quiet).rows[0].size == "x"
    assert quiet[0].field == "size"


def test_page_without_a_count(quiet: DriftLog) -> None:
    body = {"next": None, "results": [GOOD]}
    assert read_page(body, quiet).count == 1
    assert (quiet[0].field, quiet[0].found) == ("count", "missing")
    with pytest.raises(UnexpectedAnswerError):
        read_page({**body, "next": "https://x.org/datasets?offset=1"})


def test_garbage_collection_is_enabled_after_a_page() -> None:
    assert gc.isenabled()
    read_page(page(GOOD))
    with pytest.raises(UnexpectedAnswerError):
        read_page(b"<html>")
    assert gc.isenabled()
    gc.disable()
    try:
        read_page(page(GOOD))
        assert not gc.isenabled()
    finally:
        gc.enable()


# --- over real sockets


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (faults.html_response(200), UnexpectedAnswerError),
        (faults.html_response(200, "500 Internal Server Error"), ServerError),
        (faults.truncated_json({"count": 1, "next": None, "results": [{"name": "x"}]}), UnexpectedAnswerError),
        (faults.response(b""), UnexpectedAnswerError),
        (json_response(None), UnexpectedAnswerError),
        (json_response({"detail": "text"}), UnexpectedAnswerError),
    ],
)
def test_unexpected_responses_over_real_sockets(step: faults.Step, error: type[Exception]) -> None:
    with FaultServer(then=step) as server:
        client = AlyxClient(server.url, token="secret-token")
        with pytest.raises(error, match="labs") as caught:
            client.labs.list()
        assert "secret-token" not in repr(caught.value.__dict__)
        with pytest.raises((UnexpectedAnswerError, ServerError, SchemaDriftError)):
            AlyxClient(server.url, token="secret-token", strict=True).labs.read("x")


def test_failure_page_in_response_to_a_deletion_is_an_error() -> None:
    failed = faults.html_response(200, "500 Internal Server Error")
    with FaultServer(then=failed) as server, pytest.raises(ServerError):
        AlyxClient(server.url, token="t").labs.delete("x")
