"""Paths of templates and schemas: at a checkout's root, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

SHIPPED = "alyx-3.6.1"
"""The snapshot that the shipped client is generated from."""

QUERY_MODEL = ".query.json"
"""The end of the names of query models' files."""

HISTORY = "history.json"
"""The name of the file that records which versions of Alyx have what."""


def data_folder(name: str) -> Path:
    """Return the path of the folder ``templates`` or ``schemas``.

    Parameters
    ----------
    name
        ``"templates"`` or ``"schemas"``.
    """
    # The wheel includes both folders in the package; an editable install finds them beside it.
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parents[1] / name


def checkout() -> Path | None:
    """Return the root of the checkout that this package runs from; None when it is installed."""
    root = _PACKAGE.parents[1]
    return root if (root / "pyproject.toml").is_file() and (root / "templates").is_dir() else None


def snapshots() -> dict[str, Path]:
    """Return the shipped snapshots by their names on the command line: a version, or ``shipped``."""
    files = {
        path.stem.removeprefix("alyx-"): path
        for path in sorted(data_folder("schemas").glob("alyx-*.json"))
        if not path.name.endswith(QUERY_MODEL)
    }
    return {**files, "shipped": data_folder("schemas") / f"{SHIPPED}.json"}


def query_models() -> dict[str, Path]:
    """Return the shipped query models by the versions of Alyx."""
    files = sorted(data_folder("schemas").glob(f"alyx-*{QUERY_MODEL}"))
    return {path.name.removeprefix("alyx-").removesuffix(QUERY_MODEL): path for path in files}
