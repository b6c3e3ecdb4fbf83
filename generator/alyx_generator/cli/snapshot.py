"""``alyx-generate snapshot``, for this project's own repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from alyx_client.cli.terminal import say
from alyx_generator.cli.terminal import SOURCE, USAGE, HeaderOption, command, fail, progress, read_access
from alyx_generator.package.shipped import store_query_model, take_snapshot
from alyx_generator.source.fetch import decode, download, read_source
from alyx_generator.source.paths import QUERY_MODEL
from alyx_generator.source.query_model import read_query_model


@command
def snapshot(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=f"The schema: {SOURCE}.", show_default=False)],
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="The name of the snapshot, for instance alyx-3.6.1.", show_default=False),
    ],
    origin: Annotated[str, typer.Option("--origin", help="The origin to record; the source by default.")] = "",
    query_model: Annotated[
        bool, typer.Option("--query-model", help="The source is a query model, as `probe --query-model` writes it.")
    ] = False,
    header: HeaderOption = None,
) -> None:
    """Store the structure of a server's schema, or its query model, with its origin, in a checkout's schemas folder.

    For example:
      alyx-generate snapshot https://alyx.lab.org alyx-4.0.0 --origin "Alyx 4.0.0"
      alyx-generate snapshot lab.query.json alyx-4.0.0 --query-model --origin "Alyx 4.0.0"
    """
    if not re.fullmatch(r"alyx-\w[\w.-]*", name):
        fail(f"snapshot: {name!r} is not a valid name for a snapshot; use one like alyx-4.0.0", USAGE)
    if query_model:
        model = read_query_model(Path(source))
        store_query_model(model, name, origin or source)
        say(f"{name}{QUERY_MODEL}: {len(model.models)} models, {model.fields} fields")
        return
    schema_source = read_source(source)
    access = read_access(header, schema_source)
    progress(f"Fetching the schema of {schema_source}")
    document = take_snapshot(decode(download(schema_source, access), schema_source), name, origin or source)
    say(f"{name}.json: {len(document['paths'])} paths, {len(document['components']['schemas'])} components")
