"""What every client is made of; the generated clients derive from these and add the endpoints."""

from __future__ import annotations

from alyx_client.client.connection import Connection
from alyx_client.client.file_api import AsyncFileApi, FileApi
from alyx_client.client.schema_api import AsyncSchemaApi, SchemaApi

__all__ = ["AsyncBaseClient", "BaseClient"]


class BaseClient(SchemaApi, FileApi):  # noqa: D101 - the next line says it
    __doc__ = Connection.__doc__


class AsyncBaseClient(AsyncSchemaApi, AsyncFileApi):  # noqa: D101 - the next line says it
    __doc__ = Connection.__doc__
