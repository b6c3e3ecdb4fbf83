"""Servers that only speak CoreAPI: read as OpenAPI, generated, and used on a local Alyx that serves that document."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alyx_generator.package.pipeline import Generated, generate_client
from alyx_generator.source.coreapi import read_coreapi
from alyx_generator.source.normalise import normalise
from alyx_generator.source.overlay import read_overlay
from alyx_generator.source.paths import data_folder
from alyx_generator.source.validate import UnreadableSchemaError

from alyx_client.errors import InvalidFieldError, InvalidKeyError
from alyx_client.testing import LocalAlyx

from ..faults import FaultServer
from ..faults import page as page_of
from .conftest import Generate
from .inline import ImportedPackage, body, document, key, page, query, ref, returns

JSON = dict[str, Any]


def field(
    name: str, place: str, kind: str = "string", *, required: bool = False, description: str = "", **more: Any
) -> JSON:
    schema = {"_type": kind, "title": name, "description": description, **more}
    return {"name": name, "location": place, "schema": schema} | ({"required": True} if required else {})


def link(method: str, url: str, *fields: JSON, **more: Any) -> JSON:
    return {"_type": "link", "url": url, "action": method, "fields": list(fields), **more}


def coreapi(**endpoints: JSON) -> JSON:
    meta = {"url": "http://localhost:8000/docs/", "title": "Alyx REST API documentation"}
    return {"_type": "document", "_meta": meta, **endpoints}


LIKE: JSON = document(
    {
        "/labs": {
            "get": {
                **returns(ref("Page")),
                **query({"name": "open", "schema": {"type": "boolean"}}, {"name": "n", "schema": {"type": "string"}}),
            },
            "post": {**body(ref("Lab")), **returns(ref("Lab"), "201")},
        },
        "/labs/{name}": {"get": {**key("name", type="string"), **returns(ref("Lab"))}},
        "/sites/{id}": {"get": {**key("id", type="string", format="uuid"), **returns(ref("Site"))}},
    },
    {
        "Lab": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "opened": {"type": "string", "format": "date-time", "nullable": True},
                "sites": {"type": "array", "items": ref("Site"), "readOnly": True},
                "new": {"type": "string"},
                "size": {"type": "string"},
            },
            "required": ["name"],
        },
        "Site": {"type": "object", "properties": {"id": {"type": "string", "format": "uuid"}}, "required": ["id"]},
        "Page": page("Lab"),
    },
)
LABS = {
    "list": link("get", "/labs", field("open", "query"), field("n", "query", "integer"), field("old", "query")),
    "create": link(
        "post",
        "/labs",
        field("name", "form", required=True),
        field("opened", "form"),
        field("size", "form", "integer"),
        field("motto", "form", description="In a few words."),
        encoding="application/json",
        description="Make one.",
    ),
    "read": link("get", "/labs/{name}", field("name", "path", required=True)),
    "delete": link("delete", "/labs/{name}", field("name", "path", required=True)),
}


@pytest.fixture(scope="module")
def legacy() -> JSON:
    source = Path(__file__).parent / "alyx-legacy.coreapi.json"
    loaded: JSON = json.loads(source.read_text(encoding="utf-8"))
    return loaded


def generated_like(generate: Generate, described: JSON) -> ImportedPackage:
    return generate(read_coreapi(described, LIKE, "the other server"))


def test_actions_filters_and_keys_come_from_the_links(generate: Generate) -> None:
    generated = generated_like(generate, coreapi(labs=LABS))
    (endpoint,) = generated.result.api.endpoints
    assert [action.name for action in endpoint.actions] == ["list", "read", "create", "delete"]
    assert [(one.name, one.annotation) for one in endpoint.actions[0].filters] == [
        ("n", "int"),
        ("old", "str"),
        ("open", "bool"),
    ]
    assert generated.findings == []
    assert generated.module("labs").Labs.create.__doc__.startswith("Make one.")


def test_responses_come_from_the_reference_server_and_may_lack_any_field(generate: Generate) -> None:
    labs = generated_like(generate, coreapi(labs=LABS)).module("labs")
    annotations = labs.LabRecord.__annotations__.items()
    assert {name: str(kind) for name, kind in annotations if not name.startswith("_")} == {
        "name": "str | None",
        "new": "str | None",
        "opened": "datetime | None",
        "sites": "list[Site] | None",
        "size": "str | None",
    }
    assert labs.LabRecord.model_validate({}).name is None
    assert labs.Site.model_validate({}).id is None
    assert (
        "This server does not declare its responses: the fields are those of the other server" in labs.LabRecord.__doc__
    )


def test_requests_have_the_fields_of_the_servers_own_form(generate: Generate) -> None:
    labs = generated_like(generate, coreapi(labs=LABS)).module("labs")
    assert set(labs.Lab.model_fields) == {"name", "opened", "size", "motto"}
    assert labs.Lab(name="a", opened="2020-01-01T10:00:00", size=3, motto="x").to_wire() == {
        **{"name": "a", "opened": "2020-01-01T10:00:00", "size": 3, "motto": "x"},
    }
    for wrong in ({"new": "x"}, {"size": "big"}, {}):
        with pytest.raises(InvalidFieldError):
            labs.Lab(**{"name": "a", **wrong} if wrong else {})


def test_fields_that_the_reference_server_requires_are_worth_having(generate: Generate) -> None:
    unlisted = link("post", "/labs", field("opened", "form"))
    labs = generated_like(generate, coreapi(labs={**LABS, "create": unlisted})).module("labs")
    assert labs.Lab(name="a").to_wire() == {"name": "a"}
    assert labs.Lab().to_wire() == {}
    source = Path(labs.__file__).read_text("utf-8")
    assert "This server does not declare the field, but the other server requires it." in source


def test_form_that_the_document_leaves_out_is_the_known_one(generate: Generate) -> None:
    generated = generated_like(generate, coreapi(labs={**LABS, "create": link("post", "/labs")}))
    labs = generated.module("labs")
    assert set(labs.Lab.model_fields) == {"name", "opened", "new", "size"}
    assert generated.findings == []


def test_endpoint_that_no_other_server_has_takes_its_form(generate: Generate) -> None:
    fields = (
        field("code", "form", required=True),
        field("kind", "form", "enum", enum=["x", "y"]),
        field("json", "form", "object"),
    )
    described = coreapi(
        rigs={
            "list": link("get", "/rigs", field("limit", "query", "integer")),
            "create": link("post", "/rigs", *fields, field("parts", "form", "array")),
            "read": link(
                "get", "/rigs/{id}", field("id", "path", description="A unique integer value identifying this rig.")
            ),
            "partial_update": link("patch", "/rigs/{id}", *fields),
            "lock": {"create": link("post", "/rigs/{id}/lock")},
        }
    )
    generated = generated_like(generate, described)
    rigs = generated.module("rigs")
    record = rigs.RigRecord
    assert record.model_validate({}).code is None
    assert record.model_validate({"kind": "z", "json": [1], "parts": [None]}).kind == "z"
    assert "the fields are those of the form that creates a record" in record.__doc__
    assert rigs.Rigs.read.__annotations__["id"] == "int | str"
    assert {action.name for action in generated.result.api.endpoints[0].actions} >= {
        "list",
        "create",
        "partial_update",
        "lock",
    }
    assert generated.findings == [
        "rigs.POST /rigs/{id}/lock: the schema declares no response: typed as Any",
        "rigs.POST /rigs/{id}/lock: the schema declares no body: nothing can be sent",
    ]


def test_neither_document_is_changed() -> None:
    described, like = coreapi(labs=LABS), copy.deepcopy(LIKE)
    before = copy.deepcopy(described)
    read_coreapi(described, like, "x")
    assert (described, like) == (before, LIKE)


def test_document_of_neither_form_is_refused() -> None:
    with pytest.raises(UnreadableSchemaError, match="no CoreAPI document"):
        normalise({"asyncapi": "3.0.0"})


@pytest.mark.parametrize(("endpoint", "nearest"), [("labs", "3.3.1"), ("data-notices", "3.6.1")])
def test_responses_come_from_the_nearest_snapshot(endpoint: str, nearest: str) -> None:
    links = {"list": link("get", f"/{endpoint}"), "read": link("get", f"/{endpoint}/{{id}}", field("id", "path"))}
    components = normalise(coreapi(**{endpoint: links}))["components"]["schemas"]
    notes = {schema["x-response-note"] for schema in components.values() if "x-response-note" in schema}
    assert len(notes) == 1
    assert f"are those of Alyx {nearest}, and any" in notes.pop()


# --- the whole legacy server


@pytest.fixture(scope="module")
def legacy_generated(legacy: JSON) -> Generated:
    return generate_client(legacy, read_overlay(data_folder("schemas") / "alyx.overlay.yaml"), strict=False)


@pytest.fixture
def package(generate: Generate, legacy: JSON, legacy_generated: Generated) -> ImportedPackage:
    return generate(legacy, generated=legacy_generated)


@pytest.fixture
def server(legacy: JSON) -> Iterator[LocalAlyx]:
    with LocalAlyx(legacy) as running:
        yield running


def test_every_link_of_the_legacy_server_is_a_method_or_a_finding(package: ImportedPackage, legacy: JSON) -> None:
    def count(node: JSON) -> int:
        links = [value for value in node.values() if isinstance(value, dict)]
        return sum(1 if "url" in value and "action" in value else count(value) for value in links)

    api = package.result.api
    refused = [finding for finding in package.findings if "no method" in finding]
    merged = sum(bool(action.bare_path) for endpoint in api.endpoints for action in endpoint.actions)
    assert (
        api.operations + merged + len(refused)
        == count({name: value for name, value in legacy.items() if name != "_meta"}) + 1
    )
    assert refused == [
        "auth_token.POST /auth-token: no method: the client logs in by itself",
        "water_type.GET /water-type/{name}: no method: "
        "the server ignores the name and returns the whole list; use list()",
        "water_type.POST /water-type/{name}: no method: the server ignores the name; use create()",
    ]


def test_location_of_a_field_of_view_can_be_created_without_its_declaration(generate: Generate, legacy: JSON) -> None:
    described = copy.deepcopy(legacy)
    for one in described["fov-location"].values():
        one["fields"] = [field for field in one.get("fields", []) if field["name"] != "field_of_view"]
    models = generate(described, corrections=read_overlay(data_folder("schemas") / "alyx.overlay.yaml")).module(
        "models"
    )
    view = "00000000-0000-0000-0000-000000000001"
    location = models.FOVLocation(
        field_of_view=view, coordinate_system="IBL-Allen", provenance="E", n_xyz=[1, None, 1], x=[1], y=[1], z=[1]
    )
    assert location.to_wire()["field_of_view"] == view


def test_one_form_that_declares_a_field_is_enough(package: ImportedPackage) -> None:
    source = Path(package.module("fov_location").__file__ or "").read_text("utf-8")
    assert "field_of_view" in source
    assert "does not declare the field" not in source


@pytest.mark.parametrize("sent", [{}, {"id": None}, {"id": "00000000-0000-0000-0000-000000000002"}])
def test_records_of_older_servers_have_the_id_of_their_url(package: ImportedPackage, sent: JSON) -> None:
    key = "00000000-0000-0000-0000-000000000002"
    record = {"url": f"http://127.0.0.1/sessions/{key}", "subject": "a", **sent}
    with (
        FaultServer(then=page_of([record])) as server,
        package.module("client").AlyxClient(server.url, token="t", silent=True) as alyx,
    ):
        (session,) = alyx.sessions.list()
        assert session.id == UUID(key)
        assert not hasattr(type(session)(subject="a"), "id")
    for name in ("SessionRecord", "SessionSummary"):
        model = getattr(package.module("models"), name)
        assert model.model_validate_json(json.dumps({**record, "url": None, "id": key})).id == UUID(key)


def test_legacy_server_is_read_and_written_without_drift(package: ImportedPackage, server: LocalAlyx) -> None:
    models = package.module("models")
    with (
        warnings.catch_warnings(),
        package.module("client").AlyxClient(server.url, token=server.token(), silent=True, strict=True) as alyx,
    ):
        warnings.simplefilter("error")
        kind = type(alyx)
        for name in (name for name, value in vars(kind).items() if isinstance(value, cached_property)):
            endpoint = getattr(alyx, name)
            if hasattr(endpoint, "list"):
                assert list(endpoint.list(max_items=5)), name
        assert alyx.sessions.read(alyx.sessions.list()[0].id).url
        lab = alyx.labs.create(models.Lab(name="newlab", timezone="Europe/London"))
        assert lab.timezone == "Europe/London"
        assert alyx.labs.partial_update("newlab", institution="UCL").institution == "UCL"
        assert alyx.labs.read("newlab").institution == "UCL"
        alyx.labs.update("newlab", models.Lab(name="newlab", institution="CSHL"))
        alyx.labs.delete("newlab")
        assert "newlab" not in {lab.name for lab in alyx.labs.list()}
        weighing = alyx.weighings.create(models.Weighing(subject=alyx.subjects.list()[0].nickname, weight=20.0))
        assert alyx.weighings.read(weighing.id).weight == 20.0
        alyx.weighings.delete(weighing.id)
        assert len(alyx.drift) == 0
        with pytest.raises(InvalidKeyError):
            alyx.sessions.read("one")
