"""``alyx local``: the local Alyx, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated, NoReturn

import typer

from alyx_client.cli.terminal import command

__all__ = ["local"]


@command
def local(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 chooses a free one.")] = 8000,
    schema: Annotated[
        str | None, typer.Option("--schema", metavar="FILE", help="A schema to serve, or a shipped snapshot's name.")
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="FILE", help="A file for the records; by default in memory.")
    ] = None,
    empty: Annotated[bool, typer.Option("--empty", help="Start without the example laboratory.")] = False,
) -> None:
    """Run a local Alyx, to try things out.

    It is a stand-in with an example laboratory, and runs until Ctrl-C.

    For example:
      alyx local
      alyx local --port 8123 --database lab.sqlite

    For example, in another terminal:
      alyx --url http://127.0.0.1:8000 login --username olivier
    """
    words = [sys.executable, "-m", "alyx_client.testing", "--port", str(port)]
    words += ["--schema", schema] if schema else []
    words += ["--database", database] if database else []
    words += ["--empty"] if empty else []
    if os.name == "posix":
        # The server takes this process's place, so that a signal that ends the command ends the server.
        os.execv(words[0], words)
    _run(words)


def _run(words: list[str]) -> NoReturn:  # pragma: no cover - other operating system
    process = subprocess.Popen(words)
    while True:
        try:
            code = process.wait()
            break
        except KeyboardInterrupt:
            # A terminal sends Ctrl-C to the server as well, which says goodbye by itself.
            continue
    raise typer.Exit(code)
