"""``alyx outbox``: the writes that wait for the server."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from alyx_client.cli.output import Format, FormatOption, print_rows
from alyx_client.cli.session import session_of
from alyx_client.cli.terminal import FAILED, UNREACHABLE, command, fail, note, say
from alyx_client.cli.usage_error import UsageError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Show, send or drop the writes that wait.")

_Numbers = Annotated[list[int], typer.Argument(metavar="NUMBER...", help="The numbers that 'outbox list' shows.")]


@command
def list_(
    context: typer.Context,
    form: FormatOption = None,
) -> None:
    """Print the writes that wait, in the order in which they are sent.

    For example:
      alyx outbox list
    """
    outbox = session_of(context).client.outbox
    columns = ("number", "state", "endpoint", "action", "fields", "user", "created", "reason")
    rows = [{name: getattr(entry, name) for name in columns} for entry in outbox]
    if rows or form is not None or not sys.stdout.isatty():
        print_rows(rows, form, columns)
    else:
        note("no writes wait")
    for path in outbox.damaged:
        note(f"damaged, and put aside: {path}")


@command
def send(context: typer.Context) -> None:
    """Send the writes that wait, in order; the exit code is 1 if some still wait, and 5 if the server is away.

    For example:
      alyx outbox send
    """
    report = session_of(context).client.outbox.send()
    say(str(report))
    if not report:
        raise typer.Exit(UNREACHABLE if report.error is not None else FAILED)


@command
def resend(
    context: typer.Context,
    numbers: _Numbers,
    anyway: Annotated[bool, typer.Option("--anyway", help="Even if the server may have it already.")] = False,
) -> None:
    """Let writes that are held or were refused be sent again by the next 'outbox send'.

    For example:
      alyx outbox resend 3
    """
    outbox = session_of(context).client.outbox
    for entry in _entries(outbox, numbers):
        say(str(outbox.resend(entry, anyway=anyway)))


@command
def drop(
    context: typer.Context,
    numbers: _Numbers,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove writes, which are then never sent, and print what they were to send.

    For example:
      alyx outbox drop 3 --yes
    """
    outbox = session_of(context).client.outbox
    entries = _entries(outbox, numbers)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("there is no terminal to ask at; pass --yes to drop")
        for entry in entries:
            note(str(entry))
        if not typer.confirm(f"Drop {len(entries)} of the writes that wait?", err=True):
            fail("nothing was dropped", FAILED)
    # Later writes may refer to earlier ones, which cannot be dropped before them.
    dropped = [outbox.drop(entry) for entry in sorted(entries, key=lambda entry: entry.number, reverse=True)]
    print_rows([{"number": entry.number, **entry.fields} for entry in reversed(dropped)], Format.JSONL, ())


def _entries(outbox: Any, numbers: list[int]) -> list[Any]:
    waiting = {entry.number: entry for entry in outbox}
    unknown = [number for number in numbers if number not in waiting]
    if unknown:
        raise UsageError(f"no write {unknown[0]} waits; see alyx outbox list")
    return [waiting[number] for number in dict.fromkeys(numbers)]


app.command("list")(list_)
app.command("send")(send)
app.command("resend")(resend)
app.command("drop")(drop)
