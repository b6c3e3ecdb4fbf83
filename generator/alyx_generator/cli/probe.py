"""``alyx-generate probe``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from alyx_generator.cli.terminal import (
    DIFFERENT,
    INTERRUPTED,
    SOURCE,
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
from alyx_generator.package.write import write_file
from alyx_generator.probe.proposal import to_yaml
from alyx_generator.probe.report import in_json, in_markdown, text
from alyx_generator.probe.run import Bounds, Probe, Progress
from alyx_generator.probe.run import probe as run
from alyx_generator.source.fetch import SchemaSource, fetch, read_source
from alyx_generator.source.overlay import Correction, read_corrections, shipped_corrections


class FailOn(StrEnum):
    """What makes the command fail."""

    FINDINGS = "findings"


@command
def probe(
    server: Annotated[str, typer.Argument(metavar="URL", help="The server's address.", show_default=False)],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The overlay to write; not written if nothing is found.")
    ] = Path("proposed.overlay.yaml"),
    schema: Annotated[
        str | None,
        typer.Option("--schema", metavar="SOURCE", help=f"Check against this: {SOURCE}. By default the server's."),
    ] = None,
    overlay: OverlayOption = None,
    shipped: Annotated[
        bool,
        typer.Option("--shipped/--no-shipped", help="Apply the shipped corrections first, or find them all again."),
    ] = True,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows of each list at most, from all over it.")] = 500,
    reads: Annotated[int, typer.Option("--reads", min=1, help="Records of each endpoint at most.")] = 20,
    per_minute: Annotated[float, typer.Option("--per-minute", min=1, help="Requests a minute at most.")] = 200.0,
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="End with 1 if anything is found. The overlay is written.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the overlay if the file is there.")] = False,
    form: FormOption = Form.TEXT,
) -> None:
    """Find where a server's schema is wrong about what the server answers.

    Lists and records are read, with GET alone, and compared with the schema. The overlay proposes a correction for
    each place that is wrong, with its evidence: the field, what is declared, what was found, in how many of how many
    rows. It holds no value of any record. Read it, keep what is true, and give it to `alyx-generate client --overlay`.

    What was read is kept beside the overlay until that is written: after an interruption, the same command goes on
    from there.

    For example:
      alyx-generate probe https://alyx.lab.org --out lab.overlay.yaml
      alyx-generate client https://alyx.lab.org --package lab_alyx --out src --overlay lab.overlay.yaml

    Exit codes:
      0    read
      1    read, and there is what --fail-on names
      2    called wrongly, or the overlay's file is there; nothing is sent
      3    the server cannot be read, or a file cannot be written; what was read is kept
      130  interrupted; what was read is kept
    """
    source = read_source(server)
    if source.kind != "server":
        fail(f"probe: {server!r} is no server's address; it starts with https://", USAGE)
    if out.exists() and not force:
        fail(f"{out} is there already: choose another --out, or replace it with --force", USAGE)
    corrections = (*(shipped_corrections() if shipped else ()), *read_corrections(tuple(overlay or ())))
    progress(f"Reading the schema of {schema or source}")
    document = fetch(schema or source.where)
    unfinished = out.with_name(f"{out.name}.unfinished")
    found = _read(source, document, corrections, Bounds(rows, reads, per_minute), unfinished)
    if found.findings:
        title = f"What the schema of {source} gets wrong"
        write_file(to_yaml(title, found.corrections).encode(), out)
        note(f"{out}: {len(found.corrections)} corrections proposed")
    unfinished.unlink(missing_ok=True)
    say({Form.TEXT: text, Form.MARKDOWN: in_markdown, Form.JSON: in_json}[form](source.where, found))
    if fail_on is not None and found.findings:
        raise typer.Exit(DIFFERENT)


def _read(
    source: SchemaSource,
    document: Mapping[str, Any],
    corrections: Sequence[Correction],
    bounds: Bounds,
    unfinished: Path,
) -> Probe:
    with tqdm(unit=" operations", disable=None, leave=False) as bar:

        def show(seen: Progress) -> None:
            bar.total = seen.total
            bar.set_description(seen.operation, refresh=False)
            bar.set_postfix_str(f"{seen.requests} requests", refresh=False)
            bar.n = seen.done
            bar.refresh()

        try:
            return run(source.where, document, corrections, bounds=bounds, state=unfinished, progress=show)
        except KeyboardInterrupt:
            if not unfinished.exists():
                raise
            bar.close()
            fail(f"interrupted; the same command goes on from {unfinished}", INTERRUPTED)
