"""Puts builds of the documentation site beside each other, a folder for each version.

    make docs DOCS_URL=https://…
    python release/publish_docs.py add build/docs build/site --url https://…
    python release/publish_docs.py publish build/docs REMOTE --url https://…

``add`` puts a build into a folder, and ``publish`` into the branch ``gh-pages`` of a repository; what other versions
have there stays. Beside the folders of versions are ``switcher.json``, the menu of versions on all pages; ``stable``,
whose pages lead to those of the newest release; and ``404.html``, for addresses that do not exist.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path

BRANCH = "gh-pages"
DEV = "dev"
STABLE = "stable"
ATTEMPTS = 5
AUTHOR = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:(a|b|rc)(\d+))?")
# Read by programs, which do not follow a page that leads elsewhere.
_DATA = ("objects.inv", "llms.txt", "llms-full.txt")

Key = tuple[int, int, int, bool, str, int]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command."""
    parser = argparse.ArgumentParser(description="Put a build of the documentation beside those of other versions.")
    parser.add_argument("command", choices=("add", "publish"))
    parser.add_argument("build", type=Path, help="the folder with the build")
    parser.add_argument("target", help="the folder of the versions, or the repository")
    parser.add_argument("--url", required=True, help="the address of the folder of the versions (DOCS_URL)")
    options = parser.parse_args(arguments)
    if options.command == "add":
        version = add(options.build, Path(options.target), options.url)
    else:
        version = publish(options.build, options.target, options.url)
    print(f"The documentation of {version} is at {options.url.rstrip('/')}/{version}/")


def add(build: Path, site: Path, url: str) -> str:
    """Put a build into the folder of its version, in place of what was there, and return the version.

    Parameters
    ----------
    build
        The build, made with the same `url` as ``DOCS_URL``.
    site
        The folder of the versions, which is made if there is none.
    url
        The address of that folder.
    """
    version = version_of(build)
    address = f"{url.rstrip('/')}/{version}/"
    if f'<base href="{address}">' not in (build / "404.html").read_text(encoding="utf-8"):
        sys.exit(f"{build} was not built with DOCS_URL={url}: its pages would lead elsewhere.")
    folder = site / version
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(build, folder, ignore=shutil.ignore_patterns(".buildinfo", ".doctrees"))
    versions = sorted(path.name for path in site.iterdir() if path.is_dir() and _is_version(path.name))
    menu = switcher(versions, url)
    (site / "switcher.json").write_text(json.dumps(menu, indent=2) + "\n", encoding="utf-8", newline="\n")
    _lead_to_stable(site, stable(versions))
    (site / ".nojekyll").touch()  # or GitHub leaves out folders such as _static
    return version


def version_of(build: Path) -> str:
    """Return the version of a build, from its inventory; exit if it cannot be a folder's name."""
    lines = (build / "objects.inv").read_bytes().split(b"\n", 3)
    version = lines[2].decode().removeprefix("# Version: ").strip()
    if not _is_version(version):
        sys.exit(f"{build} is of {version!r}, which is neither a version nor {DEV!r}.")
    return version


def stable(versions: Sequence[str]) -> str:
    """Return the newest release; before the first one, the newest candidate, or else what there is."""
    known = sorted(filter(_VERSION.fullmatch, versions), key=_key)
    releases = [version for version in known if not _is_candidate(version)]
    return (releases or known or list(versions))[-1]


def switcher(versions: Sequence[str], url: str) -> list[dict[str, object]]:
    """Return the entries of the menu, for ``switcher.json``.

    They are the development version, the newest candidate if no release is newer, and the newest release of each minor
    version. The newest release is the preferred one, to which the pages of all others lead. Other versions are not in
    the menu, but their addresses stay.

    Parameters
    ----------
    versions
        The versions that have a folder.
    url
        The address of these folders.
    """
    known = sorted(filter(_VERSION.fullmatch, versions), key=_key, reverse=True)
    newest: dict[tuple[int, int], str] = {}
    for version in known:
        if not _is_candidate(version):
            newest.setdefault(_key(version)[:2], version)
    preferred = next(iter(newest.values()), None)
    names = {DEV: f"{DEV} (not released)"} if DEV in versions else {}
    if known and _is_candidate(known[0]):
        names[known[0]] = f"{known[0]} (candidate)"
    names |= {version: f"{version} (stable)" if version == preferred else version for version in newest.values()}
    return [
        {"name": name, "version": version, "url": f"{url.rstrip('/')}/{version}/"}
        | ({"preferred": True} if version == preferred else {})
        for version, name in names.items()
    ]


def publish(build: Path, remote: str, url: str) -> str:
    """Put a build into the branch of the site, and return its version.

    Parameters
    ----------
    build
        The build.
    remote
        The repository. Its branch is made if there is none.
    url
        The address at which the branch is served.
    """
    for _ in range(ATTEMPTS):
        with tempfile.TemporaryDirectory() as name:
            site = Path(name)
            _check_out(site, remote)
            version = add(build, site, url)
            _git(site, "add", "--all", "--force")
            if not _git(site, "status", "--porcelain"):
                return version
            _git(site, "commit", "--quiet", f"--message=Documentation of {version}")
            # Refused if another version was published meanwhile: the next attempt begins with it.
            if _git(site, "push", "--quiet", "origin", f"HEAD:refs/heads/{BRANCH}", check=False) is not None:
                return version
    sys.exit(f"The branch {BRANCH} could not be pushed.")


def _check_out(site: Path, remote: str) -> None:
    """Check out the newest commit of the branch, or start it."""
    _git(site, "init", "--quiet", f"--initial-branch={BRANCH}")
    _git(site, "remote", "add", "origin", remote)
    for name, value in zip(("user.name", "user.email"), AUTHOR, strict=True):
        _git(site, "config", name, value)
    if _git(site, "ls-remote", "--heads", "origin", f"refs/heads/{BRANCH}"):
        _git(site, "fetch", "--quiet", "--depth=1", "origin", f"refs/heads/{BRANCH}")
        _git(site, "reset", "--quiet", "--hard", "FETCH_HEAD")


def _git(folder: Path, *arguments: str, check: bool = True) -> str | None:
    """Return what git prints; None if it fails and that is not checked."""
    done = subprocess.run(["git", *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, check=check)
    return None if done.returncode else done.stdout


def _lead_to_stable(site: Path, version: str) -> None:
    """Make the pages that lead to those of a version: the start, and all below ``stable``."""
    folder = site / STABLE
    if folder.exists():
        shutil.rmtree(folder)
    for path in sorted((site / version).rglob("*.html")):
        page = path.relative_to(site / version)
        if page.parts[0] == "_static":  # parts of the theme
            continue
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        up = "../" * len(page.parts)
        (folder / page).write_text(_redirect(f"{up}{version}/{page.as_posix()}"), encoding="utf-8", newline="\n")
    for name in _DATA:
        if (site / version / name).exists():
            shutil.copy(site / version / name, folder / name)
    (site / "index.html").write_text(_redirect(f"{STABLE}/index.html"), encoding="utf-8", newline="\n")
    shutil.copy(site / version / "404.html", site / "404.html")


def _redirect(target: str) -> str:
    """Return a page that leads to another, with the place on it that its address names."""
    place = escape(target, quote=True)
    return f"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>alyx-client</title>
<link rel="canonical" href="{place}">
<script>location.replace("{place}" + location.search + location.hash)</script>
<meta http-equiv="refresh" content="0; url={place}">
<p>This page is at <a href="{place}">{place}</a>.</p>
</html>
"""


def _key(version: str) -> Key:
    """Return what versions are sorted by: candidates come before their release."""
    match = _VERSION.fullmatch(version)
    assert match is not None, version
    major, minor, patch, kind, number = match.groups()
    return int(major), int(minor), int(patch), kind is None, kind or "", int(number or 0)


def _is_version(name: str) -> bool:
    return name == DEV or _VERSION.fullmatch(name) is not None


def _is_candidate(version: str) -> bool:
    return not _key(version)[3]


if __name__ == "__main__":
    main()
