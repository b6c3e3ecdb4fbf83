"""Pages of a list: Django REST framework's LimitOffsetPagination."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from alyx_client.testing.views.requests import ApiRequest

_DEFAULT_LIMIT = 250
_MAX_LIMIT = 1000


@dataclass(frozen=True)
class Page:
    """One page of a list, as requested."""

    request: ApiRequest
    limit: int
    offset: int

    @classmethod
    def of(cls, request: ApiRequest) -> Page:
        """Read limit and offset; like DRF, ignore values that are no numbers, and cap the limit silently."""
        limit = min(_number(request, "limit", minimum=1) or _DEFAULT_LIMIT, _MAX_LIMIT)
        return cls(request, limit, _number(request, "offset", minimum=0) or 0)

    def next_url(self, count: int) -> str | None:
        """Return the URL of the next page, or None for the last one."""
        offset = self.offset + self.limit
        return self._url(offset) if offset < count else None

    def previous_url(self) -> str | None:
        """Return the URL of the previous page, or None for the first one."""
        return self._url(self.offset - self.limit) if self.offset > 0 else None

    def _url(self, offset: int) -> str:
        parameters = {name: list(values) for name, values in self.request.query.items()}
        parameters["limit"] = [str(self.limit)]
        parameters.pop("offset", None)
        if offset > 0:
            parameters["offset"] = [str(offset)]
        query = urlencode(sorted(parameters.items()), doseq=True)
        return f"{self.request.base_url}{self.request.path}?{query}"


def _number(request: ApiRequest, name: str, *, minimum: int) -> int | None:
    values = request.query.get(name)
    text = values[-1] if values else ""
    return int(text) if re.fullmatch(r"\d+", text) and int(text) >= minimum else None
