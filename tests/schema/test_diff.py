"""The changes between two schemas, and whom they break."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from alyx_client.schema.diff import compare_surfaces
from alyx_client.schema.extract import surface_of
from alyx_client.schema.surface import ActionName
from alyx_client.schema.surface_text import dump, fingerprint

from .changes import BOTH_WAYS, EVERY, ONE_CHANGE, SILENTLY
from .edits import (
    SIZE,
    TEXT,
    Document,
    Edit,
    changes_of,
    compare,
    components,
    edited,
    field,
    filters,
    lines,
    moved,
    put,
    required,
    server,
)


@pytest.mark.parametrize(("edit", "expected"), [case[1:] for case in ONE_CHANGE], ids=[case[0] for case in ONE_CHANGE])
def test_one_edit_is_one_change(edit: Edit, expected: tuple[str, str, str]) -> None:
    assert changes_of(compare(server(), edited(edit))) == [expected]


@pytest.mark.parametrize(("edit", "expected"), [case[1:] for case in BOTH_WAYS], ids=[case[0] for case in BOTH_WAYS])
def test_field_of_requests_and_responses_has_a_change_for_each(
    edit: Edit, expected: list[tuple[str, str, str]]
) -> None:
    assert changes_of(compare(server(), edited(edit))) == expected


def test_equal_changes_of_several_actions_are_merged() -> None:
    report = compare(server(), edited(field("secret", maxLength=5), required("name", "url", "secret")))

    by_words = {change.words: change.actions for change in report.changes}
    assert by_words == {
        "maxLength 5 added": ("create", "update", "partial_update"),
        "now required": ("create", "update"),
    }
    assert "client.labs.create(Lab(secret=…))  now required (also in update)" in lines(report)


def test_field_of_partial_update_only_is_named_as_its_keyword() -> None:
    def edit(document: Document) -> None:
        del components(document)["PatchedLabDetail"]["properties"]["secret"]

    assert changes_of(compare(server(), edited(edit))) == [
        ("breaking", "client.labs.partial_update(secret=…)", f"removed: {SILENTLY}")
    ]


@pytest.mark.parametrize(
    ("old", "new"), [("/water-type", "/WaterTypes"), ("/mouse-family", "/mousefamilies"), ("/a-b", "/A-Bs")]
)
def test_removed_endpoint_hints_at_an_added_one_of_similar_name(old: str, new: str) -> None:
    before, after = server(), server()
    listed = before["paths"].pop("/water-type")
    del after["paths"]["/water-type"]
    before["paths"][old], after["paths"][new] = listed, listed

    removed, added = compare(before, after).changes

    assert removed.words.endswith(f"; perhaps renamed to {added.name}")
    assert added.words.endswith(f"; perhaps renamed from {removed.name}")


def test_removed_endpoint_has_no_hint_without_a_similar_name() -> None:
    report = compare(server(), edited(moved("/water-type", "/water-kind")))

    assert len(report.changes) == 2
    assert "perhaps" not in report.text()


def test_renamed_filters_and_fields_have_hints() -> None:
    report = compare(server(), edited(filters({"name": "cities", "schema": TEXT}, SIZE)))

    assert [change.words for change in report.changes] == [
        f"{EVERY}; perhaps renamed: client.labs.list(cities=)",
        "new, optional; perhaps renamed: client.labs.list(city=)",
    ]


def test_class_that_still_exists_is_not_reported_as_renamed() -> None:
    report = compare(server(), edited(put))

    assert ("type-checks", "client.labs.update(name)", "now accepts LabUpdate, was Lab") in changes_of(report)
    assert "its import fails" not in report.text()


def test_renamed_class_breaks_type_checks() -> None:
    old = surface_of(server())
    renamed = {
        key: ActionName(n.endpoint, n.action, n.request_class and "Laboratory", n.response_class)
        for key, n in old.names.items()
    }

    report = compare_surfaces(old, surface_of(server(), renamed))

    assert report.worst == "type-checks"
    assert {change.words for change in report.changes} == {"the class Lab is now called Laboratory: its import fails"}


# A body that is added is reported with its required fields, one that is removed as a whole.
MIRRORED = [case for case in (*ONE_CHANGE, *BOTH_WAYS) if case[0] != "body gone"]


@pytest.mark.parametrize("edit", [case[1] for case in MIRRORED], ids=[case[0] for case in MIRRORED])
def test_reversed_comparison_swaps_added_and_removed(edit: Edit) -> None:
    old, new = surface_of(server()), surface_of(edited(edit))
    mirror = {"added": "removed", "removed": "added"}
    there = [
        (change.kind, change.what, change.endpoint, change.actions) for change in compare_surfaces(old, new).changes
    ]
    back = [
        (change.kind, mirror.get(change.what), change.endpoint, change.actions)
        for change in compare_surfaces(new, old).changes
    ]

    assert there
    assert sorted(change for change in there if change[1] in mirror) == sorted(change for change in back if change[1])
    assert not compare_surfaces(new, new)


def shuffled(node: Any, order: random.Random) -> Any:
    if isinstance(node, dict):
        items = [(key, shuffled(value, order)) for key, value in node.items()]
        order.shuffle(items)
        return dict(items)
    if isinstance(node, list):
        items = [shuffled(item, order) for item in node]
        order.shuffle(items)
        return items
    return node


@pytest.mark.parametrize("seed", range(5))
def test_order_of_the_document_does_not_matter(seed: int) -> None:
    document = server()
    other = shuffled(document, random.Random(seed))

    assert dump(surface_of(other)) == dump(surface_of(document))
    assert not compare(document, other)


def test_prose_does_not_matter() -> None:
    document = server()
    document["paths"]["/labs"]["get"]["description"] = "All labs."
    components(document)["LabDetail"]["properties"]["name"]["description"] = "Its name."

    assert fingerprint(surface_of(document)) == fingerprint(surface_of(server()))


def test_renamed_method_breaks_type_checks() -> None:
    old = edited(lambda d: d["paths"].update({"/labs/{name}/archive": {"post": {"responses": {"204": {}}}}}))
    new = copy.deepcopy(old)
    del new["paths"]["/labs/{name}"]

    words = "the method is now client.labs_archive.create"
    assert ("type-checks", "client.labs.archive(name)", words) in changes_of(compare(old, new))


def test_field_that_another_action_still_accepts_is_not_read_only() -> None:
    new = edited(lambda d: components(d)["PatchedLabDetail"]["properties"].pop("weight"))

    assert changes_of(compare(server(), new)) == [
        ("breaking", "client.labs.partial_update(weight=…)", f"removed: {SILENTLY}")
    ]
