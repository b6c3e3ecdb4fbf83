"""Builds of the site beside each other: the menu of versions, the pages that lead to the newest, the branch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "release"))

import publish_docs

URL = "https://example.org/docs"


def build(folder: Path, version: str, *pages: str) -> Path:
    """Return a folder with what a build of a version has."""
    shutil.rmtree(folder, ignore_errors=True)
    for page in ("index.html", "404.html", *pages):
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        (folder / page).write_text(f"{page} of {version}", encoding="utf-8")
    (folder / "404.html").write_text(f'<base href="{URL}/{version}/">', encoding="utf-8")
    (folder / "objects.inv").write_bytes(
        b"# Sphinx inventory version 2\n# Project: p\n# Version: %s\n" % version.encode()
    )
    return folder


def menu(site: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((site / "switcher.json").read_text(encoding="utf-8"))
    return entries


def target(page: Path) -> Path:
    """Return the page to which one leads."""
    text = page.read_text(encoding="utf-8")
    return (page.parent / text.partition("url=")[2].partition('"')[0]).resolve()


def test_menu_has_the_newest_release_of_each_minor_version_newest_first() -> None:
    entries = publish_docs.switcher(["1.0.0", "1.0.2", "1.9.0", "1.10.0", "1.10.1", "stable"], f"{URL}/")
    assert [entry["version"] for entry in entries] == ["1.10.1", "1.9.0", "1.0.2"]
    assert entries[0] == {
        "name": "1.10.1 (stable)",
        "version": "1.10.1",
        "url": "https://example.org/docs/1.10.1/",
        "preferred": True,
    }
    assert not any("preferred" in entry for entry in entries[1:])


@pytest.mark.parametrize(
    ("versions", "shown", "stable"),
    [
        (["1.0.0rc1", "1.0.0rc2"], ["1.0.0rc2"], "1.0.0rc2"),
        (["1.0.0rc1", "1.0.0rc10", "1.0.0rc9", "dev"], ["dev", "1.0.0rc10"], "1.0.0rc10"),
        (["dev"], ["dev"], "dev"),
        (["1.0.0", "1.0.0rc1"], ["1.0.0"], "1.0.0"),
        (["1.0.0", "1.1.0rc1", "1.1.0b2", "dev"], ["dev", "1.1.0rc1", "1.0.0"], "1.0.0"),
        (["1.0.0", "1.1.0rc1", "1.1.0"], ["1.1.0", "1.0.0"], "1.1.0"),
        (["1.0.1", "1.1.0", "1.0.2rc1"], ["1.1.0", "1.0.1"], "1.1.0"),
    ],
)
def test_candidate_is_in_the_menu_until_a_release_is_newer(versions: list[str], shown: list[str], stable: str) -> None:
    entries = publish_docs.switcher(versions, URL)
    assert [entry["version"] for entry in entries] == shown
    assert publish_docs.stable(versions) == stable
    # Without a release, no page has a banner that another version is better.
    preferred = [entry["version"] for entry in entries if entry.get("preferred")]
    assert preferred == ([stable] if stable in ("1.0.0", "1.1.0") else [])


def test_versions_are_put_beside_each_other(tmp_path: Path) -> None:
    site, folder = tmp_path / "site", tmp_path / "build"
    (site / "CNAME").parent.mkdir()
    (site / "CNAME").write_text("docs.example.org")
    publish_docs.add(build(folder, "1.0.0", "guides/files.html", "guides/old.html"), site, URL)
    publish_docs.add(build(folder, "1.1.0", "guides/files.html", "_static/part.html"), site, URL)
    assert publish_docs.add(build(folder, "1.2.0rc1", "guides/files.html"), site, URL) == "1.2.0rc1"
    assert [entry["version"] for entry in menu(site)] == ["1.2.0rc1", "1.1.0", "1.0.0"]
    for version in ("1.0.0", "1.1.0", "1.2.0rc1"):
        assert (site / version / "guides" / "files.html").read_text() == f"guides/files.html of {version}"
    assert target(site / "index.html") == (site / "stable" / "index.html").resolve()
    assert target(site / "stable" / "guides" / "files.html") == (site / "1.1.0" / "guides" / "files.html").resolve()
    assert not (site / "stable" / "guides" / "old.html").exists()
    assert not (site / "stable" / "_static").exists()
    assert (site / "stable" / "objects.inv").read_bytes() == (site / "1.1.0" / "objects.inv").read_bytes()
    assert (site / "404.html").read_text() == f'<base href="{URL}/1.1.0/">'
    assert (site / ".nojekyll").exists()
    assert (site / "CNAME").read_text() == "docs.example.org"


def test_version_that_is_built_again_replaces_what_was_there(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish_docs.add(build(tmp_path / "build", "dev", "old.html"), site, URL)
    publish_docs.main(["add", str(build(tmp_path / "build", "dev", "new.html")), str(site), "--url", URL])
    assert sorted(path.name for path in (site / "dev").iterdir()) == [
        "404.html",
        "index.html",
        "new.html",
        "objects.inv",
    ]
    assert not (site / "stable" / "old.html").exists()


@pytest.mark.parametrize("version", ["", "../elsewhere", "1.0", "stable", "1.0.0.dev1"])
def test_build_of_no_version_is_refused(version: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="neither a version"):
        publish_docs.add(build(tmp_path / "build", version), tmp_path / "site", URL)
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("url", ["https://example.org/other", "https://example.org"])
def test_build_for_another_address_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="not built with DOCS_URL"):
        publish_docs.add(build(tmp_path / "build", "1.0.0"), tmp_path / "site", url)
    assert not (tmp_path / "site").exists()


def git(*arguments: str, folder: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_branch_keeps_the_versions_that_others_publish_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("git") is None:
        pytest.skip("requires git")
    # Settings of whoever runs the tests, such as signing, would take part.
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    remote = tmp_path / "remote.git"
    git("init", "--quiet", "--bare", str(remote), folder=tmp_path)
    first = build(tmp_path / "first", "1.0.0", "_static/a.html")
    second = build(tmp_path / "second", "1.1.0")
    publish_docs.publish(first, remote.as_uri(), URL)
    publish_docs.publish(first, remote.as_uri(), URL)
    log = ("log", "--format=%s", publish_docs.BRANCH)
    assert git(*log, folder=remote).splitlines() == ["Documentation of 1.0.0"]

    add, others = publish_docs.add, [second]

    def slow_add(build: Path, site: Path, url: str) -> str:
        if others:
            publish_docs.publish(others.pop(), remote.as_uri(), URL)
        return add(build, site, url)

    monkeypatch.setattr(publish_docs, "add", slow_add)
    publish_docs.publish(build(tmp_path / "third", "dev"), remote.as_uri(), URL)
    assert git(*log, folder=remote).splitlines() == [f"Documentation of {name}" for name in ("dev", "1.1.0", "1.0.0")]
    files = git("ls-tree", "-r", "--name-only", publish_docs.BRANCH, folder=remote).split()
    assert {"1.0.0/_static/a.html", "1.1.0/index.html", "dev/index.html", "stable/index.html", ".nojekyll"} <= set(
        files
    )
    assert "stable/_static/a.html" not in files
    shown = json.loads(git("show", f"{publish_docs.BRANCH}:switcher.json", folder=remote))
    assert [entry["version"] for entry in shown] == ["dev", "1.1.0", "1.0.0"]
