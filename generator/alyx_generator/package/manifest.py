"""A package's manifest: what it was generated from, so that it can be checked and generated again."""

from __future__ import annotations

import json
import keyword
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alyx_client.schema.openapi import as_list
from alyx_generator.render.text import MARK
from alyx_generator.source.fetch import SchemaSource, SourceKind, read_source

MANIFEST = "generated.toml"
"""The name of the file in a package's folder."""

_KINDS: tuple[SourceKind, ...] = ("server", "snapshot", "file")
# Packages that generated code imports, directly or indirectly.
_RESERVED = frozenset(
    {"alyx_client", "alyx_generator", "httpcore2", "httpx2", "pydantic", "platformdirs", "tqdm", "truststore"}
)
_WINDOWS = re.compile(r"con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)


class PackageNameError(ValueError):
    """A name that a package cannot have."""


class ManifestError(ValueError):
    """A package's manifest is missing or cannot be used."""


@dataclass(frozen=True)
class Manifest:
    """The origin of a package.

    Parameters
    ----------
    package
        Its name.
    source
        Where the schema comes from.
    overlays
        Files of corrections to apply after the shipped ones, in order.
    query_model
        The file of the server's query model; None takes the shipped one that fits best.
    version
        The version of alyx-client that generated it.
    fingerprint
        The fingerprint of the schema, by `alyx_client.schema.surface.fingerprint`.
    """

    package: str
    source: SchemaSource
    overlays: tuple[Path, ...] = ()
    version: str = ""
    fingerprint: str = ""
    query_model: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the package is generated from besides its source."""
        return (*self.overlays, *([self.query_model] if self.query_model else []))


def check_package_name(name: str) -> str:
    """Return a package's name if it is valid.

    Raises
    ------
    PackageNameError
        It is not an ASCII Python name, or it is reserved.
    """
    if not name.isascii() or not name.isidentifier():
        raise PackageNameError(f"{name!r} cannot be a package's name: take letters, digits and _, as in lab_alyx")
    if keyword.iskeyword(name) or _WINDOWS.fullmatch(name):
        raise PackageNameError(f"{name!r} cannot be a package's name: it is reserved by Python or by Windows")
    # The file systems of macOS and Windows ignore case.
    if name.lower() in _RESERVED or name.lower() in {module.lower() for module in sys.stdlib_module_names}:
        raise PackageNameError(f"{name!r} would hide a package of that name; take another, such as lab_{name.lower()}")
    return name


def write_manifest(manifest: Manifest, folder: Path) -> str:
    """Return the text of a package's manifest; the same on every machine.

    Parameters
    ----------
    manifest
        What the package is generated from.
    folder
        The package's folder. Files of the same project are recorded relative to it; others by their name only.
    """
    source = manifest.source
    where = _recorded(Path(source.where), folder) if source.kind == "file" else source.where
    overlays = [_recorded(path, folder) for path in manifest.overlays]
    lines = [
        f"# {MARK}alyx-generate client`; do not edit. `alyx-generate check` reads it.",
        f"package = {_toml(manifest.package)}",
        f"{source.kind} = {_toml(where)}",
        f"overlays = [{', '.join(map(_toml, overlays))}]",
        *([f"query_model = {_toml(_recorded(manifest.query_model, folder))}"] if manifest.query_model else []),
        f"version = {_toml(manifest.version)}",
        f"fingerprint = {_toml(manifest.fingerprint)}",
    ]
    return "\n".join(lines) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """Read a package's manifest.

    Parameters
    ----------
    folder
        The package's folder.

    Raises
    ------
    ManifestError
        The folder is not a generated package, or its manifest was edited.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise ManifestError(f"{folder} has no {MANIFEST}: it was not written by `alyx-generate client`")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ManifestError(f"{path} cannot be read: {error}") from None
    # The kind of the source is the key of its line.
    kinds: list[SourceKind] = [kind for kind in _KINDS if isinstance(table.get(kind), str)]
    overlays = _texts(table.get("overlays", []))
    if len(kinds) != 1 or overlays is None or not isinstance(table.get("package"), str):
        raise ManifestError(f"{path} cannot be read: it needs package, overlays, and one of {', '.join(_KINDS)}")
    source = SchemaSource(kinds[0], str(table[kinds[0]]))
    if source.kind == "file":
        source = SchemaSource("file", str(_located(source.where, folder)))
    query_model = table.get("query_model")
    return Manifest(
        str(table["package"]),
        source,
        tuple(_located(path, folder) for path in overlays),
        str(table.get("version", "")),
        str(table.get("fingerprint", "")),
        _located(query_model, folder) if isinstance(query_model, str) else None,
    )


def elsewhere(manifest: Manifest, folder: Path) -> list[Path]:
    """Return the files of a manifest that are outside the package's project, and so recorded by their name only."""
    files = [Path(manifest.source.where)] if manifest.source.kind == "file" else []
    return [path for path in (*files, *manifest.files) if _recorded(path, folder) == path.name]


def as_recorded(text: str, fresh: Manifest, folder: Path) -> str:
    """Return the text of a fresh manifest with the recorded source and overlays, where others were used this once.

    Parameters
    ----------
    text
        The manifest as it is in the package.
    fresh
        The manifest as it would be now.
    folder
        The package's folder.
    """
    table: Mapping[str, Any] = tomllib.loads(text)
    keys = (*(f"{kind} = " for kind in _KINDS), "overlays = ", "query_model = ")
    recorded = [line for line in text.splitlines() if line.startswith(keys)]
    lines = write_manifest(replace(fresh, package=str(table["package"])), folder).splitlines()
    return "\n".join([*lines[:2], *recorded, *lines[-2:]]) + "\n"


def regenerate_command(manifest: Manifest, folder: Path) -> str:
    """Return the command that generates a package again."""
    source = manifest.source.where
    parts = [
        "alyx-generate client",
        _quoted(source),
        f"--package {manifest.package}",
        f"--out {_quoted(str(folder.parent))}",
    ]
    parts += [f"--overlay {_quoted(str(path))}" for path in manifest.overlays]
    return " ".join(
        [*parts, *([f"--query-model {_quoted(str(manifest.query_model))}"] if manifest.query_model else [])]
    )


def check_files_exist(manifest: Manifest) -> None:
    """Check that the files and the source that a manifest names exist.

    Raises
    ------
    ManifestError
        A file does not exist.
    """
    for path, option in [
        *([(Path(manifest.source.where), "--source")] if manifest.source.kind == "file" else []),
        *((path, "--overlay") for path in manifest.overlays),
        *([(manifest.query_model, "--query-model")] if manifest.query_model else []),
    ]:
        if not path.is_file():
            raise ManifestError(
                f"{path}, from which {manifest.package} was generated, does not exist; name a file with {option}"
            )
    if manifest.source.kind != "file":
        read_source(manifest.source.where)


def _recorded(path: Path, folder: Path) -> str:
    """Return a file's path relative to a package's folder; its name only, if it is outside the package's project."""
    path, folder = path.resolve(), folder.resolve()
    marks = (".git", "pyproject.toml")
    root = next((parent for parent in folder.parents if any((parent / mark).exists() for mark in marks)), Path.cwd())
    if path.is_relative_to(root) and folder.is_relative_to(root):
        return Path(os.path.relpath(path, folder)).as_posix()
    return path.name


def _located(recorded: str, folder: Path) -> Path:
    return Path(os.path.relpath(folder.resolve() / recorded))


def _texts(value: Any) -> list[str] | None:
    texts = [item for item in as_list(value) if isinstance(item, str)]
    return texts if isinstance(value, list) and texts == value else None


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _quoted(text: str) -> str:
    return f'"{text}"' if re.search(r"[^\w./:\\@%~+-]", text) else text
