"""Tables: records as tables of pandas, polars and Arrow, tables as records to send, and records in notebooks.

The columns have the declared types of the fields, whatever the rows are, so that an empty list has the same columns as
any other. The libraries are imported when a table is made, and nothing here before that.

May import `runtime` and the rooms below it; `runtime.tables` delegates to it.
"""

from __future__ import annotations

# Before its modules, see `alyx_client.__getattr__`.
import alyx_client.runtime  # noqa: F401  # pyright: ignore[reportUnusedImport]
from alyx_client.frames.cached_tables import CachedTable, read_cache_tables
from alyx_client.frames.tables import to_arrow, to_pandas, to_polars

__all__ = ["CachedTable", "read_cache_tables", "to_arrow", "to_pandas", "to_polars"]
