"""Decoded response bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alyx_client.errors import UnexpectedAnswerError
from alyx_client.http.message import Response
from alyx_client.schema.openapi import as_list, as_schema

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,60}")


@dataclass(frozen=True)
class Body:
    """The body of a response.

    Parameters
    ----------
    content
        The decoded body; None if it is not JSON.
    response
        The response.
    is_json
        Whether it is JSON.
    """

    content: Any
    response: Response
    is_json: bool = True

    @classmethod
    def of(cls, response: Response) -> Body:
        """Decode the body of a response."""
        try:
            return cls(json.loads(response.content), response)
        except (ValueError, RecursionError):
            return cls(None, response, is_json=False)

    @property
    def rows(self) -> list[Any]:
        """The rows of a page or of a list; empty for anything else."""
        return as_list(as_schema(self.content).get("results")) or as_list(self.content)

    def with_rows(self, rows: Sequence[Any]) -> Body:
        """Return the body with other rows."""
        if isinstance(self.content, list):
            return replace(self, content=list(rows))
        page = as_schema(self.content)
        if not isinstance(page.get("results"), list):
            return self
        return replace(self, content={**page, "results": list(rows)})

    def media_type_to_declare(self, declared: Collection[str]) -> str:
        """Return the media type of a body other than JSON if the schema lacks it; empty if it is declared.

        Parameters
        ----------
        declared
            The declared media types.

        Raises
        ------
        UnexpectedAnswerError
            JSON was declared, or the body is an HTML page or something unrecognisable.
        """
        response = self.response
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_media_type = _MEDIA_TYPE.fullmatch(media_type) is not None
        if media_type in declared and "json" not in media_type:
            return ""
        # HTML is an error page or a login page, also with status 200.
        if declared or media_type == "text/html" or "json" in media_type or not is_media_type:
            message = f"the response is not JSON ({media_type if is_media_type else 'no media type'})"
            raise UnexpectedAnswerError(message, status_code=response.status, method="GET", url=response.url)
        return media_type
