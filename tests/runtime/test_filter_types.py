"""Values of filters and keys of another type than the declared one: refused before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alyx_client import AlyxClient
from alyx_client.errors import InvalidCallError, InvalidFieldError, InvalidKeyError
from alyx_client.runtime.filter_values import FilterType
from alyx_client.runtime.filters import FilterStyle, Repeated, encode
from alyx_client.testing import LocalAlyx

SCHEMA = Path(__file__).parents[2] / "schemas" / "corrected" / "alyx-3.6.1.json"
KEY = "0b12ba9e-01e3-4784-8c35-d7bb1bab414f"
URL = f"http://localhost/sessions/{KEY}"
SMALL: dict[str, Any] = {"cache_rest": None, "silent": True}

# What a real Alyx 3.6.1 takes for each type, and what is sent. It rejects the values that are refused below, or fails.
TAKEN: dict[FilterType, list[tuple[object, str]]] = {
    "uuid": [
        (KEY, KEY),
        (UUID(KEY), KEY),
        (KEY.upper(), KEY.upper()),
        (KEY.replace("-", ""), KEY.replace("-", "")),
        (f"{{{KEY}}}", f"{{{KEY}}}"),
        (URL, KEY),
    ],
    "integer": [
        (5, "5"),
        ("5", "5"),
        (" 5 ", "5"),
        (-1, "-1"),
        (3.0, "3"),
        ("3.0", "3"),
        ("1e3", "1000"),
        (2**70, str(2**70)),
    ],
    "number": [(5, "5"), ("5", "5"), (0.5, "0.5"), ("1e3", "1e3"), (Decimal("1.50"), "1.50")],
    "date": [
        (date(2020, 1, 2), "2020-01-02"),
        ("2020-01-02", "2020-01-02"),
        ("2020-1-2", "2020-01-02"),
        ("20200102", "2020-01-02"),
        ("2020-01-02T00:00:00", "2020-01-02"),
        (datetime(2020, 1, 2), "2020-01-02"),
    ],
    "date-time": [
        (datetime(2020, 1, 2, 3), "2020-01-02T03:00:00"),
        ("2020-01-02", "2020-01-02"),
        ("2020-01-02 03:04:05.6", "2020-01-02 03:04:05.6"),
        ("2020-1-2 3:04", "2020-1-2 3:04"),
        ("2020-01-02T03:00:00Z", "2020-01-02T03:00:00Z"),
    ],
}
REFUSED: dict[FilterType, list[object]] = {
    "uuid": ["flowers", "None", 5, True, 0.5, f"{KEY}0", "http://localhost/sessions/flowers", date(2020, 1, 2)],
    "integer": ["flowers", "None", "true", True, 1.5, "1.5", "1e999", "nan", "1,5", UUID(KEY), date(2020, 1, 2)],
    "number": ["flowers", "None", True, "nan", "inf", "-inf", "1,5", UUID(KEY), date(2020, 1, 2)],
    "date": [
        "flowers",
        "today",
        "2020",
        "2020-01",
        "01/02/2020",
        "2020-02-30",
        "2020-01-02T03:00",
        2020,
        True,
        UUID(KEY),
    ],
    "date-time": ["flowers", "2020", "10:00", "01/02/2020", "2020-02-30T00:00:00", 2020, 1.5, True, UUID(KEY)],
}
STYLES: list[FilterStyle] = ["plain", "comma", "repeat", "id"]


def encoded(value: object, kind: FilterType, style: FilterStyle = "plain") -> list[tuple[tuple[str, str], ...]]:
    return encode({"x": value}, {"x": style}, endpoint="things", types={"x": kind})


@pytest.mark.parametrize(("kind", "value", "text"), [(kind, *case) for kind, cases in TAKEN.items() for case in cases])
def test_values_of_the_declared_type_are_sent(kind: FilterType, value: object, text: str) -> None:
    for style in STYLES:
        assert encoded(value, kind, style) == [(("x", text),)]
    assert encoded([value], kind, "repeat") == [(("x", text),)]


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in REFUSED.items() for value in values])
def test_values_of_another_type_are_refused(kind: FilterType, value: object) -> None:
    for style in STYLES:
        if style == "comma" and value == "1,5":  # two values
            continue
        with pytest.raises(InvalidFieldError, match=r"^things: x takes a .*, not .*extra_params") as caught:
            encoded(value, kind, style)
        assert list(caught.value.fields) == ["x"]
    with pytest.raises(InvalidFieldError, match="things: x takes"):
        encoded([value], kind, "repeat")


def test_types_of_several_values() -> None:
    assert encoded(f"{KEY},{KEY}", "uuid", "comma") == [(("x", f"{KEY},{KEY}"),)]
    for values in (f"{KEY},flowers", [KEY, "flowers"], Repeated([KEY, "flowers"])):
        with pytest.raises(InvalidFieldError, match="not 'flowers'"):
            encoded(values, "uuid", "comma")
    styles: dict[str, FilterStyle] = {"id": "id", "django": "django"}
    assert encode({"id": [3, "4"]}, styles, endpoint="things", types={"id": "integer"}) == [
        (("django", "pk__in,[3,4]"),)
    ]
    for keys in ("x", ["3", "x"]):
        with pytest.raises(InvalidFieldError, match="things: id takes a whole number, not 'x'"):
            encode({"id": keys}, styles, endpoint="things", types={"id": "integer"})


def test_empty_values_and_time_zones_have_their_own_errors() -> None:
    with pytest.raises(ValueError, match="x is empty"):
        encoded(" ", "uuid")
    with pytest.raises(ValueError, match="time zone"):
        encoded(datetime(2020, 1, 2, tzinfo=UTC), "date-time")


@pytest.mark.parametrize("text", ["x", "x,1,y", "x,[1,2],y"])
def test_lookups_without_a_value_are_refused(text: str) -> None:
    styles: dict[str, FilterStyle] = {"extended_qc": "plain", "django": "django"}
    for name in styles:
        assert encode({name: f"{text},1"}, styles, endpoint="sessions") == [((name, f"{text},1"),)]
        with pytest.raises(ValueError, match=f"{name}: .* is not pairs"):
            encode({name: text}, styles, endpoint="sessions")


# --- every place of the shipped client


def typed_filters() -> Iterator[tuple[str, str]]:
    for path, item in json.loads(SCHEMA.read_text("utf-8"))["paths"].items():
        for parameter in item.get("get", {}).get("parameters", ()) if "{" not in path else ():
            schema = parameter["schema"]
            schema = schema.get("items", schema)
            is_typed = schema.get("type") in ("integer", "number", "boolean") or "format" in schema or "enum" in schema
            if parameter["in"] == "query" and is_typed and parameter["name"] not in ("limit", "offset", "format"):
                yield path.strip("/"), parameter["name"]


def test_every_typed_filter_of_every_list_is_checked(local_alyx: LocalAlyx) -> None:
    filters = list(typed_filters())
    assert len(filters) > 150
    before = len(local_alyx.requests)
    with AlyxClient(local_alyx.url, token="x", **SMALL) as client:
        for endpoint, name in filters:
            with pytest.raises((TypeError, ValueError), match=name):
                getattr(client, endpoint.replace("-", "_")).list(**{name: "flowers?"})
    assert len(local_alyx.requests) == before


def test_every_typed_filter_is_checked_in_calls_by_name(local_alyx: LocalAlyx) -> None:
    with AlyxClient(local_alyx.url, token=local_alyx.token(), **SMALL) as client:
        scheme = client.rest_schemes
        before = len(local_alyx.requests)
        checked = 0
        for endpoint in scheme.endpoints:
            operation = scheme.operation(endpoint, "list") if "list" in scheme.actions(endpoint) else None
            for name in operation.types if operation else ():
                if name not in ("limit", "offset"):
                    with pytest.raises(InvalidCallError, match=f"{endpoint}: {name} takes a"):
                        client.rest(endpoint, "list", **{name: "flowers?"})
                    checked += 1
        assert checked > 130
        for key in ("flowers", 5):
            with pytest.raises(InvalidKeyError, match=r"UUID, .*client\.rest\('sessions', 'list', \.\.\.\)"):
                client.rest("sessions", "read", key)
        assert len(local_alyx.requests) == before
