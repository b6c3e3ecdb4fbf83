from __future__ import annotations

import contextlib
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest

from alyx_client import AlyxClient, endpoints
from alyx_client.errors import BadRequestError, ServerError
from alyx_client.http.retry import Retries
from alyx_client.runtime.action import ListAction
from alyx_client.runtime.filters import FilterStyle, Repeated, encode, known_filters
from alyx_client.testing import LocalAlyx
from tests.runtime.filter_cases import KEY, Colour, as_the_server_reads, one, sent

# --- keys among the filters


def test_keys_join_other_lookups() -> None:
    assert one(id=KEY) == {"django": f"pk,{KEY}"}
    assert one(id=0) == {"django": "pk,0"}
    assert as_the_server_reads(one(id=[KEY, str(KEY)], django={"qc": "PASS"})["django"]) == {
        "pk__in": [str(KEY)],
        "qc": "PASS",
    }
    assert one(id=KEY, django="qc,PASS") == {"django": f"pk,{KEY},qc,PASS"}


def test_no_lookups_send_no_parameter() -> None:
    assert one(django={}) == {}
    assert one(django="") == {}
    assert one(id=KEY, django={}) == {"django": f"pk,{KEY}"}


def test_key_without_hyphens_is_not_taken_for_a_number() -> None:
    assert one(id="12345678123456781234567812345678") == {"django": "pk,12345678-1234-5678-1234-567812345678"}


@pytest.mark.parametrize("key", ["", " ", "a,b", "[a]"])
def test_anything_but_one_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="not one key"):
        sent(id=key)


def test_keys_are_plain_where_there_are_no_lookups() -> None:
    assert encode({"id": KEY}, {"id": "id"}, endpoint="things") == [(("id", str(KEY)),)]


# --- the other filters


def test_filters_that_are_none_are_not_sent() -> None:
    assert sent(lab=None, django=None, id=None) == [()]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a,b", "a,b"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (1.5, "1.5"),
        (Decimal("1.50"), "1.50"),
        (KEY, str(KEY)),
        (date(2020, 1, 2), "2020-01-02"),
        (datetime(2020, 1, 2, 3), "2020-01-02T03:00:00"),
        (Colour.RED, "red"),
    ],
)
def test_plain_values(value: object, text: str) -> None:
    assert one(lab=value) == {"lab": text}


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), Decimal("NaN"), datetime(2020, 1, 1, tzinfo=UTC)])
def test_plain_values_that_the_server_would_ignore_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="lab"):
        sent(lab=value)


@pytest.mark.parametrize("value", [True, 1, "1", "true", "True", " TRUE "])
def test_true_is_sent_as_the_server_reads_it(value: object) -> None:
    assert one(alive=value) == {"alive": "true"}


@pytest.mark.parametrize("value", [False, 0, "0", "false", "False"])
def test_false_is_sent_as_the_server_reads_it(value: object) -> None:
    assert one(alive=value) == {"alive": "false"}


@pytest.mark.parametrize("value", ["yes", "no", "maybe", 2, -1, 0.5, date(2020, 1, 1)])
def test_values_that_are_neither_true_nor_false_are_refused_because_the_server_ignores_them(value: object) -> None:
    with pytest.raises(ValueError, match=r"sessions: alive is True or False, not .*everything"):
        sent(alive=value)


def test_days_are_refused_where_the_server_compares_moments() -> None:
    with pytest.raises(ValueError, match=r"start_time .*where=client\.sessions\.fields\.start_time\.date == datetime"):
        sent(start_time=date(2020, 1, 1))
    # Midnight is a moment, and what text says is the server's to read.
    assert one(start_time=datetime(2020, 1, 1)) == {"start_time": "2020-01-01T00:00:00"}
    assert one(start_time="2020-01-01") == {"start_time": "2020-01-01"}


def test_every_filter_that_is_true_or_false_is_checked() -> None:
    """A filter of the server that lacks the check would return every record for a mistyped value."""
    declared = {"bool | None": "boolean", "datetime | str | None": "moment"}
    checked = 0
    for module in pkgutil.iter_modules(endpoints.__path__, f"{endpoints.__name__}."):
        loaded = importlib.import_module(module.name)
        action = getattr(loaded, "_LIST", None)
        if not isinstance(action, ListAction):
            continue
        classes = (kind for _, kind in inspect.getmembers(loaded, inspect.isclass) if kind.__module__ == module.name)
        methods = [kind.list for kind in classes if hasattr(kind, "list")]
        for name, parameter in ((n, p) for method in methods for n, p in inspect.signature(method).parameters.items()):
            if name in action.filters and (style := declared.get(str(parameter.annotation))):
                assert action.filters[name] == style, (module.name, name)
                checked += 1
    assert checked > 20


@pytest.mark.parametrize("value", [b"x", {"a": 1}, object(), timedelta(1), [None]])
def test_plain_values_of_other_types_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="tags"):
        sent(tags=value)


def test_several_values_for_a_single_value_filter_are_refused() -> None:
    with pytest.raises(ValueError, match="lab takes one value"):
        sent(lab=["a", "b"])


@pytest.mark.parametrize("name", ["lab", "tags", "dataset_types"])
@pytest.mark.parametrize("value", ["", " ", [], [""], ["a", " "]])
def test_empty_filters_are_refused_because_the_server_ignores_them(name: str, value: Any) -> None:
    if name == "lab" and isinstance(value, list):
        return
    with pytest.raises(ValueError, match=f"sessions: {name} is empty"):
        sent(**{name: value})


def test_several_values_are_joined_or_repeated_as_declared() -> None:
    assert one(dataset_types=["a", "b", "a"]) == {"dataset_types": "a,b"}
    assert one(dataset_types="a,b") == {"dataset_types": "a,b"}
    assert one(dataset_types=(kind for kind in "ab")) == {"dataset_types": "a,b"}
    assert sent(tags=["a", KEY, True]) == [(("tags", "a"), ("tags", str(KEY)), ("tags", "true"))]
    assert sent(tags="a") == [(("tags", "a"),)]


class Array:
    """Values as NumPy has them."""

    __module__ = "numpy"
    dtype = "object"

    def __init__(self, values: list[str]) -> None:
        self._values = values

    def tolist(self) -> list[str]:
        return self._values


DAY = "2020-03-12"


SAME: dict[FilterStyle, tuple[list[str], list[str]]] = {
    "comma": (["b", "a", "b"], ["b,a,b"]),
    "repeat": (["b", "a", "b"], ["b", "a", "b"]),
    "range": ([DAY, DAY], [f"{DAY},{DAY}"]),
}
"""Values and what is sent, by the style of the filter."""


OF_TYPES = {"uuid": {"a": str(KEY), "b": str(KEY).replace("0b", "1b")}, "integer": {"a": "1", "b": "2"}}
"""Values of these types in place of text."""


def typed_filters_of_several_values() -> Iterator[tuple[str, str, FilterStyle]]:
    for module in pkgutil.iter_modules(endpoints.__path__):
        action = getattr(importlib.import_module(f"{endpoints.__name__}.{module.name}"), "_LIST", None)
        for name, style in action.filters.items() if isinstance(action, ListAction) else ():
            if style in SAME:
                yield action.endpoint, name, style


@pytest.mark.parametrize("collect", [list, tuple, iter, Array])
@pytest.mark.parametrize(("endpoint", "name", "style"), [*typed_filters_of_several_values()])
def test_equal_values_of_typed_filters_arrive_as_they_are(
    local_alyx: LocalAlyx, endpoint: str, name: str, style: FilterStyle, collect: Any
) -> None:
    action = importlib.import_module(f"{endpoints.__name__}.{endpoint}")._LIST
    of_type = OF_TYPES.get(action.types.get(name, ""), {})
    values, texts = (
        [re.sub(r"\b[ab]\b", lambda one: of_type.get(one[0], one[0]), t) for t in ts] for ts in SAME[style]
    )
    once = ["b,a"]  # Alyx counts distinct types of datasets: a name that stands there twice matches nothing
    settings: Any = {"cache_rest": None, "silent": True, "retries": Retries(tries=1)}
    ignored = contextlib.suppress(BadRequestError, ServerError)  # there are no such records
    with AlyxClient(local_alyx.url, token=local_alyx.token(), **settings) as client, ignored:
        list(getattr(client, endpoint).list(**{name: collect(values)}))
    sent_texts = once if name == "dataset_types" else texts
    assert parse_qsl(local_alyx.requests[-1].query) == [(name, text) for text in sent_texts]


def test_values_that_a_url_repeats_are_sent_one_by_one() -> None:
    assert sent(dataset_types=Repeated(["b", "a", "b"])) == [
        (("dataset_types", "b"), ("dataset_types", "a"), ("dataset_types", "b"))
    ]
    with pytest.raises(ValueError, match="lab is empty"):
        sent(lab=Repeated(["a", ""]))


def test_value_with_a_comma_cannot_be_one_of_several() -> None:
    with pytest.raises(ValueError, match=r"dataset_types.*'a,b'"):
        sent(dataset_types=["a,b", "c"])
    assert sent(tags=["a,b", "c"]) == [(("tags", "a,b"), ("tags", "c"))]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(2020, 1, 2), "2020-01-02,2020-01-02"),
        ("2020-01-02", "2020-01-02,2020-01-02"),
        ((date(2020, 1, 2), "2020-01-03"), "2020-01-02,2020-01-03"),
        ("2020-1-9, 2020-01-12", "2020-01-09,2020-01-12"),
        (["2020-01-02", date(2020, 1, 2)], "2020-01-02,2020-01-02"),
    ],
)
def test_date_ranges(value: object, text: str) -> None:
    assert one(date_range=value) == {"date_range": text}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ((date(2020, 1, 3), date(2020, 1, 2)), "after the last"),
        (("2020-1-12", "2020-1-9"), "after the last"),
        ([date(2020, 1, 2)], "not 1 values"),
        ("2020-01-01,2020-01-02,2020-01-03", "not 3 values"),
        (("2020-01-01", ""), "not a date"),
        ("yesterday", "not a date"),
        ((datetime(2020, 1, 1), datetime(2020, 1, 2)), "whole days"),
        (datetime(2020, 1, 1), "whole days"),
    ],
)
def test_invalid_date_ranges_are_refused(value: object, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        sent(date_range=value)
    assert "date_range" in str(caught.value)


def test_date_range_of_another_type() -> None:
    with pytest.raises(TypeError, match="date_range: a int is not a date"):
        sent(date_range=5)


def test_days() -> None:
    assert one(birth_date=date(2020, 1, 2)) == {"birth_date": "2020-01-02"}
    assert one(birth_date=datetime(2020, 1, 2, 23)) == {"birth_date": "2020-01-02"}
    with pytest.raises(ValueError, match="time zone"):
        sent(birth_date=datetime(2020, 1, 2, tzinfo=UTC))
    with pytest.raises(ValueError, match="birth_date takes one value"):
        sent(birth_date=[date(2020, 1, 2), date(2020, 1, 3)])


def test_extra_parameters_come_unchecked_and_in_place_of_filters() -> None:
    assert sent(lab="a", extra_params={"new": ["x", 1], "lab": "", "old": True, "none": None}) == [
        (("new", "x"), ("new", "1"), ("lab", ""), ("old", "true"))
    ]
    assert sent(tags=["a", "b"], extra_params={"tags": "c"}) == [(("tags", "c"),)]


def test_urls_of_records_are_taken_as_their_keys() -> None:
    url = f"http://localhost/sessions/{KEY}"
    assert sent(id=url) == sent(id=f"{url}/") == sent(id=KEY)
    assert sent(id=[url]) == sent(id=[KEY])


def test_extra_lookups_do_not_hide_the_keys() -> None:
    assert sent(id=KEY, django="a,b", extra_params={"django": "c,d"}) == [(("django", f"pk,{KEY},c,d"),)]
    assert encode({}, {}, endpoint="labs", extra_params={"django": "c,d"}) == [(("django", "c,d"),)]


# --- names of filters


class Things:
    @known_filters
    def list(self, *, subject: str | None = None, lab: str | None = None, date_range: Any = None) -> str:
        """List things."""
        return f"{subject} {lab} {date_range}"


def test_misspelled_filter_names_the_nearest() -> None:
    things: Any = Things()
    with pytest.raises(TypeError, match=r"Things\.list\(\) has no filter 'subjct'\. Did you mean 'subject'\?"):
        things.list(subjct="x")
    with pytest.raises(TypeError, match="Did you mean 'date_range'"):
        things.list(date="x")
    with pytest.raises(TypeError, match=r"There are: subject, lab, date_range\. extra_params"):
        things.list(qqq="x")


def test_filters_are_passed_by_name_only() -> None:
    things: Any = Things()
    assert things.list(lab="x") == "None x None"
    with pytest.raises(TypeError, match=r"filters by name only, as in list\(subject=\.\.\.\)"):
        things.list("x")


def test_checked_method_has_the_signature_of_the_original() -> None:
    assert list(inspect.signature(Things.list).parameters) == ["self", "subject", "lab", "date_range"]
    assert Things.list.__doc__ == "List things."
    assert Things.list.__qualname__ == "Things.list"
