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

from tests.faults import FaultServer, response


def test_build_without_a_network_uses_the_inventories_that_are_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "python.inv").write_bytes(b"stored")
    projects = {"python": "http://127.0.0.1:9/python/", "httpx2": "http://127.0.0.1:9/httpx2/"}
    expected = {"python": (projects["python"], str(tmp_path / "python.inv"))}
    assert inventories.reachable(projects, tmp_path, offline=True) == expected
    assert inventories.reachable(projects, tmp_path, offline=False) == expected
    assert "httpx2" in capsys.readouterr().out


def test_project_without_an_inventory_does_not_cost_the_others_theirs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = inventories.HEAD + b"# Project: last\n"
    script = [response(status=404), response(b"<html>"), response(content)]
    with FaultServer(script) as server:
        projects = {name: f"{server.url}/{name}/" for name in ("absent", "portal", "last")}
        assert list(inventories.reachable(projects, tmp_path, offline=False)) == ["last"]
    assert (tmp_path / "last.inv").read_bytes() == content
    assert "absent/: HTTP 404" in (printed := capsys.readouterr().out)
    assert "portal/: what it sends is no inventory" in printed


def test_guide_names_every_variable_of_the_reference() -> None:
    page = Path(__file__).parents[1] / "docs" / "guides" / "logging-in.md"
    variables = set(re.findall(r"ALYX_[A-Z_]+", settings_page.settings_page()))
    assert variables - set(re.findall(r"ALYX_[A-Z_]+", page.read_text(encoding="utf-8"))) == set()


def test_words_that_readers_search_for_lead_to_pages_that_exist() -> None:
    docs = Path(__file__).parents[1] / "docs"
    # The pages of the reference are generated, and the build checks those.
    written = [page for page in search_words.WORDS if not page.startswith("reference/endpoints/")]
    assert [page for page in written if not (docs / f"{page}.md").exists()] == []
    words = [word for page in search_words.WORDS for word in search_words.words_of(page)]
    assert all(word == word.lower().strip() for word in words)
    assert len(set(words)) == len(words)


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
