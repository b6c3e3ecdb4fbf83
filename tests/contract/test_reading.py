from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import alyx_client
from alyx_client.errors import NotFoundError

from .endpoints import ACTIONS, ENDPOINTS, LISTED, READ_BY_KEY, READABLE, is_readable
from .package import PACKAGE, AlyxClient

_SNAPSHOT = Path(alyx_client.__file__).parents[1] / "schemas" / "alyx-3.6.1.json"
_VERBS = {"get": "read", "post": "create", "put": "update", "patch": "partial_update", "delete": "delete"}
# Where the schema's operations are not what they seem; the overlay has the evidence.
_OTHERWISE = {
    "water_type": {"list", "create"},  # GET, PUT, PATCH and DELETE of /water-type/{name} are the list and its create
    "check_protected": {"read"},
    "sync_file_status": {"read", "create"},
    "cache_info": {"read"},
    "cache_zip": {"read"},
}


def _of_schema() -> dict[str, set[str]]:
    """Return each endpoint's actions, by method and by whether the path ends in a key."""
    actions: dict[str, set[str]] = {}
    for path, operations in json.loads(_SNAPSHOT.read_text("utf-8"))["paths"].items():
        if path in ("/api/schema", "/auth-token", "/docs/"):
            continue
        by_key = path.rstrip("/").endswith("}")
        name = path.partition("{")[0].strip("/").replace("-", "_").replace("/", "_").replace(".", "_")
        for verb in operations.keys() & _VERBS.keys():
            action = _VERBS[verb] if by_key or verb != "get" else "list"
            actions.setdefault(name, set()).add(action)
    return actions


@pytest.mark.skipif(bool(PACKAGE), reason="about the shipped snapshot")
def test_every_endpoint_has_exactly_the_actions_of_the_schema() -> None:
    methods = {
        name: {action for action in ACTIONS if hasattr(type(getattr(AlyxClient("http://localhost"), name)), action)}
        for name in ENDPOINTS
    }
    assert methods == _of_schema() | _OTHERWISE


@pytest.mark.parametrize("name", LISTED)
def test_list_returns_typed_rows_of_several_pages(name: str, client: AlyxClient) -> None:
    declared = ENDPOINTS[name]
    assert declared.listing is not None
    endpoint = getattr(client, name)
    results = endpoint.list(page_size=3, max_items=7)

    rows = list(results)

    if not rows:
        pytest.skip("the server has no such records, and these tests cannot create any")
    assert len(rows) == min(7, results.total)
    assert all(isinstance(row, declared.listing.parser.row) for row in rows)
    # Rows of water_restriction have no key; here no two of them are alike.
    assert len({repr(row) if name == "water_restriction" else key_of(row) for row in rows}) == len(rows)
    assert len(client.drift) == 0


@pytest.mark.parametrize("name", READ_BY_KEY)
def test_read_returns_listed_record_by_key_and_url(name: str, client: AlyxClient) -> None:
    declared = ENDPOINTS[name]
    endpoint = getattr(client, name)
    for row in endpoint.list(max_items=3, **READABLE.get(name, {})):
        if not is_readable(declared.key(row)):
            continue
        record = endpoint.read(declared.key(row))

        assert isinstance(record, declared.actions["read"].parser.kind)
        assert declared.key(record) == declared.key(row)
        if hasattr(row, "url"):
            assert endpoint.read(row.url) == record
    assert len(client.drift) == 0


@pytest.mark.parametrize("name", READ_BY_KEY)
def test_read_of_unknown_key_is_a_lookup_error(name: str, client: AlyxClient) -> None:
    unknown: dict[str, Any] = {"uuid": UUID(int=1), "integer": -77777, "text": "alyx-client-test-no-such"}
    with pytest.raises(NotFoundError, match="has no record"):
        getattr(client, name).read(unknown[ENDPOINTS[name].actions["read"].lookup or "text"])


def test_brain_region_zero_is_read(client: AlyxClient) -> None:
    assert client.brain_regions.read(0).acronym == "void"


def test_id_is_taken_from_url_if_record_has_none(client: AlyxClient) -> None:
    for row in [*client.datasets.list(max_items=3), *client.files.list(max_items=3)]:
        assert row.url.endswith(f"/{row.id}")


def test_page_has_total_of_server(client: AlyxClient) -> None:
    results = client.labs.list(page_size=2)
    rows = list(results)
    if len(rows) < 3:
        pytest.skip("the server has fewer than three labs, and this user may not create any")
    assert len(results) == results.total == len(rows)
    assert results[-1] == rows[-1]
    assert results[1:3] == rows[1:3]


def key_of(row: Any) -> object:
    return next(value for name in ("id", "url", "name") if (value := getattr(row, name, None)) is not None)
