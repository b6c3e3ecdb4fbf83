"""Records read like dictionaries, whatever their fields are called."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import Field, ValidationError

from alyx_client.http.message import Response
from alyx_client.models import DatasetRecord, LabLocationRecord, SessionSummary
from alyx_client.runtime import Record, ResponseParser
from alyx_client.runtime.drift import DriftLog

KEY = UUID("0b12ba9e-01e3-4784-8c35-d7bb1bab414f")


class Renamed(Record):
    """A record whose fields have names that Python or its own methods have."""

    class_: Annotated[str, Field(alias="class")]
    items_: Annotated[list[int], Field(alias="items")]
    name: str


def location(**extra: object) -> LabLocationRecord:
    return LabLocationRecord.model_validate({"json": None, "lab": "x", "name": "rig", **extra})


def test_a_record_is_a_mapping() -> None:
    record = location()
    assert isinstance(record, Mapping)
    assert not isinstance(record, Sequence)
    assert dict(record) == {**record} == {"json": None, "lab": "x", "name": "rig"}
    assert list(record) == list(record.keys()) == ["json", "lab", "name"]
    assert list(record.values()) == [None, "x", "rig"]
    assert list(record.items()) == [("json", None), ("lab", "x"), ("name", "rig")]
    assert (len(record), record["lab"], record.get("lab"), record.get("x"), record.get("x", 1)) == (
        3,
        "x",
        "x",
        None,
        1,
    )
    assert "lab" in record
    assert "labs" not in record
    assert 0 not in record
    match record:
        case {"lab": lab}:
            assert lab == "x"
        case _:
            pytest.fail("not matched as a mapping")


@pytest.mark.parametrize("name", ["labs", "id", "model_fields", "_x", "keys", 0, None])
def test_a_missing_field_is_a_key_error(name: Any) -> None:
    with pytest.raises(KeyError, match=str(name)):
        location()[name]


def test_unknown_fields_are_in_the_mapping() -> None:
    record = location(keys=1, items=[2], values=3, get=4, shelf="5", cls=6, _fields_set=7, self=8)
    assert record["keys"] == 1
    assert dict(record) == {
        "json": None, "lab": "x", "name": "rig", "keys": 1, "items": [2], "values": 3, "get": 4, "shelf": "5",
        "cls": 6, "_fields_set": 7, "self": 8,
    }  # fmt: skip
    assert record.shelf == "5"  # type: ignore[attr-defined]
    assert "items" in record
    assert len(record) == 11
    assert dict(record) == dict(copy.copy(record)) == dict(pickle.loads(pickle.dumps(record)))


def test_keys_are_the_names_of_the_server() -> None:
    record = Renamed.model_validate({"class": "a", "items": [1], "name": "b"})
    assert (record.class_, record.items_) == ("a", [1])
    assert dict(record) == {"class": "a", "items": [1], "name": "b"}
    assert "class_" not in record
    assert dict(record) == record.model_dump(by_alias=True)


def test_drift_is_in_the_mapping() -> None:
    row = {"id": str(KEY), "lab": 7, "projects": [], "number": None, "start_time": None, "subject": "x", "url": "u"}
    content = json.dumps({**row, "keys": {"a": 1}}).encode()
    response = Response(200, {"content-type": "application/json"}, content, "GET", "https://x.org/sessions/1")
    parser: ResponseParser[SessionSummary] = ResponseParser(SessionSummary)
    with pytest.warns(UserWarning, match="lab"):
        record = parser.parse(response, "sessions", DriftLog())
    assert dict(record) == {**row, "id": KEY, "task_protocol": None, "keys": {"a": 1}}
    assert record.model_fields_set == {*row, "keys"}


def test_an_id_from_the_url_is_an_attribute_only() -> None:
    record = DatasetRecord.model_construct(url=f"https://x.org/datasets/{KEY}")
    assert record.id == KEY
    assert "id" not in record
    with pytest.raises(KeyError, match="The server does not send it"):
        record["id"]


def test_what_pydantic_does_is_unchanged() -> None:
    record = location(shelf=1)
    assert record == location(shelf=1)
    assert record != location(shelf=2)
    assert record != dict(record)
    assert record.model_dump() == dict(record)
    assert record.model_fields_set == {"json", "lab", "name", "shelf"}
    assert repr(record) == str(record) == "LabLocationRecord(name='rig', lab='x', shelf=1)"
    assert record.model_copy(update={"lab": "y"})["lab"] == "y"
    assert LabLocationRecord.model_validate(dict(record)) == record
    with pytest.raises((ValidationError, AttributeError)):
        record.lab = "y"


def test_pandas_makes_columns_of_the_fields() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([location(), location(lab="y", shelf=1)])
    assert set(frame.columns) == {"json", "lab", "name", "shelf"}
    assert list(frame["lab"]) == ["x", "y"]
    assert next(iter(pandas.Series([location()]))) == location()
