"""Options, exit codes and output shared by the commands."""

from __future__ import annotations

import errno
import functools
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn, ParamSpec

import typer

from alyx_client.cli.terminal import advice, note, show_lists
from alyx_client.errors import AlyxError
from alyx_client.http.own_headers import OwnHeaders
from alyx_client.http.token_scheme import ALYX_TOKENS, TokenScheme
from alyx_client.http.url import origin
from alyx_client.schema.extract import UnreadableDocumentError
from alyx_generator.package.manifest import ManifestError, PackageNameError
from alyx_generator.package.shipped import NoCheckoutError
from alyx_generator.package.write import ForeignFilesError
from alyx_generator.probe.query.inquiry import TooManyRequestsError
from alyx_generator.probe.query.run import NoQueryModelError
from alyx_generator.probe.state import ProbeStateError
from alyx_generator.render.format import FormatError
from alyx_generator.source.fetch import Access, SchemaSource, UnknownSourceError
from alyx_generator.source.history import UnreadableHistoryError
from alyx_generator.source.overlay import OverlayError
from alyx_generator.source.query_model import UnreadableQueryModelError
from alyx_generator.source.validate import UnreadableSchemaError

DIFFERENT = 1
USAGE = 2
UNREADABLE = 3
INTERRUPTED = 130

_USAGE = (UnknownSourceError, PackageNameError, ManifestError, ForeignFilesError, NoCheckoutError, ProbeStateError)
_UNREADABLE = (
    AlyxError,
    UnreadableSchemaError,
    UnreadableDocumentError,
    UnreadableHistoryError,
    UnreadableQueryModelError,
    NoQueryModelError,
    TooManyRequestsError,
    OverlayError,
    FormatError,
    OSError,
    UnicodeError,
)
_REMEDIES = {
    errno.ENOENT: "check the path",
    errno.EEXIST: "name a folder, or a new one",
    errno.ENOTDIR: "name a folder, or a new one",
    errno.EACCES: "check its permissions, or name another",
    errno.EROFS: "name another, on a disk that can be written to",
    errno.ENOSPC: "free some space there, or name another",
}
P = ParamSpec("P")

SOURCE = "a server's URL, a file, or a shipped snapshot (shipped, 3.6.1, 3.3.1)"


class Form(StrEnum):
    """Formats of reports."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


FormOption = Annotated[Form, typer.Option("--format", "-f", help="The format of the report on stdout.")]
OverlayOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--overlay",
        metavar="FILE",
        help="Your own corrections (OpenAPI Overlay 1.0, YAML), applied after the shipped ones. May be repeated.",
    ),
]

QueryModelOption = Annotated[
    Path | None,
    typer.Option(
        "--query-model",
        metavar="FILE",
        help="The fields that the server's django filter reaches, from `alyx-generate probe --query-model`; by "
        "default, the shipped ones of the nearest version of Alyx.",
        show_default=False,
    ),
]
HeaderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--header",
        metavar="'NAME: VALUE'",
        help="A header field for the server, such as that of a gateway, or 'Authorization: Bearer TOKEN'. Never shown. "
        "May be repeated. ALYX_HEADERS holds them as a JSON object, out of sight of other users.",
    ),
]


def read_access(headers: list[str] | None, *sources: SchemaSource) -> Access:
    """Return what the command's server requires, from its ``--header`` options; errors quote no value.

    Parameters
    ----------
    headers
        The options, each a name and a value.
    sources
        The sources that the command reads.
    """
    if not headers:
        return Access()
    servers = {origin(source.where) for source in sources if source.kind == "server"}
    if len(servers) > 1:
        fail("--header is for one server; save the schema of the other one first, with alyx-generate fetch", USAGE)
    token, scheme, fields = None, ALYX_TOKENS, dict[str, str]()
    for text in headers:
        name, colon, value = (part.strip() for part in text.partition(":"))
        if not colon or name in fields:
            problem = f"{name} is there twice" if colon else "it takes a name, a colon and a value"
            fail(f"--header: {problem}", USAGE)
        if name.lower() == ALYX_TOKENS.header.lower():
            word, _, token = value.rpartition(" ")
            scheme = TokenScheme(word.strip())
        else:
            fields[name] = value
    try:
        return Access(token, scheme, OwnHeaders(fields) if fields else None)
    except ValueError as error:
        fail(f"--header: {str(error).removeprefix('headers: ')}", USAGE)


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Decorate a command so that expected errors print one message to stderr and exit with their code."""
    show_lists(function)

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except KeyboardInterrupt:
            fail("interrupted", INTERRUPTED)
        except BrokenPipeError:
            # Click exits quietly when the reader of stdout is gone (`| head`); it is an OSError too.
            raise
        except _USAGE as error:
            fail(str(error), USAGE)
        except _UNREADABLE as error:
            fail(_message(error), UNREADABLE)

    return run


def _message(error: Exception) -> str:
    if isinstance(error, AlyxError):
        # There is no option for the time limit.
        return advice(str(error)).replace("--timeout SECONDS before the command, or ", "")
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    problem = f"{error.filename or 'the output'}: {error.strerror}"
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{problem}; {remedy}" if remedy else problem


def fail(message: str, code: int) -> NoReturn:
    """Print an error to stderr, and exit."""
    note(f"alyx-generate: {message}")
    raise typer.Exit(code)


def progress(text: str) -> None:
    """Print the current step to stderr if it is a terminal."""
    if sys.stderr.isatty():
        note(f"{text} …")
