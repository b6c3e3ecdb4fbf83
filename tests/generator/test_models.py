"""Rules of the models, one each: a tiny schema is generated, imported and used."""

from __future__ import annotations

import json
import pickle
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest

from alyx_client.errors import InvalidFieldError
from alyx_client.http.message import Response
from alyx_client.runtime.drift import DriftLog

from .conftest import Generate
from .inline import body, document, key, page, ref, resource, returns


def read(module: Any, record: dict[str, Any], action: str = "_READ") -> Any:
    log = DriftLog(strict=True)
    return getattr(module, action).parse(Response(200, {}, json.dumps(record).encode()), log)


def test_read_only_fields_are_returned_and_not_sent(generate: Generate) -> None:
    things = generate(
        resource({"id": {"type": "string", "format": "uuid", "readOnly": True}, "name": {"type": "string"}}, ["id"])
    ).module("things")
    with pytest.raises(InvalidFieldError, match="id: is not a field that can be sent"):
        things.Thing(id="0b12ba9e-01e3-4784-8c35-d7bb1bab414f")
    record = read(things, {"id": "0b12ba9e-01e3-4784-8c35-d7bb1bab414f", "name": "a"})
    assert record.id == UUID("0b12ba9e-01e3-4784-8c35-d7bb1bab414f")


def test_write_only_fields_are_sent_and_not_returned(generate: Generate) -> None:
    things = generate(resource({"name": {"type": "string"}, "secret": {"type": "string", "writeOnly": True}})).module(
        "things"
    )
    assert things.Thing(secret="x").to_wire() == {"secret": "x"}
    assert "secret" not in things.ThingRecord.model_fields


def test_omitted_null_and_a_value_are_distinct(generate: Generate) -> None:
    things = generate(
        resource({"a": {"type": "string", "nullable": True}, "b": {"type": "string"}, "c": {"type": "integer"}})
    ).module("things")
    assert things.Thing(a=None, c=0).to_wire() == {"a": None, "c": 0}
    with pytest.raises(InvalidFieldError, match="b: "):
        things.Thing(b=None)
    assert things.Thing.changes_to_wire({"a": None}) == {"a": None}


def test_missing_required_field_is_named(generate: Generate) -> None:
    things = generate(resource({"name": {"type": "string"}, "n": {"type": "integer"}}, ["name"])).module("things")
    with pytest.raises(InvalidFieldError) as caught:
        things.Thing(n="many", nam="x")
    assert set(caught.value.fields) == {"name", "n", "nam"}
    assert "did you mean name?" in str(caught.value)


def test_field_called_json_keeps_its_name(generate: Generate, recwarn: pytest.WarningsRecorder) -> None:
    things = generate(resource({"json": {"nullable": True}, "model": {"type": "string"}})).module("things")
    assert things.Thing(json={"a": [1, None]}, model="x").to_wire() == {"json": {"a": [1, None]}, "model": "x"}
    assert things.Thing.changes_to_wire({"json": None}) == {"json": None}
    assert read(things, {"json": {"a": 1}, "model": "m"}).json == {"a": 1}
    assert not recwarn.list


@pytest.mark.parametrize("name", ["list", "copy", "type", "dict", "class", "schema", "self", "import", "model_config"])
def test_field_names_that_python_or_pydantic_use(generate: Generate, name: str) -> None:
    things = generate(
        resource({name: {"type": "string"}, "ids": {"type": "array", "items": {"type": "string"}}})
    ).module("things")
    sent = things.Thing(**{name: "x", "ids": ["y"]})
    assert sent.to_wire() == {name: "x", "ids": ["y"]}
    record = read(things, {name: "x", "ids": ["y"]})
    assert record.model_dump(by_alias=True) == {name: "x", "ids": ["y"]}


def test_enumeration_is_closed_in_requests_and_open_in_responses(generate: Generate) -> None:
    things = generate(
        resource({"sex": {"oneOf": [ref("SexEnum"), ref("BlankEnum")]}})
        | {
            "components": {
                "schemas": {
                    **resource({"sex": {"oneOf": [ref("SexEnum"), ref("BlankEnum")]}})["components"]["schemas"],
                    "SexEnum": {"type": "string", "enum": ["M", "F"]},
                    "BlankEnum": {"enum": [""]},
                }
            }
        }
    ).module("things")
    assert things.Thing(sex="").to_wire() == {"sex": ""}
    with pytest.raises(InvalidFieldError, match="sex"):
        things.Thing(sex="X")
    assert read(things, {"sex": "X"}).sex == "X"


def test_enumeration_with_null(generate: Generate) -> None:
    things = generate(
        resource({"level": {"nullable": True, "enum": [1, 2, None]}, "kind": {"type": "integer", "enum": [0, 1]}})
    ).module("things")
    assert things.Thing(level=None, kind=1).to_wire() == {"level": None, "kind": 1}
    assert read(things, {"level": None, "kind": 7}).kind == 7


def test_dates_are_accepted_as_objects_and_text(generate: Generate) -> None:
    schema = resource({"day": {"type": "string", "format": "date"}, "at": {"type": "string", "format": "date-time"}})
    things = generate({**schema, "x-server": {"local-times": True}}).module("things")
    assert things.Thing(day=date(2020, 1, 2), at=datetime(2020, 1, 2, 3)).to_wire() == {
        "day": "2020-01-02",
        "at": "2020-01-02T03:00:00",
    }
    assert things.Thing(day="2020-01-02", at="2020-01-02T03:00:00").at == datetime(2020, 1, 2, 3)
    with pytest.raises(InvalidFieldError, match="time zone"):
        things.Thing(at="2020-01-02T03:00:00+01:00")
    with pytest.raises(InvalidFieldError, match="not a date"):
        things.Thing(at=5)
    record = read(things, {"day": "2020-01-02", "at": "2017-06-19T18:00:00"})
    assert record.at == datetime(2017, 6, 19, 18)
    assert record.at.tzinfo is None


def test_limits_apply_to_requests_and_not_to_responses(generate: Generate) -> None:
    things = generate(
        resource(
            {"ext": {"type": "string", "pattern": r"^\.[^.]+$", "maxLength": 4}, "n": {"type": "integer", "minimum": 0}}
        )
    ).module("things")
    with pytest.raises(InvalidFieldError, match=r"ext.*; n"):
        things.Thing(ext="tar.gz", n=-1)
    assert read(things, {"ext": "a.b.c.d.e", "n": -1}).n == -1


def test_record_whose_url_ends_in_its_key_has_an_id(generate: Generate) -> None:
    schema = resource({"url": {"type": "string", "format": "uri", "readOnly": True}})
    for method in schema["paths"]["/things/{id}"].values():
        method["parameters"] = key("id", type="string", format="uuid")["parameters"]
    things = generate(schema).module("things")
    record = read(things, {"url": "https://x.org/things/0b12ba9e-01e3-4784-8c35-d7bb1bab414f/"})
    assert record.id == UUID("0b12ba9e-01e3-4784-8c35-d7bb1bab414f")
    assert record.model_dump() == {"url": "https://x.org/things/0b12ba9e-01e3-4784-8c35-d7bb1bab414f/"}


def test_records_keep_new_fields_compare_and_pickle(generate: Generate) -> None:
    things = generate(resource({"name": {"type": "string"}})).module("things")
    record = read(things, {"name": "a", "new": [1]})
    assert record.new == [1]
    assert pickle.loads(pickle.dumps(record)) == record
    assert record != read(things, {"name": "b", "new": [1]})
    assert repr(record) == "ThingRecord(name='a', new=[1])"
    with pytest.raises(ValueError, match="frozen"):
        record.name = "b"


def test_list_row_and_record_are_different_models(generate: Generate) -> None:
    row = {"type": "object", "properties": {"name": {"type": "string"}}}
    detail = {"type": "object", "properties": {"name": {"type": "string"}, "narrative": {"type": "string"}}}
    generated = generate(
        document(
            {
                "/things": {
                    "get": returns(ref("Page")),
                    "post": {**body(ref("ThingDetail")), **returns(ref("ThingDetail"))},
                },
                "/things/{name}": {"get": {**key("name"), **returns(ref("ThingDetail"))}},
            },
            {"ThingList": row, "ThingDetail": detail, "Page": page("ThingList")},
        )
    )
    things = generated.module("things")
    assert set(things.ThingSummary.model_fields) == {"name"}
    assert set(things.ThingRecord.model_fields) == {"name", "narrative"}
    assert set(generated.module("models").__all__) == {"Thing", "ThingRecord", "ThingSummary"}


def test_models_of_two_endpoints_that_refer_to_each_other(generate: Generate) -> None:
    a = {"type": "object", "properties": {"bs": {"type": "array", "items": ref("B")}, "n": {"type": "integer"}}}
    b = {"type": "object", "properties": {"a": {"allOf": [ref("A")], "nullable": True}}}
    generated = generate(
        document(
            {
                "/as/{id}": {"get": {**key(), **returns(ref("A"))}},
                "/bs/{id}": {"get": {**key(), **returns(ref("B"))}},
            },
            {"A": a, "B": b},
        )
    )
    record = read(generated.module("bs"), {"a": {"bs": [{"a": None}], "n": 1}})
    assert record.a.bs[0].a is None


def test_free_form_maps_and_nested_arrays(generate: Generate) -> None:
    things = generate(
        resource(
            {
                "map": {"type": "object", "additionalProperties": {"type": "integer"}},
                "null": {"type": "object", "additionalProperties": {"type": "integer"}, "nullable": True},
                "free": {"type": "object", "additionalProperties": {}},
                "grid": {"type": "array", "items": {"type": "array", "items": {"type": "number", "nullable": True}}},
            }
        )
    ).module("things")
    assert str(things.ThingRecord.__annotations__["null"]) == "dict[str, int] | None"
    values: dict[str, Any] = {"map": {"a": 1}, "null": None, "free": {"b": [None, "c"]}, "grid": [[1.5, None], []]}
    assert things.Thing(**values).to_wire() == values
    assert read(things, values).grid == [[1.5, None], []]


@pytest.mark.parametrize("text", ['"""', "'", "\\", "{{ 7*7 }}", "{% raw %}", "line\nline", "\x00\x07", 'ends with "'])
def test_hostile_text_in_enumerations_and_descriptions_stays_text(generate: Generate, text: str) -> None:
    schema = resource({"kind": {"type": "string", "enum": [text, "x"], "description": text}})
    schema["paths"]["/things"]["get"]["description"] = text
    things = generate(schema).module("things")
    assert things.Thing(kind=text).to_wire() == {"kind": text}
