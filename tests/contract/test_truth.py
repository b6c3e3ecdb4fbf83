"""Every recorded response, and every row of a live server, matches its declaration."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel
from vcr.errors import CannotOverwriteExistingCassetteException

from alyx_client.errors import InvalidKeyError, NotFoundError, ServerError
from alyx_client.http.message import Request
from alyx_client.runtime.action import ListAction
from alyx_client.runtime.drift import DriftLog

from .cassettes import FOLDER, exchanges
from .endpoints import ENDPOINTS, LISTED, READ_BY_KEY, READABLE, is_readable
from .package import AlyxClient
from .targets import Target
from .test_reading import key_of
from .typecheck import mismatches
from .walks import WALKS, Walked

# Asks another service to copy files: it needs Globus, and has effects outside of Alyx.
_UNRECORDED = {("sync_file_status", "create")}
_READS = 20


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_recorded_response_matches_its_declaration(name: str) -> None:
    log = DriftLog(strict=True)
    count = 0
    for exchange in exchanges():
        if exchange.endpoint != name or not exchange.is_success or exchange.action is None:
            continue
        parsed: Any = exchange.action.parse(exchange.response, log)
        if isinstance(exchange.action, ListAction):
            parser = exchange.action.parser
            value, declared = [parser.record(row) for row in parsed.rows], list[parser.row]
            content = json.loads(exchange.response.content)
            rows = content if isinstance(content, list) else content["results"]
            # pydantic's own objects are no different.
            own = [parser.row.model_validate_json(json.dumps(row)) for row in rows]
            assert [row.__getstate__() for row in value] == [row.__getstate__() for row in own], exchange.cassette
        else:
            value, declared = parsed, exchange.action.parser.kind
        assert list(mismatches(value, declared, name)) == [], exchange.cassette
        count += 1
    assert count


def test_every_action_of_every_endpoint_is_recorded() -> None:
    recorded = {
        (exchange.endpoint, "list" if isinstance(exchange.action, ListAction) else exchange.action.name)
        for exchange in exchanges()
        if exchange.is_success and exchange.action is not None
    }
    declared = {(name, action) for name, declared in ENDPOINTS.items() for action in declared.actions}
    assert recorded == {*declared, *((name, "list") for name in LISTED)} - _UNRECORDED


def test_recordings_contain_no_secrets_or_paths() -> None:
    for path in FOLDER.rglob("*.yaml"):
        text = path.read_text("utf-8")
        for forbidden in ("127.0.0.1", "localhost:", "uthorization", "ookie", "/home/", "/root/", "/tmp/"):
            assert forbidden not in text, f"{path.parent.name}/{path.name}: {forbidden}"
        assert set(re.findall(r'"(?:token|password)\W+(\w+)', text)) <= {"recorded"}, path.name
        assert not re.search(r"\bToken [0-9a-f]{8}", text), path.name


def test_unrecorded_request_fails(client: AlyxClient, target: Target) -> None:
    if target.name != "recorded":
        pytest.skip("only of recordings")
    with pytest.raises(CannotOverwriteExistingCassetteException):
        client.send(Request("GET", "/alyx-client-test-not-recorded"))


class _Inner(BaseModel):
    number: int


class _Outer(BaseModel):
    day: date
    inner: list[_Inner]
    quality: Literal["PASS"] | None
    size: float
    table: dict[str, int]


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 0),
        ({"day": datetime(2020, 1, 1)}, 1),
        ({"inner": [_Inner.model_construct(number="1"), _Inner.model_construct(number=True)]}, 2),
        ({"inner": [{"number": 1}]}, 1),
        ({"quality": "FAIL"}, 1),
        ({"size": 1}, 1),
        ({"table": {"a": "b"}}, 1),
    ],
)
def test_value_of_another_type_is_a_mismatch(changes: dict[str, Any], count: int) -> None:
    good = {"day": date(2020, 1, 1), "inner": [_Inner(number=1)], "quality": None, "size": 1.0, "table": {"a": 1}}
    assert len(list(mismatches(_Outer.model_construct(**good | changes), _Outer))) == count


def test_uuid_is_not_a_text() -> None:
    assert list(mismatches(str(UUID(int=1)), UUID)) != []


@pytest.mark.parametrize("name", LISTED)
def test_every_row_of_live_server_matches_its_declaration(name: str, client: AlyxClient, target: Target) -> None:
    """Walk the whole list, and read records from all over it."""
    if target.name != "live":
        pytest.skip("only with --server=live")
    declared, endpoint = ENDPOINTS[name], getattr(client, name)
    assert declared.listing is not None
    # Rows that nothing tells apart are only sure to be whole in one page.
    try:
        results = endpoint.list()
        rows = list(results)
    except ServerError as error:  # such as a name with a slash, for which Alyx finds no URL
        pytest.skip(f"the server fails to list its own records: {error.detail}")

    assert list(mismatches(rows, list[declared.listing.parser.row], name)) == []
    read = 0
    if name in READ_BY_KEY:
        some = list(endpoint.list(**READABLE[name])) if name in READABLE else rows
        step = max(1, len(some) // _READS)
        for row in some[::step][:_READS]:
            if is_readable(declared.key(row)):
                record = endpoint.read(declared.key(row))
                assert list(mismatches(record, declared.actions["read"].parser.kind, name)) == []
            else:
                with pytest.raises((InvalidKeyError, NotFoundError)):
                    endpoint.read(declared.key(row))
            read += 1
        assert read == min(_READS, len(some))
    assert len(client.drift) == 0
    names = {repr(row) if name == "water_restriction" else key_of(row) for row in rows}
    WALKS[name] = Walked(results.total, len(rows), len(names), read)
    assert len(names) == len(rows) == results.total
