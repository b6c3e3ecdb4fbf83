"""Rows of lists: validated as dictionaries, and the same records as pydantic makes once they are looked at."""

from __future__ import annotations

import copy
import json
import pickle
import threading
import warnings
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import Field

from alyx_client.errors import SchemaDriftError, SchemaDriftWarning
from alyx_client.http.message import Response
from alyx_client.runtime import Record
from alyx_client.runtime.drift import DriftLog
from alyx_client.runtime.lists import query_pager
from alyx_client.runtime.lists.async_results import AsyncResults
from alyx_client.runtime.lists.paging import Page
from alyx_client.runtime.lists.results import Results
from alyx_client.runtime.response import PageParser, ResponseParser
from alyx_client.runtime.rows import Rows, fields_of, make_records


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


class Leaf(Record):
    id: UUID
    name: str | None


class Plain(Record):
    name: str
    leaf: Leaf
    leaves: list[Leaf]


def state_of(record: Any) -> str:
    state: object = record.__getstate__()
    return str(state)


LEAF = {"id": PART["id"], "name": None}
PLAIN = {"name": "a", "leaf": LEAF, "leaves": [LEAF, LEAF]}
FIRST_USES: dict[str, Callable[[Any], object]] = {
    "equality": lambda record: record == Plain.model_validate_json(json.dumps(PLAIN)),
    "equality from the other side": lambda record: Plain.model_validate_json(json.dumps(PLAIN)) == record,
    "hash of a nested record": lambda record: hash(record.leaf) == hash(record.leaves[0]),
    "repr": repr,
    "dict": dict,
    "length": len,
    "vars": lambda record: str(vars(record)),
    "fields set": lambda record: sorted(record.model_fields_set),
    "extra": lambda record: record.model_extra,
    "dump": lambda record: record.model_dump(),
    "dump of what is set": lambda record: record.model_dump(exclude_unset=True),
    "dump as JSON": lambda record: record.model_dump_json(exclude_unset=True),
    "pickle": lambda record: state_of(pickle.loads(pickle.dumps(record))),
    "state": state_of,
    "copy": lambda record: copy.copy(record) == record,
    "deep copy": lambda record: copy.deepcopy(record) == record,
    "copy with a change": lambda record: repr(record.model_copy(update={"name": "b"})),
    "key": lambda record: record["name"],
    "unknown key": lambda record: record["other"],
    "unknown attribute": lambda record: record.other,
    "private attribute": lambda record: record._other,
    "assignment": lambda record: setattr(record, "name", "b"),
    "validated as a part": lambda record: repr(Leaf.model_validate(record.leaf)),
}


@pytest.mark.parametrize("name", FIRST_USES)
def test_first_use_of_a_record_sees_one_of_pydantic(name: str) -> None:
    parser = PageParser(Plain)
    body = json.dumps({"count": 1, "next": None, "results": [PLAIN]}).encode()
    page = parser.parse(Response(200, {}, body), "things", DriftLog(strict=True))
    uses = FIRST_USES[name]
    theirs = Plain.model_validate_json(json.dumps(PLAIN))
    assert outcome(uses, parser.record(page.rows[0])) == outcome(uses, theirs)
    assert outcome(uses, make_records(page.rows, parser.record)[0]) == outcome(uses, theirs)


def outcome(use: Callable[[Any], object], record: Any) -> object:
    try:
        return use(record)
    except Exception as error:
        return type(error), str(error)


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


@pytest.mark.parametrize("row", [PART, {name: PART[name] for name in ("id", "name")}])
def test_change_of_a_record_changes_no_other(row: dict[str, Any]) -> None:
    class Plain(Record):
        id: UUID
        name: str | None

    parser = PageParser(Plain)
    body = json.dumps({"count": 1, "next": None, "results": [row, row]}).encode()
    page = parser.parse(Response(200, {}, body), "parts", DriftLog())
    expected = copy.deepcopy(parser.record(page.rows[0]))
    record = parser.record(page.rows[0])
    vars(record).clear()
    record.model_fields_set.clear()
    for other in map(parser.record, page.rows):
        assert (other, other.model_fields_set) == (expected, {"id", "name", *expected.model_extra})
        vars(other).clear()


def _page_of(rows: list[dict[str, Any]], offset: int, limit: int | None) -> Page[Any]:
    shown = rows[offset : offset + min(limit or 10, 20)]
    body = {"count": len(rows), "next": "more" if offset + len(shown) < len(rows) else None, "results": shown}
    return _PARTS.parse(Response(200, {}, json.dumps(body).encode()), "parts", DriftLog())


_PARTS = PageParser(Part)
_NUMBERED = [{**PART, "name": str(number)} for number in range(45)]


def test_rows_without_a_key_are_recognised_after_some_were_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_pager, "LONGEST_PAGE", 20)
    results: Results[Part] = Results([partial(_page_of, _NUMBERED)], make=_PARTS.record)
    assert results[9] is results[9]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [part.name for part in results] == [row["name"] for row in _NUMBERED]


async def test_repeated_row_that_was_looked_at_is_returned_once() -> None:
    rows = [_NUMBERED[0], *_NUMBERED]  # as where the query joins another table

    async def fetch(offset: int, limit: int | None) -> Page[Any]:
        return _page_of(rows, offset, limit)

    results: AsyncResults[Part] = AsyncResults([fetch], key=lambda row: fields_of(row)["name"], make=_PARTS.record)
    first = await results.first()
    assert first is not None
    assert first.name == "0"
    assert [part.name async for part in results] == [row["name"] for row in _NUMBERED]


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
