"""Schemas of servers never seen before."""

from __future__ import annotations

from .foreign_models import fields, names
from .foreign_operations import paths, payloads
from .foreign_parts import JSON


def schemas() -> dict[str, JSON]:
    """Return the documents by what is special about each."""
    return {**fields(), **names(), **paths(), **payloads()}
