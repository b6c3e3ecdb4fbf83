"""The command ``alyx`` with its subcommands and global options."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from alyx_client import __version__
from alyx_client.cli.admin import open_record
from alyx_client.cli.cache import app as cache
from alyx_client.cli.completion import CreateCommand, GetCommand, ListCommand, UpdateCommand, prepare_completion
from alyx_client.cli.describe import describe
from alyx_client.cli.doctor import doctor
from alyx_client.cli.files import download, tables
from alyx_client.cli.local import local
from alyx_client.cli.login import login, logout, whoami
from alyx_client.cli.outbox import app as outbox
from alyx_client.cli.records import get, list_records
from alyx_client.cli.session import GlobalOptions, Session
from alyx_client.cli.terminal import (
    FAILED,
    GLOBAL_OPTIONS,
    INTERRUPTED,
    USAGE,
    RunState,
    note,
    prepare_streams,
    say,
    show_lists,
    show_warnings_in_one_line,
    system_error,
)
from alyx_client.cli.writes import create, delete, update

__all__ = ["app", "main"]

# Plain help and errors: Rich would format them for terminals, and it takes a while to load.
app = typer.Typer(
    name="alyx",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
# Filters and fields are options that depend on the endpoint.
_DYNAMIC = {"ignore_unknown_options": True}


def _show_version(requested: bool) -> None:
    if requested:
        typer.echo(f"alyx {__version__}")
        raise typer.Exit


def about(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="The server; by default ALYX_URL, then the one that was set up."),
    ] = None,
    package: Annotated[
        str | None,
        typer.Option(
            "--package",
            metavar="NAME",
            help="A package that alyx-generate wrote; by default ALYX_PACKAGE, then the settings file's.",
        ),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Answer from the cache alone.")] = False,
    silent: Annotated[bool, typer.Option("--silent", "-s", help="Show no progress, and never prompt.")] = False,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", help="The time limit of each call.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Records and files of Alyx, from the command line.

    Tokens and passwords are no options, since others could see them: alyx login stores a token, and ALYX_TOKEN may hold
    one. Global options come before the command.

    For example:
      alyx --url https://alyx.example.org login
      alyx list sessions --subject KS023 --max 10
      alyx get subjects KS023
      alyx describe sessions

    Exit codes, of all commands:
      0    success
      1    failed: the server refused a value, a file could not be written, doctor found a fault
      2    usage error: an unknown option, endpoint, filter or value; nothing was sent
      3    there is no such record
      4    not logged in, or not permitted
      5    the server or the network failed
      130  interrupted (Ctrl-C)
      141  the reader of a pipe has ended
    """
    RunState.is_debugging, RunState.url = debug, url
    context.obj = Session(GlobalOptions(url, package, offline, silent, timeout))


show_lists(about)
app.callback()(about)
app.command("list", cls=ListCommand, context_settings=_DYNAMIC)(list_records)
app.command("get", cls=GetCommand, context_settings=_DYNAMIC)(get)
app.command("create", cls=CreateCommand, context_settings=_DYNAMIC)(create)
app.command("update", cls=UpdateCommand, context_settings=_DYNAMIC)(update)
app.command("delete")(delete)
app.command("describe")(describe)
app.command("download")(download)
app.command("tables")(tables)
app.command("open")(open_record)
app.command("login")(login)
app.command("logout")(logout)
app.command("whoami")(whoami)
app.add_typer(cache, name="cache")
app.add_typer(outbox, name="outbox")
app.command("doctor")(doctor)
app.command("local")(local)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    arguments
        The command-line arguments; by default those of this process.
    """
    prepare_streams()
    show_warnings_in_one_line()
    prepare_completion(os.environ)
    try:
        words = list(sys.argv[1:] if arguments is None else arguments)
        code = app(words, prog_name="alyx", standalone_mode=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except (typer.Abort, KeyboardInterrupt):  # Typer takes a while to read the commands
        note("alyx: interrupted")
        return INTERRUPTED
    except OSError as error:  # help cannot be written; the commands have reported their own
        note(f"alyx: {system_error(error)}")
        return FAILED
    except Exception as error:
        # Click's own errors would take three lines; what has no message of Click's is a fault of this program.
        message = getattr(error, "format_message", None)
        if message is None:
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            say(message())
        else:
            note(f"alyx: {_in_one_line(message())}; {_hint(error)}")
        return USAGE
    return code if isinstance(code, int) else 0


def _in_one_line(message: str) -> str:
    return " ".join(message.split()).rstrip(".")


def _hint(error: Exception) -> str:
    """Return where help is, or where a global option belongs."""
    context, name = getattr(error, "ctx", None), getattr(error, "option_name", None)
    if name in GLOBAL_OPTIONS and context is not None:
        return f"write it before the command: alyx {name} … {context.info_name}"
    return f"see {context.command_path if context else 'alyx'} --help"
