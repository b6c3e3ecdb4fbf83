"""Functions of ``one.webclient`` that are replaced: downloads without a client, and the cache's context manager."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from alyx_client import webclient
from alyx_client.client.base import ClientBase
from alyx_client.one.client import OneAlyxClient
from alyx_client.one.errors import one_errors

__all__ = ["http_download_file", "http_download_file_list", "no_cache_or"]

NoCache = Callable[[Any], AbstractContextManager[Any]]


def http_download_file(full_link_to_file: Any, chunks: tuple[int, int] | None = None, **options: Any) -> Any:
    """Download a file, as `alyx_client.webclient.http_download_file` does; errors are also those of urllib."""
    with one_errors(downloads=True):
        return webclient.http_download_file(full_link_to_file, chunks, **options)


def http_download_file_list(links_to_file_list: Iterable[Any], **options: Any) -> list[Any]:
    """Download files, as `alyx_client.webclient.http_download_file_list` does; errors are also those of urllib."""
    with one_errors(downloads=True):
        return webclient.http_download_file_list(links_to_file_list, **options)


def no_cache_or(original: NoCache) -> NoCache:
    """Return the function ``no_cache``, which leaves ONE's own clients to ONE's own function.

    Parameters
    ----------
    original
        ONE's own function.
    """

    @contextmanager
    def no_cache(ac: Any = None) -> Generator[Any]:
        """Bypass the cache within the block, in this thread or task.

        Parameters
        ----------
        ac
            The client; by default a new one.
        """
        client = OneAlyxClient() if ac is None else ac
        # A client from before the installation is still ONE's own.
        with webclient.no_cache(client) if isinstance(client, ClientBase) else original(client):
            yield client

    return no_cache
