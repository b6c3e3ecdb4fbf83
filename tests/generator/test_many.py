"""Methods for many records in generated packages."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from tests.faults import FaultServer, json_response

from .conftest import Generate
from .inline import body, document, key, ref, resource, returns

THING = {"type": "object", "properties": {"name": {"type": "string"}}}


def many(cls: type) -> set[str]:
    return {name for name in vars(cls) if name.endswith("_many")}


def test_each_action_on_a_record_has_one(generate: Generate) -> None:
    things = generate(resource({"name": {"type": "string"}})).module("things")
    expected = {"read_many", "create_many", "update_many", "partial_update_many", "delete_many"}
    assert many(things.Things) == many(things.AsyncThings) == expected
    assert inspect.iscoroutinefunction(things.AsyncThings.read_many)
    assert list(inspect.signature(things.Things.read_many).parameters)[:3] == ["self", "keys", "max_workers"]


def test_records_of_other_servers_are_read_one_by_one(generate: Generate) -> None:
    generated = generate(resource({"id": {"type": "string", "readOnly": True}, "name": {"type": "string"}}))
    with FaultServer(then=json_response({"id": "a", "name": "x"})) as server:
        client = generated.module("client").AlyxClient(server.url, token="t", cache_rest=None)
        assert [one.name for one in client.things.read_many(["a", "b"])] == ["x", "x"]
        assert sorted(server.paths) == ["/things/a", "/things/b"]


def test_keys_of_several_levels_have_none(generate: Generate) -> None:
    nested: dict[str, Any] = {
        "/labs/{lab}/things/{id}": {
            "parameters": [*key("lab")["parameters"], *key()["parameters"]],
            "get": returns(ref("Thing")),
            "patch": {**body(ref("Thing")), **returns(ref("Thing"))},
        }
    }
    module = generate(document(nested, {"Thing": THING})).module("labs_things")
    assert {"read", "partial_update"} <= set(vars(module.LabsThings))
    assert many(module.LabsThings) == set()


@pytest.mark.parametrize("name", ["Executor", "BulkResults", "ByKey", "Iterable"])
def test_models_with_the_names_of_imports_do_not_shadow_them(generate: Generate, name: str) -> None:
    things = generate(resource({"name": {"type": "string"}}, name=name)).module("things")
    assert len(many(things.Things)) == 5
    assert things.Things.create_many.__annotations__["items"] != f"Iterable[{name}]"
