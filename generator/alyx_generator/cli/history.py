"""``alyx-generate history``, for this project's own repository."""

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
    command,
    fail,
    progress,
    read_access,
)
from alyx_generator.package.history import NoHistoryError, history_file, record_query_model, record_schema
from alyx_generator.package.shipped import require_checkout
from alyx_generator.source.fetch import decode, download, read_source
from alyx_generator.source.history import Record, history_text, is_version, read_history
from alyx_generator.source.overlay import read_corrections
from alyx_generator.source.query_model import read_query_model


@command
def history(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=f"The schema: {SOURCE}.", show_default=False)],
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="The version of Alyx, for instance 3.7.0.", show_default=False)
    ],
    overlay: OverlayOption = None,
    query_model: Annotated[
        bool, typer.Option("--query-model", help="The source is a query model, as `probe --query-model` writes it.")
    ] = False,
    header: HeaderOption = None,
) -> None:
    """Record what a version of Alyx has, in a checkout's schemas folder: `docs` tells since when there is what.

    The schema is not stored. Versions may be recorded in any order; that of a shipped snapshot is when `client` runs.
    Where the shipped corrections describe something that a version lacks, an overlay removes it.

    For example:
      alyx-generate history https://alyx.lab.org 3.7.0
      alyx-generate history old.json 2.2.0 --overlay lacks.overlay.yaml
      alyx-generate history lab.query.json 3.7.0 --query-model
    """
    require_checkout()
    if not is_version(version):
        fail(f"history: {version!r} is not a version; use one like 3.7.0", USAGE)
    record = read_history(history_file())
    if query_model:
        recorded = record_query_model(record, version, read_query_model(Path(source)))
    else:
        recorded = _with_schema(record, version, source, overlay, header)
    history_file().write_text(history_text(recorded), encoding="utf-8", newline="\n")
    told = recorded.models if query_model else recorded.endpoints
    say(f"{history_file().name}: {len(told.versions)} versions, {len(told.parts)} facts")


def _with_schema(
    record: Record, version: str, source: str, overlays: list[Path] | None, header: list[str] | None
) -> Record:
    schema_source = read_source(source)
    corrections = read_corrections(tuple(overlays or ()))
    progress(f"Fetching the schema of {schema_source}")
    document = decode(download(schema_source, read_access(header, schema_source)), schema_source)
    try:
        return record_schema(record, version, document, corrections)
    except NoHistoryError as error:
        fail(f"{source}: {error}", UNREADABLE)
