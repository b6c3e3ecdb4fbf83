"""The fields that tell the rows of a list apart, in generated packages."""

from __future__ import annotations

from typing import Any

import pytest
from alyx_generator.model.build import build_api
from alyx_generator.package.shipped import generate_shipped

from tests.generator.inline import document, key, page, query, ref, returns

UUID_TEXT = {"type": "string", "format": "uuid"}
INTEGER = {"type": "integer"}
TEXT = {"type": "string"}
URL = {"type": "string", "format": "uri", "readOnly": True}


@pytest.mark.parametrize(
    ("lookup", "lookup_schema", "properties", "row_key"),
    [
        ("id", UUID_TEXT, {"id": UUID_TEXT, "name": TEXT}, ("id",)),
        ("id", INTEGER, {"pk": INTEGER, "name": TEXT}, ("pk",)),
        ("id", UUID_TEXT, {"url": URL, "name": TEXT}, ("url",)),
        ("slug", TEXT, {"slug": TEXT, "name": TEXT}, ()),
        ("slug", TEXT, {"slug": TEXT, "id": {**INTEGER, "readOnly": True}}, ("id",)),
        ("name", TEXT, {"name": TEXT, "url": URL}, ()),
        ("", {}, {"name": TEXT, "url": URL}, ()),
    ],
)
def test_list_declares_what_tells_its_rows_apart(
    lookup: str, lookup_schema: dict[str, Any], properties: dict[str, Any], row_key: tuple[str, ...]
) -> None:
    paging = query({"name": "limit", "schema": INTEGER}, {"name": "offset", "schema": INTEGER})
    paths: dict[str, Any] = {"/things/": {"get": {**paging, **returns(page("Thing"))}}}
    if lookup:
        paths[f"/things/{{{lookup}}}/"] = {"get": {**key(lookup, **lookup_schema), **returns(ref("Thing"))}}
    (endpoint,) = build_api(document(paths, {"Thing": {"type": "object", "properties": properties}})).endpoints
    (listing,) = (action for action in endpoint.actions if action.paged)
    assert listing.row_key == row_key


def test_lists_of_alyx() -> None:
    client = generate_shipped().files["client.py"]
    for line in (
        '"/datasets": ("url",)',
        '"/sessions": ("id", "url")',
        '"/subjects": ("id",)',
        '"/brain-regions": ("id",)',
    ):
        assert line in client
    # Looked up by name, without another key: names of locations repeat.
    assert not any(f'"/{name}"' in client for name in ("locations", "labs", "projects", "water-restriction"))
