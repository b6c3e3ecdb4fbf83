"""Python names for a lab's own endpoints, components, fields and filters."""

from __future__ import annotations

import builtins
import inspect
import keyword
import os
import subprocess
import sys

import pytest
from alyx_generator.model.naming import client_attributes

from alyx_client.runtime import Endpoint, Record

from ..faults import FaultServer, json_response
from ..faults import page as page_of
from .conftest import Generate
from .foreign_models import FIELD_NAMES
from .foreign_packages import Foreign, client, signature
from .foreign_parts import JSON, TEXT, THING, keys
from .inline import body, document, key, page, query, ref, resource, returns


@pytest.mark.parametrize(
    "name",
    [
        *sorted(name for name in client_attributes() if not name.startswith("_")),
        *("models", "client", "readme", "con", "list", "class", "match", "2photon", "rest", "get", "user", "send"),
    ],
)
def test_endpoint_names_avoid_attributes_of_the_client(generate: Generate, name: str) -> None:
    generated = generate(document({f"/{name}": {"get": returns(ref("Page"))}}, {"Thing": THING, "Page": page("Thing")}))
    attribute = generated.result.api.endpoints[0].name
    assert attribute not in client_attributes()
    kind = generated.module("client").AlyxClient
    assert {name for name in vars(kind) if not name.startswith("_")} == {attribute}
    with FaultServer([page_of([{"id": 1, "name": "a"}])]) as server:
        alyx = client(generated, server)
        assert alyx.base_url == server.url
        assert getattr(alyx, attribute).list()[0].id == 1


def test_fields_of_any_name_are_sent_and_read_by_the_servers_names(foreign: Foreign) -> None:
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
    read = record.model_validate(values)
    assert {name: getattr(read, own) for name, own in attributes.items()} == values


def test_methods_of_mappings_are_not_hidden_by_fields_of_records(generate: Generate) -> None:
    names = ("get", "items", "keys", "values", "name")
    component = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": [*names]}
    body = {"content": {"application/json": {"schema": ref("Thing")}}}
    paths = {"/things": {"get": returns(ref("Page")), "post": {**returns(ref("Thing"), "201"), "requestBody": body}}}
    module = generate(document(paths, {"Thing": component, "Page": page("Thing")})).module("things")
    values = {name: f"value of {name}" for name in names}
    record = module.ThingRecord.model_validate(values)
    assert dict(record) == dict(record.items()) == values
    assert (record.items_, record.keys_, record.name) == (values["items"], values["keys"], values["name"])
    assert module.Thing(**record).to_wire() == values


def test_components_with_the_same_python_name_stay_distinct(foreign: Foreign) -> None:
    models = foreign("components that become one").module("models")
    assert set(models.LabThing.model_fields) == {"a"}
    assert set(models.BLabThing.model_fields) == {"b"}
    assert set(models.BLabThingRecord.model_fields) == {"b"}


def test_endpoints_with_the_same_python_name_stay_distinct(foreign: Foreign) -> None:
    generated = foreign("endpoints that become one")
    assert {endpoint.name: endpoint.path for endpoint in generated.result.api.endpoints} == {
        "lab_things": "/lab-things",
        "lab_things_": "/lab_things",
        "lab_things__": "/Lab/Things",
    }
    assert generated.findings[0] == (
        "lab_things_: /lab_things is lab_things_, since lab_things is already the name of another path"
    )


def test_filters_with_the_same_python_name_stay_distinct(foreign: Foreign) -> None:
    listed = foreign("filters that become one").module("things")
    parameters = list(inspect.signature(listed.Things.list).parameters)
    assert parameters == [
        *("self", "a_b", "a_b_", "from_", "max_items_", "self_", "value", "value_1st", "page_size", "max_items"),
        *("extra_params", "timeout"),
    ]
    assert list(signature(listed.Things.read)) == ["x_y", "x_y_", "x_y__", "return"]


def test_servers_own_timeout_gives_way_to_the_time_limit(generate: Generate) -> None:
    timed = {"type": "object", "properties": {"timeout": {"type": "string"}, "name": {"type": "string"}}}
    body = {"requestBody": {"content": {"application/json": {"schema": ref("Thing")}}}}
    filters = {"parameters": [{"in": "query", "name": "timeout", "schema": {"type": "string"}}]}
    paths = {
        "/things": {"get": {**returns(ref("Page")), **filters}, "post": {**returns(ref("Thing"), "201"), **body}},
        "/things/{timeout}": {
            **keys("timeout"),
            "get": returns(ref("Thing")),
            "patch": {**returns(ref("Thing")), **body},
            "delete": {"responses": {"204": {}}},
        },
    }
    generated = generate(document(paths, {"Thing": timed, "Page": page("Thing")}))
    thing = generated.module("things").Thing
    things = generated.module("things").Things
    for action in ("list", "read", "create", "partial_update", "delete"):
        parameter = inspect.signature(getattr(things, action)).parameters["timeout"]
        assert (parameter.kind, parameter.default) == (inspect.Parameter.KEYWORD_ONLY, None), action
    row = {"timeout": "5 s", "name": "a"}
    with FaultServer([page_of([row]), *[json_response(row)] * 4]) as server:
        alyx = client(generated, server)
        alyx.things.list(timeout_="x", timeout=9)
        assert alyx.things.read("k", timeout=9).timeout == "5 s"
        alyx.things.create(thing(timeout_="y"), timeout=9)
        alyx.things.partial_update("k", timeout=9, timeout_="z")
        alyx.things.delete("k", timeout=9)
        assert [request.target for request in server.requests][:2] == ["/things?timeout=x", "/things/k"]
        assert [request.json() for request in server.requests[2:4]] == [{"timeout": "y"}, {"timeout": "z"}]


@pytest.mark.parametrize(
    ("text", "module", "kind"),
    [
        ("Straße", "strasse", "Strasse"),
        ("Ærø", "aero", "AEro"),
        ("naïve", "naive", "Naive"),
        ("日付", "日付", "日付"),
        ("Пользователь", "пользователь", "Пользователь"),
        ("が한", "が한", "が한"),
        ("ﬁle①", "file1", "File1"),
        ("🙂", "u1f642", "U1f642"),
        ("İ", "i", "I"),
    ],
)
def test_names_in_other_scripts(generate: Generate, text: str, module: str, kind: str) -> None:
    schema = resource({text: TEXT}, name=text)
    schema["paths"] = {path.replace("things", text): item for path, item in schema["paths"].items()}
    generated = generate(schema)
    assert [endpoint.name for endpoint in generated.result.api.endpoints] == [module]
    model = getattr(generated.module(module), kind)
    (attribute,) = model.model_fields
    assert model(**{attribute: "x"}).to_wire() == {text: "x"}


NAMES = sorted(
    {name for name in (*dir(builtins), *dir(Endpoint), *dir(Record)) if name.islower() and not name.startswith("_")}
    | {*keyword.kwlist, *keyword.softkwlist, "self", "cls", "_fields_set", "action", "key", "body", "changes", "files"}
    | {"filters", "client", "models", "runtime", "alyx_client", "builtins", "typing", "annotations", "limit", "json"}
)


def test_paths_actions_keys_filters_and_fields_of_every_reserved_name(generate: Generate) -> None:
    fields = dict.fromkeys(NAMES, TEXT)
    filters = query(*({"name": name, "schema": TEXT} for name in NAMES))
    paths: JSON = {}
    for name in NAMES:
        paths[f"/{name}/"] = {"get": returns(ref("Page"))}
        paths[f"/{name}/{{{name}}}/"] = {
            "get": {**keys(name), **returns(ref("Thing"))},
            "patch": {**keys(name), **body(ref("Thing")), **returns(ref("Thing"))},
        }
    paths |= {
        f"/things/{{id}}/{name}": {"post": {**key(), **body(ref("Thing")), **returns(ref("Thing"))}} for name in NAMES
    }
    paths |= {
        "/things": {"get": {**returns(ref("Page")), **filters}},
        "/things/{id}": {"get": {**key(), **returns(ref("Thing"))}},
    }
    generated = generate(document(paths, {"Thing": {"type": "object", "properties": fields}, "Page": page("Thing")}))
    code = (
        f"import importlib, pkgutil, {generated.package} as package\n"
        "for module in pkgutil.iter_modules(package.__path__):\n"
        "    importlib.import_module(f'{package.__name__}.{module.name}')\n"
        "client = package.AlyxClient('http://127.0.0.1:9', token='t', silent=True)\n"
        "print(sum(hasattr(client, module.name) for module in pkgutil.iter_modules(package.__path__)))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(generated.folder.parent), *sys.path))}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) == len(NAMES) + 1
    record = dict.fromkeys(NAMES, "x")
    with FaultServer(then=json_response(record)) as server:
        alyx = client(generated, server)
        assert alyx.things.read("1").model_dump(by_alias=True) == record
        for endpoint in generated.result.api.endpoints[:10]:
            getattr(alyx, endpoint.name).read("1")
        assert len(server.requests) == 11
