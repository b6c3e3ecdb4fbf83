"""Values that cannot be sent: every way in refuses them, names the field, and sends nothing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from alyx_client import AlyxClient
from alyx_client.errors import InvalidFieldError
from alyx_client.models import Session
from alyx_client.testing import LocalAlyx

from .filter_cases import Colour
from .unsendable import COLLECTIONS, KEYS, VALUES, Array, Timestamp

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
Way = Callable[[AlyxClient, str, Any], object]

BODIES: dict[str, Way] = {
    "typed field": lambda alyx, key, value: alyx.sessions.partial_update(key, json=value),
    "typed resource": lambda alyx, key, value: alyx.sessions.update(key, Session(subject="a", json={"b": [value]})),
    "typed list": lambda alyx, key, value: alyx.sessions.partial_update(key, projects=value),
    "typed text": lambda alyx, key, value: alyx.sessions.partial_update(key, narrative=value),
    "typed time": lambda alyx, key, value: alyx.sessions.partial_update(key, start_time=value),
    "item added later": lambda alyx, key, value: alyx.sessions.update(key, _changed_later(value)),
    "typed JSON field, written": lambda alyx, key, value: alyx.sessions.json_field_write(key, "json", value),
    "typed JSON field, updated": lambda alyx, key, value: alyx.sessions.json_field_update(key, "json", {"a": value}),
    "JSON field, written": lambda alyx, key, value: alyx.json_field_write("sessions", key, "json", value),
    "JSON field, updated": lambda alyx, key, value: alyx.json_field_update("sessions", key, "json", {"a": value}),
    "by name": lambda alyx, key, value: alyx.rest("sessions", "partial_update", id=key, data={"json": value}),
    "path": lambda alyx, key, value: alyx.patch(f"/sessions/{key}", {"json": {"a": (1, value)}}),
    "form": lambda alyx, key, value: alyx.post("/notes", data={"text": value}, files={"image": PNG}),
}
FILTERS: dict[str, Way] = {
    "text": lambda alyx, key, value: alyx.sessions.list(subject=value),
    "joined": lambda alyx, key, value: alyx.sessions.list(dataset_types=[value]),
    "day": lambda alyx, key, value: alyx.subjects.list(birth_date=value),
    "range": lambda alyx, key, value: alyx.sessions.list(date_range=(value, value)),
    "one day": lambda alyx, key, value: alyx.sessions.list(date_range=value),
    "keys": lambda alyx, key, value: alyx.sessions.list(id=[value]),
    "lookup": lambda alyx, key, value: alyx.sessions.list(django={"json__a": value}),
    "lookup in a list": lambda alyx, key, value: alyx.sessions.list(django={"number__in": [1, value]}),
    "unchecked": lambda alyx, key, value: alyx.sessions.list(extra_params={"subject": value}),
    "by name": lambda alyx, key, value: alyx.rest("sessions", "list", subject=value),
    "lookups in turn": lambda alyx, key, value: alyx.rest("sessions", "list", django=["json__a", value]),
    "key": lambda alyx, key, value: alyx.sessions.read(value),
}


NAMES = re.compile(
    "json|projects|narrative|start_time|text|subject|dataset_types|date_range|birth_date|id|number|data: it|django.1"
)
"""Fields, filters and lookups of these ways; an endless body as a whole is `data`."""


def _changed_later(value: object) -> Session:
    session = Session(subject="a", json={"b": []})
    session.json["b"].append(value)
    return session


@pytest.fixture
def alyx(local_alyx: LocalAlyx) -> Iterator[AlyxClient]:
    settings: Any = {"cache_rest": None, "silent": True}
    with AlyxClient(local_alyx.url, token=local_alyx.token(), **settings) as client:
        assert client.rest_schemes
        yield client


@pytest.fixture
def session(local_alyx: LocalAlyx) -> str:
    return str(local_alyx.store.rows("sessions")[0]["id"])


def outcomes(local_alyx: LocalAlyx, ways: dict[str, Way], call: Callable[[Way], object]) -> dict[str, str]:
    """Return the ways that do not refuse a value, or send something all the same."""
    wrong: dict[str, str] = {}
    for name, way in ways.items():
        before = len(local_alyx.requests)
        try:
            wrong[name] = f"accepted: {call(way)!r}"
        except (TypeError, ValueError) as error:
            message = str(error)
            if not NAMES.search(message):
                wrong[name] = f"no field is named: {message}"
        if local_alyx.requests[before:]:
            wrong[name] = f"sent: {local_alyx.requests[before:]}"
    return wrong


@pytest.mark.parametrize("value", [*VALUES, *COLLECTIONS])
def test_body_with_a_value_that_json_lacks_is_refused(
    alyx: AlyxClient, local_alyx: LocalAlyx, session: str, value: str
) -> None:
    make = (VALUES | COLLECTIONS)[value]
    assert outcomes(local_alyx, BODIES, lambda way: way(alyx, session, make())) == {}


@pytest.mark.parametrize("value", VALUES)
def test_query_with_a_value_that_it_cannot_express_is_refused(
    alyx: AlyxClient, local_alyx: LocalAlyx, session: str, value: str
) -> None:
    assert outcomes(local_alyx, FILTERS, lambda way: way(alyx, session, VALUES[value]())) == {}


@pytest.mark.parametrize("key", KEYS)
def test_key_that_json_lacks_is_refused(alyx: AlyxClient, local_alyx: LocalAlyx, session: str, key: str) -> None:
    assert outcomes(local_alyx, BODIES, lambda way: way(alyx, session, {"a": {KEYS[key](): 1}})) == {}


def test_value_that_is_lost_or_endless_is_refused(alyx: AlyxClient, local_alyx: LocalAlyx, session: str) -> None:
    endless: list[object] = []
    endless.append(endless)
    for value in ({1: "a", "1": "b"}, endless):
        ways = {name: way for name, way in BODIES.items() if name != "item added later"}
        assert outcomes(local_alyx, ways, lambda way, value=value: way(alyx, session, value)) == {}


def test_errors_are_of_both_kinds(alyx: AlyxClient, session: str) -> None:
    for kind in (TypeError, InvalidFieldError):
        with pytest.raises(kind, match=r"data\['json'\]\[0\]: a DataFrame cannot be sent"):
            alyx.patch(f"/sessions/{session}", {"json": [VALUES["DataFrame"]()]})
        with pytest.raises(kind, match="subject: a time that is missing"):
            alyx.sessions.list(subject=VALUES["NaT"]())  # type: ignore[arg-type]


def test_json_as_text_has_no_nan(alyx: AlyxClient, local_alyx: LocalAlyx, session: str) -> None:
    before = len(local_alyx.requests)
    for text in ('{"json": {"a": [NaN]}}', '{"json": {"a": [1e999]}}', "[" * 100_000):
        with pytest.raises(InvalidFieldError):
            alyx.patch(f"/sessions/{session}", text)
    assert len(local_alyx.requests) == before


class Level(IntEnum):
    LOW = 1


class Pair(NamedTuple):
    first: int
    second: str


SENDABLE: dict[str, tuple[object, object]] = {
    "NumPy's integer": (Array(7, "int64", "i"), 7),
    "NumPy's float": (Array(0.5, "float64", "f"), 0.5),
    "NumPy's boolean": (Array(True, "bool", "b"), True),
    "NumPy's time": (Array(dt.datetime(2020, 1, 2, 3), "datetime64[ns]", "M"), "2020-01-02T03:00:00"),
    "array": (Array([[1, 2], [3, 4]], "int64", "i"), [[1, 2], [3, 4]]),
    "array of objects": (Array([None, UUID(int=1)]), [None, str(UUID(int=1))]),
    "Timestamp": (Timestamp(2020, 1, 2, 3, 4, 5, 6), "2020-01-02T03:04:05.000006"),
    "nested": ({"a": [(Array(1, "int64", "i"),)]}, {"a": [[1]]}),
    "date": (dt.date(2020, 1, 2), "2020-01-02"),
    "time of day": (dt.time(3, 4), "03:04:00"),
    "decimal": (Decimal("1.50"), 1.5),
    "path": (Path("a"), "a"),
    "text of an enumeration": (Colour.RED, "red"),
    "number of an enumeration": (Level.LOW, 1),
    "named tuple": (Pair(1, "a"), [1, "a"]),
    "range": (range(2), [0, 1]),
    "keys": ({1: "a", 1.5: "b", UUID(int=1): "c", Array(2, "int64", "i"): "d"}, None),
}


@pytest.mark.parametrize("value", SENDABLE)
def test_json_fields_take_the_same_values_by_name_and_typed(alyx: AlyxClient, session: str, value: str) -> None:
    sent, stored = SENDABLE[value]
    if value == "keys":
        stored = {"1": "a", "1.5": "b", str(UUID(int=1)): "c", "2": "d"}
    alyx.sessions.partial_update(session, json=sent)
    assert alyx.sessions.read(session).json == stored
    assert alyx.sessions.json_field_write(session, "json", [sent]) == [stored]
    assert alyx.sessions.update(session, Session(subject=_subject(alyx, session), json=sent)).json == stored
    assert alyx.patch(f"/sessions/{session}", {"json": sent})["json"] == stored
    assert alyx.rest("sessions", "partial_update", id=session, data={"json": [sent]})["json"] == [stored]


def _subject(alyx: AlyxClient, session: str) -> str:
    return alyx.sessions.read(session).subject


def test_fields_and_filters_take_time_stamps_of_pandas(alyx: AlyxClient, local_alyx: LocalAlyx, session: str) -> None:
    moment, day = Timestamp(2020, 1, 2, 3, 4, 5), Timestamp(2020, 1, 2)
    assert alyx.sessions.partial_update(session, start_time=moment).start_time == dt.datetime(2020, 1, 2, 3, 4, 5)
    numpy_day = Array(dt.datetime(2020, 1, 2), "datetime64[ns]", "M")
    numpy_days = Array([dt.datetime(2020, 1, 2)] * 2, "datetime64[ns]", "M")
    pairs: list[Any] = [(day, day), [numpy_day, day], numpy_days, day, numpy_day]
    for days in pairs:
        alyx.sessions.list(date_range=days)
        assert local_alyx.requests[-1].query == "date_range=2020-01-02,2020-01-02"
    for days in pairs[:3]:
        alyx.rest("sessions", "list", date_range=days)
        assert local_alyx.requests[-1].query == "date_range=2020-01-02,2020-01-02"
    for call in (alyx.sessions.list, lambda **filters: alyx.rest("sessions", "list", **filters)):
        with pytest.raises(ValueError, match="date_range compares whole days"):
            call(date_range=[moment, moment])


def test_filters_take_collections_of_values(alyx: AlyxClient, local_alyx: LocalAlyx, session: str) -> None:
    collections: list[Any] = [
        {session},
        {session: 1}.keys(),
        {1: session}.values(),
        map(str, [session]),
        iter([session]),
    ]
    for keys in collections:
        assert [str(row.id) for row in alyx.sessions.list(id=keys)] == [session]
    for name in ("date_range", "extended_qc"):
        with pytest.raises(ValueError, match=f"{name}: a set has no order"):
            alyx.rest("sessions", "list", **{name: {"2020-01-01", "2020-01-02"}})
