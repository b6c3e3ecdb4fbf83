"""The list of versions that the site's menu offers, made from the tags of the repository."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

_RELEASE = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        content = switcher(tags(Path(app.srcdir).parent), app.config.version, app.config.docs_url)
        Path(app.outdir, "switcher.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def tags(repository: Path) -> list[str]:
    """Return the names of the repository's tags; none outside a checkout."""
    git = shutil.which("git")
    if git is None:
        return []
    listing = subprocess.run([git, "tag"], cwd=repository, capture_output=True, text=True, check=False)
    return listing.stdout.split()


def switcher(names: list[str], version: str, docs_url: str) -> list[dict[str, object]]:
    """Return the entries of the menu: this version, and the newest release of each minor version, newest first.

    Parameters
    ----------
    names
        The tags; those that are no releases are left out.
    version
        The version of this build.
    docs_url
        The address below which each version has a folder, without a slash at the end.
    """
    newest: dict[tuple[int, int], tuple[int, int, int]] = {}
    for name in names:
        if match := _RELEASE.fullmatch(name):
            major, minor, patch = map(int, match.groups())
            newest[major, minor] = max(newest.get((major, minor), (0, 0, 0)), (major, minor, patch))
    releases = [".".join(map(str, release)) for release in sorted(newest.values(), reverse=True)]
    stable = releases[0] if releases else None
    entries = [_entry(release, docs_url, stable) for release in releases]
    return entries if version in releases else [_entry(version, docs_url, stable), *entries]


def _entry(version: str, docs_url: str, stable: str | None) -> dict[str, object]:
    name = f"{version} (stable)" if version == stable else version
    entry: dict[str, object] = {"name": name, "version": version, "url": f"{docs_url}/{version}/"}
    return entry | {"preferred": True} if version == stable else entry
