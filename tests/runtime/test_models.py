from __future__ import annotations

import copy
import json
import math
import pickle
import warnings
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import Field

from alyx_client.errors import InvalidFieldError
from alyx_client.models import RegisterFile, SubjectSummary
from alyx_client.runtime.inputs import UNSET, DateInput, DateTimeInput, UUIDInput
from alyx_client.runtime.models import Resource
from alyx_client.runtime.records import Record, WithIdInUrl
from alyx_client.runtime.references import key_of_url

KEY = UUID("0b12ba9e-01e3-4784-8c35-d7bb1bab414f")


class Probe(Resource):
    model: str
    depth: float | None = UNSET


class Thing(Resource):
    name: Annotated[str, Field(max_length=5)]
    lab: str = UNSET
    number: int = UNSET
    start: DateTimeInput | None = UNSET
    day: DateInput | None = UNSET
    owner: UUIDInput | None = UNSET
    json: Any = UNSET
    tags: list[str] = UNSET
    probes: list[Probe] = UNSET
    class_: Annotated[str | None, Field(alias="class")] = UNSET


class ThingRecord(WithIdInUrl):
    url: str | None
    tags: list[str] = []  # noqa: RUF012
    note: str | None = None


# --- the mark of what was left out


def test_unset_is_a_singleton_and_false() -> None:
    assert not UNSET
    assert repr(UNSET) == "UNSET"
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET
    assert copy.copy(UNSET) is UNSET
    assert copy.deepcopy([UNSET])[0] is UNSET


def test_fields_passed_as_unset_are_left_out() -> None:
    assert Thing(name="a", lab=UNSET).to_wire() == {"name": "a"}
    assert Thing.changes_to_wire({"lab": "x", "name": UNSET}) == {"lab": "x"}
    with pytest.raises(InvalidFieldError, match="name: is missing"):
        Thing(name=UNSET)
    with pytest.raises(InvalidFieldError, match="nothing to change"):
        Thing.changes_to_wire({"name": UNSET})


# --- what is sent


def test_resources_pickle_copy_and_compare() -> None:
    thing = Thing(name="a", start=datetime(2020, 1, 2), probes=[Probe(model="3B", depth=None)])
    for same in (
        pickle.loads(pickle.dumps(thing)),
        copy.copy(thing),
        copy.deepcopy(thing),
        thing.model_copy(deep=True),
    ):
        assert same == thing
        assert same.to_wire() == thing.to_wire()
        assert same.lab is UNSET
    assert thing != Thing(name="a")
    assert Thing(name="a") != Thing(name="a", day=None)
    assert Probe(model="a") != Thing(name="a")


def test_repr_shows_the_fields_that_were_set() -> None:
    assert repr(Thing(name="a", day=None)) == "Thing(name='a', day=None)"
    assert str(Thing(name="a", probes=[Probe(model="x")])) == "Thing(name='a', probes=[Probe(model='x')])"


def test_dump_has_the_fields_that_were_set() -> None:
    thing = Thing(name="a", owner=str(KEY), probes=[Probe(model="x")], **{"class": "c"})
    assert thing.model_dump() == {"name": "a", "owner": KEY, "probes": [{"model": "x"}], "class_": "c"}
    assert json.loads(thing.model_dump_json(by_alias=True)) == thing.to_wire()
    assert thing.to_wire() == {"name": "a", "owner": str(KEY), "probes": [{"model": "x"}], "class": "c"}


def test_assignment_is_checked_and_sent() -> None:
    thing = Thing(name="a")
    thing.lab = "x"
    thing.day = "2020-01-02"
    assert thing.day == date(2020, 1, 2)
    assert thing.to_wire() == {"name": "a", "lab": "x", "day": "2020-01-02"}
    with pytest.raises(InvalidFieldError, match=r"Thing was not sent\. number: ") as caught:
        thing.number = "many"  # type: ignore[assignment]
    assert set(caught.value.fields) == {"number"}
    with pytest.raises(InvalidFieldError, match=r"labb: .*"):
        thing.labb = "x"  # type: ignore[attr-defined]
    assert thing.to_wire() == {"name": "a", "lab": "x", "day": "2020-01-02"}


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(InvalidFieldError) as caught:
        Thing(name="too long", labb="x", number="many", start="2020-01-01T00:00:00Z", tags=["a", 5], owner="x")
    assert set(caught.value.fields) == {"name", "labb", "number", "start", "tags", "owner"}
    text = str(caught.value)
    assert "did you mean lab?" in text
    assert "at index 1" in text
    assert "time zone" in text
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.fields == caught.value.fields
    assert isinstance(again, ValueError)


def test_nested_problems_are_named_by_their_field() -> None:
    with pytest.raises(InvalidFieldError, match=r"probes: .*at index 1") as caught:
        Thing(name="a", probes=[{"model": "x"}, {"model": None}])
    assert set(caught.value.fields) == {"probes"}


def test_numbers_that_json_lacks_are_refused_and_never_become_null() -> None:
    for number in (math.nan, math.inf):
        with pytest.raises(InvalidFieldError, match=r"depth: .*finite"):
            Probe(model="a", depth=number)
        with pytest.raises(InvalidFieldError, match=r"depth: .*finite"):
            Probe.changes_to_wire({"depth": number})
        with pytest.raises(InvalidFieldError, match=r"json: .*not a number.*, in json\['x'\]"):
            Thing(name="a", json={"x": number})


@pytest.mark.parametrize(
    ("model", "fields", "name"),
    [
        (Thing, {"name": "a", "number": True}, "number"),
        (Probe, {"model": "a", "depth": False}, "depth"),
        (RegisterFile, {"filesizes": [5, True]}, "filesizes"),
    ],
)
def test_boolean_is_no_number(model: type[Resource], fields: dict[str, Any], name: str) -> None:
    required = {"filenames": ["a"], "path": "a"} if model is RegisterFile else {}
    with pytest.raises(InvalidFieldError, match="a boolean") as caught:
        model(**required, **fields)
    assert list(caught.value.fields) == [name]
    with pytest.raises(InvalidFieldError, match="a boolean"):
        model.changes_to_wire({name: fields[name]})


def test_value_that_json_cannot_express_is_an_error() -> None:
    with pytest.raises(InvalidFieldError, match=r"Thing was not sent\. json: a object cannot be sent, in json\['x'\]"):
        Thing(name="a", json={"x": object()})


# --- changes


@pytest.mark.parametrize(
    ("changes", "wire"),
    [
        ({"lab": "x"}, {"lab": "x"}),
        ({"day": None, "start": datetime(2020, 1, 2, 3)}, {"day": None, "start": "2020-01-02T03:00:00"}),
        ({"owner": KEY, "tags": []}, {"owner": str(KEY), "tags": []}),
        ({"json": None}, {"json": None}),
        ({"json": {"a": [None, date(2020, 1, 2)]}}, {"json": {"a": [None, "2020-01-02"]}}),
        ({"probes": [Probe(model="x"), {"model": "y", "depth": None}]}, None),
        ({"class": "c"}, {"class": "c"}),
    ],
)
def test_changes_become_what_is_sent(changes: dict[str, Any], wire: dict[str, Any] | None) -> None:
    expected = {"probes": [{"model": "x"}, {"model": "y", "depth": None}]} if wire is None else wire
    assert Thing.changes_to_wire(changes) == expected


def test_all_problems_of_changes_are_named_at_once() -> None:
    with pytest.raises(InvalidFieldError) as caught:
        Thing.changes_to_wire({"lab": None, "nam": "x", "class": 5, "probes": [{"depth": "deep"}], "tags": ["a"]})
    assert set(caught.value.fields) == {"lab", "nam", "class", "probes"}
    assert "nam: is not a field that can be sent (did you mean name?)" in str(caught.value)


@pytest.mark.parametrize("changes", [{}, {"qqq": 1}, {"name": None}, {"name": "too long"}, {"start": 5}])
def test_changes_that_cannot_be_made(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidFieldError, match="Thing"):
        Thing.changes_to_wire(changes)


# --- dates


@pytest.mark.parametrize("value", [5, 5.5, True, "2020-01-02T03:04:05+01:00", "2020-01-02T03:04:05Z", "soon", b"x"])
def test_times_that_would_be_shifted_or_guessed_are_refused(value: Any) -> None:
    with pytest.raises(InvalidFieldError, match="start"):
        Thing(name="a", start=value)


@pytest.mark.parametrize("value", [5, True, "2020-13-01", "soon", datetime(2020, 1, 2, 3)])
def test_invalid_days_are_refused(value: Any) -> None:
    with pytest.raises(InvalidFieldError, match="day"):
        Thing(name="a", day=value)


def test_times_are_sent_to_the_microsecond() -> None:
    assert Thing(name="a", start="2020-01-02 03:04:05.000006").to_wire()["start"] == "2020-01-02T03:04:05.000006"
    assert Thing(name="a", day=datetime(2020, 1, 2)).to_wire()["day"] == "2020-01-02"


# --- what is answered


def record(**fields: Any) -> ThingRecord:
    return ThingRecord.model_validate_json(json.dumps({"url": f"https://x.org/things/{KEY}", **fields}))


def test_record_has_the_id_of_its_url() -> None:
    assert record().id == KEY
    assert record(url=f"https://x.org/alyx/things/{KEY}/?a=b").id == KEY
    assert "id" not in record().model_dump()
    for url in (None, "", "nowhere", "https://x.org/things/flowers"):
        assert not hasattr(record(url=url), "id")
        with pytest.raises(AttributeError, match="no id"):
            _ = record(url=url).id


def test_keys_of_urls_are_decoded() -> None:
    assert key_of_url("https://x.org/subjects/a%2Fb%20c/") == "a/b c"


def test_records_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        record().note = "x"
    with pytest.raises(ValueError, match="frozen"):
        del record(note="x").note


def test_record_repr_is_short_and_leaves_out_what_is_empty() -> None:
    text = repr(record(note="", tags=["a", "b", "c", "d"], long="x" * 500, new=None))
    assert "tags=[<4 items>]" in text
    assert "note" not in text
    assert "new" not in text
    assert len(text) < 250
    assert str(record()) == repr(record())


def test_records_copy_pickle_and_compare() -> None:
    one = record(note="x", new={"a": [1]})
    for same in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one)):
        assert same == one
        assert same.id == KEY
        assert same.new == {"a": [1]}
    assert one != record(note="y", new={"a": [1]})


def test_dump_of_a_record_with_a_foreign_value_is_silent() -> None:
    odd = ThingRecord.model_construct(url=5, tags=None, note=["x"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert odd.model_dump() == {"url": 5, "tags": None, "note": ["x"]}
        assert json.loads(odd.model_dump_json()) == {"url": 5, "tags": None, "note": ["x"]}


def test_record_coerces_nothing() -> None:
    with pytest.raises(ValueError, match="note"):
        record(note=5)
    assert isinstance(record(), Record)


def test_repr_of_a_record_shows_its_key_first_and_is_short() -> None:
    record = SubjectSummary.model_construct(
        nickname="flowers", alive=False, age_weeks=0, line=None, projects=[], description="x" * 200, sex="F", **_MORE
    )
    text = repr(record)
    assert text.startswith("SubjectSummary(nickname='flowers', ")
    assert "age_weeks=0" in text
    assert "alive=False" in text
    assert "line" not in text
    assert text.endswith(", ...)")
    assert len(text) < 400


_MORE = {f"field_{number}": number for number in range(20)}


@pytest.mark.parametrize(
    ("labs", "sent"),
    [(["a", "b"], "a,b"), (("a",), "a"), ("a,b", "a,b"), ([], "")],
)
def test_lists_that_older_servers_split_are_sent_as_one_text(labs: Any, sent: str) -> None:
    registration = RegisterFile(path="p", filenames=["f", "g"], labs=labs)
    assert registration.to_wire() == {"path": "p", "filenames": ["f", "g"], "labs": sent}
    registration.projects = labs
    assert registration.to_wire()["projects"] == sent


@pytest.mark.parametrize("labs", [["a,b"], [""], ["a", " "], [1], {"a"}, 5])
def test_what_cannot_be_joined_is_refused(labs: Any) -> None:
    with pytest.raises(InvalidFieldError, match="labs"):
        RegisterFile(path="p", filenames=["f"], labs=labs)
