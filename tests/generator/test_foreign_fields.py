"""Fields of a lab's own models: types, limits, nested objects, unions and files."""

from __future__ import annotations

import pytest

from alyx_client.errors import InvalidFieldError

from ..faults import FaultServer, json_response
from .foreign_packages import Foreign, client, signature

KEY = "0b12ba9e-01e3-4784-8c35-d7bb1bab414f"


def test_types_of_openapi_31(foreign: Foreign) -> None:
    things_ = foreign("types with null").module("things")
    annotations = {name: str(annotation) for name, annotation in things_.ThingRecord.__annotations__.items()}
    assert annotations == {"a": "str | None", "b": "int | str | None", "c": "Any"}
    const = foreign("const").module("things")
    assert const.Thing(kind="mouse", level=3).to_wire() == {"kind": "mouse", "level": 3}
    with pytest.raises(InvalidFieldError, match="kind"):
        const.Thing(kind="rat")
    assert const.ThingRecord.model_validate({"kind": "rat", "level": 4}).kind == "rat"


def test_enumerations(foreign: Foreign) -> None:
    sexes = foreign("enum with blank and null").module("things")
    assert str(sexes.Thing.__annotations__["sex"]).replace('"', "'") == "Literal['M', 'F', ''] | None"
    levels = foreign("integer enum with blank").module("things")
    assert levels.Thing(level=2).to_wire() == {"level": 2}
    assert levels.Thing(level="").to_wire() == {"level": ""}
    assert levels.ThingRecord.model_validate({"level": 9}).level == 9
    others = foreign("enums of floats, booleans and nothing").module("things")
    assert others.Thing(a=0.7, b=False, c=None, d={"x": 1}).to_wire() == {
        "a": 0.7,
        "b": False,
        "c": None,
        "d": {"x": 1},
    }


def test_limits_that_pydantic_cannot_read_are_left_to_the_server(foreign: Foreign) -> None:
    things_ = foreign("limits").module("things")
    assert things_.Thing(code="abc", day="2020-01-02", key=KEY, tags=["a", "a"], price=0.07, share=0).to_wire()
    with pytest.raises(InvalidFieldError) as caught:
        things_.Thing(code="abcde", exact="a1", share=1, count=-1, tags=["a", "b", "c"])
    assert set(caught.value.fields) == {"code", "exact", "share", "count", "tags"}


def test_nested_objects_become_models(foreign: Foreign) -> None:
    things_ = foreign("objects inside").module("things")
    sent = things_.Thing(meta=things_.ThingMeta(author="a", deep=things_.ThingMetaDeep(n="b")), rows=[])
    assert sent.to_wire() == {"meta": {"author": "a", "deep": {"n": "b"}}, "rows": []}
    record = things_.ThingRecord.model_validate({"meta": {"author": "a", "deep": {"n": "b"}}, "rows": [{"x": 1}]})
    assert (record.meta.deep.n, record.rows[0].x) == ("b", 1)


def test_recursive_components(foreign: Foreign) -> None:
    things_ = foreign("recursive components").module("things")
    tree = things_.TreeRecord.model_validate({"name": "a", "children": [{"name": "b", "children": []}]})
    assert tree.children[0].name == "b"


def test_inherited_fields(foreign: Foreign) -> None:
    things_ = foreign("inheritance").module("things")
    assert things_.Dog(name="a", breed="b").to_wire() == {"name": "a", "breed": "b"}
    with pytest.raises(InvalidFieldError, match="name: is missing"):
        things_.Dog(breed="b")


def test_files_are_written_as_files_and_read_as_addresses(foreign: Foreign) -> None:
    generated = foreign("files")
    things_ = generated.module("things")
    assert signature(things_.Things.create) == {
        "thing": "Thing",
        "image": "Upload | None = None",
        "pages": "Sequence[Upload] | None = None",
        "return": "ThingRecord",
    }
    assert things_.ThingRecord.__annotations__["image"] == "str | None"
    assert generated.findings == []
    with FaultServer([json_response({"name": "a"})]) as server:
        client(generated, server).things.create(things_.Thing(name="a"), pages=[b"first", b"second"])
        assert server.requests[0].body.count(b'name="pages"; filename=') == 2
    alone = foreign("files alone")
    with FaultServer([json_response({"id": 1, "name": "a"})]) as server:
        client(alone, server).things.create(file=b"content")
        assert b"content" in server.requests[0].body
        assert "multipart/form-data" in server.requests[0].headers["content-type"]
