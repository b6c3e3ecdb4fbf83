"""Lists of several pages, divided as the document says: by position, by number, by a cursor, or by links alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from .document import Document, Operation
from .examples import Examples, Style, merged
from .server import Response, Sent

ROWS = 5
_PAGE = 2  # rows on a page by default
_LARGEST = 3  # rows on a page at most, whatever is requested
_SIZES = ("limit", "page_size", "per_page")
_POSITIONS: Mapping[str, Literal["offset", "number", "cursor"]] = {
    "offset": "offset",
    "page": "number",
    "page_number": "number",
    "cursor": "cursor",
}
# Django REST framework describes its parameters by these words, whatever their names.
_WORDS: Mapping[str, Literal["offset", "number", "cursor"]] = {
    "The initial index": "offset",
    "A page number": "number",
    "The pagination cursor": "cursor",
}


@dataclass(frozen=True)
class PagedList:
    """The server's side of one list.

    Parameters
    ----------
    rows
        All rows.
    fields
        The fields of a page.
    position, style
        The parameter that selects a page, and how.
    size
        The parameter for the rows of a page; empty if there is none.
    """

    rows: list[Any]
    fields: frozenset[str]
    position: str
    style: Literal["offset", "number", "cursor"]
    size: str

    def respond(self, sent: Sent) -> Response:
        """Return the page that a request selects."""
        target = urlsplit(sent.target)
        query = dict(parse_qsl(target.query))
        size = min(int(query.get(self.size) or _PAGE), _LARGEST)
        at = query.get(self.position, "")
        start = {"offset": int, "number": lambda text: (int(text) - 1) * size, "cursor": self._start}[self.style]
        first = start(at) if at else 0
        page: dict[str, Any] = {"results": self.rows[first : first + size]}
        following = None
        if first + size < len(self.rows):
            position = {"offset": first + size, "number": first // size + 2, "cursor": f"cD1{first + size}"}[self.style]
            host = f"http://{sent.headers['host']}"
            following = f"{host}{target.path}?{urlencode({**query, self.position: position})}"
        page |= {"count": len(self.rows), "next": following, "previous": None}
        content = {name: value for name, value in page.items() if name in self.fields}
        return 200, "application/json", json.dumps(content).encode()

    @staticmethod
    def _start(cursor: str) -> int:
        return int(cursor.removeprefix("cD1"))


def paged_list(document: Document, operation: Operation, examples: Examples) -> PagedList | None:
    """Return the server's side of an operation that returns pages; None if it returns something else.

    Parameters
    ----------
    document
        The document.
    operation
        The operation.
    examples
        The examples of responses, for the rows.
    """
    reply = next((one for one in operation.replies if one.is_json), None)
    page = merged(document, reply.schema) if reply else {}
    properties = page.get("properties") or {}
    rows = merged(document, properties.get("results", {}))
    if rows.get("type") != "array" or not {"count", "next"} & properties.keys():
        return None
    position, style, size = "cursor", "cursor", ""
    for parameter in operation.parameters_in("query"):
        name, about = str(parameter["name"]), str(parameter.get("description", ""))
        found = _POSITIONS.get(name) or next((kind for words, kind in _WORDS.items() if about.startswith(words)), None)
        if found:
            position, style = name, found
        elif name in _SIZES or about.startswith("Number of results"):
            size = name
    made = [examples.example(rows.get("items", {}), Style("rows", row=number, items=1)) for number in range(ROWS)]
    return PagedList(made, frozenset(properties), position, style, size)
