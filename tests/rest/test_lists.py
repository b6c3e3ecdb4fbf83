"""Lists called by name, and their filters."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

from alyx_client.endpoints.client import _CLOSED_SETS  # pyright: ignore[reportPrivateUsage]
from alyx_client.errors import (
    BadRequestError,
    InvalidCallError,
    ServerError,
)
from alyx_client.testing import LocalAlyx
from tests.faults import FaultServer, page

from .clients import sent


def test_list_is_a_list_of_dictionaries(alyx: Any) -> None:
    rows = alyx.rest("subjects", "list")
    assert isinstance(rows, list)
    assert all(isinstance(row, dict) for row in rows)


def test_list_of_several_pages_is_complete(alyx: Any, local_alyx: LocalAlyx) -> None:
    rows = alyx.rest("datasets", "list", limit=5)
    assert len(rows) == len({row["url"] for row in rows}) == len(local_alyx.store.rows("datasets"))
    assert rows[-1] == alyx.rest("datasets", "list")[-1]
    assert rows[2:4] == alyx.rest("datasets", "list")[2:4]
    assert all(
        {"limit=5", "limit=7"} & {*request.query.split("&")}
        for request in local_alyx.requests
        if "offset" in request.query
    )


@pytest.mark.parametrize("query", ["subjects?alive=True", "/subjects?alive=True", "subjects?alive=True&limit=2"])
def test_filters_may_be_part_of_the_endpoint(alyx: Any, query: str) -> None:
    assert list(alyx.rest(query)) == list(alyx.rest("subjects", "list", alive=True)) != []


def test_list_by_id_accepts_one_or_several_keys_and_urls(alyx: Any) -> None:
    rows = alyx.rest("sessions", "list")
    first, second = rows[:2]
    assert alyx.rest("sessions", "list", id=first["id"]) == [first]
    assert alyx.rest("sessions", "list", first["url"]) == [first]
    assert alyx.rest("sessions", "list", id=UUID(first["id"])) == [first]
    matching = alyx.rest("sessions", "list", id=[first["id"], second["id"]])
    assert sorted(row["id"] for row in matching) == sorted([first["id"], second["id"]])
    assert alyx.rest("sessions", "list", id=[]) == []
    both = alyx.rest("sessions", "list", id=first["id"], django=f"subject__nickname,{second['subject']}")
    assert [row["id"] for row in both] == ([first["id"]] if first["subject"] == second["subject"] else [])


def test_lists_are_joined_by_commas_and_dates_are_iso(alyx: Any, local_alyx: LocalAlyx) -> None:
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


def joined_filters(alyx: Any) -> list[tuple[str, str, str]]:
    """Return the endpoints and filters whose several values are one text, and the types of these."""
    schemes = alyx.rest_schemes
    lists = [(name, schemes.operation(name, "list")) for name in schemes.endpoints if "list" in schemes.actions(name)]
    return [
        (endpoint, field["name"], operation.types.get(field["name"], ""))
        for endpoint, operation in lists
        for field in operation.fields
        if field["in"] == "query"
        and field["name"] not in ("limit", "offset", "id", "django")
        and (field["schema"].get("type") != "array" or field["name"] in operation.joined)
        and field["schema"].get("type") != "boolean"  # one of two values, and anything else is refused
        # Values of closed sets are refused, or become a lookup.
        and "enum" not in field["schema"]
        and field["name"] not in _CLOSED_SETS.filters.get(endpoint.replace("-", "_"), {})
    ]


KEYS = ["0b12ba9e-01e3-4784-8c35-d7bb1bab414f", "1b12ba9e-01e3-4784-8c35-d7bb1bab414f"]
OF_TYPES = {
    "uuid": [KEYS[1], KEYS[1], KEYS[0], KEYS[1]],
    "integer": ["2", "2", "1", "2"],
    "number": ["2", "2", "1.5", "2"],
    "date": ["2020-03-12", "2020-03-12", "2020-03-11"],
    "date-time": ["2020-03-12T10:00:00", "2020-03-12T10:00:00", "2020-03-11"],
}
"""Values of filters of these types, in place of text."""


@pytest.mark.parametrize("way", WAYS)
def test_equal_values_of_every_joined_filter_are_sent_unchanged(alyx: Any, local_alyx: LocalAlyx, way: str) -> None:
    differences = {}
    filters = joined_filters(alyx)
    for endpoint, name, kind in filters:
        values = OF_TYPES.get(kind, ["2020-03-12", "2020-03-12", "b", "a", "b", "b"])
        query, keywords = WAYS[way](name, values)
        with contextlib.suppress(BadRequestError, ServerError):  # most of them know no such value
            alyx.rest(endpoint + query, "list", **keywords)
        request = local_alyx.requests[-1]
        # Alyx counts distinct types of datasets: a name that stands there twice matches nothing.
        once = name == "dataset_types" and way not in ("text", "URL")
        expected = in_url(list(dict.fromkeys(values)) if once else values)
        if parse_qsl(request.query) != [(name, expected)]:
            differences[endpoint, name] = request.query
    assert differences == {}
    assert {("sessions", "date_range"), ("data-notices", "datasets"), ("sessions", "dataset_types")} <= {
        (endpoint, name) for endpoint, name, _ in filters
    }
    assert len(filters) > 150


@pytest.mark.parametrize("read", [str, dt.date.fromisoformat], ids=["text", "date"])
@pytest.mark.parametrize("way", WAYS)
def test_sessions_of_one_day(alyx: Any, way: str, read: Callable[[str], object]) -> None:
    rows = alyx.rest("sessions", "list")
    day = rows[0]["start_time"][:10]
    query, keywords = WAYS[way]("date_range", [read(day), read(day)])
    matching = alyx.rest(f"sessions{query}", "list", **keywords)
    assert [row["id"] for row in matching] == [row["id"] for row in rows if row["start_time"][:10] == day]
    assert 0 < len(matching) < len(rows)


def test_repeated_values_of_a_url_are_all_sent(alyx: Any, local_alyx: LocalAlyx) -> None:
    alyx.rest("sessions?projects=b&projects=a&projects=b&qc=PASS&limit=3&limit=4")
    assert local_alyx.requests[-1].query == "projects=b&projects=a&projects=b&qc=PASS&limit=4"
    alyx.rest("sessions?projects=b&projects=a", "list", projects="c")
    assert local_alyx.requests[-1].query == "projects=c"
    with pytest.raises(InvalidCallError, match="projects is empty"):
        alyx.rest("sessions?projects=b&projects=")


def test_repeated_lookups_and_keys_of_a_url_are_combined(alyx: Any, local_alyx: LocalAlyx, session: str) -> None:
    lab = alyx.rest("sessions", "read", id=session)["lab"]
    rows = alyx.rest(f"sessions?id={session}&id={session}&django=lab__name,{lab}&django=qc__gte,0")
    assert sent(local_alyx) == {"django": f"pk__in,['{session}'],lab__name,{lab},qc__gte,0"}
    assert [row["id"] for row in rows] == [session]


def test_django_accepts_text_lists_and_dictionaries(alyx: Any, local_alyx: LocalAlyx) -> None:
    for django in ("lab__name,cortexlab", ["lab__name", "cortexlab"], {"lab__name": "cortexlab"}):
        alyx.rest("sessions", "list", django=django)
        assert sent(local_alyx) == {"django": "lab__name,cortexlab"}


@pytest.mark.parametrize(("url", "filters"), [("subjects", {"aliv": True}), ("subjects?aliv=True", {})])
def test_unknown_filter_suggests_similar_names_and_nothing_is_sent(
    alyx: Any, local_alyx: LocalAlyx, url: str, filters: dict[str, Any]
) -> None:
    with pytest.raises(InvalidCallError, match=r"no filter 'aliv'.*'alive'.*extra_params"):
        alyx.rest(url, "list", **filters)
    assert not [request for request in local_alyx.requests if request.path == "/subjects"]


@pytest.mark.parametrize("value", ["yes", 2])
def test_values_that_the_server_would_ignore_are_refused(alyx: Any, local_alyx: LocalAlyx, value: object) -> None:
    with pytest.raises(InvalidCallError, match=r"subjects: alive is True or False, not"):
        alyx.rest("subjects", "list", alive=value)
    assert len(alyx.rest("subjects", "list", alive=1)) == len(alyx.rest("subjects", "list", alive=True))
    assert sent(local_alyx) == {"alive": "true"}


def test_unknown_filter_is_sent_if_requested(alyx: Any, connect: Callable[..., Any], local_alyx: LocalAlyx) -> None:
    alyx.rest("subjects", "list", extra_params={"new": 1})
    assert sent(local_alyx) == {"new": "1"}
    connect(local_alyx.url, token=local_alyx.token(), strict_filters=False).rest("subjects", "list", new=[1, 2])
    assert sent(local_alyx) == {"new": "1,2"}


@pytest.mark.parametrize("value", ["", " ", []])
def test_empty_filter_is_refused_since_it_would_match_everything(alyx: Any, value: Any) -> None:
    with pytest.raises(InvalidCallError, match="lab"):
        alyx.rest("subjects", "list", lab=value)


@pytest.mark.parametrize("limit", [0, -1, "x"])
def test_limit_must_be_a_positive_number(alyx: Any, limit: Any) -> None:
    with pytest.raises(InvalidCallError, match="limit"):
        alyx.rest("subjects", "list", limit=limit)


def test_offset_returns_the_rows_of_one_page(alyx: Any) -> None:
    rows = alyx.rest("subjects", "list")
    assert alyx.rest("subjects", "list", limit=2, offset=3) == rows[3:5]
    assert alyx.get("/subjects?limit=2&offset=3") == rows[3:5]


def test_repeated_rows_are_returned_once(connect: Callable[..., Any]) -> None:
    rows = [{"id": str(UUID(int=number))} for number in (1, 2, 1)]
    with FaultServer(then=page(rows, count=2)) as server:
        assert connect(server.url, token="t").get("/imaging-stack") == rows[:2]
