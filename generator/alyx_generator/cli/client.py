"""``alyx-generate client``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from alyx_generator.cli.terminal import (
    DIFFERENT,
    SOURCE,
    UNREADABLE,
    USAGE,
    Form,
    FormOption,
    OverlayOption,
    command,
    fail,
    note,
    progress,
    say,
)
from alyx_generator.package.manifest import Manifest, check_package_name, elsewhere
from alyx_generator.package.pipeline import Generated, generate_package
from alyx_generator.package.report import report, report_json, report_markdown
from alyx_generator.package.shipped import write_shipped
from alyx_generator.package.write import refuse_foreign, write
from alyx_generator.source.fetch import read_source
from alyx_generator.source.overlay import Correction


class FailOn(StrEnum):
    """What makes the command fail."""

    FINDINGS = "findings"
    CORRECTIONS = "corrections"
    ANY = "any"


@command
def client(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE", help=f"Where the schema is: {SOURCE}. In a checkout, nothing: the shipped client."
        ),
    ] = None,
    package: Annotated[
        str | None, typer.Option("--package", "-p", metavar="NAME", help="The package's name; needed with a source.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="The folder to put the package into; needed with a source."),
    ] = None,
    overlay: OverlayOption = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            "--fail-on",
            help="End with 1 if there are findings, if corrections of your own do not fit, or either. The package "
            "is written all the same.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the folder even if it holds files that were not generated.")
    ] = False,
    form: FormOption = Form.TEXT,
) -> None:
    """Generate a typed client for a server, as a Python package.

    The package FOLDER/NAME has Client, AsyncClient, models, one module for each endpoint, and what
    `alyx-generate check` and `client.check_schema()` need. It rests on alyx-client, and several such packages live side
    by side. The server's own descriptions become its docstrings.

    The folder is replaced whole, or left as it was. What could not be generated is listed under "findings", and
    corrections that do not fit this server's schema are listed too; neither stops the rest.

    For example:
      alyx-generate client https://alyx.lab.org --package lab_alyx --out src
      alyx-generate client alyx-schema.json --package lab_alyx --out src --overlay lab.overlay.yaml

    Exit codes:
      0  written
      1  written, and there is what --fail-on names
      2  called wrongly, or the folder holds other files; nothing is written
      3  the server or a file cannot be read or written; nothing is changed
    """
    if source is None:
        if package or out or overlay:
            fail("client: name a source besides --package, --out and --overlay", USAGE)
        progress("Generating the shipped client")
        _finish(write_shipped(), (), form, fail_on)
        return
    if package is None or out is None:
        fail("client: a source needs --package and --out, as in --package lab_alyx --out src", USAGE)
    manifest = Manifest(check_package_name(package), read_source(source), tuple(overlay or ()))
    folder = out / package
    if not force:
        refuse_foreign(folder)
    progress(f"Generating {package} from the schema of {manifest.source}")
    made = generate_package(manifest, folder)
    if not made.client.api.endpoints:
        fail(f"{manifest.source}: the schema has no endpoints, or this user sees none; nothing is written", UNREADABLE)
    write(made.client.files, folder)
    note(f"{folder}: written")
    for path in elsewhere(manifest, folder):
        note(f"{path} is outside this project: `alyx-generate check` will need its place again")
    _finish(made.client, made.own_corrections, form, fail_on)


def _finish(client: Generated, own: tuple[Correction, ...], form: Form, fail_on: FailOn | None) -> None:
    say({Form.TEXT: report, Form.MARKDOWN: report_markdown, Form.JSON: report_json}[form](client, own))
    failed = {
        FailOn.FINDINGS: bool(client.api.findings),
        FailOn.CORRECTIONS: any(each in own for each in client.corrected.missed),
    }
    if (fail_on is FailOn.ANY and any(failed.values())) or (fail_on is not None and failed.get(fail_on)):
        raise typer.Exit(DIFFERENT)
