"""``alyx download`` and ``alyx tables``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from alyx_client.cli.session import Session, session_of
from alyx_client.cli.terminal import command, note, say
from alyx_client.cli.usage_error import UsageError
from alyx_client.config.tables import is_list
from alyx_client.errors import DownloadsFailedError

__all__ = ["download", "tables"]

_MAX_FAILURES = 20
_RECORD_URL = re.compile(r"/datasets/[0-9a-fA-F-]{36}/?$")


@command
def download(
    context: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="URLs of files, paths on the data server, keys or URLs of datasets; - reads them, or the records that "
            "alyx list datasets writes, from stdin.",
        ),
    ] = None,
    sessions: Annotated[
        list[str] | None, typer.Option("--session", metavar="KEY", help="All files of a session. May be repeated.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help="The folder; by default that of the settings.")
    ] = None,
    tree: Annotated[
        bool, typer.Option("--tree", help="Create the server's folders: lab/Subjects/subject/date/number/…")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare files that exist with their hash, too, and replace damaged ones.")
    ] = False,
) -> None:
    """Download data files.

    Their paths are printed. Interrupted downloads resume. Files that exist and are complete are not downloaded again.

    For example:
      alyx download --session 5a2c6a0e-e4b8-4d5c-9c7e-3a0f2d1a9b11 --tree
      alyx download cortexlab/Subjects/KS023/2019-12-10/001/alf/spikes.times.npy --to data
      alyx list datasets --session 5a2c6a0e-e4b8-4d5c-9c7e-3a0f2d1a9b11 --collection alf | alyx download - --tree
    """
    session = session_of(context)
    found: list[Any] = []
    for word in sources or ():
        texts = sys.stdin.read().splitlines() if word == "-" else [word]
        found += [_source(text.strip(), session) for text in texts if text.strip()]
    for key in sessions or ():
        records = list(session.client.datasets.list(session=key.rstrip("/").rpartition("/")[2]))
        if not records:
            note(f"alyx: warning: session {key} has no datasets")
        found += records
    if not found:
        if sessions or sources:
            return
        raise UsageError("pass URLs, paths or datasets to download, or --session KEY")
    # The error of a single file says more than that of a list.
    what = found[0] if len(found) == 1 else found
    try:
        paths = session.client.download_file(what, target_dir=target, keep_tree=tree, verify=verify)
    except DownloadsFailedError as error:
        _print_paths([path for path in error.results if isinstance(path, Path)])
        raise _shortened(error) from error
    _print_paths(paths if is_list(paths) else [paths])


@command
def tables(
    context: typer.Context,
    target: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help="The folder; by default that of the settings.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="URL", help="The zip archive; by default Alyx's own.")
    ] = None,
) -> None:
    """Download the cache tables.

    These are the tables of sessions and datasets (parquet), whose paths are printed. Tables that are current are not
    downloaded again.

    For example:
      alyx tables
      alyx tables --to tables
    """
    _print_paths(session_of(context).client.download_cache_tables(source, target))


def _shortened(error: DownloadsFailedError) -> DownloadsFailedError:
    """Return the error with a line for each file that failed: its own message, which names it."""
    failures = [one for one in error.results if isinstance(one, Exception)]
    heading = error.message.partition("\n")[0]
    lines = [f"- {' '.join(str(one).split())}" for one in failures[:_MAX_FAILURES]]
    if len(failures) > len(lines):
        lines.append(f"- {len(failures) - len(lines)} more")
    return DownloadsFailedError("\n".join([heading, *lines]))


def _source(text: str, session: Session) -> Any:
    """Return what `download_file` takes for a word of the command line or a line of stdin."""
    if text.startswith("{"):
        try:
            return json.loads(text)
        except ValueError as error:
            raise UsageError(f"a line of stdin is not JSON: {error}") from None
    try:
        is_key = bool(UUID(text))
    except ValueError:
        is_key = _RECORD_URL.search(text) is not None
    return session.client.datasets.read(text) if is_key else text


def _print_paths(paths: Sequence[object]) -> None:
    for path in paths:
        say(str(path))
