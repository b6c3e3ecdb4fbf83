"""Input that is refused before anything is sent, with the place of what is wrong."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import numpy
import pandas
import polars
import pytest

from alyx_client import AlyxClient, InvalidFieldError, InvalidKeyError
from alyx_client.errors import ForeignURLError
from alyx_client.models import Channel, Session, Subject
from tests.bulk.conftest import Many

NOWHERE = "http://127.0.0.1:1"
KEY = "0b12ba9e-01e3-4784-8c35-d7bb1bab414f"
OTHER = "1b12ba9e-01e3-4784-8c35-d7bb1bab414f"


def broken() -> Any:
    yield KEY
    raise OSError("disk")


WRONG = {
    "no UUID": ("sessions.read_many", [KEY, "x"], InvalidKeyError, r"keys\[1\], 'x'"),
    "None": ("sessions.delete_many", [KEY, None], InvalidKeyError, r"keys\[1\], None"),
    "NaN": ("sessions.read_many", [math.nan], InvalidKeyError, r"keys\[0\]"),
    "another server": ("sessions.read_many", [f"https://x.org/sessions/{KEY}"], ForeignURLError, r"keys\[0\]"),
    "one key": ("sessions.read_many", KEY, InvalidKeyError, "call read"),
    "number": ("sessions.delete_many", 5, InvalidKeyError, "call delete"),
    "dictionary of a record": ("sessions.read_many", {"id": KEY}, InvalidKeyError, "several keys"),
    "the same to delete": ("sessions.delete_many", [KEY, UUID(KEY)], InvalidKeyError, r"keys\[1\].*keys\[0\].*again"),
    "the same to change": (
        "sessions.partial_update_many",
        {KEY: {"qc": "PASS"}, UUID(KEY): {"qc": "FAIL"}},
        InvalidKeyError,
        "pass it once",
    ),
    "no resource": ("channels.create_many", [Channel(trajectory_estimate=KEY), {}], InvalidFieldError, r"items\[1\]"),
    "list in the list": (
        "channels.create_many",
        [[Channel(trajectory_estimate=KEY)] * 2],
        InvalidFieldError,
        r"items\[0\]",
    ),
    "one resource": ("channels.create_many", Channel(trajectory_estimate=KEY), InvalidFieldError, "call create"),
    "unknown field": (
        "sessions.partial_update_many",
        {KEY: {"qc": "PASS"}, OTHER: {"qcc": "PASS"}},
        InvalidFieldError,
        rf"keys\[1\], '{OTHER}': .*qcc",
    ),
    "no changes": ("sessions.partial_update_many", {KEY: "qc"}, InvalidFieldError, rf"'{KEY}'"),
    "no pair": ("sessions.update_many", [KEY], InvalidKeyError, "no pair"),
    "changes in place of a resource": ("sessions.update_many", {KEY: {"qc": "PASS"}}, InvalidFieldError, r"keys\[0\]"),
    "table": ("sessions.read_many", pandas.DataFrame({"id": [KEY]}), InvalidKeyError, "DataFrame"),
    "table of polars": ("sessions.read_many", polars.DataFrame({"id": [str(KEY)]}), InvalidKeyError, "pass a column"),
    "table of changes": ("sessions.partial_update_many", numpy.zeros((2, 2)), InvalidKeyError, "ndarray"),
    "neither": ("sessions.partial_update_many", KEY, InvalidKeyError, "dictionary of keys"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_item_is_named_and_nothing_sent(case: str, many: Many) -> None:
    method, items, error, match = WRONG[case]
    with pytest.raises(error, match=match):
        many(NOWHERE, method, items)


def test_error_of_an_iterator_of_changes_names_its_place(many: Many) -> None:
    def pairs() -> Iterator[tuple[UUID, dict[str, str]]]:
        yield KEY, {"narrative": "a"}
        raise OSError

    with pytest.raises(TypeError, match=r"sessions\.partial_update_many\(\): items\[1\]: it cannot be read"):
        many(NOWHERE, "sessions.partial_update_many", pairs())


def test_error_of_the_callers_own_iterator_names_its_place(many: Many) -> None:
    with pytest.raises(TypeError, match=r"sessions\.read_many\(\): keys\[1\]: it cannot be read \(OSError\)") as caught:
        many(NOWHERE, "sessions.read_many", broken())
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(InvalidFieldError, match="lab: is missing") as wrong:
        many(NOWHERE, "subjects.create_many", (Subject(**values) for values in ({"nickname": "x"},)))
    assert wrong.value.__notes__ == ["This is items[0] of subjects.create_many(); nothing was sent."]
    with pytest.raises(TypeError, match="1,000,000 at a time"):
        many(NOWHERE, "sessions.delete_many", itertools.repeat(KEY))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_workers": 0}, ValueError),
        ({"max_workers": "8"}, TypeError),
        ({"max_workers": 1.5}, ValueError),
        ({"on_error": "ignore"}, ValueError),
        ({"executor": 4}, TypeError),
        ({"timeout": -1}, ValueError),
        ({"timeout": "1"}, TypeError),
        ({"workers": 4}, TypeError),
    ],
)
def test_wrong_option_is_named(options: dict[str, Any], error: type[Exception], many: Many) -> None:
    with pytest.raises(error, match=next(iter(options))):
        many(NOWHERE, "sessions.read_many", [KEY], **options)


def test_record_of_another_endpoint_is_refused(client: AlyxClient) -> None:
    with pytest.raises(InvalidKeyError, match=r"keys\[0\].*record of subjects"):
        client.sessions.read_many(client.subjects.list()[:1])
    with pytest.raises(InvalidKeyError, match="call read"):
        client.sessions.read_many(client.sessions.list()[0])  # type: ignore[arg-type]


def test_what_is_changed_meanwhile_is_sent_as_it_was(client: AlyxClient) -> None:
    changes = {"json": {"a": 1}}
    key = client.sessions.list()[0].id

    def pairs() -> Any:
        yield key, changes

    client.sessions.partial_update_many(pairs())
    changes["json"]["a"] = 2
    assert client.sessions.read(key).json == {"a": 1}


def test_only_endpoints_with_the_action_have_the_method() -> None:
    client = AlyxClient(NOWHERE, token="t")
    assert hasattr(client.brain_regions, "read_many")
    assert not hasattr(client.brain_regions, "create_many")
    assert not hasattr(client.procedures, "read_many")
    assert not hasattr(client.cache_info, "read_many")
    assert hasattr(client.sessions, "update_many")
    assert Session.__name__ in str(type(client.sessions).update_many.__annotations__)
