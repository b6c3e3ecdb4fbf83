"""``alyx-generate client``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from alyx_client.cli.terminal import note, say
from alyx_generator.cli.terminal import (
    DIFFERENT,
    SOURCE,
    UNREADABLE,
    USAGE,
    Form,
    FormOption,
    HeaderOption,
    OverlayOption,
    QueryModelOption,
    command,
    fail,
    progress,
    read_access,
)
from alyx_generator.package.manifest import Manifest, check_package_name, elsewhere
from alyx_generator.package.pipeline import Generated, GeneratedPackage, generate_package
from alyx_generator.package.report import report, report_json, report_markdown
from alyx_generator.package.shipped import write_shipped
from alyx_generator.package.write import refuse_foreign, write
from alyx_generator.source.fetch import Access, read_source
from alyx_generator.source.overlay import Correction

_REPORTS = {Form.TEXT: report, Form.MARKDOWN: report_markdown, Form.JSON: report_json}


class FailOn(StrEnum):
    """Conditions that make the command fail."""

    FINDINGS = "findings"
    CORRECTIONS = "corrections"
    ANY = "any"


@command
def client(
    source: Annotated[
        str | None,
        typer.Argument(metavar="SOURCE", help=f"The schema: {SOURCE}. In a checkout, the shipped client by default."),
    ] = None,
    package: Annotated[
        str | None,
        typer.Option("--package", "-p", metavar="NAME", help="The name of the package; required with a source."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="The parent folder of the package; required with a source."),
    ] = None,
    overlay: OverlayOption = None,
    query_model: QueryModelOption = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            "--fail-on",
            help="Exit with 1 if there are findings, if your own corrections do not fit, or either. The package is "
            "written anyway.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the folder even if it contains files that were not generated.")
    ] = False,
    header: HeaderOption = None,
    form: FormOption = Form.TEXT,
) -> None:
    """Generate a typed client for a server, as a Python package.

    The package FOLDER/NAME contains Client, AsyncClient, models, one module for each endpoint, and the files that
    `alyx-generate check` and `client.check_schema()` need. It requires alyx-client, and several such packages can be
    installed together. The server's own descriptions become its docstrings.

    The folder is either replaced completely or left unchanged. Parts of the schema that cannot be generated are listed
    under "findings", and corrections that do not fit this server's schema are listed too; the rest is generated.

    For example:
      alyx-generate client https://alyx.lab.org --package lab_alyx --out src
      alyx-generate client alyx-schema.json --package lab_alyx --out src --overlay lab.overlay.yaml
      alyx-generate client https://alyx.lab.org --package lab_alyx --out src --query-model lab.query.json

    Exit codes:
      0  written
      1  written, and --fail-on applies
      2  usage error, or the folder contains other files; nothing is written
      3  the server or a file cannot be read or written; nothing is changed
    """
    if source is None:  # in a checkout: what `make client` runs
        if package or out or overlay or query_model:
            fail("client: --package, --out, --overlay and --query-model require a source", USAGE)
        progress("Generating the shipped client")
        _report(write_shipped(), (), form, fail_on)
        return
    if package is None or out is None:
        fail("client: a source requires --package and --out, for instance --package lab_alyx --out src", USAGE)
    manifest = Manifest(check_package_name(package), read_source(source), tuple(overlay or ()), query_model=query_model)
    generated = _generate(manifest, out / package, read_access(header, manifest.source), force=force)
    _report(generated.client, generated.own_corrections, form, fail_on)


def _generate(manifest: Manifest, folder: Path, access: Access, *, force: bool) -> GeneratedPackage:
    if not force:
        refuse_foreign(folder)  # before the server is contacted
    progress(f"Generating {manifest.package} from the schema of {manifest.source}")
    generated = generate_package(manifest, folder, access=access)
    if not generated.client.api.endpoints:
        # A schema of the wrong user or server must not replace a working package.
        reason = "the schema has no endpoints, or none that this user may see; nothing is written"
        fail(f"{manifest.source}: {reason}", UNREADABLE)
    write(generated.client.files, folder)
    note(f"{folder}: written")
    for path in elsewhere(manifest, folder):
        note(f"{path} is outside this project: pass it to `alyx-generate check` again")
    return generated


def _report(client: Generated, own: tuple[Correction, ...], form: Form, fail_on: FailOn | None) -> None:
    say(_REPORTS[form](client, own))
    conditions = {
        FailOn.FINDINGS: bool(client.api.findings),
        FailOn.CORRECTIONS: any(correction in own for correction in client.corrected.missed),
    }
    if any(conditions.values()) if fail_on is FailOn.ANY else fail_on is not None and conditions[fail_on]:
        raise typer.Exit(DIFFERENT)
