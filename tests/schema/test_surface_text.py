"""Surfaces as text, and their fingerprints."""

from __future__ import annotations

import json

import pytest

from alyx_client.schema.diff import compare_surfaces
from alyx_client.schema.extract import surface_of
from alyx_client.schema.surface import ActionName
from alyx_client.schema.surface_text import dump, fingerprint, load

from .edits import (
    edited,
    field,
    server,
)


def test_surface_survives_a_round_trip_through_text() -> None:
    surface = surface_of(server())

    assert load(dump(surface)) == surface
    assert dump(load(dump(surface))) == dump(surface)


def test_new_field_is_one_new_line() -> None:
    before = dump(surface_of(server())).splitlines()
    after = dump(surface_of(edited(field("extra", type="string", readOnly=True)))).splitlines()

    new = [line for line in after if line not in before]
    assert len(after) == len(before) + 1
    assert new == ['["labs", "answered", "extra", ["create", "partial_update", "read", "update"], {"type": "text"}]']
    assert [line for line in before if line not in after] == []


def test_required_request_field_is_one_line_for_all_actions() -> None:
    text = dump(surface_of(server()))

    assert [line for line in text.splitlines() if '"sent", "name"' in line] == [
        '["labs", "sent", "name", ["create", "partial_update", "update"], '
        '{"maxLength": 50, "required": true, "type": "text"}]'
    ]


def test_fingerprint_does_not_depend_on_class_names() -> None:
    document = server()
    other = surface_of(document, {"GET /labs": ActionName("labs", "list", "", "LabRow")})

    assert dump(other) != dump(surface_of(document))
    assert fingerprint(other) == fingerprint(surface_of(document))
    assert fingerprint(surface_of(edited(field("extra", type="string")))) != fingerprint(other)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "[1]", '["surface", 2, "OpenAPI"]', '["surface", 1, "OpenAPI"]\n["a"]', "x"]
)
def test_damaged_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Regenerate the client"):
        load(text)


def test_control_characters_in_names_are_escaped() -> None:
    hostile = 'a"b\\\n\u2028\x1b[31m|`'
    document = edited(field(hostile, type="string", enum=[hostile]))
    surface = surface_of(document)

    assert load(dump(surface)) == surface
    report = compare_surfaces(surface_of(server()), surface)
    assert all(character.isprintable() for character in report.text().replace("\n", ""))
    assert "\x1b" not in report.markdown()
    assert len(report.text().splitlines()) == 5
    assert json.loads(report.json())["changes"][0]["words"]
