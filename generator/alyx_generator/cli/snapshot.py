"""``alyx-generate snapshot``, for this project's own repository."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from alyx_generator.cli.terminal import SOURCE, USAGE, command, fail, progress, say
from alyx_generator.package.shipped import take_snapshot
from alyx_generator.source.fetch import decode, download, read_source


@command
def snapshot(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help=f"Where the schema is: {SOURCE}.", show_default=False)
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="For instance alyx-3.6.1.", show_default=False)],
    origin: Annotated[str, typer.Option("--origin", help="What to record as the origin; by default the source.")] = "",
) -> None:
    """Keep a server's schema in a checkout's schemas folder: structure only, with its provenance.

    For example:
      alyx-generate snapshot https://alyx.lab.org alyx-4.0.0 --origin "Alyx 4.0.0"
    """
    if not re.fullmatch(r"alyx-\w[\w.-]*", name):
        fail(f"snapshot: {name!r} is no snapshot's name; take one like alyx-4.0.0", USAGE)
    found = read_source(source)
    progress(f"Fetching the schema of {found}")
    document = take_snapshot(decode(download(found), found), name, origin or source)
    say(f"{name}.json: {len(document['paths'])} paths, {len(document['components']['schemas'])} components")
