"""Rows of lists: validated as dictionaries, and the same records as pydantic makes once they are looked at."""

from __future__ import annotations

import copy
import json
import pickle
import threading
import warnings
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import Field

from alyx_client.errors import SchemaDriftError, SchemaDriftWarning
from alyx_client.http.message import Response
from alyx_client.runtime import Record
from alyx_client.runtime.drift import DriftLog
from alyx_client.runtime.response import PageParser, ResponseParser
from alyx_client.runtime.rows import Rows


class Part(Record):
    id: UUID
    name: str | None
    class_: str = Field(alias="class")


class Thing(Record):
    name: str
    made: datetime | None
    qc: Literal["PASS", "FAIL"] | str
    kind: Literal["a", "b"]
    size: Annotated[int, Field(ge=0)]
    weight: float | None = None
    part: Part | None
    parts: list[Part]
    grid: list[list[Part] | None]
    by_name: dict[str, Part]
    either: Part | str
    json: Any
    inner: Thing | None = None


PART = {"id": "0b12ba9e-01e3-4784-8c35-d7bb1bab414f", "name": None, "class": "x"}
THING = {
    "name": "a",
    "made": "2020-01-02T03:04:05",
    "qc": "ODD",
    "kind": "a",
    "size": 3,
    "weight": 2,
    "part": PART,
    "parts": [PART, PART],
    "grid": [[PART], None],
    "by_name": {"a": PART},
    "either": PART,
    "json": {"a": [1]},
    "inner": None,
}


def parse(*rows: object, log: DriftLog | None = None, whole: bool = True) -> list[Any]:
    body = {"count": len(rows), "next": None, "results": rows} if whole else rows
    parser = PageParser(Thing)
    page = parser.parse(
        Response(200, {}, json.dumps(body).encode()), "things", DriftLog(strict=True) if log is None else log
    )
    return [parser.record(row) for row in page.rows]


def pydantic_reads(row: object) -> Thing:
    return ResponseParser[Thing](Thing).parse(
        Response(200, {}, json.dumps(row).encode()), "things", DriftLog(strict=True)
    )


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in THING.items() if name not in names}


@pytest.mark.parametrize(
    "row",
    [
        THING,
        without("weight"),
        without("inner", "weight"),
        {**THING, "extra": 1, "another": PART},
        {**without("weight"), "extra": 1},  # as many fields as are declared
        {**THING, "part": None, "parts": [], "grid": []},
        {**THING, "part": {**PART, "extra": 1}},
        {**THING, "inner": {**THING, "inner": THING}},
        {**THING, "either": "text"},
        {**THING, "cls": 1, "_fields_set": 2, "__dict__": 3, "model_fields": 4},
        dict(reversed(THING.items())),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_records_are_those_of_pydantic(row: Any, whole: bool) -> None:
    (record,) = parse(row, whole=whole)
    expected = pydantic_reads(row)
    assert type(record) is Thing
    assert record == expected
    assert record.__getstate__() == expected.__getstate__()
    assert list(vars(record)) == list(vars(expected))
    assert record.model_dump(by_alias=True) == expected.model_dump(by_alias=True)
    assert record.model_dump_json(exclude_unset=True) == expected.model_dump_json(exclude_unset=True)
    assert (repr(record), dict(record)) == (repr(expected), dict(expected))
    assert pickle.loads(pickle.dumps(record)) == copy.deepcopy(record) == record
    changed = record.model_copy(update={"name": "b"})
    assert (changed.name, record.name) == ("b", "a")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", -1),
        ("size", "3"),
        ("size", 3.5),
        ("kind", "c"),
        ("qc", 1),
        ("made", 5),
        ("name", None),
        ("parts", [5]),
        ("part", {**PART, "id": 5}),
        ("part", {**PART, "class": None}),
        ("by_name", {"a": 5}),
    ],
)
def test_field_that_does_not_fit_costs_its_row_alone(name: str, value: Any) -> None:
    log = DriftLog()
    rows = [THING, {**THING, name: value}, THING]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchemaDriftWarning)
        first, second, third = parse(*rows, log=log)
    assert first == third == pydantic_reads(THING)
    assert len(log) == 1
    assert log[0].field.startswith(name)
    assert json.loads(json.dumps(second.model_dump(by_alias=True), default=str))[name] is not None or value is None
    with pytest.raises(SchemaDriftError):
        parse(*rows)


@pytest.mark.parametrize("row", [5, None, "text", [THING], True])
def test_row_that_is_no_object_is_passed_on(row: object) -> None:
    log = DriftLog()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchemaDriftWarning)
        assert parse(THING, row, log=log) == [pydantic_reads(THING), row]
    assert len(log) == 1


def test_missing_field_is_drift() -> None:
    log = DriftLog()
    with pytest.warns(SchemaDriftWarning, match="size"):
        (record,) = parse(without("size"), log=log)
    assert (record.size, log[0].found) == (None, "missing")


def test_row_is_the_same_object_each_time_it_is_looked_at() -> None:
    parser = PageParser(Thing)
    body = json.dumps({"count": 3, "next": None, "results": [THING] * 3}).encode()
    rows: Rows[Thing] = Rows(parser.parse(Response(200, {}, body), "things", DriftLog()).rows, parser.record)
    assert rows[1] is rows[1]
    assert rows[1:][0] is rows[1]
    assert [id(row) for row in rows] == [id(row) for row in rows]
    assert len({id(row) for row in rows}) == 3


def test_threads_that_look_at_one_row_see_equal_records() -> None:
    parser = PageParser(Thing)
    row = {**THING, "inner": THING, "extra": 1}
    expected = pydantic_reads(row)
    for _ in range(30):
        body = json.dumps({"count": 1, "next": None, "results": [row]}).encode()
        raw = parser.parse(Response(200, {}, body), "things", DriftLog()).rows[0]
        barrier = threading.Barrier(4)
        seen: list[Thing] = []

        def look(raw: Any = raw, barrier: threading.Barrier = barrier, seen: list[Thing] = seen) -> None:
            barrier.wait()
            seen.append(parser.record(raw))

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [expected] * 4
