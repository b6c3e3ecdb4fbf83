"""The record of versions: since when Alyx has what, and what it no longer has."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from alyx_generator.cli.app import main
from alyx_generator.package.history import NoHistoryError, history_file, record_schema, with_shipped
from alyx_generator.package.reference import package_reference
from alyx_generator.render.reference.context import Client
from alyx_generator.render.reference.history import about_versions, in_words, removed_rows, since
from alyx_generator.source.history import (
    History,
    Part,
    Record,
    UnreadableHistoryError,
    history_text,
    is_version,
    read_history,
)
from alyx_generator.source.overlay import read_overlay
from alyx_generator.source.paths import SHIPPED, query_models, snapshots

from .inline import resource

NEWEST = SHIPPED.removeprefix("alyx-")
PARTS = {
    "1.9.0": {("a",), ("a", "filter", "old"), ("a", "filter", "back")},
    "1.10.0": {("a",), ("a", "filter", "old"), ("a", "field", "b.c")},
    "2.0.0": {("a",), ("a", "field", "b.c"), ("a", "filter", "back"), ("d",)},
}
SINCE = [
    (("a",), "≤\u00a01.9.0", "1.9.0 or earlier"),
    (("a", "filter", "old"), "≤\u00a01.9.0, removed in 2.0.0", "1.9.0 or earlier, removed in 2.0.0"),
    (("a", "filter", "back"), "2.0.0", "2.0.0"),
    (("a", "field", "b.c"), "1.10.0", "1.10.0"),
    (("d",), "2.0.0", "2.0.0"),
    (("e",), "", ""),
]


def recorded(*versions: str) -> History:
    history = History()
    for version in versions:
        history = history.with_version(version, PARTS[version])
    return history


@pytest.fixture(scope="module")
def shipped() -> Record:
    return read_history(history_file())


@pytest.mark.parametrize(("part", "cell", "words"), SINCE)
def test_cell_tells_the_first_version_and_the_one_that_removed_it(part: Part, cell: str, words: str) -> None:
    assert since(recorded(*PARTS), part) == cell
    assert in_words(recorded(*PARTS), part) == words


def test_versions_may_be_recorded_in_any_order() -> None:
    texts = {history_text(Record(recorded(*order))) for order in permutations(PARTS)}
    assert len(texts) == 1
    assert '"a filter back": "1.9.0..1.9.0 2.0.0"' in texts.pop()


def test_what_is_removed_is_listed_unless_the_server_has_it() -> None:
    old: Part = ("a", "filter", "old")
    assert list(removed_rows(recorded(*PARTS), set())) == [(old, "≤\u00a01.9.0", "2.0.0")]
    assert list(removed_rows(recorded(*PARTS), {old})) == []


def test_description_of_a_recorded_version_may_change() -> None:
    """A part that it gains may be in older versions, and one that it loses was not removed."""
    history = recorded(*PARTS).with_version("2.0.0", PARTS["2.0.0"] - {("d",)} | {("e",), ("a", "filter", "old")})
    assert since(history, ("e",)) == since(history, ("a", "filter", "old")) == ""
    assert ("d",) not in history.parts
    assert since(history, ("a", "field", "b.c")) == "1.10.0"
    text = history_text(Record(history))
    assert '"e": "?"' in text
    later = history.with_version("3.0.0", history.parts)
    assert since(later, ("e",)) == later.removed(("e",)) == ""
    assert '"a filter back": "1.9.0..1.9.0 2.0.0"' in history_text(Record(later))


def test_nothing_is_said_without_a_record(tmp_path: Path) -> None:
    record = read_history(tmp_path / "missing.json")
    assert record == Record()
    assert about_versions(record.endpoints) == since(record.endpoints, ("a",)) == ""
    assert list(removed_rows(record.endpoints, set())) == []


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"endpoints": {"versions": [], "parts": {"a": "1.0"}}, "models": {}}']
)
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    file.write_text(text)
    with pytest.raises(UnreadableHistoryError, match=r"history\.json is not a record of versions"):
        read_history(file)


@pytest.mark.parametrize(("text", "is_one"), [("3.7.0", True), ("4", True), ("4.0.0rc1", False), ("", False)])
def test_versions_are_numbers(text: str, is_one: bool) -> None:
    assert is_version(text) is is_one


def test_shipped_record_is_sorted_and_has_every_snapshot(shipped: Record) -> None:
    assert history_text(shipped) == history_file().read_text(encoding="utf-8")
    assert set(shipped.endpoints.versions) >= snapshots().keys() - {"shipped"}
    assert set(shipped.models.versions) >= query_models().keys()
    assert with_shipped(shipped) == shipped


def test_shipped_record_knows_everything(shipped: Record) -> None:
    """A part of the newest snapshot that is not known to older versions, nor known to be new, has none."""
    for history in (shipped.endpoints, shipped.models):
        assert [part for part, having in history.parts.items() if not having] == []


def test_snapshot_that_is_newer_than_the_record_is_noticed(shipped: Record) -> None:
    """`check` and `client` make the file so."""
    older = History(shipped.endpoints.versions[:-1], shipped.endpoints.parts)
    older = replace(older, parts={part: having - {NEWEST} for part, having in older.parts.items()})
    assert with_shipped(replace(shipped, endpoints=older)) == shipped


def test_corrections_remove_what_a_version_lacks(tmp_path: Path) -> None:
    overlay = tmp_path / "lacks.overlay.yaml"
    overlay.write_text(
        "overlay: 1.0.0\ninfo: {title: Alyx 9, version: 1.0.0}\nactions:\n"
        "  - {target: $.components.schemas.RegisterFile.properties.exists, description: None, remove: true}\n"
    )
    record = record_schema(Record(), "9.0", snapshot(NEWEST), read_overlay(overlay))
    assert since(record.endpoints, ("register_file", "field", "hashes")) == "≤\u00a09.0"
    assert since(record.endpoints, ("register_file", "field", "exists")) == ""


@pytest.mark.parametrize("document", ["coreapi", "other"])
def test_what_is_no_schema_of_alyx_is_not_recorded(document: str) -> None:
    legacy = Path(__file__).with_name("alyx-legacy.coreapi.json")
    content = json.loads(legacy.read_bytes()) if document == "coreapi" else resource({"name": {"type": "string"}})
    with pytest.raises(NoHistoryError):
        record_schema(Record(), "9.0", content)


@pytest.mark.parametrize(("arguments", "code"), [((NEWEST, "newest"), 2), (("legacy", "1.0.0"), 3)])
def test_command_refuses_without_writing(arguments: tuple[str, str], code: int) -> None:
    before = history_file().read_bytes()
    legacy = str(Path(__file__).with_name("alyx-legacy.coreapi.json"))
    assert main(["history", legacy if arguments[0] == "legacy" else arguments[0], arguments[1]]) == code
    assert history_file().read_bytes() == before


def test_reference_of_an_older_server_tells_what_newer_ones_removed() -> None:
    files = package_reference(snapshot("3.3.1"), (), Client("lab_alyx")).files
    page = files["endpoints/subjects.md"]
    (row,) = [line for line in page.splitlines() if line.startswith("| `reduced` |")]
    assert row.endswith("| ≤\u00a01.0.0, removed in 3.4.0 |")
    # What this server lacks, too, is listed apart.
    assert "| filter | `implant_weight` | ≤\u00a01.0.0 | 3.0.0 |" in page.partition("## Removed")[2]
    assert "`reduced`" not in page.partition("## Removed")[2]
    assert "| `Subject` | `implant_weight` | ≤\u00a01.0.0 | 3.0.0 |" in files["query-model.md"]


def test_reference_of_another_server_says_nothing_of_alyx() -> None:
    schema = json.dumps(resource({"name": {"type": "string"}})).replace("/things", "/tags")
    page = package_reference(json.loads(schema), (), Client("lab_alyx")).files["endpoints/tags.md"]
    assert "in Alyx since" not in page
    assert "1.0.0" not in page


def snapshot(version: str) -> Any:
    return json.loads(snapshots()[version].read_bytes())
