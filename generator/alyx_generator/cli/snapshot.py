"""``alyx-generate snapshot``, for this project's own repository."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from alyx_generator.cli.terminal import SOURCE, USAGE, HeaderOption, command, fail, progress, read_access, say
from alyx_generator.package.shipped import take_snapshot
from alyx_generator.source.fetch import decode, download, read_source


@command
def snapshot(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=f"The schema: {SOURCE}.", show_default=False)],
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="The name of the snapshot, for instance alyx-3.6.1.", show_default=False),
    ],
    origin: Annotated[str, typer.Option("--origin", help="The origin to record; the source by default.")] = "",
    header: HeaderOption = None,
) -> None:
    """Store the structure of a server's schema, with its origin, in the schemas folder of a checkout.

    For example:
      alyx-generate snapshot https://alyx.lab.org alyx-4.0.0 --origin "Alyx 4.0.0"
    """
    if not re.fullmatch(r"alyx-\w[\w.-]*", name):
        fail(f"snapshot: {name!r} is not a valid name for a snapshot; use one like alyx-4.0.0", USAGE)
    schema_source = read_source(source)
    access = read_access(header, schema_source)
    progress(f"Fetching the schema of {schema_source}")
    document = take_snapshot(decode(download(schema_source, access), schema_source), name, origin or source)
    say(f"{name}.json: {len(document['paths'])} paths, {len(document['components']['schemas'])} components")
