"""``alyx-generate probe``."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from alyx_client.cli.terminal import note, say
from alyx_generator.cli.probe_query import write_query_model
from alyx_generator.cli.terminal import (
    DIFFERENT,
    INTERRUPTED,
    SOURCE,
    USAGE,
    Form,
    FormOption,
    HeaderOption,
    OverlayOption,
    command,
    fail,
    progress,
    read_access,
)
from alyx_generator.package.write import write_file
from alyx_generator.probe import run
from alyx_generator.probe.crawl import Bounds, Progress
from alyx_generator.probe.proposal import to_yaml
from alyx_generator.probe.query.run import MAX_REQUESTS
from alyx_generator.probe.report import in_json, in_markdown, text
from alyx_generator.source.fetch import Access, SchemaSource, decode, download, read_source
from alyx_generator.source.openapi import Document
from alyx_generator.source.overlay import Correction, read_corrections, shipped_corrections

_REPORTS = {Form.TEXT: text, Form.MARKDOWN: in_markdown, Form.JSON: in_json}


class FailOn(StrEnum):
    """Conditions that make the command fail."""

    FINDINGS = "findings"


@command
def probe(
    server: Annotated[str, typer.Argument(metavar="URL", help="The server's URL.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="The overlay to write, if the schema has errors (proposed.overlay.yaml by default), or the query "
            "model (query.json by default).",
            show_default=False,
        ),
    ] = None,
    query_model: Annotated[
        bool,
        typer.Option("--query-model", help="Learn the fields that the django filter reaches, in place of the errors."),
    ] = False,
    schema: Annotated[
        str | None,
        typer.Option("--schema", metavar="SOURCE", help=f"The schema to check: {SOURCE}. The server's by default."),
    ] = None,
    overlay: OverlayOption = None,
    shipped: Annotated[
        bool,
        typer.Option("--shipped/--no-shipped", help="Apply the shipped corrections first, or report every error."),
    ] = True,
    rows: Annotated[
        int, typer.Option("--rows", min=1, help="The maximum number of rows of each list, taken from all over it.")
    ] = 500,
    reads: Annotated[int, typer.Option("--reads", min=1, help="The maximum number of records of each endpoint.")] = 20,
    per_minute: Annotated[
        float, typer.Option("--per-minute", min=1, help="The maximum number of requests per minute.")
    ] = 200.0,
    max_requests: Annotated[
        int, typer.Option("--requests", min=1, help="The maximum number of requests for the query model.")
    ] = MAX_REQUESTS,
    fail_on: Annotated[
        FailOn | None,
        typer.Option("--fail-on", help="Exit with 1 if the schema has errors. The overlay is written anyway."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing overlay.")] = False,
    header: HeaderOption = None,
    form: FormOption = Form.TEXT,
) -> None:
    """Find errors in a server's schema by comparing it with the server's responses.

    Lists and records are read with GET only. The overlay proposes a correction for each error, with its evidence: the
    field, its declaration, what was found, and in how many of how many rows. It contains no data of the records.
    Review it, keep what is right, and pass it to `alyx-generate client --overlay`.

    With --query-model, the fields behind each list that has the django filter are learnt instead, with their classes
    and with the models that relations lead to, for `alyx-generate client --query-model`. Each request is refused before
    it reaches the server's database; nothing of the records is read.

    Progress is stored next to the file until that is written: after an interruption, the same command resumes.

    For example:
      alyx-generate probe https://alyx.lab.org --out lab.overlay.yaml
      alyx-generate client https://alyx.lab.org --package lab_alyx --out src --overlay lab.overlay.yaml
      alyx-generate probe --query-model https://alyx.lab.org --out lab.query.json

    Exit codes:
      0    completed
      1    completed, and --fail-on applies
      2    usage error, or the file exists; nothing is sent
      3    the server cannot be read, or a file cannot be written; progress is stored
      130  interrupted; progress is stored
    """
    source = read_source(server)
    if source.kind != "server":
        fail(f"probe: {server!r} is not the URL of a server, such as https://alyx.lab.org", USAGE)
    out = out or Path("query.json" if query_model else "proposed.overlay.yaml")
    if query_model and fail_on is not None:
        fail("probe: --fail-on is about the errors of a schema, and --query-model finds none", USAGE)
    if out.exists() and not force:
        fail(f"{out} exists: choose another file with --out, or replace it with --force", USAGE)
    corrections = (*(shipped_corrections() if shipped else ()), *read_corrections(tuple(overlay or ())))
    schema_source = read_source(schema) if schema else source
    access = read_access(header, source, schema_source)
    progress(f"Reading the schema of {schema_source}")
    document = decode(download(schema_source, access), schema_source)
    if query_model:
        write_query_model(
            source,
            access,
            document,
            corrections,
            per_minute=per_minute,
            max_requests=max_requests,
            out=out,
            form=form,
        )
        return
    unfinished = out.with_name(f"{out.name}.unfinished")
    result = _probe(source, access, document, corrections, Bounds(rows, reads, per_minute), unfinished)
    if result.findings:
        write_file(to_yaml(f"Errors in the schema of {source}", result.corrections).encode(), out)
        note(f"{out}: {len(result.corrections)} corrections proposed")
    # Only now: if the overlay cannot be written, the same command needs no further requests.
    unfinished.unlink(missing_ok=True)
    say(_REPORTS[form](source.where, result))
    if fail_on is not None and result.findings:
        raise typer.Exit(DIFFERENT)


def _probe(
    source: SchemaSource,
    access: Access,
    document: Document,
    corrections: Sequence[Correction],
    bounds: Bounds,
    unfinished: Path,
) -> run.Probe:
    # disable=None: no bar unless stderr is a terminal.
    with tqdm(unit=" operations", disable=None, leave=False) as bar:

        def show(current: Progress) -> None:
            bar.total = current.total
            bar.set_description(current.operation, refresh=False)
            bar.set_postfix_str(f"{current.requests} requests", refresh=False)
            bar.n = current.done
            bar.refresh()

        try:
            return run.probe(
                source.where, document, corrections, access=access, bounds=bounds, state=unfinished, progress=show
            )
        except KeyboardInterrupt:
            if not unfinished.exists():
                raise
            bar.close()
            fail(f"interrupted; the same command resumes from {unfinished}", INTERRUPTED)
