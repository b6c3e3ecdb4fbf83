"""What every client is made of; the generated clients derive from these and add the endpoints."""

from __future__ import annotations

from alyx_client.connection import Connection
from alyx_client.file_api import AsyncFileApi, FileApi
from alyx_client.string_api import AsyncStringApi, StringApi

__all__ = ["AsyncBaseClient", "BaseClient"]


class BaseClient(StringApi, FileApi):  # noqa: D101 - the next line says it
    __doc__ = Connection.__doc__


class AsyncBaseClient(AsyncStringApi, AsyncFileApi):  # noqa: D101 - the next line says it
    __doc__ = Connection.__doc__
