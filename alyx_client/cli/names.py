"""Names of endpoints, filters and fields, on the command line and in Python."""

from __future__ import annotations

__all__ = ["option", "python_name"]


def python_name(name: str) -> str:
    """Return the name in Python of an endpoint, a filter or a field of the command line."""
    return name.replace("-", "_")


def option(name: str) -> str:
    """Return a name as it is written on the command line."""
    return name.strip("_").replace("_", "-")
