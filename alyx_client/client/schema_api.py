"""What both clients do with their server's schema."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from alyx_client.client.string_api import AsyncStringApi, StringApi

if TYPE_CHECKING:
    from alyx_client.schema.report import Report

__all__ = ["AsyncSchemaApi", "SchemaApi"]


class SchemaApi(StringApi):
    """The check of the schema by a synchronous client."""

    def check_schema(self) -> Report:
        """Tell what changed on the server since this client was generated.

        The server's schema is fetched anew and compared with the one that the client was generated from, both as
        published. No other call does this by itself.

        Returns
        -------
        Report
            What changed, and whom it breaks; false where nothing changed. ``print(report)`` shows it, a notebook as a
            table; ``report.fails("breaking")`` is for programs.

        Raises
        ------
        OfflineError, AlyxConnectionError, AlyxHTTPError
            The server did not answer, or has no schema.
        UnexpectedAnswerError
            What the server answered is no schema.
        ConfigurationError
            The client's package does not tell what it was generated from.
        """
        from alyx_client.schema.check import compare_with_server, load_bundled_surface

        surface = load_bundled_surface(self._surface)
        return compare_with_server(surface, self._surface, self._run(self._calls.document()), self.base_url)


class AsyncSchemaApi(AsyncStringApi):
    """The check of the schema by an asynchronous client."""

    async def check_schema(self) -> Report:
        """As `SchemaApi.check_schema`, awaited."""
        from alyx_client.schema.check import compare_with_server, load_bundled_surface

        surface = await asyncio.to_thread(load_bundled_surface, self._surface)
        document = await self._run(self._calls.document())
        return await asyncio.to_thread(compare_with_server, surface, self._surface, document, self.base_url)
