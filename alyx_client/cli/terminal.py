"""Exit codes, messages and errors, shared by the commands."""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TextIO

import typer

from alyx_client import errors
from alyx_client.cli.advice import for_the_shell
from alyx_client.cli.usage_error import UsageError
from alyx_client.errors import AlyxError, printable

FAILED = 1
USAGE = 2
NOT_FOUND = 3
REFUSED = 4
UNREACHABLE = 5
INTERRUPTED = 130
BROKEN_PIPE = 141
"""Exit codes; the last is that of programs which the signal SIGPIPE ends."""

# The first class that matches counts: an error is listed before its bases.
_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (errors.NotFoundError, NOT_FOUND),
    (errors.AuthenticationError, REFUSED),
    (errors.PermissionDeniedError, REFUSED),
    (errors.MissingCredentialsError, REFUSED),
    (errors.BadRequestError, FAILED),
    (errors.ConflictError, FAILED),
    (errors.AlyxHTTPError, UNREACHABLE),
    (errors.AlyxConnectionError, UNREACHABLE),
    (errors.AlyxTimeoutError, UNREACHABLE),
    (errors.OfflineError, UNREACHABLE),
    (errors.UnexpectedAnswerError, UNREACHABLE),
    (errors.ConfigurationError, USAGE),
    (errors.ForeignURLError, USAGE),
    (errors.InvalidCallError, USAGE),
    (errors.InvalidFieldError, USAGE),
    (errors.InvalidFileNameError, USAGE),
    (errors.InvalidKeyError, USAGE),
    (errors.UnknownFilterError, USAGE),
    (errors.NoDataURLError, NOT_FOUND),
    (AlyxError, FAILED),
    (OSError, FAILED),
    (TypeError, USAGE),
    (ValueError, USAGE),
)

GLOBAL_OPTIONS = ("--url", "--package", "--offline", "--silent", "--timeout", "--debug")
"""The options before the command's name."""

P = ParamSpec("P")


class RunState:
    """The global options that errors depend on: whether they show their traceback, and the server of ``--url``."""

    is_debugging = False
    url: str | None = None


def exit_code(error: BaseException) -> int | None:
    """Return the exit code that stands for an error; None for one that is a fault of this program."""
    if isinstance(error, UsageError):
        return USAGE
    return next((code for kind, code in _CODES if isinstance(error, kind)), None)


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Decorate a command so that expected errors print one line to stderr and exit with their code."""
    show_lists(function)

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
            sys.stdout.flush()
        except KeyboardInterrupt:
            fail("interrupted", INTERRUPTED)
        except BrokenPipeError:  # pragma: no cover - runs in a child process
            # What is still buffered would fail once more when Python flushes it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(BROKEN_PIPE) from None
        except Exception as error:
            code = exit_code(error)
            # Click's exits and errors are for `main`.
            if code is None and (isinstance(error, typer.Exit | typer.Abort) or hasattr(error, "format_message")):
                raise
            if RunState.is_debugging:
                note("".join(traceback.format_exception(error)).rstrip())
            if code is None:
                fail(f"this is a fault of alyx: {type(error).__name__}: {error} (--debug shows where)", FAILED)
            fail(_message(error), code)

    return run


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, AlyxError) and error.strerror:
        return system_error(error)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    several = isinstance(error, errors.BulkError | errors.DownloadsFailedError)
    return advice("\n".join(lines) if several else " ".join(lines) or type(error).__name__)


def system_error(error: OSError) -> str:
    """Return what the operating system says of an error."""
    text = error.strerror or str(error)
    return f"{error.filename}: {text}" if error.filename else text


def advice(text: str) -> str:
    """Return a message of the client with what to type at the shell in place of calls of Python."""
    return for_the_shell(text, RunState.url)


def show_lists(function: Callable[..., object]) -> None:
    """Keep the line breaks of examples and exit codes in a command's help."""
    # Click rewraps every paragraph that does not begin with a backspace character.
    text = inspect.cleandoc(function.__doc__ or "")
    function.__doc__ = re.sub(r"\n\n(?=For example:|Exit codes|Expressions)", "\n\n\b\n", text)


def fail(message: str, code: int) -> NoReturn:
    """Print an error to stderr, and exit."""
    note(f"alyx: {message}")
    raise typer.Exit(code)


def say(text: str) -> None:
    """Print a result to stdout."""
    typer.echo(safe(text), nl=not text.endswith("\n"))


def note(text: str) -> None:
    """Print a message to stderr."""
    typer.echo(safe(text), err=True)


def safe(text: str) -> str:
    """Return a text of the server's words so that it cannot command the terminal."""
    return printable(text, several_lines=True, limit=None)


def prepare_streams() -> None:
    """Open standard streams that are closed, write UTF-8 to files and pipes, and escape what a terminal cannot show."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Otherwise, a file that is opened later would get its number.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # On Windows, files and pipes default to a code page that lacks most characters.
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")


def show_warnings_in_one_line() -> None:
    """Print warnings to stderr without the line of code that they point at."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        note(f"alyx: warning: {advice(' '.join(str(message).split()))}")

    warnings.showwarning = show
