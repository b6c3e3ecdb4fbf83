"""The way through: from a schema document to the files of a client."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alyx_client.schema.check import SURFACE
from alyx_client.schema.surface import Surface
from alyx_client.schema.surface_text import dump
from alyx_generator.model.build import build as build_api
from alyx_generator.model.docs import Docs
from alyx_generator.model.ir import Api
from alyx_generator.package.compare import carried
from alyx_generator.render.format import format_files
from alyx_generator.render.modules import Package, render
from alyx_generator.source.normalise import normalise
from alyx_generator.source.overlay import Corrected, Correction, correct


@dataclass(frozen=True)
class Build:
    """A generated client and how it came about."""

    api: Api
    corrected: Corrected
    surface: Surface
    files: Mapping[str, str]
    seconds: float


def build(
    document: Mapping[str, Any],
    corrections: tuple[Correction, ...],
    *,
    docs: Docs | None = None,
    package: Package | None = None,
    strict: bool = True,
) -> Build:
    """Generate a client from a schema document.

    Parameters
    ----------
    document
        The decoded document, as a server published it.
    corrections
        What it gets wrong.
    docs
        Words for the docstrings; the document's own by default.
    package
        How the package presents itself.
    strict
        Whether a correction that does not fit is an error.

    Returns
    -------
    Build
        The files by path below the package's folder, formatted.
    """
    start = time.perf_counter()
    corrected = correct(normalise(document), corrections, strict=strict)
    api = build_api(corrected.document, docs)
    rendered = render(api, package or Package())
    files = rendered | format_files({path: text for path, text in rendered.items() if path.endswith(".py")})
    surface = carried(document, api)
    return Build(api, corrected, surface, files | {SURFACE: dump(surface)}, time.perf_counter() - start)
