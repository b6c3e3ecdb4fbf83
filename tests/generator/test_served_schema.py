"""Every method of a package, called on a server that is made from the schema, as `make foreign` does with others."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.served.calls import Outcome, Served
from benchmarks.served.document import Document
from benchmarks.served.examples import RESPONSE_STYLES, Examples, NoExampleError

from .foreign_parts import JSON, TEXT, THING
from .inline import ImportedPackage, body, document, key, page, query, ref, returns
from .zoo import zoo


@pytest.fixture(scope="module", autouse=True)
def _path() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before


@pytest.fixture(scope="module")
def zoo_package(tmp_path_factory: pytest.TempPathFactory) -> ImportedPackage:
    return ImportedPackage(tmp_path_factory.mktemp("zoo"), zoo())


@pytest.fixture(scope="module", params=["AlyxClient", "AsyncAlyxClient"])
def outcome(zoo_package: ImportedPackage, request: pytest.FixtureRequest) -> Outcome:
    return served(zoo(), zoo_package, request.param)


@pytest.fixture(scope="module")
def small_package(tmp_path_factory: pytest.TempPathFactory) -> ImportedPackage:
    return ImportedPackage(tmp_path_factory.mktemp("small"), small())


def served(schema: JSON, package: ImportedPackage, client: str = "AlyxClient") -> Outcome:
    return Served(schema, package.result.api, package.package, client).run()


def test_every_operation_is_called(outcome: Outcome) -> None:
    assert outcome.not_called == []
    assert outcome.called == outcome.operations >= 24
    assert outcome.requests > 3 * outcome.called


def test_requests_are_what_the_schema_says(outcome: Outcome) -> None:
    assert outcome.wrong[:5] == []
    assert outcome.refused[:5] == []


def test_valid_responses_do_not_drift(outcome: Outcome) -> None:
    assert outcome.drift[:5] == []
    assert outcome.responses > 5 * outcome.called


def test_lists_of_several_pages_are_read_to_their_end(outcome: Outcome) -> None:
    assert outcome.lost == []
    assert outcome.lists == 3


def small() -> JSON:
    thing = {**THING, "required": ["id"]}
    return document(
        {
            "/things": {
                "get": {**query({"name": "tags", "schema": {"type": "array", "items": TEXT}}), **returns(ref("Page"))},
                "post": {**body(ref("Thing")), **returns(ref("Thing"), "201")},
            },
            "/things/{id}": {"get": {**key(), **returns(ref("Thing"))}},
        },
        {"Thing": thing, "Page": page("Thing")},
    )


def _other(*steps: str, value: Any = None) -> JSON:
    """Return the small schema with another value at one place; without the place if there is none."""
    schema = copy.deepcopy(small())
    node: Any = schema
    for step in steps[:-1]:
        node = node[int(step) if isinstance(node, list) else step]
    if value is None:
        del node[steps[-1]]
    else:
        node[steps[-1]] = value
    return schema


@pytest.mark.parametrize(
    ("served_schema", "kind", "problem"),
    [
        (small(), "", ""),
        (_other("paths", "/things", "get", "parameters", "0", "explode", value=False), "wrong", "query"),
        (_other("paths", "/things", "get", "parameters", "0", "name", value="labels"), "wrong", "nothing sends"),
        (_other("paths", "/things", "post"), "wrong", "the document has no POST /things"),
        (_other("paths", "/things/{id}", "put", value=returns(ref("Thing"))), "not_called", "no method, and no find"),
        (_other("components", "schemas", "Thing", "required"), "drift", "nothing for id, declared as int"),
        (_other("components", "schemas", "Thing", "properties", "name", value={"type": "boolean"}), "drift", "boolean"),
        (_other("components", "schemas", "Thing", "properties", "more", value=TEXT), "refused", "more: is not a field"),
    ],
)
def test_a_package_of_another_schema_is_noticed(
    small_package: ImportedPackage, served_schema: JSON, kind: str, problem: str
) -> None:
    outcome = served(served_schema, small_package)
    problems = {name: getattr(outcome, name) for name in ("wrong", "drift", "refused", "not_called")}
    assert bool(problems.get(kind)) == bool(kind)
    assert any(problem in text for text in problems.get(kind, [""])), problems


def _examples(schema: JSON) -> list[Any]:
    examples = Examples(Document(document({}, {"Tree": _TREE})), "writeOnly")
    return [value for _, value in examples.all_of(schema, RESPONSE_STYLES)]


_TREE: JSON = {"type": "object", "properties": {"name": TEXT, "children": {"type": "array", "items": ref("Tree")}}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 2}, [2, 8]),
        ({"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 5}, [5, 1]),
        ({"type": "string", "enum": ["a", "b"], "nullable": True}, ["a", "b"]),
        ({"type": "string", "enum": ["a", None], "nullable": True}, ["a", None]),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, [True, False]),
        ({"type": "string", "pattern": "^[A-Z]{3}-[0-9]{2}$"}, ["AAA-00"]),
        ({"const": "x"}, ["x"]),
        ({"type": "array", "items": {"type": "boolean"}, "maxItems": 1}, [[True], [], [False]]),
    ],
)
def test_examples_are_at_the_bounds_of_a_schema(schema: JSON, expected: list[Any]) -> None:
    assert _examples(schema) == expected


def test_examples_of_a_schema_without_end_end() -> None:
    assert {"children": [], "name": "some text"} in _examples(ref("Tree"))
    endless = {**_TREE, "required": ["child"], "properties": {"child": ref("Endless")}}
    with pytest.raises(NoExampleError, match="without end"):
        list(
            Examples(Document(document({}, {"Endless": endless})), "writeOnly").all_of(ref("Endless"), RESPONSE_STYLES)
        )
