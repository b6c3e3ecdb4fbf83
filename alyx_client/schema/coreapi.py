"""CoreAPI documents, by which servers before Alyx 3.3 describe themselves: links, in groups by endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

__all__ = ["is_core_api", "links"]


def is_core_api(document: Mapping[str, Any]) -> bool:
    """Return whether a decoded document is in CoreAPI's JSON form."""
    return document.get("_type") == "document" and "openapi" not in document


def links(node: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the links of a document, or of a group in it, each with its name, such as ``list``.

    A path of two segments, such as ``/cache/info``, is a group within a group.
    """
    for name, child in node.items():
        # Names with an underscore are CoreAPI's own: _type, _meta.
        if not isinstance(child, Mapping) or name.startswith("_"):
            continue
        group = cast("Mapping[str, Any]", child)
        if "url" in group and group.get("_type", "link") == "link":
            yield name, group
        else:
            yield from links(group)
