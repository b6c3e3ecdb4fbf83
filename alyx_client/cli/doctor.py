"""``alyx doctor``: what is wrong with a machine, and what to do about it."""

from __future__ import annotations

import sys
import textwrap

import typer

from alyx_client.cli.checks import Check, Outcome, Result, failed, machine_checks, message, settings_checks
from alyx_client.cli.session import session_of
from alyx_client.cli.terminal import FAILED, RunState, command, safe, say

__all__ = ["doctor"]

_COLOURS = {Outcome.OK: typer.colors.GREEN, Outcome.WARN: typer.colors.YELLOW, Outcome.FAIL: typer.colors.RED}
_WIDTH = 22


@command
def doctor(context: typer.Context) -> None:
    """Find what is wrong with this machine.

    It checks the settings, the folders, the way to the server, the clock, the login and the server's schema. Each line
    is ok, warn or FAIL, and says what to do. No secrets are printed. The exit code is 1 if a check fails.

    For example:
      alyx doctor
      alyx --url https://alyx.example.org doctor
    """
    from alyx_client.cli.server_checks import login_checks, server_checks

    session = session_of(context)
    groups: list[tuple[Check, ...]] = [(machine_checks, settings_checks)]
    if not session.options.offline:
        groups.append((server_checks, login_checks))
    has_failed = False
    for group in groups:
        for check in group:
            check_failed = False
            try:
                for result in check(session):
                    _show(result)
                    check_failed = check_failed or result.outcome is Outcome.FAIL
            except Exception as error:  # one check that breaks must not hide the others
                if RunState.is_debugging:
                    raise
                subject = check.__name__.replace("_", " ")
                _show(failed(subject, message(error), "Run alyx --debug doctor, and report it."))
                check_failed = True
            has_failed = has_failed or check_failed
            # What comes after it needs it.
            if check_failed and check is not machine_checks:
                raise typer.Exit(FAILED)
    if has_failed:
        raise typer.Exit(FAILED)


def _show(result: Result) -> None:
    outcome = f"{result.outcome:<5}"
    if _has_colours():
        outcome = typer.style(outcome, fg=_COLOURS[result.outcome])
    lines = [f"{outcome} {result.subject:<15} {safe(result.text)}"]
    if result.advice:
        lines += textwrap.wrap(result.advice, 90, initial_indent=" " * _WIDTH, subsequent_indent=" " * _WIDTH)
    for number, line in enumerate(lines):
        # The colour's own characters would be escaped as the server's are.
        if number:
            say(line)
        else:
            typer.echo(line)


def _has_colours() -> bool:
    import os

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
