"""The extensions of the documentation site."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx")
sys.path.append(str(Path(__file__).parents[1] / "docs" / "_ext"))

import inventories
import local_links
import search_words
import settings_page
import versions

URL = "https://example.org/docs"


def test_menu_has_this_version_and_the_newest_release_of_each_minor_version() -> None:
    entries = versions.switcher(["v1.0.0", "v1.0.2", "1.1.0", "v1.1.1", "v2.0.0rc1", "nightly"], "2.0.0rc1", URL)
    assert [entry["version"] for entry in entries] == ["2.0.0rc1", "1.1.1", "1.0.2"]
    assert entries[1] == {
        "name": "1.1.1 (stable)",
        "version": "1.1.1",
        "url": "https://example.org/docs/1.1.1/",
        "preferred": True,
    }


def test_release_is_once_in_its_own_menu() -> None:
    assert [entry["version"] for entry in versions.switcher(["v1.0.0", "v1.10.0", "v1.9.0"], "1.10.0", URL)] == [
        "1.10.0",
        "1.9.0",
        "1.0.0",
    ]


def test_folder_without_git_has_no_tags(tmp_path: Path) -> None:
    assert versions.tags(tmp_path) == []


def test_build_without_a_network_uses_the_inventories_that_are_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "python.inv").write_bytes(b"stored")
    projects = {"python": "http://127.0.0.1:9/python/", "httpx2": "http://127.0.0.1:9/httpx2/"}
    expected = {"python": (projects["python"], str(tmp_path / "python.inv"))}
    assert inventories.reachable(projects, tmp_path, offline=True) == expected
    assert inventories.reachable(projects, tmp_path, offline=False) == expected
    assert "httpx2" in capsys.readouterr().out


def test_guide_names_every_variable_of_the_reference() -> None:
    page = Path(__file__).parents[1] / "docs" / "guides" / "logging-in.md"
    variables = set(re.findall(r"ALYX_[A-Z_]+", settings_page.settings_page()))
    assert variables - set(re.findall(r"ALYX_[A-Z_]+", page.read_text(encoding="utf-8"))) == set()


def test_words_that_readers_search_for_lead_to_pages_that_exist() -> None:
    docs = Path(__file__).parents[1] / "docs"
    # The pages of the reference are generated, and the build checks those.
    written = [page for page in search_words.WORDS if not page.startswith("reference/endpoints/")]
    assert [page for page in written if not (docs / f"{page}.md").exists()] == []
    assert all(word == word.lower() for words in search_words.WORDS.values() for word in words.split())


def test_links_to_the_local_alyx_of_the_build_are_text() -> None:
    table = (
        '<td><a href="http://127.0.0.1:37131/sessions/e8">e8</a></td> <a class="x" href="http://127.0.0.1:1/a">a</a>'
    )
    assert local_links.without_local_links(table) == "<td>e8</td> a"
    others = '<a href="start/index.html">Start</a> <a href="https://example.org/127.0.0.1:8/">b</a>'
    assert local_links.without_local_links(others) == others


def test_scorer_can_be_declared_again_by_the_search() -> None:
    """With `const`, searchtools.js is a syntax error, and the search finds nothing."""
    scorer = Path(__file__).parents[1] / "docs" / "_ext" / "scorer.js"
    assert re.search(r"^var Scorer = \{$", scorer.read_text(encoding="utf-8"), re.MULTILINE)
