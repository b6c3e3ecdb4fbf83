"""Locate the schema snapshots that are shipped with the package."""

from __future__ import annotations

from pathlib import Path

DEFAULT_SNAPSHOT = "alyx-3.6.1"


def snapshot(name: str = DEFAULT_SNAPSHOT, *, corrected: bool = False) -> Path | None:
    """Find a shipped schema snapshot.

    Parameters
    ----------
    name
        File name without its suffix, such as ``"alyx-3.6.1"``.
    corrected
        Find the document with the corrections applied.

    Returns
    -------
    Path or None
        None if there is no such file.
    """
    package = Path(__file__).resolve().parents[2]
    # A checkout has the snapshots in `schemas` at its root, a wheel has them inside the generator's package.
    for folder in (package.parent / "schemas", package.parent / "alyx_generator" / "schemas"):
        path = (folder / "corrected" if corrected else folder) / f"{name}.json"
        if path.is_file():
            return path
    return None
