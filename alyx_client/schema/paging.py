"""The division of a list into pages, read from the schema of its endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from alyx_client.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from alyx_client.schema.openapi import Schema

__all__ = ["ALYX_PAGING", "Paging", "read_paging"]

_SIZES = ("limit", "page_size", "per_page")
_POSITIONS = ("offset", "page", "cursor")
# The words of Django REST framework, for parameters of other names.
_SIZE_WORDS = "Number of results to return per page"
_POSITION_WORDS = ("A page number within the paginated", "The pagination cursor value", "The initial index from which")


@dataclass(frozen=True, slots=True)
class Paging:
    """The division of a list into pages.

    Parameters
    ----------
    style
        ``offset``: by the position of the first row, as Alyx does; ``next``: by the URL in each page; ``number``: by
        numbers of pages, from 1.
    size
        The query parameter for the rows of a page; empty if there is none.
    position
        The query parameter that selects a page; empty if there is none.
    counted
        Whether each page holds the number of all rows.
    """

    style: Literal["offset", "next", "number"] = "offset"
    size: str = "limit"
    position: str = "offset"
    counted: bool = True

    @property
    def parameters(self) -> frozenset[str]:
        """The query parameters that select a page, and so are not filters."""
        return frozenset({self.size, self.position} - {""})


ALYX_PAGING = Paging()
"""The division of Alyx's lists into pages."""


def read_paging(parameters: Iterable[Schema], properties: Mapping[str, Any]) -> Paging | None:
    """Return how a list is divided into pages; None if nothing tells how to get the next one.

    Parameters
    ----------
    parameters
        The query parameters of the list.
    properties
        The resolved schemas of a page's fields.
    """
    described = {str(one.get("name")): str(one.get("description", "")) for one in parameters}
    size, position = _find(described, _SIZES, _SIZE_WORDS), _find(described, _POSITIONS, _POSITION_WORDS)
    counted = _may_be(properties, "count", "integer")
    if counted and "offset" in described:
        return replace(ALYX_PAGING, size=size or ALYX_PAGING.size)
    if _may_be(properties, "next", "string"):
        return Paging("next", size, position, counted)
    if counted and not position:
        return replace(ALYX_PAGING, size=size or ALYX_PAGING.size)
    # Numbers can be counted up; cursors are known to the server alone.
    return Paging("number", size, position) if counted and position != "cursor" else None


def _find(described: Mapping[str, str], names: Iterable[str], words: str | tuple[str, ...]) -> str:
    known = (name for name in names if name in described)
    return next(known, "") or next((name for name, text in described.items() if text.startswith(words)), "")


def _may_be(properties: Mapping[str, Any], name: str, kind: str) -> bool:
    """Return whether a page has a field that may be of a type."""
    from alyx_client.schema.openapi import as_list, as_schema

    if name not in properties:
        return False
    schema = as_schema(properties[name])
    options = [schema, *(as_schema(part) for key in ("anyOf", "oneOf") for part in as_list(schema.get(key)))]
    types = [one for option in options for one in (as_list(option.get("type")) or [option.get("type")]) if one]
    return kind in types or not types
