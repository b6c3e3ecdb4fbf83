"""What a package was generated from, kept in the package itself so that it can be checked and generated anew."""

from __future__ import annotations

import json
import keyword
import os
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from alyx_generator.render.text import MARK
from alyx_generator.source.fetch import Kind, Source, read_source

RECIPE = "generated.toml"
"""The file's name, in a package's folder."""

_KINDS: tuple[Kind, ...] = ("server", "snapshot", "file")
_RESERVED = frozenset({"alyx_client", "alyx_generator", "httpx", "pydantic", "platformdirs", "tqdm", "truststore"})
_WINDOWS = re.compile(r"con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)


class PackageNameError(ValueError):
    """A name that no package can have."""


class RecipeError(ValueError):
    """A package does not say, or not so that it can be used, what it was generated from."""


@dataclass(frozen=True)
class Recipe:
    """What a package is generated from.

    Parameters
    ----------
    package
        Its name.
    source
        Where the schema comes from.
    overlays
        Files of corrections besides the shipped ones, in the order in which they are applied.
    version
        The version of alyx-client that generated it.
    fingerprint
        The fingerprint of the schema, by `alyx_client.schema.surface.fingerprint`.
    """

    package: str
    source: Source
    overlays: tuple[Path, ...] = ()
    version: str = ""
    fingerprint: str = ""


def check_package_name(name: str) -> str:
    """Return the name if a package can have it.

    Raises
    ------
    PackageNameError
        It is no plain Python name, or the name of something else.
    """
    if not name.isascii() or not name.isidentifier():
        raise PackageNameError(f"{name!r} cannot be a package's name: take letters, digits and _, as in lab_alyx")
    if keyword.iskeyword(name) or _WINDOWS.fullmatch(name):
        raise PackageNameError(f"{name!r} cannot be a package's name: it is reserved by Python or by Windows")
    # On macOS and Windows, names that differ in capitals alone are one folder.
    if name.lower() in _RESERVED or name.lower() in {each.lower() for each in sys.stdlib_module_names}:
        raise PackageNameError(f"{name!r} would hide a package of that name; take another, such as lab_{name.lower()}")
    return name


def write_recipe(recipe: Recipe, folder: Path) -> str:
    """Return the text of a package's recipe; the same on every machine.

    Parameters
    ----------
    recipe
        What the package is generated from.
    folder
        The package's folder. Files of the same project are named relative to it; others by their name alone.
    """
    source = recipe.source
    where = _shown(Path(source.where), folder) if source.kind == "file" else source.where
    overlays = [_shown(path, folder) for path in recipe.overlays]
    lines = [
        f"# {MARK}alyx-generate client`; do not edit. `alyx-generate check` reads it.",
        f"package = {_toml(recipe.package)}",
        f"{source.kind} = {_toml(where)}",
        f"overlays = [{', '.join(map(_toml, overlays))}]",
        f"version = {_toml(recipe.version)}",
        f"fingerprint = {_toml(recipe.fingerprint)}",
    ]
    return "\n".join(lines) + "\n"


def read_recipe(folder: Path) -> Recipe:
    """Read what a package was generated from.

    Parameters
    ----------
    folder
        The package's folder.

    Raises
    ------
    RecipeError
        It is no generated package, or its recipe was changed by hand.
    """
    path = folder / RECIPE
    if not path.is_file():
        raise RecipeError(f"{folder} has no {RECIPE}: it is no package that `alyx-generate client` wrote")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecipeError(f"{path} cannot be read: {error}") from None
    kinds: list[Kind] = [kind for kind in _KINDS if isinstance(table.get(kind), str)]
    overlays = _texts(table.get("overlays", []))
    if len(kinds) != 1 or overlays is None or not isinstance(table.get("package"), str):
        raise RecipeError(f"{path} cannot be read: it needs package, overlays, and one of {', '.join(_KINDS)}")
    source = Source(kinds[0], str(table[kinds[0]]))
    if source.kind == "file":
        source = Source("file", str(_found(source.where, folder)))
    return Recipe(
        str(table["package"]),
        source,
        tuple(_found(each, folder) for each in overlays),
        str(table.get("version", "")),
        str(table.get("fingerprint", "")),
    )


def elsewhere(recipe: Recipe, folder: Path) -> list[Path]:
    """Return the files of a recipe that a package cannot find again: those outside its project."""
    files = [Path(recipe.source.where)] if recipe.source.kind == "file" else []
    return [path for path in (*files, *recipe.overlays) if _shown(path, folder) == path.name]


def as_recorded(text: str, fresh: Recipe, folder: Path) -> str:
    """Return a recipe's text with the places that stand in the package, where others were given for this once.

    Parameters
    ----------
    text
        The recipe as it stands in the package.
    fresh
        What it would be now.
    folder
        The package's folder.
    """
    table: Mapping[str, Any] = tomllib.loads(text)
    kept = [line for line in text.splitlines() if line.startswith((*(f"{kind} = " for kind in _KINDS), "overlays = "))]
    lines = write_recipe(replace(fresh, package=str(table["package"])), folder).splitlines()
    return "\n".join([*lines[:2], *kept, *lines[4:]]) + "\n"


def command(recipe: Recipe, folder: Path) -> str:
    """Return the command that generates a package anew."""
    source = recipe.source.where
    parts = [
        "alyx-generate client",
        _quoted(source),
        f"--package {recipe.package}",
        f"--out {_quoted(str(folder.parent))}",
    ]
    return " ".join([*parts, *(f"--overlay {_quoted(str(path))}" for path in recipe.overlays)])


def checked(recipe: Recipe) -> Recipe:
    """Return the recipe if what it names is there.

    Raises
    ------
    RecipeError
        A file is not.
    """
    for path, option in [
        *([(Path(recipe.source.where), "--source")] if recipe.source.kind == "file" else []),
        *((path, "--overlay") for path in recipe.overlays),
    ]:
        if not path.is_file():
            raise RecipeError(
                f"{path}, from which {recipe.package} was generated, is not there; name a file by {option}"
            )
    if recipe.source.kind != "file":
        read_source(recipe.source.where)
    return recipe


def _shown(path: Path, folder: Path) -> str:
    """Return a file's path relative to a package's folder; its name alone where it is not of the same project."""
    path, folder = path.resolve(), folder.resolve()
    marks = (".git", "pyproject.toml")
    root = next((each for each in folder.parents if any((each / mark).exists() for mark in marks)), Path.cwd())
    if path.is_relative_to(root) and folder.is_relative_to(root):
        return Path(os.path.relpath(path, folder)).as_posix()
    return path.name


def _found(recorded: str, folder: Path) -> Path:
    return Path(os.path.relpath(folder.resolve() / recorded))


def _texts(value: Any) -> list[str] | None:
    if not isinstance(value, list):
        return None
    items = cast("Sequence[Any]", value)
    return [str(each) for each in items] if all(isinstance(each, str) for each in items) else None


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _quoted(text: str) -> str:
    return f'"{text}"' if re.search(r"[^\w./:\\@%~+-]", text) else text
