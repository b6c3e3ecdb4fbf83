"""The inventories of other projects' documentation, to which cross-references lead."""

from __future__ import annotations

from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

SECONDS = 5
HEAD = b"# Sphinx inventory version 2\n"


def reachable(projects: dict[str, str], folder: Path, *, offline: bool) -> dict[str, tuple[str, str]]:
    """Return Sphinx's mapping for the projects whose inventory is stored, or can be fetched within seconds.

    Sphinx itself warns about an inventory that cannot be fetched, which would fail a build without a network.
    """
    stored = {name: folder / f"{name}.inv" for name in projects}
    for name, file in stored.items():
        if file.exists() or offline:
            continue
        try:
            with urlopen(f"{projects[name]}objects.inv", timeout=SECONDS) as response:
                content = response.read()
        except HTTPError as error:
            print(f"No cross-references to {projects[name]}: HTTP {error.code}.")
            continue
        except OSError:
            print(f"No cross-references to {projects[name]}: it cannot be reached.")
            # The others would take as long.
            break
        if not content.startswith(HEAD):  # the page of a login portal
            print(f"No cross-references to {projects[name]}: what it sends is no inventory.")
            continue
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return {name: (projects[name], str(file)) for name, file in stored.items() if file.exists()}
