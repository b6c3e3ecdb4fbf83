"""``alyx-generate docs``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alyx_client.cli.terminal import say
from alyx_generator.cli.terminal import (
    SOURCE,
    UNREADABLE,
    USAGE,
    HeaderOption,
    OverlayOption,
    QueryModelOption,
    command,
    fail,
    progress,
    read_access,
)
from alyx_generator.package.manifest import check_package_name
from alyx_generator.package.reference import Reference, package_reference, shipped_reference
from alyx_generator.package.write import refuse_foreign, write
from alyx_generator.render.reference.context import Client
from alyx_generator.render.reference.values import literal
from alyx_generator.source.fetch import SchemaSource, decode, download, read_source
from alyx_generator.source.overlay import read_corrections
from alyx_generator.source.query_model import read_query_model


@command
def docs(
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="The folder of the pages.", show_default=False)
    ],
    source: Annotated[
        str | None,
        typer.Argument(metavar="SOURCE", help=f"The schema: {SOURCE}. By default, that of the shipped client."),
    ] = None,
    package: Annotated[
        str | None,
        typer.Option(
            "--package", "-p", metavar="NAME", help="The package that examples import; required with a source."
        ),
    ] = None,
    overlay: OverlayOption = None,
    query_model: QueryModelOption = None,
    header: HeaderOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the folder even if it contains files that were not generated.")
    ] = False,
) -> None:
    """Write the reference of a client as Markdown pages: its endpoints, its query model, and what is corrected.

    A page for each endpoint has its actions with their filters and an example each, and the fields of its records. The
    pages are for Sphinx with MyST, and readable as they are. The folder is replaced as a whole.

    For example:
      alyx-generate docs --out reference
      alyx-generate docs https://alyx.lab.org --package lab_alyx --out docs/reference

    Exit codes:
      0  written
      2  usage error, or the folder contains other files; nothing is written
      3  the server or a file cannot be read or written; nothing is changed
    """
    if not force:
        refuse_foreign(out)  # before the server is contacted
    if source is None:
        if package or overlay or query_model:
            fail("docs: --package, --overlay and --query-model require a source", USAGE)
        progress("Generating the reference of the shipped client")
        reference = shipped_reference(guide="")
    elif package is None:
        fail("docs: a source requires --package, for instance --package lab_alyx", USAGE)
    else:
        schema = read_source(source)
        reference = _reference(schema, check_package_name(package), overlay, query_model, header)
    if not reference.client.api.endpoints:
        fail(f"{source}: the schema has no endpoints, or none that this user may see; nothing is written", UNREADABLE)
    write(reference.files, out)
    say(f"{out}: {len(reference.files)} pages of {len(reference.client.api.endpoints)} endpoints")


def _reference(
    source: SchemaSource,
    package: str,
    overlays: list[Path] | None,
    query_model: Path | None,
    header: list[str] | None,
) -> Reference:
    corrections = read_corrections(tuple(overlays or ()))
    known = read_query_model(query_model) if query_model else None
    access = read_access(header, source)
    progress(f"Generating the reference of {package} from the schema of {source}")
    document = decode(download(source, access), source)
    server = source.where if source.kind == "server" else "https://alyx.example.org"
    return package_reference(document, corrections, Client(package, "Client", literal(server)), known)
