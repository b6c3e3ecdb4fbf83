"""``alyx-generate fetch``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from alyx_generator.cli.terminal import SOURCE, command, note, progress
from alyx_generator.package.write import write_file
from alyx_generator.source.fetch import decode, document_format, download, read_source


@command
def fetch(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help=f"Where the schema is: {SOURCE}.", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The file to write; by default stdout.")
    ] = None,
    pretty: Annotated[
        bool,
        typer.Option("--pretty", help="Indent it, so that a repository shows its changes line by line."),
    ] = False,
) -> None:
    """Fetch a server's schema and write it as it came.

    The server is asked for /api/schema (OpenAPI, Alyx 3.3 and later), and where it has none, for /docs/ (CoreAPI). The
    login is found as the client finds it: ALYX_TOKEN, the token kept at the last login, ALYX_USERNAME and
    ALYX_PASSWORD, ONE's settings, or a question on the terminal. It is not written.

    For example:
      alyx-generate fetch https://alyx.lab.org --pretty --out alyx-schema.json

    Exit codes:
      0  written
      2  called wrongly
      3  the server or the file cannot be read, or holds no schema; nothing is written
    """
    found = read_source(source)
    progress(f"Fetching the schema of {found}")
    content = download(found)
    document = decode(content, found)
    kind = document_format(document, found)
    if pretty:
        content = (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    write_file(content, out)
    note(f"{out}: {kind}, {len(content):,} bytes")
