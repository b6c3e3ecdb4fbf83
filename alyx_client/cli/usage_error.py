"""The error of a command line that is wrong."""

from __future__ import annotations

__all__ = ["UsageError"]


class UsageError(Exception):
    """The command line is wrong; nothing was sent."""
