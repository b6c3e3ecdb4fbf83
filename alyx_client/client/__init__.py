"""The two clients, synchronous and asynchronous; they delegate to the rooms below and hold no logic of their own.

May import every room but the generated endpoints and the command line.
"""

from __future__ import annotations

# Before its modules, see `alyx_client.__getattr__`.
import alyx_client.runtime  # noqa: F401  # pyright: ignore[reportUnusedImport]
from alyx_client.client.aio import AsyncBaseClient
from alyx_client.client.sync import BaseClient

__all__ = ["AsyncBaseClient", "BaseClient"]
