"""A package for a server: the build with the server's own words or ours, and what makes it a package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alyx_client import __version__
from alyx_client.schema.surface_text import fingerprint
from alyx_generator.package.manifest import RECIPE, Recipe, write_recipe
from alyx_generator.package.pipeline import Build, build
from alyx_generator.package.shipped import shipped_corrections, shipped_docs
from alyx_generator.render.modules import Package
from alyx_generator.source.fetch import Source, decode, download
from alyx_generator.source.overlay import Correction, read_overlay


@dataclass(frozen=True)
class Generated:
    """A generated package.

    Parameters
    ----------
    build
        The client and how it came about; its files are all files of the package.
    recipe
        What it was generated from.
    own
        The corrections that were given besides the shipped ones.
    """

    build: Build
    recipe: Recipe
    own: tuple[Correction, ...]


def read_corrections(overlays: tuple[Path, ...]) -> tuple[Correction, ...]:
    """Return the corrections of several files, in order."""
    return tuple(correction for path in overlays for correction in read_overlay(path))


def generate(recipe: Recipe, folder: Path, source: Source | None = None) -> Generated:
    """Generate a package; it is not written.

    Parameters
    ----------
    recipe
        What to generate it from.
    folder
        Where it belongs, for the places in its recipe.
    source
        Where to read the schema this once; by default where the recipe says.

    Raises
    ------
    AlyxError, UnreadableSchemaError, OverlayError, FormatError, OSError
        The schema or a file of corrections cannot be had, or cannot be used.
    """
    own = read_corrections(recipe.overlays)
    source = source or recipe.source
    document = decode(download(source), source)
    return generate_from(document, recipe, folder, own)


def generate_from(
    document: Mapping[str, Any], recipe: Recipe, folder: Path, own: tuple[Correction, ...] = ()
) -> Generated:
    """Generate a package from a document; nothing is read or written.

    Parameters
    ----------
    document
        The decoded document, as published.
    recipe, folder
        As for `generate`.
    own
        Corrections besides the shipped ones.
    """
    server = recipe.source.where if recipe.source.kind == "server" else ""
    result = build(
        document,
        (*shipped_corrections(), *own),
        docs=shipped_docs(),
        package=Package("Client", "AsyncClient", "alyx-generate client", recipe.package, server),
        strict=False,
    )
    recipe = replace(recipe, version=__version__, fingerprint=fingerprint(result.surface))
    files = {**result.files, RECIPE: write_recipe(recipe, folder)}
    return Generated(replace(result, files=files), recipe, own)
