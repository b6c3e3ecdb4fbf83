"""``alyx doctor``: what is wrong with a machine, and what to do about it."""

from __future__ import annotations

import shutil
import sys
import textwrap
from dataclasses import replace

import typer

from alyx_client.cli.checks import Check, Outcome, Result, failed, machine_checks, message, settings_checks
from alyx_client.cli.session import Session, session_of
from alyx_client.cli.terminal import FAILED, RunState, command, safe

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

    # A prompt for a password would come in the middle of the checks.
    session = Session(replace(session_of(context).options, silent=True))
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
    indent = " " * _WIDTH
    lines = _wrapped(f"{result.outcome:<5} {result.subject:<15} {safe(result.text)}", indent)
    if result.advice:
        lines += textwrap.wrap(
            safe(result.advice), min(90, _columns()), initial_indent=indent, subsequent_indent=indent
        )
    if _has_colours():
        lines[0] = typer.style(result.outcome, fg=_COLOURS[result.outcome]) + lines[0][len(result.outcome) :]
    for line in lines:
        # The colour's own characters would be escaped as the server's are.
        typer.echo(line)


def _wrapped(text: str, indent: str) -> list[str]:
    """Return the lines that a text takes on a terminal; elsewhere, programs read one line."""
    if not sys.stdout.isatty():
        return [text]
    first, rest = text[:_WIDTH], text[_WIDTH:]
    lines = textwrap.wrap(rest, _columns() - _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    return [f"{first}{lines[0]}", *(f"{indent}{line}" for line in lines[1:])]


def _columns() -> int:
    return max(60, shutil.get_terminal_size().columns)


def _has_colours() -> bool:
    import os

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
