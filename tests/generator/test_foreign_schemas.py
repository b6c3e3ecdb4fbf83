"""Servers that nobody has seen: what a lab's own endpoints become, and that nothing of them goes missing."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alyx_generator.model.naming import client_attributes
from alyx_generator.package.pipeline import Generated, generate_client
from alyx_generator.package.write import write
from alyx_generator.source.overlay import Correction, OverlayError
from alyx_generator.source.validate import UnreadableSchemaError

from alyx_client.errors import InvalidFieldError, InvalidKeyError

from ..faults import FaultServer, Step, answer, json_answer
from ..faults import page as page_of
from .conftest import Generate
from .foreign import FIELD_NAMES, THING, schemas, things
from .inline import ImportedPackage, body, document, page, ref, resource
from .inline import answer as answers

SCHEMAS = schemas()
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
KEY = "0b12ba9e-01e3-4784-8c35-d7bb1bab414f"
READY: Step = json_answer({"ready": True})


@cache
def built(name: str) -> Generated:
    return generate_client(SCHEMAS[name], (), strict=False)


Foreign = Callable[[str], ImportedPackage]


@pytest.fixture
def foreign(generate: Generate) -> Foreign:
    """Return a maker of packages for the documents above, each generated once for all tests."""
    return lambda name: generate(SCHEMAS[name], generated=built(name))


def client(generated: ImportedPackage, server: FaultServer, **options: Any) -> Any:
    return generated.module("client").AlyxClient(server.url, token="t", silent=True, strict=True, **options)


def signature(method: Any) -> dict[str, str]:
    """Return a method's parameters as a user reads them, and what it returns."""
    read = inspect.signature(method)
    shown = {
        name: f"{each.annotation}{'' if each.default is each.empty else f' = {each.default}'}"
        for name, each in read.parameters.items()
        if name not in ("self", "limit", "max_items", "extra_params")
    }
    shown["return"] = read.return_annotation
    return {name: text.replace("'", '"') for name, text in shown.items()}


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_operation_becomes_a_method_or_a_finding(foreign: Foreign, name: str) -> None:
    generated = foreign(name)
    api = generated.result.api
    total = sum(method in item for item in SCHEMAS[name]["paths"].values() for method in METHODS)
    merged = sum(bool(action.bare_path) for endpoint in api.endpoints for action in endpoint.actions)
    refused = sum("no method" in finding for finding in generated.findings)
    assert api.operations + merged + refused == total
    for endpoint in api.endpoints:
        module = generated.module(endpoint.name)
        for kind in (endpoint.class_name, f"Async{endpoint.class_name}"):
            for action in endpoint.actions:
                assert inspect.isfunction(inspect.unwrap(getattr(getattr(module, kind), action.name)))
        for model in endpoint.models:
            assert getattr(module, model.name).model_rebuild(force=True)
            assert getattr(generated.module("models"), model.name)


def test_foreign_packages_pass_a_strict_type_check(tmp_path: Path) -> None:
    for place, name in enumerate(SCHEMAS):
        write(built(name).files, tmp_path / f"package_{place}")
    found = type_errors(tmp_path)
    assert found == []


def type_errors(folder: Path) -> list[str]:
    """Return what pyright says of the packages in a folder."""
    settings = {"typeCheckingMode": "strict", "extraPaths": [str(Path(__file__).parents[2])]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = json.loads(run.stdout)
    assert said["summary"]["filesAnalyzed"] > 0
    return [
        f"{each['file']}:{each['range']['start']['line'] + 1} {each['message']}" for each in said["generalDiagnostics"]
    ]


# --- paths


def test_nested_paths_take_the_keys_before_their_end_first(foreign: Foreign) -> None:
    generated = foreign("nested paths")
    members = generated.module("labs_members").LabsMembers
    assert signature(members.list) == {"lab": "str", "return": "Results[MemberRecord]"}
    assert signature(members.read) == {"lab": "str", "id": "str", "return": "MemberRecord"}
    assert signature(members.create) == {"lab": "str", "member": "Member", "return": "MemberRecord"}
    assert list(signature(members.partial_update)) == ["lab", "id", "changes", "return"]
    assert signature(members.promote) == {"lab": "str", "id": "str", "return": "None"}
    assert generated.findings == []
    member = generated.module("models").Member
    with FaultServer(
        [page_of([{"user": "a"}]), *[json_answer({"user": "b"})] * 3, *[answer(status=204)] * 2]
    ) as server:
        alyx = client(generated, server)
        assert [each.user for each in alyx.labs_members.list("cortex lab")] == ["a"]
        assert alyx.labs_members.read(f"{server.url}/labs/x", "1").user == "b"
        alyx.labs_members.create("x", member(user="b"))
        alyx.labs_members.partial_update("x", "1", user="b")
        alyx.labs_members.delete("x", "1")
        alyx.labs_members.promote("x", "1")
        assert server.paths == [
            "/labs/cortex%20lab/members",
            *["/labs/x/members/1", "/labs/x/members", "/labs/x/members/1", "/labs/x/members/1"],
            "/labs/x/members/1/promote/",
        ]
        for wrong in ("", "..", f"{server.url}/subjects/x"):
            with pytest.raises(InvalidKeyError):
                alyx.labs_members.list(wrong)
        with pytest.raises(TypeError, match="takes filters by name only"):
            alyx.labs_members.list("x", "y")


async def test_nested_paths_of_the_asynchronous_client(foreign: Foreign) -> None:
    generated = foreign("nested paths")
    with FaultServer([page_of([{"user": "a"}]), json_answer({"user": "b"})]) as server:
        async with generated.module("client").AsyncAlyxClient(server.url, token="t", silent=True) as alyx:
            assert [each.user async for each in alyx.labs_members.list("x")] == ["a"]
            assert (await alyx.labs_members.read("x", "1")).user == "b"
        assert server.paths == ["/labs/x/members", "/labs/x/members/1"]


def test_extra_actions_are_methods_of_the_endpoint_that_they_act_on(foreign: Foreign) -> None:
    generated = foreign("extra actions")
    assert [endpoint.name for endpoint in generated.result.api.endpoints] == ["sessions"]
    sessions = generated.module("sessions").Sessions
    assert signature(sessions.lock) == {"id": "UUID | str", "reason": "Reason", "return": "ThingRecord"}
    assert signature(sessions.summary) == {"return": "StateRecord"}
    assert signature(sessions.summary_csv) == {"return": "bytes"}
    assert signature(sessions.read_state) == {"id": "UUID | str", "return": "StateRecord"}
    assert signature(sessions.update_state) == {"id": "UUID | str", "state": "State", "return": "StateRecord"}
    assert {"import_", "read_"} <= set(vars(sessions))
    models = generated.module("models")
    script = [json_answer({"id": 1, "name": "a"}), json_answer({"state": "on"}), answer(status=202), answer(b"a,b")]
    with FaultServer(script) as server:
        alyx = client(generated, server)
        assert alyx.sessions.lock(UUID(KEY), models.Reason(user="a")).name == "a"
        assert server.requests[-1].json() == {"user": "a"}
        assert alyx.sessions.summary().state == "on"
        assert alyx.sessions.import_(KEY) is None
        assert alyx.sessions.summary_csv() == b"a,b"
        assert server.paths == [
            f"/sessions/{KEY}/lock",
            "/sessions/summary",
            f"/sessions/{KEY}/import",
            "/sessions/summary/csv",
        ]
        with pytest.raises(InvalidKeyError, match="looked up by UUID"):
            alyx.sessions.lock("one", models.Reason(user="a"))


def test_pages_under_a_key_are_lists(foreign: Foreign) -> None:
    alone = foreign("page under a key").module("things").Things
    assert signature(alone.list) == {"lab": "str", "return": "Results[ThingRecord]"}
    both = foreign("page with and without a key")
    assert signature(both.module("things").Things.list_by_lab) == {"lab": "str", "return": "Results[ThingRecord]"}
    with FaultServer([page_of([{"id": 1, "name": "a"}])]) as server:
        assert len(client(both, server).things.list_by_lab("x")) == 1
        assert server.paths == ["/things/x"]


def test_keys_of_every_kind(foreign: Foreign) -> None:
    generated = foreign("other keys")
    assert signature(generated.module("numbers").Numbers.read)["pk"] == "int | str"
    assert signature(generated.module("slugs").Slugs.read)["slug"] == "str"
    several = foreign("several keys")
    assert signature(several.module("things").Things.read) == {"lab": "str", "name": "str", "return": "ThingRecord"}
    with FaultServer(then=json_answer({"id": 1, "name": "a"})) as server:
        alyx = client(generated, server)
        alyx.files.read("a/b c.txt")
        alyx.numbers.read(3)
        client(several, server).things.read("x", "y")
        assert server.paths == ["/files/a/b%20c.txt", "/numbers/3", "/things/x/y"]


def test_key_in_part_of_a_segment_is_found(foreign: Foreign) -> None:
    assert foreign("key in part of a segment").findings == [
        "things_format.GET /things.{format}: no method: a key is only part of a segment of the path"
    ]


# --- names


@pytest.mark.parametrize(
    "name",
    [
        *sorted(name for name in client_attributes() if not name.startswith("_")),
        *("models", "client", "readme", "con", "list", "class", "match", "2photon", "rest", "get", "user", "send"),
    ],
)
def test_endpoint_leaves_the_clients_own_attributes_alone(generate: Generate, name: str) -> None:
    generated = generate(document({f"/{name}": {"get": answers(ref("Page"))}}, {"Thing": THING, "Page": page("Thing")}))
    attribute = generated.result.api.endpoints[0].name
    assert attribute not in client_attributes()
    kind = generated.module("client").AlyxClient
    assert {each for each in vars(kind) if not each.startswith("_")} == {attribute}
    with FaultServer([page_of([{"id": 1, "name": "a"}])]) as server:
        alyx = client(generated, server)
        assert alyx.base_url == server.url
        assert getattr(alyx, attribute).list()[0].id == 1


def test_fields_of_every_name_are_sent_and_read_under_the_servers_own(foreign: Foreign) -> None:
    generated = foreign("fields of every name")
    record, sent = (getattr(generated.module("things"), name) for name in ("ThingRecord", "Thing"))
    attributes = {(field.alias or name): name for name, field in sent.model_fields.items()}
    assert set(attributes) == set(FIELD_NAMES)
    assert len(set(attributes.values())) == len(FIELD_NAMES)
    assert all(name.isidentifier() and not name.startswith("_") for name in attributes.values())
    assert (attributes["class"], attributes["2d"], attributes["x-y"], attributes["x_y"]) == (
        *("class_", "field_2d", "x_y_", "x_y"),
    )
    values = {name: f"value of {name}" for name in FIELD_NAMES}
    assert sent(**{own: values[name] for name, own in attributes.items()}).to_wire() == values
    assert sent(class_="x").to_wire() == {"class": "x"}
    assert sent.changes_to_wire({"class_": "x", "2d": "y"}) == {"class": "x", "2d": "y"}
    answered = record.model_validate(values)
    assert {name: getattr(answered, own) for name, own in attributes.items()} == values


def test_components_that_become_one_name_stay_apart(foreign: Foreign) -> None:
    models = foreign("components that become one").module("models")
    assert set(models.LabThing.model_fields) == {"a"}
    assert set(models.BLabThing.model_fields) == {"b"}
    assert set(models.BLabThingRecord.model_fields) == {"b"}


def test_endpoints_that_become_one_name_stay_apart(foreign: Foreign) -> None:
    generated = foreign("endpoints that become one")
    assert {each.name: each.path for each in generated.result.api.endpoints} == {
        "lab_things": "/lab-things",
        "lab_things_": "/lab_things",
        "lab_things__": "/Lab/Things",
    }
    assert generated.findings[0] == (
        "lab_things_: /lab_things is lab_things_, since lab_things is already the name of another path"
    )


def test_filters_that_become_one_name_stay_apart(foreign: Foreign) -> None:
    listed = foreign("filters that become one").module("things")
    parameters = list(inspect.signature(listed.Things.list).parameters)
    assert parameters == [
        *("self", "a_b", "a_b_", "from_", "max_items_", "self_", "value", "value_1st", "limit", "max_items"),
        "extra_params",
    ]
    assert list(signature(listed.Things.read)) == ["x_y", "x_y_", "x_y__", "return"]


# --- fields


def test_types_of_openapi_31(foreign: Foreign) -> None:
    things_ = foreign("types with null").module("things")
    annotations = {name: str(each) for name, each in things_.ThingRecord.__annotations__.items()}
    assert annotations == {"a": "str | None", "b": "int | str", "c": "Any"}
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


def test_objects_inside_become_shapes(foreign: Foreign) -> None:
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
        "return": "ThingRecord",
    }
    assert things_.ThingRecord.__annotations__["image"] == "str | None"
    assert generated.findings == ["things: pages of Thing: several files in one field cannot be sent; it is left out"]
    alone = foreign("files alone")
    with FaultServer([json_answer({"id": 1, "name": "a"})]) as server:
        client(alone, server).things.create(file=b"content")
        assert b"content" in server.requests[0].body
        assert "multipart/form-data" in server.requests[0].headers["content-type"]


# --- answers and bodies


def test_plain_answers(foreign: Foreign) -> None:
    generated = foreign("plain answers")
    endpoints = {
        each.name: getattr(generated.module(each.name), each.class_name) for each in generated.result.api.endpoints
    }
    assert {name: signature(kind.read)["return"] for name, kind in endpoints.items()} == {
        "anything": "Any",
        "by_name": "dict[str, Thing]",
        "count": "int",
        "counts": "dict[str, int]",
        "day": "date",
        "grid": "builtins.list[builtins.list[float]]",
        "names": "builtins.list[str]",
        "state": 'Literal["on", "off"] | str | None',
    }
    with FaultServer([json_answer({"a": {"id": 1, "name": "x"}}), json_answer([[1.5]]), json_answer(None)]) as server:
        alyx = client(generated, server)
        assert alyx.by_name.read()["a"].name == "x"
        assert alyx.grid.read() == [[1.5]]
        assert alyx.state.read() is None


def test_polymorphic_records(foreign: Foreign) -> None:
    generated = foreign("polymorphic")
    pets, models = generated.module("pets").Pets, generated.module("models")
    assert signature(pets.read)["return"] == "CatRecord | DogRecord"
    assert signature(pets.create) == {"cat": "Cat | Dog", "return": "CatRecord | DogRecord"}
    assert signature(pets.list) == {"return": "Results[CatRecord | DogRecord]"}
    assert generated.findings == ["pets.PATCH /pets/{id}: only the fields of Cat can be changed"]
    cat, dog = {"type": "Cat", "lives": 9}, {"type": "Dog", "breed": "x"}
    with FaultServer([page_of([cat, dog]), json_answer(dog)]) as server:
        alyx = client(generated, server)
        assert [type(each) for each in alyx.pets.list()] == [models.CatRecord, models.DogRecord]
        assert alyx.pets.create(models.Dog(type="Dog", breed="x")).breed == "x"
        assert server.requests[-1].json() == dog


def test_requests_with_components_of_their_own_share_a_name(foreign: Foreign) -> None:
    things_ = foreign("requests with components of their own").module("things")
    assert signature(things_.Things.create) == {"thing": "Thing", "return": "ThingRecord"}
    assert things_.ThingChanges.__annotations__.keys() == {"name"}


def test_list_that_is_not_paged(foreign: Foreign) -> None:
    generated = foreign("no pagination")
    with FaultServer([json_answer([{"id": 1, "name": "a"}])]) as server:
        assert client(generated, server).things.list()[0].name == "a"


@pytest.mark.parametrize(("name", "given"), [("pages by number", {"page": 2}), ("pages by cursor", {"cursor": "x"})])
def test_other_ways_to_page_give_one_page(foreign: Foreign, name: str, given: dict[str, Any]) -> None:
    generated = foreign(name)
    assert generated.findings == [
        "things.GET /things: paged by a number or a cursor: list_page() returns one page at a time"
    ]
    with FaultServer(
        [json_answer({"count": 5, "next": "x", "previous": "y", "results": [{"id": 1, "name": "a"}]})]
    ) as server:
        page_ = client(generated, server).things.list_page(**given)
        assert page_.results[0].name == "a"
        assert server.requests[0].target == "/things?" + "&".join(f"{name}={value}" for name, value in given.items())


def test_list_by_limit_and_offset_is_walked_whatever_its_page_is_called(foreign: Foreign) -> None:
    generated = foreign("limit and offset beside a cursor")
    assert generated.findings == []
    with FaultServer([page_of([{"id": 1, "name": "a"}])]) as server:
        assert client(generated, server).things.list()[0].name == "a"


def test_pages_whose_rows_are_no_records(foreign: Foreign) -> None:
    generated = foreign("pages of maps and of texts")
    assert signature(generated.module("maps").Maps.list) == {"return": "Results[dict[str, Any]]"}
    with FaultServer([page_of([{"a": 1}]), page_of(["x", "y"])]) as server:
        alyx = client(generated, server)
        assert list(alyx.maps.list()) == [{"a": 1}]
        assert list(alyx.names.list()) == ["x", "y"]


def test_several_at_once(foreign: Foreign) -> None:
    generated = foreign("only several at once")
    assert signature(generated.module("things").Things.create) == {
        "thing": "Sequence[Thing]",
        "return": "builtins.list[ThingRecord]",
    }
    with FaultServer([json_answer([{"id": 1, "name": "a"}], status=201)]) as server:
        thing = generated.module("things").Thing
        assert client(generated, server).things.create([thing(name="a")])[0].id == 1
        assert server.requests[0].json() == [{"name": "a"}]


def test_answers_without_content(foreign: Foreign) -> None:
    generated = foreign("answers without content")
    thing = generated.module("jobs").Thing
    with FaultServer([answer(status=201), answer(status=202), READY, answer(status=204)]) as server:
        alyx = client(generated, server)
        assert alyx.jobs.create(thing(name="a")) is None
        assert alyx.jobs.update(thing(name="a")) is None
        assert alyx.jobs.update(thing(name="a")) == {"ready": True}
        assert alyx.jobs.delete() is None


def test_text_and_files_are_bytes_and_json_goes_before_them(foreign: Foreign) -> None:
    generated = foreign("text and files")
    with FaultServer([answer(b"a,b\n1,2", content_type="text/csv")]) as server:
        assert client(generated, server).report_csv.read() == b"a,b\n1,2"
    assert signature(foreign("several content types").module("report").Report.read)["return"] == "ThingRecord"


def test_query_parameters(foreign: Foreign) -> None:
    generated = foreign("query parameters of every form")
    assert signature(generated.module("things").Things.list) == {
        "content": "str | int | float | bool | None = None",
        "either": "int | None = None",
        "ids": "int | Sequence[int] | None = None",
        "kind": 'Literal["x", "y"] | None = None',
        "lab": "str",
        "shared": "str | None = None",
        "tags": 'Literal["a", "b"] | Sequence[Literal["a", "b"]] | None = None',
        "return": "Results[ThingRecord]",
    }
    assert [finding.partition(": ")[2] for finding in generated.findings] == [
        "where is an object, or encoded in an unsupported style: left out",
        "parts is an object, or encoded in an unsupported style: left out",
    ]
    with FaultServer([page_of([])]) as server:
        client(generated, server).things.list(lab="x", ids=[1, 2], tags=["a", "b"])
        assert server.requests[0].target.replace("%2C", ",") == "/things?ids=1&ids=2&lab=x&tags=a,b"


def test_headers_cookies_and_other_logins_are_found(foreign: Foreign) -> None:
    assert foreign("headers and cookies").findings == [
        "things.GET /things: the required header X-Lab cannot be sent",
        "things.GET /things: the cookie lab cannot be sent",
    ]
    assert foreign("other logins").findings == [
        "things.GET /things: requires jwt; this client logs in with Alyx's token only"
    ]


def test_deprecated_operations_say_so(foreign: Foreign) -> None:
    doc = inspect.getdoc(foreign("deprecated").module("things").Things.list)
    assert doc is not None
    assert doc.startswith("Use others.\n\nDeprecated by the server's schema.")


def test_bodies_that_cannot_be_sent_are_found(foreign: Foreign) -> None:
    for name in ("bodies without fields", "bodies that are bytes", "empty component"):
        assert any("nothing can be sent" in finding for finding in foreign(name).findings)


@pytest.mark.parametrize(
    "place",
    [
        "components > schemas > Thing",
        "components > schemas > Thing > properties",
        "components > schemas > Thing > required",
        "components > schemas > Thing > properties > name",
        "components > schemas > Thing > properties > name > enum",
        "components > schemas > Thing > properties > name > oneOf",
        "paths > /things > get",
        "paths > /things > get > parameters",
        "paths > /things > get > responses",
        "paths > /things > get > responses > 200 > content",
        "paths > /things > post > requestBody",
    ],
)
def test_what_is_malformed_is_refused_by_its_place(place: str) -> None:
    document = resource({"name": {"type": "string"}})
    *outer, last = place.split(" > ")
    node: Any = document
    for step in outer:
        node = node[step]
    node[last] = 5
    with pytest.raises(UnreadableSchemaError, match=re.escape(place)):
        generate_client(document, (), strict=False)


def test_reference_that_leads_nowhere_is_refused_by_name() -> None:
    schema = things()
    schema["paths"]["/things"]["get"]["parameters"] = [{"$ref": "#/components/parameters/Lab"}]
    with pytest.raises(UnreadableSchemaError, match="#/components/parameters/Lab"):
        generate_client(schema, (), strict=False)


# --- corrections


def test_corrections_that_select_nothing_are_reported_and_those_that_fit_are_applied(generate: Generate) -> None:
    corrections = (
        Correction("$.components.schemas.Session.properties.lab", "seen", {"nullable": True}),
        Correction("$.components.schemas.Thing.properties.name", "seen", {"nullable": True}),
    )
    generated = generate(resource({"name": {"type": "string"}}), corrections=corrections)
    assert [each.target for each in generated.result.corrected.missed] == [corrections[0].target]
    assert generated.module("things").ThingRecord.__annotations__["name"] == "str | None"
    with pytest.raises(OverlayError, match="Session"):
        generate_client(resource({"name": {"type": "string"}}), corrections)


# --- changes over time


def test_one_more_field_changes_the_lines_of_its_own_shapes_alone() -> None:
    fields = {"name": {"type": "string"}, "x-y": {"type": "string"}, "parts": {"type": "array", "items": ref("Part")}}
    part = {"type": "object", "properties": {"n": {"type": "integer"}}}
    before, after = (resource(each) for each in (fields, {**fields, "lab": {"type": "string"}}))
    for schema in (before, after):
        schema["components"]["schemas"]["Part"] = part
        schema["paths"]["/others"] = {
            "get": answers(ref("Part")),
            "post": {**body(ref("Part")), **answers(ref("Part"))},
        }
    old, new = generate_client(before, ()).files, generate_client(after, ()).files
    assert [path for path in new if path.endswith(".py") and new[path] != old.get(path)] == ["things.py"]
    changed = [line for line in new["things.py"].splitlines() if line not in old["things.py"].splitlines()]
    assert changed == ["    lab: str", "    lab: str = UNSET", "    lab: str"]
    shapes = {
        node.name: ast.unparse(node) for node in ast.parse(new["things.py"]).body if isinstance(node, ast.ClassDef)
    }
    assert [name for name, text in shapes.items() if "lab: str" in text] == ["ThingRecord", "Thing", "ThingChanges"]


def test_same_bytes_whatever_the_hash_seed() -> None:
    code = (
        "import hashlib; from alyx_generator.package.pipeline import generate_client;"
        "from tests.generator.foreign import schemas;"
        "files = [sorted(generate_client(one, (), strict=False).files.items()) for one in [*schemas().values()][::9]];"
        "print(hashlib.sha256(repr(files).encode()).hexdigest())"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("0", "1")
    ]
    first, second = (run.communicate()[0] for run in runs)
    assert first
    assert first == second
