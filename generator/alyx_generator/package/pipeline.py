"""The way through the build step: source, normalise, correct, model, render, format.

Each station is a function of values. `alyx_generator.package.write` writes the files, or compares them with a folder.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from alyx_client import __version__
from alyx_client.schema.check import SURFACE
from alyx_client.schema.surface import Surface
from alyx_client.schema.surface_text import dump, fingerprint
from alyx_generator.model.build import build_api
from alyx_generator.model.conditions import with_conditions
from alyx_generator.model.docs import Docs, shipped_docs
from alyx_generator.model.ir import Api
from alyx_generator.model.operations import endpoint_of
from alyx_generator.package.compare import bundled_surface
from alyx_generator.package.manifest import MANIFEST, Manifest, write_manifest
from alyx_generator.package.nearest import nearest_query_model
from alyx_generator.render.format import format_files
from alyx_generator.render.modules import Package, render
from alyx_generator.source.alyx_parts import AlyxParts
from alyx_generator.source.fetch import Access, SchemaSource, decode, download
from alyx_generator.source.normalise import normalise
from alyx_generator.source.openapi import Document
from alyx_generator.source.overlay import Corrected, Correction, correct, read_corrections, shipped_corrections
from alyx_generator.source.query_model import QueryModel, read_query_model


@dataclass(frozen=True)
class Generated:
    """A generated client, and the values that it came from at each station.

    `query_model` is the version of Alyx whose query model stands in for the server's own; empty if none does.
    `alyx_endpoints` are those that are Alyx's: another server, or a lab, may have others of the same names.
    """

    api: Api
    corrected: Corrected
    surface: Surface
    files: Mapping[str, str]
    seconds: float
    query_model: str = ""
    alyx_endpoints: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GeneratedPackage:
    """A generated package of its own.

    Parameters
    ----------
    client
        The client; its files are all files of the package.
    manifest
        What it was generated from.
    own_corrections
        The corrections that were applied after the shipped ones.
    """

    client: Generated
    manifest: Manifest
    own_corrections: tuple[Correction, ...]


def generate_client(
    document: Document,
    corrections: tuple[Correction, ...],
    *,
    docs: Docs | None = None,
    package: Package | None = None,
    strict: bool = True,
    query_model: QueryModel | Literal["nearest"] | None = None,
) -> Generated:
    """Generate a client from a schema document.

    Parameters
    ----------
    document
        The decoded document, as a server published it.
    corrections
        What it gets wrong.
    docs
        Descriptions for the docstrings; the document's own by default.
    package
        How the package presents itself.
    strict
        Whether a correction that does not fit is an error.
    query_model
        The models behind the server's lists, for typed conditions; ``"nearest"`` for those of the shipped ones that fit
        the server best.

    Returns
    -------
    Generated
        The files by path below the package's folder, formatted.
    """
    start = time.perf_counter()
    normalised = normalise(document)
    corrected = correct(normalised, corrections, strict=strict)
    # Our descriptions are of Alyx: another server's endpoint of the same name is something else.
    alyx = AlyxParts(normalised)
    about = {endpoint_of(path) for path in corrected.document["paths"] if alyx.has_path(path)}
    api = build_api(corrected.document, docs and docs.only(about))
    version = ""
    if query_model == "nearest":
        version, query_model = nearest_query_model(api) or ("", None)
    api = with_conditions(api, query_model) if query_model else api
    rendered = render(api, package or Package())
    # Only Python is formatted: the README and py.typed are written as rendered.
    files = rendered | format_files({path: text for path, text in rendered.items() if path.endswith(".py")})
    # Of the document as published, so that `check_schema()` compares like with like on a live server.
    surface = bundled_surface(document, api)
    seconds = time.perf_counter() - start
    return Generated(api, corrected, surface, files | {SURFACE: dump(surface)}, seconds, version, frozenset(about))


def generate_package(
    manifest: Manifest, folder: Path, source: SchemaSource | None = None, access: Access | None = None
) -> GeneratedPackage:
    """Generate a package of its own for a server; it is not written.

    Parameters
    ----------
    manifest
        What to generate it from.
    folder
        The package's folder, which the paths in its manifest are relative to.
    source
        Where to read the schema this once; by default where the manifest says.
    access
        What the server requires.

    Raises
    ------
    AlyxError, UnreadableSchemaError, UnreadableQueryModelError, OverlayError, FormatError, OSError
        The schema, the query model or a file of corrections cannot be read, or cannot be used.
    """
    own_corrections = read_corrections(manifest.overlays)
    source = source or manifest.source
    document = decode(download(source, access), source)
    server = manifest.source.where if manifest.source.kind == "server" else ""
    client = generate_client(
        document,
        (*shipped_corrections(), *own_corrections),
        docs=shipped_docs(),
        package=Package("Client", "AsyncClient", "alyx-generate client", manifest.package, server),
        query_model=read_query_model(manifest.query_model) if manifest.query_model else "nearest",
        strict=False,  # the shipped corrections are for Alyx, and a lab's server may be of another version
    )
    manifest = replace(manifest, version=__version__, fingerprint=fingerprint(client.surface))
    files = {**client.files, MANIFEST: write_manifest(manifest, folder)}
    return GeneratedPackage(replace(client, files=files), manifest, own_corrections)
