"""The command ``alyx-generate`` with its subcommands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from alyx_client import __version__
from alyx_client.cli.terminal import prepare_streams, show_lists
from alyx_generator.cli.check import check_folders
from alyx_generator.cli.client import client
from alyx_generator.cli.diff import diff
from alyx_generator.cli.docs import docs
from alyx_generator.cli.fetch import fetch
from alyx_generator.cli.history import history
from alyx_generator.cli.probe import probe
from alyx_generator.cli.snapshot import snapshot

__all__ = ["app", "main"]

# Plain help and errors: Rich would format them for terminals, and logs would differ.
app = typer.Typer(
    name="alyx-generate",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(requested: bool) -> None:
    if requested:
        typer.echo(f"alyx-generate {__version__}")
        raise typer.Exit


def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Typed Python clients for Alyx servers, from the servers' own schemas.

    A SOURCE is a server's URL (https://alyx.lab.org), a file that contains its schema, or the name of a shipped
    snapshot: shipped, 3.6.1, 3.3.1.

    For example:
      alyx-generate client https://alyx.lab.org --package lab_alyx --out src
      alyx-generate check src/lab_alyx
      alyx-generate diff shipped https://alyx.lab.org
      alyx-generate probe https://alyx.lab.org --out lab.overlay.yaml

    Exit codes, of all commands:
      0    success
      1    check found differences, or --fail-on applies
      2    usage error
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
app.command("docs")(docs)
app.command("snapshot", hidden=True)(snapshot)
app.command("history", hidden=True)(history)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    arguments
        The command-line arguments; by default those of this process.
    """
    prepare_streams()
    try:
        app(list(sys.argv[1:] if arguments is None else arguments), prog_name="alyx-generate")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
