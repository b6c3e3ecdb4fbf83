"""Responses, bodies and parameters of a lab's own operations."""

from __future__ import annotations

import inspect

import pytest

from ..faults import FaultServer, Step, json_response, response
from ..faults import page as page_of
from .foreign_packages import Foreign, client, signature

READY: Step = json_response({"ready": True})


def test_plain_responses(foreign: Foreign) -> None:
    generated = foreign("plain answers")
    endpoints = {
        endpoint.name: getattr(generated.module(endpoint.name), endpoint.class_name)
        for endpoint in generated.result.api.endpoints
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
    with FaultServer(
        [json_response({"a": {"id": 1, "name": "x"}}), json_response([[1.5]]), json_response(None)]
    ) as server:
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
    with FaultServer([page_of([cat, dog]), json_response(dog)]) as server:
        alyx = client(generated, server)
        assert [type(pet) for pet in alyx.pets.list()] == [models.CatRecord, models.DogRecord]
        assert alyx.pets.create(models.Dog(type="Dog", breed="x")).breed == "x"
        assert server.requests[-1].json() == dog


def test_requests_with_components_of_their_own_share_a_name(foreign: Foreign) -> None:
    things_ = foreign("requests with components of their own").module("things")
    assert signature(things_.Things.create) == {"thing": "Thing", "return": "ThingRecord"}
    assert things_.ThingChanges.__annotations__.keys() == {"name"}


def test_list_that_is_not_paged(foreign: Foreign) -> None:
    generated = foreign("no pagination")
    with FaultServer([json_response([{"id": 1, "name": "a"}])]) as server:
        assert client(generated, server).things.list()[0].name == "a"


@pytest.mark.parametrize("name", ["pages by number", "pages by cursor", "limit and offset beside a cursor"])
def test_other_pagination_is_a_list(foreign: Foreign, name: str) -> None:
    generated = foreign(name)
    assert generated.findings == []
    assert signature(generated.module("things").Things.list) == {"return": "Results[ThingRecord]"}
    with FaultServer([page_of([{"id": 1, "name": "a"}])]) as server:
        assert client(generated, server).things.list()[0].name == "a"


def test_pages_whose_rows_are_no_records(foreign: Foreign) -> None:
    generated = foreign("pages of maps and of texts")
    assert signature(generated.module("maps").Maps.list) == {"return": "Results[dict[str, Any]]"}
    with FaultServer([page_of([{"a": 1}]), page_of(["x", "y"])]) as server:
        alyx = client(generated, server)
        assert list(alyx.maps.list()) == [{"a": 1}]
        assert list(alyx.names.list()) == ["x", "y"]


def test_several_records_at_once(foreign: Foreign) -> None:
    generated = foreign("only several at once")
    assert signature(generated.module("things").Things.create) == {
        "thing": "Sequence[Thing]",
        "return": "builtins.list[ThingRecord]",
    }
    with FaultServer([json_response([{"id": 1, "name": "a"}], status=201)]) as server:
        thing = generated.module("things").Thing
        assert client(generated, server).things.create([thing(name="a")])[0].id == 1
        assert server.requests[0].json() == [{"name": "a"}]


def test_responses_without_content(foreign: Foreign) -> None:
    generated = foreign("answers without content")
    thing = generated.module("jobs").Thing
    with FaultServer([response(status=201), response(status=202), READY, response(status=204)]) as server:
        alyx = client(generated, server)
        assert alyx.jobs.create(thing(name="a")) is None
        assert alyx.jobs.update(thing(name="a")) is None
        assert alyx.jobs.update(thing(name="a")) == {"ready": True}
        assert alyx.jobs.delete() is None


def test_text_and_files_are_bytes_and_json_goes_before_them(foreign: Foreign) -> None:
    generated = foreign("text and files")
    with FaultServer([response(b"a,b\n1,2", content_type="text/csv")]) as server:
        assert client(generated, server).report_csv.read() == b"a,b\n1,2"
    assert signature(foreign("several content types").module("report").Report.read)["return"] == "ThingRecord"


def test_query_parameters(foreign: Foreign) -> None:
    generated = foreign("query parameters of every form")
    assert signature(generated.module("things").Things.list) == {
        "either": "int | None = None",
        "ids": "int | Sequence[int] | None = None",
        "kind": 'Literal["x", "y"] | None = None',
        "lab": "str",
        "shared": "str | None = None",
        "tags": 'Literal["a", "b"] | Sequence[Literal["a", "b"]] | None = None',
        "return": "Results[ThingRecord]",
    }
    assert {finding.partition(": ")[2] for finding in generated.findings} == {
        f"{name} is an object, or encoded in an unsupported style: left out" for name in ("where", "parts", "content")
    }
    with FaultServer([page_of([])]) as server:
        client(generated, server).things.list(lab="x", ids=[1, 2], tags=["a", "b"])
        assert server.requests[0].target.replace("%2C", ",") == "/things?ids=1&ids=2&lab=x&tags=a,b"


def test_headers_cookies_and_other_logins_are_reported(foreign: Foreign) -> None:
    assert foreign("headers and cookies").findings == [
        "things.GET /things: the required header X-Lab cannot be sent",
        "things.GET /things: the cookie lab cannot be sent",
    ]
    assert foreign("other logins").findings == [
        "things.GET /things: requires session; this client sends its token as Authorization: Token … only"
    ]


def test_deprecated_operations_are_documented_as_such(foreign: Foreign) -> None:
    doc = inspect.getdoc(foreign("deprecated").module("things").Things.list)
    assert doc is not None
    assert doc.startswith("Use others.\n\nDeprecated by the server's schema.")


def test_bodies_that_cannot_be_sent_are_reported(foreign: Foreign) -> None:
    for name in ("bodies without fields", "bodies that are bytes", "empty component"):
        assert any("nothing can be sent" in finding for finding in foreign(name).findings)
