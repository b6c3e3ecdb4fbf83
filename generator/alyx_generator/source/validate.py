"""The error for documents that cannot be read at all."""

from __future__ import annotations


class UnreadableSchemaError(ValueError):
    """The document is not a schema that this generator can read."""
