"""``alyx cache``: the cached responses."""

from __future__ import annotations

from pathlib import Path

import typer

from alyx_client.cli.session import session_of
from alyx_client.cli.terminal import command, note, say
from alyx_client.http.log import readable_size

__all__ = ["app", "size_of"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Show or delete the cached responses.")


@command
def info(context: typer.Context) -> None:
    """Print where responses and data files are stored, and how much space they take.

    For example:
      alyx cache info
    """
    client = session_of(context).client
    responses = client._settings.rest_cache_dir
    for name, folder in (("responses", responses), ("data files", client.cache_dir)):
        size, count = size_of(folder, skip=responses if folder != responses else None)
        say(f"{name:<11} {folder}  {readable_size(size)} in {count} file{'' if count == 1 else 's'}")


@command
def clear(context: typer.Context) -> None:
    """Delete the cached responses of the server; data files stay.

    For example:
      alyx cache clear
    """
    client = session_of(context).client
    client.clear_rest_cache()
    note(f"deleted the cached responses of {client.base_url}")


app.command("info")(info)
app.command("clear")(clear)


def size_of(folder: Path, *, skip: Path | None = None) -> tuple[int, int]:
    """Return the size of a folder's files in bytes, and their number.

    Parameters
    ----------
    folder
        The folder; a missing one is empty.
    skip
        A folder in it that does not count.
    """
    size = count = 0
    for path in folder.rglob("*"):
        if skip is not None and path.is_relative_to(skip):
            continue
        try:
            if path.is_file():
                size, count = size + path.stat().st_size, count + 1
        except OSError:  # pragma: no cover - race of threads or processes
            continue
    return size, count
