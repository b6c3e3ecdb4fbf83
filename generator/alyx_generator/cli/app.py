"""The command ``alyx-generate``: its commands put together."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from alyx_client import __version__
from alyx_generator.cli.check import check_folders
from alyx_generator.cli.client import client
from alyx_generator.cli.diff import diff
from alyx_generator.cli.fetch import fetch
from alyx_generator.cli.probe import probe
from alyx_generator.cli.snapshot import snapshot
from alyx_generator.cli.terminal import show_lists

__all__ = ["app", "main"]

# Plain help, the same in a terminal and in a log.
app = typer.Typer(
    name="alyx-generate",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"alyx-generate {__version__}")
        raise typer.Exit


def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Typed Python clients for Alyx servers, from the servers' own schemas.

    A SOURCE is a server's address (https://alyx.lab.org), a file that holds its schema, or the name of a shipped
    snapshot: shipped, 3.6.1, 3.3.1.

    For example:
      alyx-generate client https://alyx.lab.org --package lab_alyx --out src
      alyx-generate check src/lab_alyx
      alyx-generate diff shipped https://alyx.lab.org
      alyx-generate probe https://alyx.lab.org --out lab.overlay.yaml

    Exit codes, of all commands:
      0    fine
      1    something differs, or was found that --fail-on names
      2    called wrongly
      3    a server or a file cannot be read or written
      130  interrupted
    """


show_lists(about)
app.callback()(about)
app.command("fetch")(fetch)
app.command("client")(client)
app.command("check")(check_folders)
app.command("diff")(diff)
app.command("probe")(probe)
app.command("snapshot", hidden=True)(snapshot)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    arguments
        What follows the command's name; by default those of this process.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # On Windows, what is written to a file or a pipe would be in a code page that lacks most characters.
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")
    try:
        app(list(sys.argv[1:] if arguments is None else arguments), prog_name="alyx-generate")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
