"""Where an Alyx publishes its schema: as OpenAPI from version 3.3 on, as CoreAPI before; without any I/O."""

from __future__ import annotations

from alyx_client.errors import AlyxHTTPError
from alyx_client.http.message import Request, Response
from alyx_client.rest.rows import Call, Expires, Steps

__all__ = ["published"]

_OPEN_API = "application/vnd.oai.openapi+json"
_CORE_API = "application/coreapi+json"
_PLACES = (
    Request("GET", "/api/schema", accept=_OPEN_API, endpoint="api/schema"),
    Request("GET", "/docs/", accept=_CORE_API, endpoint="docs"),
    Request("GET", "/docs", accept=_CORE_API, endpoint="docs"),
)
# What a server answers that has no such schema; a redirect where its address has no slash at its end.
_ABSENT = frozenset({301, 302, 307, 308, 404, 406})


def published(expires: Expires = None, *, clobber: bool = False) -> Steps[Response]:
    """Return the answer that holds a server's schema, asking for the newer form first.

    Parameters
    ----------
    expires
        How long the answer may be given again.
    clobber
        Whether the server is asked in any case.

    Raises
    ------
    AlyxError
        The server gave none.
    """
    missing: AlyxHTTPError | None = None
    for request in _PLACES:
        try:
            return (yield Call(request, expires, clobber))
        except AlyxHTTPError as error:
            if error.status_code not in _ABSENT:
                raise
            missing = missing or error
    assert missing is not None
    raise missing
