"""``alyx-generate fetch``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from alyx_client.cli.terminal import note
from alyx_generator.cli.terminal import SOURCE, HeaderOption, command, progress, read_access
from alyx_generator.package.write import write_file
from alyx_generator.source.fetch import decode, document_format, download, read_source


@command
def fetch(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=f"The schema: {SOURCE}.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The file to write; stdout by default.")
    ] = None,
    pretty: Annotated[
        bool,
        typer.Option("--pretty", help="Indent the schema, so that version control shows its changes line by line."),
    ] = False,
    header: HeaderOption = None,
) -> None:
    """Fetch a server's schema and write it unchanged.

    The schema is requested from /api/schema (OpenAPI, Alyx 3.3 and later), and from /docs/ (CoreAPI) if the server has
    none there. Credentials come from the sources that the client uses: ALYX_TOKEN, the token stored at the last login,
    ALYX_USERNAME and ALYX_PASSWORD, ONE's settings, or a prompt on the terminal. They are not written.

    For example:
      alyx-generate fetch https://alyx.lab.org --pretty --out alyx-schema.json

    Exit codes:
      0  written
      2  usage error
      3  the server or the file cannot be read, or is not a schema; nothing is written
    """
    schema_source = read_source(source)
    progress(f"Fetching the schema of {schema_source}")
    content = download(schema_source, read_access(header, schema_source))
    document = decode(content, schema_source)
    format_name = document_format(document, schema_source)
    if pretty:
        # A schema may contain lone surrogates, which JSON can escape and UTF-8 cannot encode.
        content = (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    write_file(content, out)
    note(f"{out}: {format_name}, {len(content):,} bytes")
