"""The names that code written for ``one.webclient`` imports, such as `AlyxClient` and `no_cache`.

>>> import alyx_client.webclient as wc
>>> client = wc.AlyxClient("https://alyx.example.org")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from types import NoneType
from typing import TypeVar, overload

# Before its modules, see `alyx_client.__getattr__`.
import alyx_client.client  # noqa: F401  # pyright: ignore[reportUnusedImport]
from alyx_client.client.base import ClientBase
from alyx_client.downloads.functions import (
    dataset_record_to_url,
    file_record_to_url,
    http_download_file,
    http_download_file_list,
)
from alyx_client.endpoints import AlyxClient, AsyncAlyxClient
from alyx_client.http.arguments import require
from alyx_client.rest.scheme import RestScheme
from alyx_client.rest.url_params import update_url_params

__all__ = [
    "AlyxClient",
    "AsyncAlyxClient",
    "RestScheme",
    "dataset_record_to_url",
    "file_record_to_url",
    "http_download_file",
    "http_download_file_list",
    "no_cache",
    "update_url_params",
]

Client = TypeVar("Client", bound=ClientBase)


@overload
def no_cache(ac: None = None) -> AbstractContextManager[AlyxClient]: ...
@overload
def no_cache(ac: Client) -> AbstractContextManager[Client]: ...
def no_cache(ac: Client | None = None) -> AbstractContextManager[AlyxClient | Client]:
    """Bypass the cache within the block: every request is sent, and no response is stored.

    This applies to the current thread or task only, and to the pages that its lists prefetch.

    Parameters
    ----------
    ac
        The client; by default a new `AlyxClient`.

    Returns
    -------
    context manager
        Its target is the client.
    """
    require("ac", ac, (ClientBase, NoneType), "a client")
    return _no_cache(AlyxClient() if ac is None else ac)


@contextmanager
def _no_cache(client: Client) -> Generator[Client]:
    with client.cache_disabled():
        yield client
