"""Snapshots: a server's schema reduced to its structure, and its provenance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from alyx_client.schema.openapi import as_list, as_schema
from alyx_generator.source.openapi import Document

# Other people's texts, which this project does not redistribute.
_PROSE = frozenset({"description", "title", "summary", "example", "examples", "externalDocs"})
# Keywords whose values map names to objects: a property may be called "description".
_NAME_MAPS = frozenset({"properties", "paths", "schemas", "responses", "content", "patternProperties", "parameters"})


def structure_only(node: Any, *, keys_are_names: bool = False) -> Any:
    """Return a document without its prose.

    Parameters
    ----------
    node
        A decoded JSON document, or a part of it.
    keys_are_names
        Whether the keys of `node` are names (of properties, of paths) rather than keywords.
    """
    if isinstance(node, Mapping):
        mapping = as_schema(node)
        return {
            key: structure_only(value, keys_are_names=key in _NAME_MAPS and not keys_are_names)
            for key, value in sorted(mapping.items())
            if keys_are_names or key not in _PROSE
        }
    if isinstance(node, list):
        return [structure_only(item) for item in as_list(node)]
    return node


def to_json(document: Document) -> str:
    """Return a document as text, the same on every machine."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def digest(document: Document) -> str:
    """Return the SHA-256 of a document's structure, independent of its layout and prose."""
    text = json.dumps(structure_only(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def lock_query_entry(name: str, *, origin: str, day: date, text: str) -> str:
    """Return a query model's entry in ``lock.toml``."""
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return f'["{name}"]\norigin = {json.dumps(origin)}\ndate = {day.isoformat()}\nsha256 = "{sha256}"\n'


def lock_entry(name: str, *, origin: str, day: date, raw: Document, corrected: Document) -> str:
    """Return a snapshot's entry in ``lock.toml``."""
    return (
        f'["{name}"]\n'
        f"origin = {json.dumps(origin)}\n"
        f"date = {day.isoformat()}\n"
        f'sha256_raw = "{digest(raw)}"\n'
        f'sha256_corrected = "{digest(corrected)}"\n'
    )
