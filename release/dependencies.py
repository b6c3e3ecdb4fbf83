"""Writes DEPENDENCIES.md: all dependencies, their licences, and when the version that is used was released.

    python release/dependencies.py uv.lock licences.json > DEPENDENCIES.md

``uv.lock`` has the newest versions within the bounds of pyproject.toml, and when they were uploaded; ``licences.json``
is what ``pip-licenses`` prints of an environment with all extras. A licence that is not known to be compatible is an
error.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

# Licences under which a dependency can be used by a package under the MIT licence.
PERMISSIVE = ("0BSD", "APACHE", "BSD", "CC0-1.0", "CNRI-PYTHON", "ISC", "MIT", "PSF", "ZLIB")
# Copyleft for changes to their own files alone, which are installed beside this package and not changed.
WEAK_COPYLEFT = ("MPL", "MOZILLA PUBLIC LICENSE")
# They are installed on other systems and Pythons than those that the table is made with; from their metadata.
ELSEWHERE = {"colorama": "BSD-3-Clause", "pywin32-ctypes": "BSD-3-Clause", "pyyaml-ft": "MIT"}
OLD = 2 * 365  # days, after which a package has to be looked at
# Packages that were released longer ago than that, why they are needed, and why that is no concern.
LOOKED_AT = {
    "backports-tarfile": "a copy of Python 3.12's tarfile for Python 3.11; nothing to change",
    "colorama": "colours on old Windows terminals, for tqdm and click; complete, and without dependencies",
    "iregexp-check": "checks the syntax of RFC 9485, which does not change",
    "jaraco-classes": "a few lines of a maintained family of packages, for keyring",
    "locket": "locks of files, for partd; part of Dask's stack and tested with it",
    "mdurl": "addresses in Markdown, for Rich; complete, maintained with markdown-it-py",
    "partd": "part of Dask, and released by its maintainers",
    "pywin32-ctypes": "credentials of Windows, for keyring; maintained by Enthought",
    "shellingham": "the name of the shell, for Typer's completion; complete",
    "socksio": "the SOCKS protocol without input or output, for httpx2; the protocol does not change",
    "sortedcontainers": "complete, in pure Python, and tested by Dask's own tests",
    "zict": "part of Dask, and released by its maintainers",
}
HEAD = """# Dependencies

Written by `make licences` from the newest versions within the bounds of `pyproject.toml`; do not edit. *Released* is
when that version was uploaded. All licences are compatible with this package's, MIT: they are permissive, or ask
something only of those who change the files of the dependency itself (MPL-2.0). Nothing of a dependency is copied into
this package.
"""


def main(lock: Path, licences: Path) -> None:
    """Print the page."""
    packages: dict[str, dict[str, Any]] = {}
    for package in tomllib.loads(lock.read_text(encoding="utf-8"))["package"]:
        # There are several versions of a package if the newest does not support all Pythons.
        other = packages.get(package["name"])
        if other is None or _released(other) < _released(package):
            packages[package["name"]] = package
    names = {_normal(row["Name"]): row["License"] for row in json.loads(licences.read_text(encoding="utf-8"))}
    names = ELSEWHERE | names
    needed = _needed(packages)
    print(HEAD)
    print("| package | version | released | licence | needed by |")
    print("|---|---|---|---|---|")
    for name in sorted(needed):
        package = packages[name]
        licence = names.get(name) or sys.exit(f"No licence is known of {name}.")
        _check(name, licence)
        link = f"[{name}](https://pypi.org/project/{name}/)"
        print(f"| {link} | {package['version']} | {_released(package)} | {licence} | {', '.join(needed[name])} |")
    print(*_old(packages, needed), sep="\n")


def _needed(packages: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Return the dependencies, each with the extras that bring it."""
    own = packages["alyx-client"]
    roots = {"the client": own["dependencies"], **own["optional-dependencies"]}
    roots.pop("all", None)
    needed: dict[str, list[str]] = {}
    for extra, requirements in roots.items():
        for name in _closure(packages, requirements):
            if needed.get(name) != ["the client"]:  # every extra has these, too
                needed.setdefault(name, []).append(extra)
    return needed


def _closure(packages: dict[str, dict[str, Any]], requirements: list[dict[str, Any]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        name = requirement["name"]
        package = packages[name]
        for extra in requirement.get("extra", ()):
            waiting += package.get("optional-dependencies", {}).get(extra, ())
        if name not in reached:
            reached.add(name)
            waiting += package.get("dependencies", ())
    return reached


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _check(name: str, licence: str) -> None:
    """Exit unless the licence is compatible: of alternatives one, of several all."""
    for every in re.split(r"; | AND ", licence):
        choices = re.split(r" OR ", every.strip("()"))
        if not any(choice.strip("( )").upper().startswith((*PERMISSIVE, *WEAK_COPYLEFT)) for choice in choices):
            sys.exit(f"{name} is under {licence}, which is not known to be compatible.")


def _released(package: dict[str, Any]) -> str:
    if "registry" not in package["source"]:
        return ""
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
    return min(file["upload-time"] for file in files)[:10]


def _old(packages: dict[str, dict[str, Any]], needed: dict[str, list[str]]) -> Iterator[str]:
    """Yield what was found of packages that were released long ago; exit if one was not looked at."""
    limit = (date.today() - timedelta(days=OLD)).isoformat()
    yield "\n## Released more than two years ago\n"
    for name in sorted(name for name in needed if _released(packages[name]) < limit):
        yield f"- {name}: {LOOKED_AT.get(name) or sys.exit(f'{name} was released long ago; look at it (LOOKED_AT).')}."


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
