"""Closed sets of values in generated packages."""

from __future__ import annotations

import pytest
from alyx_generator.model.build import build_api
from alyx_generator.model.closed_sets import closed_sets
from alyx_generator.source.overlay import Correction, correct

from alyx_client.errors import InvalidFieldError
from alyx_client.runtime.closed_sets import ClosedSet, ClosedSets, Column

from ..faults import FaultServer
from .conftest import Generate
from .inline import body, document, key, page, query, ref, returns

STORED = {"good": 1, "bad": 2}
DOCUMENT = document(
    {
        "/things": {
            "get": {
                **query(
                    {"name": "state", "schema": {"type": "string", "enum": ["good", "bad", None]}},
                    {"name": "states", "schema": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}},
                    {"name": "level", "schema": {"type": "integer", "enum": [1, 2]}},
                    {"name": "odd", "schema": {"enum": [1.5, "a"]}},
                    {"name": "open", "schema": {"type": "string"}},
                    {"name": "django", "schema": {"type": "string"}},
                ),
                **returns(page("Thing")),
            },
            "post": {**body(ref("Thing")), **returns(ref("Thing"), "201")},
        },
        "/things/{id}": {"patch": {**key(), **body(ref("Thing")), **returns(ref("Thing"))}},
    },
    {
        "Thing": {
            "type": "object",
            "properties": {
                "state": {"type": "string", "enum": ["good", "bad"], "nullable": True},
                "words": {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}},
                "word": {"oneOf": [{"type": "string", "enum": ["x"]}, {"type": "integer"}]},
                "name": {"type": "string"},
            },
        }
    },
)
FACTS = Correction(
    "$.paths['/things'].get.parameters[?@.name=='state']",
    "seen",
    {"x-alyx-stored": STORED, "x-alyx-column": {"after": ["things"]}},
)


def test_sets_are_those_of_filters_fields_and_columns() -> None:
    corrected = correct(DOCUMENT, (FACTS,)).document
    sets = closed_sets(build_api({**corrected, "x-server": {"django-filters": True}}))
    state = ClosedSet(("good", "bad"), (1, 2))
    assert sets.filters == {
        "things": {
            "level": ClosedSet((1, 2)),
            "state": state,
            "states": ClosedSet(("a", "b"), several=True),
        }
    }
    assert sets.fields == {
        "things": {"state": ClosedSet(("good", "bad")), "words": ClosedSet(("x", "y"), several=True)}
    }
    assert sets.columns == (Column("state", state, ("things",), ("things",)),)


def test_other_servers_have_no_columns() -> None:
    assert closed_sets(build_api(correct(DOCUMENT, (FACTS,)).document)).columns == ()
    assert closed_sets(build_api(DOCUMENT)).columns == ()
    assert closed_sets(build_api(document({}))) == ClosedSets()


def test_generated_client_checks_filters(generate: Generate) -> None:
    package = generate(DOCUMENT)
    with FaultServer() as server, package.module("client").AlyxClient(server.url, token="t", silent=True) as client:
        for filters in ({"state": "god"}, {"states": ["a", "c"]}, {"level": 3}, {"level": True}):
            with pytest.raises(InvalidFieldError, match="is not one of its values"):
                client.things.list(**filters)
        with pytest.raises(InvalidFieldError, match="takes one value"):
            client.things.list(state=["good", "bad"])
        assert server.requests == []
