"""Parts of schemas that other generators leave out silently: each is typed, or a finding names it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from alyx_client.errors import InvalidFieldError

from ..faults import FaultServer, json_response, response
from ..faults import page as page_of
from .conftest import Generate
from .foreign_packages import client, signature
from .foreign_parts import JSON, TEXT, THING, at, things
from .inline import body, key, query, ref, resource, returns

BINARY = {"type": "string", "format": "binary"}
RECORD = {"id": 1, "name": "a"}


def content(**media: JSON) -> JSON:
    names = {
        "json": "application/json",
        "form": "application/x-www-form-urlencoded",
        "multipart": "multipart/form-data",
    }
    names |= {"any": "*/*", "csv": "text/csv"}
    return {"content": {names[name]: {"schema": schema} for name, schema in media.items()}}


@pytest.mark.parametrize("media", ["*/*", "application/*", "application/json; charset=utf-8", "application/hal+json"])
def test_response_of_any_media_type_is_typed_by_its_schema(generate: Generate, media: str) -> None:
    responses = {"200": {"content": {media: {"schema": ref("Thing")}}}}
    generated = generate(at({"/things/{id}": {"get": {**key(), "responses": responses}}}))
    with FaultServer(then=json_response(RECORD)) as server:
        assert client(generated, server).things.read("1").name == "a"


def test_files_of_any_media_type_are_bytes(generate: Generate) -> None:
    generated = generate(at({"/file": {"get": {"responses": {"200": content(any=BINARY)}}}}))
    assert signature(generated.module("file").File.read)["return"] == "bytes"


@pytest.mark.parametrize("status", ["default", "2XX", "2xx", "203"])
def test_response_for_all_statuses_is_typed(generate: Generate, status: str) -> None:
    generated = generate(at({"/things/{id}": {"get": {**key(), **returns(ref("Thing"), status)}}}))
    assert generated.findings == []
    assert signature(generated.module("things").Things.read)["return"] == "ThingRecord"


def test_default_beside_a_success_is_an_error(generate: Generate) -> None:
    responses = {**returns(None, "204")["responses"], **returns(ref("Error"), "default")["responses"]}
    generated = generate(at({"/things/{id}": {"delete": {**key(), "responses": responses}}}, Error=THING))
    assert signature(generated.module("things").Things.delete)["return"] == "None"


def test_multipart_beside_json_has_its_files(generate: Generate) -> None:
    form = {"type": "object", "properties": {"name": TEXT, "image": BINARY, "caption": TEXT}}
    schema = at(
        {"/things": {"post": {"requestBody": content(json=ref("Thing"), multipart=ref("Form"), csv=TEXT)}}}, Form=form
    )
    schema["paths"]["/things"]["post"] |= returns(ref("Thing"), "201")
    generated = generate(schema)
    assert generated.findings == ["things.POST /things: also takes text/csv, which cannot be sent"]
    things_ = generated.module("things")
    assert signature(things_.Things.create) == {
        "thing": "Thing | Form",
        "image": "Upload | None = None",
        "return": "ThingRecord",
    }
    with FaultServer(then=json_response(RECORD, status=201)) as server:
        client(generated, server).things.create(things_.Form(caption="x"), image=b"content")
        assert b'name="caption"\r\n\r\nx' in server.requests[0].body


@pytest.mark.parametrize("form", ["form", "multipart"])
def test_body_that_is_a_form_only_is_sent_as_one(generate: Generate, form: str) -> None:
    fields = {"name": TEXT, "tags": {"type": "array", "items": TEXT}}
    schema = at({"/things": {"post": {"requestBody": content(**{form: ref("Form")}), **returns(ref("Thing"), "201")}}})
    schema["components"]["schemas"]["Form"] = {"type": "object", "properties": fields}
    generated = generate(schema)
    assert generated.findings == []
    with FaultServer(then=json_response(RECORD, status=201)) as server:
        client(generated, server).things.create(generated.module("things").Form(name="a b", tags=["x", "ü"]))
        request = server.requests[0]
    if form == "form":
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert request.body == b"name=a+b&tags=x&tags=%C3%BC"
    else:
        assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert request.body.count(b'name="tags"') == 2
        assert b"filename" not in request.body


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_alternatives_beside_fields_are_optional_fields(generate: Generate, keyword: str) -> None:
    cat = {
        "type": "object",
        "properties": {"lives": {"type": "integer"}, "size": {"type": "integer"}},
        "required": ["lives"],
    }
    dog = {"type": "object", "properties": {"breed": TEXT, "size": TEXT}}
    schema = resource({"name": TEXT}, ["name"])
    schema["components"]["schemas"] |= {"Cat": cat, "Dog": dog}
    schema["components"]["schemas"]["Thing"][keyword] = [ref("Cat"), ref("Dog"), {"required": ["name"]}]
    things_ = generate(schema).module("things")
    assert {name: str(kind) for name, kind in things_.ThingRecord.__annotations__.items()} == {
        "breed": "str | None",
        "lives": "int | None",
        "name": "str",
        "size": "int | str | None",
    }
    assert things_.Thing(name="a", breed="x").to_wire() == {"name": "a", "breed": "x"}


@pytest.mark.parametrize("extra", [True, {}, {"type": "integer"}])
def test_keys_beside_fields_are_kept_and_named(generate: Generate, extra: Any) -> None:
    schema = resource({"name": TEXT})
    schema["components"]["schemas"]["Thing"]["additionalProperties"] = extra
    generated = generate(schema)
    assert sorted(generated.findings) == [
        "things: Thing may have other keys than its fields; they cannot be sent",
        "things: ThingRecord may have other keys than its fields; they are attributes without a type",
    ]
    with FaultServer(then=json_response({"name": "a", "other": 3})) as server:
        assert client(generated, server).things.read("1").other == 3


def test_patch_of_other_types_has_a_model_of_its_own(generate: Generate) -> None:
    schema = resource({"name": TEXT, "level": {"type": "integer"}})
    patched = {"type": "object", "properties": {"name": TEXT, "level": TEXT}}
    schema["components"]["schemas"]["PatchedThing"] = patched
    schema["paths"]["/things/{id}"]["patch"] |= body(ref("PatchedThing"))
    generated = generate(schema)
    with FaultServer(then=json_response({"name": "a", "level": 3})) as server:
        endpoint = client(generated, server).things
        endpoint.partial_update("1", level="high")
        assert server.requests[0].json() == {"level": "high"}
        with pytest.raises(InvalidFieldError, match="level"):
            endpoint.partial_update("1", level=3)


def test_fields_that_a_response_may_lack_are_no_drift(generate: Generate) -> None:
    inner = {"type": "object", "properties": {"n": {"type": "integer"}, "m": {"type": "integer"}}, "required": ["n"]}
    schema = resource({"name": TEXT, "inner": ref("Inner"), "at": {"type": "string", "format": "date-time"}}, ["name"])
    schema["components"]["schemas"]["Inner"] = inner
    generated = generate(schema)
    sent = [{"name": "a"}, {"name": "a", "inner": {"n": 1}}, {"name": "a", "inner": {"n": 1, "m": 2}}]
    with FaultServer([json_response(record) for record in sent]) as server:
        records = [client(generated, server).things.read("1") for _ in sent]  # strict: a drift would raise
    assert [record.name for record in records] == ["a"] * 3
    assert records[0].at is None
    # What every record has is said in an overlay.
    whole = generate({**schema, "x-server": {"complete-responses": True}}).module("things")
    assert str(whole.ThingRecord.__annotations__["at"]) == "datetime"


@pytest.mark.parametrize("status", ["200", "201", "202"])
@pytest.mark.parametrize("kind", ["record", "list", "value"])
def test_empty_success_beside_one_with_content(generate: Generate, status: str, kind: str) -> None:
    schema = {"record": ref("Thing"), "list": {"type": "array", "items": ref("Thing")}, "value": {"type": "integer"}}[
        kind
    ]
    responses = {**returns(schema, status)["responses"], **returns(None, "204")["responses"]}
    generated = generate(at({"/jobs": {"post": {**body(ref("Thing")), "responses": responses}}}))
    jobs = generated.module("jobs")
    assert signature(jobs.Jobs.create)["return"].endswith(" | None")
    full: Any = {"record": RECORD, "list": [RECORD], "value": 5}[kind]
    with FaultServer([response(status=204), json_response(full, status=int(status))]) as server:
        endpoint = client(generated, server).jobs
        assert endpoint.create(jobs.Thing(name="a")) is None
        assert endpoint.create(jobs.Thing(name="a")) is not None


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_content_declared_for_an_empty_response_is_ignored(generate: Generate, method: str) -> None:
    operation = {**key(), **body(ref("Thing")), **returns(ref("Thing"), "204")}
    generated = generate(at({"/jobs/{id}": {method: operation}}))
    assert any("a 204 has no content" in finding for finding in generated.findings)
    with FaultServer(then=response(status=204)) as server:
        jobs = client(generated, server).jobs
        arguments = {"name": "a"} if method == "patch" else {}
        body_ = [] if method == "patch" else [generated.module("jobs").Thing(name="a")]
        name = {"post": "create", "put": "update", "patch": "partial_update", "delete": "delete"}[method]
        assert getattr(jobs, name)("1", *body_, **arguments) is None


def test_date_times_with_a_zone_go_to_servers_that_take_them(generate: Generate) -> None:
    moment = {"type": "string", "format": "date-time"}
    schema = resource({"at": moment, "times": {"type": "array", "items": moment}, "meta": {}})
    filters = query({"name": "after", "schema": moment}, {"name": "any", "schema": {"type": "array", "items": moment}})
    schema["paths"]["/things"]["get"] |= filters | query(
        *filters["parameters"], {"name": "day", "schema": {"type": "string", "format": "date"}}
    )
    generated = generate(schema)
    zone = datetime(2020, 1, 2, 3, tzinfo=timezone(timedelta(hours=1)))
    with FaultServer(then=json_response({})) as server:
        things_ = client(generated, server).things
        things_.create(generated.module("things").Thing(at=zone, times=["2020-01-01T00:00:00Z"], meta={"at": zone}))
        things_.partial_update("1", at=zone)
        sent = server.requests[0].json()
        assert server.requests[1].json() == {"at": "2020-01-02T03:00:00+01:00"}
    assert sent["at"] == sent["meta"]["at"] == "2020-01-02T03:00:00+01:00"
    assert sent["times"] == ["2020-01-01T00:00:00+00:00"]
    with FaultServer(then=page_of([])) as server:
        client(generated, server).things.list(
            after=zone, any=[zone, datetime(2020, 1, 1, tzinfo=UTC)], day=date(2020, 1, 2)
        )
        target = server.requests[0].target
    assert "after=2020-01-02T03:00:00%2B01:00" in target
    assert "any=2020-01-01T00:00:00%2B00:00" in target
    assert "day=2020-01-02" in target


@pytest.mark.parametrize("local_times", [False, True])
def test_date_times_with_a_zone_in_calls_by_name(generate: Generate, local_times: bool) -> None:
    moment = {"type": "string", "format": "date-time"}
    schema = resource({"at": moment}) | ({"x-server": {"local-times": True}} if local_times else {})
    schema["paths"]["/things"]["get"] |= query({"name": "after", "schema": moment})
    generated = generate(schema)
    zone = datetime(2020, 1, 2, 3, tzinfo=timezone(timedelta(hours=1)))
    with FaultServer(then=page_of([]), routes={"/api/schema": [json_response(schema)]}) as server:
        alyx = client(generated, server)
        calls = [
            lambda: alyx.rest("things", "list", after=zone, extra_params={"before": [zone]}),
            lambda: alyx.rest("things", "create", data={"at": zone, "more": [zone]}),
            lambda: alyx.rest("things", "partial_update", id="1", data={"at": zone}),
            lambda: alyx.post("/things", data={"at": zone}),
        ]
        if local_times:
            for call in calls:
                with pytest.raises(ValueError, match="time zone"):
                    call()
            return
        for call in calls:
            call()
        _, listed, *written = server.requests
        text = "2020-01-02T03:00:00+01:00"
        assert listed.target == f"/things?after={text}&before={text}".replace("+", "%2B")
        assert [request.json() for request in written] == [{"at": text, "more": [text]}, {"at": text}, {"at": text}]


def test_rules_of_alyx_are_not_those_of_others(generate: Generate) -> None:
    schema = things()
    schema["paths"]["/things"]["get"] |= query(*({"name": name, "schema": TEXT} for name in ("django", "limit")))
    source = generate(schema).result.files["things.py"]
    assert "250" not in source
    assert "id: " not in source.partition("def list")[2].partition("->")[0]
    assert "django: str | None = None" in source
    stated = {"django-filters": True, "page-size": {"default": 20}}
    source = generate({**schema, "x-server": stated}).result.files["things.py"]
    assert "Records per page: 20 by default." in source
    assert "django: DjangoFilter | None = None" in source


def test_bulk_call_with_a_file_says_what_to_do(generate: Generate) -> None:
    several = {"oneOf": [ref("Form"), {"type": "array", "items": ref("Form")}]}
    form = {"type": "object", "properties": {"name": TEXT, "image": BINARY}}
    generated = generate(at({"/things": {"post": {**body(several), **returns(ref("Thing"), "201")}}}, Form=form))
    with FaultServer() as server:
        endpoint, model = client(generated, server).things, generated.module("things").Form
        with pytest.raises(InvalidFieldError, match="one record"):
            endpoint.create([model(name="a"), model(name="b")], image=b"x")
        assert server.requests == []


def test_file_of_a_call_with_several_records_is_left_out_and_named(generate: Generate) -> None:
    form = {"type": "object", "properties": {"name": TEXT, "image": BINARY}}
    several = {"type": "array", "items": ref("Form")}
    generated = generate(at({"/things": {"put": {**body(several), **returns(several)}}}, Form=form))
    assert "image" not in signature(generated.module("things").Things.update)
    assert generated.findings == ["things.PUT /things: image: files cannot be sent with several records; left out"]


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [({"next": TEXT}, ""), ({"nextPageToken": TEXT}, ""), ({"links": {}}, ""), ({"total": {}}, "page"), ({}, "cursor")],
)
def test_one_page_of_a_list_is_named(generate: Generate, fields: JSON, parameter: str) -> None:
    page = {"type": "object", "properties": {**fields, "data": {"type": "array", "items": ref("Thing")}}}
    listed = {**returns(page), **(query({"name": parameter, "schema": TEXT}) if parameter else {})}
    generated = generate(at({"/things": {"get": listed}, "/things/{id}": {"get": {**key(), **returns(ref("Thing"))}}}))
    assert generated.findings == ["things.GET /things: one page of a list: the method returns that page as it is"]
    assert [action.name for action in generated.result.api.endpoints[0].actions] == ["read", "read_all"]


def test_array_that_is_one_page_is_named(generate: Generate) -> None:
    rows = returns({"type": "array", "items": ref("Thing")})
    listed = {**rows, **query({"name": "page", "schema": {"type": "integer"}})}
    generated = generate(at({"/things": {"get": listed}, "/others": {"get": rows}}))
    assert generated.findings == [
        "things.GET /things: one page of a list: the method returns that page; pass page for the others"
    ]
