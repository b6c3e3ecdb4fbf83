"""What tells the rows of a list apart: the lookup key that the schema declares, or a read-only primary key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from alyx_client.rest.scheme_reader import read_scheme
from alyx_client.schema.row_keys import key_fields

UUID_TEXT = {"type": "string", "format": "uuid"}
INTEGER = {"type": "integer"}
TEXT = {"type": "string"}
URL = {"type": "string", "format": "uri", "readOnly": True}
READ_ONLY = {"readOnly": True}

CASES: list[tuple[str, Mapping[str, Any], Mapping[str, Any], tuple[str, ...]]] = [
    # Looked up by a UUID or a number, which the row has itself, or at the end of its URL.
    ("id", UUID_TEXT, {"id": UUID_TEXT, "name": TEXT}, ("id",)),
    ("id", INTEGER, {"id": INTEGER, "name": TEXT}, ("id",)),
    ("id", UUID_TEXT, {"url": URL, "name": TEXT}, ("url",)),
    ("id", UUID_TEXT, {"id": UUID_TEXT, "url": URL}, ("id", "url")),
    ("uuid", UUID_TEXT, {"uuid": UUID_TEXT, "id": INTEGER}, ("uuid",)),
    # drf-spectacular names the key in the path `id`, whatever the field is called.
    ("id", INTEGER, {"pk": INTEGER, "name": TEXT}, ("pk",)),
    ("id", INTEGER, {"pk": TEXT, "name": TEXT}, ()),
    ("id", UUID_TEXT, {"name": TEXT}, ()),
    ("id", UUID_TEXT, {"url": INTEGER, "name": TEXT}, ()),
    # Looked up by a name, which may repeat, whatever else the row has.
    ("name", TEXT, {"name": TEXT, "lab": TEXT}, ()),
    ("name", TEXT, {"name": TEXT, "url": URL}, ()),
    ("slug", TEXT, {"slug": TEXT, "title": TEXT}, ()),
    ("id", TEXT, {"id": TEXT}, ()),
    # A read-only `id` can only be the primary key: Django allows no other field of that name.
    ("nickname", TEXT, {"nickname": TEXT, "id": UUID_TEXT | READ_ONLY, "url": URL}, ("id",)),
    ("slug", TEXT, {"slug": TEXT, "pk": INTEGER | READ_ONLY}, ("pk",)),
    ("nickname", TEXT, {"nickname": TEXT, "id": UUID_TEXT}, ()),
    ("nickname", TEXT, {"nickname": TEXT, "id": TEXT | READ_ONLY}, ()),
    # No path for one record at all.
    ("", {}, {"id": UUID_TEXT | READ_ONLY, "name": TEXT}, ("id",)),
    ("", {}, {"url": URL, "nickname": TEXT}, ()),
    ("", {}, {"start_time": TEXT}, ()),
]


@pytest.mark.parametrize(("lookup", "schema", "properties", "fields"), CASES)
def test_key_is_certain_or_none(
    lookup: str, schema: Mapping[str, Any], properties: Mapping[str, Any], fields: tuple[str, ...]
) -> None:
    assert key_fields(lookup, schema, properties) == fields


@pytest.mark.parametrize(("lookup", "schema", "properties", "fields"), CASES)
def test_lists_called_by_name_have_the_same_key(
    lookup: str, schema: Mapping[str, Any], properties: Mapping[str, Any], fields: tuple[str, ...]
) -> None:
    pages = {
        "type": "object",
        "properties": {"results": {"type": "array", "items": {"$ref": "#/components/schemas/A"}}},
    }
    listing = {"responses": {"200": {"content": {"application/json": {"schema": pages}}}}}
    key = {"parameters": [{"in": "path", "name": lookup, "schema": schema}], "responses": {}}
    paths = {"/things/": {"get": listing}} | ({f"/things/{{{lookup}}}/": {"patch": key}} if lookup else {})
    scheme = read_scheme(
        {"openapi": "3.0.3", "paths": paths, "components": {"schemas": {"A": {"properties": properties}}}}
    )
    assert scheme.operation("things", "list").row_key == fields


@pytest.mark.parametrize(
    ("description", "row_key"),
    [
        ("A UUID string identifying this dataset.", ("id", "url")),
        ("A unique integer value identifying this brain region.", ("id", "url")),
        ("The nickname", ()),
        ("", ()),
    ],
)
def test_key_of_servers_that_describe_themselves_by_core_api(description: str, row_key: tuple[str, ...]) -> None:
    field = {
        "name": "id",
        "location": "path",
        "required": True,
        "schema": {"_type": "string", "description": description},
    }
    group = {
        "list": {"_type": "link", "url": "/datasets", "action": "get"},
        "read": {"_type": "link", "url": "/datasets/{id}", "action": "get", "fields": [field]},
    }
    scheme = read_scheme({"_type": "document", "datasets": group})
    assert scheme.operation("datasets", "list").row_key == row_key
